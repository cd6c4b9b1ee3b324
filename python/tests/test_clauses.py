"""Clauses and graphs."""

import itertools
import random
import types

import networkx
import pytest

import hysteron


def holds(clause, model):
    return any(model[abs(literal) - 1] == literal for literal in clause)


def random_clauses(variables, count, seed):
    rng = random.Random(seed)
    return [
        [v * rng.choice((1, -1)) for v in rng.sample(range(1, variables + 1), 3)] for _ in range(count)
    ]


def test_satisfiable():
    clauses = random_clauses(200, 700, 1)
    result = hysteron.solve_cnf(clauses, time=20)
    assert result and result.status == "satisfiable" and result.cost == 0
    assert len(result.model) == 200
    assert all(holds(clause, result.model) for clause in clauses)


def test_unsatisfiable():
    pigeons = 5
    hole = lambda p, h: p * (pigeons - 1) + h + 1  # noqa: E731
    clauses = [[hole(p, h) for h in range(pigeons - 1)] for p in range(pigeons)]
    clauses += [
        [-hole(p, h), -hole(q, h)]
        for h in range(pigeons - 1)
        for p, q in itertools.combinations(range(pigeons), 2)
    ]
    result = hysteron.solve_cnf(types.SimpleNamespace(clauses=clauses), time=30)
    assert result.status == "unsatisfiable" and not result and result.model is None


def test_unused_variables_and_empty_formulas():
    assert len(hysteron.solve_cnf([[1, -2]], variables=7).model) == 7
    assert hysteron.solve_cnf([]).status == "satisfiable"
    assert hysteron.solve_cnf([[]], variables=1).status == "unsatisfiable"


def test_files(tmp_path):
    path = tmp_path / "f.cnf"
    path.write_text("p cnf 3 2\n1 -2 0\n2 3 0\n")
    assert hysteron.solve_cnf(path)
    with pytest.raises(ValueError, match="CNF file"):
        hysteron.solve_wcnf(str(path))
    soft = tmp_path / "f.wcnf"
    soft.write_text("h 1 2 0\n3 -1 0\n4 -2 0\n")
    result = hysteron.solve_wcnf(soft)
    assert (result.status, result.cost) == ("optimal", 3)
    path.write_text("p cnf 3 2\n1 -2 0\n2 x 0\n")
    with pytest.raises(ValueError, match="line 3"):
        hysteron.solve_cnf(path)


def test_bad_clauses():
    with pytest.raises(ValueError, match="no literal"):
        hysteron.solve_cnf([[1, 0, 2]])
    with pytest.raises(ValueError, match="whole"):
        hysteron.solve_cnf([[1.5]])
    with pytest.raises(ValueError, match="occurs"):
        hysteron.solve_cnf([[5]], variables=3)
    with pytest.raises(ValueError, match="weights"):
        hysteron.solve_wcnf([[1]], [[2]], [1, 2])
    with pytest.raises(ValueError, match="negative"):
        hysteron.solve_wcnf([[1]], [[2]], [-1])


def test_wcnf_is_optimal():
    rng = random.Random(3)
    hard, soft = random_clauses(12, 20, 2), random_clauses(12, 30, 3)
    weights = [rng.choice((0.5, 1.25, 2, 3)) for _ in soft]
    result = hysteron.solve_wcnf(hard, soft, weights, time=10)
    best = float("inf")
    for bits in itertools.product((1, -1), repeat=12):
        model = [bit * (v + 1) for v, bit in enumerate(bits)]
        if all(holds(clause, model) for clause in hard):
            best = min(best, sum(w for clause, w in zip(soft, weights) if not holds(clause, model)))
    assert result.status == "optimal" and result.cost == best
    assert all(holds(clause, result.model) for clause in hard)
    named = hysteron.solve_wcnf(types.SimpleNamespace(hard=hard, soft=soft, wght=weights), time=10)
    assert named.cost == best
    assert hysteron.solve_wcnf([[1], [-1]], [[2]]).status == "unsatisfiable"


def test_maxcut():
    graph = networkx.gnp_random_graph(14, 0.5, seed=1)
    rng = random.Random(1)
    for _, _, data in graph.edges(data=True):
        data["weight"] = rng.choice((-1.5, 1, 2.25))
    cut = hysteron.solve_maxcut(graph)
    assert cut.status == "optimal"
    value = sum(d["weight"] for u, v, d in graph.edges(data=True) if (u in cut.sides[0]) != (v in cut.sides[0]))
    assert cut.value == pytest.approx(value)
    best = max(
        sum(d["weight"] for u, v, d in graph.edges(data=True) if (s >> u & 1) != (s >> v & 1)) for s in range(1 << 13)
    )
    assert cut.value == pytest.approx(best)
    assert set().union(*cut.sides) == set(graph)
    unweighted = hysteron.solve_maxcut(graph, weight=None)
    assert unweighted.value == int(unweighted.value) >= networkx.algorithms.approximation.one_exchange(graph)[0]
    even = networkx.cycle_graph(["a", "b", "c", "d"])
    assert hysteron.solve_maxcut(even).value == 4
    with pytest.raises(ValueError, match="directed"):
        hysteron.solve_maxcut(networkx.DiGraph([(1, 2)]))


def test_maxcut_target():
    graph = networkx.random_regular_graph(4, 200, seed=2)
    good = hysteron.solve_maxcut(graph, time=1).value
    told = []
    cut = hysteron.solve_maxcut(graph, time=60, target=good, progress=lambda *a: told.append(a))
    assert cut.value >= good and cut.seconds < 50
