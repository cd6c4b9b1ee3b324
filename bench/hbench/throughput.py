"""Throughput of the chips' kernels on one core: runs `cargo bench -p hysteron-circuit` and writes throughput.md and .json."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hbench.machine import commit, cpu_model
from hbench.suites import REPOSITORY

BENCHES = ("crossbar", "dense", "switching", "general", "memcomputing")
SCALE = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
# The aim is stated for unit weights and few couplings.
AIM_BENCH, AIM_FUNCTION = "crossbar", "unit_bytes"
UNITS = {
    "crossbar": "coupling updates: one neighbour read in one chip",
    "dense": "elements of rows added to fields, with the metered cost of scans and visits",
    "switching": "literals, times steps, times chips",
    "general": "literals, times steps, times chips",
    "memcomputing": "clauses, times steps, times chips",
}


@dataclass(frozen=True)
class Line:
    """One measured case: items a second at the fastest, the median and the slowest sample."""

    bench: str
    function: str
    case: str
    fastest: float
    median: float
    slowest: float


def parse(bench: str, text: str) -> list[Line]:
    """The lines of divan's table that carry a throughput, with the function and case they belong to."""
    lines: list[Line] = []
    function = case = ""
    for raw in text.splitlines():
        # Branches of the tree are drawn with the same stroke as the columns.
        named = re.match(r"^(?P<indent>│?\s*)[├╰]─ (?P<name>.+?)(?:\s{2,}|$)", raw)
        if named:
            name = named["name"].strip()
            if named["indent"]:
                case = name
            else:
                function, case = name, ""
            continue
        rates = re.findall(r"([\d.]+) ([KMGT]?)item/s", raw)
        if len(rates) >= 3 and function:
            fastest, slowest, median = (float(value) * SCALE[unit] for value, unit in rates[:3])
            lines.append(Line(bench, function, case, fastest, median, slowest))
    return lines


def remarks(text: str) -> list[str]:
    """What a benchmark prints of the machine's limits."""
    return [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")]


def run(results: Path, cpu: int, date: str | None) -> None:
    """Measures on the CPU numbered `cpu` and writes the two files."""
    lines: list[Line] = []
    limits: list[str] = []
    for bench in BENCHES:
        command = ["cargo", "bench", "--locked", "-p", "hysteron-circuit", "--bench", bench]
        subprocess.run([*command, "--no-run"], cwd=REPOSITORY, check=True)
        # Samples are few; each is a run of a kernel on one thread.
        done = subprocess.run(
            ["taskset", "-c", str(cpu), *command],
            cwd=REPOSITORY, check=True, text=True, stdout=subprocess.PIPE, env={**os.environ, "DIVAN_COLOR": "never"},
        )  # fmt: skip
        found = parse(bench, done.stdout)
        if not found:
            raise SystemExit(f"no throughput in what the benchmark {bench} printed:\n{done.stdout}")
        print(done.stdout, flush=True)
        lines += found
        limits += remarks(done.stdout)
    write(results, lines, limits, cpu, date)


def write(results: Path, lines: list[Line], limits: list[str], cpu: int, date: str | None) -> None:
    level = next((limit.split(";")[0] for limit in limits if ";" in limit), "?")
    aimed = [line for line in lines if (line.bench, line.function) == (AIM_BENCH, AIM_FUNCTION)]
    # Few couplings leave little to add between a spin's own work, many leave much: the middle case stands for all.
    aimed.sort(key=lambda line: line.median)
    middle = aimed[len(aimed) // 2]
    data = {
        "machine": cpu_model(), "cpu": cpu, "date": date, "commit": commit(), "level": level,
        "sparse_unit_updates_per_s": middle.median, "sparse_unit_case": f"degree {middle.case}",
        "sparse_unit_range": [[f"degree {line.case}", line.median] for line in (aimed[0], aimed[-1])],
        "limits": limits, "lines": [vars(line) for line in lines],
    }  # fmt: skip
    (results / "throughput.json").write_text(json.dumps(data, indent=1) + "\n")
    text = [
        "# Throughput of the kernels, one core",
        "",
        f"- Machine: {cpu_model()}, CPU {cpu}" + (f", {date}" if date else ""),
        f"- Commit: {data['commit']}; kernels: {level} where a line names no level",
        "- Made by `bench/run --throughput`; G items a second of the median sample, the fastest and the slowest beside it.",
        "",
        "## Limits of the machine",
        "",
        *[f"- {limit}" for limit in limits],
        "",
    ]
    for bench in BENCHES:
        text += [
            f"## {bench}",
            "",
            f"Items: {UNITS[bench]}.",
            "",
            "| benchmark | case | G/s | slowest..fastest |",
            "|---|---|---:|---:|",
        ]
        for line in (line for line in lines if line.bench == bench):
            spread = f"{line.slowest / 1e9:.3g}..{line.fastest / 1e9:.3g}"
            text.append(f"| {line.function} | {line.case} | {line.median / 1e9:.3g} | {spread} |")
        text.append("")
    (results / "throughput.md").write_text("\n".join(text))
