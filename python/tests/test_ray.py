"""Chips on a local Ray of two workers."""

import os

import dimod
import numpy as np
import pytest

import hysteron
from hysteron import _ray
from hysteron._search import Limits, Teller

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.ray


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    # Workers start before clocks do.
    ray.get([ray.remote(lambda: __import__("hysteron").__version__).remote() for _ in range(4)])
    yield
    ray.shutdown()


def model(variables=150):
    rng = np.random.default_rng(1)
    return dimod.BQM(np.zeros(variables), np.triu(rng.choice([-1.0, 1.0], (variables, variables)), 1), "SPIN")


def test_it_spreads_over_two_workers():
    bqm = model()
    samples = hysteron.Sampler(ray=True).sample(bqm, time=4, num_reads=5, seed=1)
    dimod.testing.assert_sampleset_energies(samples, bqm)
    assert len(samples) == 5
    assert samples.info["ray"]["workers"] == 2
    assert samples.info["ray"]["tasks"] > 2
    alone = hysteron.Sampler(threads=1).sample(bqm, time=2, seed=1)
    assert samples.first.energy <= alone.first.energy


def test_targets_and_starts_travel():
    bqm = model()
    good = hysteron.Sampler().sample(bqm, time=1)
    samples = hysteron.Sampler(ray=hysteron.RayCluster(tasks=2)).sample(
        bqm, time=60, target=good.first.energy, initial_states=good
    )
    assert samples.first.energy <= good.first.energy
    assert samples.info["timing"]["search_s"] < 40
    with pytest.raises(ValueError, match="steps"):
        hysteron.Sampler(ray=True).sample(bqm, steps=5)
    with pytest.raises(ValueError, match="ray is 3"):
        hysteron.Sampler(ray=3)


def dying(directory, times):
    """The task, on workers that die the first `times` times."""

    def run(*arguments):
        for number in range(times):
            try:
                os.close(os.open(os.path.join(directory, str(number)), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            os._exit(1)
        return _ray.task(*arguments)

    return run


def on_cluster(function, retries, time=3):
    bqm = model(60)
    vectors = bqm.to_numpy_vectors()
    arrays = _ray.Model(
        vectors.linear_biases,
        np.asarray(vectors.quadratic.row_indices, dtype=np.int64),
        np.asarray(vectors.quadratic.col_indices, dtype=np.int64),
        vectors.quadratic.biases,
        True,
        None,
    )
    limits = Limits(time=time, seed=1).filled(60, 1770)
    with Teller(False, time, 1.0, 0.0) as teller:
        return _ray.run(
            arrays,
            hysteron.RayCluster(retries=retries),
            limits,
            reads=3,
            target=None,
            starts=None,
            teller=teller,
            function=function,
        )


def test_a_worker_that_dies_is_replaced(tmp_path):
    found = on_cluster(dying(str(tmp_path), 3), retries=5)
    assert found["ray"]["failures"] == 3
    assert len(found["samples"]) == 3


def test_too_many_deaths_are_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="tasks failed"):
        on_cluster(dying(str(tmp_path), 50), retries=2)


def test_elites_travel_between_tasks(tmp_path):
    def noting(*arguments):
        starts = arguments[-1]
        found = _ray.task(*arguments)
        with open(tmp_path / "starts", "a") as file:
            file.write(f"{0 if starts is None else len(starts)}\n")
        # What is proven ends the search: nobody waits longer than it takes.
        return found if starts is None else found | {"status": "optimal"}

    found = on_cluster(noting, retries=0, time=120)
    counts = [int(line) for line in (tmp_path / "starts").read_text().split()]
    # The first begin with nothing, a later one with others' samples.
    assert counts.count(0) >= 2 and max(counts) > 1
    assert found["status"] == "optimal"
