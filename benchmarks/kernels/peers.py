#!/usr/bin/env python3
"""Our kernels against the runtimes people would otherwise use, interleaved in one run; prints markdown tables.

 peers.py bert     BERT-Tiny, -Mini, -Base; batch 1 and 8; 1 and 2 threads; against ONNX Runtime, PyTorch 1.13 and 2.x; with
                   the roof of matrix products and our own int8
 peers.py mixed    random mixed FlexiBERT models against ONNX Runtime on both exported forms
 peers.py exports  ONNX Runtime on our export against ONNX Runtime on Hugging Face's own export
 peers.py merge    the table of several runs, each made with --json, of one kind, on one machine

The roof is the time that the fastest of oneDNN (sgemm, and its matmul primitive with weights packed beforehand), OpenBLAS and our
own packed kernels needs for the very matrix products of the model, one after another, and nothing else (roof.c), or what a whole model
took where that was less: then no library multiplies as fast alone as a runtime within a model, and the roof is too high. The share of the
roof is its time over ours, the median of the rounds, never above 1. int8 is our own with 8-bit weights and activations, its gain our fp32 time over its time.

Length 128, fp32, the whole model with embeddings, mask and classifier, the same weights and tokens. Each contender is a process
that has the model loaded; rounds go through the contenders in random order, and only one of them works at a time. A contender's
figure is the median of all its calls; a ratio is the fastest peer's time over ours, the median of the rounds, with the range of
their middle half; where the machine is not one's own, a second ratio is that of calm calls, each contender's fastest tenth. Everyone's logits are held against the float64 reference first (1e-4). Nobody gets OPENBLAS_CORETYPE or
OPENBLAS_L2_SIZE.

usage: peers.py merge FILE.json …
       peers.py bert|mixed|exports --edgetwin PATH --engine "PATH/edgetwin-benchmarks kernels --serve"
       [--models tiny,mini,base] [--batches 1,8] [--threads 1,2] [--rounds 9] [--seconds 0.4] [--peers …] [--json FILE]
       [--keep DIR]
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
# The two logits of an untrained model are sums that nearly cancel; what int8 costs, minilm.py says.
INT8_LOGIT_LIMIT = 0.8
OURS = "EdgeTwin"
OUR_INT8 = "EdgeTwin int8"
ROOFS = {"roof: our kernels": "edgetwin", "roof: oneDNN sgemm": "onednn", "roof: oneDNN packed": "onednn_packed",
         "roof: OpenBLAS": "openblas"}


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


def products(architecture, labels, batch, length):
    """The matrix products of a whole model, as roof.c reads them: linear maps, scores and contexts of self-attention, and cosine transforms by
    a table, which are shaped like contexts (ours are folded by their symmetries, and need less). Relative scores, Fourier transforms and
    convolutions are left out."""
    rows, lines = batch * length, []
    for layer in architecture["layers"]:
        width, size, heads = layer["hidden_size"], layer["head_size"], len(layer["heads"])
        scores = sum(head.startswith("sa_") for head in layer["heads"])
        contexts = scores + layer["heads"].count("l_dct")
        lines += [f"linear:{rows}:{3 * heads * size}:{width}", f"linear:{rows}:{width}:{heads * size}"]
        lines += [f"{kind}:{batch}:{length}:{size}:{count}" for kind, count in (("scores", scores), ("contexts", contexts)) if count]
        for inner in layer["feed_forward"]:
            lines.append(f"linear:{rows}:{inner}:{width}")
            width = inner
        lines.append(f"linear:{rows}:{layer['hidden_size']}:{width}")
    last = architecture["layers"][-1]["hidden_size"]
    return " ".join([*lines, f"linear:{batch}:{last}:{last}", f"linear:{batch}:{labels}:{last}"])


class Contender:
    """A process that serves the protocol of peer_serve.py."""

    def __init__(self, name, command, request):
        environment = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        if name in ROOFS:  # it shares the products among its own threads
            environment["OMP_NUM_THREADS"] = "1"
        elif name not in (OURS, OUR_INT8):
            environment["OMP_NUM_THREADS"] = str(request["threads"])
        self.name, self.about = name, {}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
                                        cwd=HERE if name not in (OURS, OUR_INT8) else None)
        self.send(request if isinstance(request, str) else json.dumps(request))
        try:
            self.ask("run 1", list)
        except (BrokenPipeError, RuntimeError):
            self.close()
            raise

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
        counts[contender.name] = max(1, min(2000, round(seconds / statistics.median(contender.run(2)))))
    times = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in draw.sample(contenders, len(contenders)):
            time.sleep(0.02)  # threads of the last one stop spinning
            times[contender.name].append(contender.run(counts[contender.name]))
    return times


def summary(times, ours):
    """Median of each, name of the fastest peer, and the median and quartiles of its ratio to ours by round."""
    medians = {name: statistics.median([s for part in parts for s in part]) for name, parts in times.items()}

    def ratios(name):
        """Its time over ours by round."""
        return sorted(statistics.median(b) / statistics.median(a) for a, b in zip(times[ours], times[name]))

    best = min((name for name in medians if name not in (ours, OUR_INT8, *ROOFS)), key=medians.get)
    low, high = np.quantile(ratios(best), [0.25, 0.75])
    # What nothing came in between of: the tenth part of all calls that was fastest.
    calm = {name: float(np.quantile([s for part in parts for s in part], 0.1)) for name, parts in times.items()}
    peers = [name for name in calm if name not in (ours, OUR_INT8, *ROOFS)]
    result = {"medians": medians, "best": best, "ratio": statistics.median(ratios(best)), "low": float(low), "high": float(high),
              "calm": calm, "calm_ratio": min(calm[name] for name in peers) / calm[ours]}
    if roofs := [name for name in medians if name in ROOFS]:
        result["roof"] = min(roofs, key=medians.get)
        # Whatever a whole model can be computed in, its products can.
        fastest = min((name for name in medians if name != OUR_INT8), key=medians.get)
        result["share"] = min(1.0, statistics.median(ratios(fastest)))
        result["calm_share"] = min(seconds for name, seconds in calm.items() if name != OUR_INT8) / calm[ours]
    if OUR_INT8 in medians:
        result["int8_gain"] = 1 / statistics.median(ratios(OUR_INT8))
    return result


def print_table(names, records, abouts, lacking):
    """The figures of every race, their mean, and how each contender ran."""
    extra = {"roof, ms": lambda record: f"{min(seconds for name, seconds in record['medians'].items() if name != OUR_INT8) * 1e3:.3g}",
             "share of the roof": lambda record: f"{record['share'] * 100:.0f} %",
             "of calm calls": lambda record: f"{min(record['calm_share'], 1) * 100:.0f} %",
             "fastest products": lambda record: record["roof"].removeprefix("roof: ")}
    extra = extra if any("roof" in record for record in records) else {}
    if any("int8_gain" in record for record in records):
        extra["int8, ms"] = lambda record: f"{record['medians'][OUR_INT8] * 1e3:.3g}"
        extra["gain of int8"] = lambda record: f"{record['int8_gain']:.2f}"
    heads = ["model", "batch", "threads", *(f"{name}, ms" for name in names), "fastest peer", "ratio", "middle half",
             "ratio of calm calls", *extra]
    print(f"| {' | '.join(heads)} |\n{'| --- ' * len(heads)}|")
    for record in records:
        cells = [record["model"], str(record["batch"]), str(record["threads"]),
                 *(f"{record['medians'][name] * 1e3:.3g}" if name in record["medians"] else "-" for name in names), record["best"], f"{record['ratio']:.2f}",
                 f"{record['low']:.2f} to {record['high']:.2f}", f"{record['calm_ratio']:.2f}", *(cell(record) for cell in extra.values())]
        print(f"| {' | '.join(cells)} |")
    ratios = [record["ratio"] for record in records]
    if ratios:
        print(f"\nGeometric mean of the ratios: {math.exp(statistics.mean(map(math.log, ratios))):.3f}, "
              f"lowest {min(ratios):.3f}, of {len(ratios)}; of calm calls "
              f"{math.exp(statistics.mean(math.log(record['calm_ratio']) for record in records)):.3f}.")
    timed = [record for record in records if "share" in record]
    if timed:
        mean = lambda values: math.exp(statistics.mean(map(math.log, values)))  # noqa: E731
        print(f"Geometric mean of the shares of the roof: {100 * mean([record['share'] for record in timed]):.1f} %; "
              f"of the ratios that a whole roof would give: {mean([record['ratio'] / record['share'] for record in timed]):.3f}.")
    for name in lacking:
        print(f"- {name}: not on this machine")
    names = [name for name in abouts if name in names or name in ROOFS]
    for name in names:
        chosen = {}
        for label, batch, threads, about in abouts.get(name, []):
            key = about.get("chosen") or about.get("library", "")
            if key.endswith(".onnx"):
                key = "Hugging Face's export" if "hugging-face" in key else "our export"
            chosen.setdefault(f"{about.get('version', '')} {key}".strip(), []).append(f"{label} b{batch} t{threads}")
        for way, where in chosen.items():
            print(f"- {name}: {way}" + (f" ({', '.join(where)})" if len(chosen) > 1 else ""))


class Bench:
    def __init__(self, options):
        self.options = options
        self.tool = shlex.split(options.edgetwin)
        self.draw = random.Random(options.seed)
        self.scratch = None if options.keep else tempfile.TemporaryDirectory()
        self.root = options.keep or self.scratch.name
        os.makedirs(self.root, exist_ok=True)
        self.records, self.abouts, self.logits, self.lacking, self.names = [], {}, {}, set(), []

    def call(self, *arguments):
        run = subprocess.run([*self.tool, *arguments], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"edgetwin {shlex.join(arguments)} exited {run.returncode}: {run.stderr.strip()[-500:]}")

    def model(self, name, architecture):
        """A folder of `edgetwin init`."""
        folder = os.path.join(self.root, name)
        if os.path.exists(os.path.join(folder, "model.safetensors")):
            return folder
        description = folder + ".json"
        with open(description, "w", encoding="utf-8") as file:
            json.dump(architecture, file)
        self.call("init", "--architecture", description, "--labels", "2", "--seed", "1", "--output", folder)
        return folder

    def expected(self, folder, architecture):
        """The reference's logits of the first sentence."""
        if folder not in self.logits:
            model = reference.Reference.open(folder)
            sentence = peer_serve.tokens(architecture["vocabulary_size"], 1, self.options.length)[0]
            self.logits[folder] = model.output("classifier", model.hidden(sentence))
        return self.logits[folder]

    def export(self, folder, form=None):
        path = folder + (f"-{form}" if form else "") + ".onnx"
        if not os.path.exists(path):
            self.call("export", folder, "--output", path, *(["--head-form", form] if form else []))
        return path

    def hugging_face(self, folder):
        path = folder + "-hugging-face.onnx"
        if os.path.exists(path):
            return path
        run = subprocess.run([self.options.python, os.path.join(HERE, "hugging_face_export.py"), folder, path],
                             capture_output=True, text=True, cwd=HERE)
        if run.returncode:
            raise RuntimeError(f"Hugging Face's export: {run.stderr.strip()[-500:]}")
        return path

    def command(self, name):
        serve = os.path.join(HERE, "peer_serve.py")
        if name in ROOFS:
            return [self.options.roof]
        if name in (OURS, OUR_INT8):
            return shlex.split(self.options.engine)
        if name.startswith("ONNX Runtime"):
            return [self.options.python, serve, "onnxruntime"]
        return [self.options.debian_python if "1.13" in name else self.options.python, serve, "torch"]

    def optional(self, name, request):
        """A contender that a machine may lack; said once."""
        if name in self.lacking:
            return []
        try:
            return [Contender(name, self.command(name), request)]
        except (BrokenPipeError, RuntimeError):
            self.lacking.add(name)
            print(f"{name}: not on this machine", file=sys.stderr)
            return []

    def race(self, label, folder, architecture, names, batch, threads, files, ours=OURS, roofs=False, int8=False):
        """All contenders on one model and setting. `files`: the ONNX files of each contender that takes some. `roofs`: with the
        matrix products alone; `int8`: with ours in 8-bit integers."""
        request = {"model": folder, "batch": batch, "length": self.options.length, "threads": threads, "precision": "fp32"}
        contenders = []
        try:
            for name in names:
                extra = {} if name == OURS else {
                    "files": files.get(name, []), "vocabulary_size": architecture["vocabulary_size"]}
                contenders.append(Contender(name, self.command(name), {**request, **extra}))
            if int8:
                contenders += self.optional(OUR_INT8, {**request, "precision": "int8"})
            if roofs:
                shapes = products(architecture, 2, batch, self.options.length)
                for name, library in ROOFS.items() if self.options.roof else []:
                    contenders += self.optional(name, f"load {library} {threads} {batch * self.options.length} {shapes}")
            expected = self.expected(folder, architecture)
            for contender in contenders:
                if contender.name in ROOFS:
                    continue
                logits = contender.ask("logits", list)[0]
                error = np.abs(np.array(logits) - expected).max() / np.abs(expected).max()
                if not error <= (INT8_LOGIT_LIMIT if contender.name == OUR_INT8 else LOGIT_LIMIT):
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

    def table(self, names):
        self.names = names
        print_table(names, self.records, self.abouts, sorted(self.lacking))

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
                          {name: files for name in names if name.startswith("ONNX")}, roofs=True, int8=True)
        self.table(names)

    def mixed(self):
        names = [OURS, "ONNX Runtime, batched", "ONNX Runtime, chain"]
        for number in range(self.options.count):
            architecture = mixed(self.options.seed * 1000 + number)
            folder = self.model(f"mixed-{number}", architecture)
            files = {f"ONNX Runtime, {form}": [self.export(folder, form)] for form in ("batched", "chain")}
            for batch, threads in self.settings():
                self.race(f"mixed {number}", folder, architecture, names, batch, threads, files, roofs=True)
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
        self.table([ours, theirs])


def machine():
    """CPU, its vector instructions, cores, load."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    wanted = [f for f in fields.get("flags", "").split() if f.startswith(("avx", "amx", "fma"))]
    family = f"family {fields.get('cpu family')}, model {fields.get('model')}"
    return (f"{fields.get('model name', platform.processor())} ({family}), {os.cpu_count()} cores, {' '.join(wanted)}; "
            f"load {os.getloadavg()[0]:.2f} at the start")


def merge(paths):
    """One table of the files that several runs wrote."""
    parts = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            parts.append(json.load(file))
    if len({(part["what"], part["length"]) for part in parts}) != 1:
        raise SystemExit("merge: runs of one kind and length only")
    # Of a race that some took no part in, the ratio is to the fastest of the others.
    names = list(dict.fromkeys(name for part in sorted(parts, key=lambda part: -len(part["names"])) for name in part["names"]))
    abouts = {}
    for part in parts:
        for name, ways in part["contenders"].items():
            abouts.setdefault(name, []).extend(ways)
    for machine_text in sorted({part["machine"].split("; load")[0] for part in parts}):
        print(machine_text + "; ", end="")
    rounds = sorted({part["rounds"] for part in parts})
    print(f"{len(parts)} runs of {' or '.join(map(str, rounds))} rounds, length {parts[0]['length']}, fp32.\n")
    print_table(names, [record for part in parts for record in part["records"]], abouts,
                sorted({name for part in parts for name in part["lacking"]}))


def main():
    if sys.argv[1:2] == ["merge"] and len(sys.argv) > 2:
        merge(sys.argv[2:])
        return
    items = lambda kind: lambda text: [kind(part.strip()) for part in text.split(",")]  # noqa: E731
    venv = os.path.join(HERE, "..", ".venv", "bin", "python")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["bert", "mixed", "exports"])
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--engine", help="the command that serves our kernels (not for exports)")
    parser.add_argument("--python", default=os.path.abspath(venv) if os.path.exists(venv) else sys.executable)
    parser.add_argument("--debian-python", default="/usr/bin/python3", help="the interpreter that has PyTorch 1.13")
    roof = os.path.join(HERE, "..", ".cache", "roof")
    parser.add_argument("--roof", default=os.path.abspath(roof) if os.path.exists(roof) else None,
                        help="the program of roof.c that setup.sh builds")
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
    parser.add_argument("--json", help="every figure, for later and for merge")
    parser.add_argument("--keep", metavar="DIR", help="keep models and exports there, and take those that are there")
    options = parser.parse_args()
    if not options.engine and options.what != "exports":
        parser.error("--engine is needed")
    print(f"{machine()}; {options.rounds} rounds, length {options.length}, fp32.\n")
    if os.getloadavg()[0] > 0.3 * os.cpu_count():
        print("other programs are running: the figures will say little", file=sys.stderr)
    bench = Bench(options)
    getattr(bench, options.what)()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "what": options.what, "length": options.length, "rounds": options.rounds,
                       "names": bench.names, "records": bench.records, "contenders": bench.abouts,
                       "lacking": sorted(bench.lacking)}, file, indent=1)


if __name__ == "__main__":
    main()
