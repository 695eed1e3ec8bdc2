"""The audit: one row for each user and right, with the path it came by and all that limits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from core.access.access_model import AccessModel, Holder
from core.access.effective.limits import Limits, limits_of
from core.access.effective.privilege_tree import PrivilegeTree
from core.access.effective.rights import EffectiveRight, EffectiveRights, RightsIndex
from core.access.effective.roles import Via
from core.access.model import EntityKind, Right
from core.access.model_changes import name_text
from core.access.planning.entities import hosts_text
from core.access.render_grants import render_rights
from core.access_reports.sheets import Sheet


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A right of a user, or a user without any (`privilege` is empty then).

    `database` and `table` are `*` for all, and end with `*` for a prefix; `object` is all of it as in SQL. `path` are
    the roles on the way, empty for what was granted to the user itself. `active` is False for what is in force only
    after SET ROLE. `revoked_parts` are what the same holder had taken back within it. `readonly` is the setting that
    stops all but reading: 1 or 2, empty where it does not.
    """

    user: str
    privilege: str
    database: str
    table: str
    columns: str
    object: str
    path: str
    active: bool
    grant_option: bool
    revoked_parts: str
    quotas: str
    row_policies: str
    hosts: str
    valid_until: str
    readonly: str
    state: str


COLUMNS = tuple(field.name for field in fields(AuditRow))


def audit(model: AccessModel, now: datetime, privileges: PrivilegeTree | None = None) -> tuple[AuditRow, ...]:
    """The rows for all users, by name. `privileges` are those of the server."""
    index = RightsIndex(model, privileges)
    return tuple(row for name in sorted(model.users) for row in _rows(index, name, now))


def _rows(index: RightsIndex, name: str, now: datetime) -> Iterator[AuditRow]:
    effective = index.effective(Holder(EntityKind.USER, name))
    limits = limits_of(effective, now)
    hosts = hosts_text(limits.hosts) if limits.hosts is not None else ""
    readonly = "" if limits.readonly is None else limits.readonly.value or ""
    about = (hosts, _validity(limits), readonly, _state(limits))
    quotas = ", ".join(each.quota.name for each in limits.quotas)
    granted = [right for right in effective.rights if not right.revoked]
    if not granted:
        yield AuditRow(name, "", "", "", "", "", "", True, False, "", quotas, "", *about)
    for each in granted:
        for via in each.origins:
            yield _row(effective, limits, each, via, quotas, about)


def _row(
    effective: EffectiveRights,
    limits: Limits,
    each: EffectiveRight,
    via: Via,
    quotas: str,
    about: tuple[str, str, str, str],
) -> AuditRow:
    right = each.right
    whole = right.database is None
    return AuditRow(
        effective.who.name,
        right.privilege,
        "" if right.parameter is not None else "*" if whole else f"{right.database}{'*' * right.database_wildcard}",
        ""
        if right.parameter is not None
        else "*"
        if right.table is None
        else f"{right.table}{'*' * right.table_wildcard}",
        ", ".join(right.columns),
        render_rights((right,)).partition(" ON ")[2],
        " > ".join(via.path),
        via.active,
        each.grant_option,
        "; ".join(_revoked_parts(effective, right, via)),
        quotas,
        ", ".join(_row_policies(limits, right)),
        *about,
    )


def _revoked_parts(effective: EffectiveRights, right: Right, via: Via) -> Iterator[str]:
    privileges = effective.index.privileges
    mask = privileges.mask(right.privilege)
    for other in effective.rights:
        here = other.revoked and via in other.origins and holds(right, other.right)
        if here and mask & privileges.mask(other.right.privilege):
            yield render_rights((other.right,))


def holds(outer: Right, inner: Right) -> bool:
    """Whether the object of `inner` lies in that of `outer`."""
    if outer.parameter is not None or inner.parameter is not None:
        return outer.database is None and outer.parameter in (None, "", inner.parameter)
    if outer.database is None:
        return True
    if inner.database is None or not _named(outer.database, outer.database_wildcard, inner.database):
        return False
    if outer.table is None:
        return True
    if inner.table is None or not _named(outer.table, outer.table_wildcard, inner.table):
        return False
    return not outer.columns or bool(set(inner.columns) & set(outer.columns))


def _named(name: str, wildcard: bool, other: str) -> bool:
    return other.startswith(name) if wildcard else other == name


def _row_policies(limits: Limits, right: Right) -> Iterator[str]:
    """The row policies that decide which rows of the object the user sees."""
    if right.parameter is not None:
        return
    shown: set[str] = set()
    for rows in limits.rows:
        place = Right("", database=rows.database, table=rows.table)
        if not (holds(right, place) or holds(place, right)):
            continue
        for applied in rows.policies:
            text = name_text(applied.policy.name)
            if text not in shown:
                shown.add(text)
                yield text


def _validity(limits: Limits) -> str:
    ends = [
        "unknown"
        if credential.end_unknown
        else "unlimited"
        if credential.valid_until is None
        else credential.valid_until.isoformat(sep=" ")
        for credential in limits.credentials
    ]
    found = list(dict.fromkeys(ends))
    return "" if found == ["unlimited"] else ", ".join(found)


def _state(limits: Limits) -> str:
    if limits.disabled:
        return "disabled"
    return "expired" if limits.expired else "active"


def limited_by(row: AuditRow) -> str:
    """What makes less of a right than it says, in words for a person; its state has a column of its own."""
    told = (
        "" if row.active else "only after SET ROLE",
        f"without {row.revoked_parts}" if row.revoked_parts else "",
        f"row policies {row.row_policies}" if row.row_policies else "",
        f"quotas {row.quotas}" if row.quotas else "",
        f"readonly {row.readonly}" if row.readonly else "",
        f"from {row.hosts}" if row.hosts not in ("", "ANY") else "",
        f"until {row.valid_until}" if row.valid_until else "",
    )
    return "; ".join(filter(None, told))


def audit_sheet(rows: Sequence[AuditRow], title: str) -> Sheet:
    """The rows as a file; pale on a page are rights that are not in force, and users that cannot come in."""
    cells = [[getattr(row, column) for column in COLUMNS] for row in rows]
    pale = (number for number, row in enumerate(rows) if not (row.active and row.state == "active"))
    return Sheet(title, COLUMNS, cells, inactive=frozenset(pale))
