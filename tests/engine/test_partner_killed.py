"""`kill -9` of services in the middle of a connect: each next one leaves all of it or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOMENTS = (12, 22, 0)  # of 24 acts: in the statements, then when the secrets are kept and the facts are not


def test_killed_services_settle(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.engine.dying_partner", str(tmp_path), *map(str, MOMENTS)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    states = [line for line in told if "made" in line]
    answered = {line["answered"] for line in told if "answered" in line}
    assert len(states) == len(MOMENTS) + 1 and answered, ended.stderr
    for state in states:
        whole = len(state["live"])
        assert set(state["made"].values()) == {whole}, state
        assert state["unfinished"] == 0
    assert answered <= set(states[-1]["live"])
