#!/bin/sh
# Puts a finished image and its checksum in their place. Of two runs that made the same image, the first one wins,
# so that image and checksum always belong together; the image comes last, since it is what runs look for.
# Usage: publish.sh MADE PLACE
set -eu
made=$1 place=$2
exec 9<"$(dirname "$place")"
flock 9
[ ! -e "$place" ] || exit 0
printf '%s  %s\n' "$(sha256sum <"$made" | cut -d' ' -f1)" "$(basename "$place")" >"$made.sha256"
sync "$made" "$made.sha256"
mv "$made.sha256" "$place.sha256"
mv "$made" "$place"
