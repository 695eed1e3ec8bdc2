"""The folder of private keys: what it finds, what it refuses to read, what it repairs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.changes import PermissionsStep
from core.errors import NotFoundError, RefusedError
from core.files import write_private
from core.keys.envelope import DamagedKeyFileError, seal
from core.keys.key_store import KeyStore
from core.keys.planning import plan_repair
from core.running.files import carry_out, in_place
from core.secrets import Secret
from tests.unit.keys.sample_keys import CHEAP, private_key


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys" / "prod")
    for version in (2, 10):
        envelope = seal(private_key(1), "partner", version, Secret("secret"), CHEAP)
        write_private(store.path(version), envelope.to_bytes())
    return store


def repaired(store: KeyStore) -> list[Path]:
    """Carry out the plan that closes what is open; what it closed."""
    steps = plan_repair(store).steps
    for step in steps:
        assert isinstance(step, PermissionsStep)
        assert not in_place(step)
        carry_out(step)
        assert in_place(step)
    return [step.path for step in steps if isinstance(step, PermissionsStep)]


def test_it_finds_the_versions_and_nothing_else(store: KeyStore) -> None:
    for name in ("partner-03.key", "partner-x.key", "partner-4.key.bak", ".partner-2.key.tmp", "notes"):
        (store.folder / name).write_text("x")
    assert store.versions() == [2, 10]
    assert store.has(2)
    assert not store.has(3)
    assert store.read(10).version == 10
    assert store.problems() == []


def test_no_folder_is_no_problem(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "none")
    assert store.versions() == []
    assert store.problems() == []
    with pytest.raises(NotFoundError, match="partner key 1 is not on this machine"):
        store.read(1)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_open_to_others_is_refused_until_it_is_repaired(store: KeyStore, mode: int) -> None:
    store.path(2).chmod(mode)
    with pytest.raises(RefusedError, match="open to"):
        store.read(2)
    assert [(problem.path, problem.repairable) for problem in store.problems()] == [(store.path(2), True)]
    assert repaired(store) == [store.path(2)]
    assert store.problems() == []
    assert store.read(2).version == 2


def test_an_open_folder_is_a_problem(store: KeyStore) -> None:
    store.folder.chmod(0o755)
    assert [problem.path for problem in store.problems()] == [store.folder]
    assert repaired(store) == [store.folder]
    assert store.folder.stat().st_mode & 0o777 == 0o700


def test_a_damaged_a_renamed_and_a_foreign_file_are_told(store: KeyStore) -> None:
    store.path(2).rename(store.path(3))
    store.path(10).write_bytes(store.path(10).read_bytes()[:-20])
    os.mkfifo(store.path(4), 0o600)
    found = {problem.path: problem for problem in store.problems()}
    assert set(found) == {store.path(3), store.path(4), store.path(10)}
    assert not any(problem.repairable for problem in found.values())
    with pytest.raises(DamagedKeyFileError, match="renamed"):
        store.read(3)
    with pytest.raises(DamagedKeyFileError):
        store.read(10)
    with pytest.raises(DamagedKeyFileError):
        store.read(4)
