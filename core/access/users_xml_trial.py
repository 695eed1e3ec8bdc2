"""The projection of one user to `users.xml` under the name of the user that chDB connects as, to try what it may do.

How the user identifies itself and where it comes from is left out: tried is what it may do once it is in. Its default
roles are the roles that it has then.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from core.access.model import ANY_HOST, EVERYONE, Authentication, EntityKind, User
from core.access.state import FIXED_USER, AccessState
from core.access.tokenizer import AccessSyntaxError, Kind, tokenize
from core.access.users_xml import element_name, project, unheld_limits
from core.access.users_xml_names import GENERATED

TRIAL_PROFILE = f"{GENERATED}trial"
# Functions that answer with the name of the user; CURRENT_USER does so without brackets too.
_ASKING: Final = frozenset({"currentuser", "current_user", "user", "authenticateduser", "authuser"})
_SECONDS = 60  # that a statement may take, unless the user's own settings say otherwise


@dataclass(frozen=True, slots=True)
class Trial:
    """A `users.xml`, or why there is none: the limits of the user that it would be without."""

    users: str = ""
    missing: tuple[str, ...] = ()


def trial_of(state: AccessState, name: str, *, reading_only: bool) -> Trial:
    """The configuration in which the user `name`, who is known, stands where chDB's user stands otherwise.

    With `reading_only` ClickHouse refuses every change (`readonly = 1`), whatever the user's own settings are.
    """
    if name == FIXED_USER:
        return Trial(_as_fixed(project(state), FIXED_USER, reading_only))
    user = state.users[name]
    if all(method.grants is not None for method in user.methods):
        return Trial(missing=("the grants of a credential",))
    alone = _alone(state, user)
    if missing := unheld_limits(alone, alone.users[name]):
        return Trial(missing=missing)
    users = project(alone)
    if any(map(asks_who, _filters(users, element_name(name)))):
        return Trial(missing=("row policies that ask for the name of the user, which would be that of chDB's",))
    return Trial(_as_fixed(users, element_name(name), reading_only))


def asks_who(sql: str) -> bool:
    """Whether an expression or statement asks ClickHouse for the name of its user, which is always chDB's own.

    What cannot be told apart into tokens is taken for one that does.
    """
    try:
        tokens = tokenize(sql)
    except AccessSyntaxError:
        return True
    return any(
        token.kind is Kind.WORD
        and (token.text.casefold() == "current_user" or (token.text.casefold() in _ASKING and following.text == "("))
        for token, following in pairwise(tokens)
    )


def _filters(users_xml: str, element: str) -> list[str]:
    user = ElementTree.fromstring(users_xml).find(f"users/{element}")  # noqa: S314  (our own text)
    return [] if user is None else [found.text or "" for found in user.iter("filter")]


def _alone(state: AccessState, user: User) -> AccessState:
    """The state with no other user in it, and this one as it is when it has come in."""
    roles = state.holdings(EntityKind.USER, user.name).roles
    default = user.default_roles
    active = {
        role: option
        for role, option in roles.items()
        if (default.everyone or role in default.names) and role not in default.excepted
    }
    held = {key: holdings for key, holdings in state.held.items() if key[0] is EntityKind.ROLE}
    held[EntityKind.USER, user.name] = replace(state.holdings(EntityKind.USER, user.name), roles=active)
    entered = replace(user, methods=(Authentication(),), hosts=ANY_HOST, default_roles=EVERYONE, grantees=EVERYONE)
    others = frozenset(state.users) - {user.name}
    return AccessState(
        {user.name: entered},
        state.roles,
        held,
        _without(state.quotas, others),
        _without(state.settings_profiles, others),
        _without(state.row_policies, others),
    )


def _without(entities: Mapping[Any, Any], others: frozenset[str]) -> dict[Any, Any]:
    """`entities` for others no more; a name in a TO that is a user's and a role's means the user."""
    found = {}
    for name, entity in entities.items():
        listed = tuple(one for one in entity.to.names if one not in others)
        excepted = tuple(one for one in entity.to.excepted if one not in others)
        found[name] = replace(entity, to=replace(entity.to, names=listed, excepted=excepted))
    return found


def _as_fixed(users_xml: str, element: str, reading_only: bool) -> str:
    tree = ElementTree.fromstring(users_xml)  # noqa: S314  (our own text)
    users, profiles = tree.find("users"), tree.find("profiles")
    user = None if users is None else users.find(element)
    if users is None or profiles is None or user is None:
        raise ValueError(f"the projection has no user {element}")
    for other in list(users):
        users.remove(other)
    users.append(user)
    user.tag = FIXED_USER
    own = user.find("profile")
    if own is None:
        own = ElementTree.SubElement(user, "profile")
    trial = ElementTree.SubElement(profiles, TRIAL_PROFILE)
    ElementTree.SubElement(trial, "max_execution_time").text = str(_SECONDS)
    if own.text:
        ElementTree.SubElement(trial, "profile").text = own.text
    if reading_only:
        ElementTree.SubElement(trial, "readonly").text = "1"
    own.text = TRIAL_PROFILE
    return ElementTree.tostring(tree, encoding="unicode")
