"""What the scripts of this folder share: arguments, runs that are kept, tables, figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"


def arguments(description: str, seeds: int = 5) -> argparse.Namespace:
    """The command line of every script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="one seed and small budgets, into results/quick/")
    parser.add_argument("--fresh", action="store_true", help="forget kept runs")
    parser.add_argument("--jobs", type=int, default=2, help="processes, of a script with many short runs (rbm.py)")
    parser.add_argument("--seeds", type=int, default=seeds)
    known = parser.parse_args()
    known.seeds, known.usual = 1 if known.quick else known.seeds, seeds
    return known


def processor() -> str:
    """The machine's processor, as Linux names it, with its widest vector extension and its cores."""
    known = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    found = {key.strip(): value for key, value in known.items()}
    flags = found.get("flags", "").split()
    widest = next((words for flag, words in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "no AVX2")
    return f"{found.get('model name', platform.processor()).strip()} ({widest}, {os.cpu_count()} cores)"


class Report:
    """Runs of a script, kept line by line in a JSON file so that a rerun makes only what is missing, and its tables."""

    def __init__(self, name: str, title: str, known: argparse.Namespace) -> None:
        self.folder = RESULTS / "quick" if known.quick else RESULTS
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self._path = self.folder / f"{name}.jsonl"
        if known.fresh:
            self._path.unlink(missing_ok=True)
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self._kept = {json.dumps(entry["key"], sort_keys=True): entry["found"] for entry in map(json.loads, lines)}
        command = f"python examples/ml/{name}.py" + (" --quick" if known.quick else "")
        if known.seeds != known.usual and not known.quick:
            command += f" --seeds {known.seeds}"
        self._parts = [f"# {title}", f"`{command}` on {processor()}, one core of them."]

    def run(self, key: dict[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gives, made once for each key."""
        name = json.dumps(key, sort_keys=True)
        if name not in self._kept:
            self._kept[name] = make()
            with self._path.open("a") as file:
                file.write(json.dumps({"key": key, "found": self._kept[name]}) + "\n")
            print(" ".join(str(value) for value in key.values()), flush=True)
        return self._kept[name]

    def prepare(self, keys: list[dict[str, Any]], make: Callable[..., dict[str, Any]], jobs: int) -> None:
        """Makes what is missing of `keys`, each by ``make(**key)``, on so many processes."""
        missing = [key for key in keys if json.dumps(key, sort_keys=True) not in self._kept]
        if jobs == 1:
            for key in missing:
                self.run(key, lambda: make(**key))
            return
        with ProcessPoolExecutor(jobs) as pool:
            futures = {pool.submit(make, **key): key for key in missing}
            for future in as_completed(futures):
                self.run(futures[future], future.result)

    def text(self, text: str) -> None:
        """A paragraph of the report."""
        self._parts.append(text)

    def table(self, header: list[str], rows: list[list[str]]) -> None:
        """A table of the report."""
        lines = [header, ["---"] * len(header), *rows]
        self._parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))

    def figure(self, figure: Any, name: str, caption: str) -> None:
        """Saves a figure and shows it in the report."""
        figure.savefig(self.folder / f"{name}.png", dpi=110, bbox_inches="tight")
        self._parts.append(f"![{caption}]({name}.png)\n\n{caption}")

    def finish(self) -> None:
        """Writes the report and prints it."""
        text = "\n\n".join(self._parts) + "\n"
        (self.folder / f"{self.name}.md").write_text(text)
        print("\n" + text)


def spread(values: Any, digits: int = 3) -> str:
    """Mean and standard deviation over seeds."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return f"{values.mean():.{digits}f}"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1):.{digits}f}"


def axes(columns: int, size: tuple[float, float] = (5.0, 3.6)) -> tuple[Any, Any]:
    """An empty figure without a screen."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(1, columns, figsize=(size[0] * columns, size[1]), squeeze=False)
    for one in grid[0]:
        one.grid(alpha=0.3)
    return figure, grid[0]
