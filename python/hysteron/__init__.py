"""Simulated circuits of memristors that solve optimisation problems.

`Sampler` is a dimod sampler: where a program says ``SimulatedAnnealingSampler()``, it may say ``hysteron.Sampler()``.
`CQMSampler` takes constrained models, `solve_cnf` and `solve_wcnf` clauses, `solve_maxcut` graphs.
"""

from hysteron._native import __version__, verify_receipt
from hysteron._ray import Cluster as RayCluster
from hysteron.clauses import ClauseResult, solve_cnf, solve_wcnf
from hysteron.cqm import CQMSampler
from hysteron.graphs import Cut, solve_maxcut
from hysteron.sampler import Sampler

__all__ = [
    "CQMSampler",
    "ClauseResult",
    "Cut",
    "RayCluster",
    "Sampler",
    "__version__",
    "solve_cnf",
    "solve_maxcut",
    "solve_wcnf",
    "verify_receipt",
]
