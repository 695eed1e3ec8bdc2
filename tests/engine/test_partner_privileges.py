"""A whole service on a real ClickHouse, put together as `partner serve` does it, and all that it asks of ClickHouse.

Then every statement is asked again as a user who has only the privileges that the documentation names.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import pytest

from core.access.model import Grant, Right
from core.access.parser import parse_statement
from core.clickhouse.capabilities import probe
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.quoting import quote_identifier, quote_string
from core.clickhouse.trying import Scratch, scratch
from core.errors import HousekeysError
from core.journal.journal import Journal
from core.partner import serving_parts
from core.partner.messages.requests import AccountInfo, AccountUserInfo, CloudProvider, DeleteConnectionRequest
from core.partner.messages.responses import Connection
from core.partner.partner_connections import PartnerConnections
from core.partner.provisioning.rights import grants_of, needed_rights
from core.partner.security.basic_credentials import header_value
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.serving_parts import Ground, ServingParts
from core.partner.storage.requests_seen import AnsweredRequest
from core.profiles.model import Profile
from core.profiles.partner import ResourceTemplate
from core.running.runner import Operator, ReadOnly, Runner
from core.secrets import Secret
from tests.engine.faulty_engine import FaultyEngine
from tests.unit.partner.account_examples import POLICY, asked

DOCUMENT = Path(__file__).parents[2] / "docs" / "partner-connect.md"
ACCESS_DENIED = 497
TOKEN = SecretName.PERSONAL_ACCESS_TOKEN
RESOURCES = ResourceTemplate(quota="partners", settings_profile="partner_limits")
USERS = """<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><no_password/>
<networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota><grants>{grants}</grants></default>
{users}</users><roles>{roles}</roles></clickhouse>"""


class Recorder(FaultyEngine):
    """Remembers all that is asked: queries with their parameters, commands, and the columns of inserts."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        super().__init__(engine)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        self.asked.append((sql, dict(parameters or {})))
        return await super().query(sql, parameters, settings=settings)

    async def command(self, sql: str, *, settings: Mapping[str, SettingValue] | None = None) -> None:
        self.asked.append((sql, {}))
        await super().command(sql, settings=settings)

    async def insert(self, database: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.asked.append((f"CHECK GRANT INSERT({', '.join(columns)}) ON {quote_identifier(database)}.{table}", {}))
        await super().insert(database, table, columns, rows)


async def open_ground(engine: Recorder, folder: Path) -> Ground:
    """What a service stands on: one process of it."""
    policy = replace(POLICY, test_hooks=True, resources=RESOURCES)
    journal = Journal(engine, "housekeys")
    runner = Runner(engine, journal, folder, Operator("op", "bastion"), "p", ReadOnly(False))
    capabilities = await probe(engine, database="housekeys", cluster=None)
    connections = PartnerConnections(engine, journal, policy)
    return Ground(Profile("p", engine="embedded", partner=policy), engine, capabilities, runner, connections)


async def connected(parts: ServingParts, email: str) -> Connection:
    handled = await parts.handler.connect(asked(email))
    assert isinstance(handled.body, Connection), handled
    return handled.body


async def make_what_is_named(engine: Recorder, parts: ServingParts) -> None:
    """A service is ready once what the template names is there, and stays so for those who have an account."""
    quota = "CREATE QUOTA partners FOR INTERVAL 1 hour MAX queries = 10"
    for words, sql in (
        ("no quota partners.", quota),
        ("no settings profile partner_limits.", "CREATE SETTINGS PROFILE partner_limits SETTINGS max_threads = 2"),
    ):
        assert await parts.why_not_ready() == "Not all is there that the profile names."
        assert words in parts.missing()[0]
        await engine.engine.command(sql)
    assert await parts.why_not_ready() == ""
    assert parts.missing() == []
    await engine.engine.command("DROP QUOTA partners")
    await parts.prerequisites.fresh(0)
    assert await parts.why_not_ready() == ""
    (missing,) = parts.missing()
    assert missing.startswith("profiles.p.partner.resources.quota: There is no quota partners.")
    await engine.engine.command(quota)


async def serve(engine: Recorder, folder: Path) -> None:
    """All that a service does, with a sealing key that comes while it runs; and a second one that has a newer one."""
    ground, old = await open_ground(engine, folder / "first"), SealingKeys([new_sealing_key()])
    presented, credential = ground.connections.plan_add_credential("databricks")
    for change in (await ground.connections.plan_tables(), credential):
        assert (await ground.runner.run(change)).succeeded
    keys = old.with_newest(new_sealing_key())

    async def read_keys(known: SealingKeys) -> SealingKeys:
        return keys

    parts = await ServingParts.open(ground, old, read_keys=read_keys)
    assert await parts.why_not_ready()
    await parts.start()
    await make_what_is_named(engine, parts)
    assert await parts.credentials.check([header_value(presented).reveal()]) is not None
    first = await connected(parts, "ann@databricks-test.com")
    (link,) = parse_qs(urlsplit(first.redirect_uri).query)["link"]
    assert (await parts.reception.set_password(link, Secret("Quite-a-long-passw0rd"))).signed_up
    await sealed_with(ground, old.newest.id)
    parts.renew_keys()
    await sealed_with(ground, keys.newest.id)
    other = await connected(parts, "cyd@databricks-test.com")
    broken, good = sorted(one.connection_id for one in (first, other) if one.connection_id)
    await ground.connections.sealed_table.write(SealedPlace(broken, TOKEN), "sealed1.0123456789abcdef.lost")
    parts.requests.note(AnsweredRequest(uuid4(), datetime.now(UTC), "h:1/2", "POST", "connect", 200, 0.1))
    await parts.aclose()
    await parts.aclose()
    assert len(await ground.connections.requests()) == 1

    keys = keys.with_newest(new_sealing_key())
    later = await open_ground(engine, folder / "second")
    parts = await ServingParts.open(later, keys)
    await parts.start()
    await sealed_with(later, keys.newest.id, {good})
    second = await connected(parts, "bob@databricks-test.com")
    assert second.connection_id is not None
    gone = await parts.handler.delete_connection(DeleteConnectionRequest(second.connection_id, CloudProvider.AWS, 1))
    assert gone.error is None
    ended = await parts.handler.expire_account(AccountUserInfo("ann@databricks-test.com", 1, CloudProvider.AWS, 1))
    assert ended.error is None
    deleted = await parts.handler.delete_account(AccountInfo("databricks-test.com", CloudProvider.AWS, 1))
    assert deleted.error is None
    await parts.aclose()
    assert await later.connections.sealed_table.by_key() == {}


async def sealed_with(ground: Ground, key: str, connections: Collection[str] = ()) -> None:
    """Wait until every secret needs this sealing key alone, or until those of some connections do."""
    async with asyncio.timeout(20):
        while True:
            by_key = await ground.connections.sealed_table.by_key()
            if by_key.get(key) == set(connections) if connections else set(by_key) == {key}:
                return
            await asyncio.sleep(0)


def documented() -> list[str]:
    """The statements of the documentation that give a service its privileges."""
    (block,) = re.findall(r"```sql\n(GRANT .*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return [grant.strip() for grant in block.replace("\n", " ").split(";") if grant.strip()]


def for_file(grants: Sequence[str]) -> list[str]:
    """The same as a file of users has them."""
    return [re.sub(r" TO \w+", "", grant) for grant in grants]


def denied(told: Sequence[tuple[str, Mapping[str, Any]]], grants: Sequence[str], folder: Path) -> list[str]:
    """What ClickHouse does not let a user do who has only `grants`. What cannot be kept comes after that question."""
    made = [re.match(r"CREATE (USER|ROLE) (\w+)", sql) for sql, _ in told]
    names = {kind: {match[2] for match in made if match and match[1] == kind} for kind in ("USER", "ROLE")}
    users = USERS.format(
        grants="".join(f"<query>{escape(grant.strip())}</query>" for grant in grants),
        users="".join(f"<{name}><no_password/></{name}>" for name in names["USER"]),
        roles="".join(f"<{name}><grants></grants></{name}>" for name in names["ROLE"]),
    )
    with scratch(folder / "scratch", folder / "data", users) as connection:
        return [sql for sql, parameters in told if not allowed(connection, sql, parameters)]


def allowed(connection: Scratch, sql: str, parameters: Mapping[str, Any]) -> bool:
    for name, value in parameters.items():
        connection.run(f"SET param_{name} = {quote_string(written(value))}")
    try:
        found = connection.run(sql)
    except HousekeysError as error:
        return getattr(error, "code", 0) != ACCESS_DENIED
    return not sql.startswith("CHECK GRANT") or found.rows[0][0] in (1, True, "1")


def written(value: Any) -> str:
    """A parameter as ClickHouse reads it."""
    if isinstance(value, str | int):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return f"[{', '.join(str(one) if isinstance(one, int) else quote_string(one) for one in value)}]"


async def test_a_service_needs_the_privileges_that_are_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_parts, "READY_SECONDS", 0.0)  # what is known is looked at again whenever it is asked
    engine = Recorder(await EmbeddedEngine.open(tmp_path / "engine"))
    try:
        await serve(engine, tmp_path)
    finally:
        await engine.close()
    grants = for_file(documented())
    assert denied(engine.asked, grants, tmp_path / "documented") == []
    less = [grant.replace("ROLE ADMIN, ", "") for grant in grants]
    assert less != grants
    asked, *given = denied(engine.asked, less, tmp_path / "less")
    assert asked == "CHECK GRANT ROLE ADMIN ON *.*"  # what is lacking is found at the start
    assert given
    assert all(sql.startswith(("GRANT partner_", asked)) for sql in given)


def test_the_rights_that_a_service_looks_for_are_those_documented() -> None:
    """But for those on the journal, without which it does not start, and on settings profiles, which it looks at."""
    by_hand = [parse_statement(grant) for grant in documented()[1:]]
    rights = {right for grant in by_hand if isinstance(grant, Grant) for right in grant.rights}
    assert rights == {*needed_rights(RESOURCES), Right("SHOW SETTINGS PROFILES")}
    made = [parse_statement(sql) for sql in grants_of(needed_rights(RESOURCES), RESOURCES, "housekeys").split("; ")]
    passed_on = [set(grant.rights) for grant in (*by_hand, *made) if isinstance(grant, Grant) and grant.grant_option]
    assert len(passed_on) == 2 and passed_on[0] == passed_on[1]
    whole = replace(RESOURCES, database="{account}", user="{user}")  # whose names begin with nothing
    assert {Right("SELECT"), Right("DROP USER", parameter="")} <= set(needed_rights(whole))
