"""What a rival's worker process is told, and how it reports: one JSON object per line on standard output."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field

from hbench.answers import better, pack, reaches
from hbench.readers import BoolArray, Problem


@dataclass
class Context:
    """One copy of one rival on one instance; times are seconds since `ready`."""

    problem: Problem
    limit_s: float
    seed: int
    copy: int
    copies: int
    threads: int
    target: float | None
    options: dict[str, str]
    started: float = field(default_factory=time.perf_counter)
    best: float | None = None

    def emit(self, **values: object) -> None:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()

    def ready(self) -> None:
        """Starts the clock: reading the file and importing libraries is not charged to a rival."""
        self.started = time.perf_counter()
        self.emit(ready=True)

    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    def left(self) -> float:
        return self.limit_s - self.elapsed()

    def over(self) -> bool:
        """Whether the time is up or the target is reached."""
        return self.left() <= 0 or reaches(self.best, self.target, self.problem.maximise)

    def offer(self, bits: BoolArray) -> None:
        """Reports an assignment if its value improves on the best so far."""
        value = self.problem.score(bits)
        if value is not None and better(value, self.best, self.problem.maximise):
            self.best = value
            self.emit(t=round(self.elapsed(), 6), objective=value, bits=pack(bits))

    def finish(self, status: str) -> None:
        """The last line; "target" tells the runner that the other copies may stop."""
        if status == "feasible" and reaches(self.best, self.target, self.problem.maximise):
            status = "target"
        self.emit(t=round(self.elapsed(), 6), status=status)
