"""What the estimators share: a sampler of QUBOs given as arrays, with the best sample as an array."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from typing import Any

import dimod
import numpy as np
import numpy.typing as npt

from hysteron.sampler import Sampler

Array = npt.NDArray[np.float64]


class Minimiser:
    """Minimises quadratic functions of zeros and ones with a dimod sampler, and says how long that took.

    Args:
        sampler: Any dimod sampler; a `hysteron.Sampler` of one thread unless given.
        options: Keyword arguments of every call of its `sample`. ``scale="auto"`` is added where the sampler knows it,
            since biases that were trained are no integers.
        seed: Of the first call; each next one gets the next. Given to samplers that know `seed`.
    """

    def __init__(self, sampler: Any, options: Mapping[str, Any], seed: int) -> None:
        self._sampler = Sampler(threads=1) if sampler is None else sampler
        known = self._sampler.parameters
        self._options = dict(options)
        if "scale" in known:
            self._options.setdefault("scale", "auto")
        self._seed = seed if "seed" in known and "seed" not in options else None
        # A node of the network begins from nothing, so that only our own local sampler is given states to begin with.
        self._starts = sampler is None
        self.calls = 0
        self.seconds = 0.0

    def minimise(
        self,
        linear: Array,
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        biases: Array,
        start: npt.NDArray[np.int8] | None = None,
    ) -> npt.NDArray[np.int8]:
        """The best sample found, zeros and ones in the order of `linear`; at least as good as `start` where that is used.

        Raises:
            RuntimeError: The sampler gave no sample, as one of the network may that ran out of time.
        """
        best: npt.NDArray[np.int8] = self.lowest(linear, rows, columns, biases, start)[0]
        return best

    def lowest(
        self,
        linear: Array,
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        biases: Array,
        start: npt.NDArray[np.int8] | None = None,
        reads: int | None = None,
    ) -> npt.NDArray[np.int8]:
        """As `minimise`, up to `reads` samples as rows, the best first; all that came where `reads` is None."""
        begin = clock.perf_counter()
        model = dimod.BinaryQuadraticModel.from_numpy_vectors(linear, (rows, columns, biases), 0.0, "BINARY")
        # Variables that no product mentions must be there too.
        for missing in range(model.num_variables, len(linear)):
            model.add_variable(missing, linear[missing])
        options = dict(self._options)
        if reads is not None and "num_reads" in self._sampler.parameters:
            options["num_reads"] = reads
        if self._seed is not None:
            options["seed"] = (self._seed + self.calls) % 2**63
        if self._starts and start is not None:
            options["initial_states"] = (start[None, :], range(len(linear)))
        samples = self._sampler.sample(model, **options)
        if not len(samples):
            raise RuntimeError("the sampler came back without a sample")
        order = np.argsort(samples.record.energy, kind="stable")[:reads]
        found = np.empty((len(order), len(linear)), dtype=np.int8)
        found[:, np.asarray(samples.variables, dtype=np.int64)] = samples.record.sample[order]
        self.calls += 1
        self.seconds += clock.perf_counter() - begin
        return found
