#!/usr/bin/env python3
"""Own pre-training on the shared text, then SST-2 by whole sentences: dev accuracy against tf-idf with logistic regression on the same rows.

Everything is counted in: tokeniser, pre-training, fine-tuning. The corpus is the books, speeches and articles of $EDGETWIN_DATA/text and the
training sentences (without their labels), which are repeated, since they are the domain.

usage: small_model.py [--steps N] [--seeds 1,2,3] [--threads 2] [--keep FOLDER]   (needs scikit-learn; EDGETWIN_DATA)
"""
import argparse
import glob
import json
import os
import statistics
import tempfile
import time

from recipes import data, rows, run, score, table

VOCABULARY = 8192
ARCHITECTURE = {
    "schema": "edgetwin.architecture/1", "vocabulary_size": VOCABULARY, "maximum_positions": 128, "type_vocabulary_size": 2,
    "position": "absolute", "layers": [{"hidden_size": 192, "heads": ["sa_sdp"] * 4, "feed_forward": [768]}] * 4,
}


def baseline():
    """The best of several strengths of regularisation, chosen on dev, which favours it."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, dev = rows("sst2", "train"), rows("sst2", "dev")
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    x, y = words.fit_transform([r[0] for r in train]), words.transform([r[0] for r in dev])
    return max(LogisticRegression(C=c, max_iter=2000).fit(x, [r[2] for r in train]).score(y, [r[2] for r in dev])
               for c in (1, 3, 10, 30, 100))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--rate", default="2e-3")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--architecture")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--tuning-rate", default="5e-4")
    parser.add_argument("--tuning-dropout", default="0.4")
    parser.add_argument("--tuning-decay", default="0.1")
    parser.add_argument("--pooling", default="mean")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    corpus = os.path.join(folder, "corpus.txt")
    with open(corpus, "w", encoding="utf-8") as file:
        for path in sorted(glob.glob(os.path.join(data(), "text", "*.txt"))):
            with open(path, encoding="utf-8") as text:
                file.writelines(line for line in text if line.strip())
        for _ in range(options.repeats):
            file.writelines(text + "\n" for text, _, _ in rows("sst2", "train"))
    architecture = options.architecture or os.path.join(folder, "architecture.json")
    if not options.architecture:
        with open(architecture, "w", encoding="utf-8") as file:
            json.dump(ARCHITECTURE, file)
    begin = time.perf_counter()
    run("tokenizer", "train", "--corpus", corpus, "--vocabulary-size", VOCABULARY, "--kind", "wordpiece", "--output", folder + "/tokenizer")
    tokenised = time.perf_counter()
    run("pretrain", "--corpus", corpus, "--architecture", architecture, "--tokenizer", folder + "/tokenizer", "--steps", options.steps,
        "--batch-size", options.batch_size, "--sequence-length", options.length, "--learning-rate", options.rate, "--dropout", 0,
        "--threads", options.threads, "--seed", 1, "--output", folder + "/pretrained")
    pretrained = time.perf_counter()
    scores, seconds = [], []
    for seed in options.seeds.split(","):
        start = time.perf_counter()
        run("finetune", "--model", folder + "/pretrained", "--task", "sst2", "--train", table("sst2", "train"), "--epochs", options.epochs,
            "--learning-rate", options.tuning_rate, "--dropout", options.tuning_dropout, "--weight-decay", options.tuning_decay,
            "--pooling", options.pooling, "--threads", options.threads, "--seed", seed, "--output", f"{folder}/tuned{seed}")
        seconds.append(time.perf_counter() - start)
        scores.append(score(f"{folder}/tuned{seed}", "sst2", table("sst2", "dev"))["metrics"]["accuracy"])
    with open(folder + "/pretrained/log.jsonl", encoding="utf-8") as file:
        losses = [json.loads(line)["loss"] for line in file][-200:]
    total = pretrained - begin + statistics.mean(seconds)
    print(f"tokeniser {tokenised - begin:.0f} s, pre-training {pretrained - tokenised:.0f} s (masked-LM loss {statistics.mean(losses):.3f}), "
          f"fine-tuning {statistics.mean(seconds):.0f} s; {total / 60:.1f} min in all")
    own = baseline()
    print("| | dev accuracy |\n| --- | --- |")
    print(f"| ours, mean of {len(scores)} seeds ({' '.join(f'{s:.4f}' for s in scores)}) | {statistics.mean(scores):.4f} |")
    print(f"| tf-idf and logistic regression | {own:.4f} |")


if __name__ == "__main__":
    main()
