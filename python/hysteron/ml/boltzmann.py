"""Restricted Boltzmann machines of zeros and ones: energies, likelihoods, sampling, and the step of training.

The energy of a visible state v and a hidden state h is E(v, h) = -a.v - b.h - v.W.h, and p(v, h) = exp(-E(v, h)) / Z.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logsumexp

from hysteron.ml._sampling import Array, Minimiser

# Units of the smaller layer up to which a partition function is summed in full: 2**22 terms take seconds.
EXACT_UNITS_MAX = 22
# Terms of that sum at a time, so that memory stays small.
_CHUNK = 1 << 12


@dataclass(frozen=True)
class Machine:
    """Parameters of a machine, or a direction among them (a gradient, expected statistics).

    Attributes:
        weights: W, visible times hidden.
        visible: a, the biases of visible units.
        hidden: b, the biases of hidden units.
    """

    weights: Array
    visible: Array
    hidden: Array

    @staticmethod
    def random(data_mean: Array, hidden: int, rng: np.random.Generator, deviation: float = 0.01) -> Machine:
        """Small normal weights, and visible biases that reproduce the data's means: log(p / (1 - p)).

        Hinton 2012, "A practical guide to training restricted Boltzmann machines", section 8.
        """
        mean = np.clip(data_mean, 0.01, 0.99)
        weights = rng.normal(0.0, deviation, size=(len(mean), hidden))
        return Machine(weights, np.log(mean / (1 - mean)), np.zeros(hidden))

    def vector(self) -> Array:
        """All parameters in one row: weights, visible biases, hidden biases."""
        return np.concatenate([self.weights.ravel(), self.visible, self.hidden])

    @staticmethod
    def of(vector: Array, visible: int, hidden: int) -> Machine:
        """The inverse of `vector`."""
        if vector.shape != (visible * hidden + visible + hidden,):
            raise ValueError(f"{vector.shape} parameters do not make a machine of {visible} and {hidden} units")
        weights = vector[: visible * hidden].reshape(visible, hidden)
        return Machine(weights, vector[visible * hidden : -hidden], vector[-hidden:])

    def plus(self, other: Machine, factor: float) -> Machine:
        """This and `factor` times `other`."""
        return Machine(
            self.weights + factor * other.weights,
            self.visible + factor * other.visible,
            self.hidden + factor * other.hidden,
        )

    def energy(self, v: Array, h: Array) -> Array:
        """E(v, h) of pairs of rows."""
        products = np.einsum("ni,ij,nj->n", v, self.weights, h)
        return np.asarray(-v @ self.visible - h @ self.hidden - products)

    def free_energy(self, v: Array) -> Array:
        """F(v) = -a.v - sum_j log(1 + exp(b_j + v.W_j)), so that p(v) = exp(-F(v)) / Z."""
        return np.asarray(-v @ self.visible - np.logaddexp(0.0, self.hidden + v @ self.weights).sum(axis=1))

    def hidden_free_energy(self, h: Array) -> Array:
        """F(h) = -b.h - sum_i log(1 + exp(a_i + W_i.h)), so that p(h) = exp(-F(h)) / Z."""
        parts = np.split(h, range(_CHUNK, len(h), _CHUNK))
        sums = [_softplus_sums(self.visible + part @ self.weights.T)[0] for part in parts]
        return np.asarray(-h @ self.hidden - np.concatenate(sums))

    def hidden_probabilities(self, v: Array) -> Array:
        """p(h_j = 1 | v) for rows v."""
        return np.asarray(expit(self.hidden + v @ self.weights))

    def visible_probabilities(self, h: Array) -> Array:
        """p(v_i = 1 | h) for rows h."""
        return np.asarray(expit(self.visible + h @ self.weights.T))

    def log_partition(self) -> float:
        """log Z, by summing over the smaller layer; ValueError where that has more than `EXACT_UNITS_MAX` units."""
        weights, outer, inner = self.weights, self.visible, self.hidden
        if weights.shape[0] < weights.shape[1]:
            weights, outer, inner = weights.T, inner, outer
        units = len(inner)
        if units > EXACT_UNITS_MAX:
            raise ValueError(f"an exact partition function of {units} units would take 2**{units} terms")
        # A state is a high part and a low part; the low ones share one product.
        low = min(units, _CHUNK.bit_length() - 1)
        low_states = _states(low)
        low_fields = low_states @ weights[:, :low].T + outer
        low_biases = low_states @ inner[:low]
        parts = [
            logsumexp(low_biases + bias + _softplus_sums(low_fields + field)[0])
            for field, bias in zip(
                _states(units - low) @ weights[:, low:].T, _states(units - low) @ inner[low:], strict=True
            )
        ]
        return float(logsumexp(parts))

    def annealed_log_partition(
        self, base: Array, rng: np.random.Generator, *, runs: int = 200, temperatures: int = 2000
    ) -> tuple[float, float]:
        """An estimate of log Z by annealed importance sampling, and its standard error.

        Salakhutdinov and Murray 2008, "On the quantitative analysis of deep belief networks", section 4.1. `base` are
        the visible biases of the machine without weights that the annealing begins with; the error is that of the mean of
        the weights, carried to their logarithm.
        """
        units = len(self.hidden)
        v = (rng.random((runs, len(base))) < expit(base)).astype(np.float64)
        logs = np.zeros(runs)
        betas = np.linspace(0.0, 1.0, temperatures)

        def log_weight(beta: float) -> Array:
            fields = beta * (self.hidden + v @ self.weights)
            return np.asarray(v @ ((1 - beta) * base + beta * self.visible) + np.logaddexp(0.0, fields).sum(axis=1))

        for before, beta in zip(betas[:-1], betas[1:], strict=True):
            logs += log_weight(beta) - log_weight(before)
            h = rng.random((runs, units)) < expit(beta * (self.hidden + v @ self.weights))
            fields = (1 - beta) * base + beta * (self.visible + h @ self.weights.T)
            v = (rng.random(v.shape) < expit(fields)).astype(np.float64)
        log_base = units * np.log(2.0) + np.logaddexp(0.0, base).sum()
        log_mean = float(logsumexp(logs) - np.log(runs))
        relative = np.exp(logs - log_mean)
        return float(log_base + log_mean), float(relative.std(ddof=1) / np.sqrt(runs))

    def gibbs(self, v: Array, steps: int, rng: np.random.Generator) -> Array:
        """Visible states after `steps` of alternating Gibbs sampling from rows v."""
        for _ in range(steps):
            h = (rng.random((len(v), len(self.hidden))) < self.hidden_probabilities(v)).astype(np.float64)
            v = (rng.random(v.shape) < self.visible_probabilities(h)).astype(np.float64)
        return v

    def statistics(self, v: Array) -> Machine:
        """Means over rows v of v_i p(h_j = 1 | v), v_i and p(h_j = 1 | v)."""
        p = self.hidden_probabilities(v)
        return Machine(v.T @ p / len(v), v.mean(axis=0), p.mean(axis=0))


def _states(units: int) -> Array:
    """All states of so many units, as rows."""
    return ((np.arange(1 << units)[:, None] >> np.arange(units)) & 1).astype(np.float64)


# Units whose factors of a product, each from 1 to 2, fit a double.
_FACTORS = 1000


def _softplus_sums(fields: Array) -> tuple[Array, Array]:
    """Of each row the sum of log(1 + exp(x)), and of each entry 1 / (1 + exp(-x)), with one exponential for both."""
    small = np.exp(-np.abs(fields))
    sums = np.maximum(fields, 0.0).sum(axis=1)
    probabilities = np.where(fields > 0, 1.0, small)
    small += 1.0
    for begin in range(0, fields.shape[1], _FACTORS):
        sums += np.log(small[:, begin : begin + _FACTORS].prod(axis=1))
    probabilities /= small
    return sums, probabilities


@dataclass(frozen=True)
class Mode:
    """A joint state of low energy, at best the lowest."""

    v: Array
    h: Array
    energy: float

    def statistics(self) -> Machine:
        """What `Machine.statistics` would be of a machine that is always in this state."""
        return Machine(np.outer(self.v, self.h), self.v, self.h)


class ModeFinder:
    """Looks for the joint mode of a machine with a sampler, from the last one it found."""

    def __init__(self, sampler: Any, options: Mapping[str, Any], seed: int) -> None:
        self.minimiser = Minimiser(sampler, options, seed)
        self._last: Array | None = None

    def find(self, machine: Machine) -> Mode:
        """A state (v, h) of least E(v, h), as far as the sampler finds it."""
        return self.several(machine, None)[0]

    def several(self, machine: Machine, reads: int | None) -> list[Mode]:
        """Up to `reads` states of low E(v, h), the lowest first; None for as many as the sampler gives unasked."""
        visible, hidden = machine.weights.shape
        rows = np.repeat(np.arange(visible, dtype=np.int64), hidden)
        columns = np.tile(np.arange(visible, visible + hidden, dtype=np.int64), visible)
        start = None
        if self._last is not None and len(self._last) == visible:
            # Parameters have moved since: the best hidden state that goes with the last mode is found at no cost.
            start = np.concatenate([self._last, machine.hidden + self._last @ machine.weights > 0]).astype(np.int8)
        linear = -np.concatenate([machine.visible, machine.hidden])
        found = self.minimiser.lowest(linear, rows, columns, -machine.weights.ravel(), start, reads).astype(np.float64)
        v, h = found[:, :visible], found[:, visible:]
        self._last = v[0]
        return [Mode(*state) for state in zip(v, h, machine.energy(v, h).tolist(), strict=True)]


class Pool:
    """Hidden states of high probability, between which a chain jumps without leaving the machine's distribution.

    A chain whose hidden state h is in the pool S draws a new one from p(h | h in S), which is known exactly: it is
    proportional to exp(-F(h)), and its sum over S is one. A chain outside stays where it is. This is Gibbs sampling of h
    given whether it is in S, so that p stays invariant whatever S is, as long as the chain's present state has no say in
    it, and nothing is ever rejected. It helps as much as S has probability, and joins modes between which
    plain Gibbs sampling hardly ever goes. In the same way the mean of a function over a chain that is in the pool
    is its mean over p(h | h in S), which has no variance (Rao and Blackwell; `expected`).

    `renew` takes in hidden states, of chips those that go with the lowest states (v, h), and all that differ in one unit from
    what is then in the pool, and keeps the likeliest, with visible states summed out.

    Args:
        size: Most hidden states.
        units: Hidden units.
    """

    def __init__(self, size: int, units: int) -> None:
        self.size = size
        self.h: Array = np.zeros((0, units))
        self._keys = _keys(self.h)

    def renew(self, machine: Machine, h: Array) -> None:
        """Takes in rows h and neighbours, and keeps the `size` likeliest of the machine."""
        candidates = _distinct(np.concatenate([self.h, h]))
        near = candidates[np.argsort(machine.hidden_free_energy(candidates), kind="stable")[: self.size]]
        flipped = np.abs(near[:, None, :] - np.eye(near.shape[1])).reshape(-1, near.shape[1])
        candidates = _distinct(np.concatenate([candidates, flipped]))
        kept = np.argsort(machine.hidden_free_energy(candidates), kind="stable")[: self.size]
        # Of `candidates`, which are in the order of their keys.
        self.h = candidates[np.sort(kept)]
        self._keys = _keys(self.h)

    def expected(self, machine: Machine) -> tuple[Array, Machine]:
        """p(h | h in S) of each state, and the machine's expected statistics given that h is in S."""
        sums, on = _softplus_sums(machine.visible + self.h @ machine.weights.T)
        logs = self.h @ machine.hidden + sums
        p = np.exp(logs - logs.max())
        p /= p.sum()
        weighed = self.h * p[:, None]
        return p, Machine(on.T @ weighed, p @ on, weighed.sum(axis=0))

    def holds(self, h: Array) -> npt.NDArray[np.bool_]:
        """Which rows are in the pool."""
        if not len(self.h):
            return np.zeros(len(h), dtype=bool)
        keys = _keys(h)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self.h) - 1)
        return np.asarray(self._keys[places] == keys)

    def run(self, machine: Machine, v: Array, steps: int, rng: np.random.Generator) -> tuple[Array, Machine]:
        """Visible states after `steps` of Gibbs sampling with jumps from rows v, and an estimate of expected statistics.

        The estimate has no bias where rows v have the machine's distribution.
        """
        p, statistics = self.expected(machine)
        edges = np.cumsum(p)
        for _ in range(steps):
            h = (rng.random((len(v), len(machine.hidden))) < machine.hidden_probabilities(v)).astype(np.float64)
            inside = self.holds(h)
            drawn = np.searchsorted(edges, rng.random(int(inside.sum())) * edges[-1], side="right")
            h[inside] = self.h[np.minimum(drawn, len(p) - 1)]
            on = machine.visible_probabilities(h)
            v = (rng.random(on.shape) < on).astype(np.float64)
        share = float(inside.mean())
        rest_h, rest_on = h[~inside] / len(h), on[~inside]
        rest = Machine(rest_on.T @ rest_h, rest_on.sum(axis=0) / len(h), rest_h.sum(axis=0))
        return v, rest.plus(statistics, share)


def _keys(h: Array) -> npt.NDArray[np.bytes_]:
    """A string of bytes for each row of zeros and ones, all of one length."""
    packed = np.packbits(h > 0.5, axis=1)
    return np.ascontiguousarray(packed).view(f"S{packed.shape[1]}").ravel()


def _distinct(h: Array) -> Array:
    """Rows without repetition, in the order of their keys."""
    return h[np.unique(_keys(h), return_index=True)[1]]


@dataclass(frozen=True)
class ModeSchedule:
    """How often an update is one against the mode: with probability most * sigmoid(slope * n / updates + offset) for update n.

    Manukian, Pei, Bearden and Di Ventra 2020, "Mode-assisted unsupervised learning of restricted Boltzmann machines",
    Communications Physics 3:105: seldom at first, when the mode says little, and up to `most` of the time at the end.
    """

    most: float = 0.1
    slope: float = 20.0
    offset: float = -6.0

    def probability(self, update: int, updates: int) -> float:
        """For update `update` of `updates`."""
        return float(self.most * expit(self.slope * update / updates + self.offset))


def mode_depth(machine: Machine, energy: float) -> float:
    """What the learning rate is multiplied by in an update against a mode of this energy: how deep the mode is.

    (mean energy of all states - energy of the mode) / (4 (visible + 1) (hidden + 1)). In units of -1 and +1 the mean
    vanishes and the weights are a quarter of these, so that this is the mode's depth for each parameter. This is our
    reading of the rule in the supplement of the paper that `ModeSchedule` names; that it multiplies the falling learning
    rate, and is none of its own, is what worked best here.
    """
    mean = -(machine.visible.sum() / 2 + machine.hidden.sum() / 2 + machine.weights.sum() / 4)
    visible, hidden = machine.weights.shape
    return float(max(mean - energy, 0.0) / (4 * (visible + 1) * (hidden + 1)))


#: What is done with a mode: an update against it instead of one against the chains (the paper's way), both at once, or
#: it becomes the state of one of the chains, from where Gibbs sampling goes on, or it is weighed (`Trainer.weight`), or
#: it and further states of low energy make up a pool between whose states chains jump (`Pool`). ``"own"`` is a control: the same
#: jumps, with a pool that the chains' own states go into, and no search at all.
ModeUse = Literal["replace", "add", "seed", "weigh", "jump", "own"]

#: States that one search for a pool asks for, and updates from one search to the next.
POOL_READS = 20
POOL_EVERY = 100


@dataclass(frozen=True)
class Negative:
    """The model's side of an update: expected statistics, and the learning rate of the update."""

    statistics: Machine
    rate: float
    is_mode: bool


@dataclass(frozen=True)
class Offsets:
    """Means of the units, taken off before statistics are multiplied: the gradient of the centred machine.

    Melchior, Fischer and Wiskott 2016, "How to center deep Boltzmann machines", JMLR 17(99), algorithm 1: offsets are moving
    averages of the mean of data and model. The gradient in the usual parameters is a linear function of the difference
    of the usual statistics, so that who knows only their sums over parties can take it, too.
    """

    visible: Array
    hidden: Array
    #: Share of the newest means.
    pace: float = 0.01

    def moved(self, positive: Machine, negative: Machine) -> Offsets:
        """After the means of one more update."""
        visible = (positive.visible + negative.visible) / 2
        hidden = (positive.hidden + negative.hidden) / 2
        return Offsets(
            self.visible + self.pace * (visible - self.visible),
            self.hidden + self.pace * (hidden - self.hidden),
            self.pace,
        )

    def gradient(self, difference: Machine) -> Machine:
        """The direction of steepest ascent in centred parameters, in the usual ones."""
        weights = (
            difference.weights
            - np.outer(difference.visible, self.hidden)
            - np.outer(self.visible, difference.hidden)
        )
        return Machine(
            weights, difference.visible - weights @ self.hidden, difference.hidden - weights.T @ self.visible
        )


class Trainer:
    """Training of a machine step by step: `negative` gives the model's side of an update, `apply` makes it.

    The data's side comes from elsewhere, so that those who hold the data need not be those who hold the model.

    Args:
        machine: To begin with.
        updates: How many will be made; schedules refer to it.
        chains: Visible states that the negative phase's chains begin with, rows. Of ``"cd"`` the batch begins them.
        method: ``"pcd"`` (chains go on from update to update; Tieleman 2008) or ``"cd"`` (they begin at the data).
        gibbs_steps: Of each update.
        rates: Learning rate of the first and of the last update; in between it falls (or grows) evenly.
        weight_decay: Part of the weights taken away by an update, times the learning rate.
        schedule: When an update is made against the mode; None for never.
        finder: Finds it.
        mode_use: What is done with it.
        mode_factor: What `mode_depth` times the learning rate is multiplied by for an update against the mode
            (not of ``"seed"``).
        centred: Whether steps go along the centred gradient, see `Offsets`.
        rows: Of data, all of them; of ``"weigh"``.
        pool_size: Hidden states between which chains jump, of ``"jump"`` and ``"own"``; it is renewed every `POOL_EVERY`
            updates from the first, whatever the schedule says.
        rng: All randomness but the sampler's.
    """

    def __init__(
        self,
        machine: Machine,
        updates: int,
        chains: Array,
        *,
        method: Literal["pcd", "cd"],
        gibbs_steps: int,
        rates: tuple[float, float],
        weight_decay: float,
        schedule: ModeSchedule | None,
        finder: ModeFinder | None,
        mode_use: ModeUse,
        mode_factor: float,
        centred: bool,
        rows: int,
        pool_size: int = 512,
        rng: np.random.Generator,
    ) -> None:
        self.machine = machine
        self._centred: Offsets | None = None
        if centred:
            self._centred = Offsets(expit(machine.visible), np.full(len(machine.hidden), 0.5))
        self.done = 0
        self.modes = 0
        self._updates = updates
        self._chains = chains
        self._method = method
        self._gibbs_steps = gibbs_steps
        self._rates = rates
        self._weight_decay = weight_decay
        self._schedule = schedule
        self._finder = finder
        self._mode_use = mode_use
        self._rows = rows
        self._mode_factor = mode_factor
        self._rng = rng
        self.pool = Pool(pool_size, len(machine.hidden))

    def negative(self, batch: Array | None = None) -> Negative:
        """The model's side of the next update; `batch` begins the chains of ``"cd"``."""
        machine, finder = self.machine, self._finder
        # Drawn even where no mode is wanted, so that methods compared with one seed see the same randomness.
        drawn = self._rng.random()
        first, last = self._rates
        rate = first + (last - first) * self.done / max(self._updates - 1, 1)
        mode = None
        jumps = self._schedule is not None and self._mode_use in ("jump", "own")
        if self._schedule is not None and finder is not None and not jumps:
            if drawn < self._schedule.probability(self.done, self._updates):
                mode = finder.find(machine)
                self.modes += 1
        factor = 0.0 if mode is None else self._mode_factor * mode_depth(machine, mode.energy)
        if mode is not None and self._mode_use == "replace":
            return Negative(mode.statistics(), factor * rate, True)
        if self._method == "pcd":
            chains = self._chains
        elif batch is not None:
            chains = batch
        else:
            raise ValueError("contrastive divergence begins its chains at data, and none is given")
        if jumps:
            if self.done % POOL_EVERY == 0:
                self.pool.renew(machine, self._hidden_states(chains))
            self._chains, statistics = self.pool.run(machine, chains, self._gibbs_steps, self._rng)
            return Negative(statistics, rate, False)
        if mode is not None and self._mode_use == "seed":
            chains = chains.copy()
            chains[self._rng.integers(len(chains))] = mode.v
        self._chains = end = machine.gibbs(chains, self._gibbs_steps, self._rng)
        if mode is not None and self._mode_use == "weigh" and batch is not None:
            rest = end[(end != mode.v).any(axis=1)]
            share = self.weight(mode, batch)
            alone = machine.statistics(mode.v[None])
            if not len(rest):
                return Negative(alone, rate, False)
            statistics = machine.statistics(rest)
            return Negative(statistics.plus(statistics, -share).plus(alone, share), rate, False)
        statistics = machine.statistics(end)
        if mode is not None and self._mode_use == "add":
            # (data - chains) + factor (data - mode), written as (1 + factor) (data - a mean of both).
            share = factor / (1 + factor)
            statistics = statistics.plus(statistics, -share).plus(mode.statistics(), share)
            rate *= 1 + factor
        return Negative(statistics, rate, False)

    def _hidden_states(self, chains: Array) -> Array:
        """What the pool takes in: of chips, or of chains without chips."""
        if self._mode_use == "own" or self._finder is None:
            p = self.machine.hidden_probabilities(chains)
            return (self._rng.random(p.shape) < p).astype(np.float64)
        modes = self._finder.several(self.machine, POOL_READS)
        self.modes += 1
        return np.array([mode.h for mode in modes])

    def weight(self, mode: Mode, batch: Array) -> float:
        """An upper estimate of the probability of the mode's visible state, from the free energies of data.

        Z is at least the sum of exp(-F) over the mode and all rows of data that differ from it and from each other, and the
        sum over a batch stands for that over all rows. Of a mode that the machine holds for much likelier than
        data, as chains that never reach it do not see, this is near 1; of one that is as likely as a row, it is small.
        """
        distinct = np.unique(batch, axis=0)
        others = distinct[(distinct != mode.v).any(axis=1)]
        scale = max(self._rows / len(batch), 1.0)
        ratios = self.machine.free_energy(mode.v[None])[0] - self.machine.free_energy(others)
        return float(1 / (1 + scale * np.exp(np.minimum(ratios, 500.0)).sum()))

    def apply(self, positive: Machine, negative: Negative) -> None:
        """Moves the machine along the data's statistics less the model's."""
        difference = positive.plus(negative.statistics, -1.0)
        if self._centred is not None:
            if not negative.is_mode:
                self._centred = self._centred.moved(positive, negative.statistics)
            difference = self._centred.gradient(difference)
        machine = self.machine.plus(difference, negative.rate)
        if self._weight_decay and not negative.is_mode:
            kept = 1 - negative.rate * self._weight_decay
            machine = Machine(machine.weights * kept, machine.visible, machine.hidden)
        self.machine = machine
        self.done += 1

    def skip(self) -> None:
        """Counts an update that could not be made."""
        self.done += 1
