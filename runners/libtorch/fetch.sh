#!/usr/bin/env bash
# Prints the folder of libtorch 2.13.0: $LIBTORCH, or else one that the user's own pip fetches into the build folder (530 MB,
# once). Without the rest of CUDA: of that, libtorch's CPU side wants these two small libraries.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -n "${LIBTORCH:-}" ]; then
    echo "$LIBTORCH"
    exit
fi
folder=$PWD/target/libtorch
packages=(torch==2.13.0)
if [ "$(uname -sm)" = "Linux x86_64" ]; then
    packages+=(nvidia-cuda-cupti==13.0.85 nvidia-cuda-runtime==13.0.96)
fi
if [ ! -e "$folder/complete" ]; then
    python3 -m pip install --quiet --no-deps --upgrade --target "$folder" "${packages[@]}" >&2
    touch "$folder/complete"
fi
echo "$folder/torch"
