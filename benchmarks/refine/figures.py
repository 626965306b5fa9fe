#!/usr/bin/env python3
"""What GPTran keeps of the real MiniLM at 1.5 and 2 times lower latency.

From all-MiniLM-L6-v2 fine-tuned on a task, three kinds of models get the same extra training (`--extra` epochs, by the labels alone):

  dense    the root itself, trained on
  refined  `edgetwin refine` to the root's predicted latency divided by 1.5 and by 2: four cuts of one factor, recovery between them, then the
           longest training. Of GPTran's modes only these take part: rounds that chose a child by the dev rows would flatter it here.
  cut      one-shot cuts of about the same latency: the first k layers; half of each layer's neurons or also heads, by magnitude

Printed: predicted and measured latency (batch 1, `--length` tokens, one thread), the score on the dev rows of every seed, and the mean difference
to dense in points, with its standard error over the seeds.

usage: figures.py --edgetwin PATH --data DIR --model DIR --device FILE [--task sst2] [--seeds 1,2,3] [--work DIR] [--threads 2]
DIR of the data is EDGETWIN_DATA, with glue/. Everything made stays in --work and is not made twice. Needs numpy.
"""
import argparse
import json
import os
import shutil
import struct
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = {
    "sst2": ("SST-2-sentences", 3, 6920),
    "stsb": ("STS-B", 3, 5749),
}
RATIOS = [1.5, 2.0]


def profile(steps):
    """A refinement of so many steps in all, an eighth in each of three recoveries."""
    recovery = steps // 8
    return {
        "schema": "edgetwin.refinement/1", "base": "short", "rounds": 0, "importance": "taylor", "importance_batches": 32, "distillation": 0,
        "approach": {
            "rounds": 4, "recovery_steps": recovery, "recovery_learning_rate": 1e-4, "steps": steps - 3 * recovery, "learning_rate": 1e-4,
            "parts": ["heads", "neurons", "layers"], "neurons": 32},
    }


def read_weights(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[e["data_offsets"][0]:e["data_offsets"][1]], np.float32).reshape(e["shape"])
            for name, e in header.items()}


def write_weights(tensors, path):
    header, offset, parts = {"__metadata__": {"format": "pt"}}, 0, []
    for name in sorted(tensors):
        value = np.ascontiguousarray(tensors[name], np.float32)
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
        parts.append(value.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def cut(source, target, layers=None, heads=1.0, neurons=1.0):
    """A model folder with a part of another's: its first layers, the shares of heads and neurons that are largest by magnitude."""
    os.makedirs(target, exist_ok=True)
    config = json.load(open(f"{source}/config.json"))
    weights = read_weights(f"{source}/model.safetensors")
    kept_layers = config["layers"][:layers]
    result = {name: value for name, value in weights.items() if not name.startswith("encoder.layer.")}
    for index, layer in enumerate(kept_layers):
        prefix = f"encoder.layer.{index}."
        own = {name[len(prefix):]: value for name, value in weights.items() if name.startswith(prefix)}
        size, count = layer["head_size"], len(layer["heads"])
        rows = [own[f"attention.self.{part}.weight"].reshape(count, -1) for part in ("query", "key", "value")]
        order = np.argsort(-sum((row ** 2).mean(1) for row in rows), kind="stable")
        chosen = np.sort(order[:round(count * heads)])
        units = (chosen[:, None] * size + np.arange(size)).ravel()
        for part in ("query", "key", "value"):
            own[f"attention.self.{part}.weight"] = own[f"attention.self.{part}.weight"][units]
            own[f"attention.self.{part}.bias"] = own[f"attention.self.{part}.bias"][units]
        own["attention.output.dense.weight"] = own["attention.output.dense.weight"][:, units]
        size = np.abs(own["intermediate.dense.weight"]).mean(1)
        left = np.sort(np.argsort(-size, kind="stable")[:round(len(size) * neurons)])
        own["intermediate.dense.weight"] = own["intermediate.dense.weight"][left]
        own["intermediate.dense.bias"] = own["intermediate.dense.bias"][left]
        own["output.dense.weight"] = own["output.dense.weight"][:, left]
        layer["heads"] = [layer["heads"][head] for head in chosen]
        layer["feed_forward"] = [len(left)]
        result.update({prefix + name: value for name, value in own.items()})
    config["layers"] = kept_layers
    config.pop("id", None)
    json.dump(config, open(f"{target}/config.json", "w"))
    write_weights(result, f"{target}/model.safetensors")
    for name in ("vocab.txt", "tokenizer_config.json"):
        if os.path.exists(f"{source}/{name}"):
            shutil.copy(f"{source}/{name}", target)


CUTS = {
    "first 4 layers": dict(layers=4), "half the neurons": dict(neurons=0.5),
    "first 3 layers": dict(layers=3), "half the heads and neurons": dict(heads=0.5, neurons=0.5),
}


class Job:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        self.work = f"{options.work}/{options.task}-{seed}"
        os.makedirs(self.work, exist_ok=True)
        folder, self.root_epochs, self.rows = TASKS[options.task]
        self.train = f"{options.data}/glue/{folder}/train.tsv"
        self.dev = f"{options.data}/glue/{folder}/dev.tsv"

    def run(self, *arguments):
        command = [*self.options.prefix.split(), self.options.edgetwin, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def finetune(self, source, target, epochs, rate):
        if not os.path.exists(f"{target}/model.safetensors"):
            print(f"# {target}", file=sys.stderr, flush=True)
            self.run("finetune", "--model", source, "--task", self.options.task, "--train", self.train, "--epochs",
                     epochs, "--learning-rate", rate, "--batch-size", 32, "--pooling", "mean", "--seed", self.seed,
                     "--threads", self.options.threads, "--output", target, "--resume")
        return target

    def score(self, model):
        found = json.loads(self.run("score", "--model", model, "--task", self.options.task, "--data", self.dev,
                                    "--threads", self.options.threads, "--format", "json"))
        return found["score"] if "score" in found else next(iter(found["metrics"].values()))

    def predict(self, model):
        row = json.loads(self.run("predict", "--device", self.options.device, "--runtime", "native", "--batch-size", 1,
                                  "--threads", 1, "--sequence-length", self.options.length, "--architectures", f"{model}/config.json",
                                  "--format", "jsonl"))
        return row["latency_s"]["median"]

    def refined(self, root, ratio, budget):
        target = f"{self.work}/refined-{ratio}"
        if not os.path.exists(f"{target}/best/vocab.txt"):
            print(f"# {target}", file=sys.stderr, flush=True)
            path = f"{self.work}/refined.yaml"
            with open(path, "w", encoding="utf-8") as file:
                json.dump(profile(self.options.extra * -(-self.rows // 32)), file)  # JSON is YAML.
            self.run("refine", root, "--device", self.options.device, "--runtime", "native", "--batch-size", 1,
                     "--threads", 1, "--sequence-length", self.options.length, "--task", self.options.task, "--train", self.train,
                     "--dev", self.dev, "--max-latency", f"{budget}s", "--profile", path, "--seed",
                     self.seed, "--training-threads", self.options.threads, "--output", target, "--resume")
        return f"{target}/best"

    def models(self):
        """(name, folder) of everything, the dense model first."""
        options = self.options
        root = self.finetune(options.model, f"{self.work}/root", self.root_epochs, 1e-4)
        yield "root", root
        yield "dense", self.finetune(root, f"{self.work}/dense", options.extra, options.rate)
        latency = self.predict(root)
        for ratio in RATIOS:
            yield f"refined {ratio}×", self.refined(root, ratio, latency / ratio)
        for name, form in CUTS.items():
            folder = f"{self.work}/{name.replace(' ', '-')}"
            if not os.path.exists(f"{folder}-start/model.safetensors"):
                cut(root, f"{folder}-start", **form)
            yield name, self.finetune(f"{folder}-start", folder, options.extra, options.rate)


def measured(options, folders):
    """Seconds of one inference by folder, all measured in turn."""
    lines = []
    for folder in folders:
        lines.append(json.dumps({key: value for key, value in json.load(open(f"{folder}/config.json")).items()
                                 if key not in ("layer_norm_eps", "labels", "pooling", "label_names", "id")}))
    path = f"{options.work}/architectures.jsonl"
    open(path, "w").write("\n".join(lines) + "\n")
    output = f"{options.work}/measured.jsonl"
    if os.path.exists(output):
        os.remove(output)
    command = [*options.quiet.split(), options.edgetwin, "measure", "--architectures", path, "--board", "local",
               "--runtime", "native", "--batch-size", "1", "--sequence-length", str(options.length), "--threads", "1",
               "--repeats", "9", "--output", output]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    rows = [json.loads(line) for line in open(output)]
    found = {json.dumps(row["architecture"]["layers"]): row["latency_s"] for row in rows}
    return {folder: found[json.dumps(json.loads(line)["layers"])] for folder, line in zip(folders, lines)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--data", default=os.environ.get("EDGETWIN_DATA", ""))
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", required=True, help="file of this machine's twin")
    parser.add_argument("--task", default="sst2", choices=TASKS)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--work", default=f"{HERE}/../.cache/refine")
    parser.add_argument("--extra", type=int, default=4, help="epochs of extra training")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prefix", default="", help="command that every training is run by, such as nice")
    parser.add_argument("--quiet", default="", help="command that the measuring is run by")
    options = parser.parse_args()
    rows = {}
    for seed in options.seeds.split(","):
        job = Job(options, int(seed))
        for name, folder in job.models():
            rows.setdefault(name, []).append((folder, job.predict(folder), job.score(folder)))
    seconds = measured(options, sorted({folder for own in rows.values() for folder, _, _ in own}))
    dense = [own[2] for own in rows["dense"]]
    base = [(own[1], seconds[own[0]]) for own in rows["root"]]
    print("| model | predicted ms | lower | measured ms | lower | scores | mean | against dense |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, own in rows.items():
        predicted = np.mean([row[1] for row in own])
        real = np.mean([seconds[row[0]] for row in own])
        scores = [row[2] for row in own]
        lower = np.mean([b[0] / row[1] for b, row in zip(base, own)])
        faster = np.mean([b[1] / seconds[row[0]] for b, row in zip(base, own)])
        differences = [100 * (score - other) for score, other in zip(scores, dense)]
        error = f" ± {np.std(differences, ddof=1) / len(differences) ** 0.5:.2f}" if len(differences) > 1 else ""
        print(f"| {name} | {1e3 * predicted:.2f} | {lower:.2f}× | {1e3 * real:.2f} | {faster:.2f}× |"
              f" {' '.join(f'{score:.4f}' for score in scores)} | {np.mean(scores):.4f} | {np.mean(differences):+.2f}{error} |")


if __name__ == "__main__":
    main()
