"""What the sessions of a way to sign in are limited to: the GRANTS of a credential, as they are typed.

A session may do what the user may and what is listed, nothing else. ClickHouse refuses the clause for what an external
system verifies: another way in could take the same credential and go round the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.model import Authentication, AuthKind, Right
from core.access.render_grants import render_rights
from tui.screens.grant_choosing import right_choice
from tui.screens.grant_forms import read_rights, wrong
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access

_SINCE = (26, 8)
_VERIFIED_ELSEWHERE = frozenset({AuthKind.LDAP, AuthKind.KERBEROS, AuthKind.HTTP})
_NOTHING = "USAGE ON *.*"  # as ClickHouse writes that no right is left


def knows_grants(session: Session) -> bool:
    """Whether the server is new enough for the clause."""
    return session.capabilities.version_tuple >= _SINCE


def takes_grants(kind: AuthKind) -> bool:
    """Whether the sessions of a method can be limited."""
    return kind not in _VERIFIED_ELSEWHERE


def grants_field(
    name: str,
    session: Session,
    access: Access,
    shown_if: Callable[[Values], bool],
    grants: tuple[Right, ...] | None = None,
) -> Field:
    """Asks what sessions are limited to; `grants` is what they are limited to now."""
    return Field(name, "Grants", _written(grants), shown_if=shown_if,
                 check=lambda text: wrong(read_grants, text, access),
                 hint="Of the user's rights only these: SELECT ON db.*. Empty: all.",
                 choose=right_choice(session, access.index.privileges))  # fmt: skip


def read_grants(text: str, access: Access) -> tuple[Right, ...] | None:
    """Rights as in a GRANT; None, no limit, for nothing. Raises BadInputError that says where and what is wrong."""
    return read_rights(text, access) if text.strip() else None


def with_grants(method: Authentication, text: str, access: Access) -> Authentication:
    """`method` limited to what was typed; the very same when that is what it was limited to."""
    return method if text == _written(method.grants) else replace(method, grants=read_grants(text, access))


def _written(grants: tuple[Right, ...] | None) -> str:
    """Grants as `read_grants` reads them."""
    return "" if grants is None else render_rights(grants) or _NOTHING
