"""Answers about effective rights as rows: what somebody may do, and who may do something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from core.access.access_model import Holder
from core.access.effective.implicit import implicit_rights
from core.access.effective.limits import limits_of
from core.access.effective.questions import WhoCan, who_can
from core.access.effective.rights import EffectiveRights, RightsIndex
from core.access.effective.roles import Via
from core.access.entity_options import read_grant
from core.access.model import EntityKind, Right
from core.access.model_changes import name_text
from core.access.planning.entities import hosts_text
from core.access.render_grants import render_rights
from core.access_reports.audit import holds
from core.display import one_line
from core.errors import BadInputError, NotFoundError


def holder_named(index: RightsIndex, name: str) -> Holder:
    """The user or role of a name; of two with one name the user. Raises NotFoundError."""
    if name in index.model.users:
        return Holder(EntityKind.USER, name)
    if name in index.model.roles:
        return Holder(EntityKind.ROLE, name)
    advice = "See `housekeys user list` and `housekeys role list`."
    raise NotFoundError(f"There is no user or role {one_line(name)}.", advice=advice)


def asked_right(privilege: str, place: str) -> Right:
    """The one right that is asked about. Raises BadInputError for what is none, or several."""
    grant = read_grant(f"{privilege} ON {place}")
    if len(grant.rights) != 1:
        raise BadInputError("This asks about one privilege on one object.", advice="For example: SELECT acme.orders")
    return grant.rights[0]


def object_named(text: str) -> Right:
    """An object (`db.*`, `db.table`) as the place of a right. Raises BadInputError."""
    return asked_right("SELECT", text)


def effective_rows(effective: EffectiveRights, place: Right | None = None) -> list[dict[str, Any]]:
    """A row for each right and way it came; with `place`, only those that are about something in it."""
    rows = []
    for each in effective.rights:
        if place is not None and not (holds(each.right, place) or holds(place, each.right)):
            continue
        for via in each.origins:
            rows.append(
                {
                    "right": render_rights((each.right,)),
                    "revoked": each.revoked,
                    "path": path_text(via),
                    "active": via.active,
                    "grant_option": each.grant_option,
                }
            )
    return rows


def implicit_texts(effective: EffectiveRights, place: Right | None = None) -> list[str]:
    """What it may do at login without a grant, each object apart: what follows from its rights, and what all may."""
    found = [
        right
        for right in implicit_rights(effective.active)
        if place is None or holds(right, place) or holds(place, right)
    ]
    return [render_rights(tuple(rights)) for _, rights in groupby(found, lambda right: right._replace(privilege=""))]


def path_text(via: Via) -> str:
    """The roles on the way; `-` for what was granted to somebody itself."""
    return " > ".join(via.path) or "-"


def limits_value(effective: EffectiveRights, now: datetime) -> Mapping[str, Any]:
    """What limits a user besides its rights, as plain values."""
    limits = limits_of(effective, now)
    return {
        "hosts": None if limits.hosts is None else hosts_text(limits.hosts),
        "disabled": limits.disabled,
        "expired": limits.expired,
        "valid_until": [each.valid_until for each in limits.credentials if each.valid_until is not None],
        "readonly": None if limits.readonly is None else limits.readonly.value,
        "quotas": [each.quota.name for each in limits.quotas],
        "row_policies": sorted({name_text(one.policy.name) for rows in limits.rows for one in rows.policies}),
    }


def who_can_rows(index: RightsIndex, right: Right) -> list[dict[str, Any]]:
    """A row for each way in which a user or role has a right, users first."""
    return [_who(each) for each in who_can(index, right)]


def _who(each: WhoCan) -> dict[str, Any]:
    return {
        "kind": each.who.kind.lower(),
        "name": each.who.name,
        "extent": each.extent.name.lower(),
        "path": path_text(each.via),
        "active": each.via.active,
        "grant_option": each.grant_option.name.lower(),
    }
