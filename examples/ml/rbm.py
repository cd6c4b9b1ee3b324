"""Mode-assisted training of Boltzmann machines against contrastive divergence: exact log-likelihoods at equal updates and equal time.

Bars and stripes of 4 x 4 pixels (all 30 pictures are the training set: the best log-likelihood is -log 30 = -3.401), and
scikit-learn's digits, 8 x 8 pixels, black where brighter than 7.5 of 16, a fifth held out. Machines of 16 hidden units,
whose partition function is summed in full.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from common import Report, arguments, axes, spread
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from hysteron.ml import ModeAssistedRBM, bars_and_stripes

HIDDEN = 16
METHODS: dict[str, dict[str, Any]] = {
    "CD-1": {"method": "cd", "mode_probability": 0.0},
    "PCD-1": {"method": "pcd", "mode_probability": 0.0},
    "mode-assisted CD-1": {"method": "cd", "mode_probability": 0.1},
    "mode-assisted PCD-1": {"method": "pcd", "mode_probability": 0.1},
}
# Rates of the first update; the last has a hundredth. Every method is tried with every rate, and its best one counts.
DATA: dict[str, dict[str, Any]] = {
    "bars and stripes": {"rates": (0.03, 0.1), "settings": {"batch_size": 30, "n_iter": 10_000}},
    "digits": {"rates": (0.4, 1.6), "settings": {"batch_size": 50, "n_iter": 100, "threshold": 7.5}},
}
POINTS = 40


def load(name: str, seed: int) -> tuple[Any, Any]:
    """Training and held-out rows; of bars and stripes, all of which are trained on, both are the same."""
    if name == "bars and stripes":
        return bars_and_stripes(4), bars_and_stripes(4)
    X, y = load_digits(return_X_y=True)
    return tuple(train_test_split(X, test_size=0.2, random_state=seed, stratify=y)[:2])


def fit(name: str, settings: dict[str, Any], rate: float, seed: int) -> dict[str, Any]:
    """Log-likelihoods of one training, and its curve."""
    train, test = load(name, seed)
    every = max(settings["n_iter"] // POINTS, 1)
    v = (train > settings.get("threshold", 0.5)).astype(float)
    curve: list[tuple[int, float, float]] = []
    passes = [0]

    def watch(machine: Any, updates: int, seconds: float) -> None:
        passes[0] += 1
        if passes[0] % every == 0:
            value = -machine.free_energy(v).mean() - machine.log_partition()
            curve.append((updates, round(seconds, 4), round(float(value), 4)))

    rbm = ModeAssistedRBM(HIDDEN, learning_rate=(rate, rate / 100), random_state=seed, monitor=watch, **settings)
    rbm.fit(train)
    return {
        "train": rbm.score(train),
        "test": rbm.score(test),
        "updates": rbm.n_updates_,
        "modes": rbm.n_modes_,
        "seconds": rbm.fit_seconds_,
        "mode_seconds": rbm.mode_seconds_,
        "curve": curve,
    }


def main() -> None:
    known = arguments(__doc__.splitlines()[0])
    report = Report("rbm", "Mode-assisted Boltzmann machines: log-likelihood", known)
    figure, panels = axes(2)
    for (name, data), panel in zip(DATA.items(), panels, strict=True):
        settings = dict(data["settings"])
        if known.quick:
            settings["n_iter"] //= 10
        seeds = range(known.seeds)
        runs: dict[tuple[str, float], list[dict[str, Any]]] = {}
        for seed in seeds:
            for rate in data["rates"]:
                for method, options in METHODS.items():
                    key = {"data": name, "method": method, "rate": rate, "seed": seed, "n_iter": settings["n_iter"]}
                    found = report.run(key, lambda: fit(name, {**settings, **options}, rate, seed))
                    runs.setdefault((method, rate), []).append(found)
        best = {m: max(data["rates"], key=lambda r: np.mean([x["train"] for x in runs[m, r]])) for m in METHODS}
        # Equal time: controls get as many more updates as the mode-assisted ones took longer.
        slowest = max(np.mean([x["seconds"] for x in runs[m, best[m]]]) for m in METHODS)
        for method in ("CD-1", "PCD-1"):
            own = float(np.mean([x["seconds"] for x in runs[method, best[method]]]))
            longer = int(np.ceil(settings["n_iter"] * slowest / own))
            if known.quick:
                longer = settings["n_iter"] * 3
            label = f"{method}, more updates"
            for seed in seeds:
                for rate in data["rates"]:
                    # The ratio of times differs from run to run; what was kept before counts.
                    key = {"data": name, "method": label, "rate": rate, "seed": seed}
                    options = {**settings, **METHODS[method], "n_iter": longer}
                    found = report.run(key, lambda: fit(name, options, rate, seed))
                    runs.setdefault((label, rate), []).append(found)
            best[label] = max(data["rates"], key=lambda r: np.mean([x["train"] for x in runs[label, r]]))
        report.text(f"## {name.capitalize()}")
        rows = []
        for method, chosen in best.items():
            for rate in data["rates"]:
                found = runs[method, rate]
                mean = {k: np.mean([x[k] for x in found]) for k in ("updates", "modes", "seconds", "mode_seconds")}
                mark = "**" if rate == chosen else ""
                rows.append(
                    [
                        method,
                        f"{rate:g}",
                        f"{mark}{spread([x['train'] for x in found])}{mark}",
                        "same" if name == "bars and stripes" else spread([x["test"] for x in found]),
                        f"{mean['updates']:.0f}",
                        f"{mean['modes']:.0f}",
                        f"{mean['seconds']:.1f}",
                        f"{mean['mode_seconds']:.1f}",
                    ]
                )
        header = ["method", "rate", "log-likelihood (nats)", "held out", "updates", "of them modes", "s", "of it modes"]
        report.table(header, rows)
        verdict(report, runs, best)
        for method in METHODS:
            curves = np.array([x["curve"] for x in runs[method, best[method]]])
            panel.plot(curves[0, :, 0], curves[:, :, 2].mean(axis=0), label=f"{method}, rate {best[method]:g}")
        panel.set(xlabel="updates", title=f"{name}, {HIDDEN} hidden units")
        last = max(c["curve"][-1][2] for m in METHODS for c in runs[m, best[m]])
        panel.set_ylim(last - (2.5 if name == "digits" else 1.2), last + 0.1)
    panels[0].axhline(-np.log(30), color="black", lw=0.8, ls="--")
    panels[0].set_ylabel("log-likelihood of the training set, nats")
    panels[1].legend(fontsize=7)
    report.figure(figure, "rbm", f"Mean over {known.seeds} seeds of the exact log-likelihood, each method at its best rate.")
    report.text(
        "Mean ± standard deviation over seeds; a seed is the machine's start, the order of the data and, of digits, the split. In "
        "bold each method's best rate. Seconds are of training alone, without the exact log-likelihoods."
    )
    report.finish()


def verdict(report: Report, runs: dict[tuple[str, float], list[dict[str, Any]]], best: dict[str, float]) -> None:
    """Each control against the better mode-assisted method, both at their best rates, seed by seed."""
    values = {m: np.array([x["train"] for x in runs[m, r]]) for m, r in best.items()}
    ours = max((m for m in best if m.startswith("mode")), key=lambda m: values[m].mean())
    lines = []
    for method in best:
        if method.startswith("mode"):
            continue
        gap = values[ours] - values[method]
        says = "above" if gap.mean() > 0 else "below"
        lines.append(f"- {says} {method} by {abs(gap.mean()):.3f} nats, better on {(gap > 0).sum()} of {len(gap)} seeds")
    report.text(f"{ours} is\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
