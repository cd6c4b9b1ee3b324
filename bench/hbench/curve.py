"""Draws the energy curve of one run of `hysteron solve` from its `history`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "hysteron"
import matplotlib.pyplot as plt  # noqa: E402

from hbench.machine import binary_path  # noqa: E402
from hbench.readers import plain_name  # noqa: E402

INK, LINE, FRAME = "#1f2937", "#0f766e", "#9ca3af"


def history_of(file: Path, limit_s: float, threads: int, extra: list[str]) -> tuple[list[tuple[float, float]], str]:
    """The history and the status; a .json file is taken as the saved output of an earlier run."""
    if file.suffix == ".json":
        text = file.read_text()
    else:
        command = [str(binary_path()), "solve", str(file), "--time", f"{limit_s:g}s", "--threads", str(threads)]
        command += ["--seed", "1", "--json", "--no-progress", *extra]
        text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    try:
        record = json.loads(text[text.index("{") :])
    except ValueError as error:
        raise SystemExit(f"no JSON from the solver for {file}") from error
    points = [(float(t), float(v)) for t, v in record.get("history") or []]
    if not points:
        raise SystemExit(f"the run of {file} has no history")
    points.append((max(float(record.get("elapsed_s", points[-1][0])), points[-1][0]), points[-1][1]))
    return points, str(record.get("status", ""))


def draw(file: Path, out: Path, limit_s: float, threads: int, extra: list[str]) -> None:
    """A step curve on a logarithmic time axis; the same history gives the same file."""
    points, status = history_of(file, limit_s, threads, extra)
    first = max(min(t for t, _ in points if t > 0) if any(t > 0 for t, _ in points) else 1e-3, 1e-5)
    times = [max(t, first) for t, _ in points]
    values = [v for _, v in points]
    figure, axes = plt.subplots(figsize=(7.2, 3.6))
    axes.step(times, values, where="post", color=LINE, linewidth=1.8)
    axes.plot(times[-1], values[-1], "o", color=LINE, markersize=5)
    axes.annotate(
        f"{values[-1]:g}", (times[-1], values[-1]), xytext=(-6, 8), textcoords="offset points", ha="right", color=INK
    )
    axes.set_xscale("log")
    axes.set_xlabel("seconds", color=INK)
    rising = values[-1] > values[0]
    axes.set_ylabel("best cut" if rising else "best energy", color=INK)
    axes.set_title(f"{plain_name(file)}: best value over time ({status})", color=INK, fontsize=11, loc="left")
    axes.grid(True, which="major", color=FRAME, alpha=0.3, linewidth=0.6)
    axes.margins(y=0.12)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Date": None} if out.suffix == ".svg" else None
    figure.savefig(out, dpi=150, metadata=metadata)
    plt.close(figure)
    print(f"{out}: {len(points) - 1} improvements, last {values[-1]:g} after {points[-2][0]:.3f} s")
