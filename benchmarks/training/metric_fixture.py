#!/usr/bin/env python3
"""Writes Tests/TrainingTests/Fixtures/metrics.json: figures of scikit-learn and SciPy for GLUE's metrics.

usage: metric_fixture.py   (needs scikit-learn and scipy)
"""
import json
import math
import os
import random
import warnings

from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

PATH = os.path.join(os.path.dirname(__file__), "..", "..", "Tests", "TrainingTests", "Fixtures", "metrics.json")


def classes(name, predicted, expected):
    values = {"accuracy": accuracy_score(expected, predicted), "matthews": matthews_corrcoef(expected, predicted)}
    if max(predicted + expected) < 2:
        values["f1"] = f1_score(expected, predicted, zero_division=0)
    return {"name": name, "predicted": predicted, "expected": expected, "values": values}


def numbers(name, predicted, expected):
    values = {"pearson": pearsonr(predicted, expected)[0], "spearman": spearmanr(predicted, expected)[0]}
    values = {key: None if math.isnan(value) else float(value) for key, value in values.items()}
    return {"name": name, "predicted": predicted, "expected": expected, "values": values}


def main():
    warnings.simplefilter("ignore")
    draw = random.Random(1)
    cases = []
    for count, kinds, right in [(1, 2, 0.5), (10, 2, 0.7), (100, 2, 0.9), (100, 2, 0.1), (300, 3, 0.6), (200, 26, 0.4)]:
        expected = [draw.randrange(kinds) for _ in range(count)]
        predicted = [e if draw.random() < right else draw.randrange(kinds) for e in expected]
        cases.append(classes(f"{count} rows of {kinds} classes", predicted, expected))
    cases.append(classes("constant predictions", [1] * 8, [0, 1, 1, 0, 1, 1, 1, 0]))
    cases.append(classes("none found, none there", [0] * 5, [0] * 5))
    cases.append(classes("all wrong", [0, 1, 0, 1], [1, 0, 1, 0]))
    for count, noise in [(2, 0.1), (20, 1.0), (200, 0.3), (200, 5.0)]:
        expected = [round(draw.uniform(0, 5), 1) for _ in range(count)]
        cases.append(numbers(f"{count} numbers, noise {noise}", [e + draw.gauss(0, noise) for e in expected], expected))
    ties = [draw.randrange(6) for _ in range(50)]
    cases.append(numbers("ties on both sides", [float(min(t, 3)) for t in ties], [float(t) for t in ties]))
    cases.append(numbers("a constant", [2.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]))
    with open(PATH, "w", encoding="utf-8") as file:
        file.write('{"cases":[\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
