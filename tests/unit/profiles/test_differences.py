"""What is shown of an edit: the lines that come and go, and no password among them."""

from __future__ import annotations

import pytest

from core.profiles.differences import difference, holds_password


def test_lines_come_and_go() -> None:
    assert difference("a\nb\nc\n", "a\nB\nc\n", around=0) == "@@ -2 +2 @@\n-b\n+B"
    assert difference("a\n", "a\n") == ""
    assert difference("", "x\n").splitlines()[1:] == ["+x"]


def test_bytes_that_are_no_text_can_be_shown() -> None:
    text = b"\xff\n".decode("utf-8", "surrogateescape")
    difference(text, "x\n").encode("utf-8")


@pytest.mark.parametrize(
    "line",
    [
        'password = "hunter2"',
        "password='hunter2'",
        '"password" = "hunter2"',
        'prod = {user = "u", password = "hunter2", host = "h"}',
        'profiles.prod.password = "hunter2" # mine',
        'password = """\nhunter2\nhunter2"""',
        "password = '''hunter2\nhunter2'''",
        'password = "a\\"hunter2"',
        'password = ["hunter2", "hunter2"]',
        "password = hunter2",
    ],
)
def test_a_password_is_never_shown(line: str) -> None:
    assert holds_password(line)
    shown = difference(f"{line}\n", "")
    assert "********" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "line",
    [
        'password = "env:NAME"',
        "password = 'prompt'",
        'password = "file:/x"  # there',
        'password = ["command:pass", "show", "x"]',
        'a = {password = "keyring:a/b", b = 1}',
        'passwordless = "hunter2"',
    ],
)
def test_a_reference_is_shown(line: str) -> None:
    assert not holds_password(line)
    assert f"-{line}" in difference(f"{line}\n", "").splitlines()
