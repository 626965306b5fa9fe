#!/usr/bin/env python3
"""What `edgetwin tokenizer train` writes, read by Hugging Face's transformers (AutoTokenizer) and compared with what `edgetwin infer` makes of the same texts.

A model of one layer with the tokeniser's vocabulary is made; a text and the ids that Hugging Face gives for it must have the same answer, to the bit.

usage: hugging_face_reads.py   (needs transformers, EDGETWIN_DATA, and the tool: make build, or EDGETWIN)
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

from transformers import AutoTokenizer

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "training"))
from recipes import data, tool  # noqa: E402


def run(*arguments, text=None):
    return subprocess.run([tool(), *map(str, arguments)], input=text, capture_output=True, text=True, check=True).stdout


def main():
    corpus = os.path.join(data(), "text", "us_inaugural.txt")
    with open(corpus, encoding="utf-8") as file:
        texts = [line.rstrip("\n") for line in file if line.strip()][:200]
    failures = 0
    for kind in ("wordpiece", "bpe"):
        with tempfile.TemporaryDirectory() as folder:
            run("tokenizer", "train", "--corpus", corpus, "--vocabulary-size", 3000, "--kind", kind, "--output", folder + "/t")
            architecture = {"schema": "edgetwin.architecture/1", "vocabulary_size": 3000, "maximum_positions": 512, "type_vocabulary_size": 2,
                            "position": "absolute", "layers": [{"hidden_size": 8, "heads": ["sa_sdp"], "feed_forward": [8]}]}
            with open(folder + "/a.json", "w", encoding="utf-8") as file:
                json.dump(architecture, file)
            run("init", "--architecture", folder + "/a.json", "--seed", 1, "--output", folder + "/m")
            for path in glob.glob(folder + "/t/*"):
                shutil.copy(path, folder + "/m")
            theirs = AutoTokenizer.from_pretrained(folder + "/t")
            lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)]
            ids = [json.dumps({"id": i, "input_ids": theirs(text, truncation=True, max_length=512)["input_ids"]}) for i, text in enumerate(texts)]
            answers = [run("infer", "--model", folder + "/m", "--input", "-", "--head", "mean", text="\n".join(part) + "\n").splitlines()
                       for part in (lines, ids)]
            wrong = sum(a != b for a, b in zip(*answers))
            failures += wrong + (len(answers[0]) != len(texts))
            print(f"{kind}: {type(theirs).__name__}, {len(theirs)} tokens; {wrong} of {len(texts)} texts differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
