#!/usr/bin/env python3
"""Checks what `edgetwin export` writes: valid ONNX, and in ONNX Runtime the results of the float64 reference.

For every random model of benchmarks/kernels/random_models.py, in both head forms: onnx.checker with shape inference; inputs and
outputs as promised; all outputs (classifier, masked LM, hidden, mean) against benchmarks/kernels/reference.py, sentences one by
one and in one padded batch. An error is the largest absolute difference over a model's sentences, divided by the largest value.

usage: check_onnx.py --edgetwin PATH [--count 30] [--first 0] [--seed 1]
Exit 1 where an error is above --limit (1e-4). Needs numpy, onnx and onnxruntime.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUTS = {"classifier": "logits", "mlm": "logits", "hidden": "last_hidden_state", "mean": "sentence_embedding"}
PER_TOKEN = ("mlm", "hidden")


def check_interface(path, head):
    model = onnx.load(path)
    onnx.checker.check_model(path, full_check=True)
    assert [(s.domain, s.version) for s in model.opset_import] == [("", 17)]
    assert [value.name for value in model.graph.input] == INPUTS
    for value in model.graph.input:
        tensor = value.type.tensor_type
        assert tensor.elem_type == onnx.TensorProto.INT64
        assert [dim.dim_param for dim in tensor.shape.dim] == ["batch", "sequence"]
    assert [value.name for value in model.graph.output] == [OUTPUTS[head]]


def run(session, head, lines):
    """The output of each sentence, from one right-padded batch."""
    width = max(len(line["input_ids"]) for line in lines)
    feeds = {name: np.zeros((len(lines), width), np.int64) for name in INPUTS}
    for row, line in enumerate(lines):
        n = len(line["input_ids"])
        feeds["input_ids"][row, :n] = line["input_ids"]
        feeds["attention_mask"][row, :n] = 1
        feeds["token_type_ids"][row, :n] = line.get("token_type_ids", 0)
    out = session.run([OUTPUTS[head]], feeds)[0]
    return [out[row, :len(line["input_ids"])] if head in PER_TOKEN else out[row] for row, line in enumerate(lines)]


def error(ours, theirs):
    if not all(np.isfinite(a).all() for a in ours):
        return float("inf")
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs)) / max(np.abs(b).max() for b in theirs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edgetwin", required=True, help="the tool (a command, may have arguments)")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=1e-4)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--reference", default=os.path.join(here, "..", "benchmarks", "kernels"), help="folder of reference.py")
    options = parser.parse_args()
    sys.path.insert(0, options.reference)
    import random_models
    import reference

    worst, broken = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        for index in range(options.first, options.first + options.count):
            folder = os.path.join(scratch, str(index))
            random_models.write(folder, *random_models.make(options.seed, index))
            with open(os.path.join(folder, "inputs.jsonl"), encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            model = reference.Reference.open(folder)
            hidden = [model.hidden(line["input_ids"], line.get("token_type_ids")) for line in lines]
            for form in ("batched", "chain"):
                for head in model.heads():
                    path = os.path.join(scratch, "model.onnx")
                    command = [*shlex.split(options.edgetwin), "export", folder, "--output", path, "--head", head, "--head-form", form]
                    subprocess.run(command, check=True)
                    check_interface(path, head)
                    settings = onnxruntime.SessionOptions()
                    settings.intra_op_num_threads = 1
                    settings.log_severity_level = 3
                    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
                    expected = [model.output(head, x) for x in hidden]
                    together = run(session, head, lines)
                    alone = [run(session, head, [line])[0] for line in lines]
                    errors = {"reference": max(error(together, expected), error(alone, expected)), "padding": error(together, alone)}
                    for what, value in errors.items():
                        key = (form, head, what)
                        worst[key] = max(worst.get(key, (0, -1)), (value, index))
                        if not value <= options.limit:
                            broken += 1
                            print(f"model {index}: {form}, {head}, {what}: {value:.2e}", file=sys.stderr)
    for (form, head, what), (value, index) in worst.items():
        print(f"{form:8} {head:11} {what:10} worst {value:.1e} (model {index})")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
