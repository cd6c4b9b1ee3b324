#!/usr/bin/env python3
"""hysteron.Sampler beside dwave-samplers (annealing, tabu) and openjij on the same model, core and time.

    pip install ./python dwave-samplers openjij networkx
    python bench/python/bench.py --time 10 --seeds 1 --output bench/results/python.md

Every rival gets the whole time, called again and again as its users would: annealers with 1 000, 10 000 and 100 000 sweeps in
turn, tabu with time-outs that double. The clock of a rival runs while it works on the model; energies are dimod's of the sample
that came back; ours is called with scale="auto", since sums of rounded numbers leave digits that no integers hold. All run on the
CPUs this process was given, a solver at a time, in an order that rotates.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import dimod
import numpy as np

from problems import problems

SWEEPS = (1_000, 10_000, 100_000)
# Energies nearer than this, relative to their size, are equal: doubles are summed in different orders.
TOLERANCE = 1e-9


def again(call: Callable[[int, int], dimod.SampleSet], bqm: dimod.BQM, seconds: float, seed: int) -> tuple[float, float]:
    """Calls a sampler with sweeps in turn until the time is over; best energy and the seconds that it took. No call is
    begun that would, at the measured pace, end later than a tenth of the time after it."""
    begin = time.perf_counter()
    best, number, pace = float("inf"), 0, 0.0
    while True:
        sweeps = SWEEPS[number % len(SWEEPS)]
        left = begin + seconds - time.perf_counter()
        while sweeps > 1 and pace * sweeps > left + 0.1 * seconds:
            sweeps //= 2
        if left <= 0:
            return best, time.perf_counter() - begin
        called = time.perf_counter()
        found = call(sweeps, seed * 1000 + number)
        pace = (time.perf_counter() - called) / sweeps
        best = min(best, float(bqm.energies(found.first.sample)[0]))
        number += 1


def hysteron(bqm: dimod.BQM, seconds: float, seed: int) -> tuple[float, float]:
    import hysteron as module

    begin = time.perf_counter()
    found = module.Sampler(threads=1).sample(bqm, time=seconds, seed=seed, scale="auto")
    return float(bqm.energies(found.first.sample)[0]), time.perf_counter() - begin


def dwave_sa(bqm: dimod.BQM, seconds: float, seed: int) -> tuple[float, float]:
    from dwave.samplers import SimulatedAnnealingSampler

    sampler = SimulatedAnnealingSampler()
    return again(lambda sweeps, s: sampler.sample(bqm, num_reads=1, num_sweeps=sweeps, seed=s), bqm, seconds, seed)


def dwave_tabu(bqm: dimod.BQM, seconds: float, seed: int) -> tuple[float, float]:
    from dwave.samplers import TabuSampler

    begin = time.perf_counter()
    best, timeout, number = float("inf"), 0.1, 0
    while (left := begin + seconds - time.perf_counter()) > 0:
        found = TabuSampler().sample(bqm, num_reads=1, timeout=int(1000 * min(timeout, left)) + 1, seed=seed * 1000 + number)
        best = min(best, float(bqm.energies(found.first.sample)[0]))
        timeout, number = timeout * 2, number + 1
    return best, time.perf_counter() - begin


def openjij_sa(bqm: dimod.BQM, seconds: float, seed: int) -> tuple[float, float]:
    import openjij

    sampler = openjij.SASampler()
    # Plain numbers as labels, and spins: what it is fastest with.
    labels = {v: i for i, v in enumerate(bqm.variables)}
    plain = bqm.relabel_variables(labels, inplace=False).change_vartype("SPIN", inplace=False)
    linear, quadratic = dict(plain.linear), dict(plain.quadratic)
    density = 2 * plain.num_interactions / max(plain.num_variables, 2) ** 2

    def call(sweeps: int, s: int) -> dimod.SampleSet:
        found = sampler.sample_ising(
            linear, quadratic, num_reads=1, num_sweeps=sweeps, seed=s % 2**31, sparse=density < 0.2
        )
        sample = {v: int(found.first.sample[i]) for v, i in labels.items()}
        if bqm.vartype is dimod.BINARY:
            sample = {v: (value + 1) // 2 for v, value in sample.items()}
        return dimod.SampleSet.from_samples_bqm(sample, bqm)

    return again(call, bqm, seconds, seed)


SOLVERS = {"hysteron": hysteron, "dwave SA": dwave_sa, "dwave tabu": dwave_tabu, "openjij SA": openjij_sa}


def verdict(ours: float, theirs: float) -> str:
    """How ours stands to theirs."""
    slack = TOLERANCE * max(abs(ours), abs(theirs), 1.0)
    return "=" if abs(ours - theirs) <= slack else "better" if ours < theirs else "BEHIND"


def overhead(calls: int = 500) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds of a call on 10 spins."""
    import hysteron as module

    bqm = dimod.BQM({i: 1.0 for i in range(10)}, {(i, j): (-1.0) ** (i * j) for i in range(10) for j in range(i)}, 0.0, "SPIN")
    sampler = module.Sampler()
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        sampler.sample(bqm)
        times.append(1000 * (time.perf_counter() - begin))
    return float(np.median(times)), float(np.percentile(times, 95))


def conversion() -> float:
    """Seconds from a model of 10^6 couplings to the solver's problem."""
    from hysteron.sampler import Arrays

    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 100_000, size=(1_000_000, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    bqm = dimod.BQM.from_numpy_vectors(
        np.zeros(100_000), (pairs[:, 0], pairs[:, 1], rng.choice([-1.0, 1.0], len(pairs))), 0.0, "SPIN"
    )
    begin = time.perf_counter()
    Arrays(bqm).problem(None)
    return time.perf_counter() - begin


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, CPUs used: {len(os.sched_getaffinity(0))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=float, default=10.0, help="seconds for each solver and model")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="models whose name holds this")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    versions = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("hysteron", "dwave-samplers", "openjij", "dimod"))
    median, late = overhead()
    lines = [
        "# hysteron.Sampler beside dimod samplers",
        "",
        f"{machine()}. {arguments.time:g} s a solver and model, {arguments.seeds} seed(s), one thread each, interleaved. {versions}. "
        f"Load average at the start {load:.1f}.",
        "",
        f"A call on 10 spins: median {median:.2f} ms, 95th percentile {late:.2f} ms. "
        f"A model of 10^6 couplings becomes the solver's problem in {conversion():.2f} s.",
        "",
        "| model | variables | interactions | seed | " + " | ".join(SOLVERS) + " | against the best rival |",
        "|---|--:|--:|--:|" + "--:|" * len(SOLVERS) + "---|",
    ]
    print("\n".join(lines), flush=True)
    counts = {"better": 0, "=": 0, "BEHIND": 0}
    for index, (name, bqm) in enumerate(p for p in problems() if arguments.only in p[0]):
        for seed in range(1, arguments.seeds + 1):
            order = list(SOLVERS)
            shift = (index + seed) % len(order)
            found = {}
            for solver in order[shift:] + order[:shift]:
                found[solver] = SOLVERS[solver](bqm, arguments.time, seed)
            ours = found["hysteron"][0]
            word = verdict(ours, min(energy for solver, (energy, _) in found.items() if solver != "hysteron"))
            counts[word] += 1
            cells = " | ".join(f"{found[solver][0]:.10g}" for solver in SOLVERS)
            line = f"| {name} | {bqm.num_variables} | {bqm.num_interactions} | {seed} | {cells} | {word} |"
            lines.append(line)
            print(line, flush=True)
            overdue = [f"{s} took {took:.1f} s" for s, (_, took) in found.items() if took > 1.2 * arguments.time + 0.2]
            if overdue:
                print("  " + ", ".join(overdue), flush=True)
    summary = f"Better than every rival on {counts['better']}, equal to the best on {counts['=']}, behind on {counts['BEHIND']}."
    lines += ["", summary]
    print("\n" + summary)
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
