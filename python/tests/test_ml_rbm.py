"""Boltzmann machines: likelihoods against enumeration, modes against enumeration, gradients, training."""

import itertools

import dimod
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from hysteron.ml import Machine, ModeAssistedRBM, ModeAssistedRBMClassifier, ModeSchedule, bars_and_stripes
from hysteron.ml.boltzmann import ModeFinder, Offsets, Pool, Trainer, mode_depth
from hysteron.ml.rbm import class_log_probabilities


def machine(visible, hidden, seed, size=1.0):
    rng = np.random.default_rng(seed)
    return Machine(rng.normal(0, size, (visible, hidden)), rng.normal(0, size, visible), rng.normal(0, size, hidden))


def states(units):
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


def joint(m):
    """All pairs of states and their energies, by the formula, term by term."""
    pairs = list(itertools.product(states(len(m.visible)), states(len(m.hidden))))
    energies = np.array([-(m.visible @ v) - m.hidden @ h - v @ m.weights @ h for v, h in pairs])
    return pairs, energies


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (1, 1)])
def test_partition_functions_and_free_energies_are_those_of_enumeration(shape):
    m = machine(*shape, seed=sum(shape))
    pairs, energies = joint(m)
    log_z = np.logaddexp.reduce(-energies)
    assert m.log_partition() == pytest.approx(log_z, abs=1e-10)
    v = states(shape[0])
    sums = [np.logaddexp.reduce([-e for (w, _), e in zip(pairs, energies) if (w == x).all()]) for x in v]
    assert -m.free_energy(v) == pytest.approx(np.array(sums), abs=1e-10)
    assert np.exp(-m.free_energy(v) - m.log_partition()).sum() == pytest.approx(1, abs=1e-10)


def test_partition_functions_larger_than_a_chunk():
    m = machine(14, 16, seed=3, size=0.4)
    assert m.log_partition() == pytest.approx(np.logaddexp.reduce(-m.free_energy(states(14))), abs=1e-9)
    with pytest.raises(ValueError, match="2\\*\\*30"):
        machine(30, 40, seed=0).log_partition()


def test_annealed_importance_sampling_finds_the_partition_function():
    m = machine(10, 12, seed=5, size=0.7)
    estimate, error = m.annealed_log_partition(np.zeros(10), np.random.default_rng(1), runs=200, temperatures=500)
    assert 0 < error < 0.1
    assert estimate == pytest.approx(m.log_partition(), abs=5 * error)


@pytest.mark.parametrize("seed", range(4))
def test_the_mode_is_that_of_enumeration(seed):
    m = machine(6, 5, seed)
    _, energies = joint(m)
    finder = ModeFinder(None, {"steps": 200}, seed)
    for _ in range(2):  # the second begins from the first
        mode = finder.find(m)
        assert mode.energy == pytest.approx(energies.min(), abs=1e-4)
        assert mode.energy == pytest.approx(float(m.energy(mode.v[None], mode.h[None])[0]))
    assert finder.minimiser.calls == 2 and finder.minimiser.seconds > 0
    depth = mode_depth(m, mode.energy)
    assert depth == pytest.approx((energies.mean() - energies.min()) / (4 * 7 * 6))


def test_any_dimod_sampler_finds_modes():
    m = machine(4, 3, 1)
    mode = ModeFinder(dimod.ExactSolver(), {}, 0).find(m)
    assert mode.energy == pytest.approx(joint(m)[1].min())


def test_statistics_are_the_gradient_of_the_log_likelihood():
    m = machine(4, 3, seed=8)
    rows = states(4)[[1, 6, 11]]
    log_likelihood = lambda vector: -Machine.of(vector, 4, 3).free_energy(rows).mean() - Machine.of(vector, 4, 3).log_partition()
    vector, step = m.vector(), 1e-6
    numeric = [
        (log_likelihood(vector + step * unit) - log_likelihood(vector - step * unit)) / (2 * step)
        for unit in np.eye(len(vector))
    ]
    p = np.exp(-m.free_energy(states(4)) - m.log_partition())
    hidden = m.hidden_probabilities(states(4))
    model = Machine(np.einsum("n,ni,nj->ij", p, states(4), hidden), p @ states(4), p @ hidden)
    assert m.statistics(rows).plus(model, -1.0).vector() == pytest.approx(np.array(numeric), abs=1e-6)


def test_centred_gradients_are_those_of_centred_parameters():
    """dL/dW of E = -(v - mu) W (h - lambda) - ... is the centred difference, and the usual biases follow."""
    rng = np.random.default_rng(2)
    mu, lam = rng.random(4), rng.random(3)
    difference = machine(4, 3, seed=9)
    step = Offsets(mu, lam).gradient(difference)
    centred = difference.weights - np.outer(difference.visible, lam) - np.outer(mu, difference.hidden)
    assert step.weights == pytest.approx(centred)
    assert step.visible == pytest.approx(difference.visible - centred @ lam)
    assert step.hidden == pytest.approx(difference.hidden - centred.T @ mu)
    # It is a direction of ascent: its product with the usual gradient is a sum of squares.
    product = float(step.vector() @ difference.vector())
    squares = (centred**2).sum() + (difference.visible**2).sum() + (difference.hidden**2).sum()
    assert product == pytest.approx(squares)


def test_gibbs_sampling_has_the_distribution_of_the_machine():
    m = machine(3, 2, seed=4)
    rng = np.random.default_rng(7)
    v = m.gibbs(np.zeros((20_000, 3)), 30, rng)
    found = np.bincount((v @ [1, 2, 4]).astype(int), minlength=8) / len(v)
    exact = np.zeros(8)
    exact[(states(3) @ [1, 2, 4]).astype(int)] = np.exp(-m.free_energy(states(3)) - m.log_partition())
    assert found == pytest.approx(exact, abs=0.015)


def test_the_schedule_grows_to_its_most():
    schedule = ModeSchedule(0.1, 20, -6)
    values = [schedule.probability(n, 100) for n in range(101)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0.1 / (1 + np.exp(6))) and values[100] == pytest.approx(0.1, rel=1e-5)


def test_an_update_against_the_mode_raises_its_energy():
    m = machine(5, 4, seed=6)
    trainer = Trainer(
        m,
        1,
        np.zeros((2, 5)),
        method="pcd",
        gibbs_steps=1,
        rates=(0.1, 0.1),
        weight_decay=0.0,
        schedule=ModeSchedule(1.0, 0.0, 50.0),
        finder=ModeFinder(None, {"steps": 100}, 0),
        mode_use="replace",
        mode_factor=1.0,
        centred=False,
        rows=1,
        rng=np.random.default_rng(0),
    )
    mode = ModeFinder(None, {"steps": 100}, 0).find(m)
    negative = trainer.negative()
    assert negative.is_mode
    assert negative.rate == pytest.approx(0.1 * mode_depth(m, mode.energy))
    trainer.apply(m.statistics(np.zeros((1, 5))), negative)
    assert trainer.machine.energy(mode.v[None], mode.h[None])[0] > mode.energy


def trainer_of(m, use, rows=1):
    settings = {"method": "pcd", "gibbs_steps": 1, "rates": (0.1, 0.1), "weight_decay": 0.0, "mode_factor": 1.0}
    schedule, finder = ModeSchedule(1.0, 0.0, 50.0), ModeFinder(None, {"steps": 100}, 0)
    chains = np.zeros((3, len(m.visible)))
    rest = {"centred": False, "rows": rows, "rng": np.random.default_rng(0)}
    return Trainer(m, 1, chains, schedule=schedule, finder=finder, mode_use=use, **settings, **rest)


def test_both_updates_at_once_are_the_sum_of_both():
    m = machine(5, 4, seed=6)
    data = m.statistics(states(5)[[3, 9]])
    both, alone, against = (trainer_of(m, use) for use in ("add", "seed", "replace"))
    # Of "seed" the chains without the mode: the same random numbers, and the mode's chain put back.
    alone._schedule = None
    for one in (both, alone, against):
        one.apply(data, one.negative())
    sum_of_both = (alone.machine.vector() - m.vector()) + (against.machine.vector() - m.vector())
    assert both.machine.vector() - m.vector() == pytest.approx(sum_of_both, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_weight_of_a_mode_is_at_least_its_probability(seed):
    m = machine(5, 4, seed)
    mode = ModeFinder(None, {"steps": 100}, 0).find(m)
    probability = float(np.exp(-m.free_energy(mode.v[None])[0] - m.log_partition()))
    some, everything = states(5)[::3], states(5)
    assert trainer_of(m, "weigh", len(some)).weight(mode, some) >= probability
    assert trainer_of(m, "weigh", 32).weight(mode, everything) == pytest.approx(probability)


def pool_of(m, h):
    pool = Pool(len(h), len(m.hidden))
    pool.renew(m, h)
    return pool


def exact_statistics(m, h, p):
    on = np.array([m.visible_probabilities(row[None])[0] for row in h])
    return np.concatenate([np.einsum("n,ni,nj->ij", p, on, h).ravel(), p @ on, p @ h])


def test_sums_over_the_pool_are_those_of_enumeration():
    m = machine(6, 4, seed=12, size=2.0)
    h = states(4)
    p = np.exp(-m.hidden_free_energy(h) - m.log_partition())
    assert p.sum() == pytest.approx(1, abs=1e-12)
    pool = Pool(6, 4)
    for _ in range(5):  # from one state, by neighbours
        pool.renew(m, h[:1])
    assert {tuple(row) for row in pool.h} <= {tuple(row) for row in h} and len(pool.h) == 6
    inside = (h[:, None] == pool.h[None]).all(axis=2).any(axis=1)
    assert (pool.holds(h) == inside).all()
    shares, statistics = pool.expected(m)
    own = np.exp(-m.hidden_free_energy(pool.h) - m.log_partition())
    assert shares == pytest.approx(own / own.sum(), abs=1e-12)
    assert statistics.vector() == pytest.approx(exact_statistics(m, pool.h, own / own.sum()), abs=1e-12)
    everything = pool_of(m, h)
    assert everything.holds(h).all()
    assert everything.expected(m)[1].vector() == pytest.approx(exact_statistics(m, h, p), abs=1e-12)


@pytest.mark.parametrize("visible, units", [(3, 9), (5, 16), (4, 17), (1100, 3)])
def test_pools_of_any_width(visible, units):
    rng = np.random.default_rng(visible)
    m = machine(visible, units, seed=units, size=0.2)
    h = (rng.random((200, units)) < 0.3).astype(float)
    pool = Pool(20, units)
    pool.renew(m, h)
    kept = {tuple(row) for row in pool.h}
    assert len(kept) == min(20, 2**units)
    assert (pool.holds(h) == [tuple(row) in kept for row in h]).all()
    transposed = Machine(m.weights.T, m.hidden, m.visible)
    assert m.hidden_free_energy(h) == pytest.approx(transposed.free_energy(h), rel=1e-12)
    assert pool.holds(np.zeros((0, units))).shape == (0,) and not Pool(3, units).holds(h).any()


def test_jumps_keep_the_distribution_of_the_machine():
    """By enumeration of the chain of hidden states, and of what `run` really does by frequencies."""
    m = machine(4, 3, seed=21, size=1.5)
    h, v = states(3), states(4)
    p = np.exp(-m.hidden_free_energy(h) - m.log_partition())
    pool = Pool(3, 3)
    pool.renew(m, h[[1, 4, 6]])
    shares = pool.expected(m)[0]
    jump = np.eye(8)
    places = [int(np.flatnonzero((h == row).all(axis=1))[0]) for row in pool.h]
    jump[places] = 0.0
    jump[np.ix_(places, places)] = shares
    assert p @ jump == pytest.approx(p, abs=1e-12)
    bits = lambda on, row: np.prod(np.where(row > 0, on, 1 - on), axis=-1)
    up = np.array([[bits(m.hidden_probabilities(a[None])[0], b) for b in h] for a in v])
    down = np.array([[bits(m.visible_probabilities(b[None])[0], a) for a in v] for b in h])
    whole = up @ jump @ down
    start = np.array([0.0, 1.0, 1.0, 0.0])
    seed, runs = 17, 40_000
    after, _ = pool.run(m, np.tile(start, (runs, 1)), 1, np.random.default_rng(seed))
    counts = np.bincount((after @ [8, 4, 2, 1]).astype(int), minlength=16)
    expected = runs * whole[int(start @ [8, 4, 2, 1])]
    squares = float(((counts - expected) ** 2 / expected).sum())
    # Of 15 degrees of freedom, a chance of one in a million.
    assert squares < 57, f"chi-squared {squares:.1f} with seed {seed}"
    # From states that have the machine's distribution the estimate is that of the machine, within its error.
    rng = np.random.default_rng(seed)
    begin = v[rng.choice(16, size=runs, p=np.exp(-m.free_energy(v) - m.log_partition()))]
    _, estimate = pool.run(m, begin, 2, rng)
    assert estimate.vector() == pytest.approx(exact_statistics(m, h, p), abs=0.015)


def test_chains_jump_between_modes_that_gibbs_sampling_does_not_join():
    """Two modes, all units on and all off: no chain that begins in one finds the other without jumps."""
    m = Machine(np.full((8, 8), 4.0), np.full(8, -16.0), np.full(8, -16.0))
    begin = np.zeros((400, 8))
    assert m.gibbs(begin, 20, np.random.default_rng(1)).max() == 0
    pool = Pool(20, 8)
    pool.renew(m, np.array([mode.h for mode in ModeFinder(None, {"steps": 50}, 0).several(m, 10)]))
    v, statistics = pool.run(m, begin, 1, np.random.default_rng(1))
    assert v.mean() == pytest.approx(0.5, abs=0.1)
    assert statistics.visible == pytest.approx(np.full(8, 0.5), abs=0.01)


def test_several_modes_are_the_lowest_states_in_order():
    m = machine(4, 3, 1)
    modes = ModeFinder(dimod.ExactSolver(), {}, 0).several(m, 5)
    assert [mode.energy for mode in modes] == pytest.approx(np.sort(joint(m)[1])[:5])
    found = ModeFinder(None, {"steps": 50}, 0).several(m, 5)
    assert found[0].energy == pytest.approx(modes[0].energy) and len({tuple(x.v) + tuple(x.h) for x in found}) == 5


@pytest.mark.parametrize("use", ["jump", "own"])
def test_training_with_jumps_at_a_rate_at_which_chains_lose_the_machine(use):
    X = bars_and_stripes(3)
    make = lambda **options: ModeAssistedRBM(
        8, learning_rate=(1.0, 0.01), batch_size=14, n_iter=1500, pool_size=64, random_state=3, **options
    ).fit(X)
    jumps, plain = make(mode_use=use), make(mode_probability=0.0)
    assert jumps.score(X) > -3.0 and jumps.score(X) > plain.score(X) + 1
    assert jumps.n_modes_ == (15 if use == "jump" else 0) and plain.n_modes_ == 0
    assert (make(mode_use=use).components_ == jumps.components_).all()


def test_bars_and_stripes():
    assert len(bars_and_stripes(4)) == 30
    pictures = bars_and_stripes(3).reshape(-1, 3, 3)
    for picture in pictures:
        assert (picture == picture[:1]).all() or (picture == picture[:, :1]).all()


@pytest.mark.parametrize("options", [{"mode_probability": 0.0}, {}, {"method": "cd", "mode_use": "weigh"}])
def test_training_learns(options):
    X = bars_and_stripes(3)
    rbm = ModeAssistedRBM(8, learning_rate=(0.2, 0.01), batch_size=14, n_iter=2500, random_state=3, **options).fit(X)
    # A machine of independent pixels has 9 log 2 = 6.24 at best; the data's entropy is log 14 = 2.64.
    assert -3.8 < rbm.score(X) <= -np.log(14) + 1e-9
    assert rbm.n_updates_ == 2500 and (rbm.n_modes_ > 0) == bool(rbm.mode_probability)
    v, h, energy = rbm.mode()
    assert energy == pytest.approx(min(rbm.machine_.energy(np.repeat(v[None], 256, 0), states(8))), abs=1e-6)


@pytest.mark.parametrize("method", ["cd", "pcd"])
@pytest.mark.parametrize("use", ["replace", "add", "seed", "weigh", "jump"])
def test_training_repeats(method, use):
    make = lambda: ModeAssistedRBM(4, method=method, mode_use=use, mode_offset=0.0, n_iter=40, random_state=5)
    first, second = (make().fit(bars_and_stripes(3)) for _ in range(2))
    assert first.n_modes_ > 0 and (first.components_ == second.components_).all()


def test_what_is_watched_and_refused():
    seen = []
    X = bars_and_stripes(2)
    ModeAssistedRBM(2, n_iter=3, batch_size=3, monitor=lambda *a: seen.append(a[1:]), random_state=0).fit(X)
    assert [n for n, _ in seen] == [2, 4, 6] and sorted(seen) == seen
    with pytest.raises(ValueError, match="probabilities"):
        ModeAssistedRBM(threshold=None).fit(2 * X)
    for bad in ({"method": "ccd"}, {"n_components": 0}, {"mode_probability": 1.5}, {"batch_size": 0}, {"pool_size": 0}, {"mode_use": "leap"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            ModeAssistedRBM(**bad).fit(X)


def test_the_classifier_classifies_by_the_machine():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    X = (rng.random((300, 12)) < np.where(np.repeat(np.eye(3), 4, axis=1)[y] > 0, 0.9, 0.1)).astype(float)
    names = np.array(["a", "b", "c"])[y]
    model = ModeAssistedRBMClassifier(8, learning_rate=0.1, n_iter=30, random_state=1).fit(X[:200], names[:200])
    assert model.score(X[200:], names[200:]) > 0.9
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(300))
    # p(y | x) from free energies of x with each class, the long way.
    energies = [model.machine_.free_energy(np.hstack([X, np.tile(unit, (300, 1))])) for unit in np.eye(3)]
    logs = -np.array(energies).T
    logs -= np.logaddexp.reduce(logs, axis=1, keepdims=True)
    assert class_log_probabilities(model.machine_, X) == pytest.approx(logs, abs=1e-9)
