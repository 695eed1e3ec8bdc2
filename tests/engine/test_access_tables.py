"""Access read from the system tables, as that of another node must be, against what SHOW ACCESS tells of the same."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.access.access_model import EntityKey
from core.access.assembling import assemble
from core.access.difference import compare
from core.access.model import EntityKind
from core.access.model_changes import without_entities
from core.access.parser import parse_statement
from core.access_reports.differing import difference_lines
from core.access_reports.node_access import (
    TABLES,
    cluster_nodes,
    model_of_tables,
    read_node_access,
    read_own_access,
)
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import RefusedError, UnreachableError
from tests.engine.clusters import be_clusters
from tests.engine.xml_engine import document, laid_out, loaded

DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
USERS = f"""
<anna><password_sha256_hex>{DIGEST}</password_sha256_hex>
  <networks><ip>10.0.0.0/8</ip><ip>::1</ip><ip>127.0.0.1</ip><host>a.example</host>
  <host_regexp>^b[0-9]+$</host_regexp></networks>
  <profile>limited</profile><quota>hourly</quota><default_database>sales</default_database>
  <databases><sales><orders><filter>amount &lt; 10</filter></orders></sales></databases>
  <grants><query>GRANT reader WITH ADMIN OPTION</query><query>GRANT SELECT(id, at), INSERT ON sales.orders</query>
  </grants></anna>
<boris><ldap><server>main</server></ldap><networks/>
  <grants><query>GRANT SELECT ON sales.* WITH GRANT OPTION</query>
  <query>REVOKE SELECT(card) ON sales.orders</query></grants></boris>
"""
ROLES = """
<reader><grants><query>GRANT SELECT ON acme*.*</query><query>GRANT SELECT ON sales.t*</query>
  <query>GRANT SHOW ACCESS ON *.*</query><query>GRANT ALTER ROLE ON *</query><query>GRANT CREATE USER ON x*</query>
  <query>GRANT NAMED COLLECTION ON abc</query><query>GRANT REMOTE ON *.*</query></grants></reader>
<empty/>
"""
PROFILES = """
<base><max_threads>4</max_threads></base>
<limited><profile>base</profile><readonly>1</readonly><log_comment>it's</log_comment>
  <constraints><max_memory_usage><min>1</min><max>100</max></max_memory_usage><max_threads><readonly/></max_threads>
  </constraints></limited>
"""
QUOTAS = """
<hourly><keyed_by_ip/><interval><duration>3600</duration><queries>10</queries><errors>3</errors></interval>
  <interval><duration>86400</duration><randomize>1</randomize><execution_time>1.5</execution_time></interval></hourly>
"""


def test_tables_tell_what_show_access_tells() -> None:
    files = {"users.xml": document(USERS, profiles=PROFILES, quotas=QUOTAS, roles=ROLES)}
    with laid_out(files) as root, loaded(root) as handle:
        shown = [parse_statement(str(line)) for (line,) in handle.query("SHOW ACCESS").rows]
        tables: Mapping[str, Sequence[Mapping[str, Any]]] = {
            table: handle.query(f"SELECT * FROM system.{table}").as_dicts() for table in TABLES
        }
    told, misfits = assemble(shown)
    assert not misfits
    read = model_of_tables(tables)
    assert {"anna", "boris"} < set(read.users)
    assert {"reader", "empty"} == set(read.roles)
    assert read.row_policies
    # All sources at once are spelled otherwise in the tables: so both sides of a comparison are read from there.
    default = [EntityKey(EntityKind.USER, "default")]
    told, read = without_entities(told, default), without_entities(read, default)
    assert difference_lines(compare(told, read)) == []
    assert difference_lines(compare(read, told)) == []


async def test_a_node_is_refused_where_there_is_no_cluster(engine: EmbeddedEngine) -> None:
    with pytest.raises(RefusedError, match="names no cluster"):
        await read_node_access(engine, "", "ch-2")
    with pytest.raises(RefusedError, match="has no cluster it's"):
        await read_node_access(engine, "it's", "ch-2")
    await engine.command("CREATE ROLE reader")
    await engine.command("GRANT SELECT ON sales.* TO reader")
    read = await read_own_access(engine)
    assert set(read.roles) == {"reader"}


HELD = (
    "CREATE ROLE reader",
    "GRANT SELECT ON sales.* TO reader",
    "REVOKE SELECT(card) ON sales.orders FROM reader",
    f"CREATE USER anna IDENTIFIED WITH sha256_hash BY '{DIGEST}' HOST IP '10.0.0.0/8' SETTINGS max_threads = 4 MAX 8",
    "GRANT reader TO anna",
    "CREATE QUOTA hourly FOR INTERVAL 1 hour MAX queries = 10, FOR INTERVAL 1 day MAX queries = 50 TO anna",
    "CREATE ROW POLICY own ON sales.orders USING id = 1 TO anna",
)


async def test_a_node_of_a_cluster_is_read_and_one_of_two_addresses_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_clusters(monkeypatch)
    engine = await EmbeddedEngine.open(tmp_path / "engine")
    try:
        for statement in HELD:
            await engine.command(statement)
        own = await read_own_access(engine)
        assert {"anna", "reader", "hourly"} <= {*own.users, *own.roles, *own.quotas}
        for cluster in ("main", "twice", "broken"):  # a dead node takes nothing from the others
            read = await read_node_access(engine, cluster, socket.gethostname())
            assert difference_lines(compare(own, read)) == []
            assert read == own
        with pytest.raises(RefusedError, match=r"no node ch-2 in the cluster main\.") as caught:
            await read_node_access(engine, "main", "ch-2")
        assert socket.gethostname() in caught.value.advice
        dead, alive, last = await cluster_nodes(engine, "broken")
        assert (dead.answers, alive.answers, last.answers) == (False, True, False)
        assert alive.name == socket.gethostname()
        assert (dead.name, last.name) == ("127.0.0.1:9", "127.0.0.1:11")
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:11 of the cluster broken does not answer") as failed:
            await read_node_access(engine, "broken", last.name)
        assert failed.value.advice == f"These do: {socket.gethostname()}."
        await engine.command("SET readonly = 1")  # then no setting may be given
        assert await cluster_nodes(engine, "main") == (alive,)
        assert await read_node_access(engine, "main", alive.name) == own
    finally:
        await engine.close()
