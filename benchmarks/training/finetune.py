#!/usr/bin/env python3
"""The real MiniLM fine-tuned by us and by PyTorch with the same recipe: dev scores, seconds, a row a task and seed.

AdamW (epsilon 1e-6, weight decay 0.01 but for biases and norms), 10 % warm-up, linear decay, clip 1, dropout 0.1, batches of 32 rows, the mean of
the last layer into the classifier. Rows, tokens and number of steps are the same; shuffles, fresh classifiers and dropout are each side's own.
A standard error is the dev set's: of a share, or of a correlation (Fisher's z).

With --work, models and scores stay in that folder: what was stopped goes on, what is done is not done again (seconds are then of the last stretch).

usage: finetune.py [--tasks sst2,cola,stsb] [--seeds 1,2,3] [--peer-seeds 1,2,3] [--threads 2] [--pooling mean] [--work DIR]
(needs benchmarks/kernels/setup.sh, scikit-learn and scipy; EDGETWIN_DATA)
"""
import argparse
import json
import math
import os
import shutil
import statistics
import sys
import tempfile
import time

from recipes import BATCH, LENGTH, MINILM, RECIPES, rows, run, score, table


def standard_error(task, value, count):
    if RECIPES[task]["metric"] == "accuracy":
        return math.sqrt(value * (1 - value) / count)
    return (1 - value * value) / math.sqrt(count - 3)


def ours(task, seed, threads, pooling, folder):
    begin = time.perf_counter()
    run("finetune", "--model", MINILM, "--task", task, "--train", table(task, "train"), "--epochs", RECIPES[task]["epochs"],
        "--learning-rate", RECIPES[task]["rate"], "--batch-size", BATCH, "--sequence-length", LENGTH, "--pooling", pooling,
        "--threads", threads, "--seed", seed, "--output", folder, "--resume")
    seconds = time.perf_counter() - begin
    return score(folder, task, table(task, "dev"), threads)["metrics"][RECIPES[task]["metric"]], seconds


def theirs(task, seed, threads):
    import torch
    from scipy.stats import spearmanr
    from sklearn.metrics import accuracy_score, matthews_corrcoef
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertModel

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    tokenizer = BertWordPieceTokenizer(MINILM + "/vocab.txt", lowercase=True)
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)

    class Classifier(torch.nn.Module):
        def __init__(self, labels):
            super().__init__()
            self.bert = BertModel.from_pretrained(MINILM, add_pooling_layer=False, attn_implementation="sdpa")
            self.drop = torch.nn.Dropout(0.1)
            self.out = torch.nn.Linear(self.bert.config.hidden_size, labels)
            torch.nn.init.normal_(self.out.weight, std=0.02)
            torch.nn.init.zeros_(self.out.bias)

        def forward(self, ids, mask, types):
            hidden = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
            kept = mask.unsqueeze(-1).to(hidden.dtype)
            return self.out(self.drop((hidden * kept).sum(1) / kept.sum(1)))

    def load(part):
        table = rows(task, part)
        encoded = [tokenizer.encode(text, pair) for text, pair, _ in table]
        return [(e.ids, e.type_ids) for e in encoded], [label for _, _, label in table]

    def batch(encoded, chosen):
        longest = max(len(encoded[i][0]) for i in chosen)
        pad = lambda values: values + [0] * (longest - len(values))
        ids = torch.tensor([pad(encoded[i][0]) for i in chosen])
        mask = torch.tensor([pad([1] * len(encoded[i][0])) for i in chosen])
        return ids, mask, torch.tensor([pad(encoded[i][1]) for i in chosen])

    train, labels = load("train")
    dev, expected = load("dev")
    model = Classifier(1 if task == "stsb" else 2)
    plain = [p for n, p in model.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    decayed = [p for n, p in model.named_parameters() if not (n.endswith("bias") or "LayerNorm" in n)]
    rate = RECIPES[task]["rate"]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=rate, eps=1e-6)
    per_epoch = (len(train) + BATCH - 1) // BATCH
    total = per_epoch * RECIPES[task]["epochs"]
    warm_up = round(0.1 * total)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: s / warm_up if s < warm_up else max(0.0, (total - s) / (total - warm_up)))
    begin = time.perf_counter()
    model.train()
    for epoch in range(RECIPES[task]["epochs"]):
        order = torch.randperm(len(train)).tolist()
        # Buckets, so that PyTorch pads little: batches of rows of like length, in a random order.
        chunks = [sorted(order[i:i + 50 * BATCH], key=lambda j: len(train[j][0])) for i in range(0, len(order), 50 * BATCH)]
        batches = [chunk[i:i + BATCH] for chunk in chunks for i in range(0, len(chunk), BATCH)]
        for place in torch.randperm(len(batches)).tolist():
            chosen = batches[place]
            logits = model(*batch(train, chosen))
            if task == "stsb":
                loss = torch.nn.functional.mse_loss(logits.squeeze(-1), torch.tensor([labels[i] for i in chosen]))
            else:
                loss = torch.nn.functional.cross_entropy(logits, torch.tensor([labels[i] for i in chosen]))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    seconds = time.perf_counter() - begin
    model.eval()
    predicted = []
    with torch.no_grad():
        for start in range(0, len(dev), BATCH):
            logits = model(*batch(dev, list(range(start, min(start + BATCH, len(dev))))))
            predicted += logits.squeeze(-1).tolist() if task == "stsb" else logits.argmax(-1).tolist()
    metric = {"accuracy": accuracy_score, "matthews": matthews_corrcoef, "spearman": lambda a, b: spearmanr(a, b)[0]}
    return float(metric[RECIPES[task]["metric"]](expected, predicted)), seconds


def kept(work, name, make):
    """(score, seconds) of one training, from the folder of kept results where it is there."""
    path = work and os.path.join(work, name + ".json")
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return tuple(json.load(file))
    found = make()
    print(f"{name}: {found[0]:.4f} in {found[1]:.0f} s", file=sys.stderr, flush=True)
    if path:
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(found, file)
        os.replace(path + ".part", path)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", default="sst2,cola,stsb")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--peer-seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pooling", default="mean")
    parser.add_argument("--work")
    options = parser.parse_args()
    if options.work:
        os.makedirs(options.work, exist_ok=True)
    print("| task | metric | seeds, ours | mean, ours | seconds | seeds, PyTorch | mean, PyTorch | seconds | standard error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for task in options.tasks.split(","):
        own, peer = [], []
        for seed in filter(None, options.seeds.split(",")):
            name = f"{task}-{seed}" + ("" if options.pooling == "mean" else f"-{options.pooling}")
            folder = os.path.join(options.work, name) if options.work else tempfile.mkdtemp()
            own.append(kept(options.work, name, lambda: ours(task, seed, options.threads, options.pooling, folder)))
            if not options.work:
                shutil.rmtree(folder)
        for seed in filter(None, options.peer_seeds.split(",")):
            peer.append(kept(options.work, f"{task}-{seed}-pytorch", lambda: theirs(task, int(seed), options.threads)))
        cells = []
        for results in (own, peer):
            values = [value for value, _ in results]
            cells += [" ".join(f"{v:.4f}" for v in values) or "-", f"{statistics.mean(values):.4f}" if values else "-",
                      f"{statistics.mean(s for _, s in results):.0f}" if results else "-"]
        reference = statistics.mean(value for value, _ in (peer or own))
        error = standard_error(task, reference, len(rows(task, "dev")))
        print(f"| {task} | {RECIPES[task]['metric']} | {' | '.join(cells)} | {error:.4f} |", flush=True)


if __name__ == "__main__":
    main()
