"""Twenty seeded binary quadratic models of several kinds, as their users write them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import dimod
import networkx as nx
import numpy as np


def _spin(n: int, pairs: np.ndarray, weights: np.ndarray, fields: np.ndarray | None = None) -> dimod.BQM:
    h = np.zeros(n) if fields is None else fields
    return dimod.BQM.from_numpy_vectors(h, (pairs[:, 0], pairs[:, 1], weights.astype(float)), 0.0, "SPIN")


def _all_pairs(n: int) -> np.ndarray:
    return np.array(list(itertools.combinations(range(n), 2)))


def spin_glass(n: int, seed: int) -> dimod.BQM:
    """Sherrington-Kirkpatrick with couplings of -1 and 1."""
    rng = np.random.default_rng(seed)
    pairs = _all_pairs(n)
    return _spin(n, pairs, rng.choice([-1, 1], len(pairs)))


def lattice(shape: tuple[int, ...], seed: int, integer_gauss: bool = False) -> dimod.BQM:
    """A toroidal lattice, couplings of -1 and 1 or rounded Gaussians (times 1000)."""
    rng = np.random.default_rng(seed)
    sites = np.arange(math.prod(shape)).reshape(shape)
    pairs = np.concatenate([np.stack([sites.ravel(), np.roll(sites, -1, a).ravel()], 1) for a in range(len(shape))])
    weights = np.round(1000 * rng.normal(size=len(pairs))) if integer_gauss else rng.choice([-1, 1], len(pairs))
    return _spin(sites.size, pairs, weights)


def max_cut(n: int, degree: int, seed: int) -> dimod.BQM:
    """Maximum cut of a random regular graph."""
    pairs = np.array(list(nx.random_regular_graph(degree, n, seed=seed).edges()))
    return _spin(n, pairs, np.ones(len(pairs)))


def chimera_like(cells: int, seed: int) -> dimod.BQM:
    """A grid of complete bipartite cells of eight, couplings of -1 and 1 and small fields."""
    rng = np.random.default_rng(seed)
    at = lambda i, j, s, k: ((i * cells + j) * 2 + s) * 4 + k  # noqa: E731
    pairs = []
    for i, j in itertools.product(range(cells), repeat=2):
        pairs += [(at(i, j, 0, k), at(i, j, 1, m)) for k in range(4) for m in range(4)]
        if i + 1 < cells:
            pairs += [(at(i, j, 0, k), at(i + 1, j, 0, k)) for k in range(4)]
        if j + 1 < cells:
            pairs += [(at(i, j, 1, k), at(i, j + 1, 1, k)) for k in range(4)]
    n = 8 * cells * cells
    return _spin(n, np.array(pairs), rng.choice([-3, -2, -1, 1, 2, 3], len(pairs)), rng.choice([-1.0, 0.0, 1.0], n))


def qubo(n: int, density: float, seed: int) -> dimod.BQM:
    """Beasley's kind: weights from -100 to 100."""
    rng = np.random.default_rng(seed)
    pairs = _all_pairs(n)
    pairs = pairs[rng.random(len(pairs)) < density]
    weights = rng.integers(-100, 101, len(pairs)).astype(float)
    linear = rng.integers(-100, 101, n).astype(float)
    return dimod.BQM.from_numpy_vectors(linear, (pairs[:, 0], pairs[:, 1], 2 * weights), 0.0, "BINARY")


def independent_set(n: int, p: float, seed: int) -> dimod.BQM:
    """Maximum independent set with penalties."""
    graph = nx.gnp_random_graph(n, p, seed=seed)
    return dimod.BQM({v: -1.0 for v in graph}, {e: 2.0 for e in graph.edges()}, 0.0, "BINARY")


def colouring(n: int, degree: int, colours: int, seed: int) -> dimod.BQM:
    """Colouring: one colour a node, different ones at the ends of an edge."""
    bqm = dimod.BQM("BINARY")
    graph = nx.random_regular_graph(degree, n, seed=seed)
    for v in graph:
        bqm.add_linear_equality_constraint([((v, c), 1.0) for c in range(colours)], 2.0, -1.0)
    for (u, v), c in itertools.product(graph.edges(), range(colours)):
        bqm.add_quadratic((u, c), (v, c), 1.0)
    return bqm


def partition(n: int, seed: int) -> dimod.BQM:
    """Number partitioning: numbers of up to 1000 to two equal sums."""
    numbers = np.random.default_rng(seed).integers(1, 1001, n).astype(float)
    pairs = _all_pairs(n)
    return _spin(n, pairs, 2 * numbers[pairs[:, 0]] * numbers[pairs[:, 1]])


def salesman(cities: int, seed: int) -> dimod.BQM:
    """A tour of cities in the plane: one city a place, one place a city."""
    points = np.random.default_rng(seed).integers(0, 100, (cities, 2))
    distance = np.round(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)))
    bqm = dimod.BQM("BINARY")
    for i in range(cities):
        bqm.add_linear_equality_constraint([((i, t), 1.0) for t in range(cities)], 200.0, -1.0)
        bqm.add_linear_equality_constraint([((t, i), 1.0) for t in range(cities)], 200.0, -1.0)
    for i, j in itertools.permutations(range(cities), 2):
        for t in range(cities):
            bqm.add_quadratic((i, t), (j, (t + 1) % cities), distance[i, j])
    return bqm


def portfolio(n: int, chosen: int, seed: int) -> dimod.BQM:
    """Mean and variance with so many assets chosen, in hundredths."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 8))
    covariance = np.round(factors @ factors.T, 2)
    returns = np.round(rng.normal(1.0, 0.7, n), 2)
    bqm = dimod.BQM("BINARY")
    for i in range(n):
        bqm.add_linear(i, covariance[i, i] - 4 * returns[i])
    for i, j in _all_pairs(n):
        bqm.add_quadratic(int(i), int(j), 2 * covariance[i, j])
    bqm.add_linear_equality_constraint([(i, 1.0) for i in range(n)], 20.0, -float(chosen))
    return bqm


def assignment(n: int, seed: int) -> dimod.BQM:
    """Quadratic assignment of small integers."""
    rng = np.random.default_rng(seed)
    flow, distance = (np.triu(rng.integers(0, 10, (n, n)), 1) for _ in range(2))
    flow, distance = flow + flow.T, distance + distance.T
    bqm = dimod.BQM("BINARY")
    for i in range(n):
        bqm.add_linear_equality_constraint([((i, k), 1.0) for k in range(n)], 300.0, -1.0)
        bqm.add_linear_equality_constraint([((k, i), 1.0) for k in range(n)], 300.0, -1.0)
    for i, j in itertools.combinations(range(n), 2):
        for k, m in itertools.permutations(range(n), 2):
            if flow[i, j] * distance[k, m]:
                bqm.add_quadratic((i, k), (j, m), 2.0 * flow[i, j] * distance[k, m])
    return bqm


def boltzmann(visible: int, hidden: int, seed: int) -> dimod.BQM:
    """The mode of a restricted Boltzmann machine, weights in thousandths."""
    rng = np.random.default_rng(seed)
    weights = np.round(rng.normal(0, 0.3, (visible, hidden)), 3)
    bqm = dimod.BQM("BINARY")
    for i in range(visible):
        bqm.add_linear(("v", i), round(float(rng.normal(0, 0.5)), 3))
    for j in range(hidden):
        bqm.add_linear(("h", j), round(float(rng.normal(0, 0.5)), 3))
    for i, j in itertools.product(range(visible), range(hidden)):
        bqm.add_quadratic(("v", i), ("h", j), float(weights[i, j]))
    return bqm


def problems() -> Iterator[tuple[str, dimod.BQM]]:
    """All twenty."""
    yield "spin glass, 200", spin_glass(200, 1)
    yield "spin glass, 700", spin_glass(700, 2)
    yield "lattice 50x50", lattice((50, 50), 3)
    yield "lattice 12x12x12", lattice((12, 12, 12), 4)
    yield "lattice 10x10x10, Gaussian", lattice((10, 10, 10), 5, True)
    yield "cells 12x12", chimera_like(12, 6)
    yield "cut, 3-regular, 1000", max_cut(1000, 3, 7)
    yield "cut, 6-regular, 2000", max_cut(2000, 6, 8)
    yield "cut, 50-regular, 800", max_cut(800, 50, 9)
    yield "QUBO, 500, 10 %", qubo(500, 0.1, 10)
    yield "QUBO, 1000, 50 %", qubo(1000, 0.5, 11)
    yield "QUBO, 2500, 5 %", qubo(2500, 0.05, 12)
    yield "independent set, 600", independent_set(600, 0.02, 13)
    yield "colouring, 200 x 4", colouring(200, 9, 4, 14)
    yield "partition, 120", partition(120, 15)
    yield "salesman, 14", salesman(14, 16)
    yield "portfolio, 200 choose 40", portfolio(200, 40, 17)
    yield "assignment, 12", assignment(12, 18)
    yield "Boltzmann, 196 x 100", boltzmann(196, 100, 19)
    yield "Boltzmann, 784 x 200", boltzmann(784, 200, 20)
