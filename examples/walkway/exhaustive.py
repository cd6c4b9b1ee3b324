"""Every set of columns that holds, at a small size."""

from __future__ import annotations

import numpy as np

from compliance import Reduced


def sets_that_hold(conflicts: np.ndarray, columns: int) -> np.ndarray:
    """All sets of `columns` candidates without a conflict, in ascending order (sets, columns)."""
    free = np.triu(~conflicts, 1)
    sets = np.arange(len(conflicts))[:, None]
    for _ in range(columns - 1):
        # A set grows by every later candidate that conflicts with none of its own.
        open_ = np.logical_and.reduce([free[sets[:, place]] for place in range(sets.shape[1])])
        row, candidate = np.nonzero(open_)
        sets = np.column_stack([sets[row], candidate])
    return sets


def best(reduced: Reduced) -> tuple[float, np.ndarray, int]:
    """The least J, the set that has it, and how many sets there are."""
    sets = sets_that_hold(reduced.site.conflicts, reduced.site.columns)
    values = reduced.evaluate(sets)
    index = int(values.argmin())
    return float(values[index]), sets[index], len(sets)
