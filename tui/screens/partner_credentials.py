"""The Basic credentials that Databricks calls with, and their rotation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.display import exact_time, one_line, relative_time
from core.secrets import MASK
from tui.commands import Command
from tui.screens.form import Form
from tui.screens.partner_page import PartnerPage
from tui.screens.reveal import RevealScreen
from tui.widgets.columns import Column
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, LinesView, fact

if TYPE_CHECKING:
    from core.changes import Change
    from core.partner.partner_connections import PartnerConnections
    from core.partner.security.basic_credentials import BasicCredential, Presented
    from core.running.report import Report
    from core.session import Session

USUAL_USER: Final = "databricks"
ROTATION: Final = (
    "1. Give the header to Databricks, by the way agreed with them. Those before stay valid.",
    "2. Look here whether the new one is used, and the old one no more (to within an hour).",
    "3. Remove the old one: x.",
)


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential, with its times in words of the moment it was listed."""

    credential: BasicCredential
    created: str
    used: str

    @property
    def id(self) -> str:
        return self.credential.id


COLUMNS: tuple[Column[CredentialRow], ...] = (
    Column("created", "CREATED", lambda r: r.created, letter="C", sort=lambda r: r.credential.created),
    Column("user", "USER", lambda r: r.credential.user, flexible=True, least=16, letter="E"),
    Column("id", "ID", lambda r: r.id, letter="I"),
    Column("used", "LAST USED", lambda r: r.used, letter="T",
           sort=lambda r: r.credential.last_used or r.credential.created),
    Column("hashing", "HASH", lambda r: r.credential.hashing.value, letter="H", minor=1),
)  # fmt: skip


class PartnerCredentialsScreen(PartnerPage[CredentialRow]):
    """The credentials that are valid. Only salted hashes of them are kept."""

    SCREEN_ID = "partner-credentials"
    TITLE_WORDS = "Partner credentials"
    NOUN = ("credential", "credentials")
    TABS = ("Summary", "History")
    SUBJECT_KIND = "partner_credential"
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("partner_credentials.new", "new", "n", "new", "Make one with a random password; it is shown once.",
                modifies=True),
        Command("partner_credentials.remove", "remove", "x", "remove_credential",
                "End it: whoever still calls with it is answered 401.", modifies=True, needs_row=True),
    )  # fmt: skip

    @property
    def connections(self) -> PartnerConnections:
        """Those of the session. Raises HousekeysError when there is none."""
        return self.open_session().partner_connections

    def key(self, row: CredentialRow) -> str:
        return row.id

    def detail_title(self, row: CredentialRow) -> str:
        return f"{row.credential.user}, {row.id}"

    async def load(self, session: Session) -> Sequence[CredentialRow]:
        connections = await asyncio.to_thread(lambda: session.partner_connections)  # the first time it imports much
        now = self.now()
        return [
            CredentialRow(one, relative_time(one.created, now), relative_time(one.last_used, now))
            for one in await connections.credentials()
        ]

    def summary(self, row: CredentialRow) -> Sequence[Line]:
        credential = row.credential
        return [
            fact("user", credential.user),
            fact("id", credential.id),
            fact("created", f"{row.created} ({exact_time(credential.created)})"),
            fact("last used", f"{row.used} ({exact_time(credential.last_used)})" if credential.last_used else "never"),
            fact("kept", f"a salted hash, {credential.hashing.value}"),
            Line(),
            Line("To rotate: press n for another one, then", style="heading"),
            *(Line(step) for step in ROTATION),
        ]

    def empty(self) -> tuple[str, str]:
        return "No credential: Databricks cannot call.", (
            "Press n to make one. It is shown once, as the Authorization header that you give to Databricks; "
            "what is kept is a salted hash. Several can be valid at once, so that they can be exchanged."
        )

    def on_entity_table_marked(self) -> None:
        self.show_frame()

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if reason or command.id != "partner_credentials.remove":
            return reason
        if len(self.chosen) > 1:
            return "They are removed one at a time. Clear the marks first (esc)."
        return "It is the last one: Databricks could not call any more." if self.table.total == 1 else ""

    def new(self) -> None:
        connections = self.connections

        async def submit(values: Values) -> tuple[Presented, Change]:
            return connections.plan_add_credential(values["user"].strip())

        form = Form(
            "New credential",
            (Field("user", "User", USUAL_USER, required=True, check=_user_problem, hint="No blanks, no colon."),),
            submit,
            intro="The password is made up: 256 random bits, shown once, when it is valid.",
        )
        self.ask(form, lambda planned: self._make(*planned))

    def _make(self, presented: Presented, change: Change) -> None:
        def made(report: Report) -> None:
            if report.succeeded:
                self.app.push_screen(CredentialScreen(presented))

        self.carry_out(change, made)

    def remove_credential(self) -> None:
        connections = self.connections

        async def plan(_session: Session, rows: list[CredentialRow]) -> Change:
            return await connections.plan_remove_credential(rows[0].id)

        self.propose(plan, self.chosen)


def _user_problem(text: str) -> str:
    plain = text.strip()
    fits = plain.isascii() and plain.isprintable() and len(plain) <= 128 and not {" ", ":"} & set(plain)
    return "" if fits else "Up to 128 letters, digits and signs of ASCII, without blanks and colons."


class CredentialScreen(RevealScreen):
    """Hands over a new credential: the header as Databricks sends it, and the password alone."""

    ACTIONS = (
        Command("reveal.copy", "copy the header", "y", "copy_secret",
                "Send the header to the terminal's clipboard (OSC 52)."),
        Command("reveal.password", "copy the password", "p", "copy_password",
                "Send only the password to the terminal's clipboard (OSC 52)."),
    )  # fmt: skip

    def __init__(self, presented: Presented) -> None:
        from core.partner.security.basic_credentials import header_value

        lines = [
            Line("What is kept is a hash: when this page closes, it cannot be shown again.", style="warning"),
            Line(),
            *(Line(step) for step in ROTATION),
        ]
        user = one_line(presented.user, 60)
        super().__init__(f"The credential of {user}", header_value(presented), f"the header of {user}", lines)
        self._presented: Presented | None = presented

    def _show(self) -> None:
        header, presented = self._secret, self._presented
        if header is None or presented is None:
            return
        shown = self._shown
        hint = "Space hides them." if shown else "Space shows them, y copies the header, p the password."
        self.query_one(LinesView).show(
            [
                fact("user", presented.user),
                fact("password", presented.password.reveal() if shown else MASK, "accent"),
                fact("Authorization", header.reveal() if shown else MASK, "accent"),
                Line(),
                Line(hint, style="heading"),
                Line(),
                *self._lines,
            ]
        )

    def copy_password(self) -> None:
        if self._presented is not None:
            self._handed = True
            self.console.copy(self._presented.password.reveal(), "the password")

    def _close(self) -> None:
        self._presented = None
        super()._close()
