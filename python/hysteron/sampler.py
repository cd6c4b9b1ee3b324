"""The dimod sampler."""

from __future__ import annotations

import itertools
import time as clock
from collections.abc import Hashable, Sequence
from decimal import Decimal
from dataclasses import replace
from typing import Any

import dimod
import numpy as np
import numpy.typing as npt

from hysteron import _native, _ray, network as networks
from hysteron._search import Limits, Progress, Teller, check_count, scale_factor, scaled_target, search

#: Most samples of one call.
READS_MAX = 1_000_000
#: How long further reads are searched for beside an answer of the network.
READS_TIME_S = 1.0


class Arrays:
    """A binary quadratic model as arrays, in the order of its variables."""

    def __init__(self, bqm: dimod.BinaryQuadraticModel) -> None:
        if bqm.dtype == object:
            _check_objects(bqm)
        vectors = bqm.to_numpy_vectors(sort_labels=False, return_labels=True)
        self.labels: list[Hashable] = list(vectors.labels)
        self.linear = _doubles(vectors.linear_biases)
        self.rows = np.ascontiguousarray(vectors.quadratic.row_indices, dtype=np.int64)
        self.columns = np.ascontiguousarray(vectors.quadratic.col_indices, dtype=np.int64)
        self.biases = _doubles(vectors.quadratic.biases)
        self.offset = float(vectors.offset)
        self.spins: bool = bqm.vartype is dimod.SPIN

    def problem(self, scale: str | float | None) -> _native.Problem:
        """The problem with integer weights."""
        return _native.Problem.quadratic(
            self.linear, self.rows, self.columns, self.biases, spins=self.spins, scale=scale
        )

    def states(self, given: Any) -> npt.NDArray[np.uint8] | None:
        """`given`, which is whatever dimod takes for samples, as rows of 0 and 1 in the order of the variables."""
        if given is None:
            return None
        samples, labels = dimod.as_samples(given)
        place = {label: index for index, label in enumerate(labels)}
        missing = [label for label in self.labels if label not in place]
        if missing:
            raise ValueError(f"initial_states lack the variable {missing[0]!r}")
        ordered = np.asarray(samples)[:, [place[label] for label in self.labels]]
        if not np.isin(ordered, (-1, 1) if self.spins else (0, 1)).all():
            kind = "-1 and 1" if self.spins else "0 and 1"
            raise ValueError(f"initial_states hold other values than {kind}, those of the model")
        return np.ascontiguousarray(ordered > 0, dtype=np.uint8)


def _doubles(values: Any) -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64)


def _check_objects(bqm: dimod.BinaryQuadraticModel) -> None:
    """Models over Python objects may hold numbers that no double is; dimod's arrays would round them silently."""
    for bias in itertools.chain(bqm.linear.values(), bqm.quadratic.values()):
        if float(bias) != bias:
            raise ValueError(f"the bias {bias!r} is no double-precision number: round it to float first")


class Sampler(dimod.Sampler):  # type: ignore[misc]
    """Searches for samples of least energy with banks of simulated memristor chips beside exact methods.

    Args:
        threads: Threads of a search; all cores this process may use unless given, and one for up to 40 variables.
        network: URL of a node: every call books chips there for its model, pays for them, and waits. The model leaves
            this machine: whoever runs a node sees it.
        wallet, password, chips, blocks, max_price, bounty, blind: What is booked and who pays, with `network`; see
            `hysteron.network.Booking`. `blind=True` sends the model with its variables permuted and a random set of
            them turned round. That hides which variable is which and what their values mean. It does not hide the
            number of variables, which graph their interactions form, the sizes of the biases, or the energies.
        ray: True, the address of a cluster, or a `hysteron.RayCluster`: every call spreads its chips over the cluster.

    Takes any `dimod.BinaryQuadraticModel` through `sample`, and `sample_ising` and `sample_qubo` as every dimod
    sampler. Without `network` and `ray` nothing leaves the machine.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        network: str | None = None,
        wallet: str | None = None,
        password: str | None = None,
        chips: int = 256,
        blocks: int = 20,
        max_price: Decimal | int | str | None = None,
        bounty: int = 10,
        blind: bool = False,
        ray: bool | str | _ray.Cluster | None = None,
    ) -> None:
        Limits(threads=threads)
        self._threads = threads
        self._cluster = _ray.cluster_of(ray)
        self._booking: networks.Booking | None = None
        if network is not None:
            if wallet is None:
                raise ValueError("network= needs a wallet= that pays")
            if self._cluster is not None:
                raise ValueError("network= and ray= exclude each other")
            self._booking = networks.Booking(network, wallet, password, chips, blocks, max_price, bounty, blind)
        elif wallet is not None or blind:
            raise ValueError("wallet= and blind= go with network=")

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keyword arguments of `sample`."""
        names = "num_reads time steps seed target threads initial_states scale progress"
        return {name: [] for name in names.split()}

    @property
    def properties(self) -> dict[str, Any]:
        """What is known of the sampler."""
        return {"version": _native.__version__, "threads": self._threads, "num_reads_max": READS_MAX}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int = 1,
        time: float | None = None,
        steps: int | None = None,
        seed: int | None = None,
        target: float | None = None,
        threads: int | None = None,
        initial_states: Any = None,
        scale: str | float | None = None,
        progress: bool | Progress = False,
    ) -> dimod.SampleSet:
        """Samples of least energy, all distinct, the best first.

        Args:
            bqm: The model.
            num_reads: Most samples. The first is the best that was found; the others are good states beside it. Fewer
                come back only where no more exist, or time or Ctrl-C ended the search before.
            time: Seconds; a search ends sooner where the best is proven. Unless given: 1 s and 10 µs a variable and
                interaction, 60 s at most; without limit where `steps` is given.
            steps: Limit of chip-steps (of a bank of 64 chips) a thread. With `seed` and ``threads=1`` and without
                `time` a call repeats exactly.
            seed: From 0 to 2**64 - 1; random unless given, and always in ``info``.
            target: Stop as soon as an energy is this low.
            threads: Instead of the sampler's.
            initial_states: Samples to begin with (whatever `dimod.as_samples` takes); the answer is never worse.
            scale: How biases become integers. None or "exact": by a power of ten or two that makes them all integers
                without rounding, or ValueError. "auto": rounded to about six digits of the largest. A number: times
                it, rounded to the nearest integer. ``info["scale"]`` and ``info["scale_error"]`` say what was done.
            progress: True for a tqdm bar, or a function of seconds, best energy and circuit updates.

        Returns:
            A sample set with energies computed by dimod, and in ``info``: status ("optimal" where proven, else
            "feasible"), source (who found the best), timing (seconds), seed, threads, ecu (elementary circuit
            updates), scale, scale_error (most by which rounding moved an energy), history ((seconds, energy) of
            every improvement), interrupted, version; of a call on the network also network (the job's id, state, what was
            paid, and the receipt, bytes for `hysteron.verify_receipt`), of one on a cluster ray (tasks, failures, workers).
            On the network `time` is how long to wait before the job is cancelled.

        Raises:
            ValueError: An argument, or biases that cannot be scaled.
            MemoryError: The search would need more memory than there is.
        """
        begin = clock.perf_counter()
        check_count("num_reads", num_reads, most=READS_MAX)
        limits = Limits(time, steps, seed, self._threads if threads is None else threads)
        if bqm.num_variables == 0:
            return dimod.SampleSet.from_samples_bqm(
                (np.zeros((1, 0), dtype=np.int8), []), bqm, info={"status": "optimal", "version": _native.__version__}
            )
        arrays = Arrays(bqm)
        problem = arrays.problem(scale)
        factor = scale_factor(problem)
        scaled = None if target is None else scaled_target(problem, target, arrays.offset)
        starts = arrays.states(initial_states)
        converted = clock.perf_counter()
        if self._booking is not None:
            found = self._on_network(problem, limits, num_reads, scaled, starts, progress, factor, arrays.offset)
            limits = limits.filled(problem.variables, problem.elements)
        elif self._cluster is not None:
            if limits.steps is not None:
                raise ValueError("steps= bounds no search on a cluster: give time=")
            limits = limits.filled(problem.variables, problem.elements)
            model = _ray.Model(arrays.linear, arrays.rows, arrays.columns, arrays.biases, arrays.spins, scale)
            with Teller(progress, limits.time, factor, arrays.offset) as teller:
                found = _ray.run(
                    model, self._cluster, limits, reads=num_reads, target=scaled, starts=starts, teller=teller
                )
            found["history"] = [(at, (value, 0)) for at, value in found["history"]]
        else:
            limits = limits.filled(problem.variables, problem.elements)
            found = search(
                problem,
                limits,
                reads=num_reads,
                target=scaled,
                starts=starts,
                progress=progress,
                factor=factor,
                offset=arrays.offset,
            )
        history = [(at, n / 10**d / factor + arrays.offset) for at, (n, d) in found["history"]]
        info = {
            "status": found["status"],
            "source": found["source"],
            "seed": limits.seed,
            "threads": limits.threads,
            "ecu": found["ecu"],
            "scale": factor,
            "scale_error": problem.scale_error,
            "history": history,
            "interrupted": found["interrupted"],
            "version": _native.__version__,
        }
        info.update({name: found[name] for name in ("network", "ray") if name in found})
        samples = sampleset(found["samples"], arrays.labels, bqm, info)
        samples.info["timing"] = {
            "convert_s": converted - begin,
            "search_s": found["search_s"],
            "reads_s": found["reads_s"],
            "total_s": clock.perf_counter() - begin,
        }
        return samples

    def _on_network(
        self,
        problem: _native.Problem,
        limits: Limits,
        reads: int,
        target: int | None,
        starts: npt.NDArray[np.uint8] | None,
        progress: bool | Progress,
        factor: float,
        offset: float,
    ) -> dict[str, Any]:
        """Books the problem; the network has one best answer, and further reads are made here, from it."""
        assert self._booking is not None
        if starts is not None or limits.steps is not None:
            raise ValueError("initial_states= and steps= have no meaning on the network")
        begin = clock.perf_counter()
        outcome = networks.run(
            problem, self._booking, target=target, time=limits.time, progress=progress, factor=factor, offset=offset
        )
        found: dict[str, Any] = {"samples": outcome.bits, "history": [], "ecu": 0, "reads_s": 0.0}
        if outcome.bits is None:
            found["samples"] = np.zeros((0, problem.variables), dtype=np.uint8)
        elif reads > 1:
            near = replace(limits, time=READS_TIME_S).filled(problem.variables, problem.elements)
            found = search(problem, near, reads=reads, starts=outcome.bits)
        found.update(
            status=outcome.info["status"],
            source=outcome.info["source"],
            interrupted=outcome.info.get("interrupted", False),
            network=outcome.info,
            search_s=clock.perf_counter() - begin,
        )
        return found


def sampleset(
    bits: npt.NDArray[np.uint8], labels: Sequence[Hashable], bqm: dimod.BinaryQuadraticModel, info: dict[str, Any]
) -> dimod.SampleSet:
    """Rows of 0 and 1 as dimod's samples of the model, energies by dimod, the best first."""
    values = bits.astype(np.int8)
    if bqm.vartype is dimod.SPIN:
        values = 2 * values - 1
    energies = np.asarray(bqm.energies((values, labels)), dtype=np.float64)
    order = np.argsort(energies, kind="stable")
    return dimod.SampleSet.from_samples(
        (values[order], list(labels)), energy=energies[order], vartype=bqm.vartype, info=info, sort_labels=False
    )
