"""Fills a time limit with calls of a sampler that takes reads and sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from hbench.context import Context
from hbench.readers import BoolArray, Quadratic

SWEEPS = (1_000, 10_000, 100_000)
"""Annealing lengths in use; several, since the best length depends on instance and time."""
CALL_SECONDS = 0.1
"""A call lasts about this long where one read is shorter, so that preparing it weighs little."""
LONGEST_SHARE = 0.34
"""No single read may take more than this share of the time limit."""

Sample = Callable[[int, int, int], Iterable[BoolArray]]
"""(reads, sweeps, seed) -> one assignment per read."""


def anneal_until_over(context: Context, sample: Sample) -> None:
    """Cycles through the annealing lengths, copies starting at different ones, until time or target."""
    begin = time.perf_counter()
    for bits in sample(1, 100, context.seed):
        context.offer(bits)
    per_sweep = max((time.perf_counter() - begin) / 100, 1e-7)
    turn = context.copy
    seed = context.seed
    while not context.over():
        sweeps = SWEEPS[turn % len(SWEEPS)]
        cap = min(context.limit_s * LONGEST_SHARE, context.left()) / per_sweep
        sweeps = max(10, min(sweeps, int(cap)))
        read_seconds = sweeps * per_sweep
        reads = max(1, int(min(CALL_SECONDS, context.left()) / read_seconds))
        seed += 1
        begin = time.perf_counter()
        for bits in sample(reads, sweeps, seed):
            context.offer(bits)
        measured = (time.perf_counter() - begin) / (reads * sweeps)
        per_sweep = 0.5 * per_sweep + 0.5 * measured
        turn += 1


def as_spins(problem: Quadratic) -> tuple[dict[int, float], dict[tuple[int, int], float], str]:
    """(linear, quadratic, vartype) to minimise; a Max-Cut becomes the Ising model with J = w."""
    pairs: dict[tuple[int, int], float] = {}
    for i, j, w in zip(problem.rows.tolist(), problem.columns.tolist(), problem.weights.tolist(), strict=True):
        key = (i, j) if i < j else (j, i)
        pairs[key] = pairs.get(key, 0.0) + w
    linear = {i: float(h) for i, h in enumerate(problem.linear.tolist())}
    return linear, pairs, "BINARY" if problem.kind == "qubo" else "SPIN"
