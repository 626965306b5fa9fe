"""BERT in PyTorch as fast as its public operators allow: q, k and v in one product, fused attention where there is one (2.x).

Runs in PyTorch 1.13 and 2.x. Weights from a model folder; absolute positions, self-attention heads, no stacks.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F

import reference


class Layer(nn.Module):
    def __init__(self, width, heads, inner, epsilon):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.intermediate = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)
        self.output_norm = nn.LayerNorm(width, eps=epsilon)
        self.fused = hasattr(F, "scaled_dot_product_attention")

    def forward(self, x, bias):
        batch, length, width = x.shape
        size = width // self.heads
        q, k, v = self.query_key_value(x).view(batch, length, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            context = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            scores = torch.matmul(q * (1 / math.sqrt(size)), k.transpose(2, 3)) + bias
            context = torch.matmul(torch.softmax(scores, dim=-1), v)
        context = context.transpose(1, 2).reshape(batch, length, width)
        x = self.attention_norm(x + self.attention_output(context))
        return self.output_norm(x + self.output(F.gelu(self.intermediate(x))))


class Bert(nn.Module):
    def __init__(self, architecture, labels, epsilon):
        super().__init__()
        layer = architecture["layers"][0]
        width = layer["hidden_size"]
        self.words = nn.Embedding(architecture["vocabulary_size"], width)
        self.types = nn.Embedding(architecture["type_vocabulary_size"], width)
        self.positions = nn.Embedding(architecture["maximum_positions"], width)
        self.norm = nn.LayerNorm(width, eps=epsilon)
        self.layers = nn.ModuleList(
            [Layer(width, len(layer["heads"]), layer["feed_forward"][0], epsilon) for _ in architecture["layers"]])
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, labels)

    def forward(self, ids, mask, types):
        x = self.words(ids) + self.types(types) + self.positions.weight[:ids.shape[1]]
        x = self.norm(x)
        bias = (1 - mask[:, None, None, :].to(x.dtype)) * -1e9
        for layer in self.layers:
            x = layer(x, bias)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


def open_model(folder):
    source = reference.Reference.open(folder)
    architecture, weights = source.architecture, source.weights
    kinds = {kind for layer in architecture["layers"] for kind in layer["heads"]}
    shapes = {(layer["hidden_size"], len(layer["heads"]) * layer["head_size"], *layer["feed_forward"]) for layer in architecture["layers"]}
    if kinds != {"sa_sdp"} or len(shapes) > 1 or len(next(iter(shapes))) != 3 or architecture["position"] != "absolute":
        raise ValueError(f"{folder}: this module is plain BERT only")
    model = Bert(architecture, len(weights["classifier.bias"]), source.epsilon)

    def put(module, *names):
        for kind in ("weight", "bias"):
            if hasattr(module, kind):
                tensors = [torch.from_numpy(weights[f"{name}.{kind}"]) for name in names]
                getattr(module, kind).data = torch.cat(tensors).to(torch.float32).contiguous()

    put(model.norm, "embeddings.LayerNorm")
    for module, name in ((model.words, "word"), (model.types, "token_type"), (model.positions, "position")):
        put(module, f"embeddings.{name}_embeddings")
    for number, layer in enumerate(model.layers):
        prefix = f"encoder.layer.{number}."
        put(layer.query_key_value, *(f"{prefix}attention.self.{part}" for part in ("query", "key", "value")))
        put(layer.attention_output, prefix + "attention.output.dense")
        put(layer.attention_norm, prefix + "attention.output.LayerNorm")
        put(layer.intermediate, prefix + "intermediate.dense")
        put(layer.output, prefix + "output.dense")
        put(layer.output_norm, prefix + "output.LayerNorm")
    put(model.pooler, "pooler.dense")
    put(model.classifier, "classifier")
    return model
