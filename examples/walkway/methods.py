"""Who takes part, and under which name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import rivals
import search
from run import Run

#: Of a call of hysteron.Sampler, seconds.
HYSTERON_CALL_S = 0.002
#: Sweeps of a read of simulated annealing.
ANNEALING_SWEEPS = 100


@dataclass(frozen=True)
class Method:
    """A method, what to call it, and what it needs installed.

    Attributes:
        label: In tables and pictures.
        evolutionary: Whether it is one of the rivals that the aim names.
        imports: Modules that are loaded before the clock starts.
        run: Takes the run and a seed; returns when the time is over.
    """

    label: str
    evolutionary: bool
    imports: tuple[str, ...]
    run: Callable[[Run, int], None]


def _hysteron(run: Run, seed: int) -> None:
    search.search(run, seed, search.with_hysteron(run, HYSTERON_CALL_S))


def _annealing(run: Run, seed: int) -> None:
    search.search(run, seed, search.with_annealing(run, ANNEALING_SWEEPS))


def _exchanges(run: Run, seed: int) -> None:
    search.search(run, seed, None)


METHODS = {
    "hysteron": Method("QUBOs, hysteron", False, ("hysteron",), _hysteron),
    "annealing": Method("same QUBOs, dwave-samplers SA", False, ("dwave.samplers",), _annealing),
    "genetic": Method("genetic algorithm (pymoo)", True, ("pymoo.algorithms.soo.nonconvex.ga",), rivals.genetic),
    "cma": Method("CMA-ES (cma)", True, ("cma",), rivals.cma_es),
    "differential": Method("differential evolution (SciPy)", True, ("scipy.optimize",), rivals.differential),
    "exchanges": Method("control: same loop without QUBOs", False, (), _exchanges),
}
