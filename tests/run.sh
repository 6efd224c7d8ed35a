#!/usr/bin/env bash
# Sets up everything that is not there yet, builds everything and runs all tests.
# Arguments go to cmake's configure step, for example -DCMAKE_COMPILE_WARNING_AS_ERROR=ON.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/setup.sh tests
cmake --preset release "$@"
cmake --build --preset release
ctest --preset release
