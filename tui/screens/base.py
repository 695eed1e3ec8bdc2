"""What every screen is built on: the frame around it, its commands, and work done in workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen, ScreenResultType

from core.display import one_line
from core.errors import HousekeysError
from tui.commands import Command, CommandHost
from tui.screens.registry import SCREENS, entry
from tui.service import explained, start_worker
from tui.widgets.chrome import ChromeLine, Navigation, Piece

if TYPE_CHECKING:
    from core.session import Session
    from tui.app import HousekeysApp

T = TypeVar("T")

NARROW, MEDIUM, WIDE = "-narrow", "-medium", "-wide"
SHORT, TALL = "-short", "-tall"


class WorkDone(Message):
    """A worker has ended; what it found is handed over on the message loop, where widgets may be touched."""

    def __init__(self, group: str, number: int, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.group = group
        self.number = number
        self.deliver = deliver


@dataclass(frozen=True, slots=True)
class Undo:
    """An undo of a screen's own: why it cannot be done now (empty when it can), and the doing."""

    why_not: str
    run: Callable[[], None]


class ConsoleScreen(CommandHost, Screen[ScreenResultType], Generic[ScreenResultType]):
    """A screen with header, navigation, breadcrumb, banner and footer around its `content`."""

    AUTO_FOCUS: ClassVar[str | None] = None
    TITLE_WORDS: ClassVar[str] = ""  # in the breadcrumb
    SCREEN_ID: ClassVar[str] = ""  # its id in the registry; empty for a page that opens over others
    LEAVE_FREELY: ClassVar[bool] = True  # whether jumping elsewhere may simply close it

    def __init__(self) -> None:
        super().__init__()
        self._work_numbers: dict[str, int] = {}
        self.built = False  # its widgets are there; the app may tell it things before that

    # -- composition

    def compose(self) -> ComposeResult:
        self._look_at_the_terminal()
        yield ChromeLine(id="header")
        with Horizontal(id="middle"):
            if self.SCREEN_ID:
                listed = [(e.id, e.key, e.title) for e in SCREENS if not e.within]
                yield Navigation(listed, entry(self.SCREEN_ID).within or self.SCREEN_ID)
            with Vertical(id="main"):
                yield ChromeLine(id="crumb")
                yield ChromeLine(id="banner")
                yield from self.content()
        yield ChromeLine(id="footer")

    def _look_at_the_terminal(self) -> None:
        """Know how wide and tall it is before there are widgets: else they are laid out and drawn as if it were not."""
        app = self.app
        for cells, breakpoints in zip(app.size, (app.HORIZONTAL_BREAKPOINTS, app.VERTICAL_BREAKPOINTS), strict=True):
            self.add_class(*self._get_breakpoint_classes(cells, breakpoints or []))

    def content(self) -> ComposeResult:
        """The widgets between breadcrumb and footer."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.built = True
        self.show_frame()

    def on_screen_resume(self) -> None:
        self.show_frame()

    def on_navigation_chosen(self, message: Navigation.Chosen) -> None:
        self.console.go(message.screen_id)

    @property
    def console(self) -> HousekeysApp:
        return cast("HousekeysApp", self.app)

    @property
    def session(self) -> Session | None:
        """The open session, if there is one."""
        return self.console.connection.session

    # -- the frame

    def show_frame(self) -> None:
        """Bring header, breadcrumb, banner and footer up to date; what has not changed is not drawn again."""
        if not self.built:
            return
        self.query_one("#header", ChromeLine).show(*self.console.header())
        self.show_crumb()
        banner = self.query_one("#banner", ChromeLine)
        text = self.banner()
        banner.display = bool(text)
        if text:
            banner.show([Piece(one_line(text, 400), "bold $warning")])
        self.query_one("#footer", ChromeLine).show(*self.footer())

    def banner(self) -> str:
        """A line of warning above the content; empty when there is nothing to say."""
        return self.console.unfinished_banner() if self.SCREEN_ID else ""

    def show_crumb(self) -> None:
        self.query_one("#crumb", ChromeLine).show(*self.crumb())

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        """Where the operator is, and the state of what is shown."""
        return [Piece(one_line(self.TITLE_WORDS), "bold")], []

    def footer(self) -> tuple[list[Piece], list[Piece]]:
        """The commands that have a place in the footer; dim are those that cannot work now."""
        own = [command for command in self.commands() if command.footer]
        pieces = [
            Piece(
                command.name,
                "$muted" if self.why_not(command) else "$foreground",
                minor=1 + number,
                key=command.key_shown,
            )
            for number, command in enumerate(own)
        ]
        if not self.LEAVE_FREELY:  # letters are typed there
            return pieces, []
        general = [command for command in self.console.commands() if command.footer]
        return pieces, [Piece(command.name, "$foreground", key=command.key_shown) for command in general]

    # -- commands

    def why_not(self, command: Command) -> str:
        if command.needs_row and not self.has_row():
            return "There is no row to do it with."
        return self.console.why_not(command)

    def undo_here(self) -> Undo | None:
        """What `U` does here instead of taking back the last change of the session, if so."""
        return None

    def has_row(self) -> bool:
        """Whether there is something a command with `needs_row` can work on."""
        return False

    def tell(self, text: str, severity: str = "information") -> None:
        """A passing message. `text` is data, never markup."""
        self.console.tell(text, severity)

    # -- work

    def work(
        self,
        group: str,
        job: Callable[[], Awaitable[T]],
        then: Callable[[T], None],
        failed: Callable[[HousekeysError], None] | None = None,
    ) -> None:
        """Run `job` in a worker; a newer one of the same group cancels it and makes its result void.

        `then` or `failed` (by default a passing message) are called on the message loop of this screen.
        """
        number = self._work_numbers[group] = self._work_numbers.get(group, 0) + 1

        async def carry() -> None:
            try:
                result = await job()
            except Exception as error:  # whatever it is, it becomes a state of the screen, not a traceback
                reason = explained(error)
                self.post_message(WorkDone(group, number, lambda: (failed or self.show_error)(reason)))
            else:
                self.post_message(WorkDone(group, number, lambda: then(result)))

        start_worker(self, carry, group)

    def cancel_work(self, group: str) -> None:
        """Stop the work of a group; its result, should it come, is void."""
        self._work_numbers[group] = self._work_numbers.get(group, 0) + 1
        self.workers.cancel_group(self, group)

    def on_work_done(self, message: WorkDone) -> None:
        message.stop()
        if self._work_numbers.get(message.group) == message.number:
            message.deliver()

    def show_error(self, error: HousekeysError) -> None:
        """An error that no part of the screen has a place for."""
        self.tell(str(error), "error")

    # -- what the app tells it

    def connection_changed(self) -> None:
        """The session was opened, lost or exchanged."""
        self.show_frame()

    def keys_locked(self) -> None:
        """The private keys were locked."""


AnyScreen = ConsoleScreen[Any]
