"""What the scripts of this folder share: running the tool, reading tables, and the recipes that both sides train by."""
import json
import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MINILM = os.path.join(ROOT, "benchmarks", ".cache", "minilm")
# Of accuracy.md: learning rate and epochs by task, mean pooling, batches of 32.
RECIPES = {
    "sst2": {"folder": "SST-2-sentences", "epochs": 3, "rate": 1e-4, "metric": "accuracy"},
    "cola": {"folder": "CoLA", "epochs": 3, "rate": 5e-5, "metric": "matthews"},
    "stsb": {"folder": "STS-B", "epochs": 2, "rate": 1e-4, "metric": "spearman"},
}
BATCH = 32
LENGTH = 128


def data():
    return os.environ.get("EDGETWIN_DATA") or sys.exit("set EDGETWIN_DATA to the folder with the shared data")


def table(task, part):
    return os.path.join(data(), "glue", RECIPES[task]["folder"], part + ".tsv")


def rows(task, part):
    """Lists of (text, pair or None, label)."""
    with open(table(task, part), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    header, lines = lines[0], lines[1:]
    label = header.index("score" if task == "stsb" else "label")
    texts = [header.index(name) for name in (("sentence1", "sentence2") if "sentence1" in header else ("sentence",))]
    return [(line[texts[0]], line[texts[1]] if len(texts) > 1 else None,
             float(line[label]) if task == "stsb" else int(line[label])) for line in lines]


def tool():
    found = os.environ.get("EDGETWIN")
    if not found:
        place = subprocess.run(["swift", "build", "-c", "release", "--show-bin-path"], cwd=ROOT, capture_output=True, text=True, check=True)
        found = os.path.join(place.stdout.strip(), "edgetwin")
    if not os.access(found, os.X_OK):
        sys.exit(f"no tool at {found}: run make build, or name it by EDGETWIN")
    return found


def run(*arguments):
    """Runs the tool; its standard output."""
    done = subprocess.run([tool(), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"edgetwin {' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def score(model, task, path, threads=2):
    return json.loads(run("score", "--model", model, "--task", task, "--data", path, "--threads", threads, "--format", "json"))
