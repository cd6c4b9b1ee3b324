"""Small sites that tests share."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest

pytest.importorskip("skfem", reason="the walkway's tests need scikit-fem: pip install -r examples/walkway/requirements.txt")

import roof
from compliance import Reduced
from plate import Walkway


@pytest.fixture(scope="session")
def walkway() -> Walkway:
    """A coarse mesh with some hundred candidates and eight columns."""
    return Walkway(roof.site(spacing_m=0.8, stride=2, columns=8))


@pytest.fixture(scope="session")
def reduced(walkway: Walkway) -> Reduced:
    return Reduced.of(walkway)
