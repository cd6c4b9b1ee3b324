"""Differential privacy of federated rounds: how much noise, and what epsilon it buys."""

from __future__ import annotations

from dataclasses import dataclass

from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
from dp_accounting.rdp import RdpAccountant

# Whole orders, whose divergences are finite sums: of fractional ones the accountant's series do not always converge. Every
# order gives a valid epsilon; the least counts.
_ORDERS = (*range(2, 65), 80, 96, 128, 192, 256, 512)


@dataclass(frozen=True)
class Privacy:
    """The Gaussian mechanism on sums of clipped rows.

    Neighbours are unions of the parties' data that differ in one row, added or removed (of any one party; a person with m rows
    is protected with the m-fold loss of a group). Each round samples every row independently (Poisson sampling) and adds normal
    noise to the sum, with a deviation of `noise` times the greatest length of a clipped row.

    No single party or server makes that noise: each party adds a share of it, such that those who answer together add as
    much as is promised if at least `honest` of them do (of a round with fewer answers the server learns no sum). The server,
    the other parties and who sees the machine face the full noise as long as at most (answers - honest) parties tell
    theirs. The shares are drawn as doubles and rounded to fixed point afterwards; attacks on the lowest bits of
    floating-point noise (Mironov 2012) are not excluded.

    Attributes:
        noise: Multiplier sigma: deviation of the sum's noise, in lengths of a clipped row.
        delta: Probability with which epsilon need not hold; below one over the number of rows.
    """

    noise: float
    delta: float = 1e-5

    def __post_init__(self) -> None:
        if not self.noise > 0 or not 0 < self.delta < 1:
            raise ValueError("noise is positive, and delta between 0 and 1")


def epsilon(noise: float, rate: float, rounds: int, delta: float) -> float:
    """Epsilon after so many rounds, each a Gaussian mechanism of multiplier `noise` on a Poisson sample of rate `rate`.

    By Rényi differential privacy of the sampled Gaussian mechanism (Mironov, Talwar and Zhang 2019, arXiv 1908.10530), composed over
    rounds and converted at the best whole order, as Google's dp-accounting computes it for neighbours that add or remove one row.
    """
    if rounds == 0:
        return 0.0
    accountant = RdpAccountant(orders=_ORDERS)
    accountant.compose(PoissonSampledDpEvent(rate, GaussianDpEvent(noise)), rounds)
    return float(accountant.get_epsilon(delta))


def noise_for(target: float, rate: float, rounds: int, delta: float) -> float:
    """The least noise multiplier, to one part in a thousand, whose epsilon is at most `target`."""
    least, most = 0.3, 0.6
    while epsilon(most, rate, rounds, delta) > target:
        least, most = most, 2 * most
        if most > 1e5:
            raise ValueError(f"no noise reaches epsilon {target}")
    while most - least > 1e-3 * most:
        middle = (least + most) / 2
        if epsilon(middle, rate, rounds, delta) > target:
            least = middle
        else:
            most = middle
    return most
