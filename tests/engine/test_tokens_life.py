"""Tokens on a real ClickHouse and a real journal: issued, marked, verified, reissued; and what a crash leaves."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.clickhouse.embedded import EmbeddedEngine
from core.errors import BadInputError, NotFoundError, RefusedError
from core.keys import envelope
from core.keys.key_ring import KeyRing
from core.keys.key_store import KeyStore
from core.keys.planning import AtRest, plan_activate, plan_generate, plan_import_datalens, plan_submit
from core.keys.versions import KeyVersion, Side, issuing_keys, key_versions
from core.running.runner import Operator, ReadOnly, Runner
from core.secrets import Secret
from core.tenants.planning import plan_suspend
from core.tokens.issuing import Issuer
from core.tokens.ledger import IssuedToken, TokenState, find_token, pending_by_version, to_reissue, tokens_issued
from core.tokens.planning import issuer_for, plan_issue, plan_mark, plan_reissue, tenant_problems
from core.tokens.text_format import fingerprint_of
from core.tokens.verifying import verify
from tests.engine.tenants_place import TenantsPlace
from tests.unit.keys.sample_keys import CHEAP, make_cheap_keys, private_key, private_pem, public_pem
from tests.unit.tokens.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = Secret("secret")


class TokensPlace(TenantsPlace):
    """With keys of both sides, and tenants."""

    def __init__(self, engine: EmbeddedEngine, folder: Path) -> None:
        super().__init__(engine, folder)
        self.folder = folder
        self.store = KeyStore(folder / "keys")
        self.acme, self.globex = self.name("acme"), self.name("globex")

    async def begin(self) -> TokensPlace:
        await self.prepare()
        await self.rotate_partner()
        await self.run(plan_import_datalens(await self.versions(), 1, public_pem(1)))
        await self.add(self.acme, self.globex)
        return self

    async def versions(self) -> list[KeyVersion]:
        return await key_versions(self.journal)

    async def rotate_partner(self) -> None:
        change = await plan_generate(self.store, await self.versions(), AtRest(SECRET))
        await self.run(change)
        number = int(change.steps[0].events[0].subject)
        await self.run(plan_submit(await self.versions(), number))
        await self.run(plan_activate(await self.versions(), number))

    async def issuer(self) -> Issuer:
        keys = issuing_keys(await self.versions())
        ring = KeyRing(self.store, 900)
        await ring.unlock([keys.partner.version], SECRET)
        return issuer_for(keys, ring)

    async def receiver(self) -> Receiver:
        partner = {str(v.version): v.public_pem.encode() for v in await self.versions() if v.side is Side.PARTNER}
        return Receiver({"1": private_pem(1), "2": private_pem(2)}, partner)

    async def issue(self, *tenants: str, out: Path | None = None) -> list[str]:
        """Issue tokens and give back their texts."""
        issuing = await plan_issue(
            self.engine, await self.issuer(), tenants, datalens_user=self.user, note="n", out=out
        )
        await self.run(issuing.change)
        return [token.text for token in issuing.tokens]

    async def tokens(self) -> list[IssuedToken]:
        return await tokens_issued(self.journal)

    async def known(self) -> set[str]:
        return {token.fingerprint for token in await self.tokens()}


@pytest.fixture
async def place(
    shared_engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[TokensPlace]:
    make_cheap_keys(monkeypatch)
    place = await TokensPlace(shared_engine, tmp_path).begin()
    yield place
    await place.leave()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_place(
    shared_engine: EmbeddedEngine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TokensPlace]:
    """One place for all crashes: none hides behind what another has left."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_cheap_keys(monkeypatch)
        place = await TokensPlace(shared_engine, tmp_path_factory.mktemp("crashes")).begin()
        yield place
        await place.leave()


async def test_an_issued_token_is_accepted_and_in_the_ledger(place: TokensPlace) -> None:
    (text,) = await place.issue(place.acme)
    assert (await place.receiver()).accept(text) == place.acme
    (token,) = await place.tokens()
    assert token.fingerprint == fingerprint_of(text)
    assert (token.tenant, token.datalens_version, token.partner_version) == (place.acme, 1, 1)
    assert (token.state, token.note, token.operator) == (TokenState.ISSUED, "n", "op")
    assert await find_token(place.journal, token.fingerprint) == token
    assert await find_token(place.journal, "0" * 64) is None
    assert (await place.tenant(place.acme)).tokens == 1
    found = await verify(text, await place.versions(), lambda mark: find_token(place.journal, mark), private_key(1))
    assert {finding.passed for finding in found.findings} == {True}


async def test_no_token_for_what_datalens_could_not_read(place: TokensPlace) -> None:
    missing, unread = place.name("missing"), place.name("unread")
    await place.engine.command(f"CREATE DATABASE {unread}")
    with pytest.raises(NotFoundError, match="no such database") as none:
        await place.issue(missing)
    assert f"tenant add {missing}" in none.value.advice
    with pytest.raises(RefusedError, match="cannot read") as closed:
        await place.issue(place.acme, unread)
    assert f"tenant adopt {unread}" in closed.value.advice
    await place.run(await plan_suspend(place.engine, place.journal, [place.globex], datalens_user=place.user))
    assert set(await tenant_problems(place.engine, [place.acme, place.globex], place.user)) == {place.globex}
    with pytest.raises(NotFoundError, match="datalens setup"):
        await tenant_problems(place.engine, [place.acme], "nobody-at-all")
    assert await place.tokens() == []


async def test_a_database_readable_through_a_role_is_good_enough(place: TokensPlace) -> None:
    database, role, inner = place.name("by_role"), place.name("role"), place.name("inner")
    for statement in (
        f"CREATE DATABASE {database}",
        f"CREATE ROLE {role}, {inner}",
        f"GRANT SELECT ON {database}.* TO {inner}",
        f"GRANT {inner} TO {role}",
        f"GRANT {role} TO `{place.user}`",
    ):
        await place.engine.command(statement)
    assert await place.issue(database)


async def test_marks_and_their_undo(place: TokensPlace) -> None:
    first, second = (fingerprint_of(text) for text in await place.issue(place.acme, place.globex))
    tokens = {token.fingerprint: token for token in await place.tokens()}
    await place.run(plan_mark([tokens[first], tokens[second]], TokenState.DELIVERED))
    tokens = {token.fingerprint: token for token in await place.tokens()}
    assert {token.state for token in tokens.values()} == {TokenState.DELIVERED}
    await place.run(plan_mark([tokens[first]], TokenState.USED, "by Ann"))
    assert pending_by_version(await place.tokens())[Side.PARTNER, 1] == 1
    await place.run(await place.runner.last_undoable())
    token = await find_token(place.journal, first)
    assert token is not None
    assert token.state is TokenState.DELIVERED
    assert token == next(t for t in await place.tokens() if t.fingerprint == first)


async def test_many_go_to_a_private_file_and_the_ledger(place: TokensPlace) -> None:
    out = place.folder / "tokens.csv"
    texts = await place.issue(*[place.acme, place.globex] * 20, out=out)
    assert out.stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(out.open(newline="")))
    assert [row["token"] for row in rows] == texts
    assert [row["tenant"] for row in rows] == [place.acme, place.globex] * 20
    assert {row["fingerprint"] for row in rows} == await place.known()
    with pytest.raises(BadInputError, match="exists already"):
        await place.issue(place.acme, out=out)
    with pytest.raises(BadInputError, match="No tenant"):
        await place.issue(out=place.folder / "none.csv")
    await place.run(await place.runner.last_undoable())
    assert not out.exists()
    assert {token.state for token in await place.tokens()} == {TokenState.VOID}


async def test_a_file_that_cannot_be_written_leaves_no_token_outside_of_the_ledger(place: TokensPlace) -> None:
    out = place.folder / "closed" / "tokens.csv"
    out.parent.mkdir()
    issuing = await plan_issue(place.engine, await place.issuer(), [place.acme], datalens_user=place.user, out=out)
    out.parent.rmdir()
    out.parent.touch()  # since it was planned: a file where the folder should be
    report = await place.runner.run(issuing.change)
    assert not report.succeeded
    await place.run(await place.runner.last_undoable())
    assert [token.state for token in await place.tokens()] == [TokenState.VOID]


async def test_a_rotation_and_the_reissue_it_calls_for(place: TokensPlace) -> None:
    old, used = (fingerprint_of(text) for text in await place.issue(place.acme, place.globex))
    by_mark = {token.fingerprint: token for token in await place.tokens()}
    await place.run(plan_mark([by_mark[used]], TokenState.USED))
    assert to_reissue(await place.tokens(), await place.versions()) == []
    await place.rotate_partner()
    await place.run(plan_import_datalens(await place.versions(), 2, public_pem(2)))
    wanted = to_reissue(await place.tokens(), await place.versions())
    assert [entry.token.fingerprint for entry in wanted] == [old]
    assert len(wanted[0].reasons) == 2
    out = place.folder / "new.csv"
    issuing = await plan_reissue(place.engine, await place.issuer(), wanted, datalens_user=place.user, out=out)
    await place.run(issuing.change)
    states = {token.fingerprint: token.state for token in await place.tokens()}
    (new,) = issuing.tokens
    assert states == {old: TokenState.VOID, used: TokenState.USED, new.fingerprint: TokenState.ISSUED}
    assert new.text.startswith("2:2:")
    assert (await place.receiver()).accept(new.text) == place.acme
    assert to_reissue(await place.tokens(), await place.versions()) == []
    await place.run(await place.runner.last_undoable())
    states = {token.fingerprint: token.state for token in await place.tokens()}
    assert states == {old: TokenState.ISSUED, used: TokenState.USED, new.fingerprint: TokenState.VOID}


async def test_a_reissue_leaves_out_tenants_that_are_gone(place: TokensPlace) -> None:
    await place.issue(place.acme, place.globex)
    await place.rotate_partner()
    await place.engine.command(f"DROP DATABASE {place.globex}")
    wanted = to_reissue(await place.tokens(), await place.versions())
    issuing = await plan_reissue(
        place.engine, await place.issuer(), wanted, datalens_user=place.user, out=place.folder / "new.csv"
    )
    assert [token.tenant for token in issuing.tokens] == [place.acme]
    assert set(issuing.skipped) == {place.globex}
    await place.engine.command(f"DROP DATABASE {place.acme}")
    with pytest.raises(RefusedError, match="None of these"):
        await plan_reissue(
            place.engine, await place.issuer(), wanted, datalens_user=place.user, out=place.folder / "new.csv"
        )


async def test_another_private_key_than_the_journal_knows_is_not_used(place: TokensPlace) -> None:
    place.store.path(1).write_bytes(envelope.seal(private_key(3), "partner", 1, SECRET, CHEAP).to_bytes())
    with pytest.raises(RefusedError, match="is not the one that the journal knows"):
        await place.issuer()


async def test_hostile_names_are_exact_in_token_ledger_and_file(place: TokensPlace) -> None:
    names = [place.name(stem) for stem in ("a'; --", 'b"\\`', "[bold]x[/]", "ж\U0001f511", "=1+1", "x,y")]
    await place.add(*names)
    out = place.folder / "hostile.csv"
    texts = await place.issue(*names, out=out)
    receiver = await place.receiver()
    assert [receiver.accept(text) for text in texts] == names
    assert [row["tenant"] for row in csv.DictReader(out.open(newline=""))] == names
    assert {token.tenant for token in await place.tokens()} == set(names)


class Death(BaseException):
    """The process is gone: nothing but what is on disk is left."""


@pytest.mark.parametrize("die_at", range(1, 12))
async def test_no_crash_leaves_a_token_outside_of_the_ledger(
    lasting_place: TokensPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, die_at: int
) -> None:
    place, out = lasting_place, tmp_path / "tokens.csv"
    issuing = await plan_issue(place.engine, await place.issuer(), [place.acme] * 3, datalens_user=place.user, out=out)
    left = die_at

    def dying(act: Any) -> Any:
        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Death
            return act(*arguments, **options)

        return counted

    with monkeypatch.context() as patches:
        for name in ("pwrite", "rename", "link"):
            patches.setattr(os, name, dying(getattr(os, name)))
        patches.setattr(place.engine, "insert", dying(place.engine.insert))
        with contextlib.suppress(Death):
            await place.runner.run(issuing.change)
    # The next start sends what is unsent, and nobody resumes anything.
    again = Runner(place.engine, place.journal, place.folder / "changes", Operator("op", "h"), "prod", ReadOnly(False))
    await again.send_unsent()
    for unfinished in again.unfinished():
        await again.dismiss(unfinished.id)
    if out.exists():
        assert {fingerprint_of(token.text) for token in issuing.tokens} <= await place.known()


async def test_no_token_text_in_journal_write_ahead_file_preview_or_repr(place: TokensPlace) -> None:
    out = place.folder / "tokens.csv"
    issuing = await plan_issue(place.engine, await place.issuer(), [place.acme], datalens_user=place.user, out=out)
    secret = issuing.tokens[0].text.split(":")[2][:40]
    assert secret not in repr(issuing)
    assert secret not in issuing.change.preview()
    await place.run(issuing.change)
    written = b"".join(path.read_bytes() for path in (place.folder / "changes").iterdir())
    assert secret.encode() not in written
    assert secret not in repr(await place.journal.history())
    assert secret in out.read_text()
