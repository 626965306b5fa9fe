#!/usr/bin/env python3
"""Masked-LM pre-training by us and by PyTorch: the same initial weights, batches, masks and steps for both, one set a seed; only what dropout zeroes
differs. Prints the held-out loss of each, and how far the means over the seeds are apart (goal: 1 %).

A small BERT (2 layers, 128 wide, 2 heads, feed-forward 512) on English text, lower-cased and cut at spaces; the most frequent words are the vocabulary. 15 % of
the tokens are scored: of these 80 % are masked, 10 % another word, 10 % as they are. AdamW, warm-up over a tenth, linear decay.

usage: losses.py --engine "PATH/edgetwin-benchmarks training --serve" [--seeds 5] [--steps 600] [--vocabulary 2000] [--threads 2]
The text is EDGETWIN_DATA/text/wikitext2_valid.txt. Needs numpy here and PyTorch in --python.
"""
import argparse
import collections
import json
import os
import shlex
import statistics
import sys
import tempfile

import numpy as np

import peers
import workloads

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LENGTH, BATCH, HELD_OUT = 32, 32, 20


def read_text(vocabulary):
    """Token ids of the whole text."""
    root = os.environ.get("EDGETWIN_DATA")
    if not root:
        sys.exit("losses.py: EDGETWIN_DATA must name the folder with text/wikitext2_valid.txt")
    with open(os.path.join(root, "text", "wikitext2_valid.txt"), encoding="utf-8") as file:
        tokens = file.read().lower().split()
    common = [word for word, _ in collections.Counter(tokens).most_common(vocabulary - len(SPECIAL))]
    ids = {word: number for number, word in enumerate(SPECIAL + common)}
    return np.array([ids.get(word, 1) for word in tokens])


def masked(draw, pieces, vocabulary):
    """A batch of pieces of text with some tokens to guess."""
    sequences, words, tokens = [], [], []
    for row, piece in enumerate(pieces):
        piece = piece.copy()
        for place in range(1, LENGTH - 1):
            if draw.random() >= 0.15:
                continue
            words.append(int(piece[place]))
            tokens.append(row * LENGTH + place)
            dice = draw.random()
            if dice < 0.8:
                piece[place] = 4
            elif dice < 0.9:
                piece[place] = draw.integers(len(SPECIAL), vocabulary)
        sequences.append(piece.tolist())
    return {"sequences": sequences, "words": words, "tokens": tokens}


def batches(draw, text, count, vocabulary):
    made = []
    for _ in range(count):
        starts = draw.integers(0, len(text) - LENGTH + 2, BATCH)
        made.append(masked(draw, [np.concatenate([[2], text[s:s + LENGTH - 2], [3]]) for s in starts], vocabulary))
    return made


def main():
    parser = argparse.ArgumentParser(description="our masked-LM losses against PyTorch's")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--vocabulary", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--python", default=os.path.join(workloads.ROOT, "benchmarks", ".venv", "bin", "python"))
    options = parser.parse_args()
    text = read_text(options.vocabulary)
    cut = len(text) * 9 // 10
    architecture = workloads.bert(2, 128, 2, 512, options.vocabulary, LENGTH)
    commands = {"EdgeTwin": shlex.split(options.engine),
                "PyTorch": [options.python, os.path.join(peers.HERE, "peer_serve.py")]}
    print(f"{options.steps} steps, batch {BATCH}, length {LENGTH}, vocabulary {options.vocabulary}, dropout 0.1, learning rate 1e-3.\n")
    print("| seed | EdgeTwin, held-out loss | PyTorch, held-out loss | difference |\n| ---: | ---: | ---: | ---: |")
    table = []
    with tempfile.TemporaryDirectory() as folder:
        model, data = os.path.join(folder, "model"), os.path.join(folder, "batches.json")
        for seed in range(options.seeds):
            draw = np.random.default_rng([11, seed])
            workloads.write_model(model, architecture, workloads.initial(architecture, draw, 2), 2)
            workloads.write_batches(
                data, batches(draw, text[:cut], options.steps, options.vocabulary),
                batches(draw, text[cut:], HELD_OUT, options.vocabulary))
            request = {"model": model, "data": data, "head": "mlm", "threads": options.threads, **peers.TRAINING, "seed": seed}
            row = []
            for name, command in commands.items():
                contender = peers.Contender(name if name == "PyTorch" else peers.OURS, command, request)
                contender.ask(f"train {options.steps} 1e-3 {options.steps // 10} {options.steps}")
                row.append(contender.ask("evaluate")["loss"])
                contender.close()
            table.append(row)
            print(f"| {seed} | {row[0]:.4f} | {row[1]:.4f} | {100 * (row[0] / row[1] - 1):+.2f} % |", flush=True)
    ours, theirs = (statistics.mean(column) for column in zip(*table))
    difference = ours / theirs - 1
    print(f"| mean | {ours:.4f} | {theirs:.4f} | {100 * difference:+.2f} % |")
    if options.seeds > 1:
        print(f"\nStandard deviation over the seeds: {statistics.stdev(row[0] for row in table):.4f} and {statistics.stdev(row[1] for row in table):.4f}.")
    sys.exit(0 if abs(difference) <= 0.01 else 1)


if __name__ == "__main__":
    main()
