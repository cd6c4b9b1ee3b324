"""The exact reduced model: the compliance of any set of columns from one factorisation of the roof without columns.

Let K0 be the stiffness without columns, f_c the load cases with weights omega_c, p_i the row that takes the mean deflection under the
head of candidate i, and kappa_i the stiffness of a column there. With

    F = P K0^-1 P^T   (n, n)    flexibility between candidates,
    U = P K0^-1 f     (n, c)    deflections of candidates without columns, case c scaled by sqrt(omega_c),
    E = f^T K0^-1 f   (c, c)    compliance without columns,

the matrix of Sherman, Morrison and Woodbury gives for columns S

    J(S) = trace [ E - U_S^T (F_SS + 1/kappa_S)^-1 U_S ],

which is the Schur complement of the positive definite bordered matrix [[F_SS + 1/kappa, U_S], [U_S^T, E]]: the sum of squares of the
last c rows of its Cholesky factor. That is a (k + c) x (k + c) factorisation, and exact: nothing is condensed away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

import roof
from plate import Walkway

#: Right-hand sides of one solve: bounds memory.
BLOCK = 64
#: Sets of one batch of factorisations: they stay in the cache.
BATCH = 200
#: Candidates that a repair looks at first.
NEAR = 48
#: Cell of the raster that finds nearest candidates.
RASTER_M = 0.1


@dataclass(frozen=True)
class Exchanges:
    """A set of columns and what exchanges need to know about it; see `Reduced.exchanges`.

    Attributes:
        chosen: The columns (k,).
        value: J, in J.
        inverse: V = (F_SS + 1/kappa)^-1 (k, k).
        reactions: y = V U_S (k, c): forces in the columns, by case.
        influence: B = F_:S V (n, k): deflection of each candidate when a column's foot sinks by one.
        flexibility: Diagonal of G = F - F_:S V F_S: (n,).
        deflections: u = U - B U_S (n, c): of the candidates, with the columns.
    """

    chosen: np.ndarray
    value: float
    inverse: np.ndarray
    reactions: np.ndarray
    influence: np.ndarray
    flexibility: np.ndarray
    deflections: np.ndarray

    def single(self, softness: np.ndarray) -> np.ndarray:
        """Exact change of J (k, n) when column a of the set goes and one at candidate j comes instead; `softness` is 1/kappa.

        Column a goes: J + |y_a|^2 / V_aa, u_j + B_ja y_a / V_aa, G_jj + B_ja^2 / V_aa (inverse of a bordered matrix). Column j comes:
        minus |u_j|^2 / (1/kappa_j + G_jj).
        """
        pivot = np.diag(self.inverse)
        gone = (self.reactions**2).sum(axis=1) / pivot
        # |u + B y / V|^2 expanded, so that no (k, n, c) array is made.
        u_norm = (self.deflections**2).sum(axis=1)
        cross = self.deflections @ self.reactions.T * self.influence / pivot
        square = self.influence**2 / pivot
        moved = u_norm[:, None] + 2.0 * cross + square * gone
        stiff = (softness + self.flexibility)[:, None] + square
        return (gone - moved / stiff).T


class Reduced:
    """J of any set of columns of a site.

    Attributes:
        flexibility: F (n, n), m/N.
        deflections: U (n, c), scaled by the roots of the weights.
        bare: E (c, c), J.
        softness: 1/kappa (n,), m/N.
    """

    def __init__(self, site: roof.Site, flexibility: np.ndarray, deflections: np.ndarray, bare: np.ndarray) -> None:
        self.site = site
        self.flexibility = flexibility
        self.deflections = deflections
        self.bare = bare
        self.softness = 1.0 / site.column_stiffness
        #: F with 1/kappa on its diagonal: what the bordered matrix is gathered from.
        self._held = flexibility + np.diag(self.softness)
        apart = np.linalg.norm(site.positions[:, None] - site.positions[None], axis=-1)
        #: Candidates by distance from each candidate (n, n).
        self._order = apart.argsort(axis=1, kind="stable")
        self._raster_origin = site.points.min(axis=0)
        steps = np.ceil((site.points.max(axis=0) - self._raster_origin) / RASTER_M).astype(np.int64) + 1
        cells = np.stack(np.meshgrid(*(np.arange(step) for step in steps), indexing="ij"), axis=-1)
        self._raster = cKDTree(site.positions).query(self._raster_origin + RASTER_M * cells)[1]

    @classmethod
    def of(cls, walkway: Walkway) -> Reduced:
        """Solves the roof without columns for a unit force at every candidate."""
        heads = walkway.candidate_heads
        factor = walkway.factorised(np.array([], dtype=np.int64))
        roots = np.sqrt(roof.CASE_WEIGHTS)
        loads = walkway.loads() * roots
        w = factor.solve(loads)
        flexibility = np.empty((heads.shape[0], heads.shape[0]))
        for begin in range(0, heads.shape[0], BLOCK):
            block = factor.solve(heads[begin : begin + BLOCK].toarray().T)
            flexibility[:, begin : begin + BLOCK] = heads @ block
        return cls(walkway.site, (flexibility + flexibility.T) / 2.0, heads @ w, loads.T @ w)

    def evaluate(self, sets: np.ndarray) -> np.ndarray:
        """J (b,) of sets of columns (b, k)."""
        values = np.empty(len(sets))
        columns, cases = sets.shape[1], self.bare.shape[0]
        for begin in range(0, len(sets), BATCH):
            batch = sets[begin : begin + BATCH]
            bordered = np.empty((len(batch), columns + cases, columns + cases))
            bordered[:, :columns, :columns] = self._held[batch[:, :, None], batch[:, None, :]]
            # Cholesky reads the lower triangle only.
            bordered[:, columns:, :columns] = self.deflections[batch].transpose(0, 2, 1)
            bordered[:, columns:, columns:] = self.bare
            factor = np.linalg.cholesky(bordered)
            values[begin : begin + BATCH] = np.square(np.tril(factor[:, columns:, columns:])).sum(axis=(1, 2))
        return values

    def holds(self, sets: np.ndarray) -> np.ndarray:
        """Whether each of the sets (b, k) keeps all distances (and so has no column twice)."""
        apart = self.site.conflicts[sets[:, :, None], sets[:, None, :]]
        # A column conflicts with itself once.
        return apart.sum(axis=(1, 2)) == sets.shape[1]

    def exchanges(self, chosen: np.ndarray) -> Exchanges:
        """What is needed to judge exchanges of the columns `chosen`."""
        chosen = np.asarray(chosen)
        rows = self.flexibility[:, chosen]
        inverse = np.linalg.inv(self._held[np.ix_(chosen, chosen)])
        influence = rows @ inverse
        own = self.deflections[chosen]
        reactions = inverse @ own
        value = float(np.trace(self.bare) - (own * reactions).sum())
        flexibility = np.diag(self.flexibility) - (influence * rows).sum(axis=1)
        return Exchanges(chosen, value, inverse, reactions, influence, flexibility, self.deflections - influence @ own)

    def nearest(self, coordinates: np.ndarray) -> np.ndarray:
        """The candidate (...) nearest to each of coordinates (..., 2), up to the raster's cell of 0.1 m."""
        cell = np.rint((coordinates - self._raster_origin) / RASTER_M).astype(np.int64)
        rows, columns = self._raster.shape
        return self._raster[np.clip(cell[..., 0], 0, rows - 1), np.clip(cell[..., 1], 0, columns - 1)]

    def repaired(self, wanted: np.ndarray) -> np.ndarray:
        """Sets (b, k) that hold, near to the sets of candidates `wanted` (b, k).

        Sets that hold come back as they are. In the others the columns in turn take the candidate nearest to their wish that is still
        free. A column that finds none keeps its wish, and the set does not hold; with the distances used here that does not happen.
        """
        broken = np.flatnonzero(~self.holds(wanted))
        if len(broken) == 0:
            return wanted
        result = wanted.copy()
        sets = wanted[broken]
        rows = np.arange(len(sets))
        blocked = np.zeros((len(sets), len(self.site.candidates)), dtype=bool)
        for place in range(sets.shape[1]):
            order = self._order[sets[:, place]]
            # Few of the nearest are nearly always enough; all of them are looked through where they are not.
            near = blocked[rows[:, None], order[:, :NEAR]]
            first = near.argmin(axis=1)
            stuck = np.flatnonzero(near[rows, first])
            for row in stuck:
                first[row] = blocked[row, order[row]].argmin()
            sets[:, place] = order[rows, first]
            blocked |= self.site.conflicts[sets[:, place]]
        result[broken] = sets
        return result

    def random_sets(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Random sets (count, k) that hold."""
        return self.repaired(generator.integers(len(self.site.candidates), size=(count, self.site.columns)))
