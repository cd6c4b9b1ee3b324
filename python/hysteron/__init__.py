"""Simulated circuits of memristors that solve optimisation problems.

`Sampler` is a dimod sampler: where a program says ``SimulatedAnnealingSampler()``, it may say ``hysteron.Sampler()``.
`CQMSampler` takes constrained models, `solve_cnf` and `solve_wcnf` clauses, `solve_maxcut` graphs.
"""

from hysteron._native import __version__
from hysteron.clauses import ClauseResult, solve_cnf, solve_wcnf
from hysteron.cqm import CQMSampler
from hysteron.graphs import Cut, solve_maxcut
from hysteron.sampler import Sampler

__all__ = [
    "CQMSampler",
    "ClauseResult",
    "Cut",
    "Sampler",
    "__version__",
    "solve_cnf",
    "solve_maxcut",
    "solve_wcnf",
]
