"""Writes bench/results/<suite>.md from the kept runs."""

from __future__ import annotations

import math
from collections import Counter

from hbench.catalogue import RIVALS
from hbench.compare import Cell, Row, any_at_best, at_best, median_time, own_clock, rows_of, score, verdict
from hbench.runs import OURS, Record, Store
from hbench.suites import best_known, instance_root


def rows(store: Store) -> list[Row]:
    known = best_known(instance_root())
    names = {r.instance for r in store.records.values()}
    best = {name: known.get(name, {}).get("best") for name in names}
    for name in names:
        if name.startswith("generated/barthel"):
            best[name] = "SAT"
    maximise = {r.instance: r.maximise for r in store.records.values()}
    return rows_of(store.records.values(), maximise, best)


def solvers_of(store: Store, table: list[Row]) -> list[str]:
    present = {solver for row in table for solver in row.cells}
    ordered = [OURS, *store.head.get("rivals", [])]
    return [s for s in ordered if s in present] + sorted(present - set(ordered))


def write(store: Store) -> None:
    """Header, wins and losses by group, one line per instance, errors, what every rival was given."""
    if not store.records:
        return
    kind = store.head["kind"]
    mark_contradictions(list(store.records.values()))
    table = rows(store)
    solvers = solvers_of(store, table)
    text = header(store)
    text += ["", "## Against each rival", "", *verdicts(table, solvers, kind)]
    if kind != "cnf":
        text += ["", "## Best known values", "", *best_counts(table, solvers)]
    text += ["", "## Instances", "", *instance_table(table, solvers, kind)]
    text += ["", "## Wrong claims and failures", "", *errors(store)]
    text += ["", "## Who got what", "", *who(store, solvers)]
    store.path.with_suffix(".md").write_text("\n".join(text) + "\n")


def header(store: Store) -> list[str]:
    machine = store.head["machine"]
    limits = sorted({r.limit_s for r in store.records.values()})
    threads = sorted({r.threads for r in store.records.values()})
    commits = sorted({r.commit for r in store.records.values() if r.commit})
    seeds = sorted({r.seed for r in store.records.values()})
    date = f", {machine['date']}" if machine.get("date") else ""
    memory = f"{machine['memory_gib']:g} GiB"
    lines = [
        f"# {store.head['title']}" + (" (quick)" if store.head.get("quick") else ""),
        "",
        f"- Machine: {machine['cpu']}, {machine['cores_of_machine']} cores, {memory}, {machine['system']}{date}",
        f"- Everyone: {' or '.join(map(str, threads))} core(s), CPUs {machine['cores_used']}, "
        f"{', '.join(f'{x:g}' for x in limits)} s wall time, seeds {', '.join(map(str, seeds))}, interleaved",
        f"- Ours: commit {', '.join(commits) or 'not run'}",
    ]
    if store.head.get("notes"):
        lines.append(f"- {store.head['notes']}")
    lines.append("- Every value is computed by the benchmark's own readers from the original file.")
    return lines


def verdicts(table: list[Row], solvers: list[str], kind: str) -> list[str]:
    what = "decision" if kind == "cnf" else "target"
    lines = [
        f"Median over seeds. Time ratio: ours / theirs, geometric mean over instances where both reach the {what}.",
        "",
        "| group | rival | wins | ties | losses | time ratio | lost on |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for rival in solvers:
        if rival == OURS:
            continue
        groups = sorted({row.group for row in table})
        scopes = [(g, [r for r in table if r.group == g]) for g in groups]
        if len(groups) > 1:
            scopes.append(("**all**", table))
        for group, members in scopes:
            total = score(members, rival, kind)
            if total.wins + total.ties + total.losses == 0:
                continue
            ratio = total.geometric_ratio
            shown = "-" if ratio is None else f"{ratio:.2g} (n={len(total.ratios)})"
            lost = ", ".join(short(name) for name in total.lost) if group != "**all**" else ""
            lines.append(f"| {group} | {rival} | {total.wins} | {total.ties} | {total.losses} | {shown} | {lost} |")
    if len(lines) == 4:
        return ["No rival was run beside ours."]
    return lines


def best_counts(table: list[Row], solvers: list[str]) -> list[str]:
    lines = ["| group | solver | median at best known | any seed | instances |", "|---|---|---:|---:|---:|"]
    for group in sorted({row.group for row in table}):
        members = [row for row in table if row.group == group]
        for solver in solvers:
            verdict_list = [at_best(row, solver) for row in members]
            known = [x for x in verdict_list if x is not None]
            if not known:
                continue
            some = sum(any_at_best(row, solver) for row in members)
            lines.append(f"| {group} | {solver} | {sum(known)} | {some} | {len(known)} |")
    return lines


def instance_table(table: list[Row], solvers: list[str], kind: str) -> list[str]:
    if kind == "cnf":
        legend = "Decided runs, median time (min..max); where none is decided, unsatisfied clauses. "
        legend += "Ours: process / own clock. U: unsatisfiable. Bold: a loss of ours."
    else:
        legend = "Median (worst..best) and, where the target was met, the median time to it. Bold: a loss of ours."
    lines = [legend, ""]
    lines.append("| instance | s | best known | " + " | ".join(solvers) + " |")
    lines.append("|---|---:|---:|" + "---:|" * len(solvers))
    for row in table:
        best = "-" if row.best is None else number(row.best_value()) if row.best_value() is not None else str(row.best)
        cells = []
        for solver in solvers:
            cell = row.cells.get(solver)
            text = "" if cell is None else decision(cell, solver) if kind == "cnf" else value(cell, row)
            if cell is not None and solver != OURS and verdict(row, solver, kind) == "loss":
                text = f"**{text}**"
            cells.append(text)
        lines.append(f"| {short(row.instance)} | {row.limit_s:g} | {best} | " + " | ".join(cells) + " |")
    return lines


def value(cell: Cell, row: Row) -> str:
    if not math.isfinite(cell.median):
        return "none" if not cell.errors else "error"
    ordered = sorted(cell.values, reverse=not cell.maximise)
    text = number(cell.median)
    if ordered[0] != ordered[-1]:
        text += f" ({number(ordered[0])}..{number(ordered[-1])})"
    best = row.best_value()
    if best is not None and best != 0 and cell.median != best:
        gap = abs(cell.median - best) / abs(best)
        text += f" {100 * gap:.2g} %"
    reached = median_time(cell.target_times)
    if math.isfinite(reached):
        text += f" @{seconds(reached)}"
    proofs = sum(r.status == "optimal" for r in cell.records)
    return text + (" opt" if proofs * 2 > len(cell.records) else "")


def decision(cell: Cell, solver: str) -> str:
    runs = len(cell.records)
    if cell.decided == 0:
        if cell.errors:
            return "error"
        return "none" if not math.isfinite(cell.median) else f"none, {number(cell.median)} left"
    times = sorted(cell.decision_times)
    unsat = any(r.status == "unsatisfiable" for r in cell.records)
    text = f"{cell.decided}/{runs} {seconds(median_time(times))}"
    if len(times) > 1:
        text += f" ({seconds(times[0])}..{seconds(times[-1])})"
    if solver == OURS:
        text += f" / {seconds(median_time(own_clock(r) for r in cell.records if r.error is None))}"
    return text + (" U" if unsat else "")


def mark_contradictions(records: list[Record]) -> None:
    """An UNSATISFIABLE beside a verified model, and an "optimal" beside a better verified value, are errors."""
    verified: dict[str, list[float]] = {}
    for r in records:
        if r.verified and r.objective is not None:
            verified.setdefault(r.instance, []).append(r.objective)
    for r in records:
        values = verified.get(r.instance)
        if not values or r.error is not None:
            continue
        if r.status == "unsatisfiable" and min(values) == 0:
            r.error, r.verified = "claims UNSATISFIABLE, another solver's model was verified", False
        elif r.status == "optimal" and r.objective is not None:
            best = max(values) if r.maximise else min(values)
            if abs(best - r.objective) > 1e-6 * max(1.0, abs(best)):
                r.error, r.verified = f"claims an optimum, another solver's {best:g} was verified", False


def errors(store: Store) -> list[str]:
    found = [r for r in store.records.values() if r.error is not None]
    if not found:
        return ["None."]
    counts = Counter((r.solver, r.error) for r in found)
    example = {(r.solver, r.error): f"{short(r.instance)} seed {r.seed}" for r in found}
    lines = ["| solver | what | runs | such as |", "|---|---|---:|---|"]
    for (solver, error), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        lines.append(f"| {solver} | {str(error).replace('|', '/')} | {count} | {example[(solver, error)]} |")
    return lines


def who(store: Store, solvers: list[str]) -> list[str]:
    versions = store.head["machine"]["versions"]
    lines = ["| rival | what | version | parameters |", "|---|---|---|---|"]
    for name in dict.fromkeys([*store.head.get("rivals", []), *(s for s in solvers if s != OURS)]):
        rival = RIVALS.get(name)
        if rival is not None:
            version = versions.get(name, "skipped: not installed")
            lines.append(f"| {name} | {rival.about} | {version} | {rival.parameters} |")
    return lines


def short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def number(x: float | None) -> str:
    if x is None:
        return "-"
    if not math.isfinite(x):
        return "none"
    return f"{x:.0f}" if float(x).is_integer() else f"{x:.6g}"


def seconds(x: float) -> str:
    if not math.isfinite(x):
        return "never"
    return f"{1000 * x:.3g} ms" if x < 1 else f"{x:.3g} s"
