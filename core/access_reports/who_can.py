"""Who can do one thing: every user and role that has a right, how much of it, by which ways, and what limits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.access.access_model import AccessModel, Holder
from core.access.cursor import Cursor
from core.access.effective.limits import Limits, limits_of
from core.access.effective.privilege_tree import PrivilegeTree
from core.access.effective.questions import Extent, Verdict, WhoCan, can, who_can
from core.access.effective.rights import RightsIndex
from core.access.effective.roles import Via
from core.access.effective.row_policies import TableRows
from core.access.model import ANY_HOST, EntityKind, Grant, Right
from core.access.planning.entities import hosts_text
from core.access.render import render
from core.access.render_grants import identifier, render_rights
from core.access_reports.audit import holds
from core.access_reports.questions import asked_right, path_text
from core.access_reports.sheets import Sheet
from core.errors import BadInputError

_EXAMPLE = "For example: acme.orders, acme.*, acme.orders(amount) or *.*"


@dataclass(frozen=True, slots=True)
class Able:
    """A user or role that can, at least in part or after SET ROLE.

    `columns` and `columns_except` are as in an Answer; of anything larger than a table there are none.
    """

    who: Holder
    verdict: Verdict
    ways: tuple[WhoCan, ...]
    limits: Limits
    columns: tuple[str, ...] = ()
    columns_except: tuple[str, ...] = ()

    @property
    def grant_option(self) -> Extent:
        """How much of it may be passed on by what is in force at login."""
        return max((way.grant_option for way in self.ways if way.via.active), default=Extent.NONE)


def right_on(privilege: str, place: str) -> Right:
    """The right that is asked about; columns may stand behind the object. Raises BadInputError for what is none."""
    if not place.strip():
        raise BadInputError("The object is missing.", advice=_EXAMPLE)
    cursor = Cursor(place)
    if cursor.at_symbol(".", 1) and cursor.at_symbol("(", 3):  # else the brackets are those of a source
        cursor.index = 3
        place = place[: cursor.token.position]
        columns = cursor.bracketed(lambda: cursor.identifier("a column"))
        cursor.need_end()
        if "(" in privilege:
            raise BadInputError("Columns are named twice.", advice="Write them behind the table only.")
        privilege = f"{privilege}({', '.join(map(identifier, columns))})"
    return asked_right(privilege, place)


def askable(privilege: str, place: str, privileges: PrivilegeTree) -> Right:
    """The same, if there can be such a right at all. Raises BadInputError."""
    right = right_on(privilege, place)
    who_can(RightsIndex(AccessModel(), privileges), right)
    return right


def able(index: RightsIndex, right: Right, now: datetime) -> tuple[Able, ...]:
    """Everybody that has at least a part of a right, users first. What is implicit is left out, as in `who_can`."""
    found: dict[Holder, list[WhoCan]] = {}
    for each in who_can(index, right):
        found.setdefault(each.who, []).append(each)
    return tuple(_able(index, right, who, tuple(ways), now) for who, ways in found.items())


def _able(index: RightsIndex, right: Right, who: Holder, ways: tuple[WhoCan, ...], now: datetime) -> Able:
    effective = index.effective(who)
    limits = limits_of(effective, now)
    active = ways[0].active_extent
    if active is Extent.ALL:
        return Able(who, Verdict.YES, ways, limits)
    if right.table is not None and not right.table_wildcard:  # columns are told only of a table
        answer = can(effective, right)
        return Able(who, answer.verdict, ways, limits, answer.columns, answer.columns_except)
    return Able(who, Verdict.PARTLY if active is Extent.PART else Verdict.AFTER_SET_ROLE, ways, limits)


# -- in words


def extent_text(each: Able) -> str:
    """How much of it somebody has, in a few words."""
    if each.verdict is Verdict.SOME_COLUMNS:
        if each.columns:
            return f"columns {', '.join(each.columns)}"
        return f"all but {', '.join(each.columns_except)}"
    words = {
        Verdict.YES: "all",
        Verdict.PARTLY: "a part",
        Verdict.AFTER_SET_ROLE: "after SET ROLE",
        Verdict.NO: "nothing",
    }
    return words[each.verdict]


def ways_text(each: Able) -> str:
    """The shortest way in force (else the shortest), and how many more there are."""
    ways = sorted(each.ways, key=lambda way: (not way.via.active, len(way.via.path)))
    more = f" +{len(ways) - 1}" if len(ways) > 1 else ""
    return f"{' > '.join(ways[0].via.path) or 'itself'}{more}"


def limit_texts(each: Able, right: Right, index: RightsIndex) -> tuple[str, ...]:
    """What limits somebody beside its rights, the gravest first, each in a few words."""
    limits = each.limits
    found = ["disabled"] if limits.disabled else []
    if limits.expired:
        found.append("expired")
    found += [f"blocked by {setting.name}" for setting in limits.blocking(right, index.privileges)]
    if limits.readonly is not None and not any(text == "blocked by readonly" for text in found):
        found.append("readonly")
    if rows_on(each, right):
        found.append("some rows")
    ends = [credential.valid_until for credential in limits.credentials if credential.valid_until is not None]
    if ends and len(ends) == len(limits.credentials) and not limits.expired:
        found.append(f"until {max(ends):%Y-%m-%d}")
    if limits.hosts not in (None, ANY_HOST) and not limits.disabled:
        found.append("hosts")
    return tuple(found)


def rows_on(each: Able, right: Right) -> tuple[TableRows, ...]:
    """The row policies that hide rows of what was asked about."""
    if right.parameter is not None:
        return ()
    found = []
    for rows in each.limits.rows:
        place = Right("", database=rows.database, table=rows.table)
        if (holds(right, place) or holds(place, right)) and rows.condition() is not None:
            found.append(rows)
    return tuple(found)


# -- the statements of a way


def way_statements(index: RightsIndex, who: Holder, via: Via, right: Right) -> tuple[str, ...]:
    """What made a way: the roles that were granted on it, then the grants and revokes about the right at its end."""
    return (*_role_grants(index, who, via), *_right_statements(index, via.holder, right))


def _role_grants(index: RightsIndex, who: Holder, via: Via) -> Iterator[str]:
    holder = who
    for name in via.path:
        admin = index.model.granted_roles.get(holder, {}).get(name, False)
        yield render(Grant(roles=(name,), grantees=(holder.name,), admin_option=admin))
        holder = Holder(EntityKind.ROLE, name)


def _right_statements(index: RightsIndex, holder: Holder, right: Right) -> list[str]:
    mask = index.privileges.mask(right.privilege)

    def concerns(other: Right, *, anywhere: bool) -> bool:
        same = bool(index.privileges.mask(other.privilege) & mask)
        return same and (anywhere or holds(other, right) or holds(right, other))

    for anywhere in (False, True):  # parameters with a wildcard, and old spellings of sources, are not told by place
        found = []
        for statement in index.model.rights.get(holder, ()):
            rights = tuple(each for each in statement.rights if concerns(each, anywhere=anywhere))
            if rights:
                kept = type(statement)(rights, grantees=(holder.name,), grant_option=statement.grant_option)
                found.append(render(kept))
        if found:
            return found
    return []


# -- as a file

COLUMNS = (
    *("kind", "name", "has", "columns", "columns_except", "path", "way_gives", "active", "grant_option"),
    *("limits", "hosts", "valid_until", "statements"),
)


def who_can_sheet(found: Sequence[Able], right: Right, index: RightsIndex, where: str) -> Sheet:
    """A row for each way of each user and role."""
    rows = [
        (
            each.who.kind.lower(),
            each.who.name,
            str(each.verdict),
            ", ".join(each.columns),
            ", ".join(each.columns_except),
            path_text(way.via),
            way.extent.name.lower(),
            way.via.active,
            way.grant_option.name.lower(),
            ", ".join(limit_texts(each, right, index)),
            "" if each.limits.hosts is None else hosts_text(each.limits.hosts),
            ", ".join(_ends(each.limits)),
            "; ".join(way_statements(index, each.who, way.via, right)),
        )
        for each in found
        for way in each.ways
    ]
    pale = (number for number, row in enumerate(rows) if not row[7])
    return Sheet(f"Who can {render_rights((right,))} on {where}", COLUMNS, rows, inactive=frozenset(pale))


def _ends(limits: Limits) -> Iterator[str]:
    for credential in limits.credentials:
        if credential.valid_until is not None:
            yield credential.valid_until.isoformat(sep=" ")
