#!/usr/bin/env bash
# Sets up everything that is not there yet (packages, configure, build) and makes the gallery: every method on
# the networks that come with the program, as one page. With arguments, runs `pellucid` with them instead:
#   examples/quickstart.sh explain --model net.pt --preprocess imagenet --input dog.jpg --out why.png
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
(
  cd "$project"
  cmake/setup.sh
  [ -f build/release/build.ninja ] || cmake --preset release
  cmake --build --preset release --target pellucid
) >&2

if [ $# -gt 0 ]; then
  exec "$project/build/release/bin/pellucid" "$@"
fi
cd "$project"
exec build/release/bin/pellucid gallery --out build/gallery
