"""Keys and tokens for tests of their screens: journal rows with fixed times and fingerprints, on a real engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from textual.pilot import Pilot

from core.files import write_private
from core.journal.rows import DONE, Row
from core.keys import envelope
from core.keys.envelope import ScryptCost
from core.profiles import ProfileFile
from core.secrets import Prompt, Secret
from core.session import Session
from core.tokens.delivery import NewToken
from tests.console.starting import NOW
from tests.unit.keys.sample_keys import fingerprint, private_key, public_pem
from tui.screens.base import ConsoleScreen
from tui.start import OpenSession, Start, open_session

PASSPHRASE = "correct horse"
CHEAP = ScryptCost(2**10)  # the least a key file may ask for
PEM = "-----BEGIN PUBLIC KEY-----\n" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 2 + "\n-----END PUBLIC KEY-----\n"
# Markup, a terminal escape, a line break, a right-to-left override, a quote, four-byte UTF-8.
HOSTILE = "[b]x[/b] \x1b[31m\n\u202e`'\\ 🦊"


def mark(digit: str) -> str:
    """A fingerprint that is told apart at a glance."""
    return (digit + "0123456789abcdef") * 3 + digit * 13


def key_row(side: str, version: int, action: str, state: str, at: datetime, digit: str) -> Row:
    """The journal's row about a version of a key."""
    return _key_row(side, version, action, state, at, {"fingerprint": mark(digit), "public_pem": PEM})


def _key_row(side: str, version: int, action: str, state: str, at: datetime, public: Mapping[str, str]) -> Row:
    known = public if action in ("generate", "import") else {"fingerprint": public["fingerprint"]}
    return _row(f"{side}_key", str(version), action, {"state": state, **known}, at)


def token_rows(tenant: str, digit: str, at: datetime, keys: tuple[int, int], state: str = "issued") -> list[Row]:
    """The journal's rows about a token: `keys` are DataLens's version and yours."""
    details = {
        "state": "issued",
        "tenant": tenant,
        "datalens_key_version": keys[0],
        "partner_key_version": keys[1],
        "note": "",
    }
    rows = [_row("token", mark(digit), "issue", details, at)]
    action = {"delivered": "deliver", "used": "use", "void": "void"}.get(state)
    if action is not None:
        moved = {"state": state, "tenant": tenant}
        rows.append(_row("token", mark(digit), action, moved, at + timedelta(hours=1)))
    return rows


_numbers = iter(range(1, 1_000_000))


def _row(kind: str, subject: str, action: str, details: Mapping[str, object], at: datetime) -> Row:
    number = next(_numbers)
    return Row(UUID(int=number), at, "anna", "bastion", "prod", UUID(int=7), kind, subject, action, DONE, details)


def ago(**parts: float) -> datetime:
    """So long before now, as the console's clock has it."""
    return NOW - timedelta(**parts)


def rotation() -> list[Row]:
    """A rotation in its middle: version 1 retired, 2 active, 3 sent; DataLens's 1 passed over for 2."""
    return [
        key_row("partner", 1, "generate", "generated", ago(days=400), "1"),
        key_row("partner", 1, "submit", "submitted", ago(days=399), "1"),
        key_row("partner", 1, "activate", "active", ago(days=398), "1"),
        key_row("datalens", 1, "import", "active", ago(days=397), "a"),
        key_row("partner", 2, "generate", "generated", ago(days=29), "2"),
        key_row("partner", 2, "submit", "submitted", ago(days=28), "2"),
        key_row("partner", 2, "activate", "active", ago(days=20), "2"),
        key_row("partner", 1, "retire", "retired", ago(days=15), "1"),
        key_row("datalens", 2, "import", "active", ago(days=3), "b"),
        key_row("partner", 3, "generate", "generated", ago(hours=2), "3"),
        key_row("partner", 3, "submit", "submitted", ago(minutes=30), "3"),
    ]


def ledger() -> list[Row]:
    """Tokens in every state, one for a tenant with a hostile name."""
    return [
        *token_rows("acme_prod", "c", ago(days=60), (1, 1), "used"),
        *token_rows("acme_test", "d", ago(days=10), (1, 2), "delivered"),
        *token_rows("globex", "e", ago(days=2), (2, 2), "void"),
        *token_rows(HOSTILE, "f", ago(hours=5), (2, 2)),
        *token_rows("initech", "0", ago(minutes=12), (2, 2)),
    ]


def opened_with(
    rows: Sequence[Row] = (),
    keys: Sequence[int] = (),
    prepare: Callable[[Session], Awaitable[None]] | None = None,
) -> OpenSession:
    """Opens a real session whose journal holds `rows`; the private halves of `keys` are under PASSPHRASE."""

    async def open_it(start: Start, file: ProfileFile, name: str, prompt: Prompt) -> Session:
        session = await open_session(replace(start, read_only=None), file, name, prompt)
        session.capabilities = replace(session.capabilities, version="26.9")  # whichever it is
        for statement in session.journal.creation_statements():
            await session.engine.command(statement)
        await session.journal.append(rows)
        for version in keys:
            keep_private(session, version)
        if prepare is not None:
            await prepare(session)
        if start.read_only is not None:
            session.read_only = replace(session.read_only, active=start.read_only, reason="--read-only")
            session.runner.read_only = session.read_only
        return session

    return open_it


def keep_private(session: Session, version: int) -> None:
    """The private half of a partner key on this machine; PASSPHRASE opens it at once."""
    sealed = envelope.seal(private_key(version), "partner", version, Secret(PASSPHRASE), CHEAP)
    write_private(session.keys.store.path(version), sealed.to_bytes())


async def tenants(session: Session, *names: str) -> None:
    """Databases that the DataLens user may read."""
    from core.clickhouse.quoting import quote_identifier

    await session.engine.command("CREATE USER datalens IDENTIFIED WITH no_password SETTINGS readonly = 2")
    for name in names:
        await session.engine.command(f"CREATE DATABASE {quote_identifier(name)}")
        await session.engine.command(f"GRANT SELECT ON {quote_identifier(name)}.* TO datalens")


def new_token(tenant: str = "acme_prod", digit: str = "9") -> NewToken:
    """A token as it is handed over; its text is only as long as one."""
    text = f"2:2:{'SECRETxTOKEN' * 28}abcdef==:{'SIGNATURE+OF+IT' * 22}abcdefghijk=="
    return NewToken(tenant, text, mark(digit), 2, 2)


def screen_of(pilot: Pilot[None]) -> ConsoleScreen[object]:
    """The screen on top."""
    screen = pilot.app.screen
    assert isinstance(screen, ConsoleScreen)
    return screen


async def with_keys(session: Session, *names: str) -> None:
    """Real keys of both sides in use, partner key 1 and DataLens key 7, and tenants of these names."""
    await tenants(session, *names)
    keep_private(session, 1)
    partner, datalens = (
        {"fingerprint": fingerprint(number), "public_pem": public_pem(number).decode()} for number in (1, 7)
    )
    await session.journal.append(
        [
            _key_row("partner", 1, "generate", "generated", ago(days=9), partner),
            _key_row("partner", 1, "submit", "submitted", ago(days=8), partner),
            _key_row("partner", 1, "activate", "active", ago(days=7), partner),
            _key_row("datalens", 7, "import", "active", ago(days=6), datalens),
        ]
    )


def ready_to_issue(*names: str) -> OpenSession:
    """A session in which tokens can be issued."""

    async def prepare(session: Session) -> None:
        await with_keys(session, *names)

    return opened_with(prepare=prepare)
