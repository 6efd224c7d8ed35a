#!/usr/bin/env bash
# Installs what Pellucid is built from, by apt (Debian 12), where it is not there yet.
#   cmake/setup.sh          to build the program
#   cmake/setup.sh tests    to run the tests, too: with Conan and Playwright, from PyPI, in build/tools
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  g++ cmake ninja-build ccache git
  libtorch-dev libgloo-dev libopenblas-openmp-dev libopenblas0-openmp librandom123-dev
  libxtensor-dev libstb-dev libpng-dev libjpeg62-turbo-dev
  rapidjson-dev
  libboost-dev libboost-test-dev libcli11-dev nlohmann-json3-dev
)
if [ "${1:-}" = tests ]; then
  packages+=(python3-torch python3-torchvision python3-venv clang-16 clang-format-14 doxygen chromium)
fi

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing ${missing[*]}" >&2
  root=()
  if [ "$(id -u)" -ne 0 ]; then
    root=(sudo)
    command -v sudo >/dev/null || { echo "Not root, and no sudo: install these packages first." >&2; exit 1; }
  fi
  "${root[@]}" apt-get update
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
fi

conan=2.34.0 playwright=1.65.2
installed=(build/tools/lib/*/site-packages)
if [ "${1:-}" = tests ] && ! ls -d "${installed[0]}"/{conan-$conan,playwright-$playwright}.dist-info &>/dev/null; then
  echo "Installing Conan $conan and Playwright $playwright into build/tools" >&2
  /usr/bin/python3 -m venv --clear build/tools
  build/tools/bin/python -m pip install --quiet --disable-pip-version-check "conan==$conan" "playwright==$playwright"
fi
