"""Writes bench/results/README.md: every suite in one table, and the aims with their figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hbench import report
from hbench.compare import Row, any_at_best, at_best, is_decided, median_time, own_clock, score, time_ratio, verdict
from hbench.runs import OURS, Store

Line = tuple[str, str, str]
"""(aim, figure, reached / not reached / not measured)"""


def write(folder: Path) -> None:
    stores = {path.stem: Store(path) for path in sorted(folder.glob("*.json")) if '"runs"' in path.read_text()}
    stores = {name: store for name, store in stores.items() if store.records and not name.endswith("-quick")}
    if not stores:
        return
    text = ["# Results", "", "Made by `bench/run --summary`; one page per suite holds every instance.", ""]
    text += ["## Aims", "", "| aim | measured | verdict |", "|---|---|---|"]
    for aim, figure, outcome in aims(folder, stores):
        text.append(f"| {aim} | {figure} | {outcome} |")
    text += ["", "## Wins, ties, losses", ""]
    text += ["| suite | rival | wins | ties | losses | time ratio |", "|---|---|---:|---:|---:|---:|"]
    for name, store in stores.items():
        table = report.rows(store)
        for rival in report.solvers_of(store, table):
            total = score(table, rival, store.head["kind"]) if rival != OURS else None
            if total is not None and total.wins + total.ties + total.losses:
                ratio = total.geometric_ratio
                shown = "-" if ratio is None else f"{ratio:.2g}"
                counts = f"{total.wins} | {total.ties} | {total.losses}"
                text.append(f"| [{store.head['title']}]({name}.md) | {rival} | {counts} | {shown} |")
    text += ["", "## Machine", ""]
    for name, store in stores.items():
        text += [f"- {name}: " + "; ".join(line.removeprefix("- ") for line in report.header(store)[2:5])]
    (folder / "README.md").write_text("\n".join(text) + "\n")


def aims(folder: Path, stores: dict[str, Store]) -> list[Line]:
    tables = {name: report.rows(store) for name, store in stores.items()}
    evaluators: list[Callable[[], list[Line]]] = [
        lambda: gset(tables.get("gset", [])),
        lambda: qubo(tables.get("qubo", [])),
        lambda: throughput(folder / "throughput.json"),
        lambda: planted(tables.get("planted", [])),
        lambda: uniform(tables.get("uniform", [])),
        lambda: satlib(tables.get("satlib", [])),
        lambda: maxsat(tables.get("maxsat", [])),
    ]
    return [line for evaluate in evaluators for line in evaluate()]


def judged(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def missing(aim: str) -> list[Line]:
    return [(aim, "-", "not measured")]


def with_ours(rows: list[Row], group: str | None = None) -> list[Row]:
    return [row for row in rows if OURS in row.cells and (group is None or row.group == group)]


def rivals_in(rows: list[Row]) -> list[str]:
    return sorted({solver for row in rows for solver in row.cells} - {OURS})


def gset(rows: list[Row]) -> list[Line]:
    rows = [row for row in with_ours(rows) if row.limit_s <= 60]
    aim = "Gset, 34 instances, 60 s: best known on 29"
    if not rows:
        return missing(aim)
    hits = sum(at_best(row, OURS) is True for row in rows)
    some = sum(any_at_best(row, OURS) for row in rows)
    lines = [
        (aim, f"median of seeds at the best known on {hits} of {len(rows)}, some seed on {some}", judged(hits >= 29))
    ]
    lost = {rival: [report.short(n) for n in score(rows, rival, "quadratic").lost] for rival in rivals_in(rows)}
    shown = "; ".join(f"{rival}: {', '.join(names)}" for rival, names in lost.items() if names)
    aim = "Gset: ahead of or equal to every rival at equal time on all"
    return [*lines, (aim, f"losses: {shown}" if shown else "no loss", judged(not shown))]


def qubo(rows: list[Row]) -> list[Line]:
    aim = "Beasley 1000 and 2500, GKA, QPLIB, 20 s: best known on 95 %"
    chosen = [
        row
        for row in with_ours(rows)
        if row.group in ("gka", "qplib")
        or (row.group == "beasley" and ("bqp1000" in row.instance or "bqp2500" in row.instance))
    ]
    known = [at_best(row, OURS) for row in chosen if at_best(row, OURS) is not None and row.limit_s <= 20]
    if not known:
        return missing(aim)
    share = sum(bool(x) for x in known) / len(known)
    return [
        (aim, f"{100 * share:.0f} % ({sum(bool(x) for x in known)} of {len(known)}, median)", judged(share >= 0.95))
    ]


def throughput(path: Path) -> list[Line]:
    aim = "Unit-weight sparse crossbar: 40 G coupling updates/s/core on AVX-512"
    if not path.exists():
        return missing(aim)
    data = json.loads(path.read_text())
    figure = float(data["sparse_unit_updates_per_s"])
    level = str(data.get("level", "?"))
    ends = [f"{rate / 1e9:.1f} at {case}" for case, rate in data.get("sparse_unit_range", [])]
    words = f"{figure / 1e9:.1f} G/s on {level}, {data.get('sparse_unit_case', '')}" + "".join(f"; {end}" for end in ends)
    return [(aim, words, judged(figure >= 40e9 and "512" in level))]


def group_time(rows: list[Row], group: str) -> tuple[float, float, int, int]:
    """(median own clock, median process time, decided runs, runs) over all runs of ours in a group."""
    runs = [r for row in with_ours(rows, group) for r in row.cells[OURS].records]
    own = [own_clock(r) if is_decided(r) else float("inf") for r in runs]
    wall = [r.wall_s if is_decided(r) else float("inf") for r in runs]
    return median_time(own), median_time(wall), sum(is_decided(r) for r in runs), len(runs)


def planted(rows: list[Row]) -> list[Line]:
    lines: list[Line] = []
    for group, limit_s, words in (
        ("n500 ratio 4.3", 0.005, "median under 5 ms"),
        ("n1000 ratio 4.3", 0.5, "median under 0.5 s"),
        ("n10000 ratio 4.3", 120.0, "solved in 120 s"),
        ("n100000 ratio 7", 4.0, "under 4 s"),
    ):
        aim = f"Barthel-planted 3-SAT {group}: {words}"
        own, wall, decided, runs = group_time(rows, group)
        if runs == 0:
            lines += missing(aim)
            continue
        figure = f"median {report.seconds(own)} (process {report.seconds(wall)}), solved {decided} of {runs}"
        lines.append((aim, figure, judged(own <= limit_s)))
    return lines


def uniform(rows: list[Row]) -> list[Line]:
    aim = "Uniform 3-SAT ratio 4.2, N=10^4: no worse than probSAT/YalSAT at equal time"
    chosen = with_ours(rows, "3-SAT n10000 ratio 4.2")
    rivals = [r for r in ("probsat", "cadical-walk") if r in rivals_in(chosen)]
    if not chosen or not rivals:
        return missing(aim)
    parts, lost = [], 0
    for rival in rivals:
        total = score(chosen, rival, "cnf")
        lost += total.losses
        parts.append(f"{rival} {total.wins} wins, {total.ties} ties, {total.losses} losses")
    return [(aim, "; ".join(parts), judged(lost == 0))]


def own_clock_ratio(row: Row, rival: str) -> float | None:
    """Median of our own clock over the rival's time, where both decide."""
    ours = [own_clock(r) for r in row.cells[OURS].records if is_decided(r)]
    theirs = row.cells[rival].decision_times
    return median_time(ours) / median_time(theirs) if ours and theirs else None


def satlib(rows: list[Row]) -> list[Line]:
    aim = "SATLIB uf250: median under 1 ms of search"
    own, wall, decided, runs = group_time(rows, "uf250")
    lines: list[Line] = missing(aim)
    if runs:
        figure = f"median {report.seconds(own)} (process {report.seconds(wall)}), solved {decided} of {runs}"
        lines = [(aim, figure, judged(own < 0.001))]
    aim = "Structured and small industrial CNF: within 1.5x of CaDiCaL alone, UNSAT included"
    for rival, meaning, ratio in (
        ("cadical-process", "process against process", lambda row, rival: time_ratio(row, rival, "cnf")),
        ("cadical", "our own clock, which reads the clauses into CaDiCaL, against solve() alone", own_clock_ratio),
        ("cadical", "our process against solve() alone", lambda row, rival: time_ratio(row, rival, "cnf")),
    ):
        chosen = [r for r in with_ours(rows) if r.group in ("structured", "industrial", "uuf") and rival in r.cells]
        ratios = [x for x in (ratio(row, rival) for row in chosen) if x is not None]
        if not ratios:
            lines += missing(f"{aim} ({meaning})")
            continue
        within = sum(x <= 1.5 for x in ratios)
        fewer = sum(row.cells[OURS].decided < row.cells[rival].decided for row in chosen)
        more = sum(row.cells[OURS].decided > row.cells[rival].decided for row in chosen)
        figure = f"{within} of {len(ratios)} within 1.5x, median {median_time(ratios):.2g}; decided more {more}, less {fewer}"
        lines.append((f"{aim} ({meaning})", figure, judged(within == len(ratios) and fewer == 0)))
    return lines


def maxsat(rows: list[Row]) -> list[Line]:
    aim = "MaxSAT, 60 s: no worse than RC2 or CP-SAT on more than a tenth, better on most"
    chosen = [row for row in with_ours(rows) if {"rc2", "cpsat"} & set(row.cells)]
    if not chosen:
        return missing(aim)
    worse = better = 0
    for row in chosen:
        outcomes = [verdict(row, rival, "maxsat") for rival in ("rc2", "cpsat") if rival in row.cells]
        worse += "loss" in outcomes
        better += all(outcome == "win" for outcome in outcomes)
    either = sum(
        any(verdict(row, rival, "maxsat") == "win" for rival in ("rc2", "cpsat") if rival in row.cells)
        for row in chosen
    )
    figure = f"worse than one of them on {worse} of {len(chosen)}, better than both on {better}, than one on {either}"
    return [(aim, figure, judged(worse <= 0.1 * len(chosen) and better > 0.5 * len(chosen)))]
