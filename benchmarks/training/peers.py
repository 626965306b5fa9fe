#!/usr/bin/env python3
"""Training steps of ours against PyTorch's, interleaved in one run; prints a markdown table.

 mini      BERT-Mini (4 layers, 256 wide, 4 heads, feed-forward 1024), vocabulary 4096, batch 32, length 64, masked-LM scores at every token
 minilm    fine-tuning MiniLM (6 layers, 384, 12 heads, 1536; the real model where benchmarks/.cache/minilm is there): classification on the
           mean over the tokens, batch 32, lengths like SST-2's, batches from buckets of like lengths

A step is the forward pass with dropout 0.1, the backward pass, clipping and AdamW. Every contender is a process of its own on the same weights and
batches; in each round all of them train the same batches, in random order, and only one works at a time. A figure is the median over all
steps; a ratio is the fastest peer's time of a round over ours, the median of the rounds, with the range of their middle half. The first
losses of all contenders without dropout must agree (1e-4). The roof is the arithmetic of the matrix products, three for each linear layer and
six more for attention, at the rate that the fastest of our packed products and oneDNN's reach at 1536 × 1536 × 1536 (roof.c).

usage: peers.py --engine "PATH/edgetwin-benchmarks training --serve" [--workloads mini,minilm] [--threads 1,2] [--rounds 7] [--steps 4]
       [--peers "PyTorch 1,PyTorch 2"] [--json FILE]
Set up by ../kernels/setup.sh. Needs numpy here; PyTorch in the interpreters given by --python (2.x) and --debian-python (1.13).
"""
import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import workloads

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = "EdgeTwin"
LOSS_LIMIT = 1e-4
TRAINING = {"dropout": 0.1, "seed": 1, "weight_decay": 0.01, "epsilon": 1e-8, "beta2": 0.999, "maximum_gradient_norm": 1.0}


class Contender:
    """A process that serves the protocol of peer_serve.py."""

    def __init__(self, name, command, request):
        environment = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        if name != OURS:
            environment["OMP_NUM_THREADS"] = str(request["threads"])
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.about = self.ask(json.dumps(request))

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError(f"{self.name} ended, exit {self.process.wait()}")
        return json.loads(text)

    def close(self):
        try:
            self.process.stdin.write("quit\n")
            self.process.stdin.flush()
            self.process.wait(timeout=10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def flops(architecture, batches, head):
    """Arithmetic of the matrix products of a step, the mean of the batches: forward once, backward twice; attention's scores once more."""
    totals = []
    for batch in batches:
        lengths = [len(ids) for ids in batch["sequences"]]
        rows, total = sum(lengths), 0
        for layer in architecture["layers"]:
            width, a = layer["hidden_size"], len(layer["heads"]) * layer["head_size"]
            total += 3 * 2 * rows * 4 * width * a + (2 * 2 + 5 * 2) * a * sum(n * n for n in lengths)
            for inner in layer["feed_forward"]:
                total += 3 * 2 * rows * 2 * width * inner
        last = architecture["layers"][-1]["hidden_size"]
        if head == "mlm":
            total += 3 * 2 * len(batch["words"]) * last * (last + architecture["vocabulary_size"])
        totals.append(total)
    return statistics.mean(totals)


def prepare(name, folder, count):
    """Model folder, batches file and what is needed of them."""
    draw = np.random.default_rng(7)
    model, data = os.path.join(folder, name), os.path.join(folder, name + ".json")
    if name == "mini":
        architecture = workloads.bert(4, 256, 4, 1024, 4096, 64)
        tensors, head = workloads.initial(architecture, draw, 2), "mlm"
        batches = workloads.whole_batches(draw, count, 32, 64, 4096)
    else:
        architecture, head = workloads.bert(6, 384, 12, 1536, 30522), "mean"
        tensors = workloads.initial(architecture, draw, 2)
        real = os.path.join(workloads.ROOT, "benchmarks", ".cache", "minilm", "model.safetensors")
        if os.path.exists(real):
            for key, tensor in workloads.safetensors_file.read(real).items():
                known = "bert." + key.removeprefix("bert.")
                if known in tensors:
                    tensors[known] = tensor
        batches = workloads.sentence_batches(draw, count, 32, 30522, 2)
    workloads.write_model(model, architecture, tensors, 2)
    workloads.write_batches(data, batches, batches[:1])
    return model, data, head, architecture, batches


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        facts = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = [flag for flag in facts.get("flags", "").split() if flag in ("fma", "avx2", "avx512f")]
    return f"{facts.get('model name', '?')} (family {facts.get('cpu family')}, model {facts.get('model')}), {os.cpu_count()} cores, {' '.join(flags)}"


def peak(roof, threads):
    """GFLOP/s of a large product, the fastest library's."""
    best = 0.0
    for library in ("edgetwin", "onednn_packed"):
        process = subprocess.run(
            [roof], input=f"load {library} {threads} 1536 linear:1536:1536:1536\nrun 2\nrun 15\nquit\n", capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"})
        lines = process.stdout.splitlines()
        if process.returncode == 0 and len(lines) >= 3:
            best = max(best, 2 * 1536**3 / statistics.median(json.loads(lines[-1])) * 1e-9)
    return best


def race(contenders, rounds, steps, draw):
    times = {contender.name: [] for contender in contenders}
    for _ in range(rounds + 1):
        order = contenders[:]
        draw.shuffle(order)
        for contender in order:
            times[contender.name].append(contender.ask(f"train {steps} 1e-5 0 100000")["seconds"])
    return {name: rows[1:] for name, rows in times.items()}  # the first round warms up


def main():
    parser = argparse.ArgumentParser(description="training steps against PyTorch's")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--workloads", default="mini,minilm")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--peers", default="PyTorch 1,PyTorch 2")
    parser.add_argument("--python", default=os.path.join(workloads.ROOT, "benchmarks", ".venv", "bin", "python"))
    parser.add_argument("--debian-python", default="/usr/bin/python3")
    parser.add_argument("--roof", default=os.path.join(workloads.ROOT, "benchmarks", ".cache", "roof"))
    parser.add_argument("--json")
    options = parser.parse_args()
    draw, rows, notes = random.Random(3), [], []
    print(f"{processor()}; load {os.getloadavg()[0]:.2f} at the start; {options.rounds} rounds of {options.steps} steps, fp32.\n")
    peers = [name.strip() for name in options.peers.split(",") if name.strip()]
    print("| model | threads | EdgeTwin, ms | " + " | ".join(f"{peer}, ms" for peer in peers)
          + " | ratio | middle half | GFLOP a step | EdgeTwin, GFLOP/s | share of the roof |")
    print("| --- |" + " ---: |" * (7 + len(peers)))
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in options.workloads.split(","):
            model, data, head, architecture, batches = prepare(name, folder, options.steps)
            arithmetic = flops(architecture, batches, head)
            for threads in map(int, options.threads.split(",")):
                request = {"model": model, "data": data, "head": head, "threads": threads, **TRAINING}
                commands = {OURS: shlex.split(options.engine)}
                for peer in peers:
                    python = options.debian_python if peer.endswith("1") else options.python
                    commands[peer] = [python, os.path.join(HERE, "peer_serve.py")]
                # The same losses first, without dropout.
                losses = {}
                for contender, command in commands.items():
                    process = Contender(contender, command, {**request, "dropout": 0.0})
                    losses[contender] = process.ask("train 3 1e-3 0 100000")["losses"]
                    process.close()
                for peer in peers:
                    error = max(abs(a / b - 1) for a, b in zip(losses[OURS], losses[peer]))
                    if not error < LOSS_LIMIT:
                        print(f"peers.py: {name}: losses of {peer} differ by {error:.1e}: {losses}", file=sys.stderr)
                        failed = True
                contenders = [Contender(each, command, {**request, "tune": True}) for each, command in commands.items()]
                for contender in contenders[1:]:
                    notes.append(f"{contender.name}, {name}, {threads} threads: {json.dumps(contender.about)}")
                times = race(contenders, options.rounds, options.steps, draw)
                for contender in contenders:
                    contender.close()
                medians = {each: statistics.median(second for row in table for second in row) for each, table in times.items()}
                ratios = sorted(
                    min(statistics.median(times[peer][r]) for peer in peers) / statistics.median(times[OURS][r])
                    for r in range(options.rounds)) if peers else [0.0]
                quarters = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
                rate = arithmetic * 1e-9 / medians[OURS]
                best = peak(options.roof, threads) if os.path.exists(options.roof) else float("nan")
                cells = [name, str(threads), f"{1e3 * medians[OURS]:.0f}", *(f"{1e3 * medians[peer]:.0f}" for peer in peers),
                         f"{statistics.median(ratios):.2f}", f"{quarters[0]:.2f} to {quarters[2]:.2f}", f"{arithmetic * 1e-9:.1f}",
                         f"{rate:.0f}", f"{100 * rate / best:.0f} % of {best:.0f}"]
                print("| " + " | ".join(cells) + " |", flush=True)
                rows.append({"model": name, "threads": threads, "medians": medians, "ratios": ratios, "flops": arithmetic, "roof": best})
    print("\n" + "\n".join(f"- {note}" for note in notes))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
