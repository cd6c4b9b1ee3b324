"""The pictures: roofs with columns and deflection in colour, and quality over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

import report
import roof
from methods import METHODS, Method
from plate import Walkway

COLOURS = {
    "hysteron": "#c1272d",
    "annealing": "#0000a7",
    "genetic": "#008176",
    "cma": "#eecc16",
    "differential": "#8a8a8a",
    "exchanges": "#222222",
}


def roofs(walkway: Walkway, rows: list[report.Row], path: Path) -> None:
    """The answer of hysteron's median run beside that of the best evolutionary rival's, on one scale."""
    rivals = [row for row in rows if METHODS[row.method].evolutionary]
    shown = [row for row in rows if row.method == "hysteron"] or rows[:1]
    if rivals:
        shown.append(min(rivals, key=lambda row: float(np.median(row.values))))
    answers = [walkway.check(np.array(row.median_run["columns"])) for row in shown]
    top = max(answer.deflection_mm_max for answer in answers)
    figure, axes = plt.subplots(len(shown), 1, figsize=(10, 3.5 * len(shown)), squeeze=False, layout="constrained")
    for axis, row, answer in zip(axes[:, 0], shown, answers, strict=True):
        worst = 1e3 * np.abs(answer.deflections).max(axis=0)
        site = walkway.site
        levels = np.linspace(0.0, np.ceil(top), 4 * int(np.ceil(top)) + 1)
        image = axis.tricontourf(*site.points.T, site.triangles, worst, levels=levels, cmap="viridis")
        edge = roof.outline()
        outline = axis.plot(*np.vstack([edge, edge[:1]]).T, color="black", linewidth=1.2)[0]
        line = roof.path_line()
        slope = np.gradient(line[:, 1], line[:, 0])
        normal = np.column_stack([-slope, np.ones_like(slope)]) / np.hypot(1.0, slope)[:, None]
        band = np.vstack([line + 1.75 * normal, (line - 1.75 * normal)[::-1]])
        axis.fill(*band.T, facecolor=(1, 1, 1, 0.25), edgecolor="white", linewidth=1.0, linestyle="--", label="path")
        for number, (x, y, radius) in enumerate(roof.OBSTACLES_M):
            label = "tree, culvert" if number == 0 else None
            axis.add_patch(Circle((x, y), radius, facecolor="none", edgecolor="#ff9d5c", linewidth=1.5, linestyle=":", label=label))
        axis.plot(*site.points[site.corbels].T, "s", color="black", markersize=6, label="corbel of a building")
        chosen = np.array(row.median_run["columns"])
        axis.plot(*site.positions[chosen].T, "o", color="white", markeredgecolor="black", markersize=7, label="column")
        axis.set_title(
            f"{METHODS[row.method].label}: median run, {row.median_run['compliance_j']:.0f} J, "
            f"{answer.deflection_mm_max:.1f} mm, {answer.stress_mpa_max:.1f} MPa",
            fontsize=11,
        )
        axis.set_aspect("equal")
        axis.set_xlabel("m")
        axis.set_ylabel("m")
        axis.set_ylim(-3, 20)
        outline.set_zorder(3)
        figure.colorbar(image, ax=axis, label="greatest deflection of any load case, mm", shrink=0.85)
    axes[0, 0].legend(loc="upper left", ncols=4, fontsize=8, facecolor="#c8d0dc")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def quality(runs: list[dict[str, Any]], rows: list[report.Row], methods: Mapping[str, Method], path: Path) -> None:
    """How far behind the best known each method is over time: median over seeds, and the middle half as a band."""
    best = report.best_known(runs)
    time_s = runs[0]["time_s"]
    times = np.geomspace(0.01, time_s, 300)
    floor = 1e-6
    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    for row in rows:
        curves = []
        for run in runs:
            if run["method"] == row.method:
                at, value = np.array(run["history"]).T
                place = np.searchsorted(at, times, side="right") - 1
                curves.append(np.where(place >= 0, value[np.maximum(place, 0)] / best - 1.0, np.inf))
        low, middle, high = np.quantile(np.array(curves), (0.25, 0.5, 0.75), axis=0, method="nearest")
        colour = COLOURS[row.method]
        style = "--" if row.method == "exchanges" else "-"
        axis.plot(times, np.maximum(middle, floor), style, color=colour, label=methods[row.method].label)
        axis.fill_between(times, np.maximum(low, floor), np.maximum(high, floor), color=colour, alpha=0.15, linewidth=0)
    axis.axhline(1 / report.REACHED - 1, color="black", linewidth=0.8, linestyle=":")
    axis.text(times[0], 1.15e-4, "99.99 % of the best known", fontsize=8)
    axis.set(xscale="log", yscale="log", xlabel="wall time, s", ylabel="compliance above the best known, relative")
    axis.set_xlim(times[0], time_s)
    axis.set_ylim(floor, 3.0)
    axis.legend(fontsize=9, loc="lower left")
    axis.grid(which="major", alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
