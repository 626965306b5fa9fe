#!/usr/bin/env python3
"""Kills `edgetwin explore --study` and `edgetwin study tell` at random moments, goes on, and compares with what was never killed.

  benchmarks/studies/kill.py EDGETWIN [--kills 100] [--evaluations 200000] [--seed 1]

After every kill SQLite's own `PRAGMA integrity_check` must pass, by Python's sqlite3, not by this project's code. A resumed study must have the
same trials, the same front, the same finalists and the same state of its search, byte for byte, and print the same front.
"""

import argparse
import json
import os
import random
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
        " error, told FROM trial ORDER BY number",
        "front": "SELECT trial FROM front ORDER BY trial",
        "counts": "SELECT trials, complete, failed, feasible, best_trial FROM study",
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


def rounds(name, kills, draws, folder, start, command, stdin=None, prints_path=False):
    """Kills in round after round until there are enough; each round's study is resumed to its end and compared."""
    reference = os.path.join(folder, f"{name}-reference.db")
    start(reference)
    output, seconds = timed(command(reference), stdin)
    expected = contents(reference)
    done, number, late = 0, 0, 0
    while done < kills:
        number += 1
        path = os.path.join(folder, f"{name}-{number}.db")
        start(path)
        # Up to three kills of one study, each anywhere in what is left of it, its very beginning and end included.
        for _ in range(draws.choice([1, 1, 2, 3])):
            if done == kills:
                break
            if killed(command(path), draws.uniform(0, seconds * 1.02), stdin):
                done += 1
                check(path)
            else:
                late += 1
                break
        resumed, _ = timed(command(path), stdin)
        check(path)
        found = contents(path)
        for part in expected:
            if found[part] != expected[part]:
                sys.exit(f"FAILED: {path}: {part} differ from those of the study that was not killed")
        # Where a text begins with the study's name and date, the rest is compared.
        if resumed.split(b"\n")[prints_path:] != output.split(b"\n")[prints_path:]:
            sys.exit(f"FAILED: {path}: prints another result than the study that was not killed")
        for suffix in ["", "-wal", "-shm"]:
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
    counts = expected["counts"][0]
    print(
        f"| {name} | {done} | {number} | {seconds:.2f} | {counts[0]} | {len(expected['front'])} | all equal, integrity_check ok |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edgetwin")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--evaluations", type=int, default=200_000)
    parser.add_argument("--trials", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sampler", default="random")
    arguments = parser.parse_args()
    tool = os.path.abspath(arguments.edgetwin)
    draws = random.Random(arguments.seed)
    print("| killed | kills | studies | seconds without a kill | trials | front | resumed against never killed |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        problem = os.path.join(folder, "p.yaml")
        with open(problem, "w") as file:
            file.write(PROBLEM)

        # The study itself is made by the command that is killed.
        rounds(
            "explore", arguments.kills, draws, folder, lambda path: None,
            lambda path: [
                tool, "explore", "--study", path, "--problem", problem, "--seed", "3", "--evaluations",
                str(arguments.evaluations), "--format", "jsonl"
            ])

        seed = os.path.join(folder, "asked.db")
        timed([tool, "study", "create", seed, "--problem", problem, "--seed", "5"])
        asked, _ = timed([tool, "study", "ask", seed, "--count", str(arguments.trials)])
        lines = os.path.join(folder, "answers.jsonl")
        with open(lines, "w") as file:
            for row in asked.decode().splitlines():
                trial = json.loads(row)["trial"]
                spread = random.Random(trial)
                values = {"accuracy": spread.uniform(60, 85), "latency_s": spread.uniform(0.01, 30), "energy_j": spread.uniform(0.1, 40)}
                state = "failed" if trial % 50 == 7 else "complete"
                file.write(json.dumps({"trial": trial, "state": state, "values": values}) + "\n")

        made = os.path.join(folder, "made.db")
        timed([tool, "study", "create", made, "--problem", problem, "--seed", "6", "--sampler", arguments.sampler])

        def copied(path, original=seed):
            with sqlite3.connect(original) as source, sqlite3.connect(path) as copy:
                source.backup(copy)

        rounds(
            f"study run, {arguments.sampler}", max(arguments.kills // 4, 1), draws, folder, lambda path: copied(path, made),
            lambda path: [tool, "study", "run", path, "--trials", "1000", "--batch", "5"], prints_path=True)

        rounds(
            "study tell", max(arguments.kills // 4, 1), draws, folder, copied, lambda path: [tool, "study", "tell", path], lines)


if __name__ == "__main__":
    main()
