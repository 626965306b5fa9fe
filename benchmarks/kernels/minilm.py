#!/usr/bin/env python3
"""A real model from text to figure: all-MiniLM-L6-v2 through our tokeniser and kernels on the sentence pairs of STS-B's dev set.

Every pair's similarity is the cosine of the two sentence embeddings (`edgetwin infer --head mean`); what is printed is the rank
correlation (Spearman) with the people's scores. fp32 must give 0.867 ± 0.001, int8 may lose less than 0.01.

usage: minilm.py --edgetwin PATH [--data DIR] [--model DIR] [--threads 1] [--precisions fp32,int8]
DIR is the data folder (EDGETWIN_DATA) with glue/STS-B/dev.tsv. Exit 1 where a figure is missed. Set up by `setup.sh minilm`. Needs numpy.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
GOAL, TOLERANCE, LOSS = 0.867, 0.001, 0.01


def read(path):
    """(sentence, sentence, score) of every row; the file is plain text in tabs, quotes mean nothing."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    names = lines[0].rstrip("\r").split("\t")
    columns = [names.index(name) for name in ("sentence1", "sentence2", "score")]
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        fields = line.rstrip("\r").split("\t")
        if len(fields) != len(names):
            sys.exit(f"{path}:{number}: {len(fields)} columns, the header has {len(names)}")
        one, two, score = (fields[column] for column in columns)
        rows.append((one, two, float(score)))
    return rows


def ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    values = np.asarray(values)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def spearman(a, b):
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def embed(tool, model, sentences, options):
    """A row a sentence, and the seconds of the whole process."""
    lines = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(sentences))
    begin = time.perf_counter()
    run = subprocess.run([*tool, "infer", "--model", model, "--input", "-", "--head", "mean", *options], input=lines,
                         capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if run.returncode:
        raise RuntimeError(f"edgetwin infer {shlex.join(options)} exited {run.returncode}: {run.stderr.strip()[-500:]}")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    if [row["id"] for row in rows] != list(range(len(sentences))):
        raise RuntimeError("edgetwin infer left out or mixed up sentences")
    return np.array([row["values"] for row in rows]), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--data", default=os.environ.get("EDGETWIN_DATA"))
    parser.add_argument("--model", default=os.path.join(HERE, "..", ".cache", "minilm"))
    parser.add_argument("--threads", default="1")
    parser.add_argument("--precisions", default="fp32,int8")
    options = parser.parse_args()
    if not options.data:
        parser.error("--data or EDGETWIN_DATA is needed")
    rows = read(os.path.join(options.data, "glue", "STS-B", "dev.tsv"))
    sentences = [row[0] for row in rows] + [row[1] for row in rows]
    scores = [row[2] for row in rows]
    figures, failed = {}, False
    print(f"all-MiniLM-L6-v2 on the {len(rows)} pairs of STS-B's dev set, {options.threads} thread(s)\n")
    print("| precision | Spearman | goal | seconds for all sentences, start-up included |")
    print("| --- | --- | --- | --- |")
    for precision in options.precisions.split(","):
        try:
            vectors, seconds = embed(shlex.split(options.edgetwin), options.model, sentences,
                                     ["--threads", options.threads, "--precision", precision, "--batch-size", "8"])
        except RuntimeError as error:
            if precision == "fp32" or "no 8-bit dot products" not in str(error):
                raise
            print(f"| {precision} | not possible on this processor | | |")
            continue
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cosines = (vectors[:len(rows)] * vectors[len(rows):]).sum(axis=1)
        figures[precision] = spearman(cosines, scores)
        if precision == "fp32":
            goal, met = f"{GOAL} ± {TOLERANCE}", abs(figures["fp32"] - GOAL) <= TOLERANCE
        else:
            loss = figures.get("fp32", GOAL) - figures[precision]
            goal, met = f"loses less than {LOSS}: {loss:+.4f}", loss < LOSS
        failed |= not met
        print(f"| {precision} | {figures[precision]:.4f} | {goal}{'' if met else ' (missed)'} | {seconds:.1f} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
