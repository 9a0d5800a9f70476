#!/bin/sh
# Makes .venv with the pinned requirements, and the checkout findable as the collection hybridcore.packer.
# Usage: bootstrap.sh [runtime|test]
# Asks nothing, and is done in an instant when nothing has changed.
set -eu
cd "$(dirname "$0")/.."
want=${1:-runtime}

fail() {
    echo "bootstrap: $1" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if is_recent "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. On Debian 12: sudo apt-get install python3 python3-venv"
}

# Debian's python3 comes without the part that makes virtual environments.
install_venv() {
    if ! command -v apt-get >/dev/null; then
        fail "$python cannot make a virtual environment: install its modules venv and ensurepip, then run again"
    fi
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            fail "the Debian package python3-venv is missing. Run: sudo apt-get install python3-venv"
        fi
        as_root=sudo
    fi
    echo "bootstrap: installing the Debian package python3-venv"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv </dev/null >/dev/null
}

case $want in
    runtime) files=requirements/runtime.txt ;;
    test) files="requirements/runtime.txt requirements/test.txt" ;;
    *) fail "usage: bootstrap.sh [runtime|test]" ;;
esac

python=$(find_python)
version=$("$python" -c 'import sys; print(sys.version)')
stamp() {
    # Scripts in .venv hold its absolute path, so a checkout that was moved is a change too.
    { echo "$version" && pwd && cat /dev/null "$@"; } | sha256sum
}

if [ -e ".venv/stamp-$want" ] && stamp $files | cmp -s - ".venv/stamp-$want" && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_venv
fi
if ! stamp | cmp -s - .venv/stamp-base || ! .venv/bin/python -c '' 2>/dev/null; then
    echo "bootstrap: making .venv with $python"
    rm -f .venv/stamp-*
    "$python" -m venv --clear .venv
    stamp >.venv/stamp-base
fi
echo "bootstrap: installing the pinned $want requirements"
rm -f ".venv/stamp-$want"
.venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes \
    --requirement "requirements/$want.txt"

mkdir -p .venv/collections/ansible_collections/hybridcore
ln -sfn ../../../.. .venv/collections/ansible_collections/hybridcore/packer

stamp $files >".venv/stamp-$want"
