"""The table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import roof
from methods import Method

#: Part of the best known that counts as reached: for a compliance, at most the best divided by it.
REACHED = 0.9999
#: Runs of a seed within this of its best share the win.
TIE = 1e-6


@dataclass
class Row:
    """A method's figures over all seeds.

    Attributes:
        method: Its name.
        values: Compliance of each seed, J.
        wins: Seeds in which no method was better.
        times_s: When each seed reached 99.99 % of the best known; infinite where it did not.
        median_run: The run with the (lower) median compliance.
        lightest_kg: Mass of the lightest roof on that run's columns.
    """

    method: str
    values: np.ndarray
    wins: int
    times_s: np.ndarray
    median_run: dict[str, Any]
    deflections_mm: np.ndarray
    stresses_mpa: np.ndarray
    lightest_kg: float = field(default=float("nan"))


def rows(runs: list[dict[str, Any]], methods: Mapping[str, Method]) -> list[Row]:
    """A row for each method that has runs. The best known is the best of all runs."""
    best = best_known(runs)
    of_seed = {run["seed"]: min(r["compliance_j"] for r in runs if r["seed"] == run["seed"]) for run in runs}
    result = []
    for name in methods:
        own = sorted((run for run in runs if run["method"] == name), key=lambda run: run["compliance_j"])
        if not own:
            continue
        result.append(
            Row(
                name,
                np.array([run["compliance_j"] for run in own]),
                sum(run["compliance_j"] <= of_seed[run["seed"]] * (1.0 + TIE) for run in own),
                np.array([time_to(run, best / REACHED) for run in own]),
                own[(len(own) - 1) // 2],
                np.array([run["full"]["deflection_mm_max"] for run in own]),
                np.array([run["full"]["stress_mpa_max"] for run in own]),
            )
        )
    return result


def best_known(runs: list[dict[str, Any]]) -> float:
    """The least compliance of any run."""
    return min(run["compliance_j"] for run in runs)


def time_to(run: dict[str, Any], value: float) -> float:
    """When the run was at most `value`, s."""
    return next((at for at, reached in run["history"] if reached <= value), float("inf"))


def seconds(value: float) -> str:
    """For the table; a time that is infinite was not reached."""
    return "not reached" if np.isinf(value) else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def page(
    rows_: list[Row],
    small_runs: list[dict[str, Any]],
    optimum: float,
    count: int,
    small: Any,
    large: Any,
    methods: Mapping[str, Method],
    command: str,
    machine: str,
) -> str:
    """The results as Markdown."""
    time_s = rows_[0].median_run["time_s"]
    best = min(row.values[0] for row in rows_)
    seeds = [len(row.values) for row in rows_]
    lines = [
        "# Columns under an organic roof: results",
        "",
        f"{len(large.site.candidates)} candidates, {large.site.columns} columns at least {large.site.distance_min_m:g} m apart, "
        f"{len(roof.CASES)} load cases; {time_s:g} s of wall time and one thread a run; "
        f"{min(seeds)}{'' if min(seeds) == max(seeds) else f' to {max(seeds)}'} seed{'s' if max(seeds) > 1 else ''}. "
        f"Best known: {best:.4f} J. All from the full model ({large.walkway.plate.basis.N} unknowns), which agreed with the reduced one to 10^-6 on every answer.",
        "",
        f"{machine}. Made by `{command.strip()}`.",
        "",
        "| method | compliance, J: median | best | worst | behind best known, median | best of its seed | 99.99 % of best known reached "
        "| median time to it | deflection, mm | stress, MPa | lightest roof, t |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows_:
        middle = float(np.median(row.values))
        lines.append(
            f"| {methods[row.method].label} | {middle:.2f} | {row.values[0]:.2f} | {row.values[-1]:.2f} "
            f"| {100 * (middle / best - 1):.3f} % | {row.wins} of {len(row.values)} "
            f"| {int(np.isfinite(row.times_s).sum())} of {len(row.values)} | {seconds(float(np.median(row.times_s)))} "
            f"| {np.median(row.deflections_mm):.2f} | {np.median(row.stresses_mpa):.2f} | {row.lightest_kg / 1e3:.1f} |"
        )
    lines += [
        "",
        "Deflection and stress: the greatest of any load case, median over seeds. Compliance is what is minimised; a better one may "
        "have a greater deflection or stress somewhere. Lightest roof: on the columns of the run with the median compliance, the "
        f"thickness scaled until {roof.DEFLECTION_MM_MAX:g} mm and {roof.STRESS_MPA_MAX:g} MPa are just kept in all load cases "
        f"(as designed it weighs {large.walkway.mass_kg / 1e3:.1f} t, and the columns "
        f"{large.site.column_mass_kg(np.array(rows_[0].median_run['columns'])) / 1e3:.1f} t).",
    ]
    if small_runs:
        lines += [
            "",
            "## Against every set there is",
            "",
            f"{len(small.site.candidates)} candidates, {small.site.columns} columns: all {count} sets that hold were evaluated, the "
            f"best has {optimum:.4f} J.",
            "",
            "| method | seconds | seeds | found the optimum | median time to it | worst answer |",
            "|---|---|---|---|---|---|",
        ]
        for name, method in methods.items():
            own = [run for run in small_runs if run["method"] == name]
            if own:
                times = [time_to(run, optimum * (1.0 + 1e-7)) for run in own]
                worst = max(run["compliance_j"] for run in own)
                lines.append(
                    f"| {method.label} | {own[0]['time_s']:g} | {len(own)} | {int(np.isfinite(times).sum())} "
                    f"| {seconds(float(np.median(times)))} | {100 * max(worst / optimum - 1, 0):.3f} % above |"
                )
    lines += ["", "![The roof](roof.png)", "", "![Quality over time](quality.png)", ""]
    return "\n".join(lines)
