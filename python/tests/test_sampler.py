"""The dimod sampler: dimod's own tests, exactness, limits, reads, starts."""

import itertools
import random
import threading
import time
import unittest

import dimod
import dimod.testing
import numpy as np
import pytest

import hysteron


@dimod.testing.load_sampler_bqm_tests(hysteron.Sampler)
class TestDimod(unittest.TestCase):
    def test_api(self):
        dimod.testing.assert_sampler_api(hysteron.Sampler())


def brute_force(bqm):
    return dimod.ExactSolver().sample(bqm).first.energy


def random_bqm(variables, interactions, vartype, seed, biases=range(-5, 6)):
    rng = random.Random(seed)
    bqm = dimod.BinaryQuadraticModel(vartype)
    for v in range(variables):
        bqm.add_linear(f"v{v}", rng.choice(biases))
    for u, v in rng.sample(list(itertools.combinations(range(variables), 2)), interactions):
        bqm.add_quadratic(f"v{u}", f"v{v}", rng.choice(biases))
    return bqm


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
@pytest.mark.parametrize("seed", range(4))
def test_small_models_are_solved(vartype, seed):
    bqm = random_bqm(12, 30, vartype, seed)
    bqm.offset = 1.5
    samples = hysteron.Sampler().sample(bqm, time=1)
    assert samples.first.energy == brute_force(bqm)
    assert samples.info["status"] == "optimal"
    dimod.testing.assert_sampleset_energies(samples, bqm)
    assert list(samples.variables) == list(bqm.variables)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_float_biases_are_exact(vartype):
    biases = [0.1, -0.25, 1.75, 0.3, -0.7, 2.0]
    bqm = random_bqm(10, 25, vartype, 1, biases)
    samples = hysteron.Sampler().sample(bqm)
    assert samples.first.energy == pytest.approx(brute_force(bqm), abs=1e-12)
    assert samples.info["scale"] == 100 and samples.info["scale_error"] == 0
    # A binary fraction takes the smaller power of two.
    halves = dimod.BQM({"a": 0.5, "b": -0.75}, {"ab": 1.0}, 0, vartype)
    assert hysteron.Sampler().sample(halves).info["scale"] == 4


def test_what_cannot_be_exact_is_refused_and_may_be_rounded():
    rng = np.random.default_rng(1)
    bqm = dimod.BQM(rng.normal(size=12) * 10.0 ** np.arange(-6, 6), rng.normal(size=(12, 12)), "SPIN")
    with pytest.raises(ValueError, match='scale="auto"'):
        hysteron.Sampler().sample(bqm)
    with pytest.raises(ValueError, match="positive"):
        hysteron.Sampler().sample(bqm, scale=-1.0)
    with pytest.raises(ValueError, match="exact"):
        hysteron.Sampler().sample(bqm, scale="nearly")
    best = brute_force(bqm)
    for scale in ("auto", 1000.0):
        samples = hysteron.Sampler().sample(bqm, scale=scale)
        error = samples.info["scale_error"]
        assert error > 0
        assert best <= samples.first.energy <= best + 2 * error + 1e-9
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no number"):
            hysteron.Sampler().sample(dimod.BQM({0: bad, 1: 1}, {(0, 1): 1}, 0, "SPIN"))


def test_huge_integers_in_objects_are_refused():
    bqm = dimod.DictBQM({0: 2**60 + 1, 1: 1}, {(0, 1): 3}, 0, "SPIN")
    with pytest.raises(ValueError, match="double"):
        hysteron.Sampler().sample(bqm)


def test_unknown_parameters_raise():
    bqm = random_bqm(4, 3, "SPIN", 0)
    with pytest.raises(TypeError, match="num_sweeps"):
        hysteron.Sampler().sample(bqm, num_sweeps=100)
    with pytest.raises(TypeError):
        hysteron.Sampler(colour="blue")


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_reads": 0},
        {"num_reads": 1.5},
        {"time": 0},
        {"time": float("nan")},
        {"steps": 0},
        {"seed": -1},
        {"threads": 0},
        {"target": float("inf")},
    ],
)
def test_bad_arguments_raise(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        hysteron.Sampler().sample(random_bqm(4, 3, "SPIN", 0), **arguments)


@pytest.mark.parametrize("variables, reads", [(3, 8), (8, 100), (20, 100), (60, 300)])
def test_reads_are_distinct_and_sorted(variables, reads):
    bqm = random_bqm(variables, min(3 * variables, variables * (variables - 1) // 2), "BINARY", 3)
    samples = hysteron.Sampler().sample(bqm, num_reads=reads, time=1, seed=1)
    assert len(samples) == reads
    rows = samples.record.sample
    assert len(np.unique(rows, axis=0)) == reads
    assert (np.diff(samples.record.energy) >= 0).all()
    if variables <= 8:
        exact = np.sort(dimod.ExactSolver().sample(bqm).record.energy)[:reads]
        assert np.array_equal(samples.record.energy, exact)


def test_no_more_reads_than_states():
    samples = hysteron.Sampler().sample_ising({"a": 1}, {("a", "b"): 1}, num_reads=10)
    assert len(samples) == 4


def test_it_repeats():
    bqm = random_bqm(150, 600, "SPIN", 5)
    runs = [
        hysteron.Sampler(threads=1).sample(bqm, steps=3000, seed=7, num_reads=40).record.sample for _ in range(2)
    ]
    assert np.array_equal(*runs)


def test_target_ends_the_search():
    bqm = random_bqm(200, 800, "SPIN", 6, biases=[-1, 1])
    bqm.offset = 0.25
    good = hysteron.Sampler().sample(bqm, time=1, seed=1).first.energy
    begin = time.perf_counter()
    samples = hysteron.Sampler().sample(bqm, time=60, target=good, seed=2)
    assert samples.first.energy <= good
    assert time.perf_counter() - begin < 40


def test_initial_states_are_never_lost():
    bqm = random_bqm(300, 1500, "SPIN", 8, biases=[-1, 1])
    good = hysteron.Sampler().sample(bqm, time=2, seed=1)
    # So short a search would not get there alone.
    again = hysteron.Sampler(threads=1).sample(bqm, steps=1, seed=2, initial_states=good)
    assert again.first.energy <= good.first.energy
    with pytest.raises(ValueError, match="lack"):
        hysteron.Sampler().sample(bqm, initial_states={"v0": 1})
    with pytest.raises(ValueError, match="other values"):
        hysteron.Sampler().sample(bqm, initial_states={v: 0 for v in bqm.variables})


def test_a_million_couplings_convert_in_a_second():
    rng = np.random.default_rng(0)
    count, variables = 1_000_000, 100_000
    pairs = rng.integers(0, variables, size=(count, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    bqm = dimod.BQM.from_numpy_vectors(
        np.zeros(variables), (pairs[:, 0], pairs[:, 1], rng.choice([-1.0, 1.0], len(pairs))), 0.0, "SPIN"
    )
    samples = hysteron.Sampler().sample(bqm, time=0.5)
    # Under a second on a quiet core; the tests' machine may be busy.
    assert samples.info["timing"]["convert_s"] < 3
    assert samples.first.energy < -100_000


def test_other_threads_run_during_a_search():
    bqm = random_bqm(200, 2000, "SPIN", 9)
    ticks = []
    worker = threading.Thread(target=lambda: hysteron.Sampler(threads=1).sample(bqm, time=1))
    worker.start()
    while worker.is_alive():
        ticks.append(time.perf_counter())
        time.sleep(0.01)
    assert len(ticks) > 20


def test_progress_is_told():
    told = []
    bqm = random_bqm(200, 2000, "SPIN", 10)
    bqm.offset = 0.5
    samples = hysteron.Sampler().sample(
        bqm, time=2, progress=lambda elapsed, best, ecu: told.append((elapsed, best, ecu))
    )
    assert len(told) >= 2
    assert told[-1][1] >= samples.first.energy
    assert told[-1][1] % 1 == 0.5
    assert samples.info["history"][-1][1] == samples.first.energy

    def fails(*_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        hysteron.Sampler().sample(bqm, time=60, progress=fails)
    # A bar is drawn and goes away.
    hysteron.Sampler().sample(bqm, time=0.2, progress=True)


def test_ctrl_c_returns_the_best_so_far(run_and_interrupt):
    output = run_and_interrupt(
        """
        import dimod, hysteron, numpy as np
        rng = np.random.default_rng(0)
        j = np.triu(rng.choice([-1.0, 1.0], size=(300, 300)), 1)
        bqm = dimod.BQM(np.zeros(300), j, "SPIN")
        print("searching", flush=True)
        samples = hysteron.Sampler().sample(bqm, time=300)
        print(samples.info["interrupted"], samples.first.energy < -1000)
        """
    )
    assert output.strip().endswith("True True")


def test_traces_of_binary_rounding_are_refused_with_the_way_out():
    # 0.1 + 0.2 is no short decimal, and as a binary fraction it needs 54 bits: with large biases beside it, more than an integer has.
    biases = {i: 1000.0 for i in range(30)} | {30: 0.1 + 0.2}
    model = dimod.BQM(biases, {(0, 1): 1.0}, 0.0, "SPIN")
    with pytest.raises(ValueError, match='scale="auto"'):
        hysteron.Sampler().sample(model)
    found = hysteron.Sampler().sample(model, scale="auto")
    assert found.first.energy == pytest.approx(-30 * 1000.0 - 0.3, abs=3)
    assert found.info["scale_error"] > 0
