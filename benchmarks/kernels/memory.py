#!/usr/bin/env python3
"""Peak memory of inference against what it must hold: `edgetwin infer` on BERT-Base at length 128.

The peak is the most resident memory that the process had, as the system counts it (ru_maxrss: the program and its libraries included).
It may be at most 1.15 times the weights as the kernels hold them plus the activations that were planned (`infer --verbose`).

usage: memory.py --edgetwin PATH [--batches 1,8] [--heads classifier] [--precisions fp32,int8] [--threads 1]
Exit 1 where the classifier in fp32 takes more. Linux or macOS; needs Python alone.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

LENGTH, LIMIT = 128, 1.15
LAYER = {"hidden_size": 768, "head_size": 64, "heads": ["sa_sdp"] * 12, "feed_forward": [3072]}
BERT_BASE = {"schema": "edgetwin.architecture/1", "vocabulary_size": 30522, "maximum_positions": 512, "type_vocabulary_size": 2,
             "position": "absolute", "layers": [LAYER] * 12}


def peak(command, scratch):
    """(bytes, standard error) of a command that must succeed."""
    errors = os.path.join(scratch, "errors")
    with open(errors, "w", encoding="utf-8") as file, open(os.devnull, "w", encoding="utf-8") as nothing:
        process = subprocess.Popen(command, stdout=nothing, stderr=file)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with open(errors, encoding="utf-8") as file:
        text = file.read().strip()
    if process.returncode:
        raise RuntimeError(f"{shlex.join(command)} exited {process.returncode}: {text[-500:]}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), text


def main():
    items = lambda text: [part.strip() for part in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--edgetwin", required=True)
    parser.add_argument("--batches", type=items, default=["1", "8"])
    parser.add_argument("--heads", type=items, default=["classifier", "mlm"])
    parser.add_argument("--precisions", type=items, default=["fp32", "int8"])
    parser.add_argument("--threads", default="1")
    options = parser.parse_args()
    tool = shlex.split(options.edgetwin)
    failed = False
    print(f"BERT-Base, length {LENGTH}, {options.threads} thread(s); the limit for the classifier in fp32 is {LIMIT}\n")
    print("| head | precision | batch | weights, MB | activations, MB | peak, MB | peak / planned |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        description, model = os.path.join(scratch, "base.json"), os.path.join(scratch, "model")
        with open(description, "w", encoding="utf-8") as file:
            json.dump(BERT_BASE, file)
        peak([*tool, "init", "--architecture", description, "--labels", "2", "--masked-language-model", "--output", model], scratch)
        for head in options.heads:
            for precision in options.precisions:
                for batch in options.batches:
                    inputs = os.path.join(scratch, "inputs.jsonl")
                    with open(inputs, "w", encoding="utf-8") as file:
                        for row in range(int(batch)):
                            ids = [(row * 7919 + column * 104729 + 101) % 30522 for column in range(LENGTH)]
                            file.write(json.dumps({"id": row, "input_ids": ids}) + "\n")
                    try:
                        most, said = peak(
                            [*tool, "infer", "--verbose", "--model", model, "--input", inputs, "--head", head, "--precision", precision,
                             "--batch-size", batch, "--threads", options.threads], scratch)
                    except RuntimeError as error:
                        if precision == "fp32" or "no 8-bit dot products" not in str(error):
                            raise
                        continue
                    weights, activations = map(int, re.search(r"weights (\d+) bytes, activations (\d+) bytes", said).groups())
                    ratio = most / (weights + activations)
                    failed |= head == "classifier" and precision == "fp32" and ratio > LIMIT
                    print(f"| {head} | {precision} | {batch} | {weights / 1e6:.1f} | {activations / 1e6:.1f} | {most / 1e6:.1f} | "
                          f"{ratio:.3f} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
