#!/bin/bash
# Every check of `make lint`, one after the other; all of them run, and the names of those that failed come last.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
# Nothing here may ask the network.
export ANSIBLE_LINT_SKIP_SCHEMA_UPDATE=1
failed=()

check() {
    local name=$1
    shift
    echo "lint: $name"
    "$@" || failed+=("$name")
}

check "ruff" ruff check --quiet .
check "ruff format" ruff format --check --quiet .
check "mypy" mypy
check "yamllint" yamllint --strict .
check "changelog" antsibull-changelog lint
check "ansible-lint" ansible-lint --offline --strict -q
check "plugin docs" scripts/lint-docs.sh

if ((${#failed[@]})); then
    printf 'lint: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "lint: all passed"
