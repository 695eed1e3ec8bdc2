"""`housekeys info` says where everything is and where each choice comes from, and never a secret."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from core.version import VERSION
from tests.cli.conftest import Housekeys


def write(home: Path, text: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(text)


def test_a_fresh_installation(housekeys: Housekeys, home: Path) -> None:
    outcome = housekeys("info", "--json")
    assert (outcome.code, outcome.stderr) == (0, "")
    info = outcome.json
    assert info["versions"]["housekeys"] == VERSION
    assert info["versions"]["python"] == platform.python_version()
    assert all(info["versions"][name] for name in ("textual", "clickhouse-connect", "chdb-core", "cryptography"))
    assert info["paths"] == {
        "config": str(home / "config.toml"),
        "config_exists": False,
        "data": str(home / "data"),
        "state": str(home / "state"),
        "log": str(home / "state" / "housekeys.log"),
        "chosen_by": "HOUSEKEYS_HOME",
    }
    assert (info["profile"]["name"], info["profile"]["origin"]) == ("embedded", "built-in")
    assert info["profile_chosen_by"] == "built-in default"
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "chosen_by", "active", "reason"),
    [
        ([], "default_profile in {}/config.toml", True, "profile prod: read_only = true"),
        (["-p", "prod", "--write"], "-p", False, "--write"),
        (["-p", "other"], "-p", False, "nothing says otherwise"),
        (["-p", "other", "--read-only"], "-p", True, "--read-only"),
    ],
)
def test_every_choice_has_an_origin(
    housekeys: Housekeys, home: Path, words: list[str], chosen_by: str, active: bool, reason: str
) -> None:
    write(
        home,
        "default_profile = 'prod'\n[profiles.prod]\nhost = 'h'\nread_only = true\n[profiles.other]\nhost = 'i'\n",
    )
    info = housekeys("info", "--json", *words).json
    assert info["profile_chosen_by"] == chosen_by.format(home)
    assert info["read_only"] == {"active": active, "reason": reason}
    assert housekeys("info", *words).stdout.count(reason) == 1


def test_secrets_are_masked(housekeys: Housekeys, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HK_INFO", "hunter2-hunter2")
    write(
        home,
        "[profiles.a]\nhost = 'h'\npassword = 'env:HK_INFO'\n"
        "[profiles.b]\nhost = 'h'\npassword = ['command:sh', '-c', 'echo hunter2-hunter2']\n"
        "[profiles.c]\nhost = 'h'\npassword = 'hunter2-hunter2'\n",
    )
    for name, shown in (("a", "env:HK_INFO"), ("b", "command:sh …"), ("c", "never written here")):
        outcome = housekeys("info", "-p", name)
        assert shown in outcome.stdout
        assert "hunter2" not in outcome.stdout + outcome.stderr + housekeys("info", "-p", name, "--json").stdout


def test_a_profile_that_cannot_be_used_is_told_beside_the_rest(housekeys: Housekeys, home: Path) -> None:
    write(home, "[profiles.x]\nhost = 'h'\nprot = 1\n")
    for name, code in (("x", 2), ("nobody", 4)):
        outcome = housekeys("info", "-p", name)
        assert outcome.code == code
        assert f"{home}/config.toml:3: profiles.x.prot" in outcome.stdout
        assert str(home / "data") in outcome.stdout
    other = housekeys("--config", str(home / "other.toml"), "info", "--json")
    assert other.json["paths"]["chosen_by"] == "HOUSEKEYS_HOME, configuration by --config"
    assert other.json["profile"]["name"] == "embedded"
