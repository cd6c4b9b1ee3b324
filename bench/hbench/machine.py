"""What ran where: the machine, the versions, our commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path

from hbench.install import INVENTORY
from hbench.suites import REPOSITORY


def binary_path() -> Path:
    """target/release/hysteron, or what HYSTERON_BIN names."""
    given = os.environ.get("HYSTERON_BIN")
    if given:
        return Path(given)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    return target / "release" / "hysteron"


def cpu_model() -> str:
    """The CPU's name with its widest vector extension, as far as Linux tells."""
    name, flags = platform.processor() or platform.machine(), ""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = value
    except OSError:
        pass
    widest = next((word for word in ("avx512f", "avx2", "sse4_2") if word in flags.split()), "")
    return f"{name} ({widest})" if widest else name


def commit() -> str:
    """Our git commit, marked where the work tree differs from it (bench/ and documents aside)."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(REPOSITORY), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    head = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return head + ("+changes" if git("status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock") else "")


def inventory() -> dict[str, dict[str, str]]:
    return json.loads(INVENTORY.read_text()) if INVENTORY.exists() else {}


def describe(cpus: list[int], date: str | None) -> dict[str, object]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu_model(),
        "cores_of_machine": os.cpu_count(),
        "cores_used": cpus,
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "date": date,
        "commit": commit(),
        "versions": {
            name: entry["version"] if "version" in entry else f"skipped: {entry['missing']}"
            for name, entry in inventory().items()
        },
    }
