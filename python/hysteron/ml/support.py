"""Support vector machines whose dual problem is a sequence of QUBOs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from hysteron.ml._sampling import Array, Minimiser

#: Chip-steps of the search in every round.
STEPS = 200


class QuboSVC(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A support vector classifier of two classes, trained by QUBOs on grids that shrink around the best so far.

    The dual problem, min 1/2 sum a_n a_m t_n t_m k(x_n, x_m) - sum a_n with 0 <= a_n <= C and sum a_n t_n = 0, becomes
    a QUBO when each a_n is written in a few binary digits and the equation is a squared penalty (Willsch, Willsch, De Raedt and
    Michielsen 2020, "Support vector machines on the D-Wave quantum annealer", Computer Physics Communications 248, 107006,
    equations 9 to 12). One such grid is coarse. Here the next round's grid, half as wide, is laid around what the last one
    found, and the penalty becomes an augmented Lagrangian, whose multiplier makes the equation hold without a penalty that
    drowns the rest. With more samples than `working_set` a round moves those that violate the conditions of optimality
    most, and leaves the others alone. A round that does not improve the augmented objective is not taken.

    Args:
        C: Upper bound of coefficients, as in `sklearn.svm.SVC`.
        kernel, gamma, degree, coef0: As there ("linear", "poly", "rbf", "sigmoid", or a callable of two arrays).
        n_bits: Binary digits of a coefficient in each round.
        n_rounds: Rounds; each halves the grid.
        working_set: Samples whose coefficients one round moves; the QUBO has `n_bits` times as many variables.
        sampler, sampler_options: Any dimod sampler and the keyword arguments of its call; unless given, a
            `hysteron.Sampler` of one thread with ``steps=STEPS``.
        random_state: Seed of the sampler.

    Attributes:
        alpha_: Coefficients of all samples.
        support_, support_vectors_, dual_coef_, intercept_: As in `sklearn.svm.SVC`.
        dual_objective_: Of what was found, to be minimised.
        imbalance_: What sum a_n t_n is, 0 at best.
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str | Callable[..., Any] = "rbf",
        gamma: str | float = "scale",
        degree: float = 3,
        coef0: float = 0.0,
        n_bits: int = 2,
        n_rounds: int = 24,
        working_set: int = 120,
        sampler: Any = None,
        sampler_options: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.n_bits = n_bits
        self.n_rounds = n_rounds
        self.working_set = working_set
        self.sampler = sampler
        self.sampler_options = sampler_options
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> QuboSVC:
        """Fits the classifier to rows X and their two classes y."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self._check()
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError("Only binary classification is supported. The type of the target is multiclass.")
        if len(self.classes_) < 2:
            raise ValueError("The target has one class only: a support vector machine needs two")
        signs = np.where(codes > 0, 1.0, -1.0)
        variance = X.var()
        scale = {"scale": 1.0 / (X.shape[1] * variance) if variance > 0 else 1.0, "auto": 1.0 / X.shape[1]}
        if isinstance(self.gamma, str) and self.gamma not in scale:
            raise ValueError(f"gamma is {self.gamma!r}: it is 'scale', 'auto' or a number")
        self._gamma = scale[self.gamma] if isinstance(self.gamma, str) else float(self.gamma)
        self._samples = X
        kernel = self._kernel(X, X)
        self.alpha_ = self._solve(kernel, signs)
        self._finish(kernel, signs)
        return self

    def _check(self) -> None:
        if not self.C > 0:
            raise ValueError(f"C is {self.C!r}: it is positive")
        for name, most in (("n_bits", 16), ("n_rounds", 10_000), ("working_set", 100_000)):
            value = getattr(self, name)
            if isinstance(value, bool) or int(value) != value or not 1 <= value <= most:
                raise ValueError(f"{name} is {value!r}: it is a whole number from 1 to {most}")

    def _kernel(self, left: Array, right: Array) -> Array:
        arguments = {"gamma": self._gamma, "degree": self.degree, "coef0": self.coef0}
        if callable(self.kernel):
            return np.asarray(self.kernel(left, right), dtype=np.float64)
        return np.asarray(pairwise_kernels(left, right, metric=self.kernel, filter_params=True, **arguments))

    def _solve(self, kernel: Array, signs: Array) -> Array:
        """Coefficients of every sample."""
        options = self.sampler_options
        if options is None:
            options = {"steps": STEPS} if self.sampler is None else {}
        minimiser = Minimiser(self.sampler, options, int(check_random_state(self.random_state).randint(2**31 - 1)))
        count = len(signs)
        hessian = kernel * np.outer(signs, signs)
        # A penalty of the size of the problem's own curvature: the multiplier does the rest.
        penalty = float(np.mean(np.diag(kernel)))
        alpha = np.zeros(count)
        multiplier = 0.0
        levels = 2**self.n_bits - 1
        width = float(self.C)
        digits = 2.0 ** np.arange(self.n_bits)
        for _ in range(self.n_rounds):
            gradient = hessian @ alpha - 1.0
            moved = self._working_set(alpha, gradient, signs)
            step = width / levels
            # The grid of each coefficient: `levels + 1` points within [0, C], one of which is where it is now.
            below = np.clip(np.round(alpha[moved] / step), 0, levels // 2 + 1)
            lowest = alpha[moved] - below * step
            highest = lowest + levels * step
            lowest = lowest - np.maximum(np.ceil((highest - self.C) / step - 1e-9), 0) * step
            lowest = np.where(lowest < 0, alpha[moved] % step, lowest)
            base = alpha.copy()
            base[moved] = lowest
            # Augmented objective: 1/2 a.H.a - 1.a + multiplier t.a + penalty / 2 (t.a)^2 over the digits of `moved`.
            offset = float(signs @ base)
            force = (hessian @ base - 1.0 + (multiplier + penalty * offset) * signs)[moved]
            part = hessian[np.ix_(moved, moved)] + penalty * np.outer(signs[moved], signs[moved])
            units = np.kron(np.ones(len(moved)), step * digits)
            owner = np.repeat(np.arange(len(moved)), self.n_bits)
            quadratic = part[np.ix_(owner, owner)] * np.outer(units, units)
            linear = force[owner] * units + np.diag(quadratic) / 2
            pairs = np.triu_indices(len(owner), 1)
            here = np.clip(np.round((alpha[moved] - lowest) / step), 0, levels).astype(np.int64)
            start = ((here[:, None] >> np.arange(self.n_bits)) & 1).astype(np.int8).ravel()
            found = minimiser.minimise(
                linear, pairs[0].astype(np.int64), pairs[1].astype(np.int64), quadratic[pairs], start
            )
            candidate = base.copy()
            candidate[moved] = np.clip(lowest + step * (found.reshape(-1, self.n_bits) @ digits), 0.0, self.C)

            def value(a: Array, m: float = multiplier) -> float:
                imbalance = float(signs @ a)
                return float(a @ (hessian @ a) / 2 - a.sum() + m * imbalance + penalty * imbalance**2 / 2)

            if value(candidate) < value(alpha):
                alpha = candidate
            multiplier += penalty * float(signs @ alpha)
            # With a part of the samples at a time, each part deserves the grid before it shrinks.
            width *= 0.5 ** (len(moved) / count) if len(moved) < count else 0.7
        return _balanced(alpha, signs, self.C)

    def _working_set(self, alpha: Array, gradient: Array, signs: Array) -> npt.NDArray[np.int64]:
        """Samples that violate the conditions of optimality most, from both sides, or all."""
        count = len(signs)
        if count <= self.working_set:
            return np.arange(count)
        # Those that may go up in the direction of t, and those that may go down; Joachims 1999, "Making large-scale SVM
        # learning practical", section 11.3.
        score = -signs * gradient
        up = np.where((alpha < self.C) & (signs > 0) | (alpha > 0) & (signs < 0), score, -np.inf)
        down = np.where((alpha < self.C) & (signs < 0) | (alpha > 0) & (signs > 0), -score, -np.inf)
        half = self.working_set // 2 + 1
        chosen = dict.fromkeys(
            int(i) for pair in zip(np.argsort(-up)[:half], np.argsort(-down)[:half], strict=True) for i in pair
        )
        return np.array(list(chosen)[: self.working_set], dtype=np.int64)

    def _finish(self, kernel: Array, signs: Array) -> None:
        """What scikit-learn's classifier has, from the coefficients."""
        alpha = self.alpha_
        self.support_ = np.flatnonzero(alpha > 1e-8 * self.C)
        self.support_vectors_ = self._samples[self.support_]
        self.dual_coef_ = (alpha * signs)[None, self.support_]
        self.dual_objective_ = float(alpha @ ((kernel * np.outer(signs, signs)) @ alpha) / 2 - alpha.sum())
        self.imbalance_ = float(alpha @ signs)
        values = kernel @ (alpha * signs)
        free = (alpha > 1e-3 * self.C) & (alpha < (1 - 1e-3) * self.C)
        if free.any():
            # The median: coefficients on a grid leave some free ones off the margin.
            bias = float(np.median((signs - values)[free]))
        else:
            # Between what samples at 0 and at C allow.
            errors = signs - values
            lower = ((signs > 0) & (alpha < self.C / 2)) | ((signs < 0) & (alpha > self.C / 2))
            least, most = errors[lower], errors[~lower]
            bias = float(np.mean([least.max() if len(least) else most.min(), most.min() if len(most) else least.max()]))
        self.intercept_ = np.array([bias])
        del self._samples

    def decision_function(self, X: Any) -> Array:
        """Distance of rows X from the boundary, in margins; positive for the second class."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        if not len(self.support_):
            return np.full(len(X), self.intercept_[0])
        return np.asarray(self._kernel(X, self.support_vectors_) @ self.dual_coef_[0] + self.intercept_[0])

    def predict(self, X: Any) -> Any:
        """The class of each row."""
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(np.int64)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _balanced(alpha: Array, signs: Array, bound: float) -> Array:
    """With sum a_n t_n = 0 exactly, by taking from the heavier side in proportion: small steps near the end of the search."""
    imbalance = float(alpha @ signs)
    heavy = signs > 0 if imbalance > 0 else signs < 0
    total = float(alpha[heavy].sum())
    if total <= 0:
        return alpha
    result = alpha.copy()
    result[heavy] *= 1 - abs(imbalance) / total
    return np.clip(result, 0.0, bound)
