"""The full model: a Kirchhoff plate of varying thickness on springs, in Morley's triangles (scikit-fem).

Weak form (Timoshenko and Woinowsky-Krieger, Theory of Plates and Shells, 1959, chapter 2 and 4): find w with

    integral of D [ (1 - nu) w,ij v,ij + nu w,kk v,ll ]  +  sum over springs of s (p w) (p v)  =  integral of q v,

D = E t^3 / (12 (1 - nu^2)). Edges are free. A spring holds the mean p of the deflection over a column's head. Morley's element (1968)
is quadratic in a triangle, with vertex values and normal slopes at edges' midpoints as unknowns; it converges for plates although it is
not conforming.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, diags
from scipy.sparse.linalg import SuperLU, splu
from skfem import Basis, BilinearForm, ElementTriMorley, LinearForm, MeshTri
from skfem.helpers import dd, ddot, trace

import roof

Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Plate:
    """Stiffness and loads of a plate.

    Args:
        points: Vertices (v, 2), m.
        triangles: Rows of three vertices (t, 3).
        thickness: Of the plate at x and y, m.
        young: Pa.
        poisson: Poisson's ratio.
    """

    def __init__(self, points: np.ndarray, triangles: np.ndarray, thickness: Field, young: float, poisson: float) -> None:
        self.mesh = MeshTri(np.ascontiguousarray(points.T), np.ascontiguousarray(triangles.T))
        self.basis = Basis(self.mesh, ElementTriMorley(), intorder=2)
        self.young = young
        self.poisson = poisson
        self._thickness = self._at_points(thickness)
        #: Area of each triangle (t,), m^2.
        self.areas = self.basis.dx.sum(axis=1)
        #: Unknowns that are the deflections of vertices (v,).
        self.vertex_unknowns = self.basis.nodal_dofs[0]

        @BilinearForm
        def bending(u, v, w):  # type: ignore[no-untyped-def]
            rigidity = young * w["t"] ** 3 / (12.0 * (1.0 - poisson**2))
            return rigidity * ((1.0 - poisson) * ddot(dd(u), dd(v)) + poisson * trace(dd(u)) * trace(dd(v)))

        self.stiffness: csr_matrix = bending.assemble(self.basis, t=self._thickness).tocsr()

    def _at_points(self, function: Field) -> np.ndarray:
        x = self.basis.global_coordinates()
        return function(np.asarray(x[0]), np.asarray(x[1]))

    def load(self, pressure: Field) -> np.ndarray:
        """Force vector (unknowns,) of a pressure in N/m^2, downwards positive."""

        @LinearForm
        def form(v, w):  # type: ignore[no-untyped-def]
            return w["q"] * v

        return form.assemble(self.basis, q=self._at_points(pressure))

    def weight(self, density: float) -> np.ndarray:
        """Force vector (unknowns,) of the plate's own weight; density in kg/m^3."""

        @LinearForm
        def form(v, w):  # type: ignore[no-untyped-def]
            return density * roof.GRAVITY_M_S2 * w["t"] * v

        return form.assemble(self.basis, t=self._thickness)

    def mass_kg(self, density: float) -> float:
        """Mass of the plate."""
        return float(density * (self.basis.dx * self._thickness).sum())

    def heads(self, vertices: np.ndarray, radius: float) -> csr_matrix:
        """Rows p (h, unknowns): means of the deflection about vertices, by a cone of `radius` over the vertices' areas."""
        lumped = np.zeros(self.mesh.nvertices)
        np.add.at(lumped, self.mesh.t, np.tile(self.areas / 3.0, (3, 1)))
        points = self.mesh.p.T
        rows, columns, values = [], [], []
        for row, vertex in enumerate(vertices):
            distance = np.linalg.norm(points - points[vertex], axis=1)
            near = np.flatnonzero(distance < radius)
            share = lumped[near] * (1.0 - distance[near] / radius)
            rows.append(np.full(len(near), row))
            columns.append(self.vertex_unknowns[near])
            values.append(share / share.sum())
        shape = (len(vertices), self.basis.N)
        return csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)

    def von_mises(self, deflection: np.ndarray) -> np.ndarray:
        """Greatest von Mises stress of each triangle (t,) at the surfaces, Pa: sigma = 6 M / t^2, plane stress."""
        curvature = dd(self.basis.interpolate(deflection)).mean(axis=-1)
        t = self._thickness.mean(axis=1)
        rigidity = self.young * t**3 / (12.0 * (1.0 - self.poisson**2))
        total = curvature[0, 0] + curvature[1, 1]
        moment = [
            rigidity * ((1.0 - self.poisson) * curvature[a, b] + (self.poisson * total if a == b else 0.0))
            for a, b in ((0, 0), (1, 1), (0, 1))
        ]
        xx, yy, xy = (6.0 * value / t**2 for value in moment)
        return np.sqrt(xx**2 - xx * yy + yy**2 + 3.0 * xy**2)


@dataclass(frozen=True)
class Answer:
    """What the full model says of a set of columns.

    Attributes:
        compliance: Weighted sum over the load cases of force times deflection, J.
        deflection_mm_max: Greatest deflection of any vertex in any case, up or down.
        stress_mpa_max: Greatest von Mises stress of any triangle in any case.
        deflections: Of the vertices, in m, one row a case (cases, v).
    """

    compliance: float
    deflection_mm_max: float
    stress_mpa_max: float
    deflections: np.ndarray


class Walkway:
    """The full model of a site."""

    def __init__(self, site: roof.Site) -> None:
        self.site = site
        self.plate = Plate(site.points, site.triangles, roof.thickness, roof.YOUNG_PA, roof.POISSON)
        self._weight = self.plate.weight(roof.DENSITY_KG_M3)[:, None]
        self._pressures = np.column_stack(
            [self.plate.load(lambda x, y, c=case: roof.pressure(c, x, y)) for case in range(len(roof.CASES))]
        )
        self.candidate_heads = self.plate.heads(site.candidates, roof.HEAD_RADIUS_M)
        corbels = self.plate.heads(site.corbels, roof.HEAD_RADIUS_M)
        self._corbels = roof.CORBEL_STIFFNESS_N_M * (corbels.T @ corbels)

    @property
    def mass_kg(self) -> float:
        """Mass of the roof."""
        return self.plate.mass_kg(roof.DENSITY_KG_M3)

    def loads(self, thickness_factor: float = 1.0) -> np.ndarray:
        """Forces, one column a load case (unknowns, cases). The factor scales the roof's thickness everywhere."""
        return thickness_factor * self._weight + self._pressures

    def factorised(self, chosen: np.ndarray, thickness_factor: float = 1.0) -> SuperLU:
        """The stiffness with columns at the candidates `chosen`, factorised. Positive definite thanks to the corbels."""
        chosen = np.asarray(chosen, dtype=np.int64)
        heads = self.candidate_heads[chosen]
        columns = heads.T @ diags(self.site.column_stiffness[chosen]) @ heads
        whole = thickness_factor**3 * self.plate.stiffness + self._corbels + columns
        # Positive definite: no pivoting, which would fill the factor.
        return splu(
            whole.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    def check(self, chosen: np.ndarray, thickness_factor: float = 1.0) -> Answer:
        """Solves all load cases with columns at `chosen`, by finite elements and nothing else."""
        loads = self.loads(thickness_factor)
        w = self.factorised(chosen, thickness_factor).solve(loads)
        compliance = float((roof.CASE_WEIGHTS * (loads * w).sum(axis=0)).sum())
        vertices = w[self.plate.vertex_unknowns].T
        # Stress is 6 M / t^2 with M proportional to t^3.
        stress = thickness_factor * max(self.plate.von_mises(w[:, case]).max() for case in range(w.shape[1]))
        return Answer(compliance, float(1e3 * np.abs(vertices).max()), float(1e-6 * stress), vertices)

    def lightest_kg(self, chosen: np.ndarray) -> float:
        """Mass of the thinnest roof, every thickness scaled alike, that keeps the limits on these columns; infinite if none does.

        Bisection to 0.2 % over factors from 0.4 to 4. Deflection and stress fall as the roof gets thicker, its weight included.
        """
        low, high = 0.4, 4.0
        if not self._keeps(chosen, high):
            return float("inf")
        while high / low > 1.002:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self._keeps(chosen, middle) else (middle, high)
        return high * self.mass_kg

    def _keeps(self, chosen: np.ndarray, thickness_factor: float) -> bool:
        answer = self.check(chosen, thickness_factor)
        return answer.deflection_mm_max <= roof.DEFLECTION_MM_MAX and answer.stress_mpa_max <= roof.STRESS_MPA_MAX
