"""OR-Tools CP-SAT with as many workers as threads; products and unsatisfied clauses are linearised."""

from __future__ import annotations

import math

import numpy as np
from ortools.sat.python import cp_model

from hbench.context import Context
from hbench.readers import Clauses, Quadratic


def run(_name: str, context: Context) -> None:
    problem = context.problem
    model = cp_model.CpModel()
    names = [model.new_bool_var("") for _ in range(problem.variables)]
    if isinstance(problem, Quadratic):
        quadratic(model, names, problem)
    else:
        clauses(model, names, problem)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = context.threads
    solver.parameters.random_seed = context.seed & 0x7FFFFFFF

    class Watch(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            context.offer(np.array([self.boolean_value(x) for x in names], dtype=bool))
            if context.over():
                self.stop_search()

    context.ready()
    solver.parameters.max_time_in_seconds = context.limit_s
    status = solver.solve(model, Watch())
    words = {cp_model.OPTIMAL: "optimal", cp_model.INFEASIBLE: "unsatisfiable"}
    context.finish(words.get(status, "feasible" if context.best is not None else "unknown"))


def quadratic(model: cp_model.CpModel, names: list[cp_model.IntVar], problem: Quadratic) -> None:
    """One product variable per pair, bounded from the side on which the objective pulls."""
    weights = problem.weights.tolist()
    linear = problem.linear.tolist()
    if any(not float(w).is_integer() for w in weights + linear):
        raise SystemExit("CP-SAT takes integer coefficients only")
    cost = [0] * problem.variables
    products: list[cp_model.IntVar] = []
    factors: list[int] = []
    # s = 2x - 1: s_i s_j = 4 x_i x_j - 2 x_i - 2 x_j + 1; the cut is x_i + x_j - 2 x_i x_j.
    scale, single = {"qubo": (1, 0), "ising": (4, -2), "maxcut": (2, -1)}[problem.kind]
    for i, h in enumerate(linear):
        cost[i] += int(h) * (2 if problem.kind == "ising" else 1)
    for i, j, weight in zip(problem.rows.tolist(), problem.columns.tolist(), weights, strict=True):
        w = int(weight)
        if w == 0:
            continue
        product = model.new_bool_var("")
        if w > 0:
            model.add_bool_or(names[i].negated(), names[j].negated(), product)
        else:
            model.add_implication(product, names[i])
            model.add_implication(product, names[j])
        products.append(product)
        factors.append(scale * w)
        cost[i] += single * w
        cost[j] += single * w
    model.minimize(cp_model.LinearExpr.weighted_sum(products, factors) + cp_model.LinearExpr.weighted_sum(names, cost))


def clauses(model: cp_model.CpModel, names: list[cp_model.IntVar], problem: Clauses) -> None:
    """A soft clause of one literal is charged directly, a longer one through a relaxation variable."""
    terms: list[cp_model.LiteralT] = []
    weights: list[int] = []

    def literal(x: int) -> cp_model.LiteralT:
        return names[x - 1] if x > 0 else names[-x - 1].negated()

    for index in range(len(problem)):
        clause = problem.clause(index)
        if problem.kind == "wcnf" and problem.hard[index]:
            model.add_bool_or([literal(x) for x in clause])
            continue
        weight = problem.weights[index] if problem.kind == "wcnf" else 1
        if weight == 0:
            continue
        if len(clause) == 1:
            relax = literal(-clause[0])
        else:
            relax = model.new_bool_var("")
            model.add_bool_or([literal(x) for x in clause] + [relax])
        terms.append(relax)
        weights.append(weight)
    divisor = math.gcd(*weights) if weights else 1
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, [w // divisor for w in weights]))
