"""Finding by typing: a screen (`:`), or any command that there is now (ctrl+p)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.commands import Command, CommandHost
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.registry import SCREENS

if TYPE_CHECKING:
    from tui.app import HousekeysApp
    from tui.screens.base import ConsoleScreen


PAGES = ("app.hash",)  # commands that open a page which is looked for among the screens


def jump(app: HousekeysApp) -> None:
    """Go to a screen by typing its name."""
    options = [Option(e.id, e.title, e.key, "", " ".join(e.words)) for e in SCREENS]
    options += [Option(page.id, page.name) for page in app.commands() if page.id in PAGES]

    def chosen(found: str | None) -> None:
        if found in PAGES:
            app.action_command(found)
        elif found is not None:
            app.go(found)

    app.push_screen(ChooserScreen(":", "type the name of a screen", options), chosen)


def show_palette(app: HousekeysApp, screen: ConsoleScreen[Any]) -> None:
    """Run a command of `screen` or of the app, or go to another screen; what cannot be done says why."""
    offered: dict[str, tuple[CommandHost, Command]] = {}
    hosts: tuple[CommandHost, ...] = (screen, app)
    for host in hosts:
        offered |= {command.id: (host, command) for command in host.commands()}
    options = [
        Option(command.id, capitalised(command.name), command.all_keys_shown, command.description,
               reason=host.why_not(command))
        for host, command in offered.values() if command.id != "app.palette"
    ]  # fmt: skip
    options += [Option(f"go:{e.id}", f"Open {e.title}", e.key, "", " ".join(e.words)) for e in SCREENS]

    def chosen(command_id: str | None) -> None:
        if command_id is None:
            return
        if command_id.startswith("go:"):
            app.go(command_id.removeprefix("go:"))
        else:
            offered[command_id][0].action_command(command_id)

    app.push_screen(ChooserScreen(">", "type what you want to do", options), chosen)


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
