"""Selection of features by a QUBO: relevant to the target, and not repeating each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from hysteron.ml._sampling import Array, Minimiser

#: Chip-steps of the search.
STEPS = 2000


class QuboSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Chooses features of much mutual information with the target and little among themselves, all at once.

    Greedy selection by minimal redundancy and maximal relevance (Peng, Long and Ding 2005, "Feature selection based on mutual
    information", equations 4 to 6) adds one feature after the other. Here the same objective of a set S of k features,

        1/k sum of I(x_i; y) over i in S  -  redundancy/k^2 sum of I(x_i; x_j) over i != j in S,

    is maximised over sets as a QUBO, with a penalty that holds the number of features at k; what a sampler that stops
    early got wrong about the number is repaired greedily. Features and a continuous target are cut into `n_bins` intervals
    of about equally many samples.

    Args:
        n_features_to_select: k; half of the features unless given.
        redundancy: Weight of the second sum; 1 is the objective of the paper.
        n_bins: Intervals of continuous values.
        discrete_target: Whether y is classes; None decides by its type: everything but floats that are no whole numbers.
        sampler, sampler_options: Any dimod sampler and the keyword arguments of its call; unless given, a `hysteron.Sampler`
            of one thread with ``steps=STEPS``.
        random_state: Seed of the sampler.

    Attributes:
        support_: Mask of chosen features.
        relevance_: I(x_i; y) in nats.
        redundancy_: I(x_i; x_j) in nats, 0 on the diagonal.
        objective_: Of the chosen set.
    """

    def __init__(
        self,
        n_features_to_select: int | None = None,
        *,
        redundancy: float = 1.0,
        n_bins: int = 5,
        discrete_target: bool | None = None,
        sampler: Any = None,
        sampler_options: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_features_to_select = n_features_to_select
        self.redundancy = redundancy
        self.n_bins = n_bins
        self.discrete_target = discrete_target
        self.sampler = sampler
        self.sampler_options = sampler_options
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> QuboSelector:
        """Chooses features of rows X for the target y."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=False)
        features = X.shape[1]
        count = max(features // 2, 1) if self.n_features_to_select is None else self.n_features_to_select
        if isinstance(count, bool) or int(count) != count or not 1 <= count <= features:
            raise ValueError(f"n_features_to_select is {count!r}: it is from 1 to the {features} features")
        if self.n_bins < 2:
            raise ValueError(f"n_bins is {self.n_bins!r}: it is at least 2")
        classes = self.discrete_target
        if classes is None:
            classes = y.dtype.kind != "f" or bool((y == np.floor(y)).all())
        target = np.unique(y, return_inverse=True)[1] if classes else _intervals(y[:, None], self.n_bins)[:, 0]
        codes = _intervals(X, self.n_bins)
        self.relevance_, self.redundancy_ = mutual_information(codes, target)
        chosen = self._minimise(int(count))
        self.support_ = chosen
        self.objective_ = objective(chosen, self.relevance_, self.redundancy_, self.redundancy)
        return self

    def _minimise(self, count: int) -> npt.NDArray[np.bool_]:
        """The set of `count` features of least -k times the objective."""
        features = len(self.relevance_)
        if count == features:
            return np.ones(features, dtype=bool)
        pairs = np.triu_indices(features, 1)
        couplings = 2 * self.redundancy / count * self.redundancy_[pairs]
        # One feature too many gains its relevance at most; one too few saves its own redundancies at most.
        most = float(self.relevance_.max(initial=0.0) + 2 * self.redundancy / count * self.redundancy_.sum(axis=1).max())
        penalty = 1.1 * most + 1e-9
        linear = -self.relevance_ + penalty * (1 - 2 * count)
        biases = couplings + 2 * penalty
        options = self.sampler_options
        if options is None:
            options = {"steps": STEPS} if self.sampler is None else {}
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        minimiser = Minimiser(self.sampler, options, seed)
        start = np.zeros(features, dtype=np.int8)
        start[greedy(count, self.relevance_, self.redundancy_, self.redundancy)] = 1
        found = minimiser.minimise(linear, pairs[0].astype(np.int64), pairs[1].astype(np.int64), biases, start)
        return self._repaired(found.astype(bool), count)

    def _repaired(self, chosen: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
        """With exactly `count` features, each step of the least loss."""
        chosen = chosen.copy()
        while chosen.sum() != count:
            gain = self.relevance_ - 2 * self.redundancy / count * (self.redundancy_ @ chosen)
            if chosen.sum() > count:
                chosen[np.where(chosen, gain, np.inf).argmin()] = False
            else:
                chosen[np.where(chosen, -np.inf, gain).argmax()] = True
        return chosen

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        check_is_fitted(self)
        return np.asarray(self.support_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _intervals(X: Array, bins: int) -> npt.NDArray[np.int64]:
    """Each column's values as the number of their interval; values that are equal share one."""
    codes = np.empty(X.shape, dtype=np.int64)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    for column in range(X.shape[1]):
        values = X[:, column]
        distinct = np.unique(values)
        edges = distinct[1:] if len(distinct) <= bins else np.unique(np.quantile(values, inner))
        codes[:, column] = np.searchsorted(edges, values, side="right")
    return codes


def mutual_information(codes: npt.NDArray[np.int64], target: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """I(x_i; y) and I(x_i; x_j) in nats of columns of small whole numbers, from their counts; the diagonal is 0."""
    rows, features = codes.shape
    columns = [np.eye(int(codes[:, i].max()) + 1)[codes[:, i]] for i in range(features)]
    columns.append(np.eye(int(target.max()) + 1)[target])
    starts = np.cumsum([0, *(column.shape[1] for column in columns)])
    hot = np.hstack(columns)
    joint = hot.T @ hot / rows
    single = hot.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log(joint / np.outer(single, single)), 0.0)
    blocks = np.add.reduceat(np.add.reduceat(terms, starts[:-1], axis=0), starts[:-1], axis=1)
    blocks = np.maximum(blocks, 0.0)
    between = blocks[:-1, :-1].copy()
    np.fill_diagonal(between, 0.0)
    return blocks[:-1, -1].copy(), between


def objective(chosen: npt.NDArray[np.bool_], relevance: Array, redundancy: Array, weight: float = 1.0) -> float:
    """Mean relevance less the weighted mean redundancy of a set; larger is better."""
    count = int(chosen.sum())
    return float(relevance[chosen].mean() - weight * redundancy[np.ix_(chosen, chosen)].sum() / count**2)


def greedy(count: int, relevance: Array, redundancy: Array, weight: float = 1.0) -> npt.NDArray[np.int64]:
    """The incremental selection of Peng, Long and Ding (equation 7): each next feature has the greatest relevance less mean
    redundancy with those chosen before."""
    chosen = [int(relevance.argmax())]
    while len(chosen) < count:
        gain = relevance - weight * redundancy[:, chosen].mean(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return np.array(chosen, dtype=np.int64)
