"""scikit-learn's own checks of every estimator of hysteron.ml."""

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import parametrize_with_checks

from hysteron import ml

# Small budgets: these checks fit hundreds of times, and ask for behaviour, not for quality.
ESTIMATORS = [
    ml.ModeAssistedRBM(4, n_iter=3, mode_probability=0.5, mode_slope=0, mode_offset=10, random_state=0),
    ml.ModeAssistedRBMClassifier(16, n_iter=30, threshold=0.0, random_state=0),
    ml.QuboSelector(sampler_options={"steps": 20}, random_state=0),
    ml.QuboSVC(n_rounds=8, sampler_options={"steps": 10}, random_state=0),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn(estimator, check):
    check(estimator)
