"""The models and batches that the training benchmarks train on: made from a seed, the same for every contender."""
import json
import os
import sys

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "benchmarks", "kernels"))

import safetensors_file  # noqa: E402


def bert(layers, width, heads, inner, vocabulary, positions=512):
    layer = {"hidden_size": width, "head_size": width // heads, "heads": ["sa_sdp"] * heads, "feed_forward": [inner]}
    return {"schema": "edgetwin.architecture/1", "vocabulary_size": vocabulary, "maximum_positions": positions,
            "type_vocabulary_size": 2, "position": "absolute", "layers": [layer] * layers}


def initial(architecture, random, labels):
    """Untrained weights (operations.md): normal 0.02, biases 0, norms 1 and 0; the decoder tied."""
    tensors = {}

    def linear(name, outputs, inputs):
        tensors[name + ".weight"] = 0.02 * random.standard_normal((outputs, inputs))
        tensors[name + ".bias"] = np.zeros(outputs)

    def norm(name, width):
        tensors[name + ".weight"], tensors[name + ".bias"] = np.ones(width), np.zeros(width)

    layer = architecture["layers"][0]
    width, inner = layer["hidden_size"], layer["feed_forward"][0]
    for name, rows in (("word", architecture["vocabulary_size"]), ("token_type", architecture["type_vocabulary_size"]),
                       ("position", architecture["maximum_positions"])):
        tensors[f"bert.embeddings.{name}_embeddings.weight"] = 0.02 * random.standard_normal((rows, width))
    norm("bert.embeddings.LayerNorm", width)
    for number in range(len(architecture["layers"])):
        prefix = f"bert.encoder.layer.{number}."
        for part in ("query", "key", "value"):
            linear(f"{prefix}attention.self.{part}", width, width)
        linear(prefix + "attention.output.dense", width, width)
        norm(prefix + "attention.output.LayerNorm", width)
        linear(prefix + "intermediate.dense", inner, width)
        linear(prefix + "output.dense", width, inner)
        norm(prefix + "output.LayerNorm", width)
    linear("classifier", labels, width)
    linear("cls.predictions.transform.dense", width, width)
    norm("cls.predictions.transform.LayerNorm", width)
    tensors["cls.predictions.decoder.bias"] = np.zeros(architecture["vocabulary_size"])
    return tensors


def write_model(folder, architecture, tensors, labels):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({**architecture, "labels": labels}, file)
    safetensors_file.write(os.path.join(folder, "model.safetensors"), tensors)


def write_batches(path, train, held_out):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"train": train, "held_out": held_out}, file, separators=(",", ":"))


def words(random, count, vocabulary, first=5):
    """Word ids by Zipf's law."""
    ranks = np.arange(1, vocabulary - first + 1)
    share = 1 / ranks
    return first + random.choice(len(ranks), count, p=share / share.sum())


def whole_batches(random, count, batch, length, vocabulary):
    """Full batches whose every token is scored."""
    made = []
    for _ in range(count):
        ids = words(random, batch * length, vocabulary).reshape(batch, length)
        made.append({"sequences": ids.tolist(), "words": ids.ravel().tolist()})
    return made


def sentence_batches(random, count, batch, vocabulary, labels):
    """Sentences of SST-2's lengths (median 23 tokens with the two marks, 5 to 66), batches from buckets of like lengths, in random order."""
    lengths = np.sort(np.clip(np.round(np.exp(random.normal(3.08, 0.5, count * batch))), 5, 66).astype(int))
    made = []
    for start in range(0, len(lengths), batch):
        own = lengths[start:start + batch]
        made.append({"sequences": [[101, *words(random, n - 2, vocabulary, 1000).tolist(), 102] for n in own],
                     "classes": random.integers(0, labels, batch).tolist()})
    random.shuffle(made)
    return made
