#!/usr/bin/env python3
"""Accuracies of 48 unseen small architectures, predicted from designs that were trained with the same budget, against what training gives.

Both lists are drawn by `edgetwin sample` from space.yaml with fixed seeds; every model is pre-trained on WordNet's glosses, then trained for its noun classes. It can be
stopped (--seconds, or ctrl-C) and run again: it goes on, and prints the table when all models are there.

Usage: unseen.py EDGETWIN FOLDER [--designs 40] [--seconds N] [--threads N]   (needs numpy, and Debian's wordnet-base)
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
UNSEEN = 48
TRAIN_ROWS, DEV_ROWS = 6_400, 4_000
BUDGET = ["--steps", "200", "--batch-size", "32", "--sequence-length", "32", "--judgement-steps", "50", "--held-out-every", "100"]
TASK = ["--task", "wordnet", "--epochs", "2", "--task-learning-rate", "1e-3"]


def run(arguments, output=None):
    with open(output, "w") if output else open(os.devnull, "w") as file:
        subprocess.run(arguments, check=True, stdout=file)


def prepare(tool, folder, designs):
    """Corpus, tokeniser, tables and lists, once."""
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    if not os.path.exists(path("dev.tsv")):
        run([tool, "wordnet", "--output", path("wordnet")])
        run([tool, "tokenizer", "train", "--corpus", path("wordnet/corpus.txt"), "--vocabulary-size", "2048", "--kind", "wordpiece",
             "--output", path("tokenizer")])
        for name, count in [("train", TRAIN_ROWS), ("dev", DEV_ROWS)]:
            header, *rows = open(path(f"wordnet/{name}.tsv")).readlines()
            random.Random(1).shuffle(rows)
            with open(path(f"{name}.tmp"), "w") as file:
                file.writelines([header] + rows[:count])
            os.replace(path(f"{name}.tmp"), path(f"{name}.tsv"))
    space = os.path.join(HERE, "space.yaml")
    run([tool, "sample", "--space", space, "--count", str(designs), "--seed", "11", "--method", "lhs"], path("designs.jsonl"))
    # A few more, so that none of the designs is among the 48.
    run([tool, "sample", "--space", space, "--count", str(2 * UNSEEN), "--seed", "12"], path("drawn.jsonl"))
    known = {json.loads(line)["id"] for line in open(path("designs.jsonl"))}
    drawn = [line for line in open(path("drawn.jsonl")) if json.loads(line)["id"] not in known]
    with open(path("unseen.jsonl"), "w") as file:
        file.writelines(drawn[:UNSEEN])


def train(tool, folder, threads, deadline):
    """True when every model of both lists is trained."""
    path = lambda name: os.path.join(folder, name)
    for name in ["designs", "unseen"]:
        command = [tool, "accuracy", "measure", "--architectures", path(name + ".jsonl"), "--corpus", path("wordnet/corpus.txt"),
                   "--tokenizer", path("tokenizer"), "--train", path("train.tsv"), "--dev", path("dev.tsv"), "--output", path(name),
                   "--resume", *BUDGET, *TASK] + (["--threads", str(threads)] if threads else [])
        process = subprocess.Popen(command)
        try:
            process.wait(None if deadline is None else max(deadline - time.time(), 0))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.send_signal(signal.SIGINT)
            process.wait()
            print(f"{name}: stopped; run it again to go on", file=sys.stderr)
            return False
        if process.returncode:
            sys.exit(process.returncode)
    return True


def kendall(x, y):
    """Tau-b."""
    a, b = numpy.sign(numpy.subtract.outer(x, x)), numpy.sign(numpy.subtract.outer(y, y))
    return (a * b).sum() / numpy.sqrt((a * a).sum() * (b * b).sum())


def rows_of(folder, name):
    return [json.loads(line) for line in open(os.path.join(folder, name, "rows.jsonl"))]


def predict(tool, folder, rows):
    path = os.path.join(folder, "rows-used.jsonl")
    with open(path, "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    command = [tool, "accuracy", "predict", "--accuracy", "measured=" + path, "--architectures", os.path.join(folder, "unseen.jsonl"),
               "--format", "jsonl"]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in made.stdout.splitlines()]


def table(tool, folder):
    designs, trained = rows_of(folder, "designs"), rows_of(folder, "unseen")
    last = [row for row in trained if row["steps"] == row["total_steps"]]
    scores, words = numpy.array([100 * r["score"] for r in last]), numpy.array([100 * numpy.exp(-r["loss"]) for r in last])
    parameters = numpy.array([r["parameters"] for r in last], float)
    without = lambda row: {k: v for k, v in row.items() if k not in ("task", "task_loss", "score", "metrics")}
    ids = sorted({row["id"] for row in designs})
    few = set(ids[::3])
    early = [r for r in designs if r["id"] in few] + [
        without(r) for r in designs if r["id"] not in few and r["steps"] <= r["total_steps"] / 2]
    cases = [
        ("score", f"all {len(ids)} designs", designs, scores),
        ("score", f"{len(few)} designs", [r for r in designs if r["id"] in few], scores),
        ("score", f"{len(few)} designs, {len(ids) - len(few)} stopped half-way", early, scores),
        ("hidden words", f"all {len(ids)} designs", [without(r) for r in designs], words),
    ]
    total = sum(r.get("seconds", 0) for r in designs + trained)
    print(f"{len(last)} unseen architectures of {parameters.min() / 1e3:.0f} to {parameters.max() / 1e3:.0f} thousand parameters; scores from "
          f"{scores.min():.1f} to {scores.max():.1f} % (standard error of each {100 * numpy.sqrt(0.25 / DEV_ROWS):.1f} at most), mean "
          f"{scores.mean():.1f}; {total / 60:.0f} minutes of training in all.\n")
    print("| predicted | learnt from | Kendall tau (95 % bootstrap) | of parameter count | difference | in 90 % intervals | RMSE | deviation |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    generator = numpy.random.default_rng(1)
    samples = [generator.integers(0, len(last), len(last)) for _ in range(2_000)]
    for what, source, rows, truth in cases:
        predicted = predict(tool, folder, rows)
        order = {row["id"]: row for row in predicted}
        # Trained models have the tokeniser's vocabulary; the list's has as many tokens.
        chosen = [order[r["id"]] for r in last]
        median = numpy.array([c["accuracy"]["median"] for c in chosen])
        inside = numpy.mean([c["accuracy"]["lower"] <= t <= c["accuracy"]["upper"] for c, t in zip(chosen, truth)])
        pairs = numpy.array([(kendall(median[s], truth[s]), kendall(parameters[s], truth[s])) for s in samples])
        low, high = numpy.quantile(pairs, [0.025, 0.975], axis=0)
        difference = numpy.quantile(pairs[:, 0] - pairs[:, 1], [0.025, 0.975])
        ours, theirs = kendall(median, truth), kendall(parameters, truth)
        print(f"| {what} | {source} | {ours:.2f} ({low[0]:.2f} to {high[0]:.2f}) | {theirs:.2f} ({low[1]:.2f} to {high[1]:.2f}) | "
              f"{ours - theirs:+.2f} ({difference[0]:+.2f} to {difference[1]:+.2f}) | {100 * inside:.0f} % | "
              f"{numpy.sqrt(numpy.mean((median - truth) ** 2)):.2f} | {truth.std():.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("folder")
    parser.add_argument("--designs", type=int, default=40)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    deadline = None if options.seconds is None else time.time() + options.seconds
    prepare(options.tool, options.folder, options.designs)
    if train(options.tool, options.folder, options.threads, deadline):
        table(options.tool, options.folder)
    else:
        sys.exit(130)


if __name__ == "__main__":
    main()
