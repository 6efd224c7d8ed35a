#!/usr/bin/env bash
# Builds everything with the newest LibTorch of PyPI, in build/newest, runs the tests, and compares the program's
# numbers with those of build/release. Run before each release: it takes too long beside what .ci/run does.
#   tests/newest_libtorch.sh [VERSION]     of torch; the newest where it is left out
# The wheel is the build for CUDA: CMake wants the CUDA toolkit (nvcc), of its version, and no GPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=build/newest/python
[ -d $python ] || python3 -m venv $python
$python/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "torch${1:+==$1}" numpy
torch=$($python/bin/python -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent)')
$python/bin/python -c 'import torch; print("LibTorch", torch.__version__)'

# Its own folder as well, or CMake finds a libtorch.so of the system. NCCL, too, is to be the wheel's: the linker would take
# that of the CUDA toolkit, which may be older.
cmake -S . -B build/newest -G Ninja -D CMAKE_BUILD_TYPE=Release -D CMAKE_COMPILE_WARNING_AS_ERROR=ON \
  -D CMAKE_PREFIX_PATH="$torch/share/cmake;$torch" \
  -D CMAKE_EXE_LINKER_FLAGS="-Wl,-rpath-link,${torch%/*}/nvidia/nccl/lib"
cmake --build build/newest --parallel 2
ctest --test-dir build/newest --parallel 2 --output-on-failure

[ -x build/release/bin/pellucid ] || { echo "build/release has no program to compare with: build it first." >&2; exit 1; }
$python/bin/python tests/same_numbers.py build/release/bin/pellucid build/newest/bin/pellucid
