"""Suites as data: which instances, how long, which seeds, against whom (bench/suites/*.toml)."""

from __future__ import annotations

import fnmatch
import json
import os
import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hbench import generate

BENCH = Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
CACHE = BENCH / ".venv" / "cache"


def instance_root() -> Path:
    """../shared/bench beside the repository, or where HYSTERON_BENCH points."""
    given = os.environ.get("HYSTERON_BENCH")
    return Path(given) if given else REPOSITORY.parent / "shared" / "bench"


@dataclass
class Instance:
    """`name` is its key in best_known.json (path without .gz); `best` a number, "SAT", "UNSAT" or None."""

    name: str
    path: Path
    best: float | str | None
    group: str
    time_s: float


@dataclass
class Suite:
    name: str
    title: str
    kind: str
    time_s: float
    seeds: list[int]
    rivals: list[str]
    stop_at_best: bool
    threads: int
    notes: str
    data: dict[str, Any] = field(default_factory=dict)


def load(name: str, quick: bool) -> Suite:
    """Reads a suite; `quick` lays its [quick] table over the rest."""
    path = BENCH / "suites" / f"{name}.toml"
    if not path.exists():
        raise SystemExit(f"no suite named {name}; there are: {', '.join(names())}")
    data = tomllib.loads(path.read_text())
    if quick:
        data |= data.get("quick", {})
    return Suite(
        name=name,
        title=data["title"],
        kind=data["kind"],
        time_s=float(data["time_s"]),
        seeds=list(data["seeds"]),
        rivals=list(data["rivals"]),
        stop_at_best=bool(data.get("stop_at_best", True)),
        threads=int(data.get("threads", 2)),
        notes=data.get("notes", ""),
        data=data,
    )


def names() -> list[str]:
    return sorted(path.stem for path in (BENCH / "suites").glob("*.toml"))


def instances(suite: Suite, pattern: str | None) -> list[Instance]:
    """The suite's instances in a fixed order; `sample` draws that many from each group with a fixed seed."""
    root = instance_root()
    known = best_known(root)
    found: list[Instance] = []
    for table in suite.data.get("instances", []):
        excluded = table.get("exclude", [])
        group: list[Instance] = []
        for glob in table["files"]:
            for path in sorted(root.glob(glob)):
                name = str(path.relative_to(root)).removesuffix(".gz")
                if any(fnmatch.fnmatch(name, mask) for mask in excluded) or any(i.name == name for i in group):
                    continue
                group.append(
                    Instance(name, path, known.get(name, {}).get("best"), table["group"], time_of(suite, table))
                )
        found += sampled(group, suite, table)
    for table in suite.data.get("generate", []):
        group = [
            generated(suite, table, seed)
            for seed in range(int(table["first_seed"]), int(table["first_seed"]) + int(table["count"]))
        ]
        found += sampled(group, suite, table)
    if pattern is not None:
        found = [i for i in found if any(fnmatch.fnmatch(i.name, f"*{p}*") for p in pattern.split(","))]
    if not found:
        raise SystemExit(f"suite {suite.name}: no instance found under {root} (set HYSTERON_BENCH)")
    return found


def sampled(group: list[Instance], suite: Suite, table: dict[str, Any]) -> list[Instance]:
    limit = suite.data.get("sample", table.get("sample"))
    if limit is None or len(group) <= int(limit):
        return group
    chosen = random.Random(int(suite.data.get("sample_seed", 1))).sample(range(len(group)), int(limit))
    return [group[i] for i in sorted(chosen)]


def time_of(suite: Suite, table: dict[str, Any]) -> float:
    """The group's own time limit, else the suite's; a quick run may cap both."""
    return min(float(table.get("time_s", suite.time_s)), float(suite.data.get("time_s_max", "inf")))


def generated(suite: Suite, table: dict[str, Any], seed: int) -> Instance:
    variables, ratio, width = int(table["variables"]), float(table["ratio"]), int(table.get("width", 3))
    path = generate.ensure(CACHE / "generated", table["make"], variables, ratio, width, seed)
    best = "SAT" if table["make"] == "barthel" and suite.kind == "cnf" else None
    return Instance(f"generated/{path.name}", path, best, table["group"], time_of(suite, table))


def best_known(root: Path) -> dict[str, dict[str, Any]]:
    path = root / "best_known.json"
    return json.loads(path.read_text()) if path.exists() else {}
