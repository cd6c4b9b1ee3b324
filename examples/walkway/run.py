"""A run of one method against the clock: everybody evaluates through it, so that evaluations and improvements are counted alike."""

from __future__ import annotations

import time

import numpy as np

from compliance import Reduced

#: Smaller relative improvements are rounding of the factorisation.
IMPROVEMENT = 1e-8


class RunIsOver(Exception):
    """Raised out of `Run.evaluate` when the time is over or the target is reached."""


class Run:
    """The clock, the best set so far, and when it was found.

    Args:
        reduced: The objective.
        limit_s: Wall time. The clock starts here.
        target: A J with which the run is over at once; none in comparisons.
    """

    def __init__(self, reduced: Reduced, limit_s: float, target: float = float("-inf")) -> None:
        self.reduced = reduced
        self.limit_s = limit_s
        self.target = target
        self.evaluations = 0
        #: Calls of a QUBO sampler, and the time they took.
        self.calls = 0
        self.calls_s = 0.0
        self.best = float("inf")
        self.best_set = np.empty(0, dtype=np.int64)
        #: (seconds, J) of every improvement.
        self.history: list[tuple[float, float]] = []
        self._begin = time.perf_counter()

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self.limit_s - (time.perf_counter() - self._begin)

    def check_over(self) -> None:
        """Raises `RunIsOver` when it is."""
        if self.left_s <= 0.0 or self.best <= self.target:
            raise RunIsOver

    def note(self, value: float, chosen: np.ndarray) -> None:
        """A set that holds and its exact value: kept where it is the best in time."""
        if value < self.best * (1.0 - IMPROVEMENT):
            at = time.perf_counter() - self._begin
            if at <= self.limit_s:
                self.best, self.best_set = float(value), np.sort(chosen)
                self.history.append((at, float(value)))

    def evaluate(self, sets: np.ndarray) -> np.ndarray:
        """J (b,) of sets that hold (b, k); raises `RunIsOver`."""
        values = self.reduced.evaluate(sets)
        self.evaluations += len(sets)
        best = int(values.argmin())
        self.note(values[best], sets[best])
        self.check_over()
        return values
