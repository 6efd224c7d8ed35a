#!/usr/bin/env bash
# Are all C++ files formatted as .clang-format says? (clang-format 14: other versions differ in details)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

git ls-files -z -- '*.hpp' '*.cpp' | xargs -0 --no-run-if-empty clang-format-14 --dry-run --Werror
echo "format: all files are as .clang-format says"
