#!/usr/bin/env python3
"""Writes Tests/AccuracyTests/Fixtures: rows of made-up accuracies, and what the model of MeasuredAccuracyFit.swift predicts from them.

An implementation of its own (numpy): all weights and deviations of all fidelities are one vector of normal variables, rows are sums over it, and
conditioning is done on the whole vector. Usage: make_fixture.py FOLDER
"""

import json
import math
import sys

import numpy

REFERENCE_SIZE = 144.0 * 768 * 768
KINDS = {"sa_sdp": "attention", "sa_wma": "attention", "l_dft": "transform", "l_dct": "transform", "c_5": "convolution", "c_9": "convolution"}


def features(architecture):
    layers = architecture["layers"]
    count = len(layers)
    attention = sum(4.0 * l["hidden_size"] * len(l["heads"]) * l["head_size"] for l in layers)
    forward = 0.0
    for l in layers:
        widths = [l["hidden_size"]] + l["feed_forward"] + [l["hidden_size"]]
        forward += sum(a * b for a, b in zip(widths, widths[1:]))
    share = lambda kind: sum(sum(KINDS[h] == kind for h in l["heads"]) / len(l["heads"]) for l in layers) / count
    size = math.log((3 * attention) ** (1 / 3) * (1.5 * forward) ** (2 / 3) / REFERENCE_SIZE)
    return numpy.array([
        1.0, size, math.log(count / 12), share("transform"), share("convolution"), math.log(forward / (2 * attention)),
        sum(abs(math.log2(l["head_size"] / 64)) for l in layers) / count,
        sum(math.log(l["hidden_size"] / 128) for l in layers) / count,
    ])


def architecture(random):
    hidden = int(random.choice([64, 128, 256]))
    layers = []
    for _ in range(int(random.integers(1, 5))):
        heads = int(random.choice([2, 4]))
        layers.append({
            "hidden_size": hidden, "head_size": hidden // heads,
            "heads": sorted(str(random.choice(list(KINDS))) for _ in range(heads)),
            "feed_forward": [int(random.choice([128, 256, 512]))],
        })
    return {
        "schema": "edgetwin.architecture/1", "vocabulary_size": 1000, "maximum_positions": 64, "type_vocabulary_size": 1,
        "position": "relative_key", "layers": layers,
    }


def logit(p):
    p = min(max(p, 0.001), 0.999)
    return math.log(p / (1 - p))


def step(z, previous, phi):
    """Variance of the weights and of the deviations, and rho, by the most likely ratio on the grid."""
    best = None
    for exponent in numpy.arange(-4, 4.01, 0.25):
        ratio = 10.0**exponent
        matrix = ratio * phi[:, 1:] @ phi[:, 1:].T + 1e4 * (1 + numpy.outer(previous, previous)) + numpy.eye(len(z))
        solved = numpy.linalg.solve(matrix, z)
        variance = max(z @ solved / len(z), 1e-8)
        likelihood = -0.5 * (len(z) * math.log(variance) + numpy.linalg.slogdet(matrix)[1])
        if best is None or likelihood > best[0]:
            best = (likelihood, 1e4 * previous @ solved, ratio * variance, variance)
    return best[1:]


def predict(architectures, levels, unseen):
    """levels: for each fidelity a dictionary from an architecture's position to its logit."""
    raw = numpy.array([features(a) for a in architectures])
    mean, deviation = raw.mean(0), raw.std(0, ddof=1)
    mean[0], deviation[0] = 0, 1
    phi = (raw - mean) / deviation
    means = [numpy.mean(list(level.values())) for level in levels]
    centred = [{m: v - c for m, v in level.items()} for level, c in zip(levels, means)]
    steps = []
    for t, level in enumerate(centred):
        shared = sorted(m for m in level if t and m in centred[t - 1])
        chosen = shared if len(shared) >= 6 else sorted(level)
        previous = numpy.array([centred[t - 1][m] if len(shared) >= 6 else 0.0 for m in chosen])
        steps.append(step(numpy.array([level[m] for m in chosen]), previous, phi[chosen]))
    # The vector: of each fidelity 8 weights, then a deviation an architecture.
    width = 8 + len(architectures)
    prior = numpy.concatenate([[1.0] + 7 * [weights] + len(architectures) * [own] for _, weights, own in steps])

    def design(t, position, x):
        row = numpy.zeros(len(prior))
        factor = 1.0
        for s in range(t, -1, -1):
            row[s * width : s * width + 8] = factor * x
            if position is not None:
                row[s * width + 8 + position] = factor
            factor *= steps[s][0]
        return row

    rows = [(t, m) for t, level in enumerate(centred) for m in sorted(level)]
    H = numpy.array([design(t, m, phi[m]) for t, m in rows])
    z = numpy.array([centred[t][m] for t, m in rows])
    K = H @ numpy.diag(prior) @ H.T + 1e-9 * numpy.eye(len(z))
    top = len(levels) - 1

    def condition(chosen, x, position):
        """Mean and variance of a value at the highest fidelity given some of the rows, its own deviations included."""
        a = design(top, position, x)
        G = H[chosen] @ (prior * a)
        part = numpy.linalg.inv(K[numpy.ix_(chosen, chosen)])
        variance = a @ (prior * a) - G @ part @ G
        if position is None:
            factor = 1.0
            for s in range(top, -1, -1):
                variance += factor**2 * steps[s][2]
                factor *= steps[s][0]
        return G @ part @ z[chosen], variance

    ratios, errors = [], []
    for m in sorted(centred[top]):
        others = [i for i, (_, n) in enumerate(rows) if n != m]
        mu, variance = condition(others, phi[m], m)
        ratios.append((centred[top][m] - mu) ** 2 / variance)
        sigma = lambda eta: 100 / (1 + math.exp(-eta))
        errors.append(sigma(mu + means[top]) - sigma(centred[top][m] + means[top]))
    scale = min(max(numpy.mean(ratios), 0.5), 25)
    result = []
    for a in unseen:
        mu, variance = condition(list(range(len(rows))), (features(a) - mean) / deviation, None)
        result.append({"eta": mu + means[top], "eta_deviation": math.sqrt(variance * scale)})
    return result, math.sqrt(numpy.mean(numpy.square(errors)))


def main(folder):
    random = numpy.random.default_rng(7)
    architectures, unseen = [architecture(random) for _ in range(30)], [architecture(random) for _ in range(12)]
    rows = []
    levels = [{}, {}, {}]
    for m, a in enumerate(architectures):
        x = features(a)
        # Low scores after few steps; what transforms lose and depth costs shows later.
        early = -1.6 + 0.18 * x[1] + 0.1 * x[4] + 0.1 * x[7] + 0.03 * random.normal()
        late = -1.3 + 1.1 * (early + 1.6) - 0.25 * x[3] + 0.05 * x[2] + 0.02 * random.normal()
        score = 1.2 + 0.9 * (late + 1.3) + 0.2 * x[4] + 0.05 * random.normal()
        # A third is only judged early.
        for t, (steps, eta) in enumerate([(100, early), (400, late)]):
            if m % 3 == 2 and t == 1:
                continue
            loss = round(-math.log(1 / (1 + math.exp(-eta))), 6)
            row = {
                "schema": "edgetwin.accuracy/1", "architecture": a, "seed": 1, "steps": steps, "total_steps": 400,
                "batch_size": 32, "sequence_length": 64, "loss": loss,
            }
            levels[t][m] = logit(math.exp(-loss))
            if t == 1:
                row |= {"task": "sst2", "score": round(1 / (1 + math.exp(-score)), 6)}
                levels[2][m] = logit(row["score"])
            rows.append(row)
    expected, error = predict(architectures, levels, unseen)
    with open(folder + "/rows.jsonl", "w") as file:
        file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    with open(folder + "/expected.json", "w") as file:
        json.dump({
            "leave_one_out_error": error,
            "unseen": [{"architecture": a} | e for a, e in zip(unseen, expected)],
        }, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
