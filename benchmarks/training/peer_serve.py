#!/usr/bin/env python3
"""PyTorch as a contender of peers.py: a process that loads a model and batches, and trains on standard input and output.

 {"model": DIR, "head": "mlm" | "mean", "data": FILE, "threads": T, "dropout": P, "seed": S, …}   loads; answers {"contender", …}
 train COUNT PEAK WARM-UP TOTAL   so many steps, linear warm-up and decay; answers {"seconds": […], "losses": […]}
 evaluate                         {"loss", "items"}: mean loss of the held-out batches without dropout
 quit

With "tune": true, whatever ways of training it has are tried at load (fused attention or not, fused AdamW or not, and compiled), and the
fastest serves, from fresh weights. Runs in PyTorch 1.13 and 2.x.
"""
import json
import os
import statistics
import sys
import time

import torch

import peer_model


def rate(step, peak, warm_up, total):
    if step < warm_up:
        return peak * step / warm_up
    return peak * (total - step) / max(total - warm_up, 1) if step < total else 0.0


class Trainer:
    def __init__(self, request, fused_attention, fused_adam, compiled):
        torch.manual_seed(request["seed"])
        self.request = request
        self.model = peer_model.Bert(request["model"], request["head"], request["dropout"], fused_attention).train()
        self.adam = peer_model.optimiser(self.model, request, fused_adam)
        self.call = torch.compile(self.model, dynamic=request["head"] != "mlm") if compiled else self.model
        self.parameters = list(self.model.parameters())
        self.steps = 0

    def step(self, batch, learning_rate):
        for group in self.adam.param_groups:
            group["lr"] = learning_rate
        self.adam.zero_grad(set_to_none=True)
        loss = self.call(*batch[:4])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.request["maximum_gradient_norm"])
        self.adam.step()
        self.steps += 1
        return loss.item()


def fastest(request, batches):
    """The quickest way of training; every one is warmed up, then they go in turn."""
    modern = hasattr(torch.nn.functional, "scaled_dot_product_attention")
    ways = [(False, False, False)]
    if modern:
        ways += [(True, False, False), (False, True, False), (True, True, False)]
        if not os.environ.get("PEERS_NO_COMPILE"):
            ways += [(False, True, True), (True, True, True)]
    failures, tried = {}, {}

    def name(way):
        return ", ".join(
            text for text, on in zip(("fused attention", "fused AdamW", "compiled"), way) if on) or "plain"

    ready = []
    for way in ways:
        try:
            trainer = Trainer(request, *way)
            for batch in batches:
                trainer.step(batch, 0.0)
            ready.append((way, trainer))
        except Exception as error:  # a way that this build lacks is no way for this build
            failures[name(way)] = f"{type(error).__name__}: {error}"[:200]
    for _ in range(2):
        for way, trainer in ready:
            for batch in batches:
                begin = time.perf_counter()
                trainer.step(batch, 0.0)
                tried.setdefault(way, []).append(time.perf_counter() - begin)
    best = min(tried, key=lambda way: statistics.median(tried[way]))
    return best, {name(way): statistics.median(times) for way, times in tried.items()}, failures, name(best)


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    trainer, train, held_out = None, [], []
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        if words[0] == "quit":
            break
        if words[0] == "train":
            count, peak, warm_up, total = int(words[1]), float(words[2]), int(words[3]), int(words[4])
            seconds, losses = [], []
            for _ in range(count):
                batch = train[trainer.steps % len(train)]
                begin = time.perf_counter()
                losses.append(trainer.step(batch, rate(trainer.steps, peak, warm_up, total)))
                seconds.append(time.perf_counter() - begin)
            answer({"seconds": seconds, "losses": losses})
        elif words[0] == "evaluate":
            trainer.model.eval()
            with torch.no_grad():
                total = sum(trainer.model(*batch[:4]).item() * batch[4] for batch in held_out)
            trainer.model.train()
            items = sum(batch[4] for batch in held_out)
            answer({"loss": total / items, "items": items})
        else:
            request = json.loads(line)
            torch.set_num_threads(request["threads"])
            train, held_out = peer_model.read(request["data"])
            way, about = (True, True, False), {}
            if request.get("tune"):
                way, tried, failures, chosen = fastest(request, train[:2])
                about = {"tried": tried, "not_possible": failures, "chosen": chosen}
            elif not hasattr(torch.nn.functional, "scaled_dot_product_attention"):
                way = (False, False, False)
            trainer = Trainer(request, *way)
            for batch in train if way[2] else []:  # compiled anew for each shape
                trainer.step(batch, 0.0)
            trainer.steps = 0
            answer({"contender": "PyTorch", "version": torch.__version__, **about})


if __name__ == "__main__":
    main()
