"""The walkway: outline, path, heights, thickness, loads, mesh, and where columns may stand.

All lengths in metres, forces in newtons. The roof is 60 m long and joins two buildings that carry it on two corbels each; it is as
wide as the outline's spline says and has no symmetry. The path winds below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from matplotlib.path import Path
from scipy.interpolate import CubicSpline
from scipy.spatial import Delaunay, cKDTree

#: Corners of the outline's spline, anticlockwise.
OUTLINE_M = np.array(
    [
        (0.0, 2.0), (8.0, -0.6), (18.0, 0.5), (28.0, 4.0), (38.0, 2.6), (48.0, 0.2), (57.0, 1.6), (60.0, 5.5),
        (52.5, 12.6), (42.0, 15.6), (31.0, 17.2), (20.0, 13.2), (10.0, 12.4), (2.0, 11.2), (-1.0, 6.5),
    ]
)  # fmt: skip
#: Corners of the centre line of the path.
PATH_M = np.array([(-2.0, 6.6), (9.0, 5.0), (20.0, 6.4), (30.0, 10.4), (40.0, 9.2), (50.0, 5.6), (61.0, 5.4)])
#: No column nearer to the centre line: half of a path 3.5 m wide and a clearance.
PATH_CLEARANCE_M = 2.0
#: Other places without columns: a tree and a culvert, as (x, y, radius).
OBSTACLES_M = np.array([(24.5, 10.6, 1.6), (44.0, 3.4, 1.5)])
#: No column nearer to the edge.
EDGE_CLEARANCE_M = 0.7
#: Where the buildings carry the roof.
CORBELS_M = np.array([(0.4, 3.6), (0.2, 9.2), (58.0, 3.4), (57.8, 7.6)])

# Ultra-high-performance fibre concrete, and steel tubes 168.3 x 8.
YOUNG_PA = 45e9
POISSON = 0.2
DENSITY_KG_M3 = 2500.0
GRAVITY_M_S2 = 9.81
COLUMN_YOUNG_PA = 210e9
COLUMN_AREA_M2 = 4.03e-3
COLUMN_DENSITY_KG_M3 = 7850.0
CORBEL_STIFFNESS_N_M = 1e9
#: A column's head is a cone: it holds the roof by a mean over this radius, not in a point.
HEAD_RADIUS_M = 0.75
THICKNESS_EDGE_M = 0.09
THICKNESS_SPINE_M = 0.15
#: Limits that the lightest roof keeps in every load case.
DEFLECTION_MM_MAX = 10.0
STRESS_MPA_MAX = 10.0

CASES = ("snow everywhere", "snow drifted to the north", "snow on the western half", "wind from the south", "wind lifts the east")
#: How much each load case counts in the compliance.
CASE_WEIGHTS = np.array([0.35, 0.2, 0.15, 0.15, 0.15])


def _closed(corners: np.ndarray, points: int) -> np.ndarray:
    """Points on the periodic cubic spline through `corners` (c, 2), about evenly spaced, as (points, 2)."""
    ring = np.vstack([corners, corners[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    spline = CubicSpline(along, ring, bc_type="periodic")
    fine = spline(np.linspace(0.0, along[-1], 4001))
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    even = np.linspace(0.0, length[-1], points, endpoint=False)
    return np.column_stack([np.interp(even, length, fine[:, axis]) for axis in (0, 1)])


def outline(spacing_m: float = 0.1) -> np.ndarray:
    """The roof's edge as a ring of points (p, 2)."""
    rough = _closed(OUTLINE_M, 500)
    length = np.linalg.norm(np.roll(rough, -1, axis=0) - rough, axis=1).sum()
    return _closed(OUTLINE_M, max(int(round(length / spacing_m)), 16))


def path_line(points: int = 600) -> np.ndarray:
    """The path's centre line (points, 2)."""
    spline = CubicSpline(PATH_M[:, 0], PATH_M[:, 1])
    x = np.linspace(PATH_M[0, 0], PATH_M[-1, 0], points)
    return np.column_stack([x, spline(x)])


_EDGE_TREE = cKDTree(outline())
_PATH_TREE = cKDTree(path_line())


def edge_distance(points: np.ndarray) -> np.ndarray:
    """Distance (p,) of points (p, 2) to the edge."""
    return _EDGE_TREE.query(points)[0]


def thickness(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Thickness of the roof in metres: thin at the edge, full from 3 m inwards."""
    distance = edge_distance(np.stack([x, y], axis=-1).reshape(-1, 2)).reshape(np.shape(x))
    share = np.clip(distance / 3.0, 0.0, 1.0)
    return THICKNESS_EDGE_M + (THICKNESS_SPINE_M - THICKNESS_EDGE_M) * share * (2.0 - share)


def height(points: np.ndarray) -> np.ndarray:
    """Height (p,) of the roof over ground at points (p, 2): two gentle crests. It is the length of a column there."""
    x, y = points[:, 0], points[:, 1]
    return 3.4 + 0.9 * np.exp(-(((x - 15.0) / 9.0) ** 2)) + 1.3 * np.exp(-(((x - 38.0) / 10.0) ** 2)) + 0.03 * (y - 7.0)


def pressure(case: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What lies or pulls on the roof beside its weight, in N/m^2, downwards positive.

    Magnitudes are those of a snowy town in the foothills (1.5 kN/m^2 on the roof) and a gust of 0.8 kN/m^2; they follow no code to
    the letter.
    """
    if case == 0:
        return np.full_like(x, 1500.0)
    if case == 1:
        return 750.0 + 1800.0 * np.clip((y - 4.0) / 12.0, 0.0, 1.0)
    if case == 2:
        return 1500.0 / (1.0 + np.exp((x - 29.0) / 1.5))
    if case == 3:
        return 800.0 * np.cos(np.pi * np.clip((y + 1.0) / 18.0, 0.0, 1.0))
    return -1100.0 / (1.0 + np.exp(-(x - 36.0) / 2.0))


def may_stand(points: np.ndarray) -> np.ndarray:
    """Whether a column may stand at each of points (p, 2)."""
    inside = Path(outline()).contains_points(points) & (edge_distance(points) >= EDGE_CLEARANCE_M)
    free = _PATH_TREE.query(points)[0] >= PATH_CLEARANCE_M
    for x, y, radius in OBSTACLES_M:
        free &= np.hypot(points[:, 0] - x, points[:, 1] - y) >= radius
    return inside & free


@dataclass(frozen=True)
class Site:
    """A triangulated roof and its candidates.

    Attributes:
        points: Vertices of the mesh (v, 2).
        triangles: Rows of three vertices (t, 3).
        candidates: Vertices under which a column may stand (n,).
        corbels: Vertices that the buildings carry.
        columns: How many columns are to be placed.
        distance_min_m: Least distance between two columns.
    """

    points: np.ndarray
    triangles: np.ndarray
    candidates: np.ndarray
    corbels: np.ndarray
    columns: int
    distance_min_m: float
    positions: np.ndarray = field(init=False)
    #: Pairs of candidates that are too near to each other (n, n); a candidate conflicts with itself.
    conflicts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        positions = self.points[self.candidates]
        apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "conflicts", apart < self.distance_min_m - 1e-9)

    @property
    def column_stiffness(self) -> np.ndarray:
        """E A / length of a column at each candidate (n,), N/m."""
        return COLUMN_YOUNG_PA * COLUMN_AREA_M2 / height(self.positions)

    def column_mass_kg(self, chosen: np.ndarray) -> float:
        """Mass of the columns at the candidates `chosen`."""
        return float(COLUMN_DENSITY_KG_M3 * COLUMN_AREA_M2 * height(self.positions[chosen]).sum())


def triangulate(spacing_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mesh of the outline: points on a hexagonal lattice inside, evenly spaced points on the edge, Delaunay between them.

    Returns:
        Vertices (v, 2), triangles (t, 3), and for each vertex its lattice coordinates (v, 2), with a row of -1000 on the edge.
    """
    edge = outline(spacing_m)
    low, high = edge.min(axis=0), edge.max(axis=0)
    rows = np.arange(int(np.ceil((high[1] - low[1]) / (spacing_m * np.sqrt(0.75)))) + 1)
    columns = np.arange(-int(len(rows) / 2) - 1, int((high[0] - low[0]) / spacing_m) + 2)
    lattice = np.array([(a, b) for b in rows for a in columns])
    # Rows sheared by half a spacing: the lattice of twice the spacing is a part of it, with even coordinates.
    inner = np.column_stack(
        [low[0] + spacing_m * (lattice[:, 0] + 0.5 * lattice[:, 1]), low[1] + spacing_m * np.sqrt(0.75) * lattice[:, 1]]
    )
    ring = Path(edge)
    keep = ring.contains_points(inner) & (cKDTree(edge).query(inner)[0] > 0.6 * spacing_m)
    points = np.vstack([edge, inner[keep]])
    triangles = Delaunay(points).simplices
    middle = points[triangles].mean(axis=1)
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    area = 0.5 * ((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))
    triangles = triangles[ring.contains_points(middle) & (np.abs(area) > 1e-3 * spacing_m**2)]
    labels = np.vstack([np.full((len(edge), 2), -1000), lattice[keep]])
    return points, triangles, labels


def site(*, spacing_m: float = 0.4, stride: int = 2, columns: int = 24, distance_min_m: float = 3.0) -> Site:
    """The walkway with candidates on every `stride`-th lattice point of the mesh."""
    points, triangles, labels = triangulate(spacing_m)
    on_lattice = (labels[:, 0] > -1000) & (labels % stride == 0).all(axis=1)
    vertices = np.flatnonzero(on_lattice)
    candidates = vertices[may_stand(points[vertices])]
    corbels = cKDTree(points).query(CORBELS_M)[1]
    return Site(points, triangles, candidates, corbels, columns, distance_min_m)


def large_site() -> Site:
    """The published problem."""
    return site()


def small_site() -> Site:
    """A coarse one, small enough to try every set of columns."""
    return site(spacing_m=0.8, stride=4, columns=5)
