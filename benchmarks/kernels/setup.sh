#!/bin/sh
# The environment of the kernel benchmarks in benchmarks/.venv: numpy, ONNX Runtime, PyTorch 2.x, Hugging Face's tokenizers and transformers; and
# Debian's PyTorch 1.13 where apt-get is there. Running it again changes nothing. About 1.7 GB, and 0.9 GB of Debian packages.
#   setup.sh [all|proof]      proof: numpy and ONNX Runtime only
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
pip() { .venv/bin/python -m pip "$@"; }
pip install --quiet numpy onnxruntime
[ "${1:-all}" = proof ] && exit 0
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
/usr/bin/python3 -c 'import torch; print("PyTorch", torch.__version__)' || echo "no PyTorch 1.13 at /usr/bin/python3: run peers.py with --peers 'ONNX Runtime,PyTorch 2'" >&2
