"""Constrained quadratic models: a sampler whose samples hold."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Hashable
from typing import Any

import dimod
import numpy as np
import numpy.typing as npt

from hysteron import _native
from hysteron._search import Limits, Progress, Teller, check_count, search
from hysteron.sampler import READS_MAX, Arrays

# The part of the time that chips search the model with penalties in place of constraints.
CHIPS_PART = 0.3
# The least time of the annealer, for the repair of what chips found.
REPAIR_TIME_S = 0.1
# Larger models are not turned into penalties: that takes dimod longer than it helps.
CHIPS_TERMS_MAX = 20_000
# The widest range of an integer variable.
RANGE_MAX = 2**53


class _Model:
    """A constrained model as arrays. A spin is an integer of 0 and 1, and where it stands is `2 x - 1`."""

    def __init__(self, cqm: dimod.ConstrainedQuadraticModel) -> None:
        self.cqm = cqm
        self.labels: list[Hashable] = list(cqm.variables)
        self.place = {label: index for index, label in enumerate(self.labels)}
        self.spins = np.zeros(len(self.labels), dtype=bool)
        lower, upper = [], []
        for index, label in enumerate(self.labels):
            low, high, spin = self._bounds(label)
            lower.append(low)
            upper.append(high)
            self.spins[index] = spin
        self.lower = np.array(lower, dtype=np.int64)
        self.upper = np.array(upper, dtype=np.int64)
        places, linear, rows, columns, biases, _ = self._form(cqm.objective)
        whole = np.zeros(len(self.labels))
        np.add.at(whole, places, linear)
        self.native = _native.Constrained(self.lower, self.upper, whole, places[rows], places[columns], biases)
        self.elements = len(biases)
        #: Whether penalties with whole slacks can stand for all constraints.
        self.penalisable = True
        for name in cqm.constraints:
            self._add(name)

    def _bounds(self, label: Hashable) -> tuple[int, int, bool]:
        vartype = self.cqm.vartype(label)
        if vartype is dimod.REAL:
            raise ValueError(f"the variable {label!r} is real: CQMSampler takes binaries, spins and integers")
        if vartype is not dimod.INTEGER:
            return 0, 1, vartype is dimod.SPIN
        low, high = math.ceil(self.cqm.lower_bound(label)), math.floor(self.cqm.upper_bound(label))
        if low > high:
            raise ValueError(f"the variable {label!r} has no integer between its bounds")
        return max(low, -RANGE_MAX), min(high, RANGE_MAX), False

    def _form(self, model: Any) -> tuple[Any, ...]:
        """Places of the variables, their linear biases, pairs by position among them, and the constant, spins replaced."""
        variables = list(model.variables)
        at = {label: index for index, label in enumerate(variables)}
        places = np.array([self.place[label] for label in variables], dtype=np.int64)
        linear = np.array([model.get_linear(label) for label in variables], dtype=np.float64)
        pairs = [(at[u], at[v], float(bias)) for u, v, bias in model.iter_quadratic()]
        rows = np.array([pair[0] for pair in pairs], dtype=np.int64)
        columns = np.array([pair[1] for pair in pairs], dtype=np.int64)
        biases = np.array([pair[2] for pair in pairs], dtype=np.float64)
        if not (np.isfinite(linear).all() and np.isfinite(biases).all()):
            raise ValueError("a bias is no finite number")
        constant = float(model.offset)
        spin = self.spins[places]
        if spin.any():
            # s = 2 x - 1, variable by variable; a spin's square is 1 and does not occur.
            constant -= linear[spin].sum()
            linear = np.where(spin, 2 * linear, linear)
            first, second = spin[rows], spin[columns]
            np.add.at(linear, rows, np.where(second, -biases * np.where(first, 2, 1), 0))
            np.add.at(linear, columns, np.where(first, -biases * np.where(second, 2, 1), 0))
            constant += biases[first & second].sum()
            biases = biases * np.where(first, 2, 1) * np.where(second, 2, 1)
        return places, linear, rows, columns, biases, constant

    def _add(self, name: Hashable) -> None:
        comparison = self.cqm.constraints[name]
        places, linear, rows, columns, biases, constant = self._form(comparison.lhs)
        right = float(comparison.rhs) - constant
        sense = comparison.sense.value
        whole = sense == "==" or bool((linear == np.round(linear)).all())
        self.penalisable = self.penalisable and len(biases) == 0 and whole
        if sense == ">=":
            linear, biases, right, sense = -linear, -biases, -right, "<="
        lhs = comparison.lhs
        weight = float(lhs.weight()) if lhs.is_soft() else None
        squared = weight is not None and lhs.penalty() == "quadratic"
        self.native.add(
            places, linear, rows, columns, biases, sense=sense, right=right, weight=weight, squared=squared
        )
        self.elements += len(linear) + len(biases)

    def rows(self, samples: Any) -> npt.NDArray[np.int64]:
        """Samples as rows of integers in the order of the variables."""
        array, labels = dimod.as_samples(samples)
        at = {label: index for index, label in enumerate(labels)}
        missing = [label for label in self.labels if label not in at]
        if missing:
            raise ValueError(f"initial_states lack the variable {missing[0]!r}")
        ordered = np.asarray(array)[:, [at[label] for label in self.labels]].astype(np.int64)
        ordered[:, self.spins] = ordered[:, self.spins] > 0
        return np.ascontiguousarray(ordered)

    def values(self, states: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of integers as dimod's values."""
        return np.where(self.spins, 2 * states - 1, states)


class CQMSampler:
    """Searches constrained quadratic models over binaries, spins and integers for feasible samples of least energy.

    Chips search the model with penalties in place of linear constraints; an annealer that knows the constraints goes on
    from there and alone where penalties do not fit. Every sample that holds is better than every one that does not.

    Args:
        threads: Threads of a search; all cores this process may use unless given.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        Limits(threads=threads)
        self._threads = threads

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Keyword arguments of `sample_cqm`."""
        return {name: [] for name in "num_reads time runs seed target threads initial_states progress".split()}

    @property
    def properties(self) -> dict[str, Any]:
        """What is known of the sampler."""
        return {"version": _native.__version__, "threads": self._threads, "num_reads_max": READS_MAX}

    def sample_cqm(
        self,
        cqm: dimod.ConstrainedQuadraticModel,
        *,
        num_reads: int = 1,
        time: float | None = None,
        runs: int | None = None,
        seed: int | None = None,
        target: float | None = None,
        threads: int | None = None,
        initial_states: Any = None,
        progress: bool | Progress = False,
    ) -> dimod.SampleSet:
        """Samples of least energy that hold, all distinct; fewer than asked for where fewer were found.

        Args:
            cqm: The model. Real variables are refused; integers may be bounded as widely as dimod allows, but ranges of
                a few thousand are what the search is made for. Soft constraints cost what dimod says.
            num_reads: Most samples.
            time: Seconds, all of them used unless `target` is reached; as for `hysteron.Sampler` unless given.
            runs: Limit of annealing runs a thread. With ``threads=1``, `seed` and without `time` a call repeats.
            seed: From 0 to 2**64 - 1; random unless given, and always in ``info``.
            target: Stop as soon as a feasible sample has an energy this low.
            threads: Instead of the sampler's.
            initial_states: Samples to begin with; the answer is never worse.
            progress: True for a tqdm bar, or a function of seconds, best feasible energy and 0.

        Returns:
            A sample set of `dimod.SampleSet.from_samples_cqm` with its fields ``is_feasible`` and ``is_satisfied``, the
            feasible first. If nothing feasible was found it holds the one sample that breaks least, and
            ``info["status"]`` is "unknown" instead of "feasible".

        Raises:
            ValueError: An argument, a real variable, or a bias that is no number.
        """
        begin = clock.perf_counter()
        check_count("num_reads", num_reads, most=READS_MAX)
        check_count("runs", runs)
        # Runs are this sampler's steps: a limit of them leaves the time open.
        limits = Limits(time, runs, seed, self._threads if threads is None else threads)
        if target is not None and not math.isfinite(target):
            raise ValueError(f"target is {target!r}: it is a finite energy")
        model = _Model(cqm)
        limits = limits.filled(len(model.labels), model.elements)
        assert limits.seed is not None and limits.threads is not None
        offset = float(cqm.objective.offset) + _spin_offset(cqm, model)
        starts = [] if initial_states is None else [model.rows(initial_states)]
        from_chips, chips_info = self._chips(model, limits, num_reads)
        starts.extend(from_chips)
        left = None if limits.time is None else max(limits.time - (clock.perf_counter() - begin), REPAIR_TIME_S)
        if chips_info.get("interrupted", False):
            # Ctrl-C came while chips searched: what they have is repaired, no more.
            left = REPAIR_TIME_S
        with Teller(_shifted(progress, offset), left, 1.0, 0.0) as teller:
            found = model.native.solve(
                time=left,
                runs=runs,
                seed=limits.seed,
                threads=limits.threads,
                reads=num_reads,
                starts=np.concatenate(starts) if starts else np.zeros((0, len(model.labels)), dtype=np.int64),
                target=None if target is None else target - offset,
                progress=teller.plain,
            )
        interrupted = found["interrupted"] or chips_info.get("interrupted", False)
        states = model.values(found["states"])
        feasible = [index for index, score in enumerate(found["scores"]) if score[0] == 0]
        states = states[feasible] if feasible else states[:1]
        samples = dimod.SampleSet.from_samples_cqm((states, model.labels), cqm)
        samples.info.update(
            status="feasible" if len(samples) and samples.record.is_feasible.any() else "unknown",
            seed=limits.seed,
            threads=limits.threads,
            chips=chips_info,
            interrupted=interrupted,
            version=_native.__version__,
            timing={"search_s": found["search_s"], "total_s": clock.perf_counter() - begin},
        )
        return samples

    @staticmethod
    def _chips(model: _Model, limits: Limits, reads: int) -> tuple[list[npt.NDArray[np.int64]], dict[str, Any]]:
        """States that chips found under penalties, where the model can be turned into penalties."""
        cqm = model.cqm
        if not model.penalisable or not 0 < model.elements <= CHIPS_TERMS_MAX or not cqm.constraints:
            return [], {"used": False}
        try:
            bqm, invert = dimod.cqm_to_bqm(cqm)
            arrays = Arrays(bqm)
            problem = arrays.problem("auto")
        except (ValueError, OverflowError, TypeError):
            # Coefficients that no slack of integers fits: the annealer does without.
            return [], {"used": False}
        part = Limits(
            None if limits.time is None else limits.time * CHIPS_PART,
            None if limits.time is not None else 1000,
            limits.seed,
            limits.threads,
        )
        found = search(problem, part, reads=min(reads, 16))
        samples = found["samples"].astype(np.int8)
        if arrays.spins:
            samples = 2 * samples - 1
        states = [model.rows(invert(dict(zip(arrays.labels, row.tolist(), strict=True)))) for row in samples]
        return states, {"used": True, "source": found["source"], "ecu": found["ecu"], "interrupted": found["interrupted"]}


def _spin_offset(cqm: dimod.ConstrainedQuadraticModel, model: _Model) -> float:
    """What the objective gains by writing spins as 2 x - 1."""
    return float(model._form(cqm.objective)[5]) - float(cqm.objective.offset)


def _shifted(progress: bool | Progress, offset: float) -> bool | Progress:
    if not callable(progress):
        return progress
    tell = progress
    return lambda elapsed, best, ecu: tell(elapsed, None if best is None else best + offset, ecu)
