"""The core imports no screen, and what must be quick imports nothing heavy. Each case is a fresh interpreter."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import core

HEAVY = (
    "textual",
    "rich",
    "clickhouse_connect",
    "aiohttp",
    "cryptography",
    "chdb",
    "tomlkit",
    "numpy",
    "pandas",
    "pyarrow",
    "bcrypt",
    "boto3",
    "alibabacloud_tea_openapi",
    "tencentcloud",
    "httptools",
    "jinja2",
    "prometheus_client",
    "starlette",
    "uvicorn",
)


def modules_after(code: str) -> set[str]:
    """The top-level modules that are loaded after `code` has run in an interpreter of its own."""
    report = f"import contextlib, io, sys\nwith contextlib.redirect_stdout(io.StringIO()):\n    {code}\n"
    report += "print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    answer = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_the_whole_core_imports_no_screen() -> None:
    names = [module.name for module in pkgutil.walk_packages(core.__path__, "core.")]
    loaded = modules_after("import " + ", ".join(["core", *names]))
    assert not loaded & {"tui", "textual", "rich"}


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["tenant", "--help"],
        ["token", "issue", "--help"],
        ["password", "hash", "--help"],
        ["partner", "--help"],
    ],
)
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    loaded = modules_after(f"import tui.__main__; tui.__main__.main({words!r})")
    assert not loaded & set(HEAVY)


def test_a_change_imports_nothing_for_tables_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are there wherever chDB is, which would import Arrow at once, and the driver pandas at the first insert."""
    monkeypatch.setenv("HOUSEKEYS_HOME", str(tmp_path))
    words = ["datalens", "setup", "--generate-password"]
    loaded = modules_after(f"import tui.__main__; tui.__main__.main({words!r})")
    assert "chdb" in loaded and not loaded & {"pyarrow", "numpy", "pandas"}
    assert list(tmp_path.rglob("*.done"))


def test_the_console_imports_no_driver_before_its_first_picture() -> None:
    loaded = modules_after("import tui.app")
    assert not loaded & (set(HEAVY) - {"textual", "rich"})
