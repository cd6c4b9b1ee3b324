"""Federated training over ten parties with unlike data, some of which drop out, against training on all data in one place.

scikit-learn's digits, black and white, are dealt to ten parties so that each has few of some digits (shares of every class are
drawn from a Dirichlet distribution of 0.3). A machine over pixels and classes is trained by the parties' clipped and masked
sums and classifies by free energy: the accuracy is that of the federated model itself, on a fifth that nobody trained on.

In every round each party is away with probability 0.3: half of those never answer, the other half fall out after they have
agreed on masks, so that the others' pieces must recover the sum. All come back.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from common import Report, arguments, axes, spread
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from hysteron.ml import ModeSchedule
from hysteron.ml.federated import Federation, Identity, Party, Privacy, noise_for, train, train_centrally
from hysteron.ml.federated.secure import threshold
from hysteron.ml.rbm import class_log_probabilities

PARTIES = 10
HIDDEN = 64
AWAY = 0.3
#: Targets of epsilon at delta 1e-5.
EPSILONS = (8.0, 2.0)
POINTS = 25


def data(seed: int) -> tuple[Any, Any, Any, Any, Any]:
    """Rows of pixels and classes, whose party they are; held-out pixels and classes; and the training classes."""
    X, y = load_digits(return_X_y=True)
    X = (X > 7.5).astype(float)
    train_X, test_X, train_y, test_y = train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(PARTIES, 0.3), size=10)
    owner = np.array([rng.choice(PARTIES, p=shares[digit]) for digit in train_y])
    return np.hstack([train_X, np.eye(10)[train_y]]), owner, test_X, test_y, train_y


def accuracy(machine: Any, pixels: Any, classes: Any) -> float:
    """Of classes by free energy."""
    return float((class_log_probabilities(machine, pixels).argmax(axis=1) == classes).mean())


def away(seed: int, rounds: int) -> Any:
    """Who does not answer, by round, stage and party."""
    drawn = np.random.default_rng([seed, 1]).random((rounds + 1, PARTIES))

    def absent(number: int, stage: str, party: int) -> bool:
        chance = drawn[number, party]
        return bool(chance < AWAY / 2 or (chance < AWAY and stage in ("input", "unmask")))

    return absent


def settings(rounds: int, rows: int, **changes: Any) -> Federation:
    """What the parties agree on."""
    agreed: dict[str, Any] = {"rate": 0.2, "learning_rate": (1.0, 0.05), "schedule": ModeSchedule(), **changes}
    return Federation(64 + 10, HIDDEN, rounds, rows=rows, parties=PARTIES, **agreed)


def central(seed: int, rounds: int) -> dict[str, Any]:
    """The union's machine, with and without modes, and a logistic regression for scale."""
    rows, _, pixels, classes, train_y = data(seed)
    begin = time.process_time()
    with_modes = train_centrally(settings(rounds, len(rows)), rows, seed=seed)
    seconds = time.process_time() - begin
    without = train_centrally(settings(rounds, len(rows), schedule=None), rows, seed=seed)
    linear = LogisticRegression(max_iter=2000).fit(rows[:, :64], train_y).score(pixels, classes)
    return {
        "with": accuracy(with_modes, pixels, classes),
        "without": accuracy(without, pixels, classes),
        "linear": float(linear),
        "seconds": seconds,
    }


def federated(seed: int, rounds: int, drop: bool, epsilon: float | None) -> dict[str, Any]:
    """A training over parties."""
    rows, owner, pixels, classes, _ = data(seed)
    changes: dict[str, Any] = {}
    if epsilon is not None:
        # Few rounds of large batches, short rows, long steps: noise comes with every round and every parameter.
        rounds = rounds // 10
        changes = {"rate": 0.4, "clip": 8.0, "learning_rate": (3.0, 0.3)}
        changes["privacy"] = Privacy(noise_for(epsilon, 0.4, rounds, 1e-5), 1e-5)
    agreed = settings(rounds, len(rows), **changes)
    identities = [Identity.new() for _ in range(PARTIES)]
    roster = {number: identity.public for number, identity in enumerate(identities)}
    parties = [Party(n, rows[owner == n], identities[n], roster, seed) for n in range(PARTIES)]
    curve: list[tuple[int, float]] = []
    every = max(rounds // POINTS, 1)

    def watch(machine: Any, seen: Any) -> None:
        if seen.number % every == 0:
            curve.append((seen.number, accuracy(machine, pixels, classes)))

    begin = time.process_time()
    result = train(agreed, parties, absent=away(seed, rounds) if drop else None, seed=seed, monitor=watch)
    return {
        "accuracy": accuracy(result.machine, pixels, classes),
        "seconds": time.process_time() - begin,
        "lost": sum(r.is_lost for r in result.rounds),
        "answers": float(np.mean([r.answers for r in result.rounds])),
        "recovered": sum(r.answers < r.members and not r.is_lost for r in result.rounds),
        "modes": sum(r.is_mode for r in result.rounds),
        "epsilon": result.epsilon,
        "rounds": rounds,
        "curve": curve,
    }


def alone(seed: int, rounds: int) -> dict[str, Any]:
    """Each party by itself: the same updates on its own rows."""
    rows, owner, pixels, classes, _ = data(seed)
    found = []
    for number in range(PARTIES):
        own = rows[owner == number]
        machine = train_centrally(settings(rounds, len(own), schedule=None), own, seed=seed)
        found.append(accuracy(machine, pixels, classes))
    return {"mean": float(np.mean(found)), "best": max(found), "rows": np.bincount(owner, minlength=PARTIES).tolist()}


def main() -> None:
    known = arguments(__doc__.splitlines()[0], seeds=3)
    rounds = 100 if known.quick else 1000
    report = Report("federated", "Federated training of a mode-assisted Boltzmann machine", known)
    seeds = range(known.seeds)
    middle = [report.run({"what": "central", "rounds": rounds, "seed": s}, lambda: central(s, rounds)) for s in seeds]
    single = [report.run({"what": "alone", "rounds": rounds, "seed": s}, lambda: alone(s, rounds)) for s in seeds]
    variants = [("nobody drops out", False, None), ("30 % drop out", True, None)]
    variants += [(f"30 % drop out, epsilon {e:g}", True, e) for e in EPSILONS]
    base = 100 * np.array([m["with"] for m in middle])
    rows = [
        ["central, on the union", spread(base, 2), "", f"{rounds}", "", "", f"{np.mean([m['seconds'] for m in middle]):.1f}"],
        ["central, without modes", spread([100 * m["without"] for m in middle], 2), "", f"{rounds}", "", "", ""],
        ["central, logistic regression on pixels", spread([100 * m["linear"] for m in middle], 2), "", "", "", "", ""],
        ["a party alone, mean", spread([100 * m["mean"] for m in single], 2), "", f"{rounds}", "", "", ""],
        ["a party alone, best", spread([100 * m["best"] for m in single], 2), "", f"{rounds}", "", "", ""],
    ]
    figure, (panel,) = axes(1, (6.0, 4.0))
    for name, drop, epsilon in variants:
        runs = [
            report.run(
                {"what": "federated", "rounds": rounds, "drop": drop, "epsilon": epsilon, "seed": s},
                lambda: federated(s, rounds, drop, epsilon),
            )
            for s in seeds
        ]
        gap = 100 * np.array([r["accuracy"] for r in runs]) - base
        mean = {k: np.mean([r[k] for r in runs]) for k in ("lost", "answers", "recovered", "seconds", "rounds")}
        rows.append(
            [
                f"federated, {name}",
                spread([100 * r["accuracy"] for r in runs], 2),
                f"{gap.mean():+.2f} (worst {gap.min():+.2f})",
                f"{mean['rounds']:.0f}",
                f"{mean['answers']:.1f}",
                f"{mean['recovered']:.0f} / {mean['lost']:.0f}",
                f"{mean['seconds']:.1f}",
            ]
        )
        curve = np.array([r["curve"] for r in runs])
        panel.plot(curve[0, :, 0], 100 * curve[:, :, 1].mean(axis=0), label=f"federated, {name}")
    panel.axhline(base.mean(), color="black", ls="--", lw=0.8, label="central")
    panel.set(xlabel="rounds", ylabel="held-out accuracy, %")
    panel.legend(fontsize=7)
    header = ["training", "accuracy, %", "less central", "rounds", "answers a round", "rounds recovered / lost", "s"]
    report.table(header, rows)
    sizes = "; ".join(", ".join(map(str, m["rows"])) for m in single)
    report.text(
        f"Rows of the ten parties, by seed: {sizes}. All federated trainings go through Flower's client and server apps, in one process, "
        "with secure aggregation: X25519, Shamir pieces and masks of every party in every round. *Recovered* rounds had parties that fell "
        "out after masks were agreed on; *lost* ones had fewer than the threshold "
        f"(more than half of the members, {threshold(PARTIES)} of {PARTIES}) and changed nothing. "
        "Seconds are processor time of the whole training, of all parties and the server. "
        "Epsilon is at delta 1e-5 for one row added or removed, over all rounds (`hysteron.ml.federated.Privacy` says from whom); this "
        "script draws noise from its seed, so that it repeats, which private parties must not do."
    )
    report.figure(figure, "federated", "Held-out accuracy by round, mean over seeds.")
    report.finish()


if __name__ == "__main__":
    main()
