"""dwave-samplers: simulated annealing and tabu search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dimod
import numpy as np
from dwave.samplers import SimulatedAnnealingSampler, TabuSampler

from hbench.context import Context
from hbench.readers import BoolArray, Quadratic
from hbench.rivals.sampling import anneal_until_over, as_spins

TABU_FIRST_SECONDS = 0.1

Decode = Callable[[dimod.SampleSet], Iterator[BoolArray]]


def run(name: str, context: Context) -> None:
    problem = context.problem
    assert isinstance(problem, Quadratic)
    linear, pairs, vartype = as_spins(problem)
    bqm = dimod.BinaryQuadraticModel(linear, pairs, 0.0, vartype)

    def assignments(result: dimod.SampleSet) -> Iterator[BoolArray]:
        order = np.argsort(np.array(list(result.variables)))
        for row in result.record.sample:
            yield row[order] == 1

    context.ready()
    if name == "dwave-sa":
        sampler = SimulatedAnnealingSampler()

        def sample(reads: int, sweeps: int, seed: int) -> Iterator[BoolArray]:
            result = sampler.sample(
                bqm,
                num_reads=reads,
                num_sweeps=sweeps,
                seed=seed & 0x7FFFFFFF,
                interrupt_function=lambda: context.left() <= 0,
            )
            return assignments(result)

        anneal_until_over(context, sample)
    else:
        tabu(context, bqm, problem, assignments)
    context.finish("feasible")


def tabu(context: Context, bqm: dimod.BinaryQuadraticModel, problem: Quadratic, assignments: Decode) -> None:
    """Runs of growing length (0.1 s, 0.2 s, …); every second one continues from the best assignment."""
    sampler = TabuSampler()
    threshold = None
    if context.target is not None:
        # The cut c of weight total W has Ising energy W - 2c.
        total = float(np.sum(problem.weights))
        threshold = total - 2 * context.target if problem.kind == "maxcut" else context.target
    seconds, turn, overhead = TABU_FIRST_SECONDS, 0, 0.0
    best_state: BoolArray | None = None
    while not context.over() and context.left() > overhead:
        # The library copies the model into a dense matrix at each call; long runs keep that a small share.
        begin = context.elapsed()
        span = max(0.01, min(max(seconds, 4 * overhead), context.left() - overhead))
        extra: dict[str, Any] = {}
        if turn % 2 == 1 and best_state is not None:
            values = best_state.astype(np.int8)
            if problem.kind != "qubo":
                values = 2 * values - 1
            extra = {"initial_states": dict(enumerate(values.tolist()))}
        result = sampler.sample(
            bqm,
            num_reads=1,
            timeout=max(1, int(span * 1000)),
            seed=(context.seed + turn) & 0x7FFFFFFF,
            energy_threshold=threshold,
            **extra,
        )
        for bits in assignments(result):
            before = context.best
            context.offer(bits)
            if context.best != before:
                best_state = bits
        if context.over():
            break
        overhead = max(overhead, context.elapsed() - begin - span)
        turn += 1
        if turn % 2 == 0:
            seconds *= 2
