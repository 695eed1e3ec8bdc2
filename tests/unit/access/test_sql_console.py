"""Roles of the SQL console: names, and plans that let people in."""

from __future__ import annotations

import pytest

from core.access.access_model import AccessModel
from core.access.model import Right
from core.access.planning.sql_console import let_in
from core.access.render import render
from core.access.script import model_of_script
from core.access.sql_console import console_role, email_of
from core.errors import BadInputError, RefusedError

READING = (Right("SELECT", database="sales"),)


def model(script: str) -> AccessModel:
    found, problems = model_of_script(script)
    assert not problems
    return found


def statements(current: AccessModel, *arguments: object) -> list[str]:
    made = let_in(current, "my.user@domain.com", *arguments)  # type: ignore[arg-type]  # as the cases give them
    return [render(step.statement) for step in made.steps]


def test_a_role_is_named_after_an_address_and_nothing_else() -> None:
    assert console_role("my.user@domain.com") == "sql-console-role:my.user@domain.com"
    assert email_of("sql-console-role:my.user@domain.com") == "my.user@domain.com"
    assert email_of("sql_console_role:my.user@domain.com") is None
    for text in ("", "anna", "a b@c", "@", "a@"):
        with pytest.raises(BadInputError, match="no e-mail"):
            console_role(text)


def test_the_general_role_is_made_when_it_is_new() -> None:
    assert statements(AccessModel(), "developer", READING) == [
        "CREATE ROLE developer",
        "CREATE ROLE `sql-console-role:my.user@domain.com`",
        "GRANT developer TO `sql-console-role:my.user@domain.com`",
        "GRANT SELECT ON sales.* TO developer",
    ]


def test_one_that_exists_is_given_and_keeps_its_rights() -> None:
    current = model("CREATE ROLE developer; GRANT SELECT ON sales.* TO developer;")
    assert statements(current, "developer") == [
        "CREATE ROLE `sql-console-role:my.user@domain.com`",
        "GRANT developer TO `sql-console-role:my.user@domain.com`",
    ]
    with pytest.raises(RefusedError, match="which others may have"):
        statements(current, "developer", READING)


def test_rights_for_one_person_alone() -> None:
    current = model("CREATE ROLE `sql-console-role:my.user@domain.com`;")
    assert statements(current, "", READING) == ["GRANT SELECT ON sales.* TO `sql-console-role:my.user@domain.com`"]


def test_what_gives_nothing_is_refused() -> None:
    with pytest.raises(BadInputError, match="give nothing"):
        statements(AccessModel())
    held = model(
        "CREATE ROLE developer; CREATE ROLE `sql-console-role:my.user@domain.com`;"
        "GRANT developer TO `sql-console-role:my.user@domain.com`;"
    )
    with pytest.raises(RefusedError, match="has that already"):
        statements(held, "developer")
