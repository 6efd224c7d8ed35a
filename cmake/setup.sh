#!/usr/bin/env bash
# Installs what Pellucid is built from, by apt (Debian 12), where it is not there yet.
#   cmake/setup.sh          to build the program
#   cmake/setup.sh tests    to run the tests, too
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache git
  libtorch-dev libgloo-dev libopenblas-dev libopenblas0-pthread librandom123-dev
  libxtensor-dev libstb-dev libpng-dev libjpeg62-turbo-dev
  libboost-test-dev libcli11-dev nlohmann-json3-dev
)
if [ "${1:-}" = tests ]; then
  packages+=(python3-torch python3-torchvision clang-16 clang-format-14 doxygen)
fi

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing ${missing[*]}" >&2
root=()
if [ "$(id -u)" -ne 0 ]; then
  root=(sudo)
  command -v sudo >/dev/null || { echo "Not root, and no sudo: install these packages first." >&2; exit 1; }
fi
"${root[@]}" apt-get update
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
