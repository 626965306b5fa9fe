"""BERT in PyTorch for training, as fast as its public operators allow: q, k and v in one product, fused attention where there is one (2.x).

Runs in PyTorch 1.13 and 2.x. Weights from a model folder; absolute positions, self-attention heads, no stacks. Two heads: words (masked LM, the
decoder tied where the folder has none) and mean (the classifier on the mean over the tokens). Dropout where operations.md has it.
"""
import json
import math
import os
import sys

import torch
from torch import nn
from torch.nn import functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "benchmarks", "kernels"))

import reference  # noqa: E402


class Layer(nn.Module):
    def __init__(self, width, heads, inner, epsilon, dropout, fused):
        super().__init__()
        self.heads, self.fused, self.share = heads, fused, dropout
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.intermediate = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)
        self.output_norm = nn.LayerNorm(width, eps=epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, bias):
        batch, length, width = x.shape
        size = width // self.heads
        q, k, v = self.query_key_value(x).view(batch, length, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            context = F.scaled_dot_product_attention(
                q, k, v, attn_mask=bias, dropout_p=self.share if self.training else 0.0)
        else:
            scores = torch.matmul(q * (1 / math.sqrt(size)), k.transpose(2, 3))
            if bias is not None:
                scores = scores + bias
            context = torch.matmul(self.dropout(torch.softmax(scores, dim=-1)), v)
        context = context.transpose(1, 2).reshape(batch, length, width)
        x = self.attention_norm(x + self.dropout(self.attention_output(context)))
        return self.output_norm(x + self.dropout(self.output(F.gelu(self.intermediate(x)))))


class Bert(nn.Module):
    """Loss of a batch: ids [batch, length], a mask or None where nothing is padded, and the head's targets."""

    def __init__(self, folder, head, dropout, fused):
        super().__init__()
        source = reference.Reference.open(folder)
        architecture, weights = source.architecture, source.weights
        layer = architecture["layers"][0]
        width, vocabulary = layer["hidden_size"], architecture["vocabulary_size"]
        self.head = head
        self.words = nn.Embedding(vocabulary, width)
        self.types = nn.Embedding(architecture["type_vocabulary_size"], width)
        self.positions = nn.Embedding(architecture["maximum_positions"], width)
        self.norm = nn.LayerNorm(width, eps=source.epsilon)
        self.layers = nn.ModuleList(
            Layer(width, len(layer["heads"]), layer["feed_forward"][0], source.epsilon, dropout, fused)
            for layer in architecture["layers"])
        self.dropout = nn.Dropout(dropout)
        names = {"norm": ["embeddings.LayerNorm"], "words": ["embeddings.word_embeddings"],
                 "types": ["embeddings.token_type_embeddings"], "positions": ["embeddings.position_embeddings"]}
        for number in range(len(self.layers)):
            prefix = f"encoder.layer.{number}."
            own = {"query_key_value": [f"attention.self.{part}" for part in ("query", "key", "value")],
                   "attention_output": ["attention.output.dense"], "attention_norm": ["attention.output.LayerNorm"],
                   "intermediate": ["intermediate.dense"], "output": ["output.dense"], "output_norm": ["output.LayerNorm"]}
            names.update({f"layers.{number}.{module}": [prefix + part for part in parts] for module, parts in own.items()})
        if head == "mlm":
            self.transform, self.transform_norm = nn.Linear(width, width), nn.LayerNorm(width, eps=source.epsilon)
            self.decoder = nn.Linear(width, vocabulary)
            names.update({"transform": ["cls.predictions.transform.dense"],
                          "transform_norm": ["cls.predictions.transform.LayerNorm"], "decoder": ["cls.predictions.decoder"]})
            tied = "cls.predictions.decoder.weight" not in weights
            weights.setdefault("cls.predictions.decoder.weight", weights["embeddings.word_embeddings.weight"])
        else:
            self.classifier = nn.Linear(width, len(weights["classifier.bias"]))
            names["classifier"] = ["classifier"]
        modules = dict(self.named_modules())
        for module, tensors in names.items():
            for kind in ("weight", "bias"):
                if hasattr(modules[module], kind):
                    parts = [torch.from_numpy(weights[f"{name}.{kind}"]) for name in tensors]
                    getattr(modules[module], kind).data = torch.cat(parts).to(torch.float32).contiguous()
        if head == "mlm" and tied:
            self.decoder.weight = self.words.weight

    def forward(self, ids, mask, targets, chosen=None):
        x = self.words(ids) + self.types.weight[0] + self.positions.weight[:ids.shape[1]]
        x = self.dropout(self.norm(x))
        bias = None if mask is None else (1 - mask[:, None, None, :]) * -1e9
        for layer in self.layers:
            x = layer(x, bias)
        if self.head == "mlm":
            x = x.reshape(-1, x.shape[-1])
            if chosen is not None:
                x = x[chosen]
            x = self.transform_norm(F.gelu(self.transform(x)))
            return F.cross_entropy(self.decoder(x), targets)
        mean = x.mean(dim=1) if mask is None else (x * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return F.cross_entropy(self.classifier(self.dropout(mean)), targets)


def ready(batch):
    """A batch of the data file as tensors, padded to its longest sequence."""
    lengths = [len(ids) for ids in batch["sequences"]]
    longest = max(lengths)
    ids = torch.zeros(len(lengths), longest, dtype=torch.int64)
    for row, sequence in enumerate(batch["sequences"]):
        ids[row, :len(sequence)] = torch.tensor(sequence)
    mask = None
    if min(lengths) < longest:
        mask = (torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]).to(torch.float32)
    if "classes" in batch:
        return ids, mask, torch.tensor(batch["classes"]), None, len(lengths)
    rows = [row * longest + place for row, length in enumerate(lengths) for place in range(length)]
    tokens = batch.get("tokens")
    everything = tokens is None and mask is None
    chosen = None if everything else torch.tensor(rows)[torch.tensor(tokens if tokens is not None else range(len(rows)))]
    return ids, mask, torch.tensor(batch["words"]), chosen, len(batch["words"])


def read(path):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    return [ready(batch) for batch in data["train"]], [ready(batch) for batch in data["held_out"]]


def optimiser(model, request, fused):
    decays = [w for name, w in model.named_parameters() if "norm" not in name and not name.endswith(".bias")]
    others = [w for name, w in model.named_parameters() if "norm" in name or name.endswith(".bias")]
    groups = [{"params": decays, "weight_decay": request["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    arguments = {"lr": 0.0, "betas": (0.9, request["beta2"]), "eps": request["epsilon"]}
    if fused:
        arguments["fused"] = True
    return torch.optim.AdamW(groups, **arguments)
