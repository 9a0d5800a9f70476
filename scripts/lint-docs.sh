#!/bin/bash
# The documentation of the plugins: complete, well formed, and every cross-reference right.
set -euo pipefail
cd "$(dirname "$0")/.."
exec antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .
