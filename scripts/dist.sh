#!/bin/bash
# Makes hybridcore-packer-VERSION.tar.gz in a folder, or here: what Galaxy and an Automation Hub take.
# Usage: dist.sh [FOLDER]
# It holds what git does not ignore, but for what `build_ignore` of galaxy.yml names. The core lies as real files below
# plugins/module_utils/, where this checkout has a symbolic link.
set -euo pipefail
out=$(realpath "${1:-$(dirname "$0")/..}")
cd "$(dirname "$0")/.."

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
# Of a file that was removed and not committed, git still knows the name.
git ls-files -z --cached --others --exclude-standard --deduplicate | while IFS= read -r -d '' file; do
    [[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
done | xargs -0 cp --parents --no-dereference --target-directory "$stage"
rm "$stage/plugins/module_utils/hybridcore"
mv "$stage/hybridcore" "$stage/plugins/module_utils/hybridcore"
links=$(find "$stage" -type l)
if [[ $links ]]; then
    echo "dist: these are symbolic links, which Galaxy refuses: $links" >&2
    exit 1
fi

.venv/bin/ansible-galaxy collection build --force --output-path "$out" "$stage"
