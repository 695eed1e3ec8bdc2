"""Changes of tokens. The tokens themselves never come near a Change, but for a secret file that is to be written:
they are handed back beside it, and the journal gets their fingerprints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.changes import Change, Event, FileStep, RecordStep, Step
from core.clickhouse.engine import Engine
from core.display import one_line
from core.errors import BadInputError, NotFoundError, RefusedError
from core.keys.key_ring import KeyRing
from core.keys.planning import unused_path
from core.keys.versions import IssuingKeys
from core.tenants.reading import read_rights
from core.tokens.delivery import NewToken, tokens_csv
from core.tokens.issuing import Issuer
from core.tokens.ledger import RESTORE, SUBJECT_KIND, IssuedToken, Reissue, TokenState, issue_event, state_event

NOT_REVOCABLE = (
    "A token cannot be revoked one by one: DataLens knows no list of them. To cut a client off, suspend the tenant; "
    "to make unused tokens worthless, retire the key version and ask DataLens to drop it."
)
_BEFORE = {
    TokenState.DELIVERED: {TokenState.ISSUED},
    TokenState.USED: {TokenState.ISSUED, TokenState.DELIVERED},
    TokenState.VOID: {TokenState.ISSUED, TokenState.DELIVERED},
}
_MESSAGES = {
    TokenState.DELIVERED: "This only records that the client has it.",
    TokenState.USED: "This only records that the client made a connection with it; the connection needs no token.",
    TokenState.VOID: NOT_REVOCABLE,
}

NO_DATABASE = "there is no such database"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Issuing:
    """Tokens made and the change that enters them into the ledger. They are handed out after it has run.

    `skipped` are the tenants that got none, with the reason.
    """

    change: Change
    tokens: tuple[NewToken, ...] = field(repr=False)
    skipped: Mapping[str, str] = field(default_factory=dict)


def issuer_for(keys: IssuingKeys, ring: KeyRing) -> Issuer:
    """What makes tokens with `keys`. Raises KeyLockedError; RefusedError when this machine holds another key."""
    unlocked = ring.key(keys.partner.version)
    if unlocked.fingerprint != keys.partner.fingerprint:
        raise RefusedError(
            f"The private key on this machine is not the one that the journal knows as {keys.partner.label}.",
            advice=f"Its fingerprint is {unlocked.fingerprint}; the journal has {keys.partner.fingerprint}.",
        )
    return Issuer(unlocked.private, keys.partner.version, keys.datalens.public_key, keys.datalens.version)


async def tenant_problems(engine: Engine, tenants: Collection[str], datalens_user: str) -> dict[str, str]:
    """Why no token should be made for some of `tenants`: the reason by name, empty when all is well.

    DataLens takes a token for a database that does not exist or cannot be read, and shows an empty list of tables.
    Raises NotFoundError when there is no such user, RefusedError when its grants cannot be seen.
    """
    databases = {row[0] for row in (await engine.query("SELECT name FROM system.databases")).rows}
    reading = await read_rights(engine, datalens_user)
    if reading.exists is False:
        raise NotFoundError(
            f"There is no user {one_line(datalens_user)}, by which DataLens would read the databases.",
            advice="Create it: housekeys datalens setup",
        )
    problems = {tenant: NO_DATABASE for tenant in tenants if tenant not in databases}
    unread = [tenant for tenant in tenants if tenant in databases and not reading.covers(tenant)]
    if unread and reading.problem:
        raise RefusedError(
            f"Whether DataLens can read {one_line(unread[0])} cannot be told. {reading.problem}",
            advice="Ask for the right to see the grants: GRANT SHOW USERS, SHOW ROLES ON *.* TO you",
        )
    return problems | {tenant: f"the user {one_line(datalens_user)} cannot read the database" for tenant in unread}


async def require_tenants(engine: Engine, tenants: Collection[str], datalens_user: str) -> None:
    """Raise NotFoundError or RefusedError, naming the fix, unless a token can be made for each of `tenants`."""
    problems = await tenant_problems(engine, tenants, datalens_user)
    if not problems:
        return
    name, problem = next(iter(problems.items()))
    shown = one_line(name)
    others = f" The same or the like holds for {len(problems) - 1} more." if len(problems) > 1 else ""
    detail = "\n".join(f"{one_line(tenant)}: {reason}" for tenant, reason in problems.items())
    message = f"No token for {shown}: {problem}.{others}"
    if problem == NO_DATABASE:
        raise NotFoundError(message, advice=f"Create it: housekeys tenant add {shown}", detail=detail)
    fix = f"Open it: housekeys tenant adopt {shown} (or resume, if it was suspended)"
    raise RefusedError(message, advice=fix, detail=detail)


async def plan_issue(
    engine: Engine,
    issuer: Issuer,
    tenants: Sequence[str],
    *,
    datalens_user: str,
    note: str = "",
    out: Path | None = None,
    progress: Progress | None = None,
) -> Issuing:
    """Make a token for each of `tenants`; with `out`, into a CSV file that the change writes.

    Raises BadInputError (no tenant, a name too long, the file exists), NotFoundError, RefusedError.
    """
    if not tenants:
        raise BadInputError("No tenant to issue a token for.")
    path = await asyncio.to_thread(unused_path, out) if out is not None else None
    await require_tenants(engine, tenants, datalens_user)
    tokens = await issuer.issue_many(tenants, progress)
    events = [_issued(token, note) for token in tokens]
    what = f"a token for {one_line(tokens[0].tenant)}" if len(tokens) == 1 else f"{len(tokens):,} tokens"
    steps = _steps(f"Issue {what}", tokens, events, path)
    return Issuing(Change(steps[0].title, steps, consequences=_consequences(issuer)), tuple(tokens))


async def plan_reissue(
    engine: Engine,
    issuer: Issuer,
    wanted: Sequence[Reissue],
    *,
    datalens_user: str,
    out: Path,
    progress: Progress | None = None,
) -> Issuing:
    """Make a new token for each of `wanted` into a CSV file, and mark the old one void.

    Tenants that are gone or suspended are skipped. Raises RefusedError when nothing is left, BadInputError.
    """
    path = await asyncio.to_thread(unused_path, out)
    skipped = await tenant_problems(engine, {entry.token.tenant for entry in wanted}, datalens_user)
    entries = [entry for entry in wanted if entry.token.tenant not in skipped]
    if not entries:
        raise RefusedError(
            "There is no token to reissue." if not skipped else "None of these tokens can be reissued.",
            detail="\n".join(f"{one_line(tenant)}: {reason}" for tenant, reason in skipped.items()),
        )
    tokens = await issuer.issue_many([entry.token.tenant for entry in entries], progress)
    pairs = list(zip(entries, tokens, strict=True))
    events = [_issued(token, entry.token.note, replaces=entry.token.fingerprint) for entry, token in pairs]
    old = [entry.token for entry in entries]
    replaced = RecordStep(
        "Mark the tokens they replace as void",
        tuple(state_event(token, TokenState.VOID.action, TokenState.VOID, "reissued") for token in old),
        undo=RecordStep("Take that back", tuple(state_event(token, RESTORE, token.state) for token in old)),
        needs=1,
    )
    many = "1 token" if len(tokens) == 1 else f"{len(tokens):,} tokens"
    steps = (*_steps(f"Reissue {many}", tokens, events, path), replaced)
    consequences = (*_consequences(issuer), "The old tokens are marked void; they work until DataLens drops their key.")
    return Issuing(Change(steps[0].title, steps, consequences=consequences), tuple(tokens), skipped)


def plan_mark(tokens: Sequence[IssuedToken], state: TokenState, note: str = "") -> Change:
    """Record that `tokens` came to `state`. Raises RefusedError when one cannot from where it is."""
    if state is TokenState.ISSUED:
        raise BadInputError("A token becomes issued by being issued.", advice="Mark it delivered, used or void.")
    for token in tokens:
        if token.state in _BEFORE[state]:
            continue
        same = f"Token {token.fingerprint[:8]} is {token.state}"
        if token.state is state:
            raise RefusedError(f"{same} already.")
        advice = NOT_REVOCABLE if token.state is TokenState.USED else "Undo the mark if it was a mistake."
        raise RefusedError(f"{same}; it cannot become {state}.", advice=advice)
    steps = tuple(
        RecordStep(
            f"Mark token {token.fingerprint[:8]} for {one_line(token.tenant)} as {state}",
            (state_event(token, state.action, state, note),),
            undo=RecordStep(
                f"Mark token {token.fingerprint[:8]} as {token.state} again",
                (state_event(token, RESTORE, token.state),),
            ),
        )
        for token in tokens
    )
    title = steps[0].title if len(steps) == 1 else f"Mark {len(steps):,} tokens as {state}"
    return Change(title, steps, consequences=(_MESSAGES[state],))


def _issued(token: NewToken, note: str, replaces: str = "") -> Event:
    return issue_event(
        token.fingerprint,
        token.tenant,
        datalens_version=token.datalens_version,
        partner_version=token.partner_version,
        note=note,
        replaces=replaces,
    )


def _voided(token: NewToken) -> Event:
    details = {"state": TokenState.VOID.value, "tenant": token.tenant, "note": "issuing was undone"}
    return Event(SUBJECT_KIND, token.fingerprint, TokenState.VOID.action, details)


def _steps(title: str, tokens: Sequence[NewToken], events: Sequence[Event], path: Path | None) -> tuple[Step, ...]:
    """The ledger first, then the file: whatever breaks off, and whatever is done about it, no token that anybody holds
    is missing in the ledger. The reverse can happen, and undo then marks void what was never written."""
    voids = tuple(_voided(token) for token in tokens)
    ledger = RecordStep(title, tuple(events), undo=RecordStep("Mark these tokens void", voids))
    if path is None:
        return (ledger,)
    shown = one_line(str(path))
    remove = FileStep(f"Remove {shown}", path, None)
    return ledger, FileStep(f"Write {shown}", path, tokens_csv(tokens), secret=True, undo=remove, needs=0)


def _consequences(issuer: Issuer) -> tuple[str, ...]:
    return (
        f"Encrypted to DataLens key {issuer.datalens_version}, signed with partner key {issuer.partner_version}.",
        "A token opens its database to whoever has it, without an end: deliver it over a safe channel.",
    )
