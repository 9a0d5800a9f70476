#!/bin/sh
# Makes a bootable disk from Debian's packages, in the folder of the result: no loop device, and no disk is mounted.
# Usage: SIZE_MIB=N PACKAGES=a,b MIRRORS=LINES sh make-image.sh RESULT
# PACKAGES and MIRRORS may be empty; each line of MIRRORS is an argument of mmdebstrap.
set -eu
PATH=$PATH:/usr/sbin:/sbin
most=2048 # MiB: the tree, its packages, the disk and the image lie side by side for a moment

fail() {
    echo "E: $1" >&2
    exit 1
}

for program in mmdebstrap mcopy sfdisk mke2fs qemu-img; do
    command -v "$program" >/dev/null ||
        fail "$program was not found; on Debian: apt install mmdebstrap mtools fdisk e2fsprogs qemu-utils"
done
folder=$(dirname "$1")
mkdir -p "$folder"
free=$(df --block-size=1M --output=avail "$folder" | tail -1)
[ "$free" -ge "$most" ] || fail "$((free)) MiB are free in $(realpath "$folder"), and making the disk takes $most MiB"

# What root does ends by itself when this pipe is closed, as by the death of this shell: another user cannot end it.
mkfifo "$folder/alive"
exec 3<>"$folder/alive"
set -- env "SIZE_MIB=$SIZE_MIB" "PACKAGES=$PACKAGES" "MIRRORS=$MIRRORS" sh "$(dirname "$0")/as-root.sh" "$1"
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true || fail "the disk is made by root: this user needs sudo that asks for no password"
    set -- sudo -n "$@"
fi
"$@" <"$folder/alive" 3<&-
rm "$folder/alive"
