"""What every operation of the model means, in PyTorch, so that its autograd gives the gradients: written from the definitions of the operations,
one sequence at a time, as plainly as possible. The judge of our backward passes; far too slow to train with.
"""
import math

import torch


def fourier(size, dtype):
    """Cosines and sines of the unitary discrete Fourier matrix."""
    j = torch.arange(size, dtype=torch.float64)
    angle = 2 * math.pi * (torch.outer(j, j) % size) / size
    return (angle.cos() / math.sqrt(size)).to(dtype), (angle.sin() / math.sqrt(size)).to(dtype)


def cosine(size, dtype):
    """The orthonormal DCT-II matrix."""
    j, l = torch.arange(size, dtype=torch.float64)[:, None], torch.arange(size, dtype=torch.float64)[None, :]
    scale = torch.sqrt(torch.where(j == 0, 1.0, 2.0).to(torch.float64) / size)
    return (scale * torch.cos(math.pi * (2 * l + 1) * j / (2 * size))).to(dtype)


class Encoder:
    """A model whose weights are tensors that want gradients."""

    def __init__(self, architecture, tensors, epsilon=1e-12, dtype=torch.float64):
        self.architecture, self.epsilon, self.dtype = architecture, epsilon, dtype
        self.weights = {
            name.removeprefix("bert."): torch.tensor(value, dtype=torch.float32).to(dtype).requires_grad_()
            for name, value in tensors.items()}

    def linear(self, name, x):
        return torch.nn.functional.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, name, x):
        return torch.nn.functional.layer_norm(
            x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.epsilon)

    def attend(self, base, prefix, q, v):
        n, d = q.shape
        scores = base
        if self.architecture["position"] == "relative_key":
            table, middle = self.weights[prefix + "distance_embedding.weight"], self.architecture["maximum_positions"] - 1
            distance = torch.arange(n)[:, None] - torch.arange(n)[None, :]
            scores = scores + torch.einsum("sd,std->st", q, table[distance + middle])
        return torch.softmax(scores / math.sqrt(d), dim=-1) @ v

    def convolve(self, prefix, taps, q, k, v):
        n, r = len(q), (taps - 1) // 2
        around = torch.arange(n)[:, None] + torch.arange(taps)[None, :] - r
        inside = ((around >= 0) & (around < n))[:, :, None].to(self.dtype)
        around = around.clamp(0, n - 1)
        u = (k[around] * inside * self.weights[prefix + "depthwise.weight"].T).sum(dim=1)
        g = torch.softmax(self.linear(prefix + "span", self.linear(prefix + "pointwise", u) * q), dim=-1)
        y = self.linear(prefix + "value", v)
        return (y[around] * inside * g[:, :, None]).sum(dim=1)

    def head(self, prefix, index, kind, q, k, v):
        n, d = q.shape
        own = f"{prefix}heads.{index}."
        if kind == "sa_sdp":
            return self.attend(q @ k.T, prefix, q, v)
        if kind == "sa_wma":
            return self.attend(q @ self.weights[own + "wma.weight"] @ k.T, prefix, q, v)
        if kind == "l_dft":
            (cn, sn), (cd, sd) = fourier(n, self.dtype), fourier(d, self.dtype)
            second = cn @ v @ cd - sn @ v @ sd
        elif kind == "l_dct":
            second = cosine(n, self.dtype) @ v @ cosine(d, self.dtype).T
        else:
            second = self.convolve(own + "convolution.", int(kind[2:]), q, k, v)
        if self.architecture["position"] == "absolute":
            return second
        return self.attend(torch.zeros(n, n, dtype=self.dtype), prefix, q, v) + second

    def layer(self, number, x):
        layers = self.architecture["layers"]
        shape, prefix = layers[number], f"encoder.layer.{number}."
        q, k, v = (self.linear(f"{prefix}attention.self.{part}", x) for part in ("query", "key", "value"))
        d = shape["head_size"]
        contexts = []
        for i, kind in enumerate(shape["heads"]):
            own = slice(i * d, (i + 1) * d)
            contexts.append(self.head(prefix + "attention.self.", i, kind, q[:, own], k[:, own], v[:, own]))
        x = self.norm(
            prefix + "attention.output.LayerNorm",
            x + self.linear(prefix + "attention.output.dense", torch.cat(contexts, dim=1)))
        z = torch.nn.functional.gelu(self.linear(prefix + "intermediate.dense", x))
        for j in range(len(shape["feed_forward"]) - 1):
            z = torch.nn.functional.gelu(self.linear(f"{prefix}intermediate.stack.{j}", z))
        x = self.norm(prefix + "output.LayerNorm", x + self.linear(prefix + "output.dense", z))
        if number + 1 < len(layers) and layers[number + 1]["hidden_size"] != shape["hidden_size"]:
            x = self.linear(prefix + "join", x)
        return x

    def hidden(self, ids, types):
        ids, types = torch.tensor(ids), torch.tensor(types)
        x = self.weights["embeddings.word_embeddings.weight"][ids] + self.weights["embeddings.token_type_embeddings.weight"][types]
        if self.architecture["position"] == "absolute":
            x = x + self.weights["embeddings.position_embeddings.weight"][:len(ids)]
        x = self.norm("embeddings.LayerNorm", x)
        for number in range(len(self.architecture["layers"])):
            x = self.layer(number, x)
        return x

    def pooled(self, hidden, pooling):
        return hidden.mean(dim=0) if pooling == "mean" else torch.tanh(self.linear("pooler.dense", hidden[0]))

    def words(self, hidden):
        z = self.norm(
            "cls.predictions.transform.LayerNorm",
            torch.nn.functional.gelu(self.linear("cls.predictions.transform.dense", hidden)))
        decoder = self.weights.get("cls.predictions.decoder.weight", self.weights["embeddings.word_embeddings.weight"])
        return z @ decoder.T + self.weights["cls.predictions.decoder.bias"]

    def loss(self, head, inputs):
        """Mean loss over the scored items. `head`: classification-first, classification-mean, regression-mean, mlm, mlm-all."""
        hidden = [self.hidden(ids, types) for ids, types in zip(inputs["sequences"], inputs["types"])]
        if head.startswith("mlm"):
            scores = self.words(torch.cat(hidden))
            chosen = range(len(scores)) if head == "mlm-all" else inputs["tokens"]
            targets = [inputs["words"][token] for token in chosen]
            return torch.nn.functional.cross_entropy(scores[list(chosen)], torch.tensor(targets))
        kind, pooling = head.split("-")
        scores = torch.stack([self.linear("classifier", self.pooled(h, pooling)) for h in hidden])
        if kind == "classification":
            return torch.nn.functional.cross_entropy(scores, torch.tensor(inputs["classes"]))
        return ((scores[:, 0] - torch.tensor(inputs["values"], dtype=self.dtype)) ** 2).mean()
