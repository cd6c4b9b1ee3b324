"""OpenJij: simulated annealing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import openjij

from hbench.context import Context
from hbench.readers import BoolArray, Quadratic
from hbench.rivals.sampling import anneal_until_over, as_spins


def run(_name: str, context: Context) -> None:
    problem = context.problem
    assert isinstance(problem, Quadratic)
    linear, pairs, vartype = as_spins(problem)
    bqm = openjij.BinaryQuadraticModel(linear, pairs, 0.0, vartype)
    possible = problem.variables * (problem.variables - 1) / 2
    sparse = len(pairs) < 0.2 * possible
    sampler = openjij.SASampler()
    context.ready()

    def sample(reads: int, sweeps: int, seed: int) -> Iterator[BoolArray]:
        result = sampler.sample(bqm, num_reads=reads, num_sweeps=sweeps, seed=seed & 0x7FFFFFFF, sparse=sparse)
        order = np.argsort(np.array(list(result.variables)))
        for row in result.record.sample:
            yield row[order] == 1

    anneal_until_over(context, sample)
    context.finish("feasible")
