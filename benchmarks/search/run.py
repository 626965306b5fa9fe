"""Samplers and their peers on the same problems: curves with quartiles, ranks, significance, and the white box's time.

    benchmarks/search/run.sh --seeds 20 --evaluations 100,500,5000

Every run is kept in --output as a JSON line (problem, sampler, seed, evaluations, curve), and is not repeated: a long benchmark may be run in
pieces, and stopped at any moment. Every sampler has one core."""

import argparse
import json
import math
import os
import subprocess
import sys
import time

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from scipy import stats  # noqa: E402

sys.path.insert(0, os.path.dirname(__file__))
from oracle import Oracle  # noqa: E402
from peers import MOST, PEERS  # noqa: E402

OURS = [
    "random", "regularized-evolution", "nsga2", "nsga3", "gp", "forest", "gbrt", "boshcode", "boshcode-scaled",
    "screened-evolution"]
OUR_MOST = {"boshcode": 100, "boshcode-scaled": 100, "gbrt": 500, "forest": 500}
DEFAULT = "screened-evolution"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, help="folder of edgetwin and edgetwin-benchmarks")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--evaluations", default="100,500,5000")
    parser.add_argument("--problems", help="comma-separated; by default all seven")
    parser.add_argument("--samplers", help="comma-separated names of ours and peers'; by default all")
    parser.add_argument("--output", default="benchmarks/.cache/search.jsonl")
    parser.add_argument("--best-seconds", type=float, default=30, help="of explore, for the best known front; kept like the runs")
    parser.add_argument("--best-seeds", type=int, default=3, help="runs of explore: the best of them is the best known, the median is its time")
    parser.add_argument("--threads", type=int, default=2, help="of explore")
    parser.add_argument("--minutes", type=float, help="begin no run after so many; what there is by then is reported")
    parser.add_argument("--curves", help="file for the quartiles of every curve (CSV)")
    parser.add_argument("--report-only", action="store_true")
    return parser.parse_args()


def problems(names):
    here = os.path.dirname(__file__)
    found = {}
    for folder in [os.path.join(here, "..", "problems"), os.path.join(here, "problems")]:
        for file in sorted(os.listdir(folder)):
            found[file.removesuffix(".yaml")] = os.path.normpath(os.path.join(folder, file))
    return {name: found[name] for name in (names.split(",") if names else found)}


class Meter:
    """Quality of the first n trials of a run: the share of the box's hypervolume that they dominate, or the best scalar."""

    def __init__(self, box):
        self.box = box
        self.is_scalar = box["scalar"]
        self.low = np.array([self.coordinate(n, v) for n, v in zip(box["objectives"], box["ideal"])])
        self.high = np.array([self.coordinate(n, v) for n, v in zip(box["objectives"], box["reference"])])

    @staticmethod
    def coordinate(name, value):
        return -value if name == "accuracy" else math.log(max(value, 1e-30))

    def curve(self, trials):
        """After some numbers of trials: the number, the quality by then, the seconds that had passed."""
        result, begin, best = [], 0, math.nan
        front = np.empty((0, len(self.low)))
        for n in checkpoints(len(trials)):
            feasible = [t for t in trials[begin:n] if t["feasible"]]
            begin = n
            if self.is_scalar:
                best = min([t["scalar"] for t in feasible] + ([] if math.isnan(best) else [best]), default=math.nan)
            elif feasible:
                rows = np.array([
                    [self.coordinate(n, v) for n, v in zip(self.box["objectives"], t["values"])] for t in feasible])
                rows = (rows - self.low) / (self.high - self.low)
                front = self.nondominated(np.concatenate([front, rows[(rows < 1).all(axis=1)]]))
            result.append([n, best if self.is_scalar else self.volume(front), trials[n - 1]["seconds"]])
        return result

    @staticmethod
    def nondominated(rows):
        """By the least sum first: what nothing left dominates; all that it dominates goes."""
        kept = []
        rows = rows[np.argsort(rows.sum(axis=1), kind="stable")]
        while len(rows):
            kept.append(rows[0])
            rows = rows[(rows < rows[0]).any(axis=1)]
        return np.array(kept).reshape(-1, rows.shape[1])

    def volume(self, front):
        from pymoo.indicators.hv import HV
        return float(HV(ref_point=np.ones(len(self.low)))(front)) if len(front) else 0.0


def checkpoints(most):
    points = [size * 10 ** power for power in range(1, 6) for size in (1, 1.5, 2, 3, 4, 5, 7)]
    return [int(n) for n in points if n < most] + [most]


def run_one(tools, path, meter, name, seed, evaluations):
    start = time.perf_counter()
    if name in PEERS:
        oracle = Oracle(os.path.join(tools, "edgetwin"), path, meter.box)
        try:
            PEERS[name](oracle, evaluations, seed)
        finally:
            oracle.close()
        trials = oracle.trials[:evaluations]
    else:
        batch = 5 if evaluations <= 500 else 20
        output = subprocess.run(
            [os.path.join(tools, "edgetwin-benchmarks"), "sampler", path, name, str(seed), str(evaluations), str(batch)],
            check=True, capture_output=True, text=True).stdout
        trials = [json.loads(line) for line in output.splitlines()]
    return {"seconds": time.perf_counter() - start, "curve": meter.curve(trials)}


def explore(tools, path, seconds, threads, seed):
    output = subprocess.run(
        [os.path.join(tools, "edgetwin-benchmarks"), "explore", path, str(seconds), str(seed), str(threads)],
        check=True, capture_output=True, text=True, env={**os.environ, "EDGETWIN_STARTED": str(time.time())}).stdout
    best = json.loads(output)
    del best["front"]
    return best


def main():
    options = arguments()
    budgets = [int(n) for n in options.evaluations.split(",")]
    chosen = options.samplers.split(",") if options.samplers else OURS + list(PEERS)
    os.makedirs(os.path.dirname(options.output), exist_ok=True)
    kept = []
    if os.path.exists(options.output):
        with open(options.output) as file:
            kept = [json.loads(line) for line in file]
    done = {(r["problem"], r["sampler"], r["seed"], r["evaluations"]): r for r in kept if "sampler" in r}
    known = {(r["problem"], r["best_seconds"], r["seed"]): r for r in kept if "startSeconds" in r}
    skipped = set()
    end = time.perf_counter() + 60 * options.minutes if options.minutes else math.inf

    def keep(row):
        with open(options.output, "a") as file:
            file.write(json.dumps(row) + "\n")

    references = {}
    for problem, path in problems(options.problems).items():
        runs = []
        for seed in range(1, options.best_seeds + 1):
            run = known.get((problem, options.best_seconds, seed))
            if run is None:
                run = explore(options.tool, path, options.best_seconds, options.threads, seed)
                run.update(problem=problem, best_seconds=options.best_seconds, threads=options.threads, seed=seed)
                keep(run)
            runs.append(run)
        quality = lambda run: -run["bestScalar"] if run["box"]["scalar"] else run["hypervolume"]  # noqa: E731
        references[problem] = {**max(runs, key=quality), "runs": runs}
    for problem, path in {} if options.report_only else problems(options.problems).items():
        best = references[problem]
        meter = Meter(best["box"])
        for seed in range(1, options.seeds + 1):
            for name in chosen:
                most = MOST.get(name, OUR_MOST.get(name, max(budgets)))
                count = max([b for b in budgets if b <= most], default=0)
                key = (problem, name, seed, count)
                if count == 0 or key in done or name in skipped or time.perf_counter() > end:
                    continue
                try:
                    result = run_one(options.tool, path, meter, name, seed, count)
                except ImportError as error:
                    print(f"{name} is skipped: {error}", file=sys.stderr)
                    skipped.add(name)
                    continue
                row = dict(problem=problem, sampler=name, seed=seed, evaluations=count, **result)
                done[key] = row
                keep(row)
                print(f"{problem} {name} seed {seed}: {row['curve'][-1][1]:.4f} in {row['seconds']:.1f} s", file=sys.stderr)
    report(options, budgets, chosen, references, done)


def at(row, budget):
    return next((quality for n, quality, _ in row["curve"] if n == budget), None)


def report(options, budgets, chosen, references, done):
    rows = [r for r in done.values() if r["problem"] in references and r["sampler"] in chosen and r["seed"] <= options.seeds]
    # Where a sampler was run with several budgets, that of the budget itself counts.
    rows.sort(key=lambda r: -r["evaluations"])
    for budget in budgets:
        table = {}
        for row in rows:
            value = at(row, budget)
            if value is not None:
                table.setdefault(row["problem"], {}).setdefault(row["sampler"], {})[row["seed"]] = value
        names = [n for n in chosen if all(n in table.get(p, {}) for p in references)]
        if not names:
            continue
        seeds = [len(table[p][n]) for p in references for n in names]
        print(f"\n### {budget} evaluations\n")
        print(
            "Share of the best known hypervolume in percent (the least scalar for `published`): median [quartiles] over"
            f" {min(seeds)}{f' to {max(seeds)}' if max(seeds) > min(seeds) else ''} seed{'s' if max(seeds) > 1 else ''}; ranks where all have the seed.\n")
        print("| sampler | " + " | ".join(references) + " | mean rank |\n| --- |" + " --- |" * (len(references) + 1))
        ranks = {name: [] for name in names}
        for problem, reference in references.items():
            sign = 1 if reference["box"]["scalar"] else -1
            common = set.intersection(*[set(table[problem][n]) for n in names])
            for seed in common:
                losses = [sign * np.nan_to_num(table[problem][n][seed], nan=1e9) for n in names]
                for name, rank in zip(names, stats.rankdata(losses)):
                    ranks[name].append(rank)
        for name in sorted(names, key=lambda n: np.mean(ranks[n])):
            cells = []
            for problem, reference in references.items():
                values = np.array(list(table[problem][name].values()))
                low, middle, high = np.percentile(values, [25, 50, 75])
                if reference["box"]["scalar"]:
                    cells.append(f"{middle:.4f} [{low:.4f}, {high:.4f}]")
                else:
                    low, middle, high = (100 * v / reference["hypervolume"] for v in (low, middle, high))
                    cells.append(f"{middle:.1f} [{low:.1f}, {high:.1f}]")
            ours = "**" if name in OURS else ""
            print(f"| {ours}{name}{ours} | " + " | ".join(cells) + f" | {np.mean(ranks[name]):.2f} |")
        if DEFAULT in names:
            significance(table, references, names)
    white_box(references, rows)
    if options.curves:
        curves(options.curves, rows)


def significance(table, references, names):
    """The default against the peer of the best median on each problem: Mann and Whitney's test, two-sided."""
    peers = [n for n in names if n in PEERS]
    if not peers:
        return
    print("\n| problem | best peer | default better in | p (two-sided) | significantly worse |\n| --- | --- | --- | --- | --- |")
    for problem, reference in references.items():
        sign = 1 if reference["box"]["scalar"] else -1
        best = min(peers, key=lambda n: sign * np.median(list(table[problem][n].values())))
        ours = np.array(list(table[problem][DEFAULT].values()))
        theirs = np.array(list(table[problem][best].values()))
        wins = np.mean(sign * ours[:, None] < sign * theirs[None, :])
        p = stats.mannwhitneyu(ours, theirs).pvalue
        worse = "yes" if p < 0.05 and wins < 0.5 else "no"
        print(f"| {problem} | {best} | {100 * wins:.0f} % of pairs | {p:.3g} | {worse} |")


def white_box(references, rows):
    print("\n### White box: wall time to within 1 % of the best known\n")
    print("The best known is that of all runs of explore and of all peers. explore: the median of its runs, what a process needs to begin included.\n")
    print("| problem | explore | slowest run | fastest peer | ratio | best of any peer |\n| --- | --- | --- | --- | --- | --- |")
    for problem, reference in references.items():
        peers = [r for r in rows if r["problem"] == problem and r["sampler"] in PEERS]
        if reference["box"]["scalar"]:
            continue
        known = max([reference["hypervolume"]] + [q for r in peers for _, q, _ in r["curve"]])
        goal = 0.99 * known
        own = sorted(
            next((run["startSeconds"] + t["seconds"] for t in run["trace"] if t["hypervolume"] >= goal), math.inf)
            for run in reference["runs"])
        ours = own[len(own) // 2]
        reached = [s for r in peers for _, quality, s in r["curve"] if quality >= goal]
        best = max((q for r in peers for _, q, _ in r["curve"]), default=0)
        longest = max((r["curve"][-1][2] for r in peers), default=0)
        fastest = f"{min(reached):.2f} s" if reached else f"not within {longest:.0f} s"
        shown = [f"{seconds:.3f} s" if seconds < math.inf else "not reached" for seconds in (ours, own[-1])]
        # Where no peer came there, the longest of their runs is what is known.
        ratio = f"{'' if reached else '> '}{(min(reached) if reached else longest) / ours:.0f}" if ours < math.inf and peers else "–"
        print(f"| {problem} | {' | '.join(shown)} | {fastest} | {ratio} | {100 * best / known:.1f} % |")


def curves(path, rows):
    groups = {}
    for row in rows:
        for n, quality, seconds in row["curve"]:
            groups.setdefault((row["problem"], row["sampler"], n), []).append((quality, seconds))
    with open(path, "w") as file:
        file.write("problem,sampler,evaluations,lower_quartile,median,upper_quartile,median_seconds,seeds\n")
        for (problem, sampler, n), values in sorted(groups.items()):
            low, middle, high = np.percentile([v for v, _ in values], [25, 50, 75])
            file.write(
                f"{problem},{sampler},{n},{low:.6g},{middle:.6g},{high:.6g},{np.median([s for _, s in values]):.4g},"
                f"{len(values)}\n")


if __name__ == "__main__":
    main()
