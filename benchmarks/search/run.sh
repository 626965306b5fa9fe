#!/bin/sh
# Our samplers and their peers, in one command; options are those of run.py (--seeds, --evaluations, --problems, --samplers, …).
set -eu
cd "$(dirname "$0")/../.."
venv=${SEARCH_VENV:-benchmarks/.cache/search-venv}
[ -x "$venv/bin/python" ] || benchmarks/search/setup.sh >&2
swift build -c release --product edgetwin >&2
swift build -c release --product edgetwin-benchmarks >&2
exec "$venv/bin/python" benchmarks/search/run.py --tool "$(swift build -c release --show-bin-path)" "$@"
