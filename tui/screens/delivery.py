"""Handing tokens over: each is hidden until asked for, and gone when the page closes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal

from core.display import count, one_line
from core.errors import NotFoundError
from core.tokens.delivery import Language, NewToken, delivery_note
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.form import Form
from tui.widgets.chrome import Piece
from tui.widgets.fields import YES, Field, Values
from tui.widgets.lines import Line, LinesView, fact, text_lines

if TYPE_CHECKING:
    from core.changes import Change
    from core.running.report import Report

LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Russian"}
IN_ITS_PLACE: dict[Language, str] = {"en": "(the token, on one line)", "ru": "(токен, одной строкой)"}


class DeliveryScreen(ConsoleScreen[None]):
    """One of `tokens` at a time, with the note that goes to the client beside it."""

    ACTIONS = (
        Command("delivery.reveal", "show or hide", "space,enter", "reveal", "Show the token, or hide it again."),
        Command("delivery.copy", "copy", "y", "copy_token", "Send the token to the terminal's clipboard (OSC 52)."),
        Command("delivery.copy_note", "copy with note", "Y", "copy_note",
                "Send note and token to the terminal's clipboard.", footer=False),
        Command("delivery.write", "to a file", "w", "write", "Write the token to a file that only you can read.",
                modifies=True),
        Command("delivery.language", "language", "l", "switch_language", "The note in English or in Russian."),
        Command("delivery.mark", "delivered", "D", "mark_delivered", "Record that the client has it.", modifies=True),
        Command("delivery.next", "next", "right,n", "next_token", "The next token.", footer=False),
        Command("delivery.previous", "previous", "left,p", "previous_token", "The token before.", footer=False),
        Command("delivery.close", "close", "escape", "close_page", "Close; no token can be shown again."),
    )  # fmt: skip
    LEAVE_FREELY = False
    CSS = """
    #hand-over { layout: vertical; height: 1fr; }
    #hand-over LinesView { margin: 1 0 0 0; }
    #token { height: 15; }
    DeliveryScreen.-wide #hand-over { layout: horizontal; }
    DeliveryScreen.-wide #token { width: 3fr; height: 1fr; }
    DeliveryScreen.-wide #note { width: 2fr; }
    """

    def __init__(self, tokens: Sequence[NewToken]) -> None:
        super().__init__()
        self._tokens = tuple(tokens)
        self._at = 0
        self._language: Language = "en"
        self._shown = False
        self._handed: set[int] = set()  # copied, written or shown
        self._delivered: set[int] = set()

    # -- what is shown

    def content(self) -> ComposeResult:
        with Horizontal(id="hand-over"):
            token = LinesView(id="token", left=2)
            token.can_focus = False
            yield token
            yield LinesView(id="note", left=2)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#note").focus()
        self._show_token()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        whose = f" the token for {one_line(self.token.tenant, 60)}" if self._tokens else ""
        left = [Piece(f"Deliver{whose}", "bold")]
        right = []
        if len(self._tokens) > 1:
            right.append(Piece(f"{count(self._at + 1)} of {count(len(self._tokens))}, n next", "$accent"))
        return left, right

    @property
    def token(self) -> NewToken:
        """The token that is shown now."""
        return self._tokens[self._at]

    def _show_token(self) -> None:
        token = self.token
        state = "delivered" if self._at in self._delivered else "issued"
        lines = [
            fact("tenant", one_line(token.tenant)),
            fact("fingerprint", f"{token.fingerprint[:16]}…"),
            fact("made with", f"DataLens key {token.datalens_version}, partner key {token.partner_version}"),
            fact("state", state),
            Line(),
        ]
        if self._shown:
            lines.append(Line(token.text, style="accent"))
        else:
            lines += [
                Line("The token is hidden. Space shows it, y copies it, w writes it to a file.", style="heading"),
                Line("It exists on this page only: once closed, it cannot be shown again.", style="warning"),
            ]
        note = delivery_note(replace(token, text=IN_ITS_PLACE[self._language]), self._language)
        self.query_one("#token", LinesView).show(lines)
        heading = Line(f"The note to the client, in {LANGUAGES[self._language]} (l changes it)", style="muted")
        self.query_one("#note", LinesView).show([heading, Line(), *text_lines(note.rstrip())])
        self.call_after_refresh(self._fit)
        self.show_frame()

    def _fit(self) -> None:
        view = self.query_one("#token", LinesView)
        view.styles.height = "1fr" if self.has_class("-wide") else view.height_needed

    # -- commands

    def reveal(self) -> None:
        self._shown = not self._shown
        if self._shown:
            self._handed.add(self._at)
        self._show_token()

    def copy_token(self) -> None:
        self._copy(self.token.text, f"the token for {one_line(self.token.tenant, 60)}")

    def copy_note(self) -> None:
        self._copy(delivery_note(self.token, self._language), "the note with the token")

    def _copy(self, text: str, what: str) -> None:
        if self.console.copy(text, what):
            self._handed.add(self._at)

    def switch_language(self) -> None:
        self._language = "ru" if self._language == "en" else "en"
        self._show_token()

    def next_token(self) -> None:
        self._go(self._at + 1)

    def previous_token(self) -> None:
        self._go(self._at - 1)

    def _go(self, index: int) -> None:
        if 0 <= index < len(self._tokens):
            self._at = index
            self._shown = False
            self._show_token()

    def write(self) -> None:
        token, index, language = self.token, self._at, self._language

        async def submit(values: Values) -> Change:
            from core.tokens.handing_over import plan_write_token

            path, note = Path(values["path"]), language if values["note"] == YES else None
            return await asyncio.to_thread(plan_write_token, token, path, note)

        def written(report: Report) -> None:
            if report.succeeded:
                self._handed.add(index)

        form = Form(
            "Write the token to a file",
            (
                Field("path", "File", f"token-{token.fingerprint[:8]}.txt", required=True,
                      hint="A new file; only you will be able to read it."),
                Field("note", "With the note", YES, kind="flag", hint=f"In {LANGUAGES[language]}."),
            ),
            submit,
        )  # fmt: skip
        self.console.ask(form, lambda change: self.console.carry_out(change, written))

    def mark_delivered(self) -> None:
        session, index, fingerprint = self.session, self._at, self.token.fingerprint
        if session is None:
            return
        journal = session.journal

        async def plan() -> Change:
            from core.tokens.ledger import TokenState, find_token
            from core.tokens.planning import plan_mark

            issued = await find_token(journal, fingerprint)
            if issued is None:
                raise NotFoundError("The journal does not have this token yet.", advice="Its rows may still be unsent.")
            return plan_mark([issued], TokenState.DELIVERED)

        def marked(report: Report) -> None:
            if report.succeeded:
                self._delivered.add(index)
                self._show_token()

        self.work("plan", plan, lambda change: self.console.carry_out(change, marked))

    # -- the end

    def close_page(self) -> None:
        left = len(self._tokens) - len(self._handed | self._delivered)
        if not left:
            self._close()
            return
        from tui.screens.question import QuestionScreen

        which = "The token was" if len(self._tokens) == 1 else f"{count(left)} of the tokens were"
        lines = [
            Line(f"{which} not shown, copied or written.", style="heading"),
            Line(),
            Line("No token can be shown again. The ledger keeps it as issued: mark it void, and issue another."),
        ]

        def answered(sure: bool | None) -> None:
            if sure:
                self._close()

        self.app.push_screen(QuestionScreen("Close?", lines, yes="Close", no="Stay"), answered)

    def _close(self) -> None:
        """Let go of the tokens, on the screen too, before the page goes."""
        self._tokens = ()
        self._shown = False
        for view in self.query(LinesView):
            view.show([])
        self.dismiss(None)
