"""The life of keys on a real journal: made, sent, active, rotated, retired, undone; and what a crash leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.changes import inverse
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import RefusedError
from core.keys.key_ring import KeyRing
from core.keys.key_store import KeyStore
from core.keys.planning import (
    AtRest,
    plan_activate,
    plan_change_passphrase,
    plan_export_public,
    plan_generate,
    plan_import_datalens,
    plan_retire,
    plan_submit,
)
from core.keys.rsa_keys import WrongPassphraseError
from core.keys.versions import KeyState, KeyVersion, Side, find, key_versions
from core.secrets import Secret
from tests.engine.tenants_place import TenantsPlace
from tests.unit.keys.sample_keys import fingerprint, make_cheap_keys, openssl, public_pem

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = Secret("secret")


class KeysPlace(TenantsPlace):
    """With a key store of its own."""

    def __init__(self, engine: EmbeddedEngine, folder: Path) -> None:
        super().__init__(engine, folder)
        self.folder = folder
        self.store = KeyStore(folder / "keys")

    async def versions(self) -> list[KeyVersion]:
        return await key_versions(self.journal)

    async def state(self, number: int, side: Side = Side.PARTNER) -> KeyState:
        return find(await self.versions(), side, number).state

    async def generate(self) -> None:
        await self.run(await plan_generate(self.store, await self.versions(), AtRest(SECRET)))


@pytest.fixture
async def place(
    shared_engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KeysPlace]:
    make_cheap_keys(monkeypatch)
    place = KeysPlace(shared_engine, tmp_path)
    await place.prepare(with_user=False)
    yield place
    await place.leave()


async def test_a_rotation_is_folded_from_the_journal_by_any_other_operator(place: KeysPlace) -> None:
    assert await place.versions() == []
    await place.generate()
    await place.run(plan_submit(await place.versions(), 1))
    await place.run(plan_activate(await place.versions(), 1))
    await place.generate()
    await place.run(plan_submit(await place.versions(), 2))
    await place.run(plan_activate(await place.versions(), 2))
    assert (await place.state(1), await place.state(2)) == (KeyState.RETIRING, KeyState.ACTIVE)
    await place.run(plan_retire(await place.versions(), Side.PARTNER, 1))
    assert await place.state(1) is KeyState.RETIRED
    versions = await place.versions()
    assert [version.operator for version in versions] == ["op", "op"]
    assert [version.fingerprint for version in versions] == [place.store.read(n).fingerprint for n in (1, 2)]
    told = [row.action for row in (await place.journal.history("partner_key", "1"))[::-1]]
    assert told == ["generate", "submit", "activate", "supersede", "retire"]


async def test_undo_goes_back_one_step_and_never_frees_a_number(place: KeysPlace) -> None:
    await place.generate()
    with pytest.raises(RefusedError, match="retire the key instead"):
        await place.runner.last_undoable()
    await place.run(plan_submit(await place.versions(), 1))
    await place.run(await place.runner.last_undoable())
    assert await place.state(1) is KeyState.GENERATED


async def test_an_import_is_undone_by_withdrawing_it(place: KeysPlace) -> None:
    await place.run(plan_import_datalens([], 5, public_pem(1)))
    assert find(await place.versions(), Side.DATALENS, 5).fingerprint == fingerprint(1)
    await place.run(await place.runner.last_undoable())
    assert await place.versions() == []
    await place.run(plan_import_datalens(await place.versions(), 5, public_pem(2)))
    assert find(await place.versions(), Side.DATALENS, 5).fingerprint == fingerprint(2)


async def test_a_key_file_in_the_way_is_never_written_over(place: KeysPlace) -> None:
    change = await plan_generate(place.store, [], AtRest(SECRET))
    place.store.folder.mkdir(mode=0o700)
    place.store.path(1).write_text("somebody else's")
    report = await place.runner.run(change)
    assert not report.succeeded
    assert place.store.path(1).read_text() == "somebody else's"
    assert await place.versions() == []


async def test_the_passphrase_changes_on_disk_and_is_told(place: KeysPlace) -> None:
    await place.generate()
    new = AtRest(Secret("another"))
    await place.run(await plan_change_passphrase(place.store, await place.versions(), SECRET, new))
    ring = KeyRing(place.store, 900)
    with pytest.raises(WrongPassphraseError):
        await ring.unlock([1], SECRET)
    await ring.unlock([1], Secret("another"))
    assert ring.key(1).fingerprint == find(await place.versions(), Side.PARTNER, 1).fingerprint
    row = (await place.journal.history("partner_key", "1"))[0]
    assert (row.action, row.details["protected"]) == ("change passphrase", True)
    assert await place.state(1) is KeyState.GENERATED


async def test_an_exported_public_half_is_read_by_openssl_and_undone(place: KeysPlace) -> None:
    await place.generate()
    out = place.folder / "out.pem"
    change = plan_export_public(find(await place.versions(), Side.PARTNER, 1), out)
    await place.run(change)
    assert b"BEGIN PUBLIC KEY" in openssl("pkey", "-pubin", "-in", str(out))
    await place.run(inverse(change, [0]))
    assert not out.exists()


async def test_no_secret_reaches_the_journal_or_the_write_ahead_file(place: KeysPlace) -> None:
    await place.run(await plan_generate(place.store, [], AtRest(None, insist_unprotected=True)))
    payload = place.store.read(1).to_bytes().split(b"\n")[1][100:160]
    written = b"".join(path.read_bytes() for path in (place.folder / "changes").iterdir())
    assert payload not in written
    rows = await place.journal.history()
    assert "PRIVATE" not in repr([row.details for row in rows])
