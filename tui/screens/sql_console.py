"""The SQL console screen: who of ClickHouse Cloud's console has which rights in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.access.model import EntityKind
from core.access.sql_console import CONSOLE_ROLE, DEFAULT_ROLE, PREDEFINED, email_of
from core.display import count
from tui.commands import Command
from tui.screens import access_words as words
from tui.screens.access_holders import Answering, HolderScreen, one_at_a_time
from tui.screens.base import ConsoleScreen
from tui.screens.role_rows import RoleRow, rows_of, summary_lines
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.lines import Line, LinesView, fact

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access

NEARLY = "sql-console-role-typo"  # lint's code for a role that is meant for the console and is not found by it
ORPHAN = "sql-console-role-orphan"  # for one whose address is that of no member of the organization


def person(row: RoleRow) -> str:
    """Whose role it is."""
    email = email_of(row.name)
    return row.name if email is None else email


def is_left(row: RoleRow) -> bool:
    """Whether no member of the organization has the address of the role."""
    return any(finding.id == ORPHAN for finding in row.findings)


def _is_for(row: RoleRow) -> Line:
    if email_of(row.name) is None:
        return fact("for", "nobody: the console does not find it", "warning")
    if is_left(row):
        return fact("for", "nobody: no member of the organization has this address", "warning")
    return fact("for", person(row))


COLUMNS: tuple[Column[RoleRow], ...] = (
    Column("person", "E-MAIL", person, flexible=True, least=20, letter="N",
           style=lambda r: "" if email_of(r.name) is not None and not is_left(r) else "warning"),
    Column("holds", "HOLDS ROLES", lambda r: ", ".join(r.holds) or "-", flexible=True, least=16, letter="H"),
    Column("grants", "GRANTS", lambda r: count(r.grants), sort=lambda r: r.grants, numeric=True, letter="T"),
    Column("storage", "STORAGE", lambda r: r.storage or "-", minor=2, letter="S", style=lambda r: "muted"),
    Column("findings", "LINT", lambda r: words.findings_text(r.findings), sort=lambda r: len(r.findings), numeric=True,
           minor=1, letter="F", style=lambda r: words.findings_style(r.findings)),
)  # fmt: skip


class SqlConsoleScreen(HolderScreen[RoleRow]):
    """The roles that the SQL console finds by their name, and those that only look like it."""

    SCREEN_ID = "sql-console"
    TITLE_WORDS = "SQL console"
    NOUN = ("role", "roles")
    SUBJECT_KIND = "role"
    KIND = EntityKind.ROLE
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("console.new", "let in", "n", "let_in", "Give somebody of the Cloud console rights in its SQL console.",
                modifies=True, ability="create role"),
        Command("console.user", "own user", "p", "own_user",
                "Create a database user for one person, with default_role.", modifies=True, ability="create user"),
        Command("console.grant", "grant", "plus", "give", "Give rights to this person's role alone.", modifies=True,
                needs_row=True, ability="grant"),
        Command("console.revoke", "revoke", "minus", "take", "Take rights from this person's role.", modifies=True,
                needs_row=True, ability="grant"),
        Command("console.roles", "roles", "a", "change_roles", "Give or take general roles.", modifies=True,
                needs_row=True, ability="grant roles"),
        Command("console.rename", "rename", "m", "change_name", "Correct the name; it is found by that alone.",
                modifies=True, needs_row=True, ability="alter role"),
        Command("console.drop", "drop", "x", "drop", "Drop the role: the person keeps what the console itself gives.",
                modifies=True, needs_row=True, ability="drop role"),
        Command("console.reference", "Cloud's roles", "i", "show_reference",
                "The roles that ClickHouse Cloud comes with, and how people get in."),
    )  # fmt: skip
    ONE_AT_A_TIME = one_at_a_time(ACTIONS)

    def key(self, row: RoleRow) -> str:
        return row.name

    def rows(self, access: Access, session: Session) -> Sequence[RoleRow]:
        return [
            row
            for row in rows_of(access)
            if email_of(row.name) is not None or any(finding.id == NEARLY for finding in row.findings)
        ]

    def summary(self, row: RoleRow) -> Sequence[Line]:
        lines = [_is_for(row), fact("role", row.name)]
        if problem := self.access.members.problem:
            lines.append(fact("members", problem, "warning"))
        return [*lines, Line(), *summary_lines(row, self.access)]

    def empty(self) -> tuple[str, str]:
        return "Nobody has a role for the SQL console.", (
            "In ClickHouse Cloud, people use the SQL console without a password; a role with their e-mail address in "
            "its name says what they may do there. Press n to let somebody in, i for what there is besides."
        )

    def let_in(self) -> None:
        from tui.screens.sql_console_forms import let_in_form

        self.ask_for(let_in_form(Answering(self, self.open_session()), self.access))

    def own_user(self) -> None:
        from tui.screens.user_forms import new_form
        from tui.screens.user_sending import send_with_password

        roles = (DEFAULT_ROLE,) if DEFAULT_ROLE in self.access.model.roles else ()
        form = new_form(Answering(self, self.open_session()), self.access, roles=roles)
        self.ask(form, lambda asked: send_with_password(self, asked))

    def show_reference(self) -> None:
        self.app.push_screen(CloudRolesScreen())


class CloudRolesScreen(ConsoleScreen[None]):
    """What ClickHouse Cloud comes with, to look up."""

    ACTIONS = (Command("cloud.back", "back", "escape,backspace", "close", "Back to the list."),)

    def content(self) -> ComposeResult:
        yield LinesView(reference_lines(), id="cloud-roles", left=2)

    def on_mount(self) -> None:
        self.query_one(LinesView).focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("SQL console", "$muted"), Piece("/", "$muted"), Piece("Cloud's roles", "bold")], []

    def close(self) -> None:
        self.dismiss(None)


def reference_lines() -> list[Line]:
    """The predefined roles by where they hold, and what to know about people's ways in: a line for a paragraph."""
    lines: list[Line] = []
    for context in dict.fromkeys(role.context for role in PREDEFINED):
        lines += [Line(), Line(context, style="heading")]
        for role in PREDEFINED:
            if role.context == context:
                lines.append(Line(role.gives + (f" ({role.former})" if role.former else ""), role.name))
    return [
        *lines[1:],
        Line(),
        Line("People", style="heading"),
        Line(
            f"The console signs members in without a password. Whoever has a role {CONSOLE_ROLE}<e-mail> gets it "
            "there. The name must be exact: with underscores, or another address, it does nothing."
        ),
        Line("Who leaves the organization leaves the role behind, for whoever gets that address later: drop it."),
        Line(),
        Line("The user default", style="heading"),
        Line(
            "Keep it for emergencies. A user of their own with default_role for each person (p) tells who did what; "
            "the password is hashed here. That of default is reset in the Cloud console."
        ),
        Line(),
        Line("GRANT ALL", style="heading"),
        Line(
            "default_role holds some rights without the grant option, so that GRANT ALL is refused with code 497. "
            "GRANT CURRENT GRANTS(ALL ON *.*) TO … gives what can be given."
        ),
    ]
