"""The finite elements against closed solutions."""

import numpy as np
import pytest
from plate import Plate
from skfem import MeshTri, condense, solve

YOUNG, POISSON, THICKNESS, SIDE, PRESSURE = 30e9, 0.3, 0.2, 6.0, 5e3
RIGIDITY = YOUNG * THICKNESS**3 / (12 * (1 - POISSON**2))


def square(refinements: int) -> Plate:
    mesh = MeshTri.init_symmetric().refined(refinements)
    return Plate(SIDE * mesh.p.T, mesh.t.T, lambda x, y: np.full_like(x, THICKNESS), YOUNG, POISSON)


@pytest.mark.parametrize("supports, factor", [("simple", 0.00406), ("clamped", 0.001265)])
def test_deflection_of_a_square_plate(supports: str, factor: float) -> None:
    """Timoshenko and Woinowsky-Krieger, tables 8 and 35 (there 0.00126): w_max = factor q a^4 / D under uniform load."""
    plate = square(6)
    edge = plate.basis.get_dofs(plate.mesh.boundary_facets())
    held = edge.all("u") if supports == "simple" else edge.all()
    load = plate.load(lambda x, y: np.full_like(x, PRESSURE))
    w = solve(*condense(plate.stiffness, load, D=held))
    expected = factor * PRESSURE * SIDE**4 / RIGIDITY
    assert w[plate.vertex_unknowns].max() == pytest.approx(expected, rel=0.01)


def test_stress_of_a_square_plate() -> None:
    """Table 8: in the middle of a simply supported square plate Mx = My = 0.0479 q a^2, so von Mises' stress is 6 M / t^2."""
    plate = square(5)
    edge = plate.basis.get_dofs(plate.mesh.boundary_facets()).all("u")
    w = solve(*condense(plate.stiffness, plate.load(lambda x, y: np.full_like(x, PRESSURE)), D=edge))
    middle = np.linalg.norm(plate.mesh.p[:, plate.mesh.t].mean(axis=1) - SIDE / 2, axis=0) < 0.1 * SIDE
    stress = plate.von_mises(w)[middle].mean()
    assert stress == pytest.approx(6 * 0.0479 * PRESSURE * SIDE**2 / THICKNESS**2, rel=0.03)


def test_uniform_bending_is_exact() -> None:
    """The patch test: a quadratic deflection has no residual inside, on a mesh without symmetry."""
    generator = np.random.default_rng(3)
    mesh = MeshTri().refined(3)
    inside = mesh.interior_nodes()
    points = mesh.p.copy()
    points[:, inside] += 0.02 * generator.standard_normal((2, len(inside)))
    plate = Plate(points.T, mesh.t.T, lambda x, y: np.full_like(x, THICKNESS), YOUNG, POISSON)
    quadratic = plate.basis.project(lambda x: 0.3 * x[0] ** 2 - 0.2 * x[0] * x[1] + 0.5 * x[1] ** 2)
    edge = plate.basis.get_dofs(plate.mesh.boundary_facets()).all()
    free = np.setdiff1d(np.arange(plate.basis.N), edge)
    scale = np.abs(plate.stiffness).max() * np.abs(quadratic).max()
    assert np.abs((plate.stiffness @ quadratic)[free]).max() < 1e-10 * scale


def test_loads_and_weight_add_up() -> None:
    plate = square(3)
    total = plate.load(lambda x, y: np.full_like(x, PRESSURE))[plate.vertex_unknowns].sum()
    assert total == pytest.approx(PRESSURE * SIDE**2)
    assert plate.mass_kg(2500) == pytest.approx(2500 * THICKNESS * SIDE**2)


def test_columns_carry_all_of_the_load(walkway, reduced) -> None:
    """Equilibrium: forces in columns and corbels add up to the load, in every case."""
    import roof

    chosen = reduced.random_sets(1, np.random.default_rng(5))[0]
    loads = walkway.loads()
    w = walkway.factorised(chosen).solve(loads)
    forces = walkway.site.column_stiffness[chosen][:, None] * (walkway.candidate_heads[chosen] @ w)
    corbels = roof.CORBEL_STIFFNESS_N_M * (walkway.plate.heads(walkway.site.corbels, roof.HEAD_RADIUS_M) @ w)
    applied = loads[walkway.plate.vertex_unknowns].sum(axis=0)
    assert forces.sum(axis=0) + corbels.sum(axis=0) == pytest.approx(applied, rel=1e-8)
