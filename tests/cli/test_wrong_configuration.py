"""One-shot commands when the configuration file is wrong: they never work on a profile that was not meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ExitCode
from tests.cli.conftest import Housekeys


def write(home: Path, content: bytes) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_bytes(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"default_profile = 'prod'\n[profiles.prod\n", "config.toml:2: not TOML"),
        (b"\xef\xbb\xbfread_only = true\n", "byte order mark"),
        (b"# \xff\n", "this is not UTF-8"),
        (b"default_profile = 'prdo'\n[profiles.prod]\nhost = 'h'\n", "names no profile; did you mean prod?"),
    ],
)
def test_no_command_falls_back_to_the_built_in_profile(
    housekeys: Housekeys, home: Path, content: bytes, told: str
) -> None:
    write(home, content)
    outcome = housekeys("tenant", "list")
    assert outcome.code == ExitCode.BAD_INPUT
    assert told in outcome.stderr
    assert "-p NAME" in outcome.stderr
    assert not (home / "data").exists()


def test_a_file_that_cannot_be_read_leaves_the_built_in_profile_read_only(housekeys: Housekeys, home: Path) -> None:
    write(home, b"[profiles")
    outcome = housekeys("-p", "embedded", "datalens", "setup", "--generate-password")
    assert outcome.code == ExitCode.REFUSED
    assert "Note: " in outcome.stderr
    assert "not TOML" in outcome.stderr


def test_a_configuration_file_that_was_named_has_to_be_there(housekeys: Housekeys, home: Path) -> None:
    outcome = housekeys("--config", str(home / "typo.toml"), "tenant", "list")
    assert outcome.code == ExitCode.NOT_FOUND
    assert "typo.toml" in outcome.stderr
    assert housekeys("--config", str(home / "typo.toml"), "profile", "list").code == ExitCode.DONE


def test_what_is_wrong_with_the_preferences_and_the_profile_in_use_is_told(housekeys: Housekeys, home: Path) -> None:
    write(home, b"red_only = true\n[profiles.a]\nhost = 'h'\nprot = 1\n[profiles.b]\nengine = 'embedded'\nfolde = 1\n")
    outcome = housekeys("-p", "embedded", "tenant", "list")
    assert outcome.code == ExitCode.DONE
    assert "config.toml:1: red_only: is not a known key; did you mean read_only?" in outcome.stderr
    assert "prot" not in outcome.stderr
