#!/bin/sh
# Every table of benchmarks/results.md, printed by one command. Needs EDGETWIN_DATA; sets up a virtual environment for the published
# surrogate the first time, and keeps its held-out predictions (about eight minutes on two cores) in benchmarks/.cache. The twin of this
# machine comes last: eleven minutes of timing, for which nothing else should run; its rows are kept in benchmarks/.cache/host, and
# what is there is not measured again.
#   benchmarks/run.sh [LONG_SEARCH_SECONDS]
set -eu
cd "$(dirname "$0")/.."
[ -n "${EDGETWIN_DATA:-}" ] || { echo "set EDGETWIN_DATA to the folder with the shared measurements" >&2; exit 64; }
swift build -c release -Xswiftc -enable-testing --product edgetwin-benchmarks >&2
bench=$(swift build -c release --show-bin-path)/edgetwin-benchmarks
mkdir -p benchmarks/.cache
if [ ! -s benchmarks/.cache/bdt.json ]; then
  [ -x benchmarks/.venv/bin/python ] || python3 -m venv benchmarks/.venv
  benchmarks/.venv/bin/pip install --quiet numpy scikit-learn >&2
  echo "re-running the published surrogate: 315 fits of 500 trees, and its intervals" >&2
  OMP_NUM_THREADS=1 benchmarks/.venv/bin/python benchmarks/bdt_baseline.py benchmarks/.cache/bdt.json
fi
echo "# Benchmarks"
echo
echo "Printed by \`make bench\` on $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores."
for part in "fidelity benchmarks/.cache/bdt.json" learning prior suggest speed calibration "search ${1:-600}"; do
  echo
  echo "## ${part%% *}"
  echo
  # shellcheck disable=SC2086
  "$bench" $part
done
echo
echo "## The twin of this machine (\`edgetwin-benchmarks host\`)"
echo
"$bench" host benchmarks/.cache/host
