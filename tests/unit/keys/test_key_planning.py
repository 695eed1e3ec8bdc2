"""Changes of keys: what each writes and records, what it refuses, and what is left when it is taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.change_records import change_to_record
from core.changes import Change, Danger, FileStep, RecordStep, StatementStep, Step, inverse
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.files import remove_file, write_private
from core.journal.rows import Row
from core.keys import rsa_keys
from core.keys.envelope import NotProtectedError
from core.keys.key_ring import UnlockedKey
from core.keys.key_store import KeyStore
from core.keys.planning import (
    AtRest,
    next_version,
    plan_activate,
    plan_change_passphrase,
    plan_export_private,
    plan_generate,
    plan_import_datalens,
    plan_import_partner,
    plan_retire,
    plan_submit,
)
from core.keys.rsa_keys import PassphraseMissingError, WrongPassphraseError
from core.keys.versions import KeyState, KeyVersion, Side, find, fold, issuing_keys
from core.secrets import Secret
from tests.unit.keys.sample_keys import (
    fingerprint,
    make_cheap_keys,
    openssl,
    private_key,
    private_pem,
    public_pem,
    rows_of,
)

SECRET = AtRest(Secret("secret"))


class Bench:
    """Runs changes on files and keeps their facts, with nothing of a runner's care."""

    def __init__(self, folder: Path) -> None:
        self.store = KeyStore(folder / "keys")
        self.rows: list[Row] = []

    @property
    def versions(self) -> list[KeyVersion]:
        return fold(self.rows)

    def run(self, change: Change) -> Change:
        for step in change.steps:
            self._run(step)
        return change

    def undo(self, change: Change) -> None:
        self.run(inverse(change, range(len(change.steps))))

    def _run(self, step: Step) -> None:
        assert not isinstance(step, StatementStep)
        if isinstance(step, FileStep):
            if step.content is None:
                remove_file(step.path)
            else:
                write_private(step.path, step.content, replace=step.replace_existing)
        self.rows += rows_of(*step.events, after=len(self.rows))

    def state(self, number: int, side: Side = Side.PARTNER) -> KeyState:
        return find(self.versions, side, number).state

    async def generate(self, number: int | None = None) -> Change:
        return self.run(await plan_generate(self.store, self.versions, SECRET, number=number))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    make_cheap_keys(monkeypatch)
    return Bench(tmp_path)


async def test_generate_takes_the_next_number_and_keeps_the_key_under_the_passphrase(bench: Bench) -> None:
    change = await bench.generate()
    assert change.danger is Danger.ROUTINE
    assert not change.reversible
    key = bench.store.read(1).open(Secret("secret"))
    version = find(bench.versions, Side.PARTNER, 1)
    assert version.state is KeyState.GENERATED
    assert rsa_keys.fingerprint(key.public_key()) == version.fingerprint == bench.store.read(1).fingerprint
    assert rsa_keys.fingerprint(version.public_key) == version.fingerprint
    assert bench.store.path(1).stat().st_mode & 0o777 == 0o600
    assert bench.store.problems() == []
    assert b"PRIVATE" not in repr(change_to_record(change)).encode()


async def test_numbers_only_grow(bench: Bench) -> None:
    await bench.generate(5)
    with pytest.raises(RefusedError, match="next free number is 6"):
        await bench.generate(5)
    with pytest.raises(RefusedError):
        await bench.generate(4)
    bench.run(plan_retire(bench.versions, Side.PARTNER, 5))
    assert next_version(bench.store, bench.versions) == 6
    await bench.generate()
    remove_file(bench.store.path(6))
    assert next_version(bench.store, bench.versions) == 7
    assert next_version(bench.store, []) == 6
    with pytest.raises(BadInputError):
        await bench.generate(2**31)


async def test_no_passphrase_only_by_insisting_and_then_never_written_ahead(bench: Bench) -> None:
    with pytest.raises(NotProtectedError, match="second flag"):
        await plan_generate(bench.store, [], AtRest(None))
    change = bench.run(await plan_generate(bench.store, [], AtRest(None, insist_unprotected=True)))
    assert "no passphrase" in change.consequences[0]
    assert "content" not in change_to_record(change)["steps"][0]
    assert bench.store.read(1).open(None)


async def test_a_rotation_step_by_step(bench: Bench) -> None:
    await bench.generate()
    with pytest.raises(RefusedError, match="not submitted"):
        plan_activate(bench.versions, 1)
    bench.run(plan_submit(bench.versions, 1))
    with pytest.raises(RefusedError, match="is submitted already"):
        plan_submit(bench.versions, 1)
    bench.run(plan_activate(bench.versions, 1))
    assert bench.state(1) is KeyState.ACTIVE
    await bench.generate()
    bench.run(plan_submit(bench.versions, 2))
    assert bench.state(1) is KeyState.ACTIVE  # the overlap begins only with activation
    activation = bench.run(plan_activate(bench.versions, 2))
    assert "Version 1 is no longer issued with" in activation.consequences[1]
    assert (bench.state(1), bench.state(2)) == (KeyState.RETIRING, KeyState.ACTIVE)
    bench.undo(activation)
    assert (bench.state(1), bench.state(2)) == (KeyState.ACTIVE, KeyState.SUBMITTED)
    bench.run(plan_activate(bench.versions, 2))
    retirement = bench.run(plan_retire(bench.versions, Side.PARTNER, 1, unused_tokens=3))
    assert retirement.danger is Danger.DISRUPTIVE
    assert any("3 tokens" in sentence for sentence in retirement.consequences)
    assert bench.state(1) is KeyState.RETIRED
    with pytest.raises(RefusedError, match="retired"):
        plan_activate(bench.versions, 1)
    with pytest.raises(RefusedError, match="retired already"):
        plan_retire(bench.versions, Side.PARTNER, 1)
    bench.undo(retirement)
    assert bench.state(1) is KeyState.RETIRING
    bench.run(plan_activate(bench.versions, 1))  # back to the old one: the new one did not work out
    assert (bench.state(1), bench.state(2)) == (KeyState.ACTIVE, KeyState.RETIRING)


def test_retiring_the_last_of_a_side_says_so(bench: Bench) -> None:
    bench.run(plan_import_datalens([], 1, public_pem(1)))
    change = plan_retire(bench.versions, Side.DATALENS, 1, unused_tokens=1)
    assert any("only DataLens key" in sentence for sentence in change.consequences)
    assert any("1 token made" in sentence for sentence in change.consequences)


async def test_a_number_whose_import_was_undone_is_never_generated(bench: Bench) -> None:
    bench.undo(bench.run(await plan_import_partner(bench.store, [], 7, private_pem(1), None, SECRET)))
    with pytest.raises(RefusedError, match="never used again"):
        await plan_generate(bench.store, bench.versions, SECRET, number=7)
    assert next_version(bench.store, bench.versions) == 8
    with pytest.raises(RefusedError, match="retired already"):
        plan_retire(bench.versions, Side.PARTNER, 7)
    # It was the wrong file, or the wrong number, and nobody else knows of it.
    bench.run(await plan_import_partner(bench.store, bench.versions, 8, private_pem(1), None, SECRET))
    change = bench.run(await plan_import_partner(bench.store, bench.versions, 7, private_pem(2), None, SECRET))
    seven = find(bench.versions, Side.PARTNER, 7)
    assert (seven.fingerprint, seven.state, seven.conflicts) == (fingerprint(2), KeyState.GENERATED, ())
    bench.run(plan_submit(bench.versions, 7))
    bench.undo(change)
    with pytest.raises(RefusedError, match="another key"):
        await plan_import_partner(bench.store, bench.versions, 7, private_pem(3), None, SECRET)
    bench.run(await plan_import_partner(bench.store, bench.versions, 7, private_pem(2), None, SECRET))
    assert find(bench.versions, Side.PARTNER, 7).state is KeyState.GENERATED


async def test_import_of_a_partner_key_and_back(bench: Bench) -> None:
    pem = openssl("rsa", "-traditional", "-aes256", "-passout", "pass:old", stdin=private_pem(1))
    with pytest.raises(PassphraseMissingError):
        await plan_import_partner(bench.store, [], 7, pem, None, SECRET)
    with pytest.raises(WrongPassphraseError):
        await plan_import_partner(bench.store, [], 7, pem, Secret("wrong"), SECRET)
    change = bench.run(await plan_import_partner(bench.store, [], 7, pem, Secret("old"), SECRET))
    assert find(bench.versions, Side.PARTNER, 7).fingerprint == fingerprint(1)
    assert find(bench.versions, Side.PARTNER, 7).imported
    assert next_version(bench.store, bench.versions) == 8
    with pytest.raises(RefusedError, match="already"):
        await plan_import_partner(bench.store, bench.versions, 7, private_pem(1), None, SECRET)
    with pytest.raises(RefusedError, match="another key"):
        await plan_import_partner(bench.store, bench.versions, 7, private_pem(2), None, SECRET)
    with pytest.raises(RefusedError, match="This is partner key 7"):
        await plan_import_partner(bench.store, bench.versions, 8, private_pem(1), None, SECRET)
    bench.undo(change)
    assert [(v.version, v.state, v.spent) for v in bench.versions] == [(7, KeyState.RETIRED, True)]
    assert not bench.store.has(7)
    assert bench.store.versions() == []


async def test_a_key_of_the_journal_is_brought_to_a_second_machine(bench: Bench, tmp_path: Path) -> None:
    bench.run(await plan_import_partner(bench.store, [], 1, private_pem(1), None, SECRET))
    bench.run(plan_submit(bench.versions, 1))
    second = KeyStore(tmp_path / "second")
    change = bench.run(await plan_import_partner(second, bench.versions, 1, private_pem(1), None, SECRET))
    assert not change.reversible
    assert second.read(1).fingerprint == fingerprint(1)
    assert bench.state(1) is KeyState.SUBMITTED


def test_import_of_datalens_keys(bench: Bench) -> None:
    bench.run(plan_import_datalens([], 2, public_pem(1)))
    with pytest.raises(RefusedError, match="imported already"):
        plan_import_datalens(bench.versions, 2, public_pem(1))
    with pytest.raises(RefusedError, match="another key"):
        plan_import_datalens(bench.versions, 2, public_pem(2))
    with pytest.raises(RefusedError, match="This is DataLens key 2"):
        plan_import_datalens(bench.versions, 3, public_pem(1))
    older = plan_import_datalens(bench.versions, 1, public_pem(2))
    assert "still encrypted to version 2" in older.consequences[1]
    newer = bench.run(plan_import_datalens(bench.versions, 3, public_pem(2)))
    assert "encrypted to it from now on" in newer.consequences[1]
    assert fingerprint(2) in newer.consequences[0]
    bench.undo(newer)
    assert [version.version for version in bench.versions] == [2]


async def test_your_own_public_key_is_not_taken_for_that_of_datalens(bench: Bench) -> None:
    bench.run(await plan_import_partner(bench.store, [], 1, private_pem(1), None, SECRET))
    with pytest.raises(RefusedError, match="This is partner key 1"):
        plan_import_datalens(bench.versions, 1, public_pem(1))


async def test_the_passphrase_changes_for_all_and_says_which_does_not_open(bench: Bench) -> None:
    with pytest.raises(NotFoundError):
        await plan_change_passphrase(bench.store, [], Secret("secret"), AtRest(Secret("new")))
    await bench.generate()
    await bench.generate()
    with pytest.raises(WrongPassphraseError, match="Partner key 1"):
        await plan_change_passphrase(bench.store, bench.versions, Secret("wrong"), AtRest(Secret("new")))
    before = bench.versions
    new = AtRest(Secret("new"))
    change = bench.run(await plan_change_passphrase(bench.store, bench.versions, Secret("secret"), new))
    assert change.danger is Danger.DISRUPTIVE
    for number in (1, 2):
        assert bench.store.read(number).open(Secret("new"))
        with pytest.raises(WrongPassphraseError):
            bench.store.read(number).open(Secret("secret"))
    assert bench.versions == before
    with pytest.raises(NotProtectedError):
        await plan_change_passphrase(bench.store, bench.versions, Secret("new"), AtRest(None))


@pytest.mark.parametrize("new", [AtRest(Secret("new")), AtRest(None, insist_unprotected=True)])
async def test_a_change_of_passphrase_that_broke_off_is_made_again(bench: Bench, new: AtRest) -> None:
    for _ in range(3):
        await bench.generate()
    change = await plan_change_passphrase(bench.store, bench.versions, Secret("secret"), new)
    bench.run(Change(change.title, change.steps[:2]))
    for number in (1, 2, 3):  # whatever breaks off, each opens with the old or the new
        bench.store.read(number).open(new.passphrase if number < 3 else Secret("secret"))
    again = bench.run(await plan_change_passphrase(bench.store, bench.versions, Secret("secret"), new))
    if new.passphrase:
        assert [step.title for step in again.steps] == ["Protect partner key 3 anew"]
        with pytest.raises(RefusedError, match="already"):
            await plan_change_passphrase(bench.store, bench.versions, Secret("secret"), new)
    for number in (1, 2, 3):
        bench.store.read(number).open(new.passphrase)


async def test_the_private_half_leaves_only_encrypted_and_by_typing_its_name(bench: Bench, tmp_path: Path) -> None:
    key = UnlockedKey(3, fingerprint(1), private_key(1))
    out = tmp_path / "backup.pem"
    with pytest.raises(BadInputError, match="at least 12"):
        await plan_export_private(key, out, Secret("short"))
    change = bench.run(await plan_export_private(key, out, Secret("long enough it is")))
    assert (change.danger, change.confirm_name) == (Danger.DESTRUCTIVE, "partner-3")
    assert "content" not in change_to_record(change)["steps"][0]
    assert out.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED PRIVATE KEY" in out.read_bytes()
    plain = openssl("pkey", "-in", str(out), "-passin", "pass:long enough it is")
    assert rsa_keys.fingerprint(rsa_keys.load_private(plain).public_key()) == fingerprint(1)
    with pytest.raises(BadInputError, match="exists already"):
        await plan_export_private(key, out, Secret("long enough it is"))


async def test_no_secret_in_any_preview_record_or_repr(bench: Bench) -> None:
    passphrase = Secret("a passphrase nobody else uses")
    change = await plan_generate(bench.store, [], AtRest(passphrase))
    shown = f"{change!r} {change.preview()} {change_to_record(change)!r} {AtRest(passphrase)!r}"
    assert passphrase.reveal() not in shown
    assert "PRIVATE KEY" not in shown


async def test_every_error_is_one_an_operator_understands(bench: Bench) -> None:
    await bench.generate()
    with pytest.raises(HousekeysError) as caught:
        issuing_keys(bench.versions)
    assert "housekeys key export 1" in caught.value.advice


def test_record_steps_have_no_content() -> None:
    change = plan_import_datalens([], 1, public_pem(1))
    assert isinstance(change.steps[0], RecordStep)
    assert change.reversible
