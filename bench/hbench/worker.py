"""Entry point of a rival that lives in a Python library: `python -m hbench.worker NAME FILE …`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from hbench.context import Context
from hbench.readers import read

MODULES = {
    "dwave-sa": "dwave_rivals",
    "dwave-tabu": "dwave_rivals",
    "openjij-sa": "openjij_rival",
    "cpsat": "cpsat_rival",
    "rc2": "pysat_rivals",
    "cadical": "pysat_rivals",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=sorted(MODULES))
    parser.add_argument("file", type=Path)
    parser.add_argument("--time", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copy", type=int, default=0)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--target", type=float)
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    module = importlib.import_module(f"hbench.rivals.{MODULES[args.rival]}")
    context = Context(
        problem=read(args.file),
        limit_s=args.time,
        seed=args.seed,
        copy=args.copy,
        copies=args.copies,
        threads=args.threads,
        target=args.target,
        options=dict(option.split("=", 1) for option in args.option),
    )
    module.run(args.rival, context)


if __name__ == "__main__":
    main()
