"""Mode-assisted restricted Boltzmann machines as scikit-learn estimators: features, densities, and a classifier."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from hysteron.ml._sampling import Array
from hysteron.ml.boltzmann import EXACT_UNITS_MAX, Machine, ModeFinder, ModeSchedule, ModeUse, Trainer

#: Chip-steps of a search for the mode: about a millisecond for a hundred units (see examples/ml).
MODE_STEPS = 20


class _Boltzmann(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: parameters, and training on rows of visible states."""

    def __init__(
        self,
        n_components: int = 16,
        *,
        method: Literal["pcd", "cd"] = "pcd",
        mode_probability: float = 0.1,
        mode_slope: float = 20.0,
        mode_offset: float = -6.0,
        mode_use: ModeUse = "jump",
        mode_factor: float = 1.0,
        pool_size: int = 512,
        learning_rate: float | tuple[float, float] = 0.05,
        gibbs_steps: int = 1,
        batch_size: int = 20,
        n_iter: int = 20,
        weight_decay: float = 0.0,
        centred: bool = True,
        threshold: float | None = 0.5,
        sampler: Any = None,
        sampler_options: Mapping[str, Any] | None = None,
        monitor: Callable[[Machine, int, float], object] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.mode_probability = mode_probability
        self.mode_slope = mode_slope
        self.mode_offset = mode_offset
        self.mode_use = mode_use
        self.mode_factor = mode_factor
        self.pool_size = pool_size
        self.learning_rate = learning_rate
        self.gibbs_steps = gibbs_steps
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.weight_decay = weight_decay
        self.centred = centred
        self.threshold = threshold
        self.sampler = sampler
        self.sampler_options = sampler_options
        self.monitor = monitor
        self.random_state = random_state

    def _visible(self, X: Any, *, reset: bool) -> Array:
        """Checked rows as visible states."""
        X = validate_data(self, X, reset=reset, dtype=(np.float64, np.float32))
        if self.threshold is not None:
            return np.asarray(X > self.threshold, dtype=np.float64)
        if X.size and not (X.min() >= 0 and X.max() <= 1):
            raise ValueError("with threshold=None, X holds probabilities from 0 to 1")
        return np.asarray(X, dtype=np.float64)

    def _check(self) -> None:
        for name in ("n_components", "gibbs_steps", "batch_size", "n_iter", "pool_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise ValueError(f"{name} is {value!r}: it is a whole number from 1")
        if self.method not in ("pcd", "cd"):
            raise ValueError(f"method is {self.method!r}: it is 'pcd' or 'cd'")
        if self.mode_use not in get_args(ModeUse):
            raise ValueError(f"mode_use is {self.mode_use!r}: it is one of {', '.join(map(repr, get_args(ModeUse)))}")
        if not 0 <= self.mode_probability <= 1:
            raise ValueError(f"mode_probability is {self.mode_probability!r}: it is from 0 to 1")

    def _train(self, v: Array) -> None:
        """Fits the machine to rows v."""
        self._check()
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1, size=4))
        seed = int(rng.integers(2**62))
        batch = min(self.batch_size, len(v))
        batches = -(-len(v) // batch)
        schedule = finder = None
        if self.mode_probability > 0:
            schedule = ModeSchedule(self.mode_probability, self.mode_slope, self.mode_offset)
            options = self.sampler_options
            if options is None:
                options = {"steps": MODE_STEPS} if self.sampler is None else {}
            finder = ModeFinder(self.sampler, options, seed)
        rates = self.learning_rate
        trainer = Trainer(
            Machine.random(v.mean(axis=0), self.n_components, rng),
            self.n_iter * batches,
            v[rng.integers(len(v), size=batch)],
            method=self.method,
            gibbs_steps=self.gibbs_steps,
            rates=rates if isinstance(rates, tuple) else (rates, rates),
            weight_decay=self.weight_decay,
            schedule=schedule,
            finder=finder,
            mode_use=self.mode_use,
            mode_factor=self.mode_factor,
            centred=self.centred,
            rows=len(v),
            pool_size=self.pool_size,
            rng=rng,
        )
        begin = clock.perf_counter()
        watched = 0.0
        for _ in range(self.n_iter):
            # Batches of as equal a size as can be, each row once.
            for rows in np.array_split(rng.permutation(len(v)), batches):
                part = v[rows]
                trainer.apply(trainer.machine.statistics(part), trainer.negative(part))
            if self.monitor is not None:
                # What watching takes is not training.
                now = clock.perf_counter()
                self.monitor(trainer.machine, trainer.done, now - begin - watched)
                watched += clock.perf_counter() - now
        self.machine_ = trainer.machine
        self.components_ = trainer.machine.weights.T
        self.intercept_hidden_ = trainer.machine.hidden
        self.intercept_visible_ = trainer.machine.visible
        self.base_ = Machine.random(v.mean(axis=0), 1, rng).visible
        self.n_iter_ = self.n_iter
        self.n_updates_ = trainer.done
        self.n_modes_ = trainer.modes
        self.fit_seconds_ = clock.perf_counter() - begin - watched
        self.mode_seconds_ = 0.0 if finder is None else finder.minimiser.seconds

    def log_partition(self) -> tuple[float, float]:
        """log Z and its standard error: 0 where the smaller layer is summed in full, else by annealed importance sampling."""
        check_is_fitted(self)
        if min(self.machine_.weights.shape) <= EXACT_UNITS_MAX:
            return self.machine_.log_partition(), 0.0
        return self.machine_.annealed_log_partition(self.base_, np.random.default_rng(0))

    def mode(self) -> tuple[Array, Array, float]:
        """Visible and hidden state of least energy, as far as the sampler finds it, and the energy."""
        check_is_fitted(self)
        found = ModeFinder(self.sampler, self.sampler_options or {}, 0).find(self.machine_)
        return found.v, found.h, found.energy


class ModeAssistedRBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Boltzmann):  # type: ignore[misc]
    """A restricted Boltzmann machine of zeros and ones, trained with samples of its joint mode beside contrastive divergence.

    Chips look for the joint mode of the machine and states near it in energy: the best states of a QUBO over all units. By
    default these go into a pool of hidden states between which the chains jump (`hysteron.ml.boltzmann.Pool`), so that
    they keep up with the machine at learning rates at which plain chains lose it. With ``mode_use="replace"`` an update is,
    with a probability that grows to `mode_probability`, made against the mode alone: the way of Manukian, Pei, Bearden and
    Di Ventra 2020, Communications Physics 3:105; see `hysteron.ml.ModeSchedule` and `hysteron.ml.boltzmann.mode_depth`.

    Args:
        n_components: Hidden units.
        method: ``"pcd"``, whose chains go on from update to update, or ``"cd"``, whose chains begin at the data.
        mode_probability: Largest probability that an update is one against the mode; 0 is plain CD or PCD. Of ``"jump"`` and
            ``"own"`` it only says whether it is 0.
        mode_slope, mode_offset: Of the schedule by which that probability grows.
        mode_use: What is done with modes: ``"jump"`` has the chains jump between many; ``"own"`` is its control, with states that
            the chains have been in and no search; ``"replace"``, the paper's way, makes an update against the mode instead
            of one against chains; ``"add"`` makes both at once; ``"seed"`` makes it the state of one of the chains, from where
            Gibbs sampling goes on; ``"weigh"`` gives it the weight that its free energy says it has beside the data's.
        mode_factor: What the learning rate of updates against the mode is multiplied by.
        pool_size: Hidden states of ``"jump"`` and ``"own"``. An update takes time and memory in proportion to it.
        learning_rate: Of all other updates; a pair is that of the first and of the last.
        gibbs_steps: Of each update of chains.
        batch_size: Rows of an update, and chains.
        n_iter: Passes over the data.
        weight_decay: Part of the weights taken away by an update, times the learning rate.
        centred: Whether steps go along the centred gradient (`hysteron.ml.boltzmann.Offsets`).
        threshold: A visible unit is on where X is greater. None: X holds probabilities of being on.
        sampler: Any dimod sampler for the mode. Unless given, a `hysteron.Sampler` of one thread with
            ``steps=MODE_STEPS``; one with ``network=`` books chips for every mode.
        sampler_options: Keyword arguments of every call of it.
        monitor: Called after each pass with the machine, updates so far and seconds of training so far.
        random_state: With an int, and without a time limit in `sampler_options`, a fit repeats exactly.

    Attributes:
        components_: Weights, hidden times visible, as `sklearn.neural_network.BernoulliRBM` has them.
        intercept_hidden_, intercept_visible_: Biases.
        machine_: The same as a `hysteron.ml.Machine`.
        n_updates_, n_modes_: Updates, and for how many of them modes were looked for.
        fit_seconds_, mode_seconds_: Time of training, and the part of it that the search for modes took.
    """

    def fit(self, X: Any, y: Any = None) -> ModeAssistedRBM:
        """Fits the machine to rows X (samples times features)."""
        self._train(self._visible(X, reset=True))
        return self

    def transform(self, X: Any) -> Array:
        """Probabilities of hidden units being on, for rows X."""
        check_is_fitted(self)
        v = self._visible(X, reset=False)
        # As scikit-learn's own: what comes in with single precision leaves with it.
        kind = np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
        return np.asarray(self.machine_.hidden_probabilities(v).astype(kind))

    def score_samples(self, X: Any) -> Array:
        """Log-likelihood (natural) of rows X: exact, or with an error that `log_partition` tells."""
        check_is_fitted(self)
        return -self.machine_.free_energy(self._visible(X, reset=False)) - self.log_partition()[0]

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of rows X."""
        return float(self.score_samples(X).mean())

    def gibbs(self, X: Any, steps: int = 1, random_state: Any = None) -> Array:
        """Visible states after `steps` of Gibbs sampling from rows X."""
        check_is_fitted(self)
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        return self.machine_.gibbs(self._visible(X, reset=False), steps, rng)

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class ModeAssistedRBMClassifier(ClassifierMixin, _Boltzmann):  # type: ignore[misc]
    """A classifier that is a mode-assisted Boltzmann machine over features and classes together.

    Classes are visible units beside the features, one for each; p(y | x) follows from free energies of x with each of them
    (Larochelle and Bengio 2008, "Classification using discriminative restricted Boltzmann machines", section 2, whose units
    of classes exclude each other during training, too; here they are plain units, so that the joint mode is one QUBO).

    Arguments are those of `ModeAssistedRBM`.
    """

    def fit(self, X: Any, y: Any) -> ModeAssistedRBMClassifier:
        """Fits the machine to rows X and their classes y."""
        X, y = validate_data(self, X, y, reset=True, dtype=(np.float64, np.float32))
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        features = self._visible(X, reset=False)
        self._train(np.hstack([features, np.eye(len(self.classes_))[codes]]))
        return self

    def predict_log_proba(self, X: Any) -> Array:
        """log p(y | x), rows times classes."""
        check_is_fitted(self)
        return class_log_probabilities(self.machine_, self._visible(X, reset=False))

    def predict_proba(self, X: Any) -> Array:
        """p(y | x), rows times classes."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> Any:
        """The likeliest class of each row."""
        check_is_fitted(self)
        return self.classes_[self.predict_log_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Of a few continuous features hardly anything is left behind the threshold, and scikit-learn's check has two.
        tags.classifier_tags.poor_score = True
        return tags


def class_log_probabilities(machine: Machine, features: Array) -> Array:
    """log p(y | x) of a machine whose last visible units are classes: -F(x, y) less the logarithm of their sum."""
    count = len(machine.visible) - features.shape[1]
    inputs = machine.hidden + features @ machine.weights[:-count]
    # The features' own biases are the same for every class.
    logs = np.stack(
        [
            bias + np.logaddexp(0.0, inputs + weights).sum(axis=1)
            for weights, bias in zip(machine.weights[-count:], machine.visible[-count:], strict=True)
        ],
        axis=1,
    )
    return np.asarray(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))
