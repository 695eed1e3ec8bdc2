"""The calculator of password hashes: for `users.xml`, for SQL, and as a line for a shell that comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from core.access.model import Authentication, AuthKind
from core.access.password_recipes import shell_recipe, sql_clause, users_xml_element
from core.access.passwords import BCRYPT_WORK_FACTOR, BCRYPT_WORK_FACTORS, hash_password, weaknesses
from core.secrets import Secret
from tui.commands import Command
from tui.screens.access_words import kind_word
from tui.screens.form import Form
from tui.screens.password_fields import (
    GENERATED,
    HASHES,
    SALTED,
    TYPED,
    made_up_password,
    password_fields,
    typed_password,
)
from tui.screens.reveal import RevealScreen
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line

_HIDDEN_SALT = "SALT"
_NO_ELEMENT = "users.xml has no place for it: choose sha256 or double sha1, without a salt."


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password with its hash. Nothing of either is shown by repr."""

    password: Secret
    method: Authentication
    made_up: bool
    lacks: tuple[str, ...] = ()


# -- the form


def hash_form() -> Form[Hashed]:
    """Which password, and by which method."""

    async def submit(values: Values) -> Hashed:
        return await asyncio.to_thread(_calculated, values)  # bcrypt takes long by design

    async def preview(values: Values) -> str:
        kind = HASHES[values["kind"]]
        return shell_recipe(Authentication(kind, hash="HASH", salt=_HIDDEN_SALT if values.get("salt") else ""))

    def kept_as(*words: str) -> Callable[[Values], bool]:
        return lambda values: values.get("kind") in words

    def how(word: str) -> Callable[[Values], bool]:
        return lambda values: values.get("how") == word

    return Form(
        "Hash a password",
        (
            Field("kind", "Method", next(iter(HASHES)), kind="choice", choices=tuple(HASHES),
                  hint="double sha1 is for clients of the MySQL protocol."),
            Field("salt", "With salt", kind="flag", shown_if=kept_as(*SALTED),
                  hint="For SQL: two users with one password have different hashes. users.xml has no place for it."),
            Field("factor", "Work factor", str(BCRYPT_WORK_FACTOR), required=True, check=_factor_problem,
                  shown_if=kept_as(kind_word(AuthKind.BCRYPT)), hint="One more takes twice as long."),
            Field("how", "Password", GENERATED, kind="choice", choices=(GENERATED, TYPED)),
            *password_fields(how(GENERATED), how(TYPED)),
        ),
        submit,
        preview,
        intro="It is calculated here. Nothing is sent, changed or kept.",
        button="Calculate",
        preview_title="The same in a shell, which asks for the password:",
    )  # fmt: skip


def _factor_problem(text: str) -> str:
    if text.strip().isdecimal() and int(text) in BCRYPT_WORK_FACTORS:
        return ""
    return f"A work factor is {BCRYPT_WORK_FACTORS[0]} to {BCRYPT_WORK_FACTORS[-1]}."


def _calculated(values: Values) -> Hashed:
    made_up = values["how"] == GENERATED
    password = made_up_password(values) if made_up else typed_password(values)
    method = hash_password(
        password,
        HASHES[values["kind"]],
        salted=bool(values.get("salt")),
        work_factor=int(values.get("factor", BCRYPT_WORK_FACTOR)),
    )
    return Hashed(password, method, made_up, () if made_up else weaknesses(password))


# -- the page


class HashScreen(RevealScreen):
    """A hash in every form in which it is needed. The password is shown when it is asked for, and gone afterwards."""

    ACTIONS = (
        Command("hash.xml", "users.xml", "x", "copy_element", "Copy the element for users.xml."),
        Command("hash.sql", "SQL", "s", "copy_clause", "Copy the clause for CREATE USER and ALTER USER."),
        Command("hash.shell", "shell", "b", "copy_recipe", "Copy the line for a shell; the password is not in it."),
    )

    def __init__(self, hashed: Hashed) -> None:
        super().__init__(f"Password hash: {kind_word(hashed.method.kind)}", hashed.password, "the password", [])
        self._method = hashed.method
        self._lines = tuple(hash_lines(hashed))
        self._handed = not hashed.made_up  # whoever typed it knows it

    def why_not(self, command: Command) -> str:
        if command.id == "hash.xml" and users_xml_element(self._method) is None:
            return _NO_ELEMENT
        return super().why_not(command)

    def copy_element(self) -> None:
        self.console.copy(users_xml_element(self._method) or "", "the element for users.xml")

    def copy_clause(self) -> None:
        self.console.copy(sql_clause(self._method), "the clause for SQL")

    def copy_recipe(self) -> None:
        self.console.copy(shell_recipe(self._method), "the line for a shell")


def hash_lines(hashed: Hashed) -> list[Line]:
    """The hash in each form."""
    method, element = hashed.method, users_xml_element(hashed.method)
    printed = "whether it is this one" if method.kind is AuthKind.BCRYPT else "the hash"
    lines = [Line(f"It is weak: it {', '.join(hashed.lacks)}.", style="warning"), Line()] if hashed.lacks else []
    return [
        *lines,
        Line("For a user in users.xml (x)", style="heading"),
        Line(_NO_ELEMENT, style="muted") if element is None else Line(element),
        Line(),
        Line("For CREATE USER and ALTER USER (s)", style="heading"),
        Line(sql_clause(method)),
        Line(),
        Line(f"In a shell (b): asks for the password, prints {printed}", style="heading"),
        Line(shell_recipe(method)),
    ]
