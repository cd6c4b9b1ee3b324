"""Seeded CNF instances for suites whose sizes the public sets lack; written once into the cache.

They are made here and not by the solver under test, so that instances and solver stay independent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BARTHEL_P0 = 0.08


def distinct_variables(rng: np.random.Generator, clauses: int, width: int, variables: int) -> NDArray[np.int64]:
    """`clauses` rows of `width` different variables each, numbered from 1."""
    rows = rng.integers(1, variables + 1, size=(clauses, width))
    while True:
        ordered = np.sort(rows, axis=1)
        bad = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if not bad.any():
            return rows
        rows[bad] = rng.integers(1, variables + 1, size=(int(bad.sum()), width))


def uniform(variables: int, ratio: float, width: int, seed: int) -> NDArray[np.int64]:
    """Uniform random k-SAT: variables without repetition, fair signs."""
    rng = np.random.default_rng(seed)
    rows = distinct_variables(rng, round(variables * ratio), width, variables)
    return rows * rng.choice(np.array([-1, 1]), size=rows.shape)


def barthel(variables: int, ratio: float, seed: int, p0: float = BARTHEL_P0) -> NDArray[np.int64]:
    """Planted 3-SAT after Barthel et al., Phys. Rev. Lett. 88, 188701 (2002).

    A clause has 0, 1 or 2 literals that the hidden assignment makes false with probabilities p0,
    3 p1 and 3 p2, where p1 = (1 - 4 p0) / 6 and p2 = (1 + 2 p0) / 6, so that no variable has a bias.
    """
    rng = np.random.default_rng(seed)
    hidden = rng.choice(np.array([-1, 1]), size=variables + 1)
    rows = distinct_variables(rng, round(variables * ratio), 3, variables)
    wrong = rng.choice(3, size=len(rows), p=[p0, (1 - 4 * p0) / 2, (1 + 2 * p0) / 2])
    position = np.argsort(rng.random(rows.shape), axis=1)
    signs = np.where(position < wrong[:, None], -1, 1)
    return rows * hidden[rows] * signs


def write_cnf(path: Path, variables: int, rows: NDArray[np.int64]) -> None:
    lines = [f"p cnf {variables} {len(rows)}"]
    lines += [" ".join(map(str, row)) + " 0" for row in rows.tolist()]
    temporary = path.with_suffix(".part")
    temporary.write_text("\n".join(lines) + "\n")
    temporary.rename(path)


def ensure(folder: Path, kind: str, variables: int, ratio: float, width: int, seed: int) -> Path:
    """The instance's file, made if it is not there yet."""
    name = f"{kind}-k{width}-n{variables}-r{ratio:g}-s{seed}.cnf"
    path = folder / name
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "barthel":
        rows = barthel(variables, ratio, seed)
    elif kind == "uniform":
        rows = uniform(variables, ratio, width, seed)
    else:
        raise ValueError(f"no generator named {kind}")
    write_cnf(path, variables, rows)
    return path
