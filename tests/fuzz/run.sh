#!/usr/bin/env bash
# Feeds the readers of checkpoints with mangled files, and stops at the first that they do not take well.
#   tests/fuzz/run.sh [SECONDS [TARGET…]]      600 seconds each of: pth safetensors
# Needs Debian's clang-16 and libclang-rt-16-dev (or another clang++ in CXX). What was found, and the inputs that
# led to new places, stay in build/fuzz: the next run begins with them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-600}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(pth safetensors)
read -ra compiler <<<"${CXX:-clang++-16}"
out=build/fuzz
/usr/bin/python3 tests/fuzz/seeds.py "$out/seeds"

for target in "${targets[@]}"; do
  mkdir -p "$out/$target/corpus"
  "${compiler[@]}" -std=gnu++20 -g -O1 -DNDEBUG -fsanitize=fuzzer,address,undefined -fno-sanitize=vptr \
    -fno-sanitize-recover=undefined -Iinclude -Itests -isystem /usr/include/torch/csrc/api/include \
    "tests/fuzz/$target.cpp" -o "$out/$target/fuzz" -ltorch -ltorch_cpu -lc10
  # LibTorch keeps what it allocates once; bytes of files may ask for no more than a few times their size.
  ASAN_OPTIONS=detect_leaks=0 "$out/$target/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -malloc_limit_mb=512 -max_len=16384 -dict="tests/fuzz/$target.dict" -artifact_prefix="$out/$target/" \
    -print_final_stats=1 "$out/$target/corpus" "$out/seeds/$target"
done
