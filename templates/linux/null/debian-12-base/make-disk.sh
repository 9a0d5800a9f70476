#!/bin/sh
# Turns a directory tree into a disk image with a GPT, an EFI system partition and an ext4 root: no loop device, no mount.
# Usage: make-disk.sh TREE RESULT SIZE_MIB    (RESULT: a qcow2 file; what is needed on the way lies beside it)
set -eu
PATH=$PATH:/usr/sbin:/sbin
tree=$1 result=$2 size=$3
esp=256
mib=1048576
disk=$result.raw

truncate --size "${size}M" "$disk"
# The root partition ends 1 MiB before the end of the disk: the second copy of the partition table lies there.
sfdisk --quiet "$disk" <<END
label: gpt
start=1MiB, size=${esp}MiB, type=uefi, name=ESP
start=$((esp + 1))MiB, size=$((size - esp - 2))MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root
END

mformat -i "$disk@@$mib" -T $((esp * 2048)) -F -v ESP ::
mcopy -i "$disk@@$mib" -s "$tree"/boot/efi/* ::/
# What lies in the folder would be hidden by the partition that is mounted over it.
find "$tree/boot/efi" -mindepth 1 -delete
mke2fs -q -t ext4 -L root -d "$tree" -E "offset=$(((esp + 1) * mib)),lazy_itable_init=0,lazy_journal_init=0" "$disk" $((size - esp - 2))M

qemu-img convert -O qcow2 "$disk" "$result"
rm "$disk"
