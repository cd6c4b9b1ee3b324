"""The network path, against a devnet of its own."""

import os
import socket
import subprocess
import time
import urllib.request

import dimod
import numpy as np
import pytest

import hysteron
from hysteron import _native

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif("HYSTERON_BIN" not in os.environ, reason="HYSTERON_BIN names no hysteron program"),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(tmp_path_factory.mktemp("devnet") / "log", "w+")
    process = subprocess.Popen(
        [os.environ["HYSTERON_BIN"], "devnet", "--workers", "2", "--threads", "1", "--http", f"127.0.0.1:{port}"],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                log.seek(0)
                pytest.fail(f"the devnet ended: {log.read()}")
            try:
                urllib.request.urlopen(f"{url}/v1/status", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("the devnet does not answer")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def model(vartype="SPIN"):
    rng = np.random.default_rng(3)
    bqm = dimod.BQM(vartype)
    for u in range(60):
        for v in rng.choice(60, size=6, replace=False):
            if u != v:
                bqm.add_quadratic(f"v{u}", f"v{v}", float(rng.choice([-1.5, 0.5, 1.0])))
    bqm.offset = 0.25
    return bqm


def booked(node, **options):
    return hysteron.Sampler(network=node, wallet="devnet:customer", chips=64, blocks=8, **options)


@pytest.mark.parametrize("blind, vartype", [(False, "SPIN"), (True, "SPIN"), (True, "BINARY")])
def test_a_job_comes_back_with_its_receipt(node, blind, vartype):
    bqm = model(vartype)
    told = []
    good = hysteron.Sampler().sample(bqm, time=1).first.energy
    # The target ends the job as soon as an answer is near.
    target = good + 0.05 * abs(good)
    samples = booked(node, blind=blind).sample(bqm, target=target, num_reads=3, progress=lambda *a: told.append(a))
    info = samples.info["network"]
    assert len(samples) == 3 and not info["cancelled"]
    assert samples.first.energy <= target
    dimod.testing.assert_sampleset_energies(samples, bqm)
    assert info["state"] in ("solved", "settled")
    assert told[-1][1] == pytest.approx(min(t[1] for t in told if t[1] is not None))
    assert target >= told[-1][1] >= good - 1e-9
    proven = hysteron.verify_receipt(info["receipt"])
    assert proven["job"] == info["job"]
    assert hysteron.verify_receipt(info["receipt"], proven["anchor"]) == proven
    with pytest.raises(ValueError, match="."):
        hysteron.verify_receipt(info["receipt"][:-1] + bytes([info["receipt"][-1] ^ 1]), proven["anchor"])
    with pytest.raises(ValueError, match="."):
        hysteron.verify_receipt(info["receipt"], "00" * 32)


def test_waiting_can_end_before_the_job(node):
    samples = booked(node).sample(model(), time=0.5)
    assert samples.info["network"]["job"] is not None
    assert samples.info["network"]["state"] != "solved"


def test_what_simplifying_solves_is_not_booked(node):
    samples = booked(node, blind=True).sample_ising({"a": 1.0}, {("a", "b"): -2.0})
    assert samples.info["network"]["job"] is None
    assert samples.first.sample == {"a": -1, "b": -1}


def test_refusals(node):
    with pytest.raises(ValueError, match="wallet"):
        hysteron.Sampler(network=node)
    with pytest.raises(ValueError, match="network"):
        hysteron.Sampler(blind=True)
    with pytest.raises(ValueError, match="limit"):
        booked(node, max_price="0.000000001").sample(model())
    with pytest.raises(ValueError, match="mallory"):
        hysteron.Sampler(network=node, wallet="devnet:mallory").sample(model())
    with pytest.raises(ValueError, match="float"):
        booked(node, max_price=0.1)
    with pytest.raises(ValueError, match="initial_states"):
        booked(node).sample(model(), initial_states={v: 1 for v in model().variables})
    with pytest.raises(ConnectionError):
        booked("http://127.0.0.1:1").sample(model())


def test_blinding_hides_order_and_signs_and_comes_back(node):
    bqm = model()
    vectors = bqm.to_numpy_vectors()
    problem = _native.Problem.quadratic(
        np.asarray(vectors.linear_biases, dtype=np.float64),
        np.asarray(vectors.quadratic.row_indices, dtype=np.int64),
        np.asarray(vectors.quadratic.col_indices, dtype=np.int64),
        np.asarray(vectors.quadratic.biases, dtype=np.float64),
        spins=True,
    )
    connection = _native.Node(node)
    plain = [connection.prepare(problem, False).booked() for _ in range(2)]
    blind = [connection.prepare(problem, True).booked() for _ in range(2)]
    assert plain[0] == plain[1]
    assert len({*plain, *blind}) == 3


def test_the_mode_of_a_boltzmann_machine_comes_from_the_network(node):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    from hysteron.ml import Machine
    from hysteron.ml.boltzmann import ModeFinder

    rng = np.random.default_rng(5)
    machine = Machine(rng.normal(size=(40, 30)), rng.normal(size=40), rng.normal(size=30))
    local = ModeFinder(None, {"steps": 2000}, 0).find(machine)
    sampler = hysteron.Sampler(network=node, wallet="devnet:customer", chips=64, blocks=20, blind=True)
    finder = ModeFinder(sampler, {"target": 0.97 * local.energy}, 0)
    mode = finder.find(machine)
    assert mode.energy == pytest.approx(float(machine.energy(mode.v[None], mode.h[None])[0]))
    assert mode.energy <= 0.97 * local.energy
    assert finder.minimiser.calls == 1
