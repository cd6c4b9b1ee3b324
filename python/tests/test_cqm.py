"""Constrained models."""

import itertools
import random

import dimod
import numpy as np
import pytest

import hysteron


def exact(cqm):
    return dimod.ExactCQMSolver().sample_cqm(cqm).filter(lambda d: d.is_feasible).first.energy


def check(cqm, **arguments):
    # Bounded by work, not by time: a busy machine must not change what is found.
    samples = hysteron.CQMSampler(threads=2).sample_cqm(cqm, **{"runs": 6, "seed": 1, **arguments})
    assert samples.info["status"] == "feasible"
    assert samples.record.is_feasible.all()
    for sample in samples.samples():
        assert cqm.check_feasible(sample)
    assert len(np.unique(samples.record.sample, axis=0)) == len(samples)
    return samples


def choice(variables, chosen, seed, kind=dimod.Binary):
    """Of so many candidates choose so many, some pairs excluded, quadratic costs."""
    rng = random.Random(seed)
    x = [kind(f"x{i}") for i in range(variables)]
    pairs = list(itertools.combinations(range(variables), 2))
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(dimod.quicksum(rng.randint(-9, 9) * x[i] * x[j] for i, j in pairs) + dimod.quicksum(rng.randint(-5, 5) * v for v in x))
    cqm.add_constraint(dimod.quicksum(x) == chosen, label="count")
    return cqm, x, pairs, rng


@pytest.mark.parametrize("seed", range(3))
def test_choices_are_optimal(seed):
    cqm, x, pairs, rng = choice(12, 5, seed)
    for i, j in rng.sample(pairs, 8):
        cqm.add_constraint(x[i] + x[j] <= 1)
    assert check(cqm).first.energy == exact(cqm)


def test_spins():
    cqm, x, _, _ = choice(10, 2, 1, dimod.Spin)
    cqm.add_constraint(x[0] * x[1] + x[2] >= 0)
    samples = check(cqm, num_reads=5)
    assert samples.first.energy == pytest.approx(exact(cqm))
    assert set(np.unique(samples.record.sample)) <= {-1, 1}


def test_integers_and_quadratic_constraints():
    i, j, k = (dimod.Integer(name, lower_bound=low, upper_bound=8) for name, low in (("i", 0), ("j", -3), ("k", 2)))
    b = dimod.Binary("b")
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(-3 * i - 2 * j + k * k - i * k + 4 * b * j + 0.5)
    cqm.add_constraint(i * i + j * j <= 30)
    cqm.add_constraint(i * j - k >= -4)
    cqm.add_constraint(2 * i + 3 * k - j <= 20)
    cqm.add_constraint(i + j + b == 6)
    assert check(cqm).first.energy == exact(cqm)


def test_integers_with_linear_constraints_use_chips():
    rng = random.Random(4)
    x = [dimod.Integer(f"i{n}", upper_bound=5) for n in range(5)]
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(dimod.quicksum(rng.randint(-4, 4) * u * v for u, v in itertools.combinations(x, 2)) - dimod.quicksum(x))
    cqm.add_constraint(dimod.quicksum(x) <= 11)
    cqm.add_constraint(x[0] - x[1] >= 1)
    samples = check(cqm)
    assert samples.first.energy == exact(cqm)
    assert samples.info["chips"]["used"]


def test_knapsack_in_floats():
    rng = random.Random(2)
    x = [dimod.Binary(n) for n in range(12)]
    weights = [round(rng.uniform(1, 9), 2) for _ in x]
    values = [round(rng.uniform(1, 9), 2) for _ in x]
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(-dimod.quicksum(value * v for value, v in zip(values, x)))
    cqm.add_constraint(dimod.quicksum(weight * v for weight, v in zip(weights, x)) <= 25.5)
    assert check(cqm).first.energy == pytest.approx(exact(cqm))


def test_soft_constraints_cost():
    x = [dimod.Binary(n) for n in range(4)]
    for penalty, expected in (("linear", -4 + 1.5 * 2), ("quadratic", -3 + 1.5)):
        cqm = dimod.ConstrainedQuadraticModel()
        cqm.set_objective(-dimod.quicksum(x))
        cqm.add_constraint(dimod.quicksum(x) <= 2, weight=1.5, penalty=penalty)
        best = hysteron.CQMSampler().sample_cqm(cqm, runs=4).first.energy
        assert best == pytest.approx(min(-2, expected))


def test_a_model_without_answer_says_so():
    x, y = dimod.Binary("x"), dimod.Binary("y")
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.add_constraint(x + y == 1)
    cqm.add_constraint(x - y == 0)
    samples = hysteron.CQMSampler().sample_cqm(cqm, runs=2)
    assert samples.info["status"] == "unknown"
    assert len(samples) == 1 and not samples.record.is_feasible.any()


def test_larger_models_hold():
    cqm, x, pairs, rng = choice(150, 30, 5)
    for i, j in rng.sample(pairs, 1000):
        cqm.add_constraint(x[i] + x[j] <= 1)
    cqm.add_constraint(dimod.quicksum((index % 7) * v for index, v in enumerate(x)) <= 100)
    assert len(check(cqm, num_reads=4, runs=4)) == 4


def test_starts_targets_and_repetition():
    cqm, *_ = choice(60, 20, 6)
    good = check(cqm, runs=4)
    sampler = hysteron.CQMSampler(threads=1)
    again = sampler.sample_cqm(cqm, runs=1, seed=3, initial_states=good)
    assert again.first.energy <= good.first.energy
    runs = [sampler.sample_cqm(cqm, runs=2, seed=3).record.sample for _ in range(2)]
    assert np.array_equal(*runs)
    quick = sampler.sample_cqm(cqm, time=30, target=good.first.energy + 5)
    assert quick.first.energy <= good.first.energy + 5
    assert quick.info["timing"]["total_s"] < 25


def test_refusals():
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(dimod.Real("r"))
    with pytest.raises(ValueError, match="real"):
        hysteron.CQMSampler().sample_cqm(cqm)
    with pytest.raises(TypeError):
        hysteron.CQMSampler().sample_cqm(dimod.ConstrainedQuadraticModel(), sweeps=1)
    with pytest.raises(ValueError, match="lack"):
        cqm = dimod.ConstrainedQuadraticModel()
        cqm.add_constraint(dimod.Binary("x") <= 1)
        hysteron.CQMSampler().sample_cqm(cqm, initial_states={"y": 1})


def test_nothing_to_decide():
    samples = hysteron.CQMSampler().sample_cqm(dimod.ConstrainedQuadraticModel(), runs=1)
    assert samples.first.energy == 0


def test_progress_and_ctrl_c(run_and_interrupt):
    told = []
    cqm, *_ = choice(60, 20, 7)
    samples = hysteron.CQMSampler().sample_cqm(cqm, time=1.5, progress=lambda *a: told.append(a))
    assert told and told[-1][1] >= samples.first.energy
    output = run_and_interrupt(
        """
        import dimod, hysteron
        x = [dimod.Binary(i) for i in range(100)]
        cqm = dimod.ConstrainedQuadraticModel()
        cqm.set_objective(sum((i * 7 % 5 - 2) * x[i] * x[i - 1] for i in range(100)))
        cqm.add_constraint(dimod.quicksum(x) == 30)
        print("searching", flush=True)
        samples = hysteron.CQMSampler().sample_cqm(cqm, time=300)
        print(samples.info["interrupted"], samples.record.is_feasible.all())
        """
    )
    assert output.strip().endswith("True True")
