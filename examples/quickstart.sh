#!/usr/bin/env bash
# Sets up everything that is not there yet (packages, configure, build) and explains one image:
#   examples/quickstart.sh MODEL IMAGE [options of `pellucid explain`]
set -euo pipefail

if [ $# -lt 2 ]; then
  cat >&2 <<'END'
usage: examples/quickstart.sh MODEL IMAGE [options]

Sets everything up, then explains why MODEL (a TorchScript file) says what it says of IMAGE (PNG or JPEG).
The options are those of `pellucid explain`, for example
  --preprocess imagenet --labels LABELS.txt --method smoothgrad --out explanation.png
END
  exit 2
fi

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
model=$1
image=$2
shift 2

"$project/cmake/setup.sh"
(
  cd "$project"
  [ -f build/release/build.ninja ] || cmake --preset release
  cmake --build --preset release --target pellucid
) >&2
exec "$project/build/release/bin/pellucid" explain --model "$model" --input "$image" "$@"
