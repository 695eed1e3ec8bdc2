"""Runs one-shot commands in this process, against a HOUSEKEYS_HOME of the test's own."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tui.cli.running import run


class Terminal(io.StringIO):
    """A stream of a person: a terminal, with what will be typed or is printed."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


Housekeys = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def logs_for_others() -> Iterator[None]:
    """A command keeps what is logged for its file alone; tests of other folders want to see it."""
    yield
    for name in ("core", "tui"):
        logging.getLogger(name).propagate = True


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def commands(home: Path) -> Housekeys:
    """`housekeys("tenant", "list", typed="y\\n", environ={...})`: run a command; `typed` makes it a terminal."""

    def run_words(*words: str, typed: str | None = None, environ: dict[str, str] | None = None) -> Outcome:
        stdin = io.StringIO() if typed is None else Terminal(typed)
        stdout, stderr = (io.StringIO(), io.StringIO()) if typed is None else (Terminal(), Terminal())
        code = run(
            list(words),
            {"HOUSEKEYS_HOME": str(home), **(environ or {})},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    return run_words


def copied(made: Path, home: Path) -> Path:
    """`home`, as it was `made` once for many tests; to run the commands for each of them takes seconds."""
    shutil.copytree(made, home, symlinks=True)
    return home


@pytest.fixture
def housekeys(home: Path) -> Housekeys:
    return commands(home)


@pytest.fixture(scope="session")
def made_with_datalens_user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a journal and the DataLens user, to be `copied`."""
    home = tmp_path_factory.mktemp("made") / "home"
    made = commands(home)("datalens", "setup", "--generate-password")
    assert made.code == 0, made.stderr
    return home
