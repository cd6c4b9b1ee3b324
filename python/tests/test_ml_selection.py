"""Feature selection: mutual information, the objective, exactness on small cases."""

import itertools

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.datasets import make_classification
from sklearn.metrics import mutual_info_score

from hysteron.ml import QuboSelector
from hysteron.ml.selection import greedy, mutual_information, objective


def test_mutual_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    codes, target = rng.integers(0, 4, (200, 5)), rng.integers(0, 3, 200)
    codes[:, 3] = (codes[:, 0] + target) % 4
    relevance, redundancy = mutual_information(codes, target)
    for i in range(5):
        assert relevance[i] == pytest.approx(mutual_info_score(codes[:, i], target), abs=1e-12)
        for j in range(5):
            expected = 0 if i == j else mutual_info_score(codes[:, i], codes[:, j])
            assert redundancy[i, j] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [1, 3, 5, 11])
def test_the_best_set_is_found(seed, count):
    X, y = make_classification(200, 12, n_informative=4, n_redundant=4, random_state=seed)
    selector = QuboSelector(count, random_state=seed).fit(X, y)
    sets = []
    for chosen in itertools.combinations(range(12), count):
        mask = np.zeros(12, dtype=bool)
        mask[list(chosen)] = True
        sets.append(objective(mask, selector.relevance_, selector.redundancy_))
    assert selector.support_.sum() == count
    assert selector.objective_ == pytest.approx(max(sets), abs=1e-5)
    assert selector.transform(X).shape == (200, count)


def test_a_copy_is_not_chosen_twice():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 400)
    strong, weak = y + rng.normal(0, 0.4, 400), y + rng.normal(0, 0.8, 400)
    X = np.column_stack([strong, strong, strong, weak, rng.normal(size=400)])
    chosen = QuboSelector(2, random_state=0).fit(X, y).get_support(indices=True)
    assert 3 in chosen and len(set(chosen) & {0, 1, 2}) == 1


def test_wrong_counts_of_a_bad_sampler_are_repaired():
    import dimod

    X, y = make_classification(100, 8, random_state=0)
    random_sampler = dimod.RandomSampler()
    for count in (2, 5):
        selector = QuboSelector(count, sampler=random_sampler, sampler_options={"num_reads": 1}).fit(X, y)
        assert selector.support_.sum() == count


def test_it_is_at_least_as_good_as_greedy_selection():
    X, y = make_classification(300, 60, n_informative=8, n_redundant=20, random_state=2)
    selector = QuboSelector(10, random_state=0).fit(X, y)
    mask = np.zeros(60, dtype=bool)
    mask[greedy(10, selector.relevance_, selector.redundancy_)] = True
    assert selector.objective_ >= objective(mask, selector.relevance_, selector.redundancy_) - 1e-6


def test_continuous_targets_and_refusals():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = X[:, 4] + 0.3 * rng.normal(size=300)
    assert QuboSelector(1, random_state=0).fit(X, y).get_support(indices=True).tolist() == [4]
    for bad in ({"n_features_to_select": 7}, {"n_features_to_select": 0}, {"n_bins": 1}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            QuboSelector(**bad).fit(X, y)
