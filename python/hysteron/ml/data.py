"""Data sets that are made, not loaded."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt


def bars_and_stripes(side: int) -> npt.NDArray[np.float64]:
    """All pictures of `side` times `side` pixels whose rows, or whose columns, are each black or white, as rows of 0 and 1.

    2**(side + 1) - 2 of them, each once: the two pictures of one colour are bars and stripes alike (MacKay 2003,
    "Information Theory, Inference, and Learning Algorithms", section 43).
    """
    if not 1 <= side <= 16:
        raise ValueError(f"side is {side!r}: it is from 1 to 16")
    lines = np.array(list(itertools.product((0.0, 1.0), repeat=side)))
    bars = np.repeat(lines, side, axis=1)
    stripes = np.tile(lines, (1, side))
    return np.unique(np.concatenate([bars, stripes]), axis=0)
