"""PySAT: CaDiCaL 1.9.5 alone, and the MaxSAT solver RC2."""

from __future__ import annotations

from pysat.examples.rc2 import RC2, RC2Stratified
from pysat.formula import WCNF
from pysat.solvers import Solver

from hbench.answers import from_literals
from hbench.context import Context
from hbench.readers import Clauses


def run(name: str, context: Context) -> None:
    problem = context.problem
    assert isinstance(problem, Clauses)
    if name == "cadical":
        cadical(context, problem)
    else:
        rc2(context, problem)


def cadical(context: Context, problem: Clauses) -> None:
    clauses = [problem.clause(i) for i in range(len(problem))]
    with Solver(name="cadical195", bootstrap_with=clauses) as solver:
        context.ready()
        if solver.solve():
            context.offer(from_literals(only_known(solver.get_model(), problem.variables), problem.variables))
            context.finish("satisfiable")
        else:
            context.finish("unsatisfiable")


def only_known(model: list[int], variables: int) -> list[int]:
    return [x for x in model if abs(x) <= variables]


def rc2(context: Context, problem: Clauses) -> None:
    """Copy 0 is stratified with the settings of the MaxSAT Evaluation; copy 1 is plain RC2 on CaDiCaL."""
    formula = WCNF()
    for index in range(len(problem)):
        if problem.kind == "wcnf" and problem.hard[index]:
            formula.append(problem.clause(index))
        else:
            weight = problem.weights[index] if problem.kind == "wcnf" else 1
            if weight > 0:
                formula.append(problem.clause(index), weight=weight)
    context.ready()
    if context.copy % 2 == 0:
        solver = RC2Stratified(formula, solver="g4", adapt=True, exhaust=True, minz=True, trim=5)
    else:
        solver = RC2(formula, solver="cadical195", adapt=True, exhaust=True, minz=True)
    model = solver.compute()
    if model is None:
        context.finish("unsatisfiable")
        return
    context.offer(from_literals(only_known(model, problem.variables), problem.variables))
    context.finish("optimal")
