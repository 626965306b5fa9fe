#!/bin/sh
# Fits the seven device files from ProTran's published measurements: one command, the same files every time.
#   EDGETWIN_DATA=<folder that holds protran/> calibration/recipe.sh
# device-models/<device>.yaml gets the coefficients, calibration/<device>.json the report, calibration/<device>.txt its text.
set -eu
cd "$(dirname "$0")/.."
[ -n "${EDGETWIN_DATA:-}" ] || { echo "set EDGETWIN_DATA to the folder that holds protran/ (clone JHA-Lab/protran)" >&2; exit 64; }
tool=${EDGETWIN:-$(swift build -c release --show-bin-path)/edgetwin}
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
"$tool" import protran "$EDGETWIN_DATA/protran" --output "$rows" 2>/dev/null
for device in rpi4-cpu jetson-nano-cpu jetson-nano-gpu m1-pro-cpu m1-pro-gpu a100 ncs2; do
  "$tool" calibrate "$rows" --device "device-models/$device.yaml" --runtime protran --seed 0 \
    --output "device-models/$device.yaml" --report "calibration/$device.json" 2> "calibration/$device.txt"
  sed -n 1,6p "calibration/$device.txt"
done
