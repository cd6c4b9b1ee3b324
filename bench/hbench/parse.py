"""Reads what a process printed: worker lines, competition output, or the JSON of `hysteron solve`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np

from hbench.answers import AnswerError, better, from_literals, from_ours, unpack
from hbench.execute import Outcome
from hbench.readers import BoolArray, Problem


@dataclass
class Answer:
    """The claim of one process; `history` holds (seconds, claimed objective) of each improvement."""

    status: str = "unknown"
    claimed: float | None = None
    bits: BoolArray | None = None
    history: list[tuple[float, float]] = field(default_factory=list)
    answered_s: float | None = None
    extra: dict[str, object] = field(default_factory=dict)
    error: str | None = None


def grace(limit_s: float) -> float:
    """Improvements later than this after the limit are not counted."""
    return max(0.2, 0.02 * limit_s)


def worker(outcome: Outcome, problem: Problem, limit_s: float) -> Answer:
    """Lines {"t", "objective", "bits"} and at the end {"t", "status"}; late improvements are dropped."""
    answer = Answer()
    packed = None
    for arrived, line in outcome.lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, dict) or float(record.get("t", arrived)) > limit_s + grace(limit_s):
            continue
        if "status" in record:
            answer.status = "feasible" if record["status"] == "target" else record["status"]
            answer.answered_s = float(record["t"])
        if "objective" in record:
            value = float(record["objective"])
            if better(value, answer.claimed, problem.maximise):
                answer.claimed, packed = value, record["bits"]
                answer.history.append((float(record["t"]), value))
    if packed is not None:
        answer.bits = unpack(packed, problem.variables)
        if answer.status == "unknown":
            answer.status = "feasible"
    if outcome.never_ready:
        answer.error = "did not start: " + last_line(outcome.errors)
    elif outcome.exit_code not in (0, None) and not outcome.killed:
        answer.error = f"exit code {outcome.exit_code}: " + last_line(outcome.errors)
    return answer


def competition(outcome: Outcome, problem: Problem, limit_s: float) -> Answer:
    """`s` and `v` lines of the SAT competition."""
    answer = Answer()
    literals: list[int] = []
    for arrived, line in outcome.lines:
        if arrived > limit_s + grace(limit_s):
            break
        if line.startswith("s "):
            answer.status = line[2:].strip().lower()
            answer.answered_s = arrived
        elif line.startswith("v "):
            literals.extend(int(word) for word in line[2:].split())
    if answer.status == "satisfiable":
        answer.answered_s = outcome.wall_s
        answer.claimed = 0.0
        try:
            answer.bits = from_literals(literals, problem.variables)
        except AnswerError as error:
            answer.error = str(error)
        answer.history = [(outcome.wall_s, 0.0)]
    elif answer.status not in ("unsatisfiable", "unknown"):
        answer.status = "unknown"
    if outcome.exit_code not in (0, 10, 20, None) and not outcome.killed:
        answer.error = f"exit code {outcome.exit_code}: " + last_line(outcome.errors)
    return answer


def ours(outcome: Outcome, problem: Problem, limit_s: float) -> Answer:
    """The JSON object of `hysteron solve --json`; an answer after the limit and the grace is marked."""
    answer = Answer()
    record = None
    for _, line in outcome.lines:
        if line.startswith("{"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
    if record is None:
        text = "\n".join(line for _, line in outcome.lines)
        try:
            record = json.loads(text[text.index("{") :])
        except ValueError:
            record = None
    if not isinstance(record, dict):
        cause = "killed at the time limit" if outcome.killed else last_line(outcome.errors)
        answer.error = f"no JSON (exit code {outcome.exit_code}): {cause}"
        return answer
    answer.status = str(record.get("status", "unknown"))
    if record.get("objective") is not None:
        answer.claimed = float(record["objective"])
    answer.history = [(float(t), float(v)) for t, v in record.get("history") or [] if v is not None]
    answer.answered_s = record.get("elapsed_s")
    keys = ("source", "ecu", "elapsed_s", "steps", "seed")
    answer.extra = {key: record[key] for key in keys if key in record}
    answer.extra["cpu_wall_s"] = outcome.wall_s
    if record.get("assignment"):
        try:
            answer.bits = from_ours(record["assignment"], problem)
        except (AnswerError, ValueError, IndexError) as error:
            answer.error = f"assignment: {error}"
    elif answer.claimed is not None and answer.status not in ("unsatisfiable", "unknown"):
        answer.error = "an objective without an assignment"
    if outcome.wall_s > limit_s + 5 * grace(limit_s):
        answer.error = f"over time: {outcome.wall_s:.2f} s for a limit of {limit_s:g} s"
    return answer


def last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no message"


def merge(answers: list[Answer], maximise: bool) -> Answer:
    """The best of several copies: a portfolio that shares nothing but the clock."""
    proofs = [a for a in answers if a.status in ("optimal", "satisfiable", "unsatisfiable")]
    valued = [a for a in answers if a.claimed is not None]
    if proofs:
        best = min(proofs, key=lambda a: a.answered_s if a.answered_s is not None else np.inf)
    elif valued:
        best = valued[0]
        for other in valued[1:]:
            if better(other.claimed, best.claimed, maximise):  # type: ignore[arg-type]
                best = other
    else:
        best = next((a for a in answers if a.error is None), answers[0])
    events = sorted(event for a in answers for event in a.history)
    history: list[tuple[float, float]] = []
    for seconds, value in events:
        if better(value, history[-1][1] if history else None, maximise):
            history.append((seconds, value))
    failures = [a.error for a in answers if a.error is not None]
    error = best.error or ("; ".join(failures) if len(failures) == len(answers) else None)
    return Answer(best.status, best.claimed, best.bits, history, best.answered_s, best.extra, error)
