"""Medians over seeds and the verdict win, tie or loss; no reading of these figures is left out."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from hbench.runs import OURS, Record

DECIDED = ("satisfiable", "unsatisfiable")
TIME_TIE = 1.1
"""Two times within this factor are a tie."""


@dataclass
class Cell:
    """All seeds of one solver on one instance under one time limit."""

    records: list[Record]
    maximise: bool

    @property
    def values(self) -> list[float]:
        """Verified objectives; a run without a valid answer counts as the worst possible value."""
        worst = -math.inf if self.maximise else math.inf
        return [r.objective if r.verified and r.objective is not None else worst for r in self.records]

    @property
    def median(self) -> float:
        """The middle value; with an even number of seeds the worse of the two middle ones."""
        ordered = sorted(self.values, reverse=self.maximise)
        return ordered[len(ordered) // 2]

    @property
    def errors(self) -> list[str]:
        return [r.error for r in self.records if r.error is not None]

    @property
    def decided(self) -> int:
        """Runs that ended with a verified model or with UNSATISFIABLE and no error."""
        return sum(1 for r in self.records if is_decided(r))

    @property
    def decision_times(self) -> list[float]:
        return [decision_time(r) for r in self.records if is_decided(r)]

    @property
    def target_times(self) -> list[float]:
        """Seconds to the target; runs that missed it count as infinite."""
        return [math.inf if r.target_s is None or r.error else r.target_s for r in self.records]


def is_decided(record: Record) -> bool:
    if record.error is not None:
        return False
    return record.status == "unsatisfiable" or record.objective == 0


def decision_time(record: Record) -> float:
    """Ours: the whole process. A rival: the clock that bench/README.md names for it."""
    if record.solver == OURS:
        return record.wall_s
    for seconds in (record.answered_s, record.target_s):
        if seconds is not None:
            return seconds
    return record.wall_s


def own_clock(record: Record) -> float:
    """Our own statement of the time to the answer: last improvement, else `elapsed_s`."""
    if record.target_s is not None:
        return record.target_s
    return record.answered_s if record.answered_s is not None else record.wall_s


def median_time(times: Iterable[float]) -> float:
    ordered = sorted(times)
    return ordered[len(ordered) // 2] if ordered else math.inf


@dataclass
class Row:
    """One instance under one limit; `cells` by solver."""

    instance: str
    group: str
    limit_s: float
    threads: int
    cells: dict[str, Cell]
    best: float | str | None = None

    def best_value(self) -> float | None:
        return float(self.best) if isinstance(self.best, int | float) else None


def rows_of(records: Iterable[Record], maximise: dict[str, bool], best: dict[str, float | str | None]) -> list[Row]:
    grouped: dict[tuple[str, str, float, int], dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for r in records:
        grouped[(r.group, r.instance, r.limit_s, r.threads)][r.solver].append(r)
    rows = []
    for (group, instance, limit_s, threads), solvers in sorted(grouped.items(), key=lambda item: natural(item[0])):
        cells = {s: Cell(runs, maximise.get(instance, False)) for s, runs in solvers.items()}
        rows.append(Row(instance, group, limit_s, threads, cells, best.get(instance)))
    return rows


def natural(key: tuple[str, str, float, int]) -> tuple[object, ...]:
    """Orders G2 before G11."""
    import re

    parts = [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", key[1])]
    return (key[0], [str(p).zfill(12) if isinstance(p, int) else p for p in parts], key[2], key[3])


def shared_seeds(ours: Cell, rival: Cell) -> tuple[Cell, Cell]:
    """The runs of both under the seeds that both have, so that neither gains by an extra seed."""
    common = {r.seed for r in ours.records} & {r.seed for r in rival.records}
    return (
        Cell([r for r in ours.records if r.seed in common], ours.maximise),
        Cell([r for r in rival.records if r.seed in common], rival.maximise),
    )


def verdict(row: Row, rival: str, kind: str) -> str | None:
    """ "win", "tie" or "loss" of ours against a rival; None where one of them has no run here."""
    if OURS not in row.cells or rival not in row.cells:
        return None
    ours, theirs = shared_seeds(row.cells[OURS], row.cells[rival])
    if not ours.records:
        return None
    if kind == "cnf":
        return decide(ours, theirs)
    return order(ours.median, theirs.median, ours.maximise)


def order(ours: float, theirs: float, maximise: bool) -> str:
    if math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9):
        return "tie"
    return "win" if (ours > theirs) == maximise else "loss"


def decide(ours: Cell, theirs: Cell) -> str:
    """More runs decided wins; then fewer unsatisfied clauses (where none is decided); then the median time."""
    if ours.decided != theirs.decided:
        return "win" if ours.decided > theirs.decided else "loss"
    if ours.decided == 0:
        known = all(math.isfinite(v) for v in (ours.median, theirs.median))
        return order(ours.median, theirs.median, False) if known else "tie"
    mine, other = median_time(ours.decision_times), median_time(theirs.decision_times)
    if max(mine, other) <= TIME_TIE * min(mine, other):
        return "tie"
    return "win" if mine < other else "loss"


@dataclass
class Score:
    """Counts of ours against one rival, and ratios of times (ours / theirs) where both got there."""

    wins: int = 0
    ties: int = 0
    losses: int = 0
    lost: list[str] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def geometric_ratio(self) -> float | None:
        return math.exp(statistics.fmean(math.log(x) for x in self.ratios)) if self.ratios else None


def score(rows: Iterable[Row], rival: str, kind: str) -> Score:
    total = Score()
    for row in rows:
        outcome = verdict(row, rival, kind)
        if outcome is None:
            continue
        if outcome == "win":
            total.wins += 1
        elif outcome == "tie":
            total.ties += 1
        else:
            total.losses += 1
            total.lost.append(row.instance)
        ratio = time_ratio(row, rival, kind)
        if ratio is not None:
            total.ratios.append(ratio)
    return total


def time_ratio(row: Row, rival: str, kind: str) -> float | None:
    """Median time of ours over the rival's: to a decision (CNF) or to the target; None if one does not get there."""
    ours, theirs = shared_seeds(row.cells[OURS], row.cells[rival])
    if kind == "cnf":
        if ours.decided < len(ours.records) or theirs.decided < len(theirs.records):
            return None
        mine, other = median_time(ours.decision_times), median_time(theirs.decision_times)
    else:
        mine, other = median_time(ours.target_times), median_time(theirs.target_times)
    if not (math.isfinite(mine) and math.isfinite(other)):
        return None
    return max(mine, 1e-6) / max(other, 1e-6)


def at_best(row: Row, solver: str) -> bool | None:
    """Whether the median of a solver is the best known value or better; None where none is known."""
    best = row.best_value()
    if best is None or solver not in row.cells:
        return None
    cell = row.cells[solver]
    return order(cell.median, best, cell.maximise) != "loss"


def any_at_best(row: Row, solver: str) -> bool:
    best = row.best_value()
    if best is None or solver not in row.cells:
        return False
    cell = row.cells[solver]
    return any(order(v, best, cell.maximise) != "loss" for v in cell.values if math.isfinite(v))
