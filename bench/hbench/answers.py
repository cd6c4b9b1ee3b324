"""Turns the answers of solvers into bits and scores them again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbench.readers import BoolArray, Problem, Quadratic


class AnswerError(ValueError):
    """The answer cannot be read as an assignment of the instance."""


def pack(bits: BoolArray) -> str:
    """Bits as hexadecimal, first variable in the highest bit of the first byte."""
    return np.packbits(bits).tobytes().hex()


def unpack(text: str, variables: int) -> BoolArray:
    """Inverse of `pack`."""
    raw = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    bits = np.unpackbits(raw)
    if bits.size < variables:
        raise AnswerError(f"{bits.size} bits for {variables} variables")
    return bits[:variables].astype(bool)


def from_literals(literals: Sequence[int], variables: int) -> BoolArray:
    """DIMACS literals; variables that are not named are false, contradictions are an error."""
    values = np.array([x for x in literals if x != 0], dtype=np.int64)
    names = np.abs(values)
    if values.size and int(names.max()) > variables:
        raise AnswerError(f"literal {int(names.max())} beyond {variables} variables")
    signs = np.zeros(variables, dtype=np.int8)
    signs[names - 1] = np.sign(values)
    if (signs[names - 1] != np.sign(values)).any():
        raise AnswerError("a variable is given both signs")
    return signs > 0


def from_ours(assignment: Sequence[int], problem: Problem) -> BoolArray:
    """The `assignment` of `hysteron solve --json`: literals, 0/1 or +1/-1 by the kind of problem."""
    if not isinstance(problem, Quadratic):
        return from_literals(assignment, problem.variables)
    if len(assignment) != problem.variables:
        raise AnswerError(f"{len(assignment)} values for {problem.variables} variables")
    values = np.array(assignment, dtype=np.int64)
    allowed = (0, 1) if problem.kind == "qubo" else (-1, 1)
    if not np.isin(values, allowed).all():
        raise AnswerError(f"values other than {allowed[0]} and {allowed[1]}")
    return values == 1


def better(candidate: float, incumbent: float | None, maximise: bool) -> bool:
    """Whether a value improves on another, which may be missing."""
    if incumbent is None:
        return True
    return candidate > incumbent if maximise else candidate < incumbent


def reaches(value: float | None, target: float | None, maximise: bool) -> bool:
    """Whether a value is at least as good as a target; false where either is missing."""
    if value is None or target is None:
        return False
    return value >= target if maximise else value <= target
