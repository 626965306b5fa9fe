#!/bin/sh
# The peers, in a virtual environment of their own. HEBO and PyTorch (which Optuna's sampler by Gaussian processes needs) are left out where
# they do not install.
set -eu
cd "$(dirname "$0")/../.."
venv=${SEARCH_VENV:-benchmarks/.cache/search-venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet numpy scipy optuna scikit-optimize pymoo
[ "${WITH_TORCH:-1}" = 0 ] || "$venv/bin/pip" install --quiet torch || echo "no PyTorch: optuna-gp is skipped" >&2
# HEBO pins versions of NumPy and pymoo that the others have left behind; it runs with theirs.
if [ "${WITH_HEBO:-1}" != 0 ]; then
  "$venv/bin/pip" install --quiet pandas catboost scikit-learn disjoint-set gpytorch six decorator &&
    "$venv/bin/pip" install --quiet --no-deps HEBO GPy paramz || echo "HEBO does not install here: it is skipped" >&2
fi
