"""`housekeys profile`: the file is written with care, and a test says what the connection is worth."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.profiles import load
from core.running import files
from tests.cli.conftest import Housekeys
from tests.http_front.process import PASSWORD, USER, Front
from tui.cli.context import Context

LAKEHOUSE = (
    *("--lakehouse", "s", "--lakehouse-instance", "i", "--lakehouse-workspace", "w", "--lakehouse-user", "u"),
    *("--lakehouse-password-ref", "prompt"),
)


def write(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "config.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_built_in_profile_is_listed(housekeys: Housekeys, home: Path) -> None:
    outcome = housekeys("profile", "list", "--json")
    assert (outcome.code, outcome.stderr) == (0, "")
    (profile,) = outcome.json
    assert (profile["name"], profile["engine"], profile["origin"]) == ("embedded", "embedded", "built-in")
    assert profile["folder"] == str(home / "data" / "engines" / "embedded")
    assert profile["default"] is True
    assert "embedded" in housekeys("profile", "list").stdout
    assert not home.exists()


def test_a_profile_with_every_option_is_added_and_shown(
    housekeys: Housekeys, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CH_PASSWORD", "hunter2-hunter2")
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch(0o600)
    outcome = housekeys(
        *("profile", "add", "prod", "--url", "https://ch-1.example:9443", "--user", "operator", "--default"),
        *("--password-ref", "env:CH_PASSWORD", "--ca-file", "ca.pem", "--client-certificate", "client.pem"),
        *("--client-key", "client.key", "--no-verify", "--cluster", "main", "--database", "house"),
        *("--connect-timeout", "2.5", "--query-timeout", "120", "--production", "--mode", "write"),
        *("--setting", "max_threads=4", "--setting", "log_queries=true", "--setting", "log_comment=by me"),
        *("--setting", "ratio=0.5", "--datalens-user", "reader", "--datalens-host", "a", "--datalens-host", "b:8443"),
        *("--key-folder", "~/keys", "--console-members", "ca.pem", "--json"),
        *("--lakehouse", "gw.example", "--lakehouse-instance", "i", "--lakehouse-workspace", "w"),
        *("--lakehouse-user", "house", "--lakehouse-password-ref", "env:CH_PASSWORD", "--lakehouse-schema", "udf"),
        *("--lakehouse-ca-file", "ca.pem", "--lakehouse-no-verify", "--provision", "aws"),
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.stderr == f"Added prod to {home}/config.toml:3.\n"
    shown = housekeys("profile", "show", "--json").json
    assert shown == outcome.json
    expected = {
        "name": "prod",
        "state": "ready",
        "default": True,
        "origin": f"{home}/config.toml:3",
        "engine": "server",
        "address": "ch-1.example:9443",
        "url": "https://ch-1.example:9443",
        "user": "operator",
        "password": "env:CH_PASSWORD",
        "tls": {
            "enabled": True,
            "verify": False,
            "ca_file": str(tmp_path / "ca.pem"),
            "client_certificate": str(tmp_path / "client.pem"),
            "client_key": str(tmp_path / "client.key"),
        },
        "database": "house",
        "cluster": "main",
        "connect_timeout": 2.5,
        "query_timeout": 120.0,
        "settings": {"max_threads": 4, "log_queries": True, "log_comment": "by me", "ratio": 0.5},
        "read_only": False,
        "production": True,
        "folder": None,
        "query_log": None,
        "datalens": {"user": "reader", "hosts": ["a", "b:8443"], "key_folder": str(Path("~/keys").expanduser())},
        "console_members": str(tmp_path / "ca.pem"),
        "lakehouse": {
            "service": "gw.example",
            "instance": "i",
            "workspace": "w",
            "username": "house",
            "password": "env:CH_PASSWORD",
            "vcluster": "default",
            "schema": "udf",
            "secure": True,
            "ca_file": str(tmp_path / "ca.pem"),
            "verify": False,
            "connect_timeout": 10.0,
            "query_timeout": 120.0,
            "url": "https://gw.example",
        },
        "clouds": {
            "aws": {
                "provision": True,
                "endpoint": None,
                "sts_endpoint": None,
                "credentials_profile": None,
                "region": None,
            }
        },
        "partner": None,
        "badges": ["PRODUCTION", "TLS NOT VERIFIED"],
        "problems": [],
    }
    assert shown == expected
    text = housekeys("profile", "show", "prod").stdout
    assert "NOT verified" in text
    assert "https://gw.example\n" in text and "w of instance i, schema udf" in text
    assert f"certificate NOT checked, CA {tmp_path}/ca.pem\n" in text
    assert "changed by Housekeys" in text
    assert "hunter2" not in text
    assert stat.S_IMODE((home / "config.toml").stat().st_mode) == 0o600


def test_the_usual_ways_to_add(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    assert housekeys("profile", "add", "a", "--host", "h").code == 0
    assert housekeys("profile", "add", "b", "--host", "::1", "--no-tls").code == 0
    assert (
        housekeys("profile", "add", "c d", "--engine", "embedded", "--folder", str(tmp_path), "--query-log").code == 0
    )
    assert housekeys("profile", "add", "e", "--host", "h", "--port", "1", "--mode", "read-only").code == 0
    file = load(home / "config.toml")
    assert [(name, file.profile(name).address, file.profile(name).badges) for name in file.names] == [
        ("a", "h:8443", ()),
        ("b", "[::1]:8123", ("NO TLS",)),
        ("c d", str(tmp_path), ("embedded",)),
        ("e", "h:1", ()),
        ("embedded", "in this process", ("embedded",)),
    ]
    assert file.profile("e").read_only is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x"], "needs an address"),
        (["x", "--url", "https://u:hunter2@h"], "holds no user and no password"),
        (["x", "--url", "https://h", "--port", "1"], "says host, port and TLS already"),
        (["x", "--host", "h", "--password-ref", "hunter2"], "never written here"),
        (["x", "--host", "h", "--folder", "/x"], "--folder belongs to an embedded engine"),
        (["x", "--engine", "embedded", "--url", "https://h"], "--url belongs to a server"),
        (["x", "--engine", "embedded", "--port", "0"], "--port belongs to a server"),
        (["x", "--host", "h", "--port", "0"], "must be from 1 to 65535"),
        (["x", "--host", "h", "--setting", "a"], "needs a name and a value"),
        (["x", "--host", "h", "--setting", "readonly=1"], "is decided by read_only"),
        (["x", "--host", "h", "--query-timeout", "-1"], "must be above 0"),
        (["x", "--host", "h", "--lakehouse-instance", "i"], "--lakehouse-instance belongs to a Lakehouse"),
        (["x", "--host", "h", "--lakehouse", "s"], "--lakehouse needs --lakehouse-instance too"),
        (["x", "--host", "h", *LAKEHOUSE, "--lakehouse", "https://s"], "is a URL; write the host alone"),
        (["x", "--host", "h", *LAKEHOUSE, "--lakehouse-no-tls", "--lakehouse-ca-file", "c"], "has no use without TLS"),
        (["x", "--host", "h", *LAKEHOUSE, "--lakehouse-password-ref", "hunter2"], "never written here"),
        (["", "--host", "h"], "1 to 64 characters"),
        (["x" * 65, "--host", "h"], "1 to 64 characters"),
        (["a\x1b[2J", "--host", "h"], "must be printable"),
        (["old", "--host", "h"], "There is a profile old already"),
    ],
)
def test_what_cannot_be_added_changes_nothing(housekeys: Housekeys, home: Path, words: list[str], said: str) -> None:
    text = "# mine\n[profiles.old]\nhost = 'h'\n"
    path = write(home, text)
    outcome = housekeys("profile", "add", *words)
    assert outcome.code == 2
    assert said in outcome.stderr
    assert "hunter" not in outcome.stderr
    assert "\x1b" not in outcome.stderr
    assert (outcome.stdout, path.read_text()) == ("", text)


def test_a_dry_run_shows_the_preview_and_writes_nothing(housekeys: Housekeys, home: Path) -> None:
    path = write(home, "# mine\n")
    outcome = housekeys("profile", "add", "x", "--host", "h", "--dry-run")
    assert outcome.code == 0
    first, *lines = outcome.stdout.splitlines()
    assert first.startswith(f"write file {path} (0600, ")
    assert "+[profiles.x]" in lines
    assert outcome.stderr == "Add profile x (routine, 1 step)\n"
    plan = housekeys("--dry-run", "--json", "profile", "add", "x", "--host", "h").json
    assert (plan["file"], plan["title"], plan["danger"], plan["reversible"]) == (
        str(path), "Add profile x", "routine", True
    )  # fmt: skip
    assert plan["difference"].splitlines()[:2] == [f"--- {path}", f"+++ {path}"]
    assert "+[profiles.x]" in plan["difference"].splitlines()
    assert plan["steps"][0]["preview"] == outcome.stdout.rstrip("\n")
    assert path.read_text() == "# mine\n"
    assert not (home / "state" / "changes").exists()


@pytest.mark.parametrize(
    ("options", "preference", "profile", "code"),
    [
        (["--read-only"], "", "", 3),
        (["--read-only"], "read_only = false", "read_only = false", 3),
        ([], "read_only = true", "", 3),
        ([], "read_only = true", "read_only = false", 3),
        (["--write"], "read_only = true", "", 0),
        ([], "", "read_only = true", 0),
    ],
)
def test_read_only_is_of_the_run_or_the_preferences(
    housekeys: Housekeys, home: Path, options: list[str], preference: str, profile: str, code: int
) -> None:
    text = f"{preference}\n[profiles.x]\nhost = 'h'\n{profile}\n"
    path = write(home, text)
    for words in (["add", "y", "--host", "h"], ["remove", "x", "--yes"]):
        path.write_text(text)
        outcome = housekeys(*options, "profile", *words)
        assert outcome.code == code, outcome.stderr
        assert (path.read_text() == text) is (code == 3)
        if code:
            assert ("--read-only" if options else "the preferences: read_only = true") in outcome.stderr
            assert "Use --write" in outcome.stderr


def test_what_was_done_is_recorded_on_this_machine(housekeys: Housekeys, home: Path) -> None:
    assert housekeys("profile", "add", "x", "--host", "h", "--default").code == 0
    assert housekeys("profile", "remove", "x", "--yes").code == 0
    file = home / "state" / "configuration.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["subject"], row["action"]) for row in rows if row["subject_kind"] != "change"] == [
        ("x", "create"),
        ("default_profile", "edit"),
        ("x", "remove"),
        ("default_profile", "edit"),
    ]
    assert not (home / "data").exists()  # no engine was opened for it


def test_what_others_saved_while_it_was_asked_is_not_overwritten(
    housekeys: Housekeys, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(home, "[profiles.x]\nhost = 'h'\n")
    theirs = "[profiles.x]\nhost = 'other'\n"

    async def slow(_context: Context, _question: str) -> str:
        path.write_text(theirs)
        return "y"

    monkeypatch.setattr(Context, "ask_line", slow)
    outcome = housekeys("profile", "remove", "x", typed="")
    assert (outcome.code, "changed by someone else" in outcome.stderr) == (3, True)
    assert path.read_text() == theirs


def test_what_is_unfinished_is_told(housekeys: Housekeys, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_arguments: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(files, "_write", die)
        housekeys("profile", "add", "x", "--host", "h")
    outcome = housekeys("profile", "add", "y", "--host", "h")
    assert (outcome.code, "a change of the profiles is unfinished" in outcome.stderr) == (0, True)
    assert load(home / "config.toml").names == ("y", "embedded")


def test_removing_asks_and_says_what_stays(housekeys: Housekeys, home: Path) -> None:
    path = write(home, "# mine\n[profiles.x]\nengine = 'embedded'\n\n# other\n[profiles.y]\nhost = 'h'\n")
    (home / "data" / "engines" / "x").mkdir(parents=True)
    assert housekeys("profile", "remove", "x").code == 3
    assert housekeys("profile", "remove", "x", typed="n\n").code == 3
    assert housekeys("profile", "remove", "nobody", "--yes").code == 4
    assert housekeys("profile", "remove", "embedded", "--yes").code == 3
    outcome = housekeys("profile", "remove", "x", typed="y\n")
    assert outcome.code == 0
    assert "Remove profile x (disruptive, 1 step)\n" in outcome.stderr
    assert "\n-[profiles.x]\n" in outcome.stderr
    assert "Run this? [y/N]" in outcome.stderr
    assert f"Kept: {home}/data/engines/x" in outcome.stderr
    assert path.read_text() == "# mine\n\n# other\n[profiles.y]\nhost = 'h'\n"


def test_a_broken_profile_is_listed_with_its_place_and_can_be_removed(housekeys: Housekeys, home: Path) -> None:
    write(home, "[profiles.x]\nhost = 'h'\nprot = 1\n[profiles.y]\nhost = 'h'\n")
    outcome = housekeys("profile", "list")
    assert outcome.code == 0
    assert outcome.stderr == f"{home}/config.toml:3: profiles.x.prot: is not a known key; did you mean port?\n"
    assert [row.split()[0] for row in outcome.stdout.splitlines()] == ["NAME", "x", "y", "embedded"]
    broken, *_ = housekeys("profile", "list", "--json").json
    assert (broken["state"], broken["problems"][0]["line"]) == ("broken", 3)
    shown = housekeys("profile", "show", "x")
    assert (shown.code, "config.toml:3" in shown.stderr) == (2, True)
    assert housekeys("profile", "show", "z").code == 4
    assert housekeys("profile", "remove", "x", "--yes").code == 0
    assert housekeys("profile", "list").stderr == ""


def test_a_file_that_is_no_toml_is_told_and_not_overwritten(housekeys: Housekeys, home: Path) -> None:
    path = write(home, "[profiles.x\n")
    outcome = housekeys("profile", "list")
    assert (outcome.code, f"{home}/config.toml:1: not TOML" in outcome.stderr) == (0, True)
    assert "embedded" in outcome.stdout
    assert housekeys("profile", "add", "y", "--host", "h").code == 2
    assert path.read_text() == "[profiles.x\n"


# Against real engines


def test_the_embedded_engine_is_tested(housekeys: Housekeys) -> None:
    outcome = housekeys("profile", "test", "embedded", "--json")
    assert outcome.code == 0, outcome.stderr
    tested = outcome.json
    assert tested["version"].startswith("26.")
    assert tested["user"] == "default"
    assert "create database" in tested["may"]
    assert tested["latency_ms"] >= 0
    assert tested["not_enforced"] == {}


async def test_what_the_embedded_engine_keeps_and_does_not_enforce_is_told(housekeys: Housekeys, home: Path) -> None:
    engine = await EmbeddedEngine.open(home / "data" / "engines" / "embedded")
    try:
        for sql in ("CREATE USER `a\nb` VALID UNTIL '2050-01-01' GRANTEES NONE", "CREATE ROLE r SETTINGS readonly = 1"):
            await engine.command(sql)
    finally:
        await engine.close()
    outcome = await asyncio.to_thread(housekeys, "profile", "test")
    assert "kept, not enforced  user a\\nb: validity, grantees\n" in outcome.stdout
    assert "role r: settings of a role" in outcome.stdout


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    front = Front.start(tmp_path_factory.mktemp("front"), grants=["GRANT SELECT ON *.*"])
    yield front
    front.close()


def test_a_server_is_tested(housekeys: Housekeys, home: Path, front: Front, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    added = housekeys(
        *("profile", "add", "srv", "--url", f"https://127.0.0.1:{front.ports['tls']}", "--user", USER, "--default"),
        *("--ca-file", str(front.certificates.ca), "--password-ref", f"file:{password}", "--production"),
    )
    assert added.code == 0, added.stderr
    outcome = housekeys("profile", "test")
    assert outcome.code == 0, outcome.stderr
    fields = dict(line.split(maxsplit=1) for line in outcome.stdout.splitlines() if line[:1].strip())
    assert fields["address"] == f"127.0.0.1:{front.ports['tls']}"
    assert fields["badges"] == "PRODUCTION"
    assert PASSWORD not in outcome.stdout + outcome.stderr
    tested = housekeys("profile", "test", "srv", "--json").json
    assert "read databases" in tested["may"]
    assert "GRANT CREATE DATABASE" in tested["missing"]["create database"]
    assert tested["partner"] is None

    with (home / "config.toml").open("a", encoding="utf-8") as file:
        file.write('[profiles.srv.partner]\nbase_url = "https://c.example"\nresources.settings_profile = "default"\n')
    outcome = housekeys("--write", "profile", "test")
    assert outcome.code == 0, outcome.stdout  # a right that somebody lacks here, the user of a service may have
    told = outcome.stdout[outcome.stdout.index("Partner Connect") :]
    place = f"{home / 'config.toml'}:{len((home / 'config.toml').read_text().splitlines())}"
    assert f"note: {place}: profiles.srv.partner.resources.settings_profile: The user lacks the right" in told
    assert "GRANT SHOW SETTINGS PROFILES ON *.* TO `default`" in told
    assert "run: GRANT CREATE DATABASE, DROP DATABASE ON partner_*.*, CREATE USER" in told
    assert "GRANT INSERT, CREATE TABLE, DROP TABLE ON partner_*.* TO default WITH GRANT OPTION" in told
    found = housekeys("--read-only", "profile", "test", "--json").json["partner"]  # where nothing may be written
    assert [(unmet["seen"], unmet["key"].rpartition(".")[2]) for unmet in found["unmet"]] == [
        (False, "settings_profile")
    ]

    password.write_text("wrong password\n")
    assert housekeys("profile", "test", "srv").code == 5
    password.chmod(0o644)
    assert housekeys("profile", "test", "srv").code == 3


def test_a_password_that_must_be_typed_needs_a_terminal(housekeys: Housekeys, front: Front) -> None:
    url = f"http://127.0.0.1:{front.ports['plain']}"
    assert housekeys("profile", "add", "srv", "--url", url, "--user", USER, "--password-ref", "prompt").code == 0
    outcome = housekeys("profile", "test", "srv")
    assert (outcome.code, f"Password of {USER}" in outcome.stderr) == (3, True)


def test_a_dead_server_is_told(housekeys: Housekeys, unused_tcp_port: int) -> None:
    assert housekeys("profile", "add", "dead", "--url", f"http://127.0.0.1:{unused_tcp_port}").code == 0
    outcome = housekeys("profile", "test", "dead")
    assert outcome.code == 5
    assert str(unused_tcp_port) in outcome.stderr
    assert housekeys("profile", "list").code == 0
