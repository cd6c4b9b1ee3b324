#!/usr/bin/env python3
"""Places columns under a free-form roof: QUBOs against evolutionary search, at equal wall time.

    python examples/walkway/walkway.py                       # a minute: 3 s a method, 2 seeds
    python examples/walkway/walkway.py --time 60 --seeds 20  # the published comparison, two hours

Prints the table and writes it, all runs (`runs.jsonl`) and the pictures to the output folder. Runs that are there already are kept:
a comparison may be interrupted and resumed.
"""

from __future__ import annotations

import os

# Equal time is equal only on one thread each; to be set before numpy is loaded.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import importlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np

import exhaustive
import figures
import report
import roof
from compliance import Reduced
from methods import METHODS
from plate import Walkway
from run import Run

#: Of a run of the small problem, where all sets are tried.
SMALL_TIME_S = 1.0


def main() -> None:
    options = arguments()
    options.output.mkdir(parents=True, exist_ok=True)
    store = Store(options.output / "runs.jsonl")
    names = [name for name in options.methods.split(",") if available(name)]

    begin = time.perf_counter()
    small = Problem("small", Walkway(roof.small_site()))
    optimum, optimal_set, count = exhaustive.best(small.reduced)
    tell(f"small: {len(small.site.candidates)} candidates, {small.site.columns} columns: {count} sets tried, best {optimum:.4f} J")
    large = Problem("large", Walkway(roof.large_site()))
    tell(
        f"large: {len(large.site.candidates)} candidates, {large.site.columns} columns, {large.walkway.plate.basis.N} unknowns; "
        f"both reduced in {time.perf_counter() - begin:.1f} s"
    )
    if not options.report_only:
        for problem, time_s in ((small, min(SMALL_TIME_S, options.time)), (large, options.time)):
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                for name in names:
                    compute(store, problem, name, seed, time_s)
    if not options.no_report:
        finish(options, store.runs, small, optimum, count, large)


class Problem:
    """A site with its full and its reduced model."""

    def __init__(self, name: str, walkway: Walkway) -> None:
        self.name = name
        self.walkway = walkway
        self.site = walkway.site
        self.reduced = Reduced.of(walkway)


class Store:
    """Runs in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.runs: list[dict[str, Any]] = []
        if path.exists():
            self.runs = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]

    def has(self, **key: Any) -> bool:
        """Whether there is such a run."""
        return any(all(run[name] == value for name, value in key.items()) for run in self.runs)

    def add(self, run: dict[str, Any]) -> None:
        """Keeps a run."""
        self.runs.append(run)
        with self._path.open("a") as file:
            file.write(json.dumps(run) + "\n")


def compute(store: Store, problem: Problem, name: str, seed: int, time_s: float) -> None:
    """One run, unless it is there, and the full model's check of its answer."""
    if store.has(problem=problem.name, method=name, seed=seed, time_s=time_s):
        return
    run = Run(problem.reduced, time_s)
    METHODS[name].run(run, seed)
    wall_s = run.limit_s - run.left_s
    assert problem.reduced.holds(run.best_set[None])[0], "an answer breaks a distance"
    answer = problem.walkway.check(run.best_set)
    difference = abs(answer.compliance / run.best - 1.0)
    assert difference < 1e-6, f"the full model says {answer.compliance}, the reduced one {run.best}"
    store.add(
        {
            "problem": problem.name,
            "method": name,
            "seed": seed,
            "time_s": time_s,
            "wall_s": round(wall_s, 3),
            "compliance_j": run.best,
            "columns": run.best_set.tolist(),
            "history": [(round(at, 4), round(value, 6)) for at, value in run.history],
            "evaluations": run.evaluations,
            "sampler_calls": run.calls,
            "sampler_s": round(run.calls_s, 3),
            "full": {
                "compliance_j": answer.compliance,
                "deflection_mm_max": answer.deflection_mm_max,
                "stress_mpa_max": answer.stress_mpa_max,
            },
        }
    )
    tell(f"{problem.name} seed {seed} {name}: {run.best:.4f} J, {answer.deflection_mm_max:.2f} mm, {answer.stress_mpa_max:.2f} MPa")


def finish(
    options: argparse.Namespace, runs: list[dict[str, Any]], small: Problem, optimum: float, count: int, large: Problem
) -> None:
    """Table and pictures of all runs that are kept and took this time."""
    compared = [run for run in runs if run["problem"] == "large" and run["time_s"] == options.time]
    if not compared:
        tell("no runs of this length: no table")
        return
    rows = report.rows(compared, METHODS)
    for row in rows:
        row.lightest_kg = large.walkway.lightest_kg(np.array(row.median_run["columns"]))
    command = f"python examples/walkway/walkway.py --time {options.time:g} --seeds {options.seeds}"
    small_runs = [run for run in runs if run["problem"] == "small" and run["time_s"] == min(SMALL_TIME_S, options.time)]
    text = report.page(rows, small_runs, optimum, count, small, large, METHODS, command, machine())
    (options.output / "walkway.md").write_text(text)
    print(text)
    figures.roofs(large.walkway, rows, options.output / "roof.png")
    figures.quality(compared, rows, METHODS, options.output / "quality.png")
    tell(f"table and pictures are in {options.output}")


def available(name: str) -> bool:
    """Whether the method's libraries are there; they are loaded now, so that no run pays for that."""
    if name not in METHODS:
        sys.exit(f"no method {name!r}: there are {', '.join(METHODS)}")
    for module in METHODS[name].imports:
        try:
            importlib.import_module(module)
        except ImportError as error:
            tell(f"{name} is left out: {error}")
            return False
    return True


def machine() -> str:
    """The processor's name and how many cores it shows."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores"


def tell(text: str) -> None:
    """To the terminal, not into a table that is piped on."""
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=float, default=3.0, help="seconds of wall time of each run (3)")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each method (2)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--methods", default=",".join(METHODS), help="some of %(default)s")
    parser.add_argument("--output", type=Path, default=HERE / "output", help="folder of table, runs and pictures")
    parser.add_argument("--no-report", action="store_true", help="run only; a later call makes table and pictures")
    parser.add_argument("--report-only", action="store_true", help="table and pictures of the runs that are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
