"""Commands: one value per thing an operator can do, from which everything about it is generated.

A `Command` feeds the key binding, the footer, the palette (ctrl+p), the help screen (`?`) and the rule of danger. A
screen lists its own in `ACTIONS`; the keys that work everywhere are in `EVERYWHERE`. To add one:

    class TenantsScreen(EntityScreen[Tenant]):
        ACTIONS = (
            Command("tenants.suspend", "Suspend", "s", "suspend", "End the reading right of the marked tenants.",
                    modifies=True, needs_row=True, ability="grant"),
        )

        def suspend(self) -> None: ...          # `call` names the method; it starts workers, never waits

What a command declares decides when it works: `modifies` (not in read-only mode), `needs_session` (implied by
`modifies` and `ability`), `needs_row`, `ability` (a word of `core.clickhouse.capabilities`). A command that cannot
work now is dim in the footer and says why when its key is pressed. A method must not be called like one of Textual's
(`remove`, `refresh`, `focus` …). How to write a screen: `tui.screens`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Command:
    """One thing an operator can do."""

    id: str  # stable: "tenants.suspend"
    name: str  # a word or three, for footer, palette and help
    keys: str  # as Textual writes them, the first is shown: "enter,d"; empty: in the palette only
    call: str  # the method, without arguments, of the screen (or app) that does it
    description: str  # one sentence for help and palette
    modifies: bool = False  # leads to a Change: not in read-only mode
    needs_session: bool = False
    needs_row: bool = False
    ability: str = ""  # what the connected user must be able to do
    footer: bool = True

    @property
    def key_shown(self) -> str:
        """The first key as it is written in the footer."""
        return shown_key(self.keys.split(",")[0])

    @property
    def all_keys_shown(self) -> str:
        """Every key, for the help screen."""
        return " ".join(shown_key(key) for key in self.keys.split(",") if key)


_KEY_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "full_stop": ".",
    "asterisk": "*",
    "ctrl+p": "^p",
    "plus": "+",
    "minus": "-",
    "pageup": "pgup",
    "pagedown": "pgdn",
}


def shown_key(key: str) -> str:
    """`question_mark` as `?`, `N` as `N`, `ctrl+p` as `^p`."""
    return _KEY_NAMES.get(key, key)


def bindings_for(commands: Iterable[Command]) -> list[Binding]:
    """The bindings of `commands`: every one goes through `action_command`, which asks whether it may."""
    return [
        Binding(command.keys, f"command({command.id!r})", command.name, show=False, id=command.id)
        for command in commands
        if command.keys
    ]


class CommandHost:
    """What the app and every screen share: commands from `ACTIONS`, turned into bindings when the class is made."""

    ACTIONS: ClassVar[tuple[Command, ...]] = ()

    def __init_subclass__(cls, **arguments: Any) -> None:
        own = cls.__dict__.get("ACTIONS", ())
        if own:
            cls.BINDINGS = bindings_for(own)  # type: ignore[attr-defined]  # read by Textual's own __init_subclass__
        super().__init_subclass__(**arguments)

    def commands(self) -> tuple[Command, ...]:
        """Its commands, those of its classes first, each id once."""
        found: dict[str, Command] = {}
        for kind in type(self).__mro__:
            for command in kind.__dict__.get("ACTIONS", ()):
                found.setdefault(command.id, command)
        return tuple(found.values())

    def why_not(self, command: Command) -> str:
        """Why `command` cannot work now, in words; empty when it can."""
        raise NotImplementedError

    def tell(self, text: str, severity: str = "information") -> None:
        """A passing message. `text` is data, never markup."""
        raise NotImplementedError

    def action_command(self, command_id: str) -> None:
        """Run one of its commands, or say why it cannot be run now. Every binding ends here.

        A binding is there for every command of the class, `commands` may leave some out: their keys do nothing.
        """
        command = next((command for command in self.commands() if command.id == command_id), None)
        if command is not None:
            self.run_command(command)

    def run_command(self, command: Command) -> None:
        """Call the method of `command`, unless something speaks against it."""
        reason = self.why_not(command)
        if reason:
            self.tell(reason, "warning")
        else:
            getattr(self, command.call)()


EVERYWHERE: tuple[Command, ...] = (
    Command("app.help", "help", "question_mark", "show_help", "List every key and what it does."),
    Command("app.jump", "jump", "colon", "jump", "Go to a screen by typing its name."),
    Command("app.palette", "palette", "ctrl+p", "show_palette", "Find a command by typing.", footer=False),
    Command(
        "app.undo",
        "Undo the last change",
        "U",
        "undo",
        "Take back the last change, after a preview.",
        modifies=True,
        footer=False,
    ),
    Command(
        "app.lock",
        "Lock the keys",
        "L",
        "lock_keys",
        "Forget the unlocked private keys now.",
        needs_session=True,
        footer=False,
    ),
    Command(
        "app.theme", "Dark or light", "", "switch_theme", "Switch between the dark and the light theme.", footer=False
    ),
    Command(
        "app.hash",
        "Hash a password",
        "",
        "hash_password",
        "Calculate the hash of a password, for users.xml or SQL.",
        footer=False,
    ),
    Command("app.quit", "quit", "q", "leave", "Leave Housekeys; asks when a change is running.", footer=False),
)
