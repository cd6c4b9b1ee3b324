"""Types of the extension module. Private: names and arguments may change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__version__: str

class Problem:
    @staticmethod
    def quadratic(
        linear: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        biases: npt.NDArray[np.float64],
        *,
        spins: bool,
        scale: str | float | None = None,
    ) -> Problem: ...
    @staticmethod
    def max_cut(
        vertices: int,
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        *,
        scale: str | float | None = None,
    ) -> Problem: ...
    @staticmethod
    def cnf(variables: int, literals: npt.NDArray[np.int64]) -> Problem: ...
    @staticmethod
    def wcnf(
        variables: int,
        hard: npt.NDArray[np.int64],
        soft: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        *,
        scale: str | float | None = None,
    ) -> Problem: ...
    @staticmethod
    def read(data: bytes, name: str | None = None) -> Problem: ...
    @property
    def variables(self) -> int: ...
    @property
    def elements(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def scale(self) -> tuple[int, float]: ...
    @property
    def scale_error(self) -> float: ...

class Constrained:
    def __init__(
        self,
        lower: npt.NDArray[np.int64],
        upper: npt.NDArray[np.int64],
        linear: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        biases: npt.NDArray[np.float64],
    ) -> None: ...
    def add(
        self,
        variables: npt.NDArray[np.int64],
        linear: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        biases: npt.NDArray[np.float64],
        *,
        sense: str,
        right: float,
        weight: float | None,
        squared: bool,
    ) -> None: ...
    def solve(
        self,
        *,
        time: float | None,
        runs: int | None,
        seed: int,
        threads: int,
        reads: int,
        starts: npt.NDArray[np.int64],
        target: float | None,
        progress: Callable[[float, float | None, int], object] | None,
    ) -> dict[str, Any]: ...

class Order:
    def solved(self) -> npt.NDArray[np.uint8] | None: ...
    def booked(self) -> bytes | None: ...

class Node:
    def __init__(self, url: str) -> None: ...
    @property
    def network(self) -> str: ...
    @property
    def spacing(self) -> int: ...
    @property
    def pause(self) -> float: ...
    def prepare(self, problem: Problem, blind: bool) -> Order: ...
    def book(
        self,
        order: Order,
        *,
        wallet: str,
        password: str,
        chips: int,
        blocks: int,
        bounty_per_mille: int,
        max_price: str | None,
        target: int | None,
    ) -> tuple[str, str]: ...
    def job(self, order: Order, job: str) -> dict[str, Any] | None: ...
    def answer(self, order: Order, job: str) -> tuple[npt.NDArray[np.uint8], int] | None: ...
    def cancel(self, job: str, wallet: str, password: str) -> None: ...
    def receipt(self, job: str) -> bytes: ...

def verify_receipt(receipt: bytes, block: str | None = None) -> dict[str, Any]: ...

def solve(
    problem: Problem,
    *,
    time: float | None,
    steps: int | None,
    seed: int,
    threads: int,
    target: int | None,
    starts: npt.NDArray[np.uint8] | None,
    reads: int,
    progress: Callable[[float, tuple[int, int] | None, int], object] | None,
) -> dict[str, Any]: ...
