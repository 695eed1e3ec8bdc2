"""Whoever reads the output of a command goes away before it is there, as `| head` may: real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["profile", "list"], 0),
        (["access", "diff", "with-ann.sql", "nobody.sql"], 1),
        (["partner", "config", "check", "nothing.json"], 2),
    ],
    ids=["told", "differs", "bad"],
)
def test_the_verdict_is_the_same(words: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "with-ann.sql").write_text("CREATE ROLE ann;")
    (tmp_path / "nobody.sql").write_text("")
    (tmp_path / "nothing.json").write_text("{}")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tui", *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOUSEKEYS_HOME": str(tmp_path / "home")},
        )
    finally:
        os.close(writer)
    assert done.returncode == code, done.stderr
    assert "Broken pipe" not in done.stderr and "Traceback" not in done.stderr
