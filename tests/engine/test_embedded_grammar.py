"""Access statements, judged by ClickHouse's own parser."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.model import Statement
from core.access.parser import parse_statement
from core.access.privileges import _ALIASES, _MIXED_CASE, PARAMETRISED, privilege_name
from core.access.render import render
from core.clickhouse.embedded import EmbeddedEngine
from tests.unit.access.strategies import statements

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMAT = "SELECT arrayMap(sql -> formatQuerySingleLine(sql), {statements:Array(String)})"


async def formatted(engine: EmbeddedEngine, sql: list[str]) -> list[str]:
    return list((await engine.query(FORMAT, {"statements": sql})).first_cell())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(statements, min_size=1, max_size=10))
async def test_what_we_render_clickhouse_accepts_and_understands(
    shared_engine: EmbeddedEngine, found: list[Statement]
) -> None:
    ours = [render(statement) for statement in found]
    theirs = await formatted(shared_engine, ours)
    # Read back from ClickHouse's own rendering, it is still the same statement.
    assert [render(parse_statement(sql)) for sql in theirs] == ours


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT(x, `y z`), INSERT ON a.b TO u, `a b`, `x@y` WITH GRANT OPTION",
        "GRANT SELECT ON a.b*, SELECT ON c*.*, INSERT ON *.*, ALTER DELETE ON d.t, SHOW ON *, SHOW ON tt TO u",
        "REVOKE GRANT OPTION FOR SELECT ON *.* FROM u",
        "REVOKE ADMIN OPTION FOR r FROM ALL EXCEPT u",
        "GRANT ON CLUSTER c r TO u WITH ADMIN OPTION WITH REPLACE OPTION",
        "GRANT CURRENT GRANTS(SELECT ON a.*) TO u",
        "GRANT IMPERSONATE ON u, SET DEFINER ON *, NAMED COLLECTION ON n*, CREATE USER ON `pre x`* TO u",
        "CREATE USER IF NOT EXISTS u IN st ON CLUSTER c VALID UNTIL '2030-01-01' IDENTIFIED WITH no_password",
        "CREATE USER u VALID FOR toIntervalDay(30) IDENTIFIED BY 'x', bcrypt_password BY 'y'",
        "CREATE USER u IDENTIFIED WITH ssh_key BY KEY AAA TYPE `ssh-rsa`, KEY b TYPE `ssh-ed25519`",
        "CREATE USER u IDENTIFIED WITH sha256_hash BY 'ab' SALT 'cd' VALID UNTIL '2030-01-01' GRANTS (SELECT ON a.*)",
        "CREATE USER u IDENTIFIED WITH ldap SERVER 's', kerberos, kerberos REALM 'r', http SERVER 's' SCHEME 'basic'",
        "CREATE USER u IDENTIFIED WITH ssl_certificate CN 'a', 'b', ssl_certificate SAN 'DNS:x'",
        "CREATE USER u@'10.%' HOST LIKE '10.%'",
        "CREATE USER u@'10.%', v@'192.%'",
        "CREATE USER u HOST LOCAL, IP '1.2.3.4', '10.0.0.0/8', NAME 'a.b', REGEXP '.x', LIKE '%.x'",
        "CREATE USER u DEFAULT DATABASE `d b` ROLE r DEFAULT ROLE ALL EXCEPT r SETTINGS PROFILE `p`, a.b = 4 CONST",
        "ALTER USER IF EXISTS u RENAME TO 'v' HOST NONE DEFAULT ROLE NONE GRANTEES ANY EXCEPT w",
        "ALTER USER u ADD IDENTIFIED WITH plaintext_password BY 'x'",
        "ALTER USER u ADD HOST LOCAL DROP HOST IP '1.1.1.1' RESET AUTHENTICATION METHODS TO NEW",
        "ALTER USER u DROP ALL SETTINGS, DROP PROFILES `q`, `r`, ADD PROFILE `p`, ADD SETTING a = 1",
        "ALTER ROLE r MODIFY SETTINGS a = -1.5 MIN NULL MAX 2.5 CHANGEABLE_IN_READONLY, b = 'x'",
        "DROP ROLE IF EXISTS r, q FROM st ON CLUSTER c",
        "SET DEFAULT ROLE ALL EXCEPT r TO u, CURRENT_USER",
    ],
)
async def test_our_rendering_is_clickhouse_s_own(shared_engine: EmbeddedEngine, sql: str) -> None:
    assert await formatted(shared_engine, [sql]) == [sql]
    assert render(parse_statement(sql)) == sql


async def test_privileges_are_those_of_the_engine(shared_engine: EmbeddedEngine) -> None:
    rows = (await shared_engine.query("SELECT privilege, aliases, level FROM system.privileges")).rows
    kinds = {"USER_NAME", "NAMED_COLLECTION", "DEFINER", "TABLE_ENGINE", "SOURCE"}
    assert {name for name, _, level in rows if level in kinds} == PARAMETRISED
    assert {name for name, _, _ in rows if name != name.upper()} == set(_MIXED_CASE.values())
    assert all(privilege_name(name.lower()) == name for name, _, _ in rows if name != "NONE")
    aliases = {alias: name for name, found, _ in rows for alias in found if name in PARAMETRISED and alias != name}
    assert aliases.items() <= _ALIASES.items()
