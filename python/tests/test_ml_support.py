"""Support vectors: the dual problem against libsvm's answer, held-out predictions, refusals."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.datasets import load_breast_cancer, make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hysteron.ml import QuboSVC


def dual(model, kernel, signs):
    alpha = np.zeros(len(signs))
    alpha[model.support_] = np.abs(model.dual_coef_[0])
    assert alpha.min() >= 0 and alpha.max() <= model.C * (1 + 1e-9)
    assert abs(alpha @ signs) < 1e-6 * max(alpha.sum(), 1)
    return alpha @ (kernel * np.outer(signs, signs)) @ alpha / 2 - alpha.sum()


@pytest.mark.parametrize("C", [0.5, 5.0])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly"])
def test_the_dual_objective_comes_near_that_of_libsvm(C, kernel):
    X, y = make_moons(40, noise=0.2, random_state=1)
    ours = QuboSVC(C=C, kernel=kernel, sampler_options={"steps": 50}, random_state=0).fit(X, y)
    theirs = SVC(C=C, kernel=kernel).fit(X, y)
    matrix, signs = ours._kernel(X, X), 2.0 * y - 1
    best = dual(theirs, matrix, signs)
    found = dual(ours, matrix, signs)
    assert found == pytest.approx(ours.dual_objective_)
    assert best - 1e-3 * abs(best) <= found <= best + 0.02 * abs(best)
    agreement = (ours.predict(X) == theirs.predict(X)).mean()
    assert agreement >= 0.95


def test_held_out_accuracy_is_that_of_scikit_learn():
    X, y = load_breast_cancer(return_X_y=True)
    train, test, y_train, y_test = train_test_split(X, y, train_size=60, random_state=0, stratify=y)
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    ours = QuboSVC(sampler_options={"steps": 20}, random_state=0).fit(train, y_train)
    theirs = SVC().fit(train, y_train)
    assert ours.score(test, y_test) >= theirs.score(test, y_test) - 0.01


def test_a_part_of_the_samples_at_a_time():
    X, y = make_moons(120, noise=0.25, random_state=3)
    ours = QuboSVC(working_set=30, n_rounds=60, sampler_options={"steps": 20}, random_state=0).fit(X, y)
    theirs = SVC().fit(X, y)
    signs = 2.0 * y - 1
    best = dual(theirs, ours._kernel(X, X), signs)
    assert ours.dual_objective_ <= best + 0.05 * abs(best)


def test_callable_kernels_and_names_of_classes():
    X, y = make_moons(30, noise=0.1, random_state=0)
    names = np.array(["lower", "upper"])[y]
    model = QuboSVC(kernel=lambda a, b: (a @ b.T + 1) ** 3, sampler_options={"steps": 20}, random_state=0).fit(X, names)
    assert model.score(X, names) > 0.9 and set(model.predict(X)) == {"lower", "upper"}


def test_refusals():
    X, y = make_moons(30, random_state=0)
    for bad in ({"C": 0}, {"n_bits": 0}, {"n_rounds": 0}, {"gamma": "narrow"}, {"working_set": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            QuboSVC(**bad).fit(X, y)
    with pytest.raises(ValueError, match="binary"):
        QuboSVC().fit(X, np.arange(30) % 3)
