"""Plain files for rivals that read neither gzip nor every quirk of the originals."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

from hbench.readers import Clauses, Problem, Quadratic
from hbench.suites import CACHE


def cached(path: Path, suffix: str) -> Path:
    stat = path.stat()
    key = hashlib.sha256(f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = CACHE / "plain"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{key}{suffix}"


def plain_file(path: Path, problem: Problem) -> Path:
    """Clean DIMACS for clauses; for quadratic instances a header `kind n pairs`, fields, then triples."""
    target = cached(path, ".cnf" if isinstance(problem, Clauses) else ".pairs")
    if not target.exists():
        temporary = target.with_suffix(".part")
        temporary.write_text(dimacs(problem) if isinstance(problem, Clauses) else pairs(problem))
        temporary.rename(target)
    return target


def dimacs(problem: Clauses) -> str:
    lines = [f"p cnf {problem.variables} {len(problem)}"]
    literals, starts = problem.literals.tolist(), problem.starts.tolist()
    for begin, end in pairwise(starts):
        lines.append(" ".join(map(str, literals[begin:end])) + " 0")
    return "\n".join(lines) + "\n"


def pairs(problem: Quadratic) -> str:
    lines = [f"{problem.kind} {problem.variables} {len(problem.rows)}"]
    lines.append(" ".join(map(str, problem.linear.tolist())))
    triples = zip(problem.rows.tolist(), problem.columns.tolist(), problem.weights.tolist(), strict=True)
    lines += [f"{i} {j} {w}" for i, j, w in triples]
    return "\n".join(lines) + "\n"
