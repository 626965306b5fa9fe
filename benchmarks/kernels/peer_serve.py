#!/usr/bin/env python3
"""One contender of peers.py: a process that loads a model and answers on stdin and stdout.

 {"model": DIR, "batch": B, "length": L, "threads": T, "precision": "fp32", "files": [X.onnx, …]}   loads; answers {"contender", …}
 run N       answers a JSON list of N seconds, one a call of the whole model
 logits      answers the logits of the same tokens, a list of rows
 quit

usage: peer_serve.py onnxruntime | torch
Every peer is at its best: whatever ways of running the model it has are tried at load, and the fastest serves. ONNX Runtime
tries every file it is given, PyTorch plain, traced and frozen, and (2.x) compiled with frozen weights.
"""
import json
import os
import statistics
import sys
import time

import numpy as np

LOAD_TRIES, LOAD_SECONDS = 5, 2.0


def tokens(vocabulary, batch, length):
    """The same tokens for every contender: no two rows alike."""
    return (np.arange(batch)[:, None] * 7919 + np.arange(length)[None, :] * 104729 + 101) % vocabulary


def timed(call, count):
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return seconds


def fastest(calls):
    """(name, call) of the fastest; the first ones are warmed up as much as the last. Models that take long are tried less often."""
    warm = min(timed(call, 1)[-1] for _ in range(2) for _, call in calls)
    times = {name: [] for name, _ in calls}
    for _ in range(max(1, min(LOAD_TRIES, int(LOAD_SECONDS / (2 * warm))))):
        for name, call in calls:
            times[name] += timed(call, 2)
    best = min(calls, key=lambda pair: statistics.median(times[pair[0]]))
    return best[0], best[1], {name: statistics.median(values) for name, values in times.items()}


def load_onnxruntime(request):
    import onnxruntime

    calls = []
    for path in request["files"]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        ids = tokens(request["vocabulary_size"], request["batch"], request["length"]).astype(np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        feeds = {entry.name: feeds[entry.name] for entry in session.get_inputs()}
        calls.append((os.path.basename(path), lambda session=session, feeds=feeds: session.run(None, feeds)[0]))
    name, call, tried = fastest(calls)
    return {"version": onnxruntime.__version__, "chosen": name, "tried": tried}, call


def load_torch(request):
    import torch

    import peer_torch

    torch.set_num_threads(request["threads"])
    torch.set_grad_enabled(False)
    model = peer_torch.open_model(request["model"]).eval()
    ids = torch.from_numpy(tokens(request["vocabulary_size"], request["batch"], request["length"]).astype(np.int64))
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    candidates = [("plain", model)]
    failures = {}

    def attempt(name, make):
        try:
            made = make()
            made(*inputs)
            candidates.append((name, made))
        except Exception as error:  # a way that this build lacks is no way for this build
            failures[name] = f"{type(error).__name__}: {error}"[:200]

    attempt("traced", lambda: torch.jit.freeze(torch.jit.trace(model, inputs)))
    attempt("traced, optimised for inference", lambda: torch.jit.optimize_for_inference(torch.jit.trace(model, inputs)))
    if hasattr(torch, "compile") and not os.environ.get("PEERS_NO_COMPILE"):
        import torch._inductor.config

        torch._inductor.config.freezing = True
        attempt("compiled", lambda: torch.compile(model))

    def caller(module):
        def call():
            with torch.inference_mode():
                return module(*inputs)
        return call

    name, call, tried = fastest([(name, caller(module)) for name, module in candidates])
    about = {"version": torch.__version__, "chosen": name, "tried": tried, "not_possible": failures}
    return about, lambda: call().numpy()


def main():
    kind = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    call = None
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        if words[0] == "quit":
            break
        if words[0] == "run":
            answer(timed(call, int(words[1])))
        elif words[0] == "logits":
            answer(np.asarray(call(), dtype=np.float64).tolist())
        else:
            request = json.loads(line)
            about, call = {"onnxruntime": load_onnxruntime, "torch": load_torch}[kind](request)
            answer({"contender": kind, **about})


if __name__ == "__main__":
    main()
