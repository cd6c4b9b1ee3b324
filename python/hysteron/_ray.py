"""Chips on a Ray cluster of the user's own: tasks search with seeds of their own and pass their elites on.

Nothing waits for the slowest: whenever a task ends, its samples join the elites and the next task begins from them.
"""

from __future__ import annotations

import os
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hysteron import _native
from hysteron._search import Limits, Teller, check_count

# Samples that a task brings back and takes along.
ELITES = 16
# A round is this part of the time, within bounds: elites travel that often.
ROUND_PART = 0.125
ROUND_MIN_S = 0.5
ROUND_MAX_S = 60.0
# How long a task may take over its time before it is given up.
GRACE_S = 30.0


@dataclass(frozen=True)
class Cluster:
    """How a sampler uses Ray.

    Attributes:
        address: Of the cluster, as `ray.init` takes it; None joins the running one or starts a local one. Nothing is
            started where `ray.init` was called already.
        tasks: Tasks side by side; one for each `cpus` cores of the cluster unless given.
        cpus: Cores, and threads, of a task.
        retries: How many failures of tasks (a worker that dies, a node that goes away) are borne in one call.
    """

    address: str | None = None
    tasks: int | None = None
    cpus: int = 1
    retries: int = 10

    def __post_init__(self) -> None:
        check_count("tasks", self.tasks)
        check_count("cpus", self.cpus, most=1024)
        if self.retries < 0:
            raise ValueError(f"retries is {self.retries!r}: it is 0 or more")


def cluster_of(option: Any) -> Cluster | None:
    """What the user says of Ray: True, an address, a Cluster, or nothing."""
    if option is None or option is False:
        return None
    if option is True:
        return Cluster()
    if isinstance(option, str):
        return Cluster(address=option)
    if isinstance(option, Cluster):
        return option
    raise ValueError(f"ray is {option!r}: it is True, an address, or a hysteron.RayCluster")


@dataclass(frozen=True)
class Model:
    """A model as it travels."""

    linear: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    biases: npt.NDArray[np.float64]
    spins: bool
    scale: str | float | None


# The last model of this process: a worker's tasks come from the same call one after the other.
_kept: tuple[str, _native.Problem] | None = None


def task(
    name: str, model: Model, time: float, seed: int, threads: int, target: int | None, starts: npt.NDArray[np.uint8] | None
) -> dict[str, Any]:
    """Runs on a worker: a search of `time` seconds."""
    global _kept
    if _kept is None or _kept[0] != name:
        problem = _native.Problem.quadratic(
            model.linear, model.rows, model.columns, model.biases, spins=model.spins, scale=model.scale
        )
        _kept = (name, problem)
    found = _native.solve(
        _kept[1],
        time=time,
        steps=None,
        seed=seed,
        threads=threads,
        target=target,
        starts=None if starts is None else np.array(starts),
        reads=ELITES,
        progress=None,
    )
    found["pid"] = os.getpid()
    return found


class Elites:
    """The best distinct samples of all tasks, by exact objective."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[bytes, tuple[float, npt.NDArray[np.uint8], str]] = {}

    def take(self, found: dict[str, Any]) -> None:
        for row, (numerator, decimals, _) in zip(found["samples"], found["scores"], strict=True):
            self._kept.setdefault(row.tobytes(), (numerator / 10**decimals, row, found["source"]))
        best = sorted(self._kept.items(), key=lambda item: item[1][0])
        self._kept = dict(best[: self._most])

    def first(self) -> tuple[float, str] | None:
        for value, _, source in self._kept.values():
            return value, source
        return None

    def rows(self, most: int) -> npt.NDArray[np.uint8] | None:
        rows = [row for _, row, _ in self._kept.values()][:most]
        return np.stack(rows) if rows else None


def run(
    model: Model,
    cluster: Cluster,
    limits: Limits,
    *,
    reads: int,
    target: int | None,
    starts: npt.NDArray[np.uint8] | None,
    teller: Teller,
    function: Callable[..., dict[str, Any]] = task,
) -> dict[str, Any]:
    """Searches on the cluster until `limits.time`, the target, a proof or Ctrl-C; the result is that of the native part."""
    try:
        import ray
    except ImportError as error:
        raise ImportError("ray= needs Ray: pip install 'hysteron[ray]'") from error
    assert limits.time is not None and limits.seed is not None
    if not ray.is_initialized():
        ray.init(address=cluster.address, log_to_driver=False)
    begin = clock.perf_counter()
    side_by_side = cluster.tasks or max(1, int(ray.cluster_resources().get("CPU", 1)) // cluster.cpus)
    remote = ray.remote(num_cpus=cluster.cpus, max_retries=0)(function)
    shared = ray.put(model)
    name = shared.hex()
    elites = Elites(max(reads, ELITES))
    round_s = min(max(limits.time * ROUND_PART, ROUND_MIN_S), ROUND_MAX_S, limits.time)
    running: dict[Any, float] = {}
    told: dict[str, Any] = {"history": [], "ecu": 0, "tasks": 0, "failures": 0, "workers": set()}
    status = "feasible"
    interrupted = False

    def launch() -> None:
        left = limits.time - (clock.perf_counter() - begin) if limits.time else 0.0
        time = max(min(round_s, left), 0.05)
        number = told["tasks"]
        told["tasks"] += 1
        # Some tasks begin without elites, so that not all of them search the same valley.
        along = starts if number < side_by_side else elites.rows(ELITES) if number % 4 else None
        seed = (limits.seed or 0) + 0x9E37_79B9_7F4A_7C15 * (number + 1) & 2**64 - 1
        reference = remote.remote(name, shared, time, seed, cluster.cpus, target, along)
        running[reference] = clock.perf_counter() + time + GRACE_S

    def is_over() -> bool:
        return clock.perf_counter() - begin >= (limits.time or 0.0)

    try:
        for _ in range(side_by_side):
            launch()
        while running:
            done, _ = ray.wait(list(running), num_returns=1, timeout=0.2)
            first = elites.first()
            if teller.plain is not None:
                teller.plain(clock.perf_counter() - begin, None if first is None else teller.value(first[0]), told["ecu"])
            overdue = [reference for reference, late in running.items() if clock.perf_counter() > late]
            for reference in done or overdue[:1]:
                del running[reference]
                try:
                    if not done:
                        ray.cancel(reference, force=True)
                        raise ray.exceptions.GetTimeoutError("the task is overdue")
                    found = ray.get(reference)
                except ray.exceptions.RayTaskError:
                    # The function itself raised: another worker would raise the same.
                    raise
                except ray.exceptions.RayError as error:
                    told["failures"] += 1
                    if told["failures"] > cluster.retries:
                        raise RuntimeError(f"{told['failures']} tasks failed, the last with: {error}") from error
                else:
                    before = elites.first()
                    elites.take(found)
                    after = elites.first()
                    told["ecu"] += found["ecu"]
                    told["workers"].add(found["pid"])
                    if after is not None and (before is None or after[0] < before[0]):
                        told["history"].append((clock.perf_counter() - begin, after[0]))
                    reached = target is not None and after is not None and after[0] <= target
                    if found["status"] == "optimal":
                        status = "optimal"
                    if status == "optimal" or reached:
                        return _result(elites, reads, status, told, interrupted, begin)
                if not is_over() or elites.first() is None:
                    launch()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
    return _result(elites, reads, status, told, interrupted, begin)


def _result(
    elites: Elites, reads: int, status: str, told: dict[str, Any], interrupted: bool, begin: float
) -> dict[str, Any]:
    first = elites.first()
    rows = elites.rows(reads)
    if first is None or rows is None:
        raise KeyboardInterrupt
    return {
        "status": status,
        "source": first[1],
        "samples": rows,
        "ecu": told["ecu"],
        "history": told["history"],
        "search_s": clock.perf_counter() - begin,
        "reads_s": 0.0,
        "interrupted": interrupted,
        "ray": {"tasks": told["tasks"], "failures": told["failures"], "workers": len(told["workers"])},
    }
