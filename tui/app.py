"""The console: one app, its screens, the connection, and what all screens share."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.events import Key
from textual.message import Message
from textual.screen import Screen

from core.display import one_line
from core.errors import HousekeysError
from tui import lost_terminal
from tui.commands import EVERYWHERE, Command, CommandHost
from tui.header import header_pieces, unfinished_words
from tui.key_order import KeysInOrder
from tui.screens.base import MEDIUM, NARROW, SHORT, TALL, WIDE, ConsoleScreen, Undo
from tui.screens.registry import SCREENS, entry
from tui.service import Connection, explained, start_worker
from tui.start import Start, current_operator
from tui.theme import DARK, THEMES, other
from tui.widgets.chrome import Piece

if TYPE_CHECKING:
    import argparse

    from core.changes import Change
    from core.keys.key_ring import KeyRing
    from core.running.report import Report, Unfinished
    from core.secrets import Secret
    from core.session import Session
    from tui.screens.form import Form

T = TypeVar("T")

IDLE_CHECK = 20  # seconds between two looks at how long no key was used


class HousekeysApp(CommandHost, KeysInOrder):
    """The console."""

    TITLE = "housekeys"
    CSS_PATH = "housekeys.tcss"
    ENABLE_COMMAND_PALETTE = False  # ctrl+p opens ours, which knows why a command cannot be run
    ACTIONS = EVERYWHERE
    NUMBERS: ClassVar[Mapping[str, str]] = {entry.key: entry.id for entry in SCREENS if entry.key}

    class ConnectionDone(Message):
        """A connection was made, or not."""

        def __init__(self, attempt: int, session: Session | None, error: HousekeysError | None) -> None:
            super().__init__()
            self.attempt = attempt
            self.session = session
            self.error = error

    class SecretAsked(Message):
        """Somebody waits for a secret."""

        def __init__(self, label: str, answer: asyncio.Future[Secret | None]) -> None:
            super().__init__()
            self.label = label
            self.answer = answer

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        self.connection = Connection(start.profile_file, start.profile_name)
        self.running_change: Change | None = None
        self.unfinished: tuple[Unfinished, ...] = ()
        self.changes_run = 0  # so that a screen knows when its rows may be out of date
        self.shared: dict[str, Any] = {}  # what several screens read once for all of them, by a name they agree on
        self._operator = start.operator or current_operator()
        self._attempt = 0
        self.animation_level = "none"
        self.HORIZONTAL_BREAKPOINTS = [(0, NARROW), (110, MEDIUM), (140, WIDE)]  # below, a table needs it all
        self.VERTICAL_BREAKPOINTS = [(0, SHORT), (36, TALL)]
        for theme in THEMES:
            self.register_theme(theme)
        wanted = start.profile_file.preferences.theme
        self.theme = wanted if wanted in {theme.name for theme in THEMES} else DARK

    # -- the start

    def get_default_screen(self) -> Screen[Any]:
        """The first screen is the bottom of the stack: one screen less to build before the first picture."""
        first = entry(self.start.screen)
        screen = first.create()
        self.install_screen(screen, first.id)
        screen._push_result_callback(self, None)  # as `push_screen` does; `switch_screen` takes it off again
        return screen

    def on_ready(self) -> None:
        if self.start.connect_at_start:
            # After the first picture: nothing a server does may delay it.
            self.call_after_refresh(self.connect)
        self.set_interval(IDLE_CHECK, self._look_at_idleness)

    # -- the connection

    def connect(self, profile_name: str | None = None) -> None:
        """Open the profile, in a worker; the session open so far is closed first."""
        connection = self.connection
        self._attempt += 1
        attempt, before = self._attempt, connection.session
        if profile_name is not None:
            connection.profile_name = profile_name
        connection.session, connection.error, connection.status = None, None, "opening"
        self.unfinished = ()
        self._tell_screens()

        async def open_it() -> None:
            try:
                if before is not None:
                    await before.close()
                session = await self.start.open_session(
                    self.start, connection.profile_file, connection.profile_name, self.prompt_secret
                )
            except Exception as error:  # becomes the state of every screen that needs a session
                self.post_message(self.ConnectionDone(attempt, None, explained(error)))
            else:
                self.post_message(self.ConnectionDone(attempt, session, None))

        start_worker(self, open_it, "connect")

    def on_housekeys_app_connection_done(self, message: ConnectionDone) -> None:
        if message.attempt != self._attempt:
            if message.session is not None:
                start_worker(self, message.session.close, f"close {message.attempt}")
            return
        connection = self.connection
        connection.session, connection.error = message.session, message.error
        connection.status = "failed" if message.session is None else "open"
        self.look_for_unfinished()
        self._tell_screens()

    def _tell_screens(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.connection_changed()

    def look_for_unfinished(self) -> None:
        """Find out which changes were begun and not ended; they are shown as a banner and in the journal."""
        session = self.connection.session
        self.unfinished = tuple(session.runner.unfinished()) if session is not None else ()
        self._show_frames()

    def _show_frames(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.show_frame()

    def unfinished_banner(self) -> str:
        """The line above the tables when a change is unfinished, else the empty string."""
        session = self.connection.session
        return unfinished_words(self.unfinished, look_only=session is not None and session.read_only.active)

    async def prompt_secret(self, label: str) -> Secret | None:
        """Ask for a secret; for workers. None when nothing was given."""
        answer: asyncio.Future[Secret | None] = asyncio.get_running_loop().create_future()
        self.post_message(self.SecretAsked(label, answer))
        return await answer

    def on_housekeys_app_secret_asked(self, message: SecretAsked) -> None:
        from tui.screens.question import SecretScreen

        def answered(secret: Secret | None) -> None:
            if not message.answer.done():
                message.answer.set_result(secret)

        self.push_screen(SecretScreen(message.label), answered)

    async def on_unmount(self) -> None:
        session = self.connection.session
        if session is not None:
            self.connection.session = None
            await session.close()

    # -- what screens share

    def header(self) -> tuple[list[Piece], list[Piece]]:
        """The pieces of the header: which server, how, and who."""
        return header_pieces(self.connection, self._operator)

    def tell(self, text: str, severity: str = "information") -> None:
        """A passing message; `text` is data. Said again while it is up, it stays up longer, and is there once."""
        level: Any = severity
        words = one_line(text, 600)
        for shown in [shown for shown in self._notifications if shown.message == words]:
            self._unnotify(shown, refresh=False)
        self.notify(words, severity=level, markup=False, timeout=8 if severity == "error" else 4)

    def copy(self, text: str, what: str) -> bool:
        """Send `text` to the terminal's clipboard and say so, or say why not. `what` describes it.

        Returns whether it was sent; whether it arrived nobody can know.
        """
        from tui.clipboard import sequence

        try:
            written = sequence(text, os.environ)
        except HousekeysError as error:
            self.tell(str(error), "warning")
            return False
        if self._driver is not None:
            self._driver.write(written)
            self._driver.flush()
        self.tell(f"Sent to the terminal: {what}")
        return True

    def ask(self, form: Form[T], then: Callable[[T], object]) -> None:
        """Open a form over the screen; `then` gets what its `submit` returned."""
        from tui.screens.form import FormScreen

        def answered(result: T | None) -> None:
            if result is not None:
                then(result)

        self.push_screen(FormScreen(form), answered)

    def carry_out(self, change: Change, then: Callable[[Report], object]) -> None:
        """The one road: preview, question, run. The first time it begins with creating the journal."""
        session = self.connection.session
        screen = self.screen
        if session is None or not isinstance(screen, ConsoleScreen):
            return
        if session.read_only.active:
            self.tell(self._read_only_reason(session), "warning")
            return
        if not change.steps:
            self.tell(" ".join((f"{change.title}.", *change.consequences)))
            return

        async def creation() -> Change | None:
            return None if await session.journal.exists() else session.journal.creation()

        screen.work("journal", creation, lambda first: self._preview(session, change, first, then))

    def _preview(
        self, session: Session, change: Change, first: Change | None, then: Callable[[Report], object]
    ) -> None:
        from core.confirmation import confirmation_for
        from tui.screens.change import ChangeScreen

        def closed(report: Report | None) -> None:
            self.look_for_unfinished()
            if report is not None:
                then(report)

        confirmation = confirmation_for(change, session.profile)
        page = ChangeScreen(change, confirmation, session.runner.run, where=session.profile.name, first=first)
        self.push_screen(page, closed)

    # -- commands

    def why_not(self, command: Command) -> str:
        session, here = self.connection.session, self._undo_here()
        if command.call == "undo" and here is not None:
            return here.why_not
        if session is None:
            needed = command.needs_session or command.modifies or command.ability
            return "Not connected." if needed else ""
        if command.modifies and session.read_only.active:
            return self._read_only_reason(session)
        if command.ability and command.ability not in session.capabilities.may:
            return session.capabilities.missing(command.ability)
        return ""

    def _undo_here(self) -> Undo | None:
        """The undo of the screen that is shown, or lies below the pages that are."""
        screens = [screen for screen in self.screen_stack if isinstance(screen, ConsoleScreen) and screen.SCREEN_ID]
        return screens[-1].undo_here() if screens else None

    @staticmethod
    def _read_only_reason(session: Session) -> str:
        return f"Read-only ({session.read_only.reason}): nothing can be changed."

    def on_key(self, event: Key) -> None:
        if event.key in self.NUMBERS:  # a key that no input has taken
            event.stop()
            self.go(self.NUMBERS[event.key])

    def go(self, screen_id: str) -> None:
        """Show a screen, created when it is first asked for; pages over the present one are closed if they may be."""
        pages = self.screen_stack[1:]
        if any(not isinstance(page, ConsoleScreen) or not page.LEAVE_FREELY for page in pages):
            self.tell("Close this page first (esc).", "warning")
            return
        for _ in pages:
            self.pop_screen()
        if screen_id not in self._installed_screens:
            self.install_screen(entry(screen_id).create(), screen_id)
        self.switch_screen(screen_id)

    def show_help(self) -> None:
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, ConsoleScreen):
            self.push_screen(HelpScreen(self.screen))

    def jump(self) -> None:
        from tui.screens.finding import jump

        jump(self)

    def show_palette(self) -> None:
        from tui.screens.finding import show_palette

        if isinstance(self.screen, ConsoleScreen):
            show_palette(self, self.screen)

    def undo(self) -> None:
        """What is unfinished comes first; then the last change can be taken back."""
        screen, here = self.screen, self._undo_here()
        if here is not None:
            here.run()
            return
        if [unfinished for unfinished in self.unfinished if not unfinished.running]:
            from tui.screens.unfinished import UnfinishedScreen

            self.push_screen(UnfinishedScreen(), lambda _done: self._refresh_screen())
            return
        session = self.connection.session
        if session is None or not isinstance(screen, ConsoleScreen) or not screen.SCREEN_ID:
            return

        screen.work(
            "plan",
            session.runner.last_undoable,
            lambda change: self.carry_out(change, lambda _report: self._refresh_screen()),
        )

    def _refresh_screen(self) -> None:
        from tui.screens.entity import EntityScreen

        if isinstance(self.screen, EntityScreen):
            self.screen.refresh_rows()

    def hash_password(self) -> None:
        from tui.screens.password_hashes import HashScreen, hash_form

        self.ask(hash_form(), lambda hashed: self.push_screen(HashScreen(hashed)))

    def switch_theme(self) -> None:
        self.theme = other(self.theme)

    def leave(self) -> None:
        """Quit; asked first when a change is running."""
        if self.running_change is None:
            self.exit()
            return
        from tui.screens.question import leaving_question

        def answered(sure: bool | None) -> None:
            if sure:
                self.exit()

        self.push_screen(leaving_question(self.running_change), answered)

    async def action_quit(self) -> None:
        self.leave()

    # -- idleness

    def _look_at_idleness(self) -> None:
        session = self.connection.session
        if session is not None and session.lock_keys(only_when_idle=True):
            self.tell("Keys locked: none was used for a while.")
            self._tell_keys_locked()

    def key_ring(self) -> KeyRing:
        """The private keys of the open session. Raises HousekeysError when there is none."""
        if self.connection.session is None:
            raise HousekeysError("Not connected.")
        return self.connection.session.keys

    def lock_keys(self) -> None:
        """Forget the unlocked keys."""
        session = self.connection.session
        unlocked = session is not None and session.lock_keys()
        self.tell("Keys locked." if unlocked else "No key is unlocked.")
        self._tell_keys_locked()

    def _tell_keys_locked(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.keys_locked()


def run_console(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Open the console for parsed arguments; returns the exit code."""
    from core.errors import ExitCode
    from core.logs import start_logging
    from core.paths import Paths
    from core.profiles import load

    paths = Paths.locate(environ, arguments.config)
    start_logging(paths)
    profile_file = load(paths.config_file)
    name = arguments.profile or profile_file.preferences.default_profile
    app = HousekeysApp(Start(paths, profile_file, name, read_only=arguments.read_only))
    lost_terminal.watch()
    app.run(mouse=profile_file.preferences.mouse and not arguments.no_mouse)
    return app.return_code or ExitCode.DONE
