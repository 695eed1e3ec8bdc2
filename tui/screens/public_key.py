"""The public half of a key, as it is sent: to copy, or to write to a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.app import ComposeResult

from core.changes import Change
from core.keys.planning import plan_export_public
from core.keys.versions import KeyVersion, public_text
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.form import Form
from tui.widgets.chrome import Piece
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, LinesView, text_lines


class PublicKeyScreen(ConsoleScreen[None]):
    """What the DataLens manager gets: the version, the fingerprint and the PEM."""

    ACTIONS = (
        Command("public.copy", "copy", "y", "copy_text", "Copy version, fingerprint and PEM."),
        Command("public.write", "write to a file", "w", "write", "Write the same to a file.", modifies=True),
        Command("public.back", "back", "escape", "close", "Back to the keys."),
    )
    CSS = "#public { margin: 1 0 0 0; }"

    def __init__(self, version: KeyVersion) -> None:
        super().__init__()
        self.version = version

    def content(self) -> ComposeResult:
        yield LinesView(self.lines(), id="public", left=2)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#public").focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("Keys", "$muted"), Piece("/", "$muted"), Piece(f"{self.version.label}, public half", "bold")], []

    def lines(self) -> list[Line]:
        """The text to send, and what to do with it."""
        if self.version.side.value == "partner":
            what = "Send this to your DataLens manager. When it is sent, press s on the keys screen."
        else:
            what = "This is what DataLens sent. Compare the fingerprint with DataLens over another channel."
        return [Line(what, style="muted"), Line(), *text_lines(public_text(self.version).rstrip())]

    def copy_text(self) -> None:
        self.console.copy(public_text(self.version), f"the public half of {self.version.label}")

    def write(self) -> None:
        version = self.version

        async def submit(values: Values) -> Change:
            return await asyncio.to_thread(lambda: plan_export_public(version, Path(values["path"]).expanduser()))

        name = f"{version.side.value}-key-{version.version}.pem"
        form = Form(f"Write the public half of {version.label}", (Field("path", "File", name, required=True),), submit)
        self.console.ask(form, lambda change: self.console.carry_out(change, lambda _report: None))

    def close(self) -> None:
        self.dismiss(None)
