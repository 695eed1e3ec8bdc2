"""Sealed values open for their own place only, keys rotate, and files of keys are private."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.changes import FileStep
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.files import write_private
from core.keys.envelope import DamagedKeyFileError, Envelope, seal_payload
from core.keys.rsa_keys import WrongPassphraseError
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import NotErasedError, SealedSecrets
from core.partner.security.sealing import SealedPlace, SealedValueError, Sealer, SecretName
from core.partner.security.sealing_keys import (
    SealingKey,
    SealingKeys,
    SealingKeyStore,
    load_sealing_keys,
    new_sealing_key,
    plan_sealing_key,
)
from core.secrets import Secret, SecretReference, SecretUnavailableError
from tests.unit.keys.sample_keys import CHEAP
from tests.unit.partner.sealed_memory import SealedMemory

OLD, NEW = SealingKey(bytes(range(32))), SealingKey(bytes(range(1, 33)))
SEALER = Sealer(SealingKeys([OLD]))
PLACE = SealedPlace("c-1", SecretName.PERSONAL_ACCESS_TOKEN)
SEALED = SEALER.seal(Secret("dapi-secret"), PLACE)
PASSPHRASE = Secret("three words of a passphrase")


@given(st.text(st.characters(), max_size=200), st.text(max_size=30))
def test_what_is_sealed_comes_out_again(value: str, connection_id: str) -> None:
    place = SealedPlace(connection_id, SecretName.PERSONAL_ACCESS_TOKEN)
    sealed = SEALER.seal(Secret(value, passing=True), place)
    assert SEALER.open(sealed, place).reveal() == value
    assert sealed != SEALER.seal(Secret(value, passing=True), place)


@given(st.data())
def test_no_altered_value_opens(data: st.DataObject) -> None:
    sealed = SEALED
    position = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_.= \n"))
    changed = sealed[:position] + letter + sealed[position + 1 :]
    for wrong in {changed, sealed[:position], sealed + letter} - {sealed}:
        with pytest.raises(SealedValueError) as caught:
            SEALER.open(wrong, PLACE)
        assert "dapi" not in str(caught.value)


def test_a_value_has_one_spelling() -> None:
    sealed = SEALER.seal(Secret("x" * 12), PLACE)  # 40 bytes with nonce and tag: four bits of the last letter are spare
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    with pytest.raises(SealedValueError):
        SEALER.open(sealed[:-1] + alphabet[alphabet.index(sealed[-1]) + 1], PLACE)


@pytest.mark.parametrize(
    "place",
    [SealedPlace("c-2", SecretName.PERSONAL_ACCESS_TOKEN), SealedPlace("c-1", SecretName.U2M_REFRESH_TOKEN)],
)
def test_a_value_moved_to_another_place_does_not_open(place: SealedPlace) -> None:
    with pytest.raises(SealedValueError, match="sealed for another place"):
        SEALER.open(SEALER.seal(Secret("x"), PLACE), place)


def test_rotation_seals_with_the_newest_key_and_opens_with_any() -> None:
    rotated = Sealer(SealingKeys([OLD]).with_newest(NEW))
    sealed = SEALER.seal(Secret("x"), PLACE)
    assert not SEALER.outdated(sealed)
    assert rotated.outdated(sealed)
    renewed = rotated.reseal(sealed, PLACE)
    assert not rotated.outdated(renewed)
    assert Sealer(SealingKeys([NEW])).open(renewed, PLACE).reveal() == "x"
    with pytest.raises(SealedValueError, match=f"its key {OLD.id} is not here"):
        Sealer(SealingKeys([NEW])).open(sealed, PLACE)


def test_keys_go_through_a_text_and_show_themselves_nowhere() -> None:
    keys = SealingKeys([NEW, OLD])
    text = keys.to_text()
    read = SealingKeys.from_text(text)
    assert read.ids == (NEW.id, OLD.id)
    assert read.newest == NEW
    assert repr(NEW.value) not in repr(NEW)
    first, second = text.reveal().split()
    for wrong in (first[:-1], f"{first[:-1]}E", first.replace(NEW.id, OLD.id), f"{second}\nsomething else"):
        with pytest.raises(BadInputError) as caught:
            SealingKeys.from_text(Secret(wrong))
        assert first.rpartition(":")[2] not in str(caught.value)
    with pytest.raises(NotFoundError, match="no sealing key"):
        SealingKeys.from_text(Secret(""))
    with pytest.raises(ValueError, match="32 bytes"):
        SealingKey(bytes(16))


async def make_key(store: SealingKeyStore, passphrase: Secret = PASSPHRASE) -> Path:
    change = await plan_sealing_key(store, passphrase, CHEAP)
    (step,) = change.steps
    assert isinstance(step, FileStep)
    assert step.content is not None
    assert not change.reversible  # a service may have sealed with it since
    write_private(step.path, step.content, replace=False)
    return step.path


async def test_keys_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SealingKeyStore(tmp_path / "sealing")
    with pytest.raises(NotFoundError):
        store.open(PASSPHRASE)
    await make_key(store)
    before = store.open(PASSPHRASE).newest
    with pytest.raises(WrongPassphraseError):
        await plan_sealing_key(store, Secret("another passphrase"), CHEAP)
    path = await make_key(store)
    monkeypatch.setenv("SEALING", PASSPHRASE.reveal())
    keys = await load_sealing_keys(SecretReference.parse("env:SEALING"), store)
    assert keys.ids[1:] == (before.id,)
    wrong = Secret("another passphrase")
    assert store.open(wrong, keys).ids == keys.ids  # those that are open already are not opened again
    with pytest.raises(WrongPassphraseError):
        store.open(wrong, SealingKeys([before]))
    monkeypatch.setenv("SEALING", keys.to_text().reveal())
    assert (await load_sealing_keys(SecretReference.parse("env:SEALING"), store)).ids == keys.ids
    monkeypatch.delenv("SEALING")
    with pytest.raises(SecretUnavailableError):
        await load_sealing_keys(SecretReference.parse("env:SEALING"), store)

    path.chmod(0o640)
    with pytest.raises(RefusedError, match="open to its group"):
        store.open(PASSPHRASE)
    path.chmod(0o600)
    path.rename(store.path(3))
    with pytest.raises(DamagedKeyFileError, match="holds sealing key 2"):
        store.open(PASSPHRASE)
    store.path(3).unlink()
    store.path(3).mkdir()
    with pytest.raises(HousekeysError, match="cannot be read"):
        store.open(PASSPHRASE)


@pytest.mark.parametrize(
    ("envelope", "told"),
    [
        (Envelope("sealing", 1, OLD.mark, None, OLD.value), "not under a passphrase"),
        (seal_payload(OLD.value, "sealing", 1, NEW.mark, PASSPHRASE, CHEAP), "another key than its header says"),
        (seal_payload(bytes(31), "sealing", 1, OLD.mark, PASSPHRASE, CHEAP), "another key than its header says"),
    ],
)
def test_a_file_that_this_program_has_not_written(tmp_path: Path, envelope: Envelope, told: str) -> None:
    store = SealingKeyStore(tmp_path)
    write_private(store.path(1), envelope.to_bytes())
    with pytest.raises(DamagedKeyFileError, match=told):
        store.open(PASSPHRASE)


def test_new_keys_differ() -> None:
    assert new_sealing_key().id != new_sealing_key().id


def test_secrets_are_kept_sealed_and_erased_for_good() -> None:
    memory = SealedMemory()
    secrets = SealedSecrets(CurrentKeys(SealingKeys([OLD])), memory)
    other = SealedPlace("c-2", SecretName.PERSONAL_ACCESS_TOKEN)

    async def live() -> None:
        await secrets.keep(PLACE, Secret("dapi-1"))
        await secrets.keep(other, Secret("dapi-2"))
        assert "dapi" not in str(memory.values)
        found = await secrets.get(PLACE)
        assert found is not None and found.reveal() == "dapi-1"
        await secrets.erase("c-1")
        await secrets.erase("c-1")
        assert await secrets.get(PLACE) is None
        assert list(memory.values) == [other]
        memory.stuck = True
        with pytest.raises(NotErasedError, match="personal_access_token"):
            await secrets.erase("c-2")

    asyncio.run(live())


async def test_seals_are_renewed_but_for_those_that_use_renews() -> None:
    memory = SealedMemory()
    kept = [SealedPlace("c-1", name) for name in SecretName]
    for place in kept:
        await SealedSecrets(CurrentKeys(SealingKeys([OLD])), memory).keep(place, Secret("x"))
    rotated = CurrentKeys(SealingKeys([NEW, OLD]))
    assert await SealedSecrets(rotated, memory).renew_seals("c-1") == 2
    assert await SealedSecrets(rotated, memory).renew_seals("c-1") == 0
    assert {place.name for place in kept if rotated.sealer.outdated(memory.values[place])} == {
        SecretName.U2M_REFRESH_TOKEN,
        SecretName.U2M_AUTHORIZATION,
    }
