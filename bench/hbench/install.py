"""Installs every rival by package name and notes in .venv/rivals.json what could not be had, and why.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
VENV = BENCH / ".venv"
NATIVE = VENV / "native"
INVENTORY = VENV / "rivals.json"
SECONDS_MAX = 1800


class Missing(Exception):
    """A rival cannot be had; the text is the reason that is printed and put into the tables."""


def call(command: list[str], **extra: object) -> str:
    """Output of a command; its failure becomes the reason."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, **extra)  # type: ignore[call-overload]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        lines = [x for x in (done.stderr + done.stdout).strip().splitlines() if x.strip()]
        errors = [x for x in lines if "error" in x.lower()] or lines or ["no message"]
        raise Missing(f"`{' '.join(command[:4])} …` failed: {errors[0].strip()[:200]}")
    return done.stdout.strip()


def pip(package: str) -> str:
    """Installs a PyPI package and returns its version."""
    call([sys.executable, "-m", "pip", "install", "--quiet", package])
    importlib.invalidate_caches()
    return importlib.metadata.version(package)


def compile_cpp(sources: list[Path], output: Path, includes: list[Path]) -> None:
    """Compiles with the optimisation that the solvers under test get: everything this CPU has."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise Missing("no C++ compiler (apt-get install g++)")
    NATIVE.mkdir(parents=True, exist_ok=True)
    flags = ["-O3", "-march=native", "-std=c++17", "-w", *(f"-I{path}" for path in includes)]
    call([compiler, *flags, *map(str, sources), "-o", str(output)])


def kissat() -> dict[str, str]:
    version = pip("passagemath-kissat")
    for path in sorted(VENV.glob("lib/python*/site-packages/sage_wheels/bin/kissat")):
        return {"version": f"{call([str(path), '--version'])} (passagemath-kissat {version})", "path": str(path)}
    raise Missing(f"passagemath-kissat {version} holds no kissat binary")


def cadical() -> dict[str, str]:
    path = shutil.which("cadical")
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        call(["apt-get", "update", "-q"])
        call(["apt-get", "install", "-y", "-q", "cadical"])
        path = shutil.which("cadical")
    if path is None:
        raise Missing("Debian package cadical is not installed (apt-get install cadical)")
    return {"version": call([path, "--version"]), "path": path}


def spinsat() -> dict[str, str]:
    root = VENV / "cargo"
    path = root / "bin" / "spinsat"
    if not path.exists():
        call(["cargo", "install", "spinsat", "--root", str(root)], cwd=str(VENV))
    return {"version": call([str(path), "--version"]).split()[-1], "path": str(path)}


def probsat() -> dict[str, str]:
    path = NATIVE / "probsat"
    compile_cpp([BENCH / "native" / "probsat.cpp"], path, [])
    return {"version": "own", "path": str(path)}


def mqlib() -> dict[str, str]:
    """The sdist lacks every header, so its own build fails; ours declares the parts that are compiled here."""
    folder = NATIVE / "mqlib"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("MQLib-*/src")):
        pip("numpy")
        pip("setuptools")
        # A new environment's setuptools may be too old to bring `bdist_wheel` itself.
        pip("wheel")
        command = ["download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", str(folder), "mqlib"]
        call([sys.executable, "-m", "pip", *command])
        for archive in folder.glob("*.tar.gz"):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
    source = next(iter(sorted(folder.glob("MQLib-*/src"))), None)
    if source is None:
        raise Missing("the PyPI source package holds no src folder")
    parts = [source / name for name in MQLIB_PARTS]
    own = BENCH / "native" / "mqlib"
    forward = folder / "include"
    for part in parts:
        for name in re.findall(r'#include "([^"]+)"', part.read_text()):
            (forward / name).parent.mkdir(parents=True, exist_ok=True)
            (forward / name).write_text('#include "mqlib.h"\n')
    path = NATIVE / "mqlib-driver"
    compile_cpp([own / "driver.cpp", *parts], path, [own, forward])
    return {"version": source.parent.name.removeprefix("MQLib-"), "path": str(path)}


MQLIB_PARTS = (
    "heuristics/base_solution.cpp",
    "heuristics/extended_solution.cpp",
    "heuristics/maxcut/burer2002.cpp",
    "heuristics/maxcut/max_cut_simple_solution.cpp",
    "heuristics/maxcut/max_cut_solution.cpp",
    "heuristics/qubo/lu2010.cpp",
    "heuristics/qubo/palubeckis2004b.cpp",
    "heuristics/qubo/qubo_partial_solution.cpp",
    "heuristics/qubo/qubo_simple_solution.cpp",
    "heuristics/qubo/qubo_solution.cpp",
    "problem/heuristic.cpp",
    "problem/instance.cpp",
    "problem/max_cut_heuristic.cpp",
    "problem/max_cut_instance.cpp",
    "problem/qubo_heuristic.cpp",
    "problem/qubo_instance.cpp",
    "util/random.cpp",
)


def library(package: str) -> Callable[[], dict[str, str]]:
    return lambda: {"version": pip(package)}


PROVIDERS: dict[str, tuple[list[str], Callable[[], dict[str, str]]]] = {
    "dwave-samplers": (["dwave-sa", "dwave-tabu"], library("dwave-samplers")),
    "openjij": (["openjij-sa"], library("openjij")),
    "ortools": (["cpsat"], library("ortools")),
    "python-sat": (["rc2", "cadical"], library("python-sat")),
    "passagemath-kissat": (["kissat"], kissat),
    "cadical (Debian)": (["cadical-process", "cadical-walk"], cadical),
    "spinsat (crates.io)": (["spinsat"], spinsat),
    "probSAT": (["probsat"], probsat),
    "mqlib (PyPI source)": (["mqlib-burer", "mqlib-palubeckis", "mqlib-lu"], mqlib),
}


def main() -> None:
    for package in ("numpy", "matplotlib", "pytest"):
        try:
            pip(package)
        except Missing as error:
            if package == "numpy":
                raise SystemExit(f"numpy is needed to score answers: {error}") from error
            print(f"skipped: {package}: {error}")
    inventory: dict[str, dict[str, str]] = {}
    for package, (rivals, provide) in PROVIDERS.items():
        try:
            entry = provide()
            print(f"rival ready: {', '.join(rivals)} ({package} {entry['version']})", flush=True)
        except Missing as error:
            entry = {"missing": str(error)}
            print(f"rival skipped: {', '.join(rivals)}: {error}", flush=True)
        for rival in rivals:
            inventory[rival] = {"package": package, **entry}
    INVENTORY.write_text(json.dumps(inventory, indent=1) + "\n")


if __name__ == "__main__":
    main()
