"""`bench/run`: chooses suites, seeds and rivals, runs what is missing, writes tables."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from hbench import machine, report, suites, summary
from hbench.catalogue import RIVALS
from hbench.readers import read
from hbench.runs import OURS, Record, Setting, Store, run_ours, run_rival


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--suite", action="append", help="a name, or several with commas; all of them by default")
    parser.add_argument("--instances", help="only names that match one of these globs (commas)")
    parser.add_argument("--sample", type=int, help="at most so many instances of each group, drawn with a fixed seed")
    parser.add_argument("--time", type=float, help="seconds per run instead of the suite's")
    parser.add_argument("--seeds", help="such as 1,2,3")
    parser.add_argument("--threads", type=int, help="cores for everyone")
    parser.add_argument("--cpus", help="CPU numbers to pin to, such as 0,1; the first free ones by default")
    parser.add_argument("--rivals", help="names with commas, or none")
    parser.add_argument("--no-ours", action="store_true", help="run the rivals alone")
    parser.add_argument("--quick", action="store_true", help="a few instances, short; results go to <suite>-quick")
    parser.add_argument(
        "--fresh", nargs="?", const="all", help="forget kept runs: all, or of the solvers named (commas)"
    )
    parser.add_argument("--date", help="printed in the header as given")
    parser.add_argument("--results", type=Path, default=suites.BENCH / "results", help="folder for tables and runs")
    parser.add_argument("--report", action="store_true", help="write the tables from kept runs, run nothing")
    parser.add_argument("--summary", action="store_true", help="write README.md over all suites, run nothing")
    parser.add_argument("--throughput", action="store_true", help="measure the kernels on one core, run nothing else")
    parser.add_argument("--curve", type=Path, metavar="FILE", help="plot the energy curve of one run of ours")
    parser.add_argument("--out", type=Path, help="where the curve goes (.svg or .png)")
    parser.add_argument("--list", action="store_true", help="list suites, instances and rivals, run nothing")
    parser.add_argument("--extra", default="", help="further arguments for `hysteron solve`, separated by blanks")
    return parser.parse_args()


def cpus_of(args: argparse.Namespace, threads: int) -> list[int]:
    free = sorted(os.sched_getaffinity(0))
    chosen = [int(word) for word in args.cpus.split(",")] if args.cpus else free[:threads]
    if len(chosen) < threads or not set(chosen) <= set(free):
        raise SystemExit(f"{threads} threads asked for, CPUs {free} are available")
    return chosen[:threads]


def chosen_rivals(args: argparse.Namespace, suite: suites.Suite, tools: dict[str, dict[str, str]]) -> list[str]:
    wanted = suite.rivals
    if args.rivals is not None:
        wanted = [] if args.rivals == "none" else args.rivals.split(",")
    ready = []
    for name in wanted:
        if name not in RIVALS:
            raise SystemExit(f"no rival named {name}; there are: {', '.join(RIVALS)}")
        if "missing" in tools.get(name, {"missing": "not installed"}):
            print(f"  skipped {name}: {tools.get(name, {}).get('missing', 'not installed')}")
        else:
            ready.append(name)
    return ready


def fits(name: str, suite: suites.Suite, kind: str) -> bool:
    """Whether a rival reads this instance as the suite means it."""
    if suite.kind == "maxsat":
        return "maxsat" in RIVALS[name].kinds and not (kind == "wcnf" and name == "probsat")
    return kind in RIVALS[name].kinds


def run_suite(args: argparse.Namespace, name: str) -> None:
    suite = suites.load(name, args.quick)
    if args.sample is not None:
        suite.data["sample"] = args.sample
    tools = machine.inventory()
    threads = args.threads or suite.threads
    cpus = cpus_of(args, threads)
    seeds = [int(word) for word in args.seeds.split(",")] if args.seeds else suite.seeds
    rivals = chosen_rivals(args, suite, tools)
    binary = machine.binary_path()
    if not args.no_ours and not binary.exists():
        raise SystemExit(f"{binary} is missing: cargo build --release first (or --no-ours)")
    commit = machine.commit()
    setting = Setting(suite.kind, suite.stop_at_best, threads, cpus, binary, tools, commit, args.extra.split())
    store = Store(args.results / f"{name}{'-quick' if args.quick else ''}.json")
    if args.fresh:
        store.forget(None if args.fresh == "all" else set(args.fresh.split(",")))
    store.head = {
        "suite": name, "title": suite.title, "kind": suite.kind, "notes": suite.notes, "quick": args.quick,
        "rivals": list(dict.fromkeys([*suite.rivals, *rivals])), "machine": machine.describe(cpus, args.date),
    }  # fmt: skip
    todo = suites.instances(suite, args.instances)
    print(f"{suite.title}: {len(todo)} instances, seeds {seeds}, CPUs {cpus}, against {', '.join(rivals) or 'none'}")
    for number, instance in enumerate(todo, 1):
        instance.time_s = args.time if args.time is not None else instance.time_s
        problem = read(instance.path)
        solvers = [r for r in rivals if fits(r, suite, problem.kind)]
        for position, seed in enumerate(seeds):
            # Interleaved and rotated, so that a drift of the machine hits everyone alike.
            turn = (number + position) % (len(solvers) + 1)
            order = solvers[turn:] + ([] if args.no_ours else [OURS]) + solvers[:turn]
            for solver in order:
                if (instance.name, solver, seed, instance.time_s, threads) in store.records:
                    continue
                if solver == OURS:
                    record = run_ours(setting, instance, problem, seed)
                else:
                    record = run_rival(solver, setting, instance, problem, seed)
                store.add(record)
                print(f"  [{number}/{len(todo)}] {line(record, instance.best)}", flush=True)
    store.save()
    report.write(store)


def line(record: Record, best: float | str | None) -> str:
    value = (
        "-"
        if record.objective is None
        else f"{record.objective:g}"
        if record.objective % 1
        else f"{record.objective:.0f}"
    )
    reached = "" if record.target_s is None else f" at {record.target_s:.3f} s"
    error = f"  ERROR {record.error}" if record.error else ""
    name = record.instance.rsplit("/", 1)[-1]
    return f"{name} {record.solver} seed {record.seed}: {record.status} {value} (best {best}){reached}{error}"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args = arguments()
    names = [word for item in args.suite or [] for word in item.split(",")] or suites.names()
    if args.throughput:
        from hbench import throughput

        throughput.run(args.results, cpus_of(args, 1)[0], args.date)
        return
    if args.curve:
        from hbench import curve

        curve.draw(args.curve, args.out or Path("curve.svg"), args.time or 10.0, args.threads or 1, args.extra.split())
        return
    if args.list:
        for name in names:
            suite = suites.load(name, args.quick)
            found = suites.instances(suite, args.instances)
            seconds = sum(i.time_s for i in found) * len(suite.seeds) * (1 + len(suite.rivals))
            print(f"{name}: {suite.title}: {len(found)} instances, at most {seconds / 3600:.1f} h, {suite.rivals}")
        return
    started = time.monotonic()
    if not (args.report or args.summary):
        for name in names:
            run_suite(args, name)
    elif args.report:
        for path in sorted(args.results.glob("*.json")):
            if path.stem.removesuffix("-quick") in names:
                report.write(Store(path))
    summary.write(args.results)
    print(f"{time.monotonic() - started:.0f} s; tables in {args.results}", file=sys.stderr)


if __name__ == "__main__":
    main()
