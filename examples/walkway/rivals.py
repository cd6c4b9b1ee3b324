"""Evolutionary rivals on the same exact objective: pymoo's genetic algorithm, CMA-ES, differential evolution.

All evaluate through `Run` in batches, all get the same repair of sets that break a distance, all start again when they have converged,
until the time is over. Where a choice of theirs was open, it was made in their favour by trials on other seeds than the published ones;
see README.md.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.spatial import cKDTree

from compliance import Reduced
from run import Run, RunIsOver

#: Sets of one generation of the genetic algorithm.
POPULATION = 200
#: Generations without a better set before a population is given up.
STALE_GENERATIONS = 60
#: Candidates that a mutation may step to.
NEIGHBOURS = 24
#: First population of CMA-ES; every restart doubles it up to the most (IPOP, Auger and Hansen 2005).
CMA_POPULATION = 24
CMA_POPULATION_MAX = 400
#: First step size of CMA-ES, m.
CMA_STEP_M = 1.5
#: Members of differential evolution for each of the 2 k coordinates.
DIFFERENTIAL_POPULATION = 2


def _snapped(reduced: Reduced, coordinates: np.ndarray) -> np.ndarray:
    """Sets (b, k) that hold, nearest to coordinates (b, 2 k), which are x and y of each column in turn."""
    return reduced.repaired(reduced.nearest(coordinates.reshape(len(coordinates), -1, 2)))


def _along(reduced: Reduced, sets: np.ndarray) -> np.ndarray:
    """The sets with their columns ordered by x, so that the same coordinate of two of them means about the same part of the roof."""
    return np.take_along_axis(sets, reduced.site.positions[sets, 0].argsort(axis=1), axis=1)


def _box(reduced: Reduced) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest coordinates (2 k,) of the columns."""
    low, high = reduced.site.positions.min(axis=0), reduced.site.positions.max(axis=0)
    return np.tile(low, reduced.site.columns), np.tile(high, reduced.site.columns)


def genetic(run: Run, seed: int) -> None:
    """pymoo's GA on sets: columns are genes, in the order of the candidates (which is from south to north, west to east).

    Crossover: the child has one parent's columns on one side of a random line and the other's on the other side (filled up from
    both), which keeps what is good together. Mutation: each column, with probability 1/k, goes to one of the nearest candidates, or
    anywhere.
    """
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.crossover import Crossover
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem
    from pymoo.core.repair import Repair
    from pymoo.core.sampling import Sampling

    reduced = run.reduced
    positions = reduced.site.positions
    columns = reduced.site.columns
    count = len(positions)
    generator = np.random.default_rng(seed)
    near = cKDTree(positions).query(positions, k=NEIGHBOURS + 1)[1][:, 1:]

    class Compliance(Problem):
        def __init__(self) -> None:
            super().__init__(n_var=columns, n_obj=1, xl=0, xu=count - 1, vtype=int)

        def _evaluate(self, x, out, *args, **kwargs):  # type: ignore[no-untyped-def]
            out["F"] = run.evaluate(x.astype(np.int64))[:, None]

    class RandomSets(Sampling):
        def _do(self, problem, n_samples, **kwargs):  # type: ignore[no-untyped-def]
            return np.sort(reduced.random_sets(n_samples, generator), axis=1)

    class ByALine(Crossover):
        def __init__(self) -> None:
            super().__init__(2, 2, prob=0.9)

        def _do(self, problem, x, **kwargs):  # type: ignore[no-untyped-def]
            first, second = x[0].astype(np.int64), x[1].astype(np.int64)
            angle = generator.uniform(0, np.pi, size=len(first))
            direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
            # Columns of each parent by their place along the direction: the child takes the first of one and the last of the other,
            # k in all.
            along = [np.einsum("bkd,bd->bk", positions[parent], direction) for parent in (first, second)]
            ordered = [np.take_along_axis(p, a.argsort(axis=1), axis=1) for p, a in zip((first, second), along, strict=True)]
            cut = generator.integers(1, columns, size=len(first))
            left = np.arange(columns) < cut[:, None]
            return np.stack([np.where(left, ordered[0], ordered[1]), np.where(left, ordered[1], ordered[0])])

    class Steps(Mutation):
        def _do(self, problem, x, **kwargs):  # type: ignore[no-untyped-def]
            x = x.astype(np.int64)
            step = near[x, generator.integers(NEIGHBOURS, size=x.shape)]
            jump = generator.integers(count, size=x.shape)
            target = np.where(generator.random(x.shape) < 0.85, step, jump)
            return np.where(generator.random(x.shape) < 1.0 / columns, target, x)

    class Distances(Repair):
        def _do(self, problem, x, **kwargs):  # type: ignore[no-untyped-def]
            return np.sort(reduced.repaired(x.astype(np.int64)), axis=1)

    try:
        while True:
            algorithm = GA(
                pop_size=POPULATION,
                sampling=RandomSets(),
                crossover=ByALine(),
                mutation=Steps(prob=1.0, prob_var=1.0),
                repair=Distances(),
                eliminate_duplicates=True,
            )
            algorithm.setup(Compliance(), seed=int(generator.integers(2**31)), verbose=False, termination=("n_gen", 10**9))
            best, age = np.inf, 0
            while age < STALE_GENERATIONS:
                algorithm.next()
                run.check_over()
                value = float(algorithm.opt[0].F[0])
                age = 0 if value < best * (1.0 - 1e-8) else age + 1
                best = min(best, value)
    except RunIsOver:
        pass


def cma_es(run: Run, seed: int) -> None:
    """CMA-ES on the columns' coordinates, snapped to candidates, restarted with growing populations.

    The squared distance between where a column was asked for and where it could stand is added, weighed so that a metre costs about
    what an ordinary move of a column does: it keeps the search where candidates are.
    """
    import cma

    reduced = run.reduced
    generator = np.random.default_rng(seed)
    population = CMA_POPULATION
    try:
        while True:
            start = reduced.random_sets(64, generator)
            begin = start[run.evaluate(start).argmin()]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                strategy = cma.CMAEvolutionStrategy(
                    reduced.site.positions[begin].ravel(),
                    CMA_STEP_M,
                    {
                        "popsize": population,
                        "seed": int(generator.integers(1, 2**31)),
                        "verbose": -9,
                        "tolfun": 1e-6 * run.best,
                        "maxiter": 10**9,
                        "tolflatfitness": 30,
                    },
                )
                while not strategy.stop():
                    asked = np.array(strategy.ask())
                    sets = _snapped(reduced, asked)
                    values = run.evaluate(sets)
                    off = np.square(asked - reduced.site.positions[sets].reshape(len(asked), -1)).sum(axis=1)
                    strategy.tell(list(asked), (values + 2e-3 * values.min() * off).tolist())
                    run.check_over()
            population = min(2 * population, CMA_POPULATION_MAX)
    except RunIsOver:
        pass


def differential(run: Run, seed: int) -> None:
    """SciPy's differential evolution on the columns' coordinates, snapped to candidates, in batches, started again when converged."""
    from scipy.optimize import differential_evolution

    reduced = run.reduced
    low, high = _box(reduced)
    generator = np.random.default_rng(seed)

    def objective(x: np.ndarray) -> np.ndarray:
        return run.evaluate(_snapped(reduced, np.ascontiguousarray(x.T)))

    try:
        while True:
            members = DIFFERENTIAL_POPULATION * len(low)
            differential_evolution(
                objective,
                list(zip(low, high, strict=True)),
                init=reduced.site.positions[_along(reduced, reduced.random_sets(members, generator))].reshape(members, -1),
                strategy="best1bin",
                mutation=(0.2, 0.6),
                recombination=0.1,
                maxiter=10**9,
                tol=1e-4,
                polish=False,
                updating="deferred",
                vectorized=True,
                rng=np.random.default_rng(int(generator.integers(2**31))),
            )
    except RunIsOver:
        pass
