"""What every kind of search shares: checked arguments, defaults, progress, the call of the native part."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from hysteron import _native

# How long a search takes unless the caller says: a second, and more for large problems, up to a minute.
TIME_DEFAULT_S = 1.0
TIME_DEFAULT_S_PER_ELEMENT = 1e-5
TIME_DEFAULT_MAX_S = 60.0
# Problems of so few variables are settled by one thread before others have begun.
ONE_THREAD_VARIABLES_MAX = 40

#: Called a few times a second with seconds so far, the best objective so far (None before the first) and circuit updates.
Progress = Callable[[float, "float | None", int], object]


@dataclass(frozen=True)
class Limits:
    """How a search is bounded and reproduced; checked when it is made."""

    time: float | None = None
    steps: int | None = None
    seed: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.time is not None and not (math.isfinite(self.time) and self.time > 0):
            raise ValueError(f"time is {self.time!r}: it is a positive number of seconds")
        check_count("steps", self.steps)
        check_count("threads", self.threads, most=1024)
        if self.seed is not None and not 0 <= self.seed < 2**64:
            raise ValueError(f"seed is {self.seed!r}: it is an integer from 0 to 2**64 - 1")

    def filled(self, variables: int, elements: int) -> Limits:
        """With defaults for what was left open. A step limit alone leaves the time open, so that a run repeats."""
        time = self.time
        if time is None and self.steps is None:
            time = min(TIME_DEFAULT_S + TIME_DEFAULT_S_PER_ELEMENT * (variables + elements), TIME_DEFAULT_MAX_S)
        threads = self.threads
        if threads is None:
            threads = 1 if variables <= ONE_THREAD_VARIABLES_MAX else cores()
        seed = secrets.randbits(63) if self.seed is None else self.seed
        return replace(self, time=time, threads=threads, seed=seed)


def check_count(name: str, value: int | None, *, most: int = 2**63 - 1) -> None:
    """Refuses what is no whole number from 1 to `most`."""
    if value is None:
        return
    if isinstance(value, bool) or int(value) != value or not 1 <= value <= most:
        raise ValueError(f"{name} is {value!r}: it is a whole number from 1 to {most}")


def cores() -> int:
    """Cores that this process may use."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 1024)


def scaled_target(problem: _native.Problem, target: float, offset: float) -> int:
    """The greatest integer objective of `problem` that is at most `target`, in the terms that the biases were read in."""
    if not math.isfinite(target):
        raise ValueError(f"target is {target!r}: it is a finite energy")
    base, exponent = problem.scale
    if base == 10:
        distance = Fraction(repr(float(target))) - Fraction(repr(float(offset)))
        return math.floor(distance * Fraction(10) ** int(exponent))
    distance = Fraction(float(target)) - Fraction(float(offset))
    factor = Fraction(2) ** int(exponent) if base == 2 else Fraction(exponent)
    return math.floor(distance * factor)


def scale_factor(problem: _native.Problem) -> float:
    """What biases were multiplied by."""
    base, exponent = problem.scale
    return float(exponent) if base == 0 else float(base) ** float(exponent)


def search(
    problem: _native.Problem,
    limits: Limits,
    *,
    reads: int = 1,
    target: int | None = None,
    starts: npt.NDArray[np.uint8] | None = None,
    progress: bool | Progress = False,
    factor: float = 1.0,
    offset: float = 0.0,
) -> dict[str, Any]:
    """Searches within filled `limits`; objectives told to `progress` are divided by `factor` and moved by `offset`."""
    assert limits.seed is not None and limits.threads is not None
    with Teller(progress, limits.time, factor, offset) as teller:
        return _native.solve(
            problem,
            time=limits.time,
            steps=limits.steps,
            seed=limits.seed,
            threads=limits.threads,
            target=target,
            starts=starts,
            reads=reads,
            progress=teller.call,
        )


class Teller:
    """Turns what the native part tells into calls of the user's function, or into a tqdm bar in terminal or notebook."""

    def __init__(self, progress: bool | Progress, time: float | None, factor: float, offset: float) -> None:
        self._bar: Any = None
        self._factor = factor
        self._offset = offset
        self._time = time
        self._tell = progress if callable(progress) else None
        #: For the native part: for objectives as exact numbers, and for those that are doubles.
        self.call: Callable[[float, tuple[int, int] | None, int], object] | None = None
        self.plain: Callable[[float, float | None, int], object] | None = None
        if progress is True:
            try:
                from tqdm.auto import tqdm
            except ImportError as error:
                raise ImportError("progress=True needs tqdm: pip install 'hysteron[progress]'") from error
            layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}" if time else "{desc} {elapsed}"
            self._bar = tqdm(total=time, desc="searching", bar_format=layout, leave=False)
        if self._bar is not None or self._tell is not None:
            self.call, self.plain = self._told, self._show

    def value(self, objective: float) -> float:
        """The user's objective for a scaled one."""
        return objective / self._factor + self._offset

    def _told(self, elapsed: float, best: tuple[int, int] | None, ecu: int) -> None:
        self._show(elapsed, None if best is None else self.value(best[0] / 10 ** best[1]), ecu)

    def _show(self, elapsed: float, value: float | None, ecu: int) -> None:
        if self._tell is not None:
            self._tell(elapsed, value, ecu)
        if self._bar is not None:
            if value is not None:
                self._bar.set_description(f"best {value:g}", refresh=False)
            self._bar.n = min(elapsed, self._time) if self._time else elapsed
            self._bar.refresh()

    def __enter__(self) -> Teller:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def exact_value(number: tuple[int, int]) -> int | float:
    """An objective of the native part: an int where it is one."""
    numerator, decimals = number
    return numerator if decimals == 0 else numerator / 10**decimals
