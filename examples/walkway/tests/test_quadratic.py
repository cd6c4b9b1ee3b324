"""The QUBO against exact differences, and its constraints."""

import itertools

import numpy as np
import pytest
import quadratic


@pytest.fixture(scope="module")
def model(reduced):
    generator = np.random.default_rng(21)
    at = reduced.exchanges(reduced.random_sets(1, generator)[0])
    return quadratic.build(reduced, at, *quadratic.choose_moves(reduced, at, 6, 0.3, generator))


def test_exact_for_one_and_two_exchanges(reduced, model) -> None:
    count = len(model.to)
    rows = [(m,) for m in range(count)]
    rows += [pair for pair in itertools.combinations(range(count), 2) if model.froms[pair[0]] != model.froms[pair[1]]]
    moves = np.zeros((len(rows), count), dtype=np.int8)
    for row, which in zip(moves, rows, strict=True):
        row[list(which)] = 1
    sets = model.sets(moves)
    # Two columns in one place are no set; the constraints forbid them.
    proper = np.array([len(set(chosen)) == len(chosen) for chosen in sets])
    exact = reduced.evaluate(sets[proper]) - model.at.value
    assert proper.sum() > 900
    assert np.abs(model.energy(moves[proper]) - exact).max() < 1e-6 * model.at.value


def test_error_is_of_third_order(reduced, model) -> None:
    """Three exchanges: in error, but by less than what a model without pairs is in error by."""
    generator = np.random.default_rng(22)
    moves = np.zeros((300, len(model.to)), dtype=np.int8)
    for row in moves:
        for place in generator.choice(len(model.at.chosen), 3, replace=False):
            row[generator.choice(np.flatnonzero(model.froms == place))] = 1
    sets = model.sets(moves)
    held = reduced.holds(sets)
    exact = reduced.evaluate(sets[held]) - model.at.value
    pairs = np.median(np.abs(model.energy(moves[held]) - exact))
    alone = np.median(np.abs(moves[held] @ model.linear - exact))
    assert 0 < pairs < alone


def test_penalties_are_broken_distances(reduced, model) -> None:
    """For at most one move a column the penalty is zero exactly where the set holds."""
    generator = np.random.default_rng(23)
    moves = np.zeros((2000, len(model.to)), dtype=np.int8)
    for row in moves:
        for place in generator.choice(len(model.at.chosen), generator.integers(1, 5), replace=False):
            row[generator.choice(np.flatnonzero(model.froms == place))] = 1
    y = moves.astype(float)
    penalty = y @ model.clash_linear + np.einsum("bi,ij,bj->b", y, model.clash_pairs, y)
    held = reduced.holds(model.sets(moves))
    assert 0 < held.sum() < len(held)
    assert (penalty[held] == 0).all() and (penalty[~held] >= 1).all()


def test_two_moves_of_one_column_are_penalised(model) -> None:
    first, second = np.flatnonzero(model.froms == 0)[:2]
    # Each may have taken back penalties of the other's: together they still cost.
    total = model.clash_linear[[first, second]].sum() + model.clash_pairs[first, second]
    assert total >= 1


def test_bqm_is_the_model(model) -> None:
    bqm, kept = model.bqm(trust=0.05)
    assert 0 < len(kept) <= len(model.to)
    assert (model.linear[kept] <= 0.05 * model.at.value).all()
    inside = [m for m in range(len(kept)) if model.clash_linear[kept[m]] == 0]
    for m in inside[:10]:
        moves = np.zeros((1, len(model.to)), dtype=np.int8)
        moves[0, kept[m]] = 1
        sample = {v: int(v == m) for v in range(len(kept))}
        assert bqm.energy(sample) == pytest.approx(model.energy(moves)[0], rel=1e-9)
