"""The QUBO: compliance as a quadratic function of exchanges of columns, exact up to two of them.

At columns S every column a gets a short list L_a of candidates it may move to. Binary y_aj says that column a moves to j; at most one
of a column's is 1, and y = 0 stays at S. For a set of moves M the change of compliance is J(S - from(M) + to(M)) - J(S). Its
expansion in the number of moves (an ANOVA or cluster expansion about S), cut after pairs, is

    Q(y) = sum over moves  d_m y_m  +  sum over pairs of moves  (d_mn - d_m - d_n) y_m y_n,

with d_m the exact change by the move m alone and d_mn by m and n together. So Q is exact for every exchange of one or two columns,
and in error by what three columns do to each other beyond what their pairs do. Both come from the matrices of `Exchanges` in closed
form. Columns R = {a, b} go (inverse of a bordered matrix, R's block of V is V_RR):

    J' = J + tr y_R^T V_RR^-1 y_R,   u'_j = u_j + B_jR V_RR^-1 y_R,   G'_ij = G_ij + B_iR V_RR^-1 B_jR^T,

and T = {i, j} come (Sherman, Morrison, Woodbury): J'' = J' - tr u'_T^T (1/kappa_T + G'_TT)^-1 u'_T, a 2 x 2 inverse.

Constraints: two moves of one column, and two moves to places that are too near, cost `penalty` as a pair. A move too near to column b,
which stays unless b moves too, costs `penalty` alone and gets it back from every move of b. Forbidden zones have no candidates.

The trust region bounds what a move may cost alone; see `Model.bqm`.
"""

from __future__ import annotations

from dataclasses import dataclass

import dimod
import numpy as np

from compliance import Exchanges, Reduced

#: A broken constraint costs this many times the largest term. Rarely several gains through one move outweigh it; such answers are
#: thrown away.
PENALTY = 4.0


@dataclass(frozen=True)
class Model:
    """Q about a set of columns.

    Attributes:
        at: The set and its matrices.
        froms: Place in the set of the column that each move moves (m,).
        to: The candidate that each move goes to (m,).
        linear: d_m, J (m,).
        pairs: d_mn - d_m - d_n in the upper triangle, J (m, m); zero between moves of one column.
        clash_linear: How many columns that stay the move is too near to (m,).
        clash_pairs: Penalties of pairs in the upper triangle, in units of the penalty (m, m).
    """

    at: Exchanges
    froms: np.ndarray
    to: np.ndarray
    linear: np.ndarray
    pairs: np.ndarray
    clash_linear: np.ndarray
    clash_pairs: np.ndarray

    def energy(self, moves: np.ndarray) -> np.ndarray:
        """Q (b,) of rows of binaries (b, m), without penalties."""
        y = moves.astype(np.float64)
        return y @ self.linear + np.einsum("bi,ij,bj->b", y, self.pairs, y, optimize=True)

    def sets(self, moves: np.ndarray) -> np.ndarray:
        """The sets of columns (b, k) that rows of binaries (b, m) lead to; of two moves of a column the last one counts."""
        result = np.tile(self.at.chosen, (len(moves), 1))
        rows, which = np.nonzero(moves)
        result[rows, self.froms[which]] = self.to[which]
        return result

    def bqm(self, trust: float) -> tuple[dimod.BinaryQuadraticModel, np.ndarray]:
        """Q with penalties over the moves inside the trust region, in J, and which moves these are (kept,).

        Inside are moves that alone change J by at most `trust` times J. Moves that cost more alone are what the expansion is worst
        at: they pay only together with others, and every pair with one of those counts the same gain once more.
        """
        kept = np.flatnonzero(self.linear <= trust * self.at.value)
        linear = self.linear[kept]
        pairs = self.pairs[np.ix_(kept, kept)]
        penalty = PENALTY * max(np.abs(linear).max(initial=0.0), np.abs(pairs).max(initial=0.0))
        whole = pairs + penalty * self.clash_pairs[np.ix_(kept, kept)]
        rows, columns = np.nonzero(whole)
        model = dimod.BinaryQuadraticModel.from_numpy_vectors(
            linear + penalty * self.clash_linear[kept], (rows, columns, whole[rows, columns]), 0.0, dimod.BINARY
        )
        return model, kept


def choose_moves(
    reduced: Reduced, at: Exchanges, per_column: int, noise: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Lists of moves (froms, to): for each column the `per_column` least exact single changes.

    With `noise` a part of what is worse than the column's best move is multiplied by exp(noise times a normal number) before, so that
    no two lists are the same.
    """
    change = at.single(reduced.softness)
    change[:, at.chosen] = np.inf
    if noise > 0.0:
        change = (change - change.min(axis=1, keepdims=True)) * np.exp(noise * generator.standard_normal(change.shape))
    count = min(per_column, change.shape[1] - len(at.chosen))
    best = np.argpartition(change, count - 1, axis=1)[:, :count]
    return np.repeat(np.arange(len(at.chosen)), count), best.ravel()


def build(reduced: Reduced, at: Exchanges, froms: np.ndarray, to: np.ndarray) -> Model:
    """Q for the moves; every column has equally many, and they stand together."""
    columns = len(at.chosen)
    per_column = len(to) // columns
    single = at.single(reduced.softness)
    linear = single[froms, to]
    influence = at.influence[to]  # (m, k)
    flexibility = reduced.flexibility[np.ix_(to, to)] - influence @ reduced.flexibility[np.ix_(at.chosen, to)]
    deflections = at.deflections[to]  # (m, c)
    softness = reduced.softness[to]

    first, second = np.triu_indices(columns, 1)  # (p,) pairs of columns
    v_aa, v_bb = np.diag(at.inverse)[first], np.diag(at.inverse)[second]
    v_ab = at.inverse[first, second]
    determinant = v_aa * v_bb - v_ab**2
    # V_RR^-1, entry by entry.
    w_aa, w_bb, w_ab = v_bb / determinant, v_aa / determinant, -v_ab / determinant
    y_a, y_b = at.reactions[first], at.reactions[second]  # (p, c)
    # V_RR^-1 y_R.
    lever_a = w_aa[:, None] * y_a + w_ab[:, None] * y_b
    lever_b = w_ab[:, None] * y_a + w_bb[:, None] * y_b
    gone = (y_a * lever_a + y_b * lever_b).sum(axis=1)

    def lists(place: np.ndarray) -> np.ndarray:
        """Moves (p, l) of the columns at `place` (p,)."""
        return place[:, None] * per_column + np.arange(per_column)

    i, j = lists(first), lists(second)
    b_ia, b_ib = influence[i, first[:, None]], influence[i, second[:, None]]
    b_ja, b_jb = influence[j, first[:, None]], influence[j, second[:, None]]
    u_i = deflections[i] + b_ia[..., None] * lever_a[:, None] + b_ib[..., None] * lever_b[:, None]  # (p, l, c)
    u_j = deflections[j] + b_ja[..., None] * lever_a[:, None] + b_jb[..., None] * lever_b[:, None]
    # B_iR V_RR^-1, (p, l) each.
    t_a = b_ia * w_aa[:, None] + b_ib * w_ab[:, None]
    t_b = b_ia * w_ab[:, None] + b_ib * w_bb[:, None]
    s_a = b_ja * w_aa[:, None] + b_jb * w_ab[:, None]
    s_b = b_ja * w_ab[:, None] + b_jb * w_bb[:, None]
    own = np.diag(flexibility)
    g_ii = own[i] + softness[i] + t_a * b_ia + t_b * b_ib
    g_jj = own[j] + softness[j] + s_a * b_ja + s_b * b_jb
    g_ij = flexibility[i[:, :, None], j[:, None, :]] + t_a[..., None] * b_ja[:, None] + t_b[..., None] * b_jb[:, None]
    ii = np.square(u_i).sum(axis=2)
    jj = np.square(u_j).sum(axis=2)
    ij = u_i @ u_j.transpose(0, 2, 1)
    g_ii, g_jj = g_ii[:, :, None], g_jj[:, None, :]
    came = (g_jj * ii[:, :, None] - 2.0 * g_ij * ij + g_ii * jj[:, None, :]) / (g_ii * g_jj - g_ij**2)
    # Two columns in one place: the determinant is that of softness alone, the value exact, and the pair is forbidden anyway.
    both = gone[:, None, None] - came
    pairs = np.zeros((len(to), len(to)))
    pairs[i[:, :, None], j[:, None, :]] = both - linear[i][:, :, None] - linear[j][:, None, :]

    conflicts = reduced.site.conflicts
    near = conflicts[np.ix_(to, at.chosen)]  # (m, k): too near to a column's present place
    near[np.arange(len(to)), froms] = False
    same = froms[:, None] == froms[None]
    clash = (same | conflicts[np.ix_(to, to)]).astype(np.float64)
    # The pair (m, n) takes back what m costs beside n's column, and the other way round.
    back = near[:, froms].astype(np.float64)
    clash -= back + back.T
    return Model(at, froms, to, linear, pairs, near.sum(axis=1).astype(np.float64), np.triu(clash, 1))
