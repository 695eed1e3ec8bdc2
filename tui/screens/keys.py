"""The keys screen: the versions of both sides, the next step of a rotation, and everything that is done with a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tui.commands import Command
from tui.screens import key_forms
from tui.screens.base import ConsoleScreen
from tui.screens.entity import EntityScreen
from tui.screens.history import history_lines
from tui.screens.key_rows import (
    FIX_KEY,
    SHORT,
    KeyRow,
    KeySurvey,
    notice_lines,
    public_lines,
    summary_lines,
    survey_keys,
    without_pem,
)
from tui.screens.new_rows import Subject
from tui.screens.unlocking import when_unlocked
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.keys.key_ring import KeyRing
    from core.keys.versions import KeyVersion
    from core.session import Session
    from tui.screens.form import Form

_STATE_STYLES = {"active": "success", "generated": "warning", "submitted": "warning", "retired": "muted"}
_HERE_STYLES = {"unlocked": "success", "open file": "warning", "exposed": "error", "damaged": "error", "-": "muted"}
PARTNER_ONLY = ("keys.submit", "keys.activate", "keys.export_private")


class KeysScreen(EntityScreen[KeyRow]):
    """Key versions of both sides."""

    SCREEN_ID = "keys"
    TITLE_WORDS = "Keys"
    NOUN = ("key", "keys")
    TABS = ("Summary", "Public half", "History")
    COLUMNS = (
        Column("side", "SIDE", lambda r: r.version.side.owner, sort=lambda r: (not r.is_partner, -r.version.version)),
        Column(
            "version", "VERSION", lambda r: str(r.version.version), sort=lambda r: r.version.version, numeric=True,
            letter="V",
        ),
        Column(
            "state", "STATE", lambda r: r.version.state.value,
            style=lambda r: _STATE_STYLES.get(r.version.state.value, ""),
        ),
        Column("created", "CREATED", lambda r: r.age, sort=lambda r: r.version.created, letter="C", minor=2),
        Column("fingerprint", "SHA-256", lambda r: r.version.fingerprint[:SHORT], minor=1),
        Column("tokens", "TOKENS", lambda r: f"{r.waiting:,}", sort=lambda r: r.waiting, numeric=True, letter="T"),
        Column("here", "HERE", lambda r: r.here, width=9, style=lambda r: _HERE_STYLES.get(r.here, "")),
    )  # fmt: skip
    ACTIONS = (
        Command("keys.generate", "new", "n", "generate", "Make the next version of your key.", modifies=True),
        Command("keys.import", "import", "i", "import_key", "Take over a key: the one DataLens sent, or your own.",
                modifies=True),
        Command("keys.export", "public", "o", "export_public",
                "Show the public half with version and fingerprint, to send, copy or write to a file.", needs_row=True),
        Command("keys.submit", "sent", "s", "submit", "Record that the public half was sent to DataLens.",
                modifies=True, needs_row=True),
        Command("keys.activate", "activate", "a", "activate", "Issue with this version from now on.", modifies=True,
                needs_row=True),
        Command("keys.retire", "retire", "R,t", "retire", "Stop using a version for good.", modifies=True,
                needs_row=True),
        Command("keys.unlock", "unlock", "u", "unlock", "Unlock the private keys on this machine (L locks them).",
                needs_session=True),
        Command("keys.passphrase", "passphrase", "p", "change_passphrase",
                "Put the private keys on this machine under another passphrase.", modifies=True, footer=False),
        Command("keys.export_private", "export private", "x", "export_private",
                "Write the private half to an encrypted PKCS#8 file.", modifies=True, needs_row=True, footer=False),
        Command("keys.repair", "fix permissions", FIX_KEY, "repair",
                "Close the key folder and its files to everybody but you.", modifies=True, footer=False),
        # `o` is taken; V, C and T sort.
        Command("rows.sort", "sort", "", "sort_next", "Sort by the next column.", footer=False),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._survey: KeySurvey | None = None

    # -- what is shown

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: KeyRow) -> str:
        return f"{row.version.side.value}:{row.version.version}"

    def subject(self, row: KeyRow) -> Subject:
        return row.version.side.subject_kind, str(row.version.version)

    async def load(self, session: Session) -> Sequence[KeyRow]:
        survey = await survey_keys(session.journal, self.ring, self.now())
        self._survey = survey
        return survey.rows

    def detail_title(self, row: KeyRow) -> str:
        return row.version.label

    def summary(self, row: KeyRow) -> Sequence[Line]:
        return summary_lines(row)

    async def tab(self, session: Session, row: KeyRow, name: str) -> Sequence[Line]:
        if name == "Public half":
            return public_lines(row.version)
        return history_lines(without_pem(await session.journal.history(*self.subject(row))))

    def empty(self) -> tuple[str, str]:
        return "No keys yet.", (
            "Tokens take two keys: yours signs them, DataLens's encrypts them. "
            "Press n to make yours; when DataLens has sent its public key, press i to import it."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        if any(row.here == "unlocked" for row in self.table.shown):
            right.append(Piece("unlocked: L locks", "$success", minor=1))
        return left, right

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            survey = self._survey if self.session is not None else None
            self.query_one(Notice).say(notice_lines(survey) if survey is not None else [])

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.keys_locked()

    def keys_locked(self) -> None:
        """Locked or unlocked: that is no part of a row, so that the table is drawn again."""
        self.table.refresh()
        self.show_frame()
        self._show_detail(keep_place=True)

    def connection_changed(self) -> None:
        if self.session is None:
            self._survey = None
        super().connection_changed()

    def on_entity_table_moved(self) -> None:
        super().on_entity_table_moved()
        ConsoleScreen.show_frame(self)  # what can be done depends on the row

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        row = self.current
        if not reason and row is not None and command.id in PARTNER_ONLY and not row.is_partner:
            return "That is done with your own keys only, not with those of DataLens."
        return reason

    @property
    def ring(self) -> KeyRing:
        return self.console.key_ring()

    # -- commands

    def copy_names(self) -> None:
        """Fingerprints, for the name of a key says nothing to the other side."""
        rows = self.chosen
        if self.pane.has_focus_within:
            super().copy_names()
        else:
            what = f"the fingerprint of {rows[0].version.label}" if len(rows) == 1 else f"{len(rows)} fingerprints"
            self.console.copy("\n".join(row.version.fingerprint for row in rows), what)

    def generate(self) -> None:
        self._ask(lambda session: key_forms.generate_form(session, self.ring))

    def import_key(self) -> None:
        self._ask(lambda session: key_forms.import_form(session, self.ring))

    def change_passphrase(self) -> None:
        self._ask(lambda session: key_forms.passphrase_form(session, self.ring))

    def _ask(self, make: Callable[[Session], Awaitable[Form[Change]]]) -> None:
        session = self.session
        if session is not None:
            self.work("form", lambda: make(session), lambda form: self.ask(form, self.carry_out))

    def export_public(self) -> None:
        from tui.screens.public_key import PublicKeyScreen

        row = self.current
        if row is not None:
            self.app.push_screen(PublicKeyScreen(row.version), lambda _done: self.refresh_rows())

    def submit(self) -> None:
        from core.keys.planning import plan_submit

        self._step(lambda versions, row: plan_submit(versions, row.version.version))

    def activate(self) -> None:
        from core.keys.planning import plan_activate

        self._step(lambda versions, row: plan_activate(versions, row.version.version))

    def retire(self) -> None:
        from core.keys.planning import plan_retire

        self._step(lambda versions, row: plan_retire(versions, row.version.side, row.version.version, row.waiting))

    def _step(self, plan: Callable[[Sequence[KeyVersion], KeyRow], Change]) -> None:
        """Plan something with the row under the cursor, as it is now."""
        row = self.current

        async def planned(_session: Session, rows: list[KeyRow]) -> Change:
            versions = [] if self._survey is None else [row.version for row in self._survey.rows]  # just read again
            return plan(versions, rows[0])

        if row is not None:
            self.propose(planned, [row])

    def unlock(self) -> None:
        ring = self.ring

        def unlocked() -> None:
            self.tell("Unlocked.")
            self.keys_locked()

        versions = [
            row.version.version
            for row in self.table.shown
            if row.file in ("encrypted", "no passphrase") and row.version.state.value != "retired"
        ]
        if not versions:
            self.tell("There is no private key to unlock on this machine.", "warning")
        elif all(ring.is_unlocked(version) for version in versions):
            self.tell("They are unlocked already.")
        else:
            when_unlocked(self, ring, versions, unlocked)

    def export_private(self) -> None:
        row, ring = self.current, self.ring
        if row is None:
            return
        number = row.version.version
        when_unlocked(
            self,
            ring,
            [number],
            lambda: self.ask(key_forms.export_private_form(ring, number), self.carry_out),
        )

    def repair(self) -> None:
        from core.keys.planning import plan_repair

        change = plan_repair(self.ring.store)
        if change.steps:
            self.carry_out(change)
        else:
            self.tell(f"{change.title}.")
