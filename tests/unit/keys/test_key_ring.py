"""Unlocked keys: once per session, gone after a while without use."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files import write_private
from core.keys.envelope import leave_open, seal
from core.keys.key_ring import KeyLockedError, KeyRing
from core.keys.key_store import KeyStore
from core.keys.rsa_keys import WrongPassphraseError
from core.secrets import Secret
from tests.unit.keys.sample_keys import CHEAP, fingerprint, private_key

PASSPHRASE = Secret("secret")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys")
    for version in (1, 2):
        write_private(store.path(version), seal(private_key(version), "partner", version, PASSPHRASE, CHEAP).to_bytes())
    write_private(store.path(3), leave_open(private_key(3), "partner", 3, insist=True).to_bytes())
    return store


async def test_it_is_unlocked_once_and_locked_by_key(store: KeyStore) -> None:
    ring = KeyRing(store, 900, Clock())
    with pytest.raises(KeyLockedError):
        ring.key(1)
    assert await ring.needs_passphrase(1)
    await ring.unlock([1, 2], PASSPHRASE)
    assert ring.unlocked == [1, 2]
    assert not await ring.needs_passphrase(1)
    assert ring.key(1).fingerprint == fingerprint(1)
    await ring.unlock([1], None)  # nothing to do
    ring.lock()
    assert ring.unlocked == []
    with pytest.raises(KeyLockedError):
        ring.key(1)


async def test_a_use_puts_the_lock_off_and_idling_locks(store: KeyStore) -> None:
    clock = Clock()
    ring = KeyRing(store, 900, clock)
    await ring.unlock([1], PASSPHRASE)
    clock.now += 899
    assert ring.is_unlocked(1)
    ring.key(1)
    clock.now += 899
    assert ring.is_unlocked(1)  # looking is no use
    clock.now += 1
    assert [ring.lock_if_idle(), ring.lock_if_idle()] == [True, False]  # once
    assert ring.unlocked == []
    with pytest.raises(KeyLockedError):
        ring.key(1)


async def test_zero_never_locks(store: KeyStore) -> None:
    clock = Clock()
    ring = KeyRing(store, 0, clock)
    await ring.unlock([1], PASSPHRASE)
    clock.now += 1e9
    assert not ring.lock_if_idle()
    assert ring.key(1)


async def test_a_wrong_passphrase_unlocks_nothing(store: KeyStore) -> None:
    ring = KeyRing(store, 900)
    with pytest.raises(WrongPassphraseError):
        await ring.unlock([1], Secret("wrong"))
    assert ring.unlocked == []


async def test_a_key_without_passphrase_needs_none(store: KeyStore) -> None:
    ring = KeyRing(store, 900)
    assert not await ring.needs_passphrase(3)
    await ring.unlock([3], None)
    assert ring.key(3).fingerprint == fingerprint(3)


async def test_repr_of_an_unlocked_key_shows_which_and_not_what(store: KeyStore) -> None:
    ring = KeyRing(store, 900)
    await ring.unlock([1], PASSPHRASE)
    assert repr(ring.key(1)) == f"UnlockedKey(version=1, fingerprint='{fingerprint(1)}')"
