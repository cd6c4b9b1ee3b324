"""Methods find the proven optimum of a small size, keep the rules and the time."""

import importlib
import itertools

import exhaustive
import numpy as np
import pytest
import roof
from compliance import Reduced
from methods import METHODS
from plate import Walkway
from run import Run

# A bound for slow machines: a run ends with the optimum, mostly within a fraction of a second.
TIME_S = 20.0


@pytest.fixture(scope="module")
def small() -> Reduced:
    return Reduced.of(Walkway(roof.site(spacing_m=0.8, stride=5, columns=4)))


@pytest.fixture(scope="module")
def optimum(small: Reduced) -> float:
    return exhaustive.best(small)[0]


def test_exhaustive_tries_every_set_that_holds(small: Reduced) -> None:
    conflicts = roof.site(spacing_m=0.8, stride=5, distance_min_m=6.0).conflicts[:14, :14]
    expected = [
        chosen
        for chosen in itertools.combinations(range(14), 4)
        if not any(conflicts[a, b] for a, b in itertools.combinations(chosen, 2))
    ]
    assert len(expected) < 1001
    assert exhaustive.sets_that_hold(conflicts, 4).tolist() == [list(chosen) for chosen in expected]


@pytest.mark.parametrize("name", METHODS)
def test_finds_the_optimum_of_a_small_size(name: str, small: Reduced, optimum: float) -> None:
    for module in METHODS[name].imports:
        try:
            importlib.import_module(module)
        except ImportError:
            pytest.skip(f"{module} is not installed")
    run = Run(small, TIME_S, target=optimum * (1.0 + 1e-9))
    METHODS[name].run(run, 31)
    assert run.best == pytest.approx(optimum, rel=1e-7)
    assert small.holds(run.best_set[None])[0]
    assert small.evaluate(run.best_set[None])[0] == pytest.approx(run.best, rel=1e-7)
    assert all(at <= TIME_S for at, _ in run.history)


@pytest.mark.parametrize("name", ["hysteron", "genetic", "cma", "differential"])
def test_answers_of_a_larger_size_hold(name: str, reduced: Reduced) -> None:
    for module in METHODS[name].imports:
        try:
            importlib.import_module(module)
        except ImportError:
            pytest.skip(f"{module} is not installed")
    run = Run(reduced, 0.7)
    METHODS[name].run(run, 32)
    assert -1.0 < run.left_s <= 0.0
    assert all(at <= 0.7 for at, _ in run.history)
    assert reduced.holds(run.best_set[None])[0]
    values = [value for _, value in run.history]
    assert values == sorted(values, reverse=True)
    assert run.best < np.median(reduced.evaluate(reduced.random_sets(200, np.random.default_rng(33))))
