"""Starts the processes of one run, pins them, reads their reports, and ends them at the time limit."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS_MAX = 120.0
"""A worker must have read its file and imported its library by then."""
POLL_SECONDS = 0.02
OUTPUT_BYTES_MAX = 1 << 30


@dataclass
class Launch:
    """One process: its command, the CPUs it may use, and whether it says `ready` before its clock starts."""

    command: list[str]
    cpus: list[int]
    says_ready: bool
    stdout_path: Path | None = None


@dataclass
class Outcome:
    """What one process printed and how it ended; times are seconds since its clock started."""

    lines: list[tuple[float, str]] = field(default_factory=list)
    errors: str = ""
    wall_s: float = 0.0
    exit_code: int | None = None
    killed: bool = False
    never_ready: bool = False


class Running:
    """A started process and the bytes of its current line."""

    def __init__(self, launch: Launch, scratch: Path, index: int) -> None:
        self.launch = launch
        self.outcome = Outcome()
        self.buffer = b""
        self.received = 0
        self.error_path = scratch / f"stderr.{index}"
        self.error_file = self.error_path.open("wb")
        # A process inherits the CPUs of who starts it. Without code to run between fork and exec Python starts it by vfork, which costs
        # a third of a millisecond, the same for everybody. The clock begins before that: one that began after would miss what the
        # process does while this one wakes up.
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, launch.cpus)
        self.begin = time.perf_counter()
        try:
            self.process = subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self.error_file,
                start_new_session=True,
            )
        finally:
            os.sched_setaffinity(0, own)
        self.clock: float | None = None if launch.says_ready else self.begin
        assert self.process.stdout is not None
        self.pipe = self.process.stdout
        os.set_blocking(self.pipe.fileno(), False)

    def kill(self) -> None:
        """Ends the process and everything it started."""
        self.outcome.killed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def read(self) -> bool:
        """Takes what has been printed; false at the end of the output."""
        now = time.perf_counter()
        try:
            chunk = os.read(self.pipe.fileno(), 1 << 20)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        self.received += len(chunk)
        if self.received > OUTPUT_BYTES_MAX:
            self.kill()
            return False
        *lines, self.buffer = (self.buffer + chunk).split(b"\n")
        for raw in lines:
            line = raw.decode("utf-8", errors="replace")
            if self.clock is None and line.startswith('{"ready"'):
                self.clock = now
                continue
            self.outcome.lines.append((now - (self.clock or self.begin), line))
        return True

    def close(self) -> None:
        self.process.wait()
        self.outcome.wall_s = time.perf_counter() - (self.clock or self.begin)
        self.outcome.exit_code = self.process.returncode
        self.outcome.never_ready = self.clock is None
        self.pipe.close()
        self.error_file.close()
        self.outcome.errors = self.error_path.read_text(errors="replace")[-2000:]


def kill_after(limit_s: float) -> float:
    """A process is killed this many seconds after its clock started; the same for everyone."""
    return limit_s + max(1.0, 0.05 * limit_s)


def watch(running: list[Running], limit_s: float, first_to_solve: bool) -> None:
    """Reads until every process has ended, by itself or at its time."""
    selector = selectors.DefaultSelector()
    for item in running:
        selector.register(item.pipe, selectors.EVENT_READ, item)
    open_items = set(running)
    while open_items:
        for key, _ in selector.select(timeout=POLL_SECONDS):
            item = key.data
            if not item.read():
                selector.unregister(item.pipe)
                item.close()
                open_items.discard(item)
                if first_to_solve and is_final(item.outcome):
                    for other in open_items:
                        other.kill()
        now = time.perf_counter()
        for item in open_items:
            late = item.clock is None and now - item.begin > START_SECONDS_MAX
            if late or (item.clock is not None and now - item.clock > kill_after(limit_s)):
                item.kill()
    selector.close()


def execute(launches: list[Launch], limit_s: float, scratch: Path, first_to_solve: bool) -> list[Outcome]:
    """Runs the processes side by side.

    With `first_to_solve`, the copies that are left are ended once one has ended by itself with an
    answer that it calls final: a portfolio stops when one of its members is done.
    """
    running = [Running(launch, scratch, index) for index, launch in enumerate(launches)]
    try:
        watch(running, limit_s, first_to_solve)
    except BaseException:
        # The copies live in sessions of their own: an interrupted runner must not leave them behind.
        for item in running:
            item.kill()
        raise
    return [item.outcome for item in running]


FINAL_WORDS = ("optimal", "satisfiable", "unsatisfiable", "s SATISFIABLE", "s UNSATISFIABLE", "target")


def is_final(outcome: Outcome) -> bool:
    """Whether the process ended with a proof, a model, or at the target."""
    tail = outcome.lines[-3:]
    status = [line for _, line in tail if '"status"' in line or line.startswith("s ")]
    quoted = [f'"{word}"' for word in FINAL_WORDS if not word.startswith("s ")]
    if any(word in line for line in status for word in quoted):
        return True
    return any(line.startswith(FINAL_WORDS[3:5]) for _, line in outcome.lines)
