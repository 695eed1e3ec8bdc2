"""What `probe` says, compared with what the engine then does; and connecting from a profile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clickhouse.abilities import Ability, HeldRights, abilities
from core.clickhouse.capabilities import probe
from core.clickhouse.connecting import connect
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.engine import QueryResult, SettingValue
from core.clickhouse.errors import explain
from core.clickhouse.server import ServerEngine
from core.errors import HousekeysError, RefusedError, UnreachableError
from core.paths import Paths
from core.profiles.model import Profile
from core.secrets import Secret, SecretReference
from tests.examples import examples
from tests.http_front.process import PASSWORD, USER, Front

pytest_plugins = ("tests.http_front.fixtures",)

JOURNAL = "house'`keys"


class Older(EmbeddedEngine):
    """A real engine that answers as a server of 23.8 does: no CHECK GRANT, no SHOW GRANTS FINAL, some tables denied."""

    denied: tuple[str, ...] = ()

    @property
    def home(self) -> Any:
        return "server"

    async def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Mapping[str, SettingValue] | None = None,
    ) -> QueryResult:
        if "version()" in sql:
            return QueryResult(("version()", "currentUser()", "hostName()"), [("23.8.2.7", "default", "old-1")])
        if sql.startswith("CHECK GRANT") or sql == "SHOW GRANTS FINAL":
            raise explain(62, "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)")
        if any(table in sql for table in self.denied):
            raise explain(497, "Code: 497. DB::Exception: default: Not enough privileges. (ACCESS_DENIED)")
        return await super().query(sql, parameters, settings=settings)


async def test_an_administrator_may_everything(tmp_path: Path) -> None:
    engine = await EmbeddedEngine.open(tmp_path / "engine")
    known = await probe(engine, database=JOURNAL, cluster=None)
    assert known.home == "embedded"
    assert known.user == "default"
    assert known.version == (await engine.query("SELECT version()")).first_cell()
    assert ".".join(map(str, known.version_tuple)) == known.version
    assert known.latency_seconds > 0
    assert known.user_directories
    assert "name" in known.tables["users"]
    every = {ability.name for ability in abilities(JOURNAL)}
    assert every - known.may == {"read query_log", "read session_log"}
    assert known.missing("read query_log") == "This server has no table system.query_log."
    assert known.missing("grant") == ""
    with pytest.raises(ValueError, match="no ability"):
        known.missing("fly")
    for ability in abilities(JOURNAL):  # that it may everything is known, not asked
        assert (await engine.query(ability.check)).first_cell() == 1
    await engine.close()


@pytest.mark.parametrize(
    "denied", [("user_directories",), ("getSetting", "user_directories", "system.clusters", "system.columns")]
)
async def test_an_older_server_is_judged_by_its_grants(tmp_path: Path, denied: tuple[str, ...]) -> None:
    engine = await Older.open(tmp_path / "engine")
    engine.denied = denied
    known = await probe(engine, database=JOURNAL, cluster=None)
    assert known.version_tuple == (23, 8, 2, 7)
    every = {ability.name for ability in abilities(JOURNAL)}
    assert every - known.may == {"read query_log", "read session_log"}
    assert (known.user_directories is None) == bool(denied)
    await engine.close()


async def test_a_limited_user_is_told_what_to_ask_for(tmp_path: Path) -> None:
    grants = ["GRANT SELECT ON a.*", "GRANT CREATE DATABASE ON *.*", f"GRANT INSERT ON {_quoted(JOURNAL)}.*"]
    front = Front.start(tmp_path, grants=grants)
    try:
        engine = await ServerEngine.open(front.options())
        known = await probe(engine, database=JOURNAL, cluster="main")
        assert {"create database", "create journal database", "write journal"} <= known.may
        assert not {"drop database", "create journal table", "read users", "kill queries"} & known.may
        reason = known.missing("create journal table")
        statement = reason.partition("run: ")[2]
        assert statement == f"GRANT CREATE TABLE ON {_quoted(JOURNAL)}.`journal` TO `default`"
        assert (await engine.query("SELECT formatQuerySingleLine({s:String})", {"s": statement})).first_cell()
        assert "lacks the right SHOW USERS" in known.missing("read users")
        assert "only where SQL cannot change them" in known.missing("create user")
        await engine.command("CREATE DATABASE allowed")
        with pytest.raises(HousekeysError):
            await engine.command("DROP DATABASE allowed")
        await engine.close()
    finally:
        front.close()


async def test_a_read_only_connection(http_front: Front) -> None:
    engine = await ServerEngine.open(http_front.options(read_only=True))
    known = await probe(engine, database=JOURNAL, cluster=None)
    assert known.read_only
    assert known.missing("create database") == "The connection is read-only."
    assert "read users" in known.may
    await engine.close()


async def test_a_dead_connection_is_an_error(server_engine: ServerEngine, http_front: Front) -> None:
    await server_engine.close()
    with pytest.raises(HousekeysError):
        await probe(server_engine, database=JOURNAL, cluster=None)


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


HELD = [
    (["GRANT ALL ON *.* TO u WITH GRANT OPTION"], True),
    (["GRANT SELECT ON *.* TO u"], False),
    (["GRANT CREATE TABLE ON db.* TO u"], True),
    (["GRANT CREATE TABLE ON db.journal TO u"], True),
    (["GRANT CREATE TABLE ON db.other TO u"], False),
    (["GRANT CREATE ON db.* TO u"], True),
    (["GRANT CREATE TABLE ON d*.* TO u"], True),
    (["GRANT CREATE TABLE ON db.jour* TO u"], True),
    (["GRANT CREATE TABLE ON x*.* TO u"], False),
    (["GRANT analyst TO u"], True),  # a role that was not looked into may give anything
    (["something new"], True),
    ([], False),
]


@pytest.mark.parametrize(("statements", "expected"), HELD)
def test_rights_read_from_show_grants(statements: list[str], expected: bool) -> None:
    held = HeldRights.read(statements, {"CREATE TABLE": "CREATE", "CREATE": "ALL"}, final=False)
    assert held.give(Ability("create journal table", "CREATE TABLE", "db", "journal")) is expected


@settings(max_examples=examples(50))
@given(privilege=st.sampled_from(["SELECT", "INSERT", "ALL"]), option=st.booleans())
def test_the_grant_option_counts_only_where_it_is(privilege: str, option: bool) -> None:
    text = f"GRANT {privilege} ON *.* TO u{' WITH GRANT OPTION' if option else ''}"
    held = HeldRights.read([text], {}, final=True)
    expected = option and privilege in {"SELECT", "ALL"}
    assert held.give(Ability("grant", "SELECT", grant_option=True)) is expected


def _paths(folder: Path) -> Paths:
    return Paths.locate({"HOUSEKEYS_HOME": str(folder)})


async def test_connecting_to_a_server_asks_for_the_password(http_front: Front, tmp_path: Path) -> None:
    asked: list[str] = []

    async def prompt(label: str) -> Secret | None:
        asked.append(label)
        return Secret(PASSWORD) if len(asked) == 1 else None

    profile = Profile(
        "front",
        host="127.0.0.1",
        port=http_front.ports["tls"],
        ca_file=http_front.certificates.ca,
        user=USER,
        password=SecretReference.parse("prompt"),
        settings={"max_threads": 2},
    )
    engine = await connect(profile, _paths(tmp_path), read_only=True, prompt=prompt)
    assert engine.home == "server"
    assert asked == [f"Password of {USER} at 127.0.0.1:{http_front.ports['tls']}"]
    assert (await engine.query("SELECT getSetting('readonly'), getSetting('max_threads')")).rows[0] == (2, 2)
    await engine.close()
    with pytest.raises(RefusedError):
        await connect(profile, _paths(tmp_path), read_only=False, prompt=prompt)
    with pytest.raises(UnreachableError):
        await connect(Profile("x", host="127.0.0.1", port=1), _paths(tmp_path), read_only=False, prompt=None)


async def test_connecting_to_the_embedded_engine(tmp_path: Path) -> None:
    profile = Profile("embedded", engine="embedded", settings={"max_threads": 2})
    engine = await connect(profile, _paths(tmp_path), read_only=True, prompt=None)
    assert engine.home == "embedded"
    assert engine.address == str(profile.data_folder(_paths(tmp_path)))
    assert (await engine.query("SELECT getSetting('max_threads')")).first_cell() == 2
    await engine.close()
