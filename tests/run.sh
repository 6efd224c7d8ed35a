#!/usr/bin/env bash
# Sets up everything that is not there yet, builds everything and runs all tests.
# Arguments go to cmake's configure step, for example -DCMAKE_COMPILE_WARNING_AS_ERROR=ON.
# PRESET names another preset than release; the others leave out the slow tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${PRESET:-release}
cmake/setup.sh tests
cmake --preset "$preset" "$@"
cmake --build --preset "$preset"
ctest --preset "$preset"
