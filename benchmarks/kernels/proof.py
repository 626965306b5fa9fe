#!/usr/bin/env python3
"""Proves the kernels right on random models over every operation, and prints how right.

For each model of random_models.py and each output (classifier, masked LM, hidden states, mean):
 - `edgetwin infer` against the float64 reference: at most 1e-5;
 - ONNX Runtime on the file of `edgetwin export` against the reference, and against `edgetwin infer`: at most 1e-4 (logits);
 - 1 and 2 threads: the same bits;
 - batches of 1, 3 and all sentences (so of any composition and padding): at most 1e-6.
An error is the largest absolute difference over the sentences of a model and output, divided by the largest absolute value of
what it is compared with. Nothing is averaged, nothing is subtracted.

usage: proof.py --edgetwin PATH [--count 200] [--seed 1] [--skip-onnx] [--models DIR]
Exit 1 where a limit is broken. Needs numpy, and onnxruntime unless --skip-onnx.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np

import random_models
import reference

LIMITS = {
    "float64 reference": 1e-5, "batch composition": 1e-6, "threads": 0.0, "ONNX Runtime against kernels": 1e-4,
    "ONNX Runtime against reference": 1e-4,
}


def infer(tool, folder, head, threads, batch_size):
    """The output of every sentence, in order."""
    command = [*tool, "infer", "--model", folder, "--input", os.path.join(folder, "inputs.jsonl"), "--head", head,
               "--threads", str(threads), "--batch-size", str(batch_size)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{shlex.join(command)} exited {run.returncode}: {run.stderr.strip()[-500:]}")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    return [np.array(row["values"], dtype=np.float64).reshape(row["shape"]) for row in rows], [row["id"] for row in rows]


def difference(ours, theirs):
    """max |a − b| over all sentences, divided by max |b|."""
    if len(ours) != len(theirs):
        raise RuntimeError(f"{len(ours)} outputs where {len(theirs)} were expected")
    for a, b in zip(ours, theirs):
        if a.shape != b.shape:
            raise RuntimeError(f"an output has shape {a.shape} where {b.shape} was expected")
        if not np.isfinite(a).all():
            return float("inf")
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs)) / max(np.abs(b).max() for b in theirs)


def onnx_logits(path, inputs, batch_size):
    """Logits of ONNX Runtime, sentences in right-padded batches."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    logits = []
    for start in range(0, len(inputs), batch_size):
        part = inputs[start:start + batch_size]
        width = max(len(line["input_ids"]) for line in part)
        feeds = {name: np.zeros((len(part), width), np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
        for row, line in enumerate(part):
            n = len(line["input_ids"])
            feeds["input_ids"][row, :n] = line["input_ids"]
            feeds["attention_mask"][row, :n] = 1
            feeds["token_type_ids"][row, :n] = line.get("token_type_ids", 0)
        logits.extend(np.asarray(session.run(["logits"], feeds)[0], dtype=np.float64))
    return logits


class Ledger:
    """Errors by what was compared and by output."""

    def __init__(self):
        self.errors = {}

    def add(self, what, head, model, error):
        self.errors.setdefault((what, head), []).append((float(error), model))

    def failures(self):
        for (what, head), errors in self.errors.items():
            for error, model in errors:
                if not error <= LIMITS[what]:
                    yield f"model {model}: {what}, {head}: {error:.2e} is more than {LIMITS[what]:g}"

    def table(self):
        lines = ["| compared with | output | models | median | worst | worst model | limit |", "| --- | --- | --- | --- | --- | --- | --- |"]
        for (what, head), errors in self.errors.items():
            worst, model = max(errors)
            median = np.median([error for error, _ in errors])
            lines.append(f"| {what} | {head} | {len(errors)} | {median:.1e} | {worst:.1e} | {model} | {LIMITS[what]:g} |")
        return "\n".join(lines)


def prove(tool, folder, name, ledger, with_onnx):
    with open(os.path.join(folder, "inputs.jsonl"), encoding="utf-8") as file:
        inputs = [json.loads(line) for line in file]
    model = reference.Reference.open(folder)
    hidden = [model.hidden(line["input_ids"], line.get("token_type_ids")) for line in inputs]
    everything = len(inputs)
    for head in model.heads():
        expected = [model.output(head, x) for x in hidden]
        together, ids = infer(tool, folder, head, 1, everything)
        if ids != [line["id"] for line in inputs]:
            raise RuntimeError(f"{name}: ids are not those of the input, in order")
        ledger.add("float64 reference", head, name, difference(together, expected))
        two, _ = infer(tool, folder, head, 2, everything)
        same = all(np.array_equal(a, b) for a, b in zip(together, two))
        ledger.add("threads", head, name, 0.0 if same else max(difference(two, together), sys.float_info.min))
        alone, _ = infer(tool, folder, head, 1, 1)
        threes, _ = infer(tool, folder, head, 2, 3)
        ledger.add("batch composition", head, name, max(difference(together, alone), difference(threes, alone)))
        if head == "classifier" and with_onnx:
            path = os.path.join(folder, "model.onnx")
            run = subprocess.run([*tool, "export", folder, "--output", path], capture_output=True, text=True)
            if run.returncode:
                raise RuntimeError(f"{name}: export exited {run.returncode}: {run.stderr.strip()[-500:]}")
            for batch_size in (everything, 1):
                logits = onnx_logits(path, inputs, batch_size)
                output = f"classifier, batch {'all' if batch_size > 1 else 1}"
                ledger.add("ONNX Runtime against reference", output, name, difference(logits, expected))
                ledger.add("ONNX Runtime against kernels", output, name, difference(logits, together))
            os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edgetwin", required=True, help="the tool (a command, may have arguments)")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="index of the first model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-onnx", action="store_true")
    parser.add_argument("--models", help="keep the model folders here")
    options = parser.parse_args()
    tool = shlex.split(options.edgetwin)
    ledger, broken = Ledger(), []
    with tempfile.TemporaryDirectory() as scratch:
        for index in range(options.first, options.first + options.count):
            name = f"{index:03d}"
            folder = os.path.join(options.models or scratch, name)
            random_models.write(folder, *random_models.make(options.seed, index))
            try:
                prove(tool, folder, name, ledger, not options.skip_onnx)
            except Exception as error:  # a model that cannot be run is a failure of its own, not the end
                broken.append(f"model {name}: {type(error).__name__}: {error}")
            if index % 20 == 19:
                print(f"{index + 1 - options.first} models", file=sys.stderr)
    print(ledger.table())
    failures = broken + list(ledger.failures())
    print(f"\n{options.count} models of seed {options.seed}, {len(failures)} failures")
    for failure in failures[:50]:
        print(failure)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
