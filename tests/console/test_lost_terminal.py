"""A console whose terminal is gone ends, though the signal of the terminal went to somebody who waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Leads the session as make does: it takes the signal and goes on waiting. Under nohup its children ignore the signal.
WAITING = 'trap {} HUP; "$0" -m tui; true'


@pytest.mark.parametrize("handler", [":", "''"], ids=["waiting", "nohup"])
def test_the_console_ends_with_its_terminal(tmp_path: Path, handler: str) -> None:
    master, slave = os.openpty()
    environ = {**os.environ, "HOUSEKEYS_HOME": str(tmp_path), "TERM": "xterm-256color"}
    leader = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "sh", "-c", WAITING.format(handler), sys.executable],
        stdin=slave, stdout=slave, stderr=slave, env=environ,
    )  # fmt: skip
    os.close(slave)
    drawn = b""
    while b"Tenants" not in drawn:
        drawn += os.read(master, 1 << 16)
    assert leader.poll() is None
    os.close(master)
    assert leader.wait(30) == 0
