#!/bin/sh
# Everything about our kernels, printed by one command: that they are right (proof.py), how fast they are beside their peers (peers.py), what
# a real model gives (minilm.py, needs EDGETWIN_DATA) and what memory they take (memory.py). Peers are set up by setup.sh. For figures
# worth keeping, nothing else may run on the machine.
#   benchmarks/kernels/run.sh [proof] [bert] [mixed] [exports] [minilm] [memory]     all of them by default
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- proof bert mixed exports minilm memory
for part in "$@"; do
  case $part in proof | bert | mixed | exports | minilm | memory) ;; *)
    echo "usage: run.sh [proof] [bert] [mixed] [exports] [minilm] [memory]" >&2
    exit 64
    ;;
  esac
done
swift build -c release -Xswiftc -enable-testing --product edgetwin >&2
swift build -c release -Xswiftc -enable-testing --product edgetwin-benchmarks >&2
bin=$(swift build -c release --show-bin-path)
case " $* " in
  *" bert "* | *" exports "*) sh benchmarks/kernels/setup.sh all >&2 ;;
  *)
    sh benchmarks/kernels/setup.sh proof >&2
    case " $* " in *" minilm "*) sh benchmarks/kernels/setup.sh minilm >&2 ;; esac
    ;;
esac
python=benchmarks/.venv/bin/python
status=0
for part in "$@"; do
  printf '\n## %s\n\n' "$part"
  case $part in
    proof) set -- proof.py ;;
    minilm) set -- minilm.py ;;
    memory) set -- memory.py ;;
    exports) set -- peers.py exports ;;
    *) set -- peers.py "$part" --engine "$bin/edgetwin-benchmarks kernels --serve" ;;
  esac
  script=$1
  shift
  "$python" "benchmarks/kernels/$script" "$@" --edgetwin "$bin/edgetwin" || status=$?
done
exit $status
