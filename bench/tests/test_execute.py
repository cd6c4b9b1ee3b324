"""Processes: the clock, the kill, and what happens to the other copies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hbench import execute
from hbench.execute import Launch

CPUS = sorted(os.sched_getaffinity(0))[:1]


def python(code: str, says_ready: bool = False) -> Launch:
    return Launch([sys.executable, "-c", code], CPUS, says_ready)


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    code = "import time\nprint('s UNKNOWN', flush=True)\ntime.sleep(600)"
    outcome = execute.execute([python(code)], 0.2, tmp_path, first_to_solve=False)[0]
    assert outcome.killed and [line for _, line in outcome.lines] == ["s UNKNOWN"]


def test_affinity_and_exit_code(tmp_path: Path) -> None:
    code = "import os, sys\nprint(sorted(os.sched_getaffinity(0)))\nsys.exit(10)"
    outcome = execute.execute([python(code)], 60, tmp_path, first_to_solve=False)[0]
    assert outcome.lines[0][1] == str(CPUS) and outcome.exit_code == 10 and not outcome.killed


def test_the_clock_starts_at_ready(tmp_path: Path) -> None:
    code = "import time\ntime.sleep(1.5)\nprint('{\"ready\": true}', flush=True)"
    outcome = execute.execute([python(code, says_ready=True)], 0.1, tmp_path, first_to_solve=False)[0]
    assert not outcome.killed and not outcome.never_ready


def test_a_final_answer_ends_the_other_copies(tmp_path: Path) -> None:
    done = 'print(\'{"t": 0.1, "status": "optimal"}\')'
    waits = "import time\ntime.sleep(600)"
    first, second = execute.execute([python(done), python(waits)], 500, tmp_path, first_to_solve=True)
    assert not first.killed and second.killed


def test_an_interrupted_runner_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[execute.Running] = []

    def interrupt(running: list[execute.Running], *_: object) -> None:
        started.extend(running)
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "watch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        execute.execute([python("import time\ntime.sleep(600)")], 500, tmp_path, first_to_solve=False)
    assert started[0].process.wait(timeout=60) < 0
