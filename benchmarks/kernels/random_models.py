#!/usr/bin/env python3
"""Random model folders over every operation, with weights large enough that each of them matters.

Mixed heads, both kinds of position, feed-forward stacks, joins between widths, head sizes that are no divisor of the width,
tied and own decoders; nine of ten are tiny, the tenth has the widths of the published space. Every folder holds config.json,
model.safetensors and inputs.jsonl: sentences of mixed length, among them 1 and 2 tokens, fewer than a convolution has taps,
and as many as the model has positions. The same seed and index give the same model.

usage: random_models.py --count N --seed S --output DIR [--check]
--check also perturbs every weight that belongs to an operation, and fails where the outputs do not change by more than 1e-3
of their largest value. Needs numpy.
"""
import argparse
import json
import os
import sys

import numpy as np

import reference
import safetensors_file

KINDS = ["sa_sdp", "sa_wma", "l_dft", "l_dct", "c_5", "c_9", "c_13"]


def architecture_of(random, index):
    wide = index % 10 == 9
    widths = [128, 256] if wide else [8, 12, 16, 20, 24, 32, 40, 48]
    depth = int(random.integers(2, 4)) if wide else int(random.integers(1, 5))
    width = int(random.choice(widths))
    layers = []
    for number in range(depth):
        if number and random.random() < 0.35:
            width = int(random.choice(widths))
        heads = int(random.choice([2, 4, 8] if wide else [1, 2, 3, 4, 5, 7]))
        if random.random() < 0.6:
            size = max(width // heads, 3)
        else:
            size = int(random.choice([32, 64] if wide else [3, 4, 5, 7, 8, 16, 17, 24]))
        if number == 0:  # all seven kinds come by, whatever else the dice say
            kinds = [KINDS[(index + i) % 7] for i in range(heads)]
            random.shuffle(kinds)
        else:
            kinds = [str(kind) for kind in random.choice(KINDS, heads)]
        stack = [int(f) for f in random.choice([256, 512] if wide else [6, 16, 31, 32, 64, 80], random.integers(1, 4))]
        layers.append({"hidden_size": width, "head_size": size, "heads": kinds, "feed_forward": stack})
    return {
        "schema": "edgetwin.architecture/1", "vocabulary_size": int(random.integers(100, 400)),
        "maximum_positions": int(random.integers(40, 80) if wide else random.integers(3, 36)),
        "type_vocabulary_size": int(random.integers(1, 4)),
        "position": "relative_key" if random.random() < 0.65 else "absolute", "layers": layers,
    }


def weights_of(random, architecture, labels, tied):
    """Tensors by name. Gains keep every activation, score and gate of order one: nothing vanishes, nothing saturates; what
    is the same for all tokens (biases) is smaller than what differs, or the tokens would become alike after a few layers.
    """
    tensors = {}

    def matrix(name, outputs, inputs, gain=1.2):
        tensors[name] = random.standard_normal((outputs, inputs)) * gain / np.sqrt(inputs)

    def linear(name, outputs, inputs, gain=1.2):
        matrix(name + ".weight", outputs, inputs, gain)
        tensors[name + ".bias"] = random.standard_normal(outputs) * 0.2

    def layer_norm(name, width):
        tensors[name + ".weight"] = random.uniform(0.5, 1.5, width) * random.choice([-1, 1, 1, 1], width)
        tensors[name + ".bias"] = random.standard_normal(width) * 0.2

    layers, positions = architecture["layers"], architecture["maximum_positions"]
    first, last = layers[0]["hidden_size"], layers[-1]["hidden_size"]
    tables = {"word": architecture["vocabulary_size"], "token_type": architecture["type_vocabulary_size"]}
    if architecture["position"] == "absolute":
        tables["position"] = positions
    for name, rows in tables.items():
        tensors[f"bert.embeddings.{name}_embeddings.weight"] = random.standard_normal((rows, first))
    layer_norm("bert.embeddings.LayerNorm", first)
    for number, layer in enumerate(layers):
        h, d, kinds = layer["hidden_size"], layer["head_size"], layer["heads"]
        a, prefix = len(kinds) * d, f"bert.encoder.layer.{number}."
        own = prefix + "attention.self."
        for part in ("query", "key", "value"):
            linear(own + part, a, h)
        if architecture["position"] == "relative_key":
            tensors[own + "distance_embedding.weight"] = random.standard_normal((2 * positions - 1, d))
        for i, kind in enumerate(kinds):
            if kind == "sa_wma":
                matrix(f"{own}heads.{i}.wma.weight", d, d)
            elif kind.startswith("c_"):
                taps, convolution = int(kind[2:]), f"{own}heads.{i}.convolution."
                matrix(convolution + "depthwise.weight", d, taps, 1.8)
                linear(convolution + "pointwise", d, d)
                linear(convolution + "span", taps, d, 2.5)
                linear(convolution + "value", d, d)
        linear(prefix + "attention.output.dense", h, a, 0.8)
        layer_norm(prefix + "attention.output.LayerNorm", h)
        width = h
        for j, f in enumerate(layer["feed_forward"]):
            linear(prefix + ("intermediate.dense" if j == 0 else f"intermediate.stack.{j - 1}"), f, width, 1.6)
            width = f
        linear(prefix + "output.dense", h, width)
        layer_norm(prefix + "output.LayerNorm", h)
        if number + 1 < len(layers) and layers[number + 1]["hidden_size"] != h:
            linear(prefix + "join", layers[number + 1]["hidden_size"], h)
    linear("bert.pooler.dense", last, last)
    linear("classifier", labels, last)
    linear("cls.predictions.transform.dense", last, last, 1.6)
    layer_norm("cls.predictions.transform.LayerNorm", last)
    if not tied:
        matrix("cls.predictions.decoder.weight", architecture["vocabulary_size"], last)
    tensors["cls.predictions.decoder.bias"] = random.standard_normal(architecture["vocabulary_size"]) * 0.3
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def inputs_of(random, architecture):
    longest = architecture["maximum_positions"]
    lengths = [1, 2, longest, min(3, longest), min(4, longest), *random.integers(1, longest + 1, 5)]
    random.shuffle(lengths)
    lines = []
    for number, length in enumerate(lengths):
        line = {"id": number, "input_ids": random.integers(0, architecture["vocabulary_size"], length).tolist()}
        if random.random() < 0.7:
            types = architecture["type_vocabulary_size"]
            line["token_type_ids"] = np.sort(random.integers(0, types, length)).tolist()
        lines.append(line)
    return lines


def make(seed, index):
    """Architecture, tensors and inputs of one model."""
    random = np.random.default_rng([seed, index])
    architecture = architecture_of(random, index)
    layers = architecture["layers"]
    tied = layers[0]["hidden_size"] == layers[-1]["hidden_size"] and bool(random.random() < 0.5)
    tensors = weights_of(random, architecture, int(random.integers(1, 6)), tied)
    return architecture, tensors, inputs_of(random, architecture)


def write(folder, architecture, tensors, inputs):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(architecture, file, indent=1)
    safetensors_file.write(os.path.join(folder, "model.safetensors"), tensors)
    with open(os.path.join(folder, "inputs.jsonl"), "w", encoding="utf-8") as file:
        for line in inputs:
            file.write(json.dumps(line) + "\n")


def operations(architecture, tensors):
    """(name, tensor, rows): every group of weights whose change must show; rows of shared matrices are split by head.

    Left out is what cannot matter: the keys' bias of a self-attention head adds the same to all scores of a softmax, a
    transform head has no use for keys and, with absolute positions, for queries.
    """
    absolute = architecture["position"] == "absolute"
    for name in tensors:
        parts = name.split(".")
        if ".attention.self.query" in name or ".attention.self.key" in name or ".attention.self.value" in name:
            layer = architecture["layers"][int(parts[3])]
            d = layer["head_size"]
            for i, kind in enumerate(layer["heads"]):
                if kind.startswith("l_") and (".key" in name or (".query" in name and absolute)):
                    continue
                if kind.startswith("sa_") and name.endswith("key.bias"):
                    continue
                yield f"{name}[head {i}, {kind}]", name, slice(i * d, (i + 1) * d)
        else:
            yield name, name, slice(None)


def unimportant(seed, index, architecture, tensors, inputs):
    """Names of the groups of weights whose change by their own size moves the outputs by less than 1e-3 of the largest value."""
    random = np.random.default_rng([seed, index, 1])
    lines = sorted(inputs, key=lambda line: len(line["input_ids"]))[-2:]

    def outputs(tensors):
        model = reference.Reference(architecture, tensors, 1e-12)
        hidden = [model.hidden(line["input_ids"], line.get("token_type_ids")) for line in lines]
        return [np.concatenate([model.output(head, x).ravel() for x in hidden]) for head in reference.HEADS]

    plain = outputs(tensors)
    for group, name, rows in operations(architecture, tensors):
        changed = {**tensors, name: tensors[name].copy()}
        part = changed[name][rows]
        part += np.sqrt(np.square(tensors[name]).mean()) * random.standard_normal(part.shape).astype(np.float32)
        new = outputs(changed)
        change = max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(new, plain))
        if not change > 1e-3:
            yield group, change


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", required=True)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    failures = groups = 0
    for index in range(options.count):
        architecture, tensors, inputs = make(options.seed, index)
        write(os.path.join(options.output, f"{index:03d}"), architecture, tensors, inputs)
        if options.check:
            groups += len(list(operations(architecture, tensors)))
            for group, change in unimportant(options.seed, index, architecture, tensors, inputs):
                failures += 1
                print(f"model {index:03d}: {group} changes the outputs by {change:.1e} only")
    if options.check:
        print(f"{groups} groups of weights in {options.count} models, {failures} change the outputs by 1e-3 or less")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
