#!/bin/sh
# Root's part of make-image.sh, which says what it is given. It ends when its standard input is closed.
# Usage: SIZE_MIB=N PACKAGES=a,b MIRRORS=LINES sh as-root.sh RESULT
set -eu
export LC_ALL=C.UTF-8
here=$(dirname "$0")
result=$1
tree=$(dirname "$result")/root
packages=linux-image-cloud-amd64,systemd-sysv,systemd-boot,systemd-resolved,systemd-timesyncd,libnss-myhostname,udev,dbus
packages=$packages,openssh-server,sudo,iproute2,python3,python3-apt,ca-certificates,locales,zstd${PACKAGES:+,$PACKAGES}

set -- mmdebstrap --verbose --variant=minbase --format=dir "--include=$packages" \
    '--aptopt=Acquire::Languages "none"' \
    --dpkgopt=force-unsafe-io \
    '--dpkgopt=path-exclude=/usr/share/doc/*' \
    '--dpkgopt=path-include=/usr/share/doc/*/copyright' \
    '--dpkgopt=path-exclude=/usr/share/man/*' \
    '--dpkgopt=path-exclude=/usr/share/locale/*' \
    "--customize-hook=sh '$here/customize.sh' \"\$1\"" \
    bookworm "$tree"
while IFS= read -r line; do
    [ -z "$line" ] || set -- "$@" "$line"
done <<END
$MIRRORS
END
# mmdebstrap mounts /proc and others in the tree: they go with this namespace, and so does all that runs in it.
if unshare --mount --pid --fork true 2>/dev/null; then
    set -- unshare --mount --pid --fork --kill-child "$@"
fi

exec 4<&0
"$@" </dev/null 4<&- &
making=$!
watching=
leave() {
    kill -KILL "$making" "$watching" 2>/dev/null || true
    wait
    rm -rf --one-file-system "$tree"
}
trap leave EXIT
trap 'exit 143' TERM
(cat <&4 >/dev/null && kill -TERM $$) &
watching=$!
wait "$making"
echo "I: turning the folder into a bootable disk..."
sh "$here/make-disk.sh" "$tree" "$result" "$SIZE_MIB"
chown --reference "$(dirname "$result")" "$result"
