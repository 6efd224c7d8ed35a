#!/usr/bin/env bash
# Installs timm and transformers into a virtual environment DIR (by pip, 140 MB) that has Debian's PyTorch:
#   tests/reference/other_libraries.sh DIR
# Does nothing where that was done before.
set -euo pipefail

dir=${1:?the folder of the environment is expected}
stamp=$(sha256sum "${BASH_SOURCE[0]}" | cut -d ' ' -f 1)
[ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

# The last versions that run on PyTorch 1.13. Without --no-deps pip would bring a PyTorch of its own.
packages=(
  timm==0.9.16 transformers==4.36.2
  huggingface-hub==0.20.3 safetensors==0.4.5 tokenizers==0.15.2 regex==2024.11.6 tqdm==4.67.1
  filelock==3.16.1 fsspec==2024.10.0 packaging==24.2 typing-extensions==4.12.2
)
/usr/bin/python3 -m venv --system-site-packages "$dir"  # python3-venv
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "${packages[@]}"
"$dir/bin/python" -c "import torch, torchvision, timm, transformers"
echo "$stamp" >"$dir/stamp"
