#!/bin/sh
# Makes a bootable disk, WORK/base.qcow2, from Debian's packages.
# The folder WORK/root is there only while WORK is locked, so one without a lock is what a killed run left.
# Usage: flock --no-fork WORK sh make-image.sh WORK SIZE_MIB MMDEBSTRAP ARGUMENT...   (which makes WORK/root)
set -eu
work=$1 size=$2
shift 2

# In root's hands mmdebstrap mounts /proc and others in the tree: they go with this namespace, however it ends.
if unshare --mount true 2>/dev/null; then
    set -- unshare --mount "$@"
fi
"$@"
echo "I: turning the folder into a bootable disk..."
sh "$(dirname "$0")/make-disk.sh" "$work/root" "$work/base.qcow2" "$size"
rm -rf "$work/root"
