#!/bin/sh
# Removes what killed runs left of their making. Prints the name of each folder that it removes.
# Usage: remove-left.sh FOLDER
set -eu
for work in "$1"/.making-*; do
    [ -d "$work/root" ] || continue
    # The lock is held by everything that works there; see make-image.sh.
    if flock --nonblock "$work" rm -rf --one-file-system "$work"; then
        echo "$work"
    fi
done
