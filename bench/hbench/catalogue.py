"""The rivals: what each one can read, how many copies it gets, and the command that runs it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

QUADRATIC = frozenset({"maxcut", "qubo", "ising"})
SATISFIABILITY = frozenset({"cnf"})
MAXSAT = frozenset({"maxsat"})


@dataclass(frozen=True)
class Rival:
    """`threaded` rivals get one process with N threads, the others N processes with their own seeds."""

    name: str
    kinds: frozenset[str]
    form: str
    about: str
    parameters: str
    threaded: bool = False
    single: bool = False
    options: dict[str, str] = field(default_factory=dict)


RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        Rival(
            "dwave-sa", QUADRATIC, "worker", "dwave-samplers, simulated annealing (PyPI)",
            "cycles through 1 000, 10 000 and 100 000 sweeps a read, library's own temperature range; calls of 0.1 s",
        ),
        Rival(
            "dwave-tabu", QUADRATIC, "worker", "dwave-samplers, multistart tabu search (PyPI)",
            "runs of 0.1, 0.2, 0.4 s …, alternately from a random state and from the best state; stops at the target",
        ),
        Rival(
            "openjij-sa", QUADRATIC, "worker", "OpenJij, simulated annealing (PyPI)",
            "the same lengths and calls as dwave-sa; sparse graph form below 20 % density",
        ),
        Rival(
            "mqlib-burer", QUADRATIC, "mqlib", "MQLib, BURER2002 (Max-Cut rank-2 relaxation; sources from PyPI)",
            "library defaults; a QUBO is handed over as the equivalent Max-Cut", options={"heuristic": "BURER2002"},
        ),
        Rival(
            "mqlib-palubeckis", QUADRATIC, "mqlib", "MQLib, PALUBECKIS2004bMST2 (iterated tabu; sources from PyPI)",
            "library defaults; a Max-Cut is handed over as the equivalent QUBO",
            options={"heuristic": "PALUBECKIS2004bMST2"},
        ),
        Rival(
            "mqlib-lu", QUADRATIC, "mqlib", "MQLib, LU2010 (hybrid genetic tabu; sources from PyPI)",
            "library defaults; a Max-Cut is handed over as the equivalent QUBO", options={"heuristic": "LU2010"},
        ),
        Rival(
            "cpsat", QUADRATIC | MAXSAT, "worker", "OR-Tools CP-SAT (PyPI)",
            "workers = threads, time limit, products and soft clauses linearised one-sidedly", threaded=True,
        ),
        Rival(
            "rc2", MAXSAT, "worker", "PySAT RC2 (PyPI)",
            "copy 0: RC2Stratified on Glucose 4 (adapt, exhaust, minimise, trim 5); copy 1: RC2 on CaDiCaL 1.9.5. "
            "No answer before the optimum",
        ),
        Rival(
            "cadical", SATISFIABILITY, "worker", "CaDiCaL 1.9.5 alone, through PySAT (PyPI)",
            "defaults, one process; its time is that of solve() without reading and loading", single=True,
        ),
        Rival(
            "kissat", SATISFIABILITY, "kissat", "Kissat, binary of passagemath-kissat (PyPI)",
            "defaults, seeds differ; its time is the whole process",
        ),
        Rival(
            "cadical-process", SATISFIABILITY, "cadical-process", "CaDiCaL alone, a process (Debian cadical)",
            "-q; its time is the whole process, reading and loading included, as ours is", single=True,
        ),
        Rival(
            "cadical-walk", SATISFIABILITY, "cadical-walk", "CaDiCaL's ProbSAT local search (Debian cadical, -L)",
            "-L with rounds without end, seeds differ; its time is the whole process",
        ),
        Rival(
            "probsat", SATISFIABILITY | MAXSAT, "probsat", "ProbSAT after Balint and Schöning 2012, our own C++",
            "poly break 2.06 (3-SAT), exp break by clause length else; no registry carries probSAT or YalSAT",
        ),
        Rival(
            "spinsat", SATISFIABILITY, "spinsat", "SpinSAT, digital memcomputing (crates.io)",
            "defaults, seeds differ; its time is the whole process",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One run of one solver: `file` is what the rival reads, `kind` how the suite reads it."""

    file: Path
    kind: str
    limit_s: float
    seed: int
    threads: int
    target: float | None


def commands(rival: Rival, job: Job, tool: str, copies: int) -> list[list[str]]:
    """The command of each copy; seeds of copies are seed * 1000 + copy."""
    return [command(rival, job, tool, copy, copies) for copy in range(copies)]


def command(rival: Rival, job: Job, tool: str, copy: int, copies: int) -> list[str]:
    """`tool` is the program of a rival that is not a Python library."""
    seed = str(job.seed * 1000 + copy)
    whole_seconds = str(max(1, round(job.limit_s)))
    path = str(job.file)
    target = [] if job.target is None else ["--target", repr(float(job.target))]
    if rival.form == "worker":
        return [
            sys.executable, "-m", "hbench.worker", rival.name, path, "--time", str(job.limit_s), "--seed", seed,
            "--copy", str(copy), "--copies", str(copies), "--threads", str(job.threads), *target,
        ]  # fmt: skip
    if rival.form == "mqlib":
        return [tool, rival.options["heuristic"], path, str(job.limit_s), seed, *target[1:]]
    if rival.form == "probsat":
        return [tool, path, str(job.limit_s), seed]
    if rival.form == "kissat":
        return [tool, "-q", f"--time={whole_seconds}", f"--seed={seed}", path]
    if rival.form == "cadical-process":
        return [tool, "-q", "-t", whole_seconds, path]
    if rival.form == "cadical-walk":
        return [
            tool, "-q", "-t", whole_seconds, f"--seed={seed}", "-L1000000", "--lucky=0", path
        ]  # fmt: skip
    if rival.form == "spinsat":
        return [tool, "--timeout", str(job.limit_s), "--seed", seed, path]
    raise ValueError(rival.form)


def copies_of(rival: Rival, threads: int) -> int:
    return 1 if rival.threaded or rival.single else threads


def says_ready(rival: Rival) -> bool:
    return rival.form in ("worker", "mqlib", "probsat")
