"""Choosing rights and names for a form: from the tree of privileges, the server's objects, the users and roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.access.effective.privilege_tree import PrivilegeTree
from core.access.render_grants import identifier
from core.access_reports.objects import Objects, read_objects
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.who_can_choosing import ObjectChooser, object_options, privilege_options, takes_object
from tui.widgets.fields import Choose

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.form import FormScreen

    Put = Callable[[str], None]

_SIGN = "+"


def names_choice(names: Sequence[str], what: str) -> Choose | None:
    """Choose one of `names`; None where there are none. Written as in SQL."""
    if not names:
        return None
    options = [Option(identifier(name), name) for name in names]

    def choose(form: FormScreen[object], put: Put) -> None:
        form.app.push_screen(ChooserScreen(_SIGN, what, options), lambda name: put(name) if name else None)

    return choose


def right_choice(session: Session, privileges: PrivilegeTree) -> Choose:
    """Choose a privilege, then what it is for: `SELECT ON acme.*`."""
    options = privilege_options(privileges)

    def choose(form: FormScreen[object], put: Put) -> None:
        def chosen(privilege: str | None) -> None:
            if privilege is None:
                return
            if not takes_object(privilege, privileges):
                put(f"{privilege} ON *.*")
                return
            form.work("choose", lambda: read_objects(session.engine), lambda objects: ask(privilege, objects))

        def ask(privilege: str, objects: Objects) -> None:
            page = _ObjectToGrant(privilege, privileges, object_options(objects))
            form.app.push_screen(page, lambda place: put(f"{privilege} ON {place}") if place else None)

        form.app.push_screen(ChooserScreen(_SIGN, "a privilege", options), chosen)

    return choose


class _ObjectToGrant(ObjectChooser):
    """Dismissed with what a privilege is to be granted on."""

    def __init__(self, privilege: str, privileges: PrivilegeTree, options: Sequence[Option]) -> None:
        super().__init__(privilege, privileges, options)
        self._sign, self._hint = _SIGN, f"{privilege} on … {self._written}"
