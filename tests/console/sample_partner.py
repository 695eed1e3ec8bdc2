"""Partner accounts, connections, requests and credentials for tests of their screens, on a real engine."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.changes import Event
from core.files import write_private
from core.journal.rows import DONE, Row
from core.partner.accounts import facts
from core.partner.accounts.state import AccountKey, AccountKind, Coordinates, PartnerConnection
from core.partner.messages.requests import CloudProvider, ConnectionScope, UserKey, WorkspaceKey
from core.partner.partner_connections import PartnerConnections
from core.partner.security.basic_credentials import BasicCredential, Hashing
from core.partner.security.sealing_keys import envelope_of, new_sealing_key
from core.partner.serving_parts import sealing_key_store
from core.partner.storage.credential_facts import credential_added, credential_used
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.tables import REQUESTS_TABLE, SECRETS_TABLE
from core.secrets import Secret
from core.session import Session
from tests.console.ledger import CHEAP, PASSPHRASE, ago, opened_with
from tests.console.starting import HOSTILE, NOW
from tui.start import OpenSession

PROFILE = """\
[profiles.{name}]
engine = "embedded"
[profiles.{name}.partner]
base_url = "https://connect.acme.example"
"""
PROCESS = "bastion:8085/4711"
_numbers = itertools.count(1)
FIRST_REQUEST = 10_000


def number_from(first: int) -> None:
    """Let ids count from here: in a picture they are the same whatever tests were before."""
    global _numbers
    _numbers = itertools.count(first)


def told(event: Event, at: datetime) -> Row:
    """A fact as a row of the journal."""
    number = UUID(int=next(_numbers))
    return Row(number, at, "anna", "bastion", "prod", number, event.subject_kind, event.subject, event.action, DONE,
               event.details)  # fmt: skip


def connection_rows(
    digit: str,
    domain: str,
    cloud: CloudProvider,
    workspace: int,
    at: datetime,
    *,
    first_name: str = "Ann",
    trial: timedelta | None = None,
    auth: tuple[str, ...] = ("AUTH_PAT",),
) -> list[Row]:
    """An account with a user and a partner connection: `pa…`, `pu…`, `pc…` with this digit."""
    place = WorkspaceKey(cloud, workspace)
    account, user, identifier = (f"{kind}{digit * 8}" for kind in ("pa", "pu", "pc"))
    connection = PartnerConnection(
        identifier, account, user, place, "read", auth, ConnectionScope.WORKSPACE, at,
        Coordinates(f"dbc-{digit}.cloud.databricks.com", 443, cloud_provider_region="us-west-2",
                    http_path=f"/sql/1.0/warehouses/{digit}", catalog_name="main",
                    service_principal_id="01234567-89ab-cdef-0123-456789abcdef"),
    )  # fmt: skip
    until = at + trial if trial is not None else None
    told_of = [
        facts.account_created(account, AccountKey(AccountKind.DOMAIN, domain), domain=domain, workspace=place,
                              database=f"partner_{account}", role=f"partner_{account}", trial_until=until),
        facts.user_added(user, account, UserKey(cloud, workspace + 1), email=f"ann@{domain}",
                         name=f"partner_{user}", first_name=first_name, last_name="Lee"),
        facts.connection_configured(connection),
    ]  # fmt: skip
    return [told(event, at) for event in told_of]


def partner_rows() -> list[Row]:
    """Connections in every state, one of a person whose name is hostile, and two credentials."""
    number_from(1)
    old = BasicCredential("0a1b2c3d", "databricks", Hashing.SHA256, b"s", b"d", ago(days=200))
    new = replace(old, id="4e5f6a7b", user="databricks-2027", created=ago(days=2))
    return [
        *connection_rows(
            "a", "acme.example", CloudProvider.AWS, 6051921418418893, ago(days=20), trial=timedelta(days=30)
        ),
        *connection_rows(
            "b", "globex.example", CloudProvider.AZURE, 7405619283746501, ago(days=3), auth=("AUTH_OAUTH_M2M",)
        ),
        *connection_rows(
            "c", "initech.example", CloudProvider.GCP, 2618403957120844, ago(days=40), first_name=HOSTILE[3]
        ),
        *connection_rows("d", "umbrella.example", CloudProvider.AWS, 1443390184720056, ago(days=60)),
        told(facts.user_invited("puinvited", "paaaaaaaaa", "bob@acme.example", "partner_puinvited"), ago(days=1)),
        told(facts.user_signed_up("puaaaaaaaa"), ago(days=19)),
        told(facts.user_signed_in("puaaaaaaaa", "pcaaaaaaaa"), ago(hours=2)),
        told(facts.account_expired("pacccccccc"), ago(days=5)),
        told(facts.connection_deleted("pcdddddddd"), ago(days=30)),
        told(credential_added(old), old.created),
        told(credential_added(new), new.created),
        told(credential_used(old.id), ago(hours=3)),
    ]


def request(at: datetime, endpoint: str = "connect", status: int = 200, word: str = "", **more: Any) -> AnsweredRequest:
    """A request that was answered."""
    method = "POST" if endpoint != "connectors" else "GET"
    return AnsweredRequest(UUID(int=next(_numbers)), at, PROCESS, method, endpoint, status, 0.25, word, **more)


def requests() -> Iterator[AnsweredRequest]:
    """What services have answered within the last days, more of it at times."""
    number_from(FIRST_REQUEST)
    about: dict[str, Any] = {
        "cloud": "aws",
        "workspace_id": 6051921418418893,
        "account_id": "paaaaaaaaa",
        "connection_id": "pcaaaaaaaa",
    }
    for day in range(1, 80):
        at = ago(days=day)
        for number in range((day * 7) % 5 + 1):
            yield request(at + timedelta(minutes=number), word="create_trial", scenario="new user, new account")
        for number in range((day * 11) % 9):
            yield request(at + timedelta(hours=1, seconds=number), word="sign_in")
        if day % 13 == 4:
            yield request(at + timedelta(hours=2), status=500, word="general_error", problem="ClickHouse is away")
    yield request(ago(hours=4), word="create_trial", scenario="new user, new account", **about)
    yield request(ago(hours=2), word="sign_in", caller="203.0.113.7", credential="0a1b2c3d", **about)
    yield request(ago(minutes=30), "delete-connection", 404, "connection_not_found", problem="no such connection",
                  caller="203.0.113.7", cloud="azure", workspace_id=7405619283746501)  # fmt: skip
    yield request(ago(minutes=5), status=401, word="unauthorized", problem=HOSTILE[3], caller="198.51.100.9")


def partner_session(
    rows: Sequence[Row] = (),
    answered: Sequence[AnsweredRequest] = (),
    *,
    log: bool = True,
    more: Callable[[Session], Awaitable[None]] | None = None,
) -> OpenSession:
    """Opens a real session with these facts and requests, to which it is the console's time; `log`: with its table."""

    async def prepare(session: Session) -> None:
        at_the_time(session, lambda: NOW)
        partner = session.partner_connections
        for table in (SECRETS_TABLE, *([REQUESTS_TABLE] if log else ())):
            await session.engine.command(partner.tables.creation_statement(table))
        if log:
            await session.engine.command(f"SYSTEM STOP TTL MERGES `housekeys`.{REQUESTS_TABLE}")  # NOW may be long ago
        if answered:
            await partner.request_log.append(answered)
        if more is not None:
            await more(session)

    return opened_with(rows, (), prepare)


def at_the_time(session: Session, clock: Callable[[], datetime]) -> None:
    """Let the partner connections of a session go by another clock."""
    session._partner_connections = PartnerConnections(
        session.engine, session.journal, session.profile.partner, clock=clock
    )


async def with_sealing_key(session: Session) -> None:
    """A sealing key that PASSPHRASE opens at once, and the database of the first account."""
    store = sealing_key_store(session.profile, session.paths)
    write_private(store.path(1), envelope_of(new_sealing_key(), 1, Secret(PASSPHRASE), CHEAP).to_bytes())
    await session.engine.command("CREATE DATABASE partner_paaaaaaaaa")
