"""One-shot commands of Partner Connect, against the embedded engine."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

import pytest

from core.changes import Change, RecordStep
from core.clickhouse.embedded import EmbeddedEngine
from core.display import cell_width
from core.journal.journal import Journal
from core.keys import envelope
from core.partner import partner_connections
from core.partner.accounts import facts
from core.partner.accounts.state import AccountKey, AccountKind, Coordinates, PartnerConnection
from core.partner.messages.requests import CloudProvider, ConnectionScope, UserKey, WorkspaceKey
from core.partner.security.basic_credentials import Presented, header_value
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.partner.storage.request_log import RequestLog, RequestTail
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.sealed_table import SealedTable
from core.partner.storage.tables import REQUESTS_TABLE, PartnerTables
from core.paths import Paths
from core.profiles import load
from core.secrets import Secret
from core.session import Session
from tests.cli.conftest import Housekeys
from tests.engine.denying_engine import DenyingEngine
from tests.engine.faulty_engine import FaultyEngine
from tui.cli import partner_requests
from tui.cli.context import Context
from tui.cli.partner_requests import request_line

NOW = datetime.now(UTC)
WORKSPACE = WorkspaceKey(CloudProvider.AWS, 2**62)
CONNECTION = PartnerConnection(
    "pcaaaa",
    "paaaaa",
    "puaaaa",
    WORKSPACE,
    "read",
    ("AUTH_OAUTH_M2M",),
    ConnectionScope.WORKSPACE,
    NOW,
    Coordinates("dbc-1.cloud.databricks.com", 443, http_path="/sql/1.0/warehouses/1"),
)
FACTS = (
    facts.account_created(
        "paaaaa",
        AccountKey(AccountKind.DOMAIN, "acme.example"),
        domain="acme.example",
        workspace=WORKSPACE,
        database="partner_paaaaa",
        role="partner_paaaaa",
        trial_until=NOW + timedelta(days=14),
    ),
    facts.user_added(
        "puaaaa", "paaaaa", UserKey(CloudProvider.AWS, 7), email="ann@acme.example", name="partner_puaaaa"
    ),
    facts.connection_configured(CONNECTION),
)


def connected(home: Path) -> None:
    """What the service records of one connect, and its requests, into the ClickHouse of the default profile."""

    async def record() -> None:
        session = await Session.open(load(home / "config.toml"), None, Paths.locate({"HOUSEKEYS_HOME": str(home)}))
        try:
            connections = session.partner_connections
            assert (await session.runner.run(await connections.plan_tables())).succeeded
            assert (await session.runner.run(Change("Connect", (RecordStep("Record", FACTS),)))).succeeded
            await connections.request_log.append(
                [
                    _answered(1, "connect", 200, "create_trial", account_id="paaaaa", connection_id="pcaaaa"),
                    _answered(2, "connect", 401, "unauthorized", problem="no such credential"),
                ]
            )
        finally:
            await session.close()

    asyncio.run(record())


def _answered(number: int, endpoint: str, status: int, word: str, **more: Any) -> AnsweredRequest:
    at = NOW - timedelta(minutes=10 - number)
    return AnsweredRequest(UUID(int=number), at, "h:1/2", "POST", endpoint, status, 0.012, word, **more)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "STRONG", envelope.ScryptCost(2**10))


def configured(home: Path, *lines: str) -> None:
    """A profile file whose default profile has a table `partner` with these lines."""
    home.mkdir(exist_ok=True)
    text = 'default_profile = "p"\n[profiles.p]\nengine = "embedded"\n[profiles.p.partner]\n'
    text += "\n".join(('base_url = "http://127.0.0.1:8085"', *lines))
    (home / "config.toml").write_text(text, encoding="utf-8")


def test_what_is_known_is_told_and_changed(housekeys: Housekeys, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALING_KEYS", SealingKeys([new_sealing_key()]).to_text().reveal())
    configured(home, "trial.type = 'account'", "trial.days = 30", 'sealing_keys = "env:SEALING_KEYS"')
    assert "Databricks makes them" in housekeys("partner", "list").stderr
    connected(home)
    (row,) = housekeys("partner", "list", "--json").json
    assert (row["id"], row["standing"], row["email"]) == ("pcaaaa", "active", "ann@acme.example")
    assert row["workspace_id"] == 2**62
    shown = housekeys("partner", "show", "pca")
    assert "dbc-1.cloud.databricks.com:443" in shown.stdout
    assert "connect  200  create_trial" in shown.stdout
    assert "partner_puaaaa  no password set yet" in housekeys("partner", "accounts", "acme.example").stdout
    assert "housekeys partner accounts" in housekeys("partner", "accounts", "nobody").stderr
    tested = housekeys("partner", "test", "pca", "--json")
    assert (tested.code, {one["test_name"]: one["status"] for one in tested.json}["Secrets"]) == (1, "FAIL")

    expired = housekeys("partner", "expire", "acme.example", "--yes")
    assert expired.code == 0, expired.stderr
    account = housekeys("partner", "accounts", "acme.example", "--json").json
    assert (account["standing"], account["connections"]) == ("expired", ["pcaaaa"])
    renewed = housekeys("--dry-run", "partner", "renew", "acme.example")
    assert f"until {NOW + timedelta(days=30):%Y-%m-%d}" in renewed.stderr
    assert housekeys("partner", "purchase", "acme.example").code == 0
    assert housekeys("partner", "invite", "acme.example", "bob\x1b[31m@acme.example").code == 2
    assert housekeys("partner", "invite", "acme.example", "bob@acme.example").code == 0
    (account,) = housekeys("partner", "accounts", "--json").json
    assert account["purchased"] is not None
    assert [user["email"] for user in account["users"]] == ["ann@acme.example", "bob@acme.example"]

    assert housekeys("partner", "delete", "nobody").code == 4
    assert housekeys("partner", "delete", "pcaaaa", "--yes").code == 0
    (gone,) = housekeys("partner", "list", "--deleted", "--json").json
    assert (gone["standing"], gone["coordinates"]) == ("deleted", None)


def test_who_may_not_read_the_log_is_shown_the_rest(
    housekeys: Housekeys, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(home)
    connected(home)
    denied = partial(DenyingEngine, words="partner_requests")
    monkeypatch.setattr(partner_connections, "RequestLog", lambda engine, name: RequestLog(denied(engine), name))
    missing = "SELECT ON housekeys.partner_requests"
    for words in (("list",), ("show", "pca")):
        told = housekeys("partner", *words)
        assert (told.code, missing in told.stderr, "acme.example" in told.stdout) == (0, True, True)
    assert "Last requests" not in told.stdout
    assert housekeys("partner", "show", "pca", "--json").json["requests"] is None
    assert housekeys("partner", "requests").code == 3


def test_requests_are_listed_and_counted(housekeys: Housekeys, home: Path) -> None:
    configured(home)
    assert "No request was answered" in housekeys("partner", "requests").stderr
    connected(home)
    first, second = housekeys("partner", "requests", "--json").json
    assert (first["status"], second["status"]) == (200, 401)
    errors = housekeys("partner", "requests", "--errors", "--since", "1h")
    assert "no such credential" in errors.stdout
    assert "create_trial" not in errors.stdout
    assert housekeys("partner", "requests", "--account", "paa", "--since", "8m", "--json").json == []
    follow = [sys.executable, "-m", "tui", "partner", "requests", "--follow", "--errors", "--json"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True, env={"HOUSEKEYS_HOME": str(home)}) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["status"] == 401
        process.send_signal(signal.SIGINT)  # which is how it ends
        assert process.wait(60) == 0
    counts = housekeys("partner", "statistics", "--days", "2", "--json").json
    assert sum(one["count"] for one in counts) == 2


async def test_the_live_tail_waits_for_a_clickhouse_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_requests, "FOLLOW_SECONDS", 0)
    engine = FaultyEngine(await EmbeddedEngine.open(tmp_path / "engine"))
    await engine.command("CREATE DATABASE housekeys")
    await engine.command(PartnerTables(engine, Journal(engine, "housekeys")).creation_statement(REQUESTS_TABLE))
    log = RequestLog(engine, "housekeys")
    words = Namespace(json=False, errors=False, config=None)
    context = Context(words, {"HOUSEKEYS_HOME": str(tmp_path)}, stdout=io.StringIO(), stderr=io.StringIO())

    async def printed(stream: TextIO, text: str) -> None:
        while text not in stream.getvalue():  # type: ignore[attr-defined]  # noqa: ASYNC110 - a stream tells no event
            await asyncio.sleep(0)

    engine.broken = True
    following = asyncio.create_task(partner_requests.follow(context, [], RequestTail(log)))
    try:
        async with asyncio.timeout(60):
            await printed(context.output.stderr, "It is asked again each second.")
            engine.repair()
            await printed(context.output.stderr, "It answers again.")
            await log.append([replace(_answered(1, "connect", 200, "sign_in"), at=datetime.now(UTC))])
            await printed(context.output.stdout, "sign_in")
    finally:
        following.cancel()
        await following
        await engine.close()
    assert context.output.stderr.getvalue().count("\n") == 2  # type: ignore[attr-defined]


def test_a_line_of_the_live_tail_fits_and_keeps_what_matters_most() -> None:
    about = {
        "account_id": "pa" * 16,
        "connection_id": "pc" * 16,
        "problem": "the workspace 名前 is \x1b[31mnot known " * 3,
    }
    request = _answered(1, "delete-connection", 404, "connection_not_found", **about)
    lines = {width: request_line(request, width) for width in range(1, 200)}
    assert all(cell_width(line) <= width and line.isprintable() for width, line in lines.items())
    assert lines[40].split() == [f"{request.at:%H:%M:%S}", "delete-connection", "404"]
    assert "connection_not_found  the workspace" in lines[80]
    assert lines[160].startswith(f"{request.at:%Y-%m-%d}  {request.at:%H:%M:%S}  delete-connection  404")
    assert "0.012 s  papapapapapa  pcpcpcpcpcpc  the workspace" in lines[160]
    other = request_line(_answered(2, "connect", 200, "sign_in"), 80)
    assert (other.index("200"), other.index("sign_in")) == (lines[80].index("404"), lines[80].index("connection_"))
    assert request_line(request, None).endswith("…")  # as in a file: all of it, the problem to 80 cells


def test_credentials_come_one_before_the_other_goes(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    configured(home)
    assert "Databricks cannot call" in housekeys("partner", "credential", "list").stderr
    assert housekeys("partner", "credential", "add").code == 3  # nobody is there to be shown it
    made = housekeys("partner", "credential", "add", typed="")
    password = made.stdout.split("Password")[1].split()[0]
    assert header_value(Presented("databricks", Secret(password))).reveal() in made.stdout
    file = tmp_path / "second.json"
    second = housekeys("partner", "credential", "add", "--output", str(file))
    assert second.code == 0, second.stderr
    assert json.loads(file.read_text())["user"] == "databricks"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["password"] not in second.stdout + second.stderr
    assert housekeys("partner", "credential", "add", "--output", str(file)).code == 2  # it is there already

    old, new = housekeys("partner", "credential", "list", "--json").json
    assert housekeys("partner", "credential", "remove", old["id"], "--yes").code == 0
    assert [one["id"] for one in housekeys("partner", "credential", "list", "--json").json] == [new["id"]]
    assert housekeys("partner", "credential", "remove", new["id"], "--yes").code == 3  # the last one


def test_the_life_of_sealing_keys(
    housekeys: Housekeys, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple")
    passphrase.chmod(0o600)
    configured(home, f'sealing_keys = "file:{passphrase}"')
    nothing = housekeys("partner", "sealing-key", "list")
    assert "housekeys partner sealing-key new" in nothing.stderr
    assert housekeys("--read-only", "partner", "sealing-key", "new").code == 3
    first = housekeys("partner", "sealing-key", "new", "--json")
    assert first.code == 0, first.stderr
    second = housekeys("partner", "sealing-key", "new", "--passphrase-file", str(passphrase), "--json").json
    rows = housekeys("partner", "sealing-key", "list", "--json").json
    assert [(row["version"], row["id"], row["use"]) for row in rows] == [
        (2, second["id"], "seals"),
        (1, first.json["id"], "opens"),
    ]
    assert "Keep a copy" in first.stderr
    denied = partial(DenyingEngine, words="partner_secrets")
    with monkeypatch.context() as patched:
        patched.setattr(
            partner_connections, "SealedTable", lambda engine, *rest, **more: SealedTable(denied(engine), *rest, **more)
        )
        listed = housekeys("partner", "sealing-key", "list", "--json")
    assert [(row["use"], row["connections"]) for row in listed.json] == [("seals", None), ("opens", None)]
    assert "SELECT ON housekeys.partner_secrets" in listed.stderr
    assert Path(first.json["file"]).stat().st_mode & 0o777 == 0o600

    text = tmp_path / "keys.txt"
    exported = housekeys("partner", "sealing-key", "export", "--output", str(text), "--yes", "--json")
    assert exported.json["ids"] == [second["id"], first.json["id"]]
    assert text.stat().st_mode & 0o777 == 0o600
    configured(home, f'sealing_keys = "file:{text}"')  # a host that reads them from a vault has none to open
    refused = housekeys("partner", "sealing-key", "new")
    assert (refused.code, "as a text" in refused.stderr) == (2, True)

    Path(first.json["file"]).write_text("damaged")
    damaged = housekeys("partner", "sealing-key", "list")
    assert (damaged.code, "unreadable" in damaged.stdout) == (1, True)


def test_the_config_of_the_profile_is_made_and_any_is_checked(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    assert housekeys("partner", "config", "new").code == 2  # the built-in profile says nothing of it
    configured(home, 'integration = "write"', "test_hooks = true")
    made = housekeys("partner", "config", "new", "--name", "Acme", "--cloud", "gcp")
    assert (made.json["name"], made.json["supported_clouds"]) == ("Acme", ["gcp"])
    file = tmp_path / "partner.json"
    file.write_text(made.stdout)
    good = housekeys("partner", "config", "check", str(file))
    assert (good.code, "agrees with profile p" in good.stderr) == (0, True)
    wrong = housekeys("partner", "config", "new", "--privacy-policy", "acme")
    assert (wrong.code, wrong.stdout) == (2, "")

    configured(home, 'integration = "read"')
    differs = housekeys("partner", "config", "check", str(file), "--json")
    assert (differs.code, {one["field"] for one in differs.json["differences"]}) == (
        1,
        {"endpoints.delete_account_path", "endpoints.expire_account_path"},
    )
    file.write_text('{"name": "Acme", "categroy": "ML"}')
    bad = housekeys("partner", "config", "check", str(file))
    assert bad.code == 2
    assert "category is required" in bad.stdout
    assert "categroy is not a known key; did you mean category?" in bad.stdout
    file.write_text('{"name": "Acme')
    torn = housekeys("partner", "config", "check", str(file))
    assert torn.stdout == "  the file is not JSON, at line 1, column 10: unterminated string\n"
    assert "standard input cannot be used" in housekeys("partner", "config", "check", "-").stderr


def test_the_openapi_document_is_that_of_the_profile(housekeys: Housekeys, home: Path) -> None:
    assert "/delete-account" in housekeys("partner", "openapi").json["paths"]
    configured(home, 'endpoints.connect_path = "/v1/connect"')
    document = housekeys("partner", "openapi").json
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/v1/connect", "/delete-connection", "/test-connection"}
