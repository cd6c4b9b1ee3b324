"""Graphs of networkx."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hysteron import _native
from hysteron._search import Limits, Progress, exact_value, scale_factor, scaled_target, search


@dataclass(frozen=True)
class Cut:
    """A cut of a graph.

    Attributes:
        value: The weight of the edges between the two sides, added up again from the graph.
        sides: The two sets of nodes.
        status: "optimal" where proven, else "feasible".
        source: Who found it.
        seconds: Wall time of the search.
        info: seed, threads, ecu, history ((seconds, value) of every improvement), interrupted, scale, scale_error.
    """

    value: float
    sides: tuple[set[Hashable], set[Hashable]]
    status: str
    source: str
    seconds: float
    info: dict[str, Any] = field(default_factory=dict, repr=False)


def solve_maxcut(
    graph: Any,
    *,
    weight: str | None = "weight",
    time: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    target: float | None = None,
    scale: str | float | None = None,
    progress: bool | Progress = False,
) -> Cut:
    """The two sides of a graph's nodes between which the edges weigh most.

    Args:
        graph: An undirected `networkx.Graph` or `MultiGraph`; parallel edges add up, loops are in no cut.
        weight: The edges' attribute that holds their weight, 1 where an edge has none; None: every edge weighs 1.
            Negative weights may occur.
        target: Stop as soon as a cut weighs this much.
        time, steps, seed, threads, scale, progress: As in `hysteron.Sampler.sample`; progress tells the cut.

    Raises:
        ValueError: A directed graph, weights that cannot be scaled, or an argument.
    """
    if graph.is_directed():
        raise ValueError("the graph is directed: a cut has no direction; take graph.to_undirected()")
    limits = Limits(time, steps, seed, threads)
    nodes = list(graph)
    place = {node: index for index, node in enumerate(nodes)}
    count = graph.number_of_edges()
    edges = graph.edges(data=weight, default=1) if weight is not None else ((u, v, 1) for u, v in graph.edges())
    ends = np.zeros((count, 2), dtype=np.int64)
    weights = np.zeros(count)
    for index, (u, v, value) in enumerate(edges):
        ends[index] = place[u], place[v]
        weights[index] = value
    rows, columns = np.ascontiguousarray(ends[:, 0]), np.ascontiguousarray(ends[:, 1])
    problem = _native.Problem.max_cut(len(nodes), rows, columns, weights, scale=scale)
    limits = limits.filled(len(nodes), count)
    factor = scale_factor(problem)
    # A cut is at least `target` where its negative is at most `-target`.
    scaled = None if target is None else -scaled_target(problem, -target, 0.0)
    found = search(problem, limits, target=scaled, progress=progress, factor=factor)
    side = found["samples"][0].astype(bool)
    info = {
        "seed": limits.seed,
        "threads": limits.threads,
        "ecu": found["ecu"],
        "history": [(at, exact_value(best) / factor) for at, best in found["history"]],
        "interrupted": found["interrupted"],
        "scale": factor,
        "scale_error": problem.scale_error,
    }
    return Cut(
        value=float(weights[side[rows] != side[columns]].sum()),
        sides=(
            {node for node, up in zip(nodes, side, strict=True) if up},
            {node for node, up in zip(nodes, side, strict=True) if not up},
        ),
        status=found["status"],
        source=found["source"],
        seconds=found["search_s"],
        info=info,
    )
