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
from tests.examples import examples
from tests.unit.access.strategies import statements
from tests.unit.access.test_printed_statements import check_read_as_printed

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMAT = "SELECT arrayMap(sql -> formatQuerySingleLine(sql), {statements:Array(String)})"


async def formatted(engine: EmbeddedEngine, sql: list[str]) -> list[str]:
    return list((await engine.query(FORMAT, {"statements": sql})).first_cell())


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(statements, min_size=1, max_size=10))
async def test_what_we_render_clickhouse_accepts_and_understands(
    shared_engine: EmbeddedEngine, found: list[Statement]
) -> None:
    ours = [render(statement) for statement in found]
    theirs = await formatted(shared_engine, ours)
    # Read back from ClickHouse's own rendering, it is still the same statement.
    assert [render(parse_statement(sql)) for sql in theirs] == ours
    check_read_as_printed(theirs)


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
        "CREATE QUOTA IF NOT EXISTS q, `b c` IN st ON CLUSTER c NOT KEYED TO a, CURRENT_USER",
        "CREATE QUOTA OR REPLACE q KEYED BY user_name FOR INTERVAL 1 day TRACKING ONLY TO ALL EXCEPT a, b",
        "CREATE QUOTA q KEYED BY ip_address IPV4_PREFIX_BITS 24 IPV6_PREFIX_BITS 64 FOR INTERVAL 0 second NO LIMITS",
        "CREATE QUOTA q KEYED BY forwarded_ip_address IPV6_PREFIX_BITS 0",
        "CREATE QUOTA q IPV4_PREFIX_BITS 24",
        "CREATE QUOTA q KEYED BY client_key",
        "CREATE QUOTA q KEYED BY client_key, user_name",
        "CREATE QUOTA q KEYED BY client_key, ip_address",
        "CREATE QUOTA q KEYED BY normalized_query_hash",
        "CREATE QUOTA q FOR RANDOMIZED INTERVAL 1 quarter MAX queries = 5, errors = 1, "
        "FOR INTERVAL 2 year TRACKING ONLY",
        "CREATE QUOTA q FOR INTERVAL 90 minute MAX query_selects = 1, query_inserts = 2, result_rows = 3, "
        "result_bytes = 4, read_rows = 5, read_bytes = 18446744073709551615, execution_time = 0.5, written_bytes = 6, "
        "failed_sequential_authentications = 7, queries_per_normalized_hash = 0",
        "CREATE QUOTA q FOR INTERVAL 1 month MAX execution_time = 1e-9, FOR INTERVAL 3944619 second MAX "
        "execution_time = 0.0000025, FOR INTERVAL 1 hour MAX execution_time = 12345678901.5",
        "ALTER QUOTA IF EXISTS q IN st ON CLUSTER c RENAME TO z KEYED BY ip_address "
        "FOR INTERVAL 4 week NO LIMITS TO NONE",
        "DROP QUOTA IF EXISTS a, `b c` FROM st ON CLUSTER c",
        "CREATE SETTINGS PROFILE IF NOT EXISTS `p`, `b c` IN local_directory ON CLUSTER c SETTINGS "
        "max_threads = 5 MIN 1 MAX 8 CONST, INHERIT `x`, readonly = 2 CHANGEABLE_IN_READONLY TO ALL EXCEPT u",
        "CREATE SETTINGS PROFILE OR REPLACE `p` TO CURRENT_USER",
        "ALTER SETTINGS PROFILE IF EXISTS `p` IN st RENAME TO 'q' DROP ALL PROFILES, DROP SETTING b, "
        "ADD PROFILES `x`, `y`, MODIFY SETTING a = 1 TO a",
        "ALTER SETTINGS PROFILE `p` ON CLUSTER c TO NONE",
        "DROP SETTINGS PROFILE IF EXISTS a FROM st",
        "CREATE ROW POLICY IF NOT EXISTS p1 ON db.t, db2.* ON CLUSTER c AS RESTRICTIVE FOR SELECT USING "
        "(a = 1) AND (b IN (1, 2)) TO ALL EXCEPT x",
        "CREATE ROW POLICY p1 ON t, p2 ON db.u IN local_directory AS PERMISSIVE FOR SELECT USING 1 TO u",
        "CREATE ROW POLICY OR REPLACE p, q ON * FOR SELECT USING NONE",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING 1 = to TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING interval TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING (case = like) AND (to IN (to, using)) AND in TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING t.* TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING NOT to TO x",
        "CREATE ROW POLICY p ON db.t AS RESTRICTIVE FOR SELECT USING if(a, to, using) TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING count() OVER (PARTITION BY a ORDER BY for ASC) TO x",
        "CREATE ROW POLICY p ON db.t FOR SELECT USING x IN (SELECT a FROM b) TO z",
        "ALTER ROW POLICY IF EXISTS p ON db.t IN st RENAME TO `p 2` AS RESTRICTIVE FOR SELECT USING x TO NONE",
        "DROP ROW POLICY IF EXISTS p, q ON db.* FROM st ON CLUSTER c",
        "CREATE MASKING POLICY m ON db.t UPDATE a = 'x', b = concat(b, '*') WHERE c = 1 TO u PRIORITY 5",
        "CREATE MASKING POLICY OR REPLACE m ON t ON CLUSTER c IN st UPDATE a = 1 TO ALL",
        "ALTER MASKING POLICY IF EXISTS m ON db.t ON CLUSTER c IN st RENAME TO n UPDATE a = 1 WHERE x TO NONE "
        "PRIORITY 2",
        "DROP MASKING POLICY IF EXISTS m ON db.t FROM st ON CLUSTER c",
        "MOVE USER a, `b@c` TO st",
        "MOVE ROLE a TO `s t`",
        "MOVE QUOTA a, b TO st ON CLUSTER c",
        "MOVE SETTINGS PROFILE a TO st",
        "MOVE ROW POLICY p ON db.t TO st",
        "MOVE MASKING POLICY p TO st",
        "SET DEFAULT ROLE ALL EXCEPT r TO u, CURRENT_USER",
    ],
)
async def test_our_rendering_is_clickhouse_s_own(shared_engine: EmbeddedEngine, sql: str) -> None:
    assert await formatted(shared_engine, [sql]) == [sql]
    assert render(parse_statement(sql)) == sql


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE QUOTA q KEY BY 'user name' FOR 3600 second MAX queries 5, MAX errors='10Ki' "
        "FOR INTERVAL 1.5 HOURS NO LIMITS",
        "CREATE QUOTA q IPV6_PREFIX_BITS 64 KEYED BY `ip_address` "
        "FOR INTERVAL 28 DD MAX read bytes = 0x10, queries = 1.7",
        "CREATE QUOTA q FOR INTERVAL 12 MM MAX execution_time = 1.5e3, errors = 1 TO ALL EXCEPT NONE ON CLUSTER c",
        "CREATE QUOTA q KEYED BY none TO NONE",
        "ALTER QUOTA q FOR INTERVAL 1 hour MAX queries = 1 ON CLUSTER c IN st RENAME TO 'z'",
        "CREATE PROFILE p SETTINGS PROFILE 'a', INHERIT b, x.y = 1 READONLY ON CLUSTER c SETTING z = 2 TO a",
        "ALTER PROFILE p SETTINGS a = 1, INHERIT x",
        "ALTER PROFILE p ADD SETTINGS a = 1, b = 2 DROP SETTINGS c, d TO x ON CLUSTER c",
        "ALTER PROFILE p PROFILES a, b",
        "CREATE PROFILE p SETTINGS INHERIT a, 'b', PROFILE NONE, c READONLY, NONE, INHERIT d TO u",
        "CREATE ROLE r SETTINGS PROFILE 'a', b, c MIN 1",
        "DROP PROFILE 'a b' ON CLUSTER c",
        "CREATE POLICY p ON CLUSTER c ON db.t USING a AS RESTRICTIVE TO NONE",
        "CREATE ROW POLICY p ON db.t FOR ALL USING a ON CLUSTER c IN st TO x",
        "ALTER POLICY p ON db.t USING x RENAME TO 'z'",
        "DROP POLICY p ON CLUSTER c ON t FROM st",
        "CREATE MASKING POLICY m ON db.t PRIORITY 0x3 WHERE c UPDATE a = 1",
        "ALTER MASKING POLICY m ON db.t PRIORITY 5 TO a RENAME TO x IN st",
        "MOVE POLICY p ON CLUSTER c ON db.*, u TO 'st'",
        "MOVE PROFILE a TO st",
    ],
)
async def test_other_forms_mean_to_us_what_they_mean_to_clickhouse(shared_engine: EmbeddedEngine, sql: str) -> None:
    assert [render(parse_statement(sql))] == await formatted(shared_engine, [sql])


async def test_privileges_are_those_of_the_engine(shared_engine: EmbeddedEngine) -> None:
    rows = (await shared_engine.query("SELECT privilege, aliases, level FROM system.privileges")).rows
    kinds = {"USER_NAME", "NAMED_COLLECTION", "DEFINER", "TABLE_ENGINE", "SOURCE"}
    assert {name for name, _, level in rows if level in kinds} == PARAMETRISED
    assert {name for name, _, _ in rows if name != name.upper()} == set(_MIXED_CASE.values())
    assert all(privilege_name(name.lower()) == name for name, _, _ in rows if name != "NONE")
    aliases = {alias: name for name, found, _ in rows for alias in found if name in PARAMETRISED and alias != name}
    assert aliases.items() <= _ALIASES.items()
