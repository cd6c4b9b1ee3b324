"""Sequential quadratic search: QUBOs about the best sets, solved by a sampler; every answer is evaluated exactly.

From a set S: build Q about S (`quadratic`) with a trust region drawn at random, let the sampler search it briefly, evaluate what it
returns, polish the best by single exchanges, go on from there; where no answer is better, try other lists of moves or give S up. It is
then a local optimum in the neighbourhood of the whole model, far wider than single exchanges. A few neighbouring columns are thrown
elsewhere and it begins again. The sampler is a parameter, so that hysteron and simulated annealing run in the same loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dimod
import numpy as np

import quadratic
from compliance import Exchanges, Reduced
from run import Run, RunIsOver

#: Takes a model, the number of reads, and a seed; gives rows of binaries in the order of the variables.
Solve = Callable[[dimod.BinaryQuadraticModel, int, int], np.ndarray]


@dataclass(frozen=True)
class Settings:
    """How the loop runs.

    Attributes:
        per_column: Places that each column may move to in one model.
        trust: Least and most part of J that a move of a model may cost alone; drawn anew for each model, uniformly in its logarithm.
        reads: Answers asked of the sampler.
        polish: How many of the sampler's answers are improved by single exchanges,
        polish_worse: unless they are worse than the set by this part.
        noise: Of the lists of moves after the first model about a set; see `quadratic.choose_moves`.
        patience: Models about a set without a better answer before it counts as a local optimum.
        kick: Least and most columns thrown elsewhere.
        kick_m: How far they are thrown.
        accept: A local optimum this much worse than the current one (relative, uniformly random up to it) takes its place.
        stale: Kicks without a better best before the search begins at a new random set.
    """

    per_column: int = 10
    trust: tuple[float, float] = (0.01, 0.04)
    reads: int = 8
    polish: int = 2
    polish_worse: float = 0.01
    noise: float = 0.4
    patience: int = 1
    kick: tuple[int, int] = (2, 5)
    kick_m: float = 6.0
    accept: float = 0.01
    stale: int = 60


def best_single(reduced: Reduced, at: Exchanges) -> tuple[float, int, int]:
    """The best exchange of one column that holds: change of J, place in the set, candidate."""
    change = at.single(reduced.softness)
    near = reduced.site.conflicts[at.chosen]
    change[near.sum(axis=0) - near > 0] = np.inf
    place, candidate = np.unravel_index(change.argmin(), change.shape)
    return float(change[place, candidate]), int(place), int(candidate)


def descend(run: Run, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Best single exchanges until none helps."""
    while True:
        at = run.reduced.exchanges(chosen)
        run.evaluations += 1
        run.note(at.value, chosen)
        run.check_over()
        change, place, candidate = best_single(run.reduced, at)
        if change > -1e-8 * at.value:
            return chosen, at.value
        chosen = chosen.copy()
        chosen[place] = candidate


def improve(
    run: Run, chosen: np.ndarray, value: float, solve: Solve, settings: Settings, generator: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Models about the set until `patience` of them have brought nothing."""
    failures = 0
    while failures < settings.patience:
        at = run.reduced.exchanges(chosen)
        noise = settings.noise if failures else 0.0
        model = quadratic.build(run.reduced, at, *quadratic.choose_moves(run.reduced, at, settings.per_column, noise, generator))
        low, high = np.log(settings.trust)
        bqm, kept = model.bqm(float(np.exp(generator.uniform(low, high))))
        if len(kept) == 0:
            failures += 1
            continue
        rows = solve(bqm, settings.reads, int(generator.integers(2**31)))
        moves = np.zeros((len(rows), len(model.to)), dtype=np.int8)
        moves[:, kept] = rows
        sets = np.unique(np.sort(model.sets(moves), axis=1), axis=0)
        sets = sets[run.reduced.holds(sets)]
        run.check_over()
        found = run.evaluate(sets) if len(sets) else np.array([np.inf])
        better = chosen
        for index in found.argsort()[: settings.polish]:
            if found[index] < value * (1.0 + settings.polish_worse):
                polished, reached = descend(run, sets[index])
                if reached < value * (1.0 - 1e-8):
                    better, value = polished, reached
        if better is chosen:
            failures += 1
        else:
            chosen, failures = better, 0
    return chosen, value


def kicked(reduced: Reduced, chosen: np.ndarray, settings: Settings, generator: np.random.Generator) -> np.ndarray:
    """The set with a few neighbouring columns thrown up to `kick_m` away, and what is then too near moved aside."""
    positions = reduced.site.positions
    result = chosen.copy()
    count = int(generator.integers(settings.kick[0], settings.kick[1] + 1))
    about = positions[result[generator.integers(len(result))]]
    nearest = np.linalg.norm(positions[result] - about, axis=1).argsort()[: 2 * count]
    for place in generator.choice(nearest, min(count, len(nearest)), replace=False):
        reach = np.flatnonzero(np.linalg.norm(positions - positions[result[place]], axis=1) < settings.kick_m)
        result[place] = generator.choice(reach)
    return reduced.repaired(result[None])[0]


def search(run: Run, seed: int, solve: Solve | None, settings: Settings = Settings()) -> None:
    """Runs until the time is over. Without a sampler it is iterated descent by single exchanges: the control."""
    generator = np.random.default_rng(seed)

    def local(chosen: np.ndarray) -> tuple[np.ndarray, float]:
        chosen, value = descend(run, chosen)
        return (chosen, value) if solve is None else improve(run, chosen, value, solve, settings, generator)

    try:
        while True:
            current, value = local(run.reduced.random_sets(1, generator)[0])
            best, age = value, 0
            while age < settings.stale:
                other, found = local(kicked(run.reduced, current, settings, generator))
                if found < value * (1.0 + settings.accept * generator.random()):
                    current, value = other, found
                age += 1
                if value < best * (1.0 - 1e-8):
                    best, age = value, 0
    except RunIsOver:
        pass


def with_hysteron(run: Run, time_s: float) -> Solve:
    """hysteron.Sampler on one thread, `time_s` a call."""
    import hysteron

    sampler = hysteron.Sampler(threads=1)

    def solve(bqm: dimod.BinaryQuadraticModel, reads: int, seed: int) -> np.ndarray:
        before = run.left_s
        samples = sampler.sample(bqm, num_reads=reads, time=min(time_s, max(before, 1e-3)), seed=seed, scale="auto")
        run.calls += 1
        run.calls_s += before - run.left_s
        return _rows(samples, bqm)

    return solve


def with_annealing(run: Run, sweeps: int) -> Solve:
    """Simulated annealing of dwave-samplers, `sweeps` a read."""
    from dwave.samplers import SimulatedAnnealingSampler

    sampler = SimulatedAnnealingSampler()

    def solve(bqm: dimod.BinaryQuadraticModel, reads: int, seed: int) -> np.ndarray:
        before = run.left_s
        samples = sampler.sample(bqm, num_reads=reads, num_sweeps=sweeps, seed=seed)
        run.calls += 1
        run.calls_s += before - run.left_s
        return _rows(samples, bqm)

    return solve


def _rows(samples: dimod.SampleSet, bqm: dimod.BinaryQuadraticModel) -> np.ndarray:
    """Samples as rows in the order of the model's variables."""
    array, labels = dimod.as_samples(samples)
    if list(labels) == list(bqm.variables):
        return np.asarray(array)
    place = {label: index for index, label in enumerate(labels)}
    return np.asarray(array)[:, [place[label] for label in bqm.variables]]
