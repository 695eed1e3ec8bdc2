"""The form that picks the two sides of a comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import RefusedError
from tui.screens.access_file_forms import path_of
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.compare_sides import ReadSide, Side, SideKind, Sides
from tui.screens.form import Form
from tui.widgets.fields import Choose, Field, Values

if TYPE_CHECKING:
    from core.access_reports.node_access import ClusterNode
    from tui.screens.form import FormScreen

_NOTHING = (Side(SideKind.CONNECTED), Side(SideKind.FILE))


@dataclass(frozen=True, slots=True)
class Picked:
    """Two sides that could be read."""

    sides: Sides
    left: ReadSide
    right: ReadSide


def pick_form(
    before: Sides | None,
    profiles: Sequence[str],
    cluster: str,
    read: Callable[[Sides], Awaitable[Picked]],
    nodes: Callable[[], Awaitable[Sequence[ClusterNode]]],
) -> Form[Picked]:
    """Ask for both sides; the form stays open, with the error, until both could be read."""

    async def submit(values: Values) -> Picked:
        return await read((_side(values, "left"), _side(values, "right")))

    left, right = before or _NOTHING
    choose = _node_choice(nodes) if cluster else None
    fields = [
        field for where, side in (("left", left), ("right", right))
        for field in _fields(where, side, profiles, cluster, choose)
    ]  # fmt: skip
    return Form("Compare", fields, submit, button="Compare")


def _node_choice(nodes: Callable[[], Awaitable[Sequence[ClusterNode]]]) -> Choose:
    """Choose one of the nodes that answer; the others are shown."""

    def choose(form: FormScreen[object], put: Callable[[str], None]) -> None:
        def ask(found: Sequence[ClusterNode]) -> None:
            options = [
                Option(node.name, node.name) if node.answers else Option("", node.name, reason="does not answer")
                for node in sorted(found, key=lambda node: (not node.answers, node.name))
            ]
            form.app.push_screen(ChooserScreen("+", "a node", options), lambda name: put(name) if name else None)

        form.work("choose", nodes, ask)

    return choose


def _fields(where: str, side: Side, profiles: Sequence[str], cluster: str, choose: Choose | None) -> Sequence[Field]:
    def of(kind: SideKind) -> Callable[[Values], bool]:
        return lambda values: values[where] == kind

    def value(kind: SideKind) -> str:
        return side.name if side.kind is kind else ""

    words = where.capitalize()
    profile = Field(
        f"{where}_profile", "Profile", value(SideKind.PROFILE), shown_if=of(SideKind.PROFILE), required=bool(profiles),
        kind="choice" if profiles else "text", choices=tuple(profiles),
        hint="It is opened beside this one, and only read." if profiles else "There is no other profile.",
    )  # fmt: skip
    return (
        Field(where, words, side.kind, kind="choice", choices=tuple(SideKind),
              hint="The connected server, another profile, a file or saved snapshot, or a node of the cluster."),
        profile,
        Field(f"{where}_file", "File", value(SideKind.FILE), shown_if=of(SideKind.FILE), required=True,
              hint="SQL, users.xml, or a folder with one."),
        Field(f"{where}_node", "Node", value(SideKind.NODE), shown_if=of(SideKind.NODE), required=True,
              hint=f"A node of the cluster {cluster}: ctrl+o chooses." if cluster else "The profile names no cluster.",
              choose=choose, single=True),
    )  # fmt: skip


def _side(values: Values, where: str) -> Side:
    kind = SideKind(values[where])
    match kind:
        case SideKind.CONNECTED:
            return Side(kind)
        case SideKind.PROFILE:
            if not values.get(f"{where}_profile", "").strip():
                raise RefusedError("There is no other profile.", advice="Add one on the profiles screen.")
            return Side(kind, values[f"{where}_profile"])
        case SideKind.FILE:
            return Side(kind, str(path_of(values[f"{where}_file"])))
        case SideKind.NODE:
            return Side(kind, values[f"{where}_node"].strip())
