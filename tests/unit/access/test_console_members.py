"""The list of an organization's members: the forms it may have, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.access.sql_console import nearest_email, no_member
from core.access_reports.console_members import Members, members_if_read, members_of, read_members
from core.errors import BadInputError, NotFoundError

BOTH = frozenset(("ann@x.example", "bo@x.example"))


@pytest.mark.parametrize(
    "text",
    [
        "ann@x.example\nbo@x.example\n",
        "# as of today\r\n\r\n  ann@x.example \r\nbo@x.example",
        'Name,Email,Role\n"Ann, the first",ann@x.example,Admin\n\nBo,bo@x.example,Member\n',
        "E-Mail;Name\nann@x.example;Ann\nbo@x.example;Bo\n",
        "\nemail\nann@x.example\nbo@x.example\n",
        json.dumps(["ann@x.example", "bo@x.example"]),
        json.dumps({"status": 200, "result": [{"email": email, "role": "admin"} for email in sorted(BOTH)]}, indent=1),
        json.dumps({"members": [{"email": email} for email in sorted(BOTH)]}),
    ],
)
def test_the_forms_of_a_list(text: str, tmp_path: Path) -> None:
    assert members_of(text, "m") == BOTH
    path = tmp_path / "m"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_members(path) == BOTH
    assert members_if_read(path) == Members(BOTH)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "m has no e-mail address in it"),
        ("# nobody\n", "m has no e-mail address in it"),
        ("email\n", "m has no e-mail address in it"),
        ("ann@x.example\nbo\n", "m:2: 'bo' is no e-mail"),
        ("name,email\nann,ann@x.example\nbo\n", "m:3: '' is no e-mail"),
        ("name,role\nann,admin\n", "m:1: 'name,role' is no e-mail"),
        ("[1]", "m: '1' is no e-mail"),
        ('[{"name": "ann"}]', "is no e-mail"),
        ("{}", "m has no list of members"),
        ("[", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_is_no_list_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        members_of(text, "m")


def test_what_cannot_be_read_leaves_the_members_unknown(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_members(tmp_path / "absent")
    found = members_if_read(tmp_path / "absent")
    assert (found.emails, "There is no file" in found.problem) == (None, True)
    (tmp_path / "latin").write_bytes(b"\xe9@x.example")
    assert "UTF-8" in members_if_read(tmp_path / "latin").problem
    assert members_if_read(None) == Members()


def test_the_nearest_member_is_one_who_may_be_meant() -> None:
    for typed, meant in {
        "Ann@x.example": "ann@x.example",
        "ann@x.exmaple": "ann@x.example",
        "an@x.example": "ann@x.example",
        "zoe@x.example": "",
        "ann@elsewhere.org": "",
    }.items():
        assert nearest_email(typed, BOTH) == meant, typed
    assert no_member("ann@x.example", BOTH) == no_member("zoe@x.example", None) == ""
    assert no_member("an@x.example", BOTH) == (
        "No member of the organization has the address an@x.example; did you mean ann@x.example?"
    )
    assert no_member("zoe@x.example", BOTH) == "No member of the organization has the address zoe@x.example."
