#!/usr/bin/env python3
"""Writes the fixtures of Tests/TrainingTests: two small models over every operation, a batch with targets, and what PyTorch makes of them in float64:
losses, gradients by autograd, and weights after three steps of AdamW with clipping.

 relative    relative positions; all seven kinds of heads of size 5 in one layer, a join, heads of size 18 in the next; a stack of 3; own decoder
 absolute    absolute positions; all seven kinds of heads of size 6, no join, the decoder tied to the word embeddings

Each folder holds config.json, model.safetensors, batch.json and expected.json. Of every tensor there are its Euclidean norm and some of its numbers,
evenly spread. Of the three steps the second has two micro-batches.

usage: make_fixture.py [OUTPUT]   (Tests/TrainingTests/Fixtures)   Needs numpy and PyTorch.
"""
import json
import os
import sys

import numpy as np
import torch

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "benchmarks", "kernels"))

import make_fixture as kernel_fixture  # noqa: E402  (that of the kernels: the same architectures)
import random_models  # noqa: E402
import safetensors_file  # noqa: E402
import torch_reference  # noqa: E402

LENGTHS = [7, 1, 19, 2, 12, 3]
HEADS = ["classification-first", "classification-mean", "regression-mean", "mlm", "mlm-all"]
LEARNING_RATES = [0.01, 0.02, 0.005]
OPTIMISER = {"beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, "weight_decay": 0.1, "maximum_gradient_norm": 0.5}
SPREAD = 5


def digits(value):
    return float(f"{value:.11g}")


def summary(tensor):
    """The norm, and every so many numbers."""
    flat = tensor.detach().numpy().ravel()
    chosen = sorted({round(i * (len(flat) - 1) / (SPREAD - 1)) for i in range(SPREAD)})
    return {"norm": digits(np.linalg.norm(flat)), "at": chosen, "values": [digits(flat[i]) for i in chosen]}


def trained(encoder, head):
    """Names of the tensors that take part."""
    names = []
    for name in encoder.weights:
        pooler, classifier, words = name.startswith("pooler."), name.startswith("classifier."), name.startswith("cls.")
        if not (pooler or classifier or words) or (pooler and head.endswith("first")) \
                or (classifier and not head.startswith("mlm")) or (words and head.startswith("mlm")):
            names.append(name)
    return sorted(names)


def part(inputs, sequences):
    """The batch of some of the sequences."""
    starts = np.concatenate([[0], np.cumsum([len(ids) for ids in inputs["sequences"]])])
    tokens, words, new = [], [], 0
    for s in sequences:
        for old in range(starts[s], starts[s + 1]):
            words.append(inputs["words"][old])
            if old in inputs["tokens"]:
                tokens.append(new)
            new += 1
    chosen = {key: [inputs[key][s] for s in sequences] for key in ("sequences", "types", "classes", "values")}
    return {**chosen, "tokens": tokens, "words": words}


def items(head, inputs):
    return {"mlm": len(inputs["tokens"]), "mlm-all": len(inputs["words"])}.get(head, len(inputs["sequences"]))


def expect(architecture, tensors, head, inputs):
    tensors = dict(tensors)
    if head.startswith("regression"):  # one label: the first row of the classifier
        tensors["classifier.weight"], tensors["classifier.bias"] = tensors["classifier.weight"][:1], tensors["classifier.bias"][:1]
    encoder = torch_reference.Encoder(architecture, tensors)
    names = trained(encoder, head)
    loss = encoder.loss(head, inputs)
    loss.backward()
    row = {"head": head, "loss": digits(loss.item()), "gradients": {name: summary(encoder.weights[name].grad) for name in names}}
    # Three steps from the start.
    parameters = [encoder.weights[name] for name in names]
    decays = [w for name, w in zip(names, parameters) if "LayerNorm" not in name and not name.endswith(".bias")]
    others = [w for name, w in zip(names, parameters) if "LayerNorm" in name or name.endswith(".bias")]
    adam = torch.optim.AdamW(
        [{"params": decays, "weight_decay": OPTIMISER["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
        betas=(OPTIMISER["beta1"], OPTIMISER["beta2"]), eps=OPTIMISER["epsilon"])
    norms = []
    for step, rate in enumerate(LEARNING_RATES):
        for group in adam.param_groups:
            group["lr"] = rate
        adam.zero_grad()
        micro = [part(inputs, [0, 1, 2]), part(inputs, [3, 4, 5])] if step == 1 else [inputs]
        total = sum(items(head, batch) for batch in micro)
        for batch in micro:
            (encoder.loss(head, batch) * items(head, batch) / total).backward()
        norms.append(digits(torch.nn.utils.clip_grad_norm_(parameters, OPTIMISER["maximum_gradient_norm"]).item()))
        adam.step()
    row["gradient_norms"] = norms
    row["weights"] = {name: summary(encoder.weights[name]) for name in names}
    return row


def main():
    output = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "Tests", "TrainingTests", "Fixtures")
    for number, (name, (architecture, tied)) in enumerate(kernel_fixture.MODELS.items()):
        random = np.random.default_rng([6, number])
        tensors = random_models.weights_of(random, architecture, 3, tied)
        vocabulary = architecture["vocabulary_size"]
        inputs = {"sequences": [random.integers(0, vocabulary, n).tolist() for n in LENGTHS],
                  "types": [np.sort(random.integers(0, 2, n)).tolist() for n in LENGTHS],
                  "classes": random.integers(0, 3, len(LENGTHS)).tolist(),
                  "values": [round(64 * float(v)) / 64 for v in random.standard_normal(len(LENGTHS))],
                  "words": random.integers(0, vocabulary, sum(LENGTHS)).tolist()}
        inputs["tokens"] = [t for t in range(sum(LENGTHS)) if random.random() < 0.4]
        folder = os.path.join(output, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump({**architecture, "labels": 3}, file)
            file.write("\n")
        safetensors_file.write(os.path.join(folder, "model.safetensors"), tensors)
        with open(os.path.join(folder, "batch.json"), "w", encoding="utf-8") as file:
            json.dump({**inputs, "optimiser": OPTIMISER, "learning_rates": LEARNING_RATES}, file, separators=(",", ":"))
            file.write("\n")
        with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as file:
            rows = [expect(architecture, tensors, head, inputs) for head in HEADS]
            file.write("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]\n")


if __name__ == "__main__":
    main()
