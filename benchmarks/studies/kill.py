#!/usr/bin/env python3
"""Kills `edgetwin explore --study`, `study run`, `study tell` and `refine` at random moments, goes on, and compares with what was never killed.

  benchmarks/studies/kill.py EDGETWIN [--kills 100] [--evaluations 200000] [--seed 1] [--parts explore,refine,run,tell]

After every kill SQLite's own `PRAGMA integrity_check` must pass, by Python's sqlite3, not by this project's code. A resumed study must have the
same trials, the same front, the same finalists and the same state of its search, byte for byte, and print the same front. A refinement keeps
its tree in a folder: the resumed one must hold the same tree, drawing and selected model, byte for byte.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

PROBLEM = """schema: edgetwin.problem/1
space: flexibert2
devices: [rpi4-cpu, m1-pro-gpu, jetson-nano-cpu]
objectives:
  - {name: accuracy, direction: maximize}
  - {name: latency_s, direction: minimize}
  - {name: energy_j, direction: minimize}
budgets: {max_latency_s: 20}
"""


def contents(path):
    """All that a study is, without what tells the time."""
    database = sqlite3.connect(path)
    tables = {
        "trials": "SELECT number, device, point, state, accuracy, latency_s, energy_j, peak_power_w, parameters, scalar, feasible,"
        " violation, error, told FROM trial ORDER BY number",
        "front": "SELECT trial FROM front ORDER BY trial",
        "counts": "SELECT trials, complete, failed, feasible, best_trial, sampler_state, sampler_told FROM study",
        "documents": "SELECT * FROM document ORDER BY kind, name, part",
        "searches": "SELECT part, evaluations FROM search ORDER BY part",
    }
    found = {name: database.execute(query).fetchall() for name, query in tables.items()}
    database.close()
    return found


def check(path):
    """The file as the killed process left it."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return
    database = sqlite3.connect(path)
    answer = database.execute("PRAGMA integrity_check").fetchall()
    database.close()
    if answer != [("ok",)]:
        sys.exit(f"FAILED: {path}: integrity_check says {answer}")


def killed(command, after, stdin=None):
    """Runs a command and kills it after so many seconds. True where it was killed before its end."""
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return process.returncode == -signal.SIGKILL


def timed(command, stdin=None):
    start = time.monotonic()
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    result = subprocess.run(command, stdin=source, capture_output=True)
    if result.returncode != 0:
        sys.exit(f"FAILED: {' '.join(command)}: {result.returncode}: {result.stderr.decode()}")
    return result.stdout, time.monotonic() - start


class StudyFile:
    """A study as it is killed and compared."""

    def __init__(self, make=lambda path: None, prints_path=False):
        self.make, self.prints_path = make, prints_path

    def start(self, path):
        self.make(path)

    def remove(self, path):
        for suffix in ["", "-wal", "-shm"]:
            if os.path.exists(path + suffix):
                os.remove(path + suffix)

    check = staticmethod(check)
    contents = staticmethod(contents)

    def printed(self, output):
        # Where a text begins with the study's name and date, the rest is compared.
        return output.split(b"\n")[self.prints_path:]

    def size(self, found):
        return f"{found['counts'][0][0]} | {len(found['front'])}"

    verdict = "all equal, integrity_check ok"


class RefinementFolder:
    """A refinement's folder."""

    FILES = ["tree.jsonl", "tree.svg", "best/model.safetensors", "best/config.json", "best/vocab.txt"]
    verdict = "all equal"

    def start(self, path):
        pass

    def remove(self, path):
        shutil.rmtree(path, ignore_errors=True)

    def check(self, path):
        # What is there after a kill is whole: lines of JSON, or nothing yet.
        tree = os.path.join(path, "tree.jsonl")
        if os.path.exists(tree):
            with open(tree) as file:
                for line in file:
                    json.loads(line)

    def contents(self, path):
        found = {}
        for name in self.FILES:
            with open(os.path.join(path, name), "rb") as file:
                found[name] = file.read()
        return found

    def printed(self, output):
        return output

    def size(self, found):
        return f"{len(found['tree.jsonl'].splitlines())} | –"


def rounds(name, kills, draws, folder, kept, command, stdin=None):
    """Kills in round after round until there are enough; what each left is resumed to its end and compared."""
    reference = os.path.join(folder, f"{name}-reference")
    kept.start(reference)
    output, seconds = timed(command(reference), stdin)
    expected = kept.contents(reference)
    done, number = 0, 0
    while done < kills:
        number += 1
        path = os.path.join(folder, f"{name}-{number}")
        kept.start(path)
        # Up to three kills of one, each anywhere in what is left of it, its very beginning and end included.
        for _ in range(draws.choice([1, 1, 2, 3])):
            if done == kills or not killed(command(path), draws.uniform(0, seconds * 1.02), stdin):
                break
            done += 1
            kept.check(path)
        resumed, _ = timed(command(path), stdin)
        kept.check(path)
        found = kept.contents(path)
        for part in expected:
            if found[part] != expected[part]:
                sys.exit(f"FAILED: {path}: {part} differ from those of what was not killed")
        if kept.printed(resumed) != kept.printed(output):
            sys.exit(f"FAILED: {path}: prints another result than what was not killed")
        kept.remove(path)
    print(f"| {name} | {done} | {number} | {seconds:.2f} | {kept.size(expected)} | {kept.verdict} |", flush=True)


LAYER = '{"hidden_size":32,"heads":["sa_sdp","%s"],"feed_forward":[64]}'
ARCHITECTURE = (
    '{"schema":"edgetwin.architecture/1","vocabulary_size":80,"maximum_positions":24,"type_vocabulary_size":2,'
    '"position":"absolute","layers":[' + LAYER % "sa_wma" + "," + LAYER % "c_5" + "]}\n")
PROFILE = """schema: edgetwin.refinement/1
children: 2
rounds: 3
importance_batches: 2
batch_size: 16
root: {steps: 60, learning_rate: 3.0e-3}
grow_heads: {steps: 5}
grow_feed_forward: {steps: 5, width: 8}
prune_heads: {steps: 5, count: 1}
approach: {rounds: 2, recovery_steps: 5, steps: 20, learning_rate: 1.0e-3, neurons: 8}
"""


def refinement(tool, folder):
    """A small model and its data; the command that refines it into a folder."""
    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    sounds = [("cat", "meow"), ("dog", "woof"), ("cow", "moo"), ("duck", "quack")]
    texts = []
    for index in range(300):
        animal, sound = sounds[index * 7 % 4]
        texts.append(f"{['the', 'a', 'this'][index % 3]} {animal} {['says', 'said'][index // 3 % 2]} {sound}")
    rows = [f"{text}\t{int('cat' in text or 'dog' in text)}\n" for text in texts]
    model = os.path.join(folder, "model")
    train = write("train.tsv", "sentence\tlabel\n" + "".join(rows[:200]))
    dev = write("dev.tsv", "sentence\tlabel\n" + "".join(rows[200:]))
    profile = write("profile.yaml", PROFILE)
    corpus, architecture = write("corpus.txt", "\n".join(texts) + "\n"), write("a.json", ARCHITECTURE)
    timed([tool, "tokenizer", "train", "--corpus", corpus, "--vocabulary-size", "80", "--kind", "wordpiece", "--output", model])
    timed([tool, "init", "--architecture", architecture, "--seed", "1", "--output", model])
    return lambda path: [
        tool, "refine", model, "--device", "rpi4-cpu", "--runtime", "native", "--task", "sst2", "--train", train, "--dev", dev,
        "--max-latency", "1s", "--profile", profile, "--seed", "1", "--pooling", "mean", "--format", "jsonl", "--resume",
        "--output", path]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edgetwin")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--evaluations", type=int, default=200_000)
    parser.add_argument("--trials", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sampler", default="nsga2", help="of study run, which is killed a quarter as often; so is study tell")
    parser.add_argument("--parts", default="explore,refine,run,tell")
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    tool = os.path.abspath(arguments.edgetwin)
    draws = random.Random(arguments.seed)
    fewer = max(arguments.kills // 4, 1)
    print("| killed | kills | resumed | seconds without a kill | trials or nodes | front | resumed against never killed |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        problem = os.path.join(folder, "p.yaml")
        with open(problem, "w") as file:
            file.write(PROBLEM)

        if "explore" in parts:
            # The study itself is made by the command that is killed.
            rounds(
                "explore", arguments.kills, draws, folder, StudyFile(),
                lambda path: [
                    tool, "explore", "--study", path, "--problem", problem, "--seed", "3", "--evaluations",
                    str(arguments.evaluations), "--format", "jsonl"
                ])

        if "refine" in parts:
            rounds("refine", arguments.kills, draws, folder, RefinementFolder(), refinement(tool, folder))

        def copied(original):
            def copy(path):
                with sqlite3.connect(original) as source, sqlite3.connect(path) as target:
                    source.backup(target)
            return copy

        if "run" in parts:
            made = os.path.join(folder, "made.db")
            timed([tool, "study", "create", made, "--problem", problem, "--seed", "6", "--sampler", arguments.sampler])
            rounds(
                f"study run, {arguments.sampler}", fewer, draws, folder, StudyFile(copied(made), prints_path=True),
                lambda path: [tool, "study", "run", path, "--trials", "1000", "--batch", "5"])

        if "tell" in parts:
            asked = os.path.join(folder, "asked.db")
            timed([tool, "study", "create", asked, "--problem", problem, "--seed", "5"])
            questions, _ = timed([tool, "study", "ask", asked, "--count", str(arguments.trials)])
            lines = os.path.join(folder, "answers.jsonl")
            with open(lines, "w") as file:
                for row in questions.decode().splitlines():
                    trial = json.loads(row)["trial"]
                    spread = random.Random(trial)
                    values = {
                        "accuracy": spread.uniform(60, 85), "latency_s": spread.uniform(0.01, 30),
                        "energy_j": spread.uniform(0.1, 40)}
                    state = "failed" if trial % 50 == 7 else "complete"
                    file.write(json.dumps({"trial": trial, "state": state, "values": values}) + "\n")
            rounds(
                "study tell", fewer, draws, folder, StudyFile(copied(asked)), lambda path: [tool, "study", "tell", path],
                lines)


if __name__ == "__main__":
    main()
