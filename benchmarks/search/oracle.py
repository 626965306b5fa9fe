"""The black box: `edgetwin evaluate`, asked a line at a time, and what a candidate is for a peer."""

import json
import subprocess
import time

LAYER_COUNTS = 6
HIDDEN, STACKS, HEADS = 4, 258, 21805
MAXIMUM_LAYERS = 12


class Oracle:
    """One problem. Keeps every trial, with the wall time that had passed."""

    def __init__(self, tool, problem, box):
        self.process = subprocess.Popen(
            [tool, "evaluate", "--problem", problem], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.objectives = box["objectives"]
        self.directions = [-1.0 if name == "accuracy" else 1.0 for name in self.objectives]
        self.is_scalar = box["scalar"]
        self.devices = None
        with open(problem) as file:
            for line in file:
                if line.startswith("devices:"):
                    self.devices = [d.strip() for d in line.split("[")[1].split("]")[0].split(",")]
        self.trials = []
        self.start = time.perf_counter()

    # What a peer is given: integers, each with its number of values, and the device as one more.
    @property
    def sizes(self):
        sizes = [LAYER_COUNTS] + [HIDDEN, STACKS, HEADS] * MAXIMUM_LAYERS
        return sizes + ([len(self.devices)] if len(self.devices) > 1 else [])

    @property
    def is_categorical(self):
        return [False] * (1 + 3 * MAXIMUM_LAYERS) + ([True] if len(self.devices) > 1 else [])

    def __call__(self, vector):
        """Values to be minimised (the scalar alone where the problem has one), and the violation of the budgets, 0 where feasible."""
        vector = [int(v) for v in vector]
        layers = 2 * (vector[0] + 1)
        embedding = vector[:1 + 3 * layers] + [0] * (3 * (MAXIMUM_LAYERS - layers))
        device = self.devices[vector[37] if len(self.devices) > 1 else 0]
        self.process.stdin.write(json.dumps({"embedding": embedding, "device": device}) + "\n")
        answer = json.loads(self.process.stdout.readline())
        if answer["error"]:
            raise RuntimeError(answer["error"])
        values = [answer["values"][name] for name in self.objectives]
        self.trials.append({
            "seconds": time.perf_counter() - self.start, "values": values, "scalar": answer["scalar"],
            "feasible": answer["feasible"]})
        violation = 0.0 if answer["feasible"] else max(answer.get("violation") or 0.0, 1e-3)
        if self.is_scalar:
            return [answer["scalar"]], violation
        return [sign * value for sign, value in zip(self.directions, values)], violation

    def close(self):
        self.process.stdin.close()
        self.process.wait()
