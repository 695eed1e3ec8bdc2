"""Every place is where it should be, and every name becomes a file name of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.paths import Paths, file_name

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


def test_one_folder_for_everything(tmp_path: Path) -> None:
    paths = Paths.locate({"HOUSEKEYS_HOME": str(tmp_path)})
    assert paths == Paths(tmp_path / "config.toml", tmp_path / "data", tmp_path / "state")
    assert paths.log_file == tmp_path / "state" / "housekeys.log"
    assert paths.embedded_data("a/b") == tmp_path / "data" / "engines" / "a%2Fb"
    assert paths.key_folder("prod") == tmp_path / "data" / "keys" / "prod"
    assert paths.changes("prod") == tmp_path / "state" / "changes" / "prod"


def test_the_configuration_alone_may_be_elsewhere(tmp_path: Path) -> None:
    paths = Paths.locate({"HOUSEKEYS_HOME": str(tmp_path)}, tmp_path / "other.toml")
    assert (paths.config_file, paths.data) == (tmp_path / "other.toml", tmp_path / "data")


def test_the_places_of_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    paths = Paths.locate({})
    assert paths.config_file == tmp_path / "CONFIG" / "housekeys" / "config.toml"
    assert (paths.data, paths.state) == (tmp_path / "DATA" / "housekeys", tmp_path / "STATE" / "housekeys")


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Paths.locate({"HOUSEKEYS_HOME": "here"}).data == tmp_path / "here" / "data"
    assert Paths.locate({"HOUSEKEYS_HOME": "~/there"}).data == tmp_path / "me" / "there" / "data"


@given(NAMES, NAMES)
def test_file_names_are_safe_and_differ_as_the_names_do(first: str, second: str) -> None:
    safe = file_name(first)
    assert safe.isascii() and "/" not in safe and safe not in ("", ".", "..") and not safe.startswith(".")
    assert len(safe) <= 200
    assert (file_name(second) == safe) == (first == second)


@given(st.text("😀x", min_size=60, max_size=64))
def test_a_long_name_can_be_made(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    (tmp_path_factory.getbasetemp() / file_name(name)).mkdir(exist_ok=True)


def test_names_that_begin_alike_stay_apart() -> None:
    names = ["é" * 64, "é" * 63 + "e", "é" * 100, "." * 150, "." * 151]
    assert len({file_name(name) for name in names}) == len(names)
