"""Mode-assisted training of Boltzmann machines against contrastive divergence: exact log-likelihoods at equal updates and equal time.

Bars and stripes of 4 x 4 pixels (all 30 pictures are the training set: the best log-likelihood is -log 30 = -3.401), and
scikit-learn's digits, 8 x 8 pixels, black where brighter than 7.5 of 16, a fifth held out. Machines of 16 hidden units,
whose partition function is summed in full. Steps go along the plain gradient, as in the paper of mode-assisted training, or along
the centred one.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import Report, arguments, axes, spread
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from hysteron.ml import ModeAssistedRBM, bars_and_stripes

HIDDEN = 16
CONTROLS = ("CD-1", "PCD-1")
METHODS: dict[str, dict[str, Any]] = {
    "CD-1": {"method": "cd", "mode_probability": 0.0},
    "PCD-1": {"method": "pcd", "mode_probability": 0.0},
    "CD-1 with modes, the paper's way": {"method": "cd", "mode_use": "replace"},
    "PCD-1 with modes, the paper's way": {"method": "pcd", "mode_use": "replace"},
    "CD-1 with modes, weighed": {"method": "cd", "mode_use": "weigh"},
    "PCD-1 with modes, weighed": {"method": "pcd", "mode_use": "weigh"},
}
# Rates of the first update; the last has a hundredth. Every method is tried with every rate, and its best one counts.
DATA: dict[str, dict[str, Any]] = {
    "bars and stripes, plain gradient": {"rates": (0.05, 0.1), "batch_size": 30, "n_iter": 10_000, "centred": False},
    "bars and stripes, centred gradient": {"rates": (0.05, 0.1), "batch_size": 30, "n_iter": 10_000},
    "digits, centred gradient": {"rates": (0.8, 1.6), "batch_size": 50, "n_iter": 100, "threshold": 7.5},
}
POINTS = 20


def load(data: str, seed: int) -> tuple[Any, Any]:
    """Training and held-out rows; of bars and stripes, all of which are trained on, both are the same."""
    if data.startswith("bars"):
        return bars_and_stripes(4), bars_and_stripes(4)
    X, y = load_digits(return_X_y=True)
    return tuple(train_test_split(X, test_size=0.2, random_state=seed, stratify=y)[:2])


def fit(data: str, method: str, rate: float, seed: int, n_iter: int) -> dict[str, Any]:
    """Log-likelihoods of one training, and its curve."""
    train, test = load(data, seed)
    settings = {**DATA[data], **METHODS[method], "n_iter": n_iter}
    settings.pop("rates")
    every = max(n_iter // POINTS, 1)
    v = (train > settings.get("threshold", 0.5)).astype(float)
    curve: list[tuple[int, float, float]] = []
    passes, watched = [0], [0.0]
    # Processor time: it hardly depends on what else the machine does.
    begin = time.process_time()

    def watch(machine: Any, updates: int, _: float) -> None:
        passes[0] += 1
        if passes[0] % every == 0:
            now = time.process_time()
            value = -machine.free_energy(v).mean() - machine.log_partition()
            curve.append((updates, round(now - begin - watched[0], 3), round(float(value), 4)))
            watched[0] += time.process_time() - now

    rbm = ModeAssistedRBM(HIDDEN, learning_rate=(rate, rate / 100), random_state=seed, monitor=watch, **settings)
    rbm.fit(train)
    seconds = time.process_time() - begin - watched[0]
    return {
        "train": rbm.score(train),
        "test": rbm.score(test),
        "updates": rbm.n_updates_,
        "modes": rbm.n_modes_,
        "seconds": seconds,
        "curve": curve,
    }


def main() -> None:
    known = arguments(__doc__.splitlines()[0], seeds=3)
    report = Report("rbm", "Mode-assisted Boltzmann machines: log-likelihood", known)
    shrink = 10 if known.quick else 1
    seeds = range(known.seeds)

    def key(data: str, method: str, rate: float, seed: int, n_iter: int) -> dict[str, Any]:
        return {"data": data, "method": method, "rate": rate, "seed": seed, "n_iter": n_iter}

    keys = [
        key(data, method, rate, seed, settings["n_iter"] // shrink)
        for seed in seeds
        for data, settings in DATA.items()
        for rate in settings["rates"]
        for method in METHODS
    ]
    report.prepare(keys, fit, known.jobs)
    figure, panels = axes(len(DATA), (4.6, 3.6))
    for (data, settings), panel in zip(DATA.items(), panels, strict=True):
        n_iter, rates = settings["n_iter"] // shrink, settings["rates"]

        def of(method: str, rate: float, passes: int) -> list[dict[str, Any]]:
            return [report.run(k, lambda k=k: fit(**k)) for k in (key(data, method, rate, s, passes) for s in seeds)]

        runs = {(method, rate): of(method, rate, n_iter) for method in METHODS for rate in rates}
        best = {m: max(rates, key=lambda r: np.mean([x["train"] for x in runs[m, r]])) for m in METHODS}
        # Equal time: a control gets as many times the updates as the slowest method took longer, rounded up.
        slowest = max(np.mean([x["seconds"] for x in runs[m, best[m]]]) for m in METHODS)
        for method in CONTROLS:
            own = np.mean([x["seconds"] for x in runs[method, best[method]]])
            times = int(np.ceil(slowest / own))
            label = f"{method}, {times} times the updates"
            for rate in rates:
                runs[label, rate] = of(method, rate, n_iter * times)
            best[label] = max(rates, key=lambda r: np.mean([x["train"] for x in runs[label, r]]))
        report.text(f"## {data.capitalize()}")
        rows = []
        for (method, rate), found in runs.items():
            mean = {k: np.mean([x[k] for x in found]) for k in ("updates", "modes", "seconds")}
            mark = "**" if rate == best[method] else ""
            rows.append(
                [
                    method,
                    f"{rate:g}",
                    f"{mark}{spread([x['train'] for x in found])}{mark}",
                    "same" if data.startswith("bars") else spread([x["test"] for x in found]),
                    f"{mean['updates']:.0f}",
                    f"{mean['modes']:.0f}",
                    f"{mean['seconds']:.1f}",
                ]
            )
        header = ["method", "rate", "log-likelihood (nats)", "held out", "updates", "modes", "s"]
        report.table(header, rows)
        verdict(report, runs, best)
        for method in METHODS:
            curves = np.array([x["curve"] for x in runs[method, best[method]]])
            panel.plot(curves[0, :, 0], curves[:, :, 2].mean(axis=0), lw=1.2, label=f"{method}, {best[method]:g}")
        last = max(x["curve"][-1][2] for m in METHODS for x in runs[m, best[m]])
        panel.set(xlabel="updates", title=data, ylim=(last - 2.0, last + 0.15))
        panel.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.17))
    panels[0].set_ylabel("log-likelihood of the training set, nats")
    report.figure(figure, "rbm", f"Mean over {known.seeds} seeds of the exact log-likelihood, each method at its best rate.")
    report.text(
        "Mean ± standard deviation over seeds; a seed is the machine's start, the order of the data and, of digits, the split. In "
        "bold each method's best rate. Seconds are processor time of training alone, without the exact log-likelihoods. *The paper's way* makes an "
        "update against the mode instead of one against the chains; *weighed* keeps the chains and gives the mode the weight that "
        "its free energy says it has beside the data's (`hysteron.ml.boltzmann.Trainer.weight`), which is ours."
    )
    report.finish()


def verdict(report: Report, runs: dict[tuple[str, float], list[dict[str, Any]]], best: dict[str, float]) -> None:
    """Every method with modes against each control, all at their best rates, seed by seed."""
    values = {m: np.array([x["train"] for x in runs[m, r]]) for m, r in best.items()}
    controls = [method for method in best if "modes" not in method]
    rows = []
    for ours in (method for method in best if "modes" in method):
        gaps = [values[ours] - values[control] for control in controls]
        rows.append([ours, *(f"{gap.mean():+.3f} ({(gap > 0).sum()}/{len(gap)})" for gap in gaps)])
    report.text("Difference of log-likelihood at best rates, in nats (seeds on which it is positive):")
    report.table(["", *(f"against {control}" for control in controls)], rows)


if __name__ == "__main__":
    main()
