"""`housekeys password`: from the prompt and from standard input, its exit codes, and what it never prints."""

from __future__ import annotations

import getpass
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from core.access.model import AlterUser
from core.access.parser import parse_statement
from core.access.passwords import check_strength
from core.secrets import Secret
from tests.cli.conftest import Housekeys
from tui.cli.running import run

PASSWORD = "Correct-horse1"


def piped(home: Path, content: str, *words: str) -> tuple[int, str, str]:
    """`printf content | housekeys password words`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {"HOUSEKEYS_HOME": str(home)}
    code = run(["password", *words], environ, stdin=io.StringIO(content), stdout=stdout, stderr=stderr)
    return code, stdout.getvalue(), stderr.getvalue()


def typing(monkeypatch: pytest.MonkeyPatch, *entries: str) -> None:
    left: Iterator[str] = iter(entries)
    monkeypatch.setattr(getpass, "getpass", lambda *_: next(left))


def test_the_clause_can_be_put_into_a_statement(home: Path) -> None:
    code, stdout, stderr = piped(home, f"{PASSWORD}\n", "hash")
    assert (code, stderr) == (0, "")
    statement = parse_statement(f"ALTER USER u {stdout}")
    assert isinstance(statement, AlterUser) and statement.methods is not None
    [method] = statement.methods
    assert method.hash == hashlib.sha256((PASSWORD + method.salt).encode()).hexdigest().upper()
    assert PASSWORD not in stdout


@pytest.mark.parametrize("method", ["sha256", "double-sha1", "bcrypt", "scram"])
def test_json_has_hash_and_salt(method: str, housekeys: Housekeys, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, PASSWORD, PASSWORD)
    factor = ("--work-factor", "4") if method == "bcrypt" else ()
    outcome = housekeys("password", "hash", "--method", method, "--json", *factor, typed="")
    assert outcome.code == 0, outcome.stderr
    found = outcome.json
    assert found["method"] == method
    assert found["hash"] in found["clause"]
    assert (found["salt"] is None) is (method in ("double-sha1", "bcrypt"))
    assert (found["users_xml"] is None) is (method != "double-sha1"), "users.xml has no place for a salt"
    assert "PASSWORD" in found["recipe"] or "getpass" in found["recipe"]
    if method == "bcrypt":
        assert bcrypt.checkpw(PASSWORD.encode(), found["hash"].encode())
    assert PASSWORD not in outcome.stdout + outcome.stderr


def test_the_recipe_of_users_xml(home: Path) -> None:
    code, stdout, _ = piped(home, PASSWORD, "hash", "--no-salt")
    assert code == 0
    assert stdout == f"IDENTIFIED WITH sha256_hash BY '{hashlib.sha256(PASSWORD.encode()).hexdigest().upper()}'\n"


def test_only_the_last_line_end_is_not_part_of_it(home: Path) -> None:
    expected = hashlib.sha256(f" {PASSWORD} ".encode()).hexdigest().upper()
    for ending in ("", "\n", "\r\n"):
        assert expected in piped(home, f" {PASSWORD} {ending}", "hash", "--no-salt")[1]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "no password"),
        ("\n", "no password"),
        ("Correct-horse1\nCorrect-horse2\n", "more than one line"),
        ("short-1A", "12 characters"),
        ("Correct-horse1" * 300, "too long"),
        ("Correct-horse1\udcff", "UTF-8"),
    ],
)
def test_what_is_piped_in_and_cannot_be_used(content: str, why: str, home: Path) -> None:
    code, stdout, stderr = piped(home, content, "hash")
    assert (code, stdout) == (2, "")
    assert why in stderr
    assert not content.strip() or content.strip() not in stderr


def test_a_weak_one_on_demand(home: Path) -> None:
    code, stdout, stderr = piped(home, "qwerty", "hash", "--allow-weak", "--no-salt")
    assert code == 0
    assert hashlib.sha256(b"qwerty").hexdigest().upper() in stdout
    assert "has no digit" in stderr
    assert "qwerty" not in stderr
    assert piped(home, PASSWORD, "hash", "--allow-weak")[2] == ""


def test_two_entries_that_differ(housekeys: Housekeys, monkeypatch: pytest.MonkeyPatch) -> None:
    for entries in ((PASSWORD, "Correct-horse2"), (PASSWORD, ""), ("",)):
        typing(monkeypatch, *entries)
        outcome = housekeys("password", "hash", typed="")
        assert (outcome.code, outcome.stdout) == (2, "")
        assert "differ" in outcome.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--method", "sha256", "--work-factor", "4"),
        ("--method", "bcrypt", "--work-factor", "3"),
        ("--method", "bcrypt", "--no-salt"),
        ("--method", "double-sha1", "--no-salt"),
        ("--method", "md5"),
        (PASSWORD,),  # never an argument
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], home: Path) -> None:
    code, stdout, _ = piped(home, PASSWORD, "hash", *words)
    assert (code, stdout) == (2, "")


def test_generated_passwords(housekeys: Housekeys) -> None:
    first, second = (housekeys("password", "generate") for _ in range(2))
    assert (first.code, first.stderr) == (0, "")
    assert first.stdout != second.stdout
    value = first.stdout.removesuffix("\n")
    assert len(value) == 24
    check_strength(Secret(value))
    found = housekeys("password", "generate", "--alphabet", "hex", "--length", "40", "--json").json
    assert len(found["password"]) == 40
    assert set(found["password"]) <= set("0123456789abcdef")
    assert found["bits"] == 160
    assert set(housekeys("password", "generate", "--alphabet", "xyz", "--length", "64").stdout.strip()) == set("xyz")


@pytest.mark.parametrize("words", [("--length", "11"), ("--alphabet", "a"), ("--alphabet", "hex", "--length", "12")])
def test_what_leaves_too_little_to_chance(words: tuple[str, ...], housekeys: Housekeys) -> None:
    outcome = housekeys("password", "generate", *words)
    assert (outcome.code, outcome.stdout) == (2, "")


def test_it_opens_no_engine_and_keeps_no_password(home: Path) -> None:
    assert piped(home, PASSWORD, "hash")[0] == 0
    written = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in home.rglob("*") if path.name in ("engine", "embedded")]
    for path in written:
        assert PASSWORD not in path.read_text(errors="replace")
