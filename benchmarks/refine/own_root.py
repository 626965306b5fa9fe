#!/usr/bin/env python3
"""What GPTran makes of a small root of our own: grown and pruned, against the root and against the root trained on for the same compute.

Of every seed: a root is pre-trained on half of the shared books' lines; `edgetwin refine` searches within --budget times its predicted latency,
in the ways of the ablation (grow and prune, grow only, prune only, magnitude in the place of Taylor scores, no back-tracking), and trains the best
that it found by --finish-steps more; the root is trained on for as much compute as the first of them took in all, counted as steps times predicted
latency, its learning rate falling once over all of it. Every model is then judged by lines that neither training nor the search's choices saw, and
fine-tuned on SST-2.

Printed: held-out cross-entropy of masked words; its difference to the root's and to the root trained on, paired by seed, with the 95 % interval
(Student's t); SST-2's dev accuracy; compute beside that of the first way; predicted latency beside the root's.

usage: own_root.py --edgetwin PATH [--data DIR] [--seeds 10] [--first 1] [--work DIR] [--threads 2]
DIR of the data is EDGETWIN_DATA. What was made stays in --work and is not made again. Needs scipy.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np
from scipy import stats

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHITECTURE = {
    "schema": "edgetwin.architecture/1", "vocabulary_size": 2048, "maximum_positions": 64, "type_vocabulary_size": 2,
    "position": "absolute",
    "layers": [{"hidden_size": 64, "head_size": 16, "heads": ["sa_sdp", "sa_sdp", "l_dct", "c_5"], "feed_forward": [256]}] * 2,
}
GROW, PRUNE = ["grow_heads", "grow_feed_forward"], ["prune_heads", "prune_feed_forward"]
WAYS = {
    "grow and prune": {},
    "grow only": {"cycle": GROW},
    "prune only": {"cycle": PRUNE},
    "magnitude": {"importance": "magnitude"},
    "no back-tracking": {"back_tracking": False},
}


def configuration(options, **changes):
    mode = {"steps": options.child_steps, "learning_rate": options.child_rate}
    settings = {
        "schema": "edgetwin.refinement/1", "base": "short", "criterion": "loss", "cycle": GROW + PRUNE, "rounds": 6, "children": 2,
        "distillation": 0, "dropout": 0, "grow_heads": mode, "grow_feed_forward": {**mode, "form": "widen", "width": 128},
        "prune_heads": {**mode, "count": 1}, "prune_feed_forward": {**mode, "hidden_layers": 1, "neurons": 64, "choice": "importance"},
        "finish": {"steps": options.finish_steps, "learning_rate": options.rate},
    }
    settings.update(changes)
    return json.dumps(settings)  # JSON is YAML.


class Job:
    def __init__(self, options, seed):
        self.options, self.seed = options, seed
        key = "-".join(str(getattr(options, name)) for name in (
            "device", "root_steps", "root_rate", "child_steps", "child_rate", "finish_steps", "rate", "budget"))
        self.work = f"{options.work}/{key}/{seed}"
        os.makedirs(self.work, exist_ok=True)
        self.root = self.pretrained()
        self.latency = self.predict(self.root)

    def run(self, *arguments):
        command = [self.options.edgetwin, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def pretrained(self):
        options, folder = self.options, f"{self.work}/root"
        if not os.path.exists(f"{folder}/model.safetensors"):
            architecture = f"{options.work}/root.json"
            with open(architecture, "w", encoding="utf-8") as file:
                json.dump(ARCHITECTURE, file)
            self.run("pretrain", "--corpus", options.corpus, "--architecture", architecture, "--tokenizer", options.tokenizer, "--steps",
                     options.root_steps, "--learning-rate", options.root_rate, "--dropout", 0, "--batch-size", 32,
                     "--sequence-length", 48, "--held-out-every", 20, "--seed", self.seed, "--threads", options.threads, "--output", folder, "--resume")
        return folder

    def predict(self, model):
        row = json.loads(self.run(
            "predict", "--device", self.options.device, "--runtime", "native", "--batch-size", 1, "--threads", 1,
            "--sequence-length", 48, "--architectures", f"{model}/config.json", "--format", "jsonl"))
        return row["latency_s"]["median"]

    def refine(self, model, name, profile, corpus, every, budget):
        """Rows of the tree."""
        target = f"{self.work}/{name}"
        if not os.path.exists(f"{target}/best/vocab.txt"):
            path = f"{self.work}/{name}.yaml"
            with open(path, "w", encoding="utf-8") as file:
                file.write(profile)
            self.run("refine", model, "--device", self.options.device, "--runtime", "native", "--batch-size", 1, "--threads", 1,
                     "--sequence-length", 48, "--training-length", 48, "--task", "mlm", "--corpus", corpus, "--held-out-every", every,
                     "--max-latency", f"{budget}s", "--profile", path, "--seed", self.seed, "--training-threads",
                     self.options.threads, "--output", target, "--resume")
        with open(f"{target}/tree.jsonl", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def refined(self, name, **changes):
        folder = name.replace(" ", "-")
        budget = self.latency * self.options.budget
        rows = self.refine(self.root, folder, configuration(self.options, **changes), self.options.corpus, 20, budget)
        return f"{self.work}/{folder}/best", sum(row["steps"] * row["latency_s"] for row in rows[1:]) / self.latency

    def judged(self, model, name):
        """Cross-entropy of masked words in lines that nobody saw: of a refinement that only looks at its root."""
        rows = self.refine(model, f"{name.replace(' ', '-')}-judged", configuration(self.options, rounds=0, finish={"steps": 0}), self.options.unseen, 2, 1)
        return rows[0]["loss"]

    def accuracy(self, model, name):
        options, folder = self.options, f"{self.work}/{name.replace(' ', '-')}-sst2"
        glue = f"{options.data}/glue/SST-2-sentences"
        if not os.path.exists(f"{folder}/model.safetensors"):
            self.run("finetune", "--model", model, "--task", "sst2", "--train", f"{glue}/train.tsv", "--epochs", 2, "--learning-rate", 5e-4,
                     "--batch-size", 32, "--sequence-length", 48, "--pooling", "mean", "--seed", self.seed, "--threads", options.threads,
                     "--output", folder, "--resume")
        score = self.run("score", "--model", folder, "--task", "sst2", "--data", f"{glue}/dev.tsv", "--format", "json")
        return json.loads(score)["metrics"]["accuracy"]

    def results(self):
        """Of every model by name: loss, accuracy, steps of the root that its training is worth, latency against the root's."""
        models = {"root": (self.root, 0.0)}
        for name, changes in WAYS.items():
            models[name] = self.refined(name, **changes)
        steps = round(models["grow and prune"][1])
        models["root trained on"] = self.refined(
            "root trained on", rounds=0, finish={"steps": steps, "learning_rate": self.options.rate})
        return {
            name: (self.judged(folder, name), self.accuracy(folder, name), compute, self.predict(folder) / self.latency)
            for name, (folder, compute) in models.items()}



def prepare(options):
    """Half of the books' lines to learn from and to choose by, a tenth of the other half to judge by; one tokeniser."""
    options.corpus, options.unseen, options.tokenizer = (f"{options.work}/{name}" for name in ("corpus.txt", "unseen.txt", "tokenizer"))
    os.makedirs(options.work, exist_ok=True)
    if not os.path.exists(f"{options.tokenizer}/vocab.txt"):
        with open(f"{options.data}/text/gutenberg_books.txt", encoding="utf-8") as file:
            lines = file.readlines()
        for path, chosen in ((options.corpus, lines[::2]), (options.unseen, lines[1::20])):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(chosen)
        subprocess.run([options.edgetwin, "tokenizer", "train", "--corpus", options.corpus, "--vocabulary-size",
                        str(ARCHITECTURE["vocabulary_size"]), "--kind", "wordpiece", "--output", options.tokenizer],
                       check=True, stdout=subprocess.DEVNULL)


def interval(differences):
    """Mean, and half of the width of its 95 % interval."""
    count = len(differences)
    half = stats.t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / count ** 0.5 if count > 1 else np.nan
    return np.mean(differences), half


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--data", default=os.environ.get("EDGETWIN_DATA", ""))
    parser.add_argument("--device", default="rpi4-cpu")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--work", default=f"{HERE}/../.cache/own-root")
    parser.add_argument("--root-steps", type=int, default=1500)
    parser.add_argument("--root-rate", type=float, default=4e-3)
    parser.add_argument("--child-steps", type=int, default=100)
    parser.add_argument("--child-rate", type=float, default=5e-4)
    parser.add_argument("--finish-steps", type=int, default=800)
    parser.add_argument("--rate", type=float, default=2e-3, help="of the best at the end, and of the root trained on")
    parser.add_argument("--budget", type=float, default=1.3, help="times the root's predicted latency")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    prepare(options)
    found = []
    for seed in range(options.first, options.first + options.seeds):
        found.append(Job(options, seed).results())
        print(f"seed {seed}: " + ", ".join(f"{name} {row[0]:.4f}" for name, row in found[-1].items()), file=sys.stderr, flush=True)
    print(f"{len(found)} seeds; a root of {options.root_steps} steps, children of {options.child_steps}, the best trained by {options.finish_steps} more, within {options.budget} times its latency.\n")
    print("| model | cross-entropy | against the root | against the root trained on | SST-2 | against the root trained on | compute | latency |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    columns = {name: np.array([row[name] for row in found]) for name in found[0]}
    root, trained = columns["root"], columns["root trained on"]
    for name, rows in columns.items():
        cells = [f"{rows[:, 0].mean():.4f}"]
        # The root was trained on for the compute of one way: others, of another compute, are not held against it.
        is_fair = rows is root or rows is not trained and abs(rows[:, 2].mean() / trained[:, 2].mean() - 1) < 0.05
        for other, counts in ((root, rows is not root), (trained, is_fair)):
            cells.append("{:+.4f} ± {:.4f}".format(*interval(rows[:, 0] - other[:, 0])) if counts else "–")
        cells.append(f"{100 * rows[:, 1].mean():.1f}")
        cells.append("{:+.1f} ± {:.1f}".format(*interval(100 * (rows[:, 1] - trained[:, 1]))) if is_fair else "–")
        cells += [f"{rows[:, 2].mean() / columns['grow and prune'][:, 2].mean():.2f}", f"{rows[:, 3].mean():.2f}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
