#!/usr/bin/env python3
"""Writes the fixtures of Tests/KernelsTests: two small models over every operation, inputs, and the float64 reference's outputs.

 relative    relative positions; all seven kinds of heads of size 5 in one layer, a join, heads of size 18 in the next; a stack of 3
 absolute    absolute positions; all seven kinds of heads of size 6, no join, the decoder tied to the word embeddings

Each folder holds config.json, model.safetensors, inputs.jsonl and outputs.jsonl: {"id", "head", "shape", "values"}, 10 digits.
The same NumPy writes the same files.

usage: make_fixture.py [OUTPUT]   (Tests/KernelsTests/Fixtures)   Needs numpy.
"""
import json
import os
import sys

import numpy as np

import random_models
import reference

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SEVEN = ["l_dct", "sa_sdp", "c_13", "l_dft", "c_5", "sa_wma", "c_9"]
COMMON = {"schema": "edgetwin.architecture/1", "vocabulary_size": 23, "maximum_positions": 19, "type_vocabulary_size": 2}
MODELS = {
    "relative": ({**COMMON, "position": "relative_key", "layers": [
        {"hidden_size": 24, "head_size": 5, "heads": SEVEN, "feed_forward": [20, 17, 31]},
        {"hidden_size": 16, "head_size": 18, "heads": ["l_dft", "c_9"], "feed_forward": [33]},
    ]}, False),
    "absolute": ({**COMMON, "position": "absolute", "layers": [
        {"hidden_size": 20, "head_size": 6, "heads": SEVEN[::-1], "feed_forward": [18]},
        {"hidden_size": 20, "head_size": 7, "heads": ["sa_wma", "l_dct", "sa_sdp"], "feed_forward": [9, 16]},
    ]}, True),
}
LENGTHS = [7, 1, 19, 2, 12, 3]


def main():
    output = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "Tests", "KernelsTests", "Fixtures")
    for number, (name, (architecture, tied)) in enumerate(MODELS.items()):
        random = np.random.default_rng([5, number])
        tensors = random_models.weights_of(random, architecture, 3, tied)
        inputs = []
        for index, length in enumerate(LENGTHS):
            line = {"id": index, "input_ids": random.integers(0, architecture["vocabulary_size"], length).tolist()}
            if index % 2 == 0:
                line["token_type_ids"] = np.sort(random.integers(0, 2, length)).tolist()
            inputs.append(line)
        folder = os.path.join(output, name)
        random_models.write(folder, architecture, tensors, inputs)
        model = reference.Reference.open(folder)
        with open(os.path.join(folder, "outputs.jsonl"), "w", encoding="utf-8") as file:
            for line in inputs:
                hidden = model.hidden(line["input_ids"], line.get("token_type_ids"))
                for head in reference.HEADS:
                    values = model.output(head, hidden)
                    row = {"id": line["id"], "head": head, "shape": list(values.shape),
                           "values": [float(f"{value:.10g}") for value in values.ravel()]}
                    file.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
