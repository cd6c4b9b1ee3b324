"""What tests share."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest


@pytest.fixture
def run_and_interrupt():
    """Runs a program that prints a line when it searches, sends it Ctrl-C a moment later, and gives what it printed then."""

    def run(program, after=0.7):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            stdout=subprocess.PIPE,
            text=True,
            # What a shell runs in the background ignores Ctrl-C, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            assert process.stdout.readline().strip() == "searching"
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        assert process.returncode == 0
        return output

    return run
