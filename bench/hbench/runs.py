"""One run of one solver on one instance: start, end, score again, record."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hbench import parse
from hbench.answers import reaches
from hbench.catalogue import RIVALS, Job, commands, copies_of, says_ready
from hbench.execute import Launch, execute
from hbench.prepare import plain_file
from hbench.readers import Clauses, Problem
from hbench.suites import Instance

OURS = "hysteron"
HISTORY_POINTS_MAX = 50


@dataclass
class Record:
    """Everything that is kept of a run; `objective` is what our own readers compute, never the claim."""

    instance: str
    group: str
    solver: str
    seed: int
    limit_s: float
    threads: int
    status: str
    objective: float | None
    claimed: float | None
    verified: bool
    error: str | None
    wall_s: float
    answered_s: float | None
    best_s: float | None
    target: float | None
    target_s: float | None
    history: list[tuple[float, float]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None
    maximise: bool = False

    def key(self) -> tuple[str, str, int, float, int]:
        return (self.instance, self.solver, self.seed, self.limit_s, self.threads)


def target_of(instance: Instance, kind: str, stop_at_best: bool) -> float | None:
    """The value at which everyone may stop: the best known one, or 0 unsatisfied clauses for a CNF."""
    if kind == "cnf":
        return 0.0
    if stop_at_best and isinstance(instance.best, int | float):
        return float(instance.best)
    return None


@dataclass
class Setting:
    """What all runs of a call have in common."""

    kind: str
    stop_at_best: bool
    threads: int
    cpus: list[int]
    binary: Path
    tools: dict[str, dict[str, str]]
    commit: str
    extra_arguments: list[str] = field(default_factory=list)


def ours_command(setting: Setting, instance: Instance, problem: Problem, seed: int, target: float | None) -> list[str]:
    command = [
        str(setting.binary), "solve", str(instance.path), "--time", f"{instance.time_s:g}s",
        "--threads", str(setting.threads), "--seed", str(seed), "--json", "--no-progress",
    ]  # fmt: skip
    if setting.kind == "maxsat" and problem.kind == "cnf":
        command.append("--maxsat")
    if target is not None and setting.kind != "cnf":
        command += ["--target", str(int(target)) if target.is_integer() else repr(target)]
    return command + setting.extra_arguments


def run_ours(setting: Setting, instance: Instance, problem: Problem, seed: int) -> Record:
    target = target_of(instance, setting.kind, setting.stop_at_best)
    launch = Launch(ours_command(setting, instance, problem, seed, target), setting.cpus, says_ready=False)
    with tempfile.TemporaryDirectory() as scratch:
        outcome = execute([launch], instance.time_s, Path(scratch), first_to_solve=False)[0]
    answer = parse.ours(outcome, problem, instance.time_s)
    return judge(OURS, setting, instance, problem, seed, target, answer, outcome.wall_s)


def run_rival(name: str, setting: Setting, instance: Instance, problem: Problem, seed: int) -> Record:
    rival = RIVALS[name]
    target = target_of(instance, setting.kind, setting.stop_at_best)
    copies = copies_of(rival, setting.threads)
    plain = rival.form != "worker"
    file = plain_file(instance.path, problem) if plain else instance.path
    job = Job(file, setting.kind, instance.time_s, seed, setting.threads, target)
    tool = setting.tools.get(name, {}).get("path", "")
    launches = [
        Launch(command, setting.cpus if rival.threaded or rival.single else [setting.cpus[i]], says_ready(rival))
        for i, command in enumerate(commands(rival, job, tool, copies))
    ]
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = execute(launches, instance.time_s, Path(scratch), first_to_solve=True)
    read = parse.worker if says_ready(rival) else parse.competition
    answer = parse.merge([read(o, problem, instance.time_s) for o in outcomes], problem.maximise)
    return judge(name, setting, instance, problem, seed, target, answer, max(o.wall_s for o in outcomes))


def judge(
    solver: str, setting: Setting, instance: Instance, problem: Problem, seed: int, target: float | None,
    answer: parse.Answer, wall_s: float,
) -> Record:  # fmt: skip
    """Scores the assignment from the original file and compares it with the claim."""
    error, objective = answer.error, None
    if answer.bits is not None:
        objective = problem.score(answer.bits)
        if objective is None:
            error = "the assignment breaks a hard clause"
        elif answer.claimed is not None and abs(objective - answer.claimed) > 1e-6 * max(1.0, abs(objective)):
            error = f"claims {answer.claimed:g}, the assignment is worth {objective:g}"
        elif (
            answer.status == "satisfiable" and isinstance(problem, Clauses) and objective != 0 and setting.kind == "cnf"
        ):
            error = f"claims a model that leaves {objective} clauses unsatisfied"
    if answer.status == "unsatisfiable" and instance.best == "SAT":
        error = "claims UNSATISFIABLE for an instance with a known model"
    maximise = problem.maximise
    history = thin(answer.history)
    best_s = answer.history[-1][0] if answer.history else None
    target_s = next((t for t, v in answer.history if reaches(v, target, maximise)), None)
    if target_s is None and reaches(objective, target, maximise):
        target_s = answer.answered_s if answer.answered_s is not None else wall_s
    return Record(
        instance=instance.name, group=instance.group, solver=solver, seed=seed, limit_s=instance.time_s,
        threads=setting.threads, status=answer.status, objective=objective, claimed=answer.claimed,
        verified=objective is not None and error is None, error=error, wall_s=round(wall_s, 6),
        answered_s=answer.answered_s, best_s=best_s, target=target, target_s=target_s, history=history,
        extra=answer.extra, commit=setting.commit if solver == OURS else None, maximise=maximise,
    )  # fmt: skip


def thin(history: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most HISTORY_POINTS_MAX points, first and last among them."""
    if len(history) <= HISTORY_POINTS_MAX:
        return history
    last = len(history) - 1
    return [history[round(k * last / (HISTORY_POINTS_MAX - 1))] for k in range(HISTORY_POINTS_MAX)]


class Store:
    """bench/results/<suite>.json; saved after every run, so that an interrupted call goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: dict[str, Any] = {}
        self.records: dict[tuple[str, str, int, float, int], Record] = {}
        if path.exists():
            data = json.loads(path.read_text())
            self.head = {key: value for key, value in data.items() if key != "runs"}
            for entry in data["runs"]:
                record = Record(**entry)
                self.records[record.key()] = record

    def forget(self, solvers: set[str] | None) -> None:
        """Drops the runs of these solvers, or all."""
        self.records = {k: r for k, r in self.records.items() if solvers is not None and r.solver not in solvers}

    def add(self, record: Record) -> None:
        self.records[record.key()] = record
        self.save()

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps(self.head, indent=1)[:-2]
        runs = ",\n".join(json.dumps(asdict(self.records[key])) for key in sorted(self.records))
        temporary = self.path.with_suffix(".part")
        temporary.write_text(f'{head}{"," if self.head else "{"}\n "runs": [\n{runs}\n]\n}}\n')
        temporary.rename(self.path)
