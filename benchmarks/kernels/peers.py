#!/usr/bin/env python3
"""Our kernels against the runtimes people would otherwise use, interleaved in one run; prints markdown tables.

 peers.py bert     BERT-Tiny, -Mini, -Base; batch 1 and 8; 1 and 2 threads; against ONNX Runtime, PyTorch 1.13 and 2.x
 peers.py mixed    random mixed FlexiBERT models against ONNX Runtime on both exported forms
 peers.py exports  ONNX Runtime on our export against ONNX Runtime on Hugging Face's own export

Length 128, fp32, the whole model with embeddings, mask and classifier, the same weights and tokens. Each contender is a process that
has the model loaded; rounds go through the contenders in random order, and only one of them works at a time. A contender's figure is the median
of all its calls; a ratio is that of the fastest peer to ours, with the range of the middle half of the rounds. The logits of every peer are
held against the float64 reference first (1e-4). Peers run without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE.

usage: peers.py bert|mixed|exports --edgetwin PATH --engine "PATH/edgetwin-benchmarks kernels --serve"
       [--models tiny,mini,base] [--batches 1,8] [--threads 1,2] [--rounds 9] [--seconds 0.4] [--peers …] [--json FILE]
Set up by setup.sh. Needs numpy here; each peer in the interpreter given by --python and --debian-python.
"""
import argparse
import json
import math
import os
import platform
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import peer_serve
import reference

HERE = os.path.dirname(os.path.abspath(__file__))
BERTS = {"tiny": (2, 128, 2, 512), "mini": (4, 256, 4, 1024), "base": (12, 768, 12, 3072)}
OPERATIONS = ["sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13"]
LOGIT_LIMIT = 1e-4
OURS = "EdgeTwin"


def bert(name):
    layers, width, heads, inner = BERTS[name]
    layer = {"hidden_size": width, "head_size": width // heads, "heads": ["sa_sdp"] * heads, "feed_forward": [inner]}
    return {"schema": "edgetwin.architecture/1", "vocabulary_size": 30522, "maximum_positions": 512, "type_vocabulary_size": 2,
            "position": "absolute", "layers": [layer] * layers}


def mixed(seed):
    """A random member of the published space with 4 to 6 layers of 128 or 256, heads mixed within every layer."""
    draw = random.Random(seed)
    layers = []
    for _ in range(draw.choice([4, 6])):
        width, heads = draw.choice([128, 256]), draw.choice([2, 4, 8])
        layers.append({"hidden_size": width, "head_size": width // heads, "heads": [draw.choice(OPERATIONS) for _ in range(heads)],
                       "feed_forward": [draw.choice([256, 512, 1024]) for _ in range(draw.choice([1, 1, 2, 3]))]})
    return {"schema": "edgetwin.architecture/1", "vocabulary_size": 30522, "maximum_positions": 514, "type_vocabulary_size": 2,
            "position": "relative_key", "layers": layers}


class Contender:
    """A process that serves the protocol of peer_serve.py."""

    def __init__(self, name, command, request):
        environment = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        if name != OURS:
            environment["OMP_NUM_THREADS"] = str(request["threads"])
        self.name, self.about = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                                        cwd=HERE if name != OURS else None)
        self.send(json.dumps(request))
        self.ask("run 1", list)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, line, kind):
        """The next answer of this kind; objects on the way say what serves (library, version, the way chosen)."""
        self.send(line)
        while text := self.process.stdout.readline():
            value = json.loads(text)
            if isinstance(value, dict):
                self.about.update(value)
            if isinstance(value, kind):
                return value
        raise RuntimeError(f"{self.name} ended, exit {self.process.wait()}")

    def run(self, count):
        """Seconds of `count` calls; the one before them, which finds the caches of another process, is left out."""
        return self.ask(f"run {count + 1}", list)[1:]

    def close(self):
        try:
            self.send("quit")
            self.process.wait(timeout=10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def contend(contenders, rounds, seconds, draw):
    """Seconds per call: {name: [[…] a round]}."""
    counts = {}
    for contender in contenders:
        contender.run(1)
        counts[contender.name] = max(2, min(2000, round(seconds / statistics.median(contender.run(2)))))
    times = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in draw.sample(contenders, len(contenders)):
            time.sleep(0.02)  # threads of the last one stop spinning
            times[contender.name].append(contender.run(counts[contender.name]))
    return times


def summary(times, ours):
    """Median of each, name of the fastest peer, its ratio to ours, and the quartiles of the ratio by round."""
    medians = {name: statistics.median([s for part in parts for s in part]) for name, parts in times.items()}
    peers = {name: median for name, median in medians.items() if name != ours}
    best = min(peers, key=peers.get)
    by_round = sorted(statistics.median(b) / statistics.median(a) for a, b in zip(times[ours], times[best]))
    low, high = np.quantile(by_round, [0.25, 0.75])
    return {"medians": medians, "best": best, "ratio": medians[best] / medians[ours], "low": float(low), "high": float(high)}


class Bench:
    def __init__(self, options):
        self.options = options
        self.tool = shlex.split(options.edgetwin)
        self.draw = random.Random(options.seed)
        self.scratch = tempfile.TemporaryDirectory()
        self.records, self.abouts = [], {}

    def call(self, *arguments):
        run = subprocess.run([*self.tool, *arguments], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"edgetwin {shlex.join(arguments)} exited {run.returncode}: {run.stderr.strip()[-500:]}")

    def model(self, name, architecture):
        """A folder of `edgetwin init`, and the logits that the reference gives for one sentence of the benchmark."""
        folder = os.path.join(self.scratch.name, name)
        description = folder + ".json"
        with open(description, "w", encoding="utf-8") as file:
            json.dump(architecture, file)
        self.call("init", "--architecture", description, "--labels", "2", "--seed", "1", "--output", folder)
        return folder

    def expected(self, folder, architecture, batch):
        model = reference.Reference.open(folder)
        rows = peer_serve.tokens(architecture["vocabulary_size"], batch, self.options.length)
        return [model.output("classifier", model.hidden(row)) for row in rows]

    def export(self, folder, form=None):
        path = folder + (f"-{form}" if form else "") + ".onnx"
        self.call("export", folder, "--output", path, *(["--head-form", form] if form else []))
        return path

    def hugging_face(self, folder):
        path = folder + "-hugging-face.onnx"
        run = subprocess.run([self.options.python, os.path.join(HERE, "hugging_face_export.py"), folder, path],
                             capture_output=True, text=True, cwd=HERE)
        if run.returncode:
            raise RuntimeError(f"Hugging Face's export: {run.stderr.strip()[-500:]}")
        return path

    def command(self, name):
        serve = os.path.join(HERE, "peer_serve.py")
        if name == OURS:
            return shlex.split(self.options.engine)
        if name.startswith("ONNX Runtime"):
            return [self.options.python, serve, "onnxruntime"]
        return [self.options.debian_python if "1.13" in name else self.options.python, serve, "torch"]

    def race(self, label, folder, architecture, names, batch, threads, files, ours=OURS):
        """All contenders on one model and setting. `files`: the ONNX files of each contender that takes some."""
        request = {"model": folder, "batch": batch, "length": self.options.length, "threads": threads, "precision": "fp32"}
        contenders = []
        try:
            for name in names:
                extra = {} if name == OURS else {
                    "files": files.get(name, []), "vocabulary_size": architecture["vocabulary_size"]}
                contenders.append(Contender(name, self.command(name), {**request, **extra}))
            expected = self.expected(folder, architecture, 1)
            for contender in contenders:
                if contender.name != OURS:
                    logits = contender.ask("logits", list)[:1]
                    error = np.abs(np.array(logits) - expected).max() / np.abs(expected).max()
                    if not error <= LOGIT_LIMIT:
                        raise RuntimeError(f"{contender.name}: logits of {label} are {error:.1e} from the reference")
            times = contend(contenders, self.options.rounds, self.options.seconds, self.draw)
        finally:
            for contender in contenders:
                self.abouts.setdefault(contender.name, []).append((label, batch, threads, contender.about))
                contender.close()
        record = {"model": label, "batch": batch, "threads": threads, **summary(times, ours)}
        self.records.append(record)
        print(f"{label} b{batch} t{threads}: {record['ratio']:.2f} × {record['best']}", file=sys.stderr)
        return record

    def table(self, names, ours=OURS):
        print("| model | batch | threads | " + " | ".join(f"{name}, ms" for name in names) + " | fastest peer | ratio | middle half |")
        print("| --- " * (len(names) + 6) + "|")
        for record in self.records:
            cells = [f"{record['medians'][name] * 1e3:.3g}" for name in names]
            print(f"| {record['model']} | {record['batch']} | {record['threads']} | {' | '.join(cells)} | {record['best']} | "
                  f"{record['ratio']:.2f} | {record['low']:.2f} to {record['high']:.2f} |")
        ratios = [record["ratio"] for record in self.records]
        if ratios:
            print(f"\nGeometric mean of the ratios: {math.exp(statistics.mean(map(math.log, ratios))):.3f}, "
                  f"lowest {min(ratios):.3f}, of {len(ratios)}.")
        for name in names:
            chosen = {}
            for label, batch, threads, about in self.abouts.get(name, []):
                key = about.get("chosen") or json.dumps({k: v for k, v in about.items() if k != "tried"})
                chosen.setdefault(f"{about.get('version', '')} {key}".strip(), []).append(f"{label} b{batch} t{threads}")
            for way, where in chosen.items():
                print(f"- {name}: {way}" + (f" ({', '.join(where)})" if len(chosen) > 1 else ""))

    def settings(self):
        return [(batch, threads) for threads in self.options.threads for batch in self.options.batches]

    def bert(self):
        names = [OURS, *self.options.peers]
        for label in self.options.models:
            architecture = bert(label)
            folder = self.model(label, architecture)
            files = [self.export(folder)]
            if not self.options.skip_hugging_face:
                files.append(self.hugging_face(folder))
            for batch, threads in self.settings():
                self.race(f"BERT-{label.capitalize()}", folder, architecture, names, batch, threads,
                          {name: files for name in names if name.startswith("ONNX")})
        self.table(names)

    def mixed(self):
        names = [OURS, "ONNX Runtime, batched", "ONNX Runtime, chain"]
        for number in range(self.options.count):
            architecture = mixed(self.options.seed * 1000 + number)
            folder = self.model(f"mixed-{number}", architecture)
            files = {f"ONNX Runtime, {form}": [self.export(folder, form)] for form in ("batched", "chain")}
            for batch, threads in self.settings():
                self.race(f"mixed {number}", folder, architecture, names, batch, threads, files)
        self.table(names)

    def exports(self):
        ours, theirs = "ONNX Runtime, our export", "ONNX Runtime, Hugging Face's"
        for label in self.options.models:
            architecture = bert(label)
            folder = self.model(label, architecture)
            files = {ours: [self.export(folder)], theirs: [self.hugging_face(folder)]}
            for batch, threads in self.settings():
                self.race(f"BERT-{label.capitalize()}", folder, architecture, [ours, theirs], batch, threads, files, ours=ours)
        print("The ratio is the time of Hugging Face's export over that of ours; 0.95 or more is asked for.\n")
        self.table([ours, theirs], ours)


def machine():
    """CPU, its vector instructions, cores, load."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    wanted = [f for f in fields.get("flags", "").split() if f.startswith(("avx", "amx", "fma"))]
    family = f"family {fields.get('cpu family')}, model {fields.get('model')}"
    return (f"{fields.get('model name', platform.processor())} ({family}), {os.cpu_count()} cores, {' '.join(wanted)}; "
            f"load {os.getloadavg()[0]:.2f} at the start")


def main():
    items = lambda kind: lambda text: [kind(part.strip()) for part in text.split(",")]  # noqa: E731
    venv = os.path.join(HERE, "..", ".venv", "bin", "python")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["bert", "mixed", "exports"])
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--engine", help="the command that serves our kernels (not for exports)")
    parser.add_argument("--python", default=os.path.abspath(venv) if os.path.exists(venv) else sys.executable)
    parser.add_argument("--debian-python", default="/usr/bin/python3", help="the interpreter that has PyTorch 1.13")
    parser.add_argument("--models", type=items(str), default=["tiny", "mini", "base"])
    parser.add_argument("--batches", type=items(int), default=[1, 8])
    parser.add_argument("--threads", type=items(int), default=[1, 2])
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--peers", type=items(str), default=["ONNX Runtime", "PyTorch 1.13", "PyTorch 2"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4, help="of calls a contender and round")
    parser.add_argument("--count", type=int, default=6, help="mixed models")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-hugging-face", action="store_true", help="leave its ONNX file out of ONNX Runtime's choice")
    parser.add_argument("--json", help="every figure, for later")
    options = parser.parse_args()
    if not options.engine and options.what != "exports":
        parser.error("--engine is needed")
    print(f"{machine()}; {options.rounds} rounds, length {options.length}, fp32.\n")
    bench = Bench(options)
    getattr(bench, options.what)()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "records": bench.records, "contenders": bench.abouts}, file, indent=1)


if __name__ == "__main__":
    main()
