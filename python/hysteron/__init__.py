"""Simulated circuits of memristors that solve optimisation problems.

`Sampler` is a dimod sampler: where a program says ``SimulatedAnnealingSampler()``, it may say ``hysteron.Sampler()``.
"""

from hysteron._native import __version__
from hysteron.sampler import Sampler

__all__ = ["Sampler", "__version__"]
