#!/usr/bin/env python3
"""Two builds of our kernels side by side: do they give the same bits, and how long do they take, in turns.

usage: compare_builds.py OLD NEW MODEL:BATCH:LENGTH:THREADS[:PRECISION] …
OLD and NEW are `edgetwin-benchmarks` of two states, MODEL a folder as `peers.py --keep` leaves it. The ratio is OLD's time over NEW's, the
median of the rounds, with its quartiles. Needs Python alone.
"""
import json
import os
import statistics
import subprocess
import sys

ROUNDS, SECONDS = 9, 0.25


class Build:
    def __init__(self, path, request):
        self.process = subprocess.Popen([path, "kernels", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(json.dumps(request))

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def run(self, calls):
        return statistics.median(json.loads(self.ask(f"run {calls}")))

    def close(self):
        self.process.communicate("quit\n")


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    print("| model | batch | length | threads | precision | logits | old, ms | new, ms | ratio | middle half |\n" + "| --- " * 10 + "|")
    for cell in sys.argv[3:]:
        model, batch, length, threads, precision = (cell.split(":") + ["fp32"])[:5]
        builds = [Build(path, {"model": model, "batch": int(batch), "length": int(length), "threads": int(threads),
                               "precision": precision}) for path in sys.argv[1:3]]
        logits = [build.ask("logits") for build in builds]
        calls = [max(3, int(SECONDS / build.run(3))) for build in builds]
        times = [[], []]
        for number in range(ROUNDS):
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                times[side].append(builds[side].run(calls[side]))
        ratios = [old / new for old, new in zip(*times)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"| {os.path.basename(model)} | {batch} | {length} | {threads} | {precision} | {'same' if logits[0] == logits[1] else 'other'} | "
              f"{' | '.join(f'{statistics.median(side) * 1e3:.3g}' for side in times)} | {middle:.2f} | {low:.2f} to {high:.2f} |", flush=True)
        for build in builds:
            build.close()


if __name__ == "__main__":
    main()
