"""`housekeys user|role|quota|settings-profile|row-policy` and `grant`, on the embedded engine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.access.model import CreateUser
from core.access.parser import parse_statement
from core.access.passwords import check_strength
from core.secrets import Secret
from tests.cli.conftest import Housekeys

HOSTILE = "o'b`r\"ien\\ \u202e; DROP USER x --"


def names(housekeys: Housekeys, noun: str) -> list[str]:
    found = housekeys(noun, "list", "--json")
    assert found.code == 0, found.stderr
    return [row["name"] for row in found.json if row["name"] != "default"]


def statements(housekeys: Housekeys, noun: str, name: str) -> list[str]:
    found = housekeys(noun, "show", name, "--json")
    assert found.code == 0, found.stderr
    shown: list[str] = found.json["statements"]
    return shown


def test_a_user_from_beginning_to_end(housekeys: Housekeys, home: Path) -> None:
    assert housekeys("role", "create", "reader", "--setting", "max_threads = 4 MAX 8").code == 0
    [role] = housekeys("role", "list", "--json").json
    assert any(
        "settings" in words for words in role["not_enforced_here"]
    )  # users.xml, by which it is enforced, has none of roles
    made = housekeys(
        *("user", "create", "ann", "--generate-password", "--role", "reader", "--host", "ip:10.0.0.0/8"),
        *("--host", "name:job.example", "--default-database", "default", "--valid-until", "2037-01-31"),
    )
    assert made.code == 0, made.stderr
    password = made.stdout.removesuffix("\n")
    check_strength(Secret(password))
    assert "user ann: created" in made.stderr
    kept = "".join(path.read_text(errors="replace") for path in home.rglob("*") if path.is_file())
    assert password not in kept
    [create, grant] = statements(housekeys, "user", "ann")
    parsed = parse_statement(create)
    assert isinstance(parsed, CreateUser) and parsed.hosts is not None
    assert (parsed.hosts.addresses, parsed.hosts.names) == (("10.0.0.0/8",), ("job.example",))
    assert "VALID UNTIL '2037-01-31" in create
    assert grant == "GRANT reader TO ann"
    [listed] = [row for row in housekeys("user", "list", "--json").json if row["name"] == "ann"]
    assert listed["not_enforced_here"] == ["the salt of a password hash", "validity", "by role reader: settings"]
    assert "by role reader: settings" in housekeys("user", "show", "ann").stdout
    assert housekeys("role", "create", "ann").code == 0  # what is told of the user is not told of the role
    assert housekeys("role", "show", "ann", "--json").json["not_enforced_here"] == []
    assert housekeys("role", "drop", "ann", "--yes").code == 0
    again = housekeys("user", "create", "ann", "--identified-with", "no_password")
    assert again.code == 2
    assert "already" in again.stderr

    assert housekeys("user", "alter", "ann", "--host", "none").code == 3  # it takes something: to be confirmed
    assert housekeys("user", "alter", "ann", "--host", "none", "--yes").code == 0
    assert "HOST NONE" in statements(housekeys, "user", "ann")[0]
    other = housekeys("user", "alter", "ann", "--generate-password", "--json", "--yes")
    assert other.code == 0, other.stderr
    assert other.json["password"] != password

    assert housekeys("user", "clone", "ann", HOSTILE, "--generate-password").code == 0
    assert names(housekeys, "user") == ["ann", HOSTILE]
    assert "reader" in statements(housekeys, "user", HOSTILE)[-1]
    assert housekeys("user", "alter", "ann", "--rename-to", "bob", "--yes").code == 0
    assert housekeys("user", "show", "ann").code == 4
    assert housekeys("journal", "undo", "--yes").code == 0
    assert housekeys("user", "drop", HOSTILE).code == 3
    assert housekeys("user", "drop", HOSTILE, "--yes").code == 0
    assert names(housekeys, "user") == ["ann"]
    assert housekeys("user", "drop", "nobody", "--yes").code == 4
    assert housekeys("user", "drop", "default", "--yes").code == 3
    lost = housekeys("journal", "undo", "--yes")  # its password is known to nobody
    assert (lost.code, "is not known here" in lost.stderr) == (3, True)


def test_passwords_come_from_a_file_or_are_typed_and_never_from_an_argument(
    housekeys: Housekeys, tmp_path: Path
) -> None:
    secret = "Correct-horse1"
    file = tmp_path / "password"
    file.write_text(f"{secret}\n")
    file.chmod(0o600)
    made = housekeys("--dry-run", "user", "create", "ann", "--password-file", str(file))
    assert made.code == 0, made.stderr
    assert "sha256_hash BY '[HIDDEN]'" in made.stdout
    assert secret not in made.stdout + made.stderr
    assert hashlib.sha256(secret.encode()).hexdigest().upper() not in made.stdout
    for words, why in (
        (("--identified-with", f"sha256_password BY '{secret}'"), "no password"),
        (("--identified-with", "no_password", "--generate-password"), "goes with"),
        (("--identified-with", "no_such_way"), "column 1"),
        (("--identified-with", "no_password, no_password"), "one way"),
        (("--password-file", str(tmp_path / "absent")), "absent"),
        ((), "standard input"),
    ):
        refused = housekeys("user", "create", "ann", *words)
        assert (refused.code, refused.stdout) == (2, ""), words
        assert why in refused.stderr
        assert secret not in refused.stderr
    file.write_text("qwerty")
    assert "too weak" in housekeys("user", "create", "ann", "--password-file", str(file)).stderr
    weak = housekeys("--dry-run", "user", "create", "ann", "--password-file", str(file), "--allow-weak")
    assert (weak.code, "Warning: the password is weak" in weak.stderr) == (0, True)
    assert names(housekeys, "user") == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("user", "create", "", "--identified-with", "no_password"), "empty"),
        (("user", "create", "a", "--host", "10.0.0.1"), "--host: 10.0.0.1 is no host"),
        (("user", "create", "a", "--host", "ip:10.0.0.999"), "no IP address"),
        (("user", "create", "a", "--valid-until", "tomorrow"), "--valid-until: tomorrow"),
        (("user", "create", "a", "--setting", "max_threads = "), "--setting cannot be read at column"),
        (("user", "create", "a", "--setting", "max_threads = 1 DROP ALL SETTINGS"), "more than its one clause"),
        (("user", "create", "a", "--default-role", "x HOST ANY"), "more than its one clause"),
        (("user", "alter", "a"), "Nothing is said"),
        (("user", "alter", "a", "--rename-to", "b", "--host", "any"), "no other option"),
        (("user", "alter", "a", "--allow-weak"), "Nothing is said"),
        (("role", "create", "r", "--settings-profile", ""), "empty"),
        (("quota", "create", "q", "--keyed-by", "shoe_size"), "--keyed-by cannot be read at column 1"),
        (("quota", "create", "q", "--interval", "1 hour MAX shoes = 5"), "--interval cannot be read at column 12"),
        (("quota", "create", "q", "--keyed-by", "user_name TO ALL"), "more than its one clause"),
        (("quota", "create", "q", "--ipv4-prefix-bits", "33"), "from 0 to 32"),
        (("quota", "create", "q", "--to", "a ON CLUSTER c"), "more than its one clause"),
        (("settings-profile", "create", "p", "--setting", "= 1"), "column 1"),
        (("row-policy", "create", "p"), "no name of a row policy"),
        (("row-policy", "create", "p ON t"), "with its database"),
        (("row-policy", "create", "p ON d.t, d.u"), "one row policy"),
        (("row-policy", "create", "p ON d.t", "--using", "a = 1 TO ALL"), "more than its one clause"),
        (("row-policy", "create", "p ON d.t", "--using", "(a = 1"), "--using cannot be read"),
        (("row-policy", "create", "p ON d.t", "--as", "strict"), "--as cannot be read at column 1"),
        (("grant", "add", "SELECT ON acme.* TO x", "--to", "a"), "The grant cannot be read"),
        (("grant", "add", "SELECT ON orders", "--to", "a"), "database is missing"),
        (("grant", "add", "reader", "--to", "a", "--with-grant-option"), "for rights"),
        (("grant", "add", "SELECT ON a.b", "--to", "a", "--with-admin-option"), "for roles"),
        (("grant", "add", "CURRENT GRANTS(SELECT ON a.*)", "--to", "a"), "rights on objects"),
        (("grant", "revoke", "SELECT acme", "--from", "a"), "The revoke cannot be read"),
    ],
)
def test_bad_input_is_told_before_any_engine_is_opened(
    words: tuple[str, ...], why: str, housekeys: Housekeys, home: Path
) -> None:
    refused = housekeys(*words)
    assert (refused.code, refused.stdout) == (2, "")
    assert why in refused.stderr
    assert not list(home.rglob("access.sql"))


def test_what_is_defined_by_clauses(housekeys: Housekeys) -> None:
    """Only planned: what the statement is, is what the options said."""
    wanted = {
        (
            *("quota", "create", "hourly", "--keyed-by", "user_name", "--to", "ALL EXCEPT ann"),
            *("--interval", "1 hour MAX queries = 5k, read_bytes = 10 GiB", "--interval", "1 day TRACKING ONLY"),
        ): "CREATE QUOTA hourly KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 5000, read_bytes = 10737418240, "
        "FOR INTERVAL 1 day TRACKING ONLY TO ALL EXCEPT ann",
        ("settings-profile", "create", "it's", "--setting", "max_threads = 4 MIN 1 MAX 8 CONST"): (
            "CREATE SETTINGS PROFILE `it's` SETTINGS max_threads = 4 MIN 1 MAX 8 CONST"
        ),
        (
            *("row-policy", "create", "`o'wn` ON `a b`.*", "--using", "region IN (1, 2)", "--as", "RESTRICTIVE"),
            *("--to", "ALL"),
        ): "CREATE ROW POLICY `o'wn` ON `a b`.* AS RESTRICTIVE FOR SELECT USING region IN (1, 2) TO ALL",
    }
    assert housekeys("user", "create", "ann", "--identified-with", "no_password").code == 0
    for words, statement in wanted.items():
        planned = housekeys("--dry-run", *words)
        assert planned.code == 0, planned.stderr
        assert planned.stdout == f"{statement}\n"
        assert housekeys("--read-only", *words).code == 3
    assert "names what would not be there" in housekeys("quota", "create", "q", "--to", "nobody").stderr
    assert housekeys("quota", "show", "hourly").code == 4
    assert housekeys("quota", "create", "all", "--interval", "1 hour MAX queries = 5", "--to", "ALL", "--yes").code == 0
    marks = {row["name"]: row["not_enforced_here"] for row in housekeys("quota", "list", "--json").json}
    assert marks["all"] and not marks["default"]  # users.xml has no quota that counts everybody together
    assert housekeys("quota", "alter", "hourly", "--keyed-by", "none").code == 4
    assert housekeys("row-policy", "drop", "p ON d.t").code == 4
    unread = housekeys("row-policy", "create", "p ON d.t", "--using", "a >")
    assert (unread.code, "ClickHouse cannot read the filter." in unread.stderr) == (2, True)


def test_nobody_at_a_terminal_runs_a_statement_unseen(housekeys: Housekeys) -> None:
    assert "CREATE ROLE" not in housekeys("role", "create", "reader").stderr  # a script has --dry-run and the journal
    seen = housekeys("role", "create", "writer", typed="")
    assert (seen.code, "CREATE ROLE writer\n" in seen.stderr, seen.stdout) == (0, True, "")
    beforehand = housekeys("role", "drop", "writer", "--yes", typed="")
    assert (beforehand.code, "DROP ROLE writer\n" in beforehand.stderr) == (0, True)


def test_an_end_that_is_there_already_is_not_set_anew(housekeys: Housekeys) -> None:
    until = ("--valid-until", "2027-01-31")
    assert housekeys("user", "create", "ann", "--identified-with", "no_password", *until).code == 0
    again = housekeys("user", "alter", "ann", *until)
    assert (again.code, "Nothing to change" in again.stderr) == (0, True), again.stderr
    assert housekeys("--dry-run", "user", "alter", "ann", "--valid-until", "2027-02-01").stdout


def test_why_the_only_step_failed_is_said_once(housekeys: Housekeys) -> None:
    refused = housekeys("role", "create", "slow", "--setting", "max_threadz = 1")
    assert refused.stderr.count("max_threadz") == 1, refused.stderr


def test_roles_and_grants(housekeys: Housekeys, home: Path) -> None:
    for name in ("reader", HOSTILE):
        assert housekeys("role", "create", name).code == 0
    assert housekeys("grant", "add", "SELECT(id, day), INSERT ON acme.orders", "--to", HOSTILE).code == 0
    assert housekeys("grant", "add", "SELECT ON acme.*", "--to", "reader", "--with-grant-option").code == 0
    for verb, whom in (("add", "--to"), ("revoke", "--from")):
        misspelt = housekeys("grant", verb, "SELEC ON acme.*", whom, "reader", "--yes")
        assert (misspelt.code, misspelt.stdout) == (2, "")
        assert misspelt.stderr == "housekeys: There is no privilege SELEC.\nDid you mean SELECT?\n"
    again = housekeys("grant", "add", "SELECT ON acme.*", "--to", "reader", "--with-grant-option", "--json")
    assert (again.code, again.json["change"]) == (0, None)
    assert housekeys("grant", "add", "SELECT ON acme.*", "--to", "nobody").code == 4
    assert housekeys("grant", "add", "nobody", "--to", "reader").code == 4
    assert housekeys("grant", "add", "reader", "--to", HOSTILE, "--with-admin-option").code == 0
    assert statements(housekeys, "role", "reader") == [
        "CREATE ROLE reader",
        "GRANT SELECT ON acme.* TO reader WITH GRANT OPTION",
    ]
    refused = housekeys("grant", "revoke", "SELECT ON acme.secret", "--from", "reader")
    assert (refused.code, "--yes" in refused.stderr) == (3, True)
    assert housekeys("grant", "revoke", "SELECT ON acme.secret", "--from", "reader", "--yes").code == 0
    assert "REVOKE SELECT ON acme.secret FROM reader" in statements(housekeys, "role", "reader")
    took = housekeys("grant", "revoke", "GRANT OPTION FOR SELECT ON acme.*", "--from", "reader", "--yes")
    assert took.code == 0, took.stderr
    assert "GRANT OPTION" not in statements(housekeys, "role", "reader")[1]
    assert housekeys("grant", "revoke", "ALL", "--from", HOSTILE, "--yes").code == 0
    assert not any("reader" in line for line in statements(housekeys, "role", HOSTILE))
    assert housekeys("role", "clone", "reader", "auditor").code == 0
    assert "GRANT SELECT ON acme.* TO auditor" in statements(housekeys, "role", "auditor")
    assert names(housekeys, "role") == sorted(["auditor", "reader", HOSTILE])
    mine = housekeys("grant", "add", "INSERT ON acme.*", "--to", "auditor", "--current-grants", "--json")
    assert mine.code == 0, mine.stderr
    assert "GRANT SELECT, INSERT ON acme.* TO auditor" in statements(housekeys, "role", "auditor")
    assert housekeys("grant", "add", "reader", "--to", "auditor", "--current-grants").code == 2
    let_in = ("role", "sql-console", "my.user@domain.com", "--role", "developer")
    assert housekeys(*let_in, "--grant", "SELECT ON acme.*").code == 0
    assert statements(housekeys, "role", "sql-console-role:my.user@domain.com")[1:] == [
        "GRANT developer TO `sql-console-role:my.user@domain.com`"
    ]
    assert housekeys(*let_in).code == 3  # has it already
    assert housekeys("role", "sql-console", "nobody", "--role", "developer").code == 2
    members = home / "members.txt"
    members.write_text("my.uzer@domain.com\n")
    profile = f'[profiles.embedded]\nengine = "embedded"\nconsole_members = "{members}"\n'
    (home / "config.toml").write_text(profile)
    note = "Note: No member of the organization has the address my.user@domain.com; did you mean my.uzer@domain.com?"
    assert note in housekeys(*let_in, "--dry-run").stderr
    assert "[sql-console-role-orphan]" in housekeys("access", "lint").stdout
    members.unlink()
    assert "The members of the organization are not known" in housekeys("access", "lint").stderr
    (home / "config.toml").unlink()
    assert housekeys("role", "list", "--filter", "nothing").stdout == ""
