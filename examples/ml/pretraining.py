"""Pre-training of a classifier with Boltzmann machines, against no pre-training and principal components, on scikit-learn's digits.

All images of the training set, without labels, train a machine of 64 hidden units; labels are known of some of them only. The
machine's hidden probabilities are features of a logistic regression, or its weights are the start of a network with one hidden
layer that is then trained with the labels. A fifth of the images is held out for the accuracy, and seen by nothing before.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from common import Report, arguments, axes, spread
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from hysteron.ml import ModeAssistedRBM

HIDDEN = 64
LABELS = (30, 100, 300, 1437)
MACHINES: dict[str, dict[str, Any]] = {
    "CD-1": {"method": "cd", "mode_probability": 0.0},
    "PCD-1": {"method": "pcd", "mode_probability": 0.0},
    "mode-assisted PCD-1": {"method": "pcd", "mode_use": "replace", "mode_probability": 0.1},
}


def network(images: Any, labels: Any, start: ModeAssistedRBM | None, seed: int) -> MLPClassifier:
    """A network of one hidden layer of logistic units, which begins at random or at a machine's weights."""
    settings = {"hidden_layer_sizes": (HIDDEN,), "activation": "logistic", "random_state": seed, "warm_start": True}
    model = MLPClassifier(max_iter=1, alpha=1e-3, learning_rate_init=3e-3, **settings)
    model.fit(images, labels)
    if start is not None:
        # The first pass above only made the network; its output layer is small and stays.
        model.coefs_[0] = start.components_.T.copy()
        model.intercepts_[0] = start.intercept_hidden_.copy()
    return model.set_params(max_iter=400).fit(images, labels)


def compare(seed: int, n_iter: int) -> dict[str, Any]:
    """Held-out accuracy by method and number of labels, and the time that the machines took."""
    X, y = load_digits(return_X_y=True)
    # Black and white for all, so that no method sees more than another.
    X = (X > 7.5).astype(float)
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)
    machines, seconds = {}, {}
    for name, options in MACHINES.items():
        machine = ModeAssistedRBM(
            HIDDEN, n_iter=n_iter, batch_size=50, learning_rate=(0.5, 0.02), random_state=seed, **options
        )
        machines[name] = machine.fit(train)
        seconds[name] = machine.fit_seconds_
    components = PCA(HIDDEN // 2, random_state=seed).fit(train)
    accuracy: dict[str, list[float]] = {}
    for count in LABELS:
        if count < len(train):
            part, _, labels, _ = train_test_split(train, y_train, train_size=count, random_state=seed, stratify=y_train)
        else:
            part, labels = train, y_train

        def regression(change: Any) -> float:
            model = LogisticRegression(max_iter=2000).fit(change(part), labels)
            return float(model.score(change(test), y_test))

        found = {
            "pixels, logistic regression": regression(lambda images: images),
            f"{HIDDEN // 2} principal components, logistic regression": regression(components.transform),
            "network, no pre-training": float(network(part, labels, None, seed).score(test, y_test)),
        }
        for name, machine in machines.items():
            found[f"{name} features, logistic regression"] = regression(machine.transform)
            found[f"network, pre-trained by {name}"] = float(network(part, labels, machine, seed).score(test, y_test))
        for name, value in found.items():
            accuracy.setdefault(name, []).append(value)
    return {"accuracy": accuracy, "seconds": seconds}


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    known = arguments(__doc__.splitlines()[0])
    n_iter = 10 if known.quick else 60
    report = Report("pretraining", "Pre-training on digits: held-out accuracy", known)
    runs = [report.run({"seed": s, "n_iter": n_iter}, lambda: compare(s, n_iter)) for s in range(known.seeds)]
    names = sorted(runs[0]["accuracy"], key=lambda name: ("logistic" not in name, "features" in name, "pre-trained" in name))
    values = {name: 100 * np.array([run["accuracy"][name] for run in runs]) for name in names}
    best = np.max([value.mean(axis=0) for value in values.values()], axis=0)
    rows = []
    for name in names:
        cells = [spread(values[name][:, i], 1) for i in range(len(LABELS))]
        marked = [f"**{c}**" if values[name][:, i].mean() == best[i] else c for i, c in enumerate(cells)]
        rows.append([name, *marked])
    report.table(["%", *(f"{count} labels" for count in LABELS)], rows)
    seconds = {name: np.mean([run["seconds"][name] for run in runs]) for name in MACHINES}
    report.text("Training of a machine: " + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()) + ".")
    lines = []
    ours = "network, pre-trained by mode-assisted PCD-1"
    against = ["network, no pre-training", "network, pre-trained by CD-1", "network, pre-trained by PCD-1"]
    for other in against:
        gaps = [values[ours][:, i] - values[other][:, i] for i in range(len(LABELS))]
        said = ", ".join(f"{gap.mean():+.1f} at {n} ({(gap > 0).sum()}/{len(gap)})" for gap, n in zip(gaps, LABELS, strict=True))
        lines.append(f"- against *{other}*: {said}")
    report.text(
        "Mode-assisted pre-training, difference of accuracy in points by number of labels, and on how many seeds it is positive:\n\n"
        + "\n".join(lines)
    )
    figure, (panel,) = axes(1, (6.0, 4.0))
    for name in names:
        if "principal" in name or "network" in name:
            panel.plot(LABELS, values[name].mean(axis=0), marker="o", label=name)
    panel.set(xscale="log", xlabel="labels", ylabel="held-out accuracy, %")
    panel.legend(fontsize=7)
    report.figure(figure, "pretraining", "Accuracy on held-out digits by number of labels, mean over seeds.")
    report.finish()


if __name__ == "__main__":
    main()
