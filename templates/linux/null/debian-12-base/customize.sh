#!/bin/sh
# Makes a plain Debian tree bootable and safe to copy. mmdebstrap runs it as its last hook, with the tree as the only argument.
# What is set up here is what every image needs; users, hardening and names are the business of the build template.
set -eu
root=$1

# Network: DHCP on every wired port. The lease is bound to the port's address, so copies of a disk never share one.
cat >"$root/etc/systemd/network/80-dhcp.network" <<'END'
[Match]
Type=ether

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
END

# The boot loader finds kernels under this name on its partition, whatever the machine id of a copy is.
mkdir -p "$root/boot/efi/debian" "$root/boot/efi/loader/entries" "$root/boot/efi/EFI/BOOT" "$root/boot/efi/EFI/systemd"
echo debian >"$root/etc/kernel/entry-token"
echo "root=LABEL=root rw quiet console=tty0 console=ttyS0,115200" >"$root/etc/kernel/cmdline"
cat >"$root/etc/fstab" <<'END'
LABEL=root  /          ext4  defaults,x-systemd.growfs  0  1
LABEL=ESP   /boot/efi  vfat  umask=0077                 0  1
END
cp "$root/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$root/boot/efi/EFI/BOOT/BOOTX64.EFI"
cp "$root/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$root/boot/efi/EFI/systemd/systemd-bootx64.efi"
printf 'timeout 0\nconsole-mode keep\n' >"$root/boot/efi/loader/loader.conf"
for kernel in "$root"/boot/vmlinuz-*; do
    version=${kernel##*/vmlinuz-}
    chroot "$root" kernel-install add "$version" "/boot/vmlinuz-$version" "/boot/initrd.img-$version"
done
# kernel-install writes paths from the mount point of the boot partition, and nothing is mounted here.
sed -i 's# /boot/efi/# /#' "$root"/boot/efi/loader/entries/*.conf

# When a disk is made larger, its last partition and file system grow into the room at the next boot.
mkdir -p "$root/etc/repart.d"
printf '[Partition]\nType=root\n' >"$root/etc/repart.d/50-root.conf"

# Host keys belong to one machine: every copy makes its own at its first boot.
rm -f "$root"/etc/ssh/ssh_host_*
cat >"$root/etc/systemd/system/ssh-host-keys.service" <<'END'
[Unit]
Description=Make the SSH host keys of this machine
Before=ssh.service
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
RemainAfterExit=yes

[Install]
WantedBy=ssh.service
END
chroot "$root" systemctl --quiet enable ssh-host-keys.service ssh.service systemd-networkd.service systemd-resolved.service

# No password exists: the account is locked, and a key is the only way in.
chroot "$root" passwd --quiet --lock root

# Left over from the making.
rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$root/etc/hostname" "$root/etc/resolv.conf"
ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
find "$root/var/log" -type f -exec truncate --size 0 '{}' +
