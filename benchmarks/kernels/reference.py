#!/usr/bin/env python3
"""What every operation of the model means, in float64 and as plainly as possible: the judge of the kernels.

Written from the definitions of the operations, not from any other code. One sequence at a time, without padding: whatever
a fast implementation does about padding and batches, a sentence's result must be this one.

usage: reference.py infer --model DIR --input I.jsonl [--head classifier|mlm|hidden|mean]
       (any further flags of `edgetwin infer` are accepted and change nothing)
Reads lines {"id", "input_ids", "token_type_ids"?}, writes lines {"id", "shape", "values"}. Needs numpy.
"""
import argparse
import json
import math
import os
import sys

import numpy as np

import safetensors_file

HEADS = ["classifier", "mlm", "hidden", "mean"]


def read_architecture(config):
    """The architecture form of `edgetwin.architecture/1` from either form of config.json, and the layer-norm epsilon."""
    if "layers" in config:
        architecture = {
            "vocabulary_size": config["vocabulary_size"], "maximum_positions": config["maximum_positions"],
            "type_vocabulary_size": config["type_vocabulary_size"], "position": config["position"], "layers": [],
        }
        for layer in config["layers"]:
            size = layer.get("head_size") or layer["hidden_size"] // len(layer["heads"])
            architecture["layers"].append({**layer, "head_size": size})
    else:
        heads = config["num_attention_heads"]
        layer = {
            "hidden_size": config["hidden_size"], "head_size": config["hidden_size"] // heads, "heads": ["sa_sdp"] * heads,
            "feed_forward": [config["intermediate_size"]],
        }
        position = config.get("position_embedding_type", "absolute")
        if position not in ("absolute", "relative_key") or config.get("hidden_act", "gelu") != "gelu":
            raise ValueError("config.json: only absolute or relative_key positions and the activation gelu are known")
        architecture = {
            "vocabulary_size": config["vocab_size"], "maximum_positions": config["max_position_embeddings"],
            "type_vocabulary_size": config.get("type_vocab_size", 2), "position": position,
            "layers": [layer] * config["num_hidden_layers"],
        }
    return architecture, config.get("layer_norm_eps", 1e-12)


erf = np.vectorize(math.erf, otypes=[np.float64])


def gelu(z):
    return z * 0.5 * (1 + erf(z / math.sqrt(2)))


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def fourier(size):
    """The unitary discrete Fourier matrix."""
    j = np.arange(size)
    return np.exp(-2j * np.pi * np.outer(j, j) / size) / math.sqrt(size)


def cosine(size):
    """The orthonormal DCT-II matrix."""
    j, l = np.arange(size)[:, None], np.arange(size)[None, :]
    c = np.where(j == 0, math.sqrt(1 / size), math.sqrt(2 / size))
    return c * np.cos(np.pi * (2 * l + 1) * j / (2 * size))


class Reference:
    """A model folder's forward pass."""

    def __init__(self, architecture, tensors, epsilon):
        self.architecture, self.epsilon = architecture, epsilon
        self.weights = {}
        for name, tensor in tensors.items():
            name = name.removeprefix("bert.")
            if name.endswith(".gamma"):
                name = name[:-len("gamma")] + "weight"
            elif name.endswith(".beta"):
                name = name[:-len("beta")] + "bias"
            self.weights[name] = np.asarray(tensor, dtype=np.float64)

    @classmethod
    def open(cls, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            architecture, epsilon = read_architecture(json.load(file))
        return cls(architecture, safetensors_file.read(os.path.join(folder, "model.safetensors")), epsilon)

    def heads(self):
        """The outputs that this folder has weights for."""
        heads = ["hidden", "mean"]
        if "classifier.weight" in self.weights and "pooler.dense.weight" in self.weights:
            heads.insert(0, "classifier")
        if "cls.predictions.transform.dense.weight" in self.weights:
            heads.insert(1, "mlm")
        return heads

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def layer_norm(self, name, x):
        mean = x.mean(axis=-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + self.epsilon) * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def embed(self, ids, types):
        e = self.weights["embeddings.word_embeddings.weight"][ids]
        e = e + self.weights["embeddings.token_type_embeddings.weight"][types]
        if self.architecture["position"] == "absolute":
            e = e + self.weights["embeddings.position_embeddings.weight"][:len(ids)]
        return self.layer_norm("embeddings.LayerNorm", e)

    def attend(self, base, prefix, q, v):
        """softmax((base + rel) / √d) v."""
        n, d = q.shape
        scores = base
        if self.architecture["position"] == "relative_key":
            table = self.weights[prefix + "distance_embedding.weight"]
            middle = self.architecture["maximum_positions"] - 1
            distance = np.arange(n)[:, None] - np.arange(n)[None, :]
            scores = scores + np.einsum("sd,std->st", q, table[distance + middle])
        return softmax(scores / math.sqrt(d)) @ v

    def convolve(self, prefix, taps, q, k, v):
        """Span-based dynamic convolution; what lies outside of the sentence is zero."""
        n = len(q)
        r = (taps - 1) // 2
        around = np.arange(n)[:, None] + np.arange(taps)[None, :] - r
        inside = ((0 <= around) & (around < n))[:, :, None]
        around = around.clip(0, n - 1)
        depthwise = self.weights[prefix + "depthwise.weight"]
        u = (np.where(inside, k[around], 0) * depthwise.T).sum(axis=1)
        p = self.linear(prefix + "pointwise", u)
        g = softmax(self.linear(prefix + "span", p * q))
        y = self.linear(prefix + "value", v)
        return (np.where(inside, y[around], 0) * g[:, :, None]).sum(axis=1)

    def head(self, prefix, index, kind, q, k, v):
        n, d = q.shape
        if kind == "sa_sdp":
            return self.attend(q @ k.T, prefix, q, v)
        own = f"{prefix}heads.{index}."
        if kind == "sa_wma":
            return self.attend(q @ self.weights[own + "wma.weight"] @ k.T, prefix, q, v)
        if kind == "l_dft":
            second = (fourier(n) @ v @ fourier(d)).real
        elif kind == "l_dct":
            second = cosine(n) @ v @ cosine(d).T
        elif kind.startswith("c_"):
            second = self.convolve(own + "convolution.", int(kind[2:]), q, k, v)
        else:
            raise ValueError(f"unknown head {kind}")
        if self.architecture["position"] == "absolute":
            return second
        return self.attend(np.zeros((n, n)), prefix, q, v) + second

    def layer(self, number, x):
        shape, prefix = self.architecture["layers"][number], f"encoder.layer.{number}."
        q, k, v = (self.linear(f"{prefix}attention.self.{part}", x) for part in ("query", "key", "value"))
        d = shape["head_size"]
        contexts = []
        for i, kind in enumerate(shape["heads"]):
            own = slice(i * d, (i + 1) * d)
            contexts.append(self.head(prefix + "attention.self.", i, kind, q[:, own], k[:, own], v[:, own]))
        context = self.linear(prefix + "attention.output.dense", np.concatenate(contexts, axis=1))
        x = self.layer_norm(prefix + "attention.output.LayerNorm", x + context)
        z = gelu(self.linear(prefix + "intermediate.dense", x))
        for j in range(len(shape["feed_forward"]) - 1):
            z = gelu(self.linear(f"{prefix}intermediate.stack.{j}", z))
        x = self.layer_norm(prefix + "output.LayerNorm", x + self.linear(prefix + "output.dense", z))
        layers = self.architecture["layers"]
        if number + 1 < len(layers) and layers[number + 1]["hidden_size"] != shape["hidden_size"]:
            x = self.linear(prefix + "join", x)
        return x

    def hidden(self, ids, types=None):
        """The encoder's output, n × h of the last layer."""
        ids = np.asarray(ids, dtype=np.int64)
        if not 1 <= len(ids) <= self.architecture["maximum_positions"]:
            raise ValueError(f"{len(ids)} tokens, the model takes 1 to {self.architecture['maximum_positions']}")
        types = np.zeros_like(ids) if types is None else np.asarray(types, dtype=np.int64)
        x = self.embed(ids, types)
        for number in range(len(self.architecture["layers"])):
            x = self.layer(number, x)
        return x

    def output(self, head, hidden):
        """One output from the encoder's: classifier [labels], mlm [n, vocabulary], hidden [n, h], mean [h]."""
        if head == "hidden":
            return hidden
        if head == "mean":
            return hidden.mean(axis=0)
        if head == "classifier":
            return self.linear("classifier", np.tanh(self.linear("pooler.dense", hidden[0])))
        z = gelu(self.linear("cls.predictions.transform.dense", hidden))
        z = self.layer_norm("cls.predictions.transform.LayerNorm", z)
        decoder = self.weights.get("cls.predictions.decoder.weight", self.weights["embeddings.word_embeddings.weight"])
        bias = self.weights.get("cls.predictions.decoder.bias", self.weights.get("cls.predictions.bias"))
        return z @ decoder.T + (0 if bias is None else bias)


def main():
    parser = argparse.ArgumentParser(description="the float64 reference, called like `edgetwin infer`")
    commands = parser.add_subparsers(dest="command", required=True)
    infer = commands.add_parser("infer")
    infer.add_argument("--model", required=True)
    infer.add_argument("--input", default="-")
    infer.add_argument("--head", choices=HEADS, default="classifier")
    infer.add_argument("--threads", type=int, default=1)
    infer.add_argument("--batch-size", type=int, default=1)
    infer.add_argument("--precision", choices=["fp32"], default="fp32")
    options = parser.parse_args()
    model = Reference.open(options.model)
    source = sys.stdin if options.input == "-" else open(options.input, encoding="utf-8")
    for text in source:
        if not text.strip():
            continue
        line = json.loads(text)
        out = model.output(options.head, model.hidden(line["input_ids"], line.get("token_type_ids")))
        values = [float(f"{value:.9g}") for value in out.ravel()]
        print(json.dumps({"id": line.get("id"), "shape": list(out.shape), "values": values}))


if __name__ == "__main__":
    main()
