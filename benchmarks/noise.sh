#!/bin/sh
# This machine's noise floor: ten models, five of them small, measured again and again; prints how far the passes differ.
#   benchmarks/noise.sh [PASSES [PAUSE_SECONDS [FOLDER]]]
# Six passes ten minutes apart are the default: an hour, in which the machine is used for less than two minutes at a time. EDGETWIN and
# BENCH name other programs to run.
set -eu
cd "$(dirname "$0")/.."
passes=${1:-6}
pause=${2:-600}
folder=${3:-benchmarks/.cache/noise}
if [ -z "${EDGETWIN:-}" ] || [ -z "${BENCH:-}" ]; then
  swift build -c release --product edgetwin >&2
  swift build -c release --product edgetwin-benchmarks >&2
  bin=$(swift build -c release --show-bin-path)
fi
tool=${EDGETWIN:-$bin/edgetwin}
bench=${BENCH:-$bin/edgetwin-benchmarks}
mkdir -p "$folder"
for space in flexibert2 small; do
  # shellcheck disable=SC2086
  $tool sample --count 5 --seed 1 --method random --space benchmarks/spaces/$space.yaml
done >"$folder/models.jsonl"
pass=1
while [ "$pass" -le "$passes" ]; do
  rows="$folder/pass-$pass.jsonl"
  if [ ! -s "$rows" ]; then
    if [ "$pass" -gt 1 ]; then sleep "$pause"; fi
    for threads in $(seq 1 $(($(nproc) > 1 ? 2 : 1))); do
      # shellcheck disable=SC2086
      $tool measure --architectures "$folder/models.jsonl" --threads "$threads" --repeats 7 --output "$rows.$threads"
      cat "$rows.$threads" >>"$rows.new"
      rm "$rows.$threads"
    done
    mv "$rows.new" "$rows"
  fi
  pass=$((pass + 1))
done
$bench noise "$folder"/pass-*.jsonl
