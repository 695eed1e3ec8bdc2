"""The tabs about the rights of a user or role: its grants as a tree, what it may do by which path, and its SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import entities
from core.access.effective.limits import Limits, limits_of
from core.access.effective.rights import EffectiveRight, EffectiveRights
from core.access.effective.roles import Via
from core.access.effective.statements import grouped
from core.access.model import CreateRole, EntityKind, Grant, NameSet, Right, Statement, User
from core.access.planning.plan import title
from core.access.quotas import Quota
from core.access.render import render
from core.access.render_grants import render_rights
from core.access.secret_texts import without_secrets
from core.access.user_changes import definition
from core.access_reports.questions import implicit_texts
from core.display import one_line
from tui.screens.access_words import BELOW, names_text
from tui.widgets.lines import Line, fact, text_lines

if TYPE_CHECKING:
    from tui.screens.access_reading import Access

_LIMITS = (EntityKind.QUOTA, EntityKind.SETTINGS_PROFILE, EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY)
_MOST_IMPLICIT = 20  # objects
_READONLY = {"1": "1: it only reads, and changes no setting", "2": "2: it only reads, and may change settings"}


# -- Grants: what it was granted itself


def grant_lines(access: Access, who: Holder) -> list[Line]:
    """The roles and rights that were granted to it, rights by the object they are on."""
    lines = _role_lines(access, who)
    rights = access.index.own(who)
    if rights.empty:
        return [*lines, Line("No right of its own.", style="muted")]
    found = [(right, kind.revoked, kind.option) for kind, parts in grouped(rights) for right in parts]
    return lines + _tree(found)


def _role_lines(access: Access, who: Holder) -> list[Line]:
    roles = access.model.granted_roles.get(who, {})
    if not roles:
        return []
    lines = [Line("Roles", style="heading")]
    for name, admin in sorted(roles.items()):
        gone = "" if name in access.model.roles else "  (does not exist)"
        lines.append(Line(f"  {name}{'  with admin option' if admin else ''}{gone}", style="warning" if gone else ""))
    return [*lines, Line()]


def _tree(found: Iterable[tuple[Right, bool, bool]]) -> list[Line]:
    """Everything, then databases, then tables in them; what is taken back stands where it is taken."""
    lines: list[Line] = []
    above: str | None = None
    ordered = sorted(found, key=lambda each: (_place(each[0]), each[1], each[2]))
    table = ""
    for right, revoked, option in ordered:
        heading, below = _heading(right)
        if heading != above:
            lines += [Line(), Line(heading, style="heading")] if lines else [Line(heading, style="heading")]
            above, table = heading, ""
        if below and below != table:
            lines.append(Line(f"  {below}", style="accent"))
        table = below
        indent = "    " if below else "  "
        lines.append(_right_line(indent, right, revoked, option))
    return lines


def _right_line(indent: str, right: Right, revoked: bool, option: bool) -> Line:
    columns = f" ({', '.join(right.columns)})" if right.columns else ""
    pattern = f" ({right.source_filter})" if right.source_filter is not None else ""
    words = f"{right.privilege}{columns}{pattern}"
    if revoked:
        return Line(f"{indent}- {words}{'  grant option' if option else ''}  taken back", style="warning")
    return Line(f"{indent}{words}{'  with grant option' if option else ''}")


def _place(right: Right) -> tuple[int, str, int, str]:
    if right.parameter is not None:
        return 2, right.parameter, 0, ""
    if right.database is None:
        return 0, "", 0, ""
    return 1, right.database, not right.database_wildcard, right.table or ""


def _heading(right: Right) -> tuple[str, str]:
    if right.parameter is not None:
        name = right.parameter + "*" * right.parameter_wildcard or "*"
        return f"{name}  (no database)", ""
    if right.database is None:
        return "*.*", ""
    database = right.database + "*" * right.database_wildcard
    return f"{database}.*", "" if right.table is None else right.table + "*" * right.table_wildcard


# -- Effective: what it may do, by which path, and what limits it


def effective_lines(access: Access, who: Holder, now: datetime) -> list[Line]:
    """Rights in force at login with their paths, those that take SET ROLE, the limits, and what needs no grant."""
    effective = access.effective(who)
    at_login = [right for right in effective.rights if any(via.active for via in right.origins)]
    chosen = [right for right in effective.rights if not any(via.active for via in right.origins)]
    words = "Rights at login" if who.kind is EntityKind.USER else "Rights"
    lines = [Line(words, style="heading"), *origin_lines(at_login)]
    if chosen:
        lines += [Line(), Line("Only after SET ROLE", style="heading"), *origin_lines(chosen)]
    return [*lines, Line(), *limit_lines(limits_of(effective, now), who), Line(), *_implicit_lines(effective)]


def _implicit_lines(effective: EffectiveRights) -> list[Line]:
    """What follows from the rights at login by itself, and what everybody may."""
    found = implicit_texts(effective)
    more = len(found) - _MOST_IMPLICIT
    lines = [Line("Without a grant", style="heading"), *(Line(text, style="muted") for text in found[:_MOST_IMPLICIT])]
    return [*lines, *[Line(f"and {more:,} more", style="muted")] * (more > 0)] if found else []


def origin_lines(rights: Sequence[EffectiveRight]) -> list[Line]:
    """Rights with the ways they came by."""
    if not rights:
        return [Line("None.", style="muted")]
    lines = []
    for each in rights:
        text = render_rights((each.right,))
        option = "  with grant option" if each.grant_option and not each.revoked else ""
        taken = f"  {'grant option ' if each.grant_option else ''}taken back" if each.revoked else ""
        lines.append(Line(f"{'- ' if each.revoked else ''}{text}{option}{taken}", style="warning" if taken else ""))
        lines += [Line(f"    {path_text(via)}", style="muted") for via in each.origins]
    return lines


def path_text(via: Via) -> str:
    """Where a right comes from: `itself`, or the roles on the way."""
    if not via.path:
        return "itself"
    return f"by {' > '.join(via.path)}{'' if via.active else '  (SET ROLE ' + via.path[0] + ')'}"


def limit_lines(limits: Limits, who: Holder) -> list[Line]:
    """What limits a user or role besides its rights."""
    lines = [Line("Limits", style="heading")]
    if limits.disabled:
        lines.append(fact("hosts", "none: it comes in from nowhere", "error"))
    if limits.expired:
        lines.append(fact("expired", "every way in has come to its end", "error"))
    readonly = limits.readonly
    value = "" if readonly is None or readonly.value is None else readonly.value
    lines.append(fact("readonly", _READONLY.get(value, value) or "no"))
    lines += _several("quotas", [_quota(each.quota, each.via) for each in limits.quotas])
    lines += _several("rows", [_rows(each.database, each.table, each.condition()) for each in limits.rows])
    others = [each for each in limits.settings if each.name != "readonly" and each.value is not None]
    lines += _several("settings", [f"{each.name} = {each.value}" for each in others])
    if who.kind is EntityKind.USER and limits.may_grant_to_nobody:
        lines.append(fact("grantees", "nobody"))
    return lines


def _several(label: str, found: Sequence[str]) -> list[Line]:
    return [fact(label if number == 0 else BELOW, text) for number, text in enumerate(found)] or [
        fact(label, "-", "muted")
    ]


def _quota(quota: Quota, via: Via) -> str:
    from tui.screens.quota_rows import intervals_text  # which takes the words for a path from here

    return f"{quota.name}: {intervals_text(quota)}{'' if not via.path else f', {path_text(via)}'}"


def _rows(database: str, table: str | None, condition: str | None) -> str:
    rows = "every row" if condition is None else "no row" if condition == "0" else f"rows where {condition}"
    return f"{database}.{'*' if table is None else table}: {rows}"


# -- SQL


def sql_lines(access: Access, who: Holder) -> list[Line]:
    """The statements that make it what it is; no password, no hash."""
    return [line for text in sql_texts(access, who) for line in text_lines(one_line(text), "accent")]


def sql_texts(access: Access, who: Holder) -> list[str]:
    """The same as texts."""
    model = access.model
    first: Statement
    if who.kind is EntityKind.USER:
        first = definition(model.users[who.name])
    else:
        first = CreateRole((who.name,), settings=model.roles[who.name].settings)
    statements: list[Statement] = [without_secrets(first)]
    for admin in (False, True):
        roles = tuple(
            sorted(name for name, with_admin in model.granted_roles.get(who, {}).items() if with_admin is admin)
        )
        if roles:
            statements.append(Grant(roles=roles, grantees=(who.name,), admin_option=admin))
    statements += model.rights.get(who, ())
    return [render(statement) for statement in statements]


# -- what names it


def members_text(access: Access, role: str) -> tuple[list[str], list[str]]:
    """The users and the roles that were granted a role."""
    holders = [holder for holder, roles in access.model.granted_roles.items() if role in roles]
    users = sorted(holder.name for holder in holders if holder.kind is EntityKind.USER)
    return users, sorted(holder.name for holder in holders if holder.kind is EntityKind.ROLE)


def limits_named(access: Access, key: EntityKey) -> list[Line]:
    """The quotas, profiles and policies whose TO names an entity."""
    named = [title(limit) for kind in _LIMITS for limit, to in _with_to(access.model, kind) if key.name in to.names]
    return _several("named in", named)


def _with_to(model: AccessModel, kind: EntityKind) -> Iterator[tuple[EntityKey, NameSet]]:
    found: Mapping[Any, Any] = entities(model, kind)
    yield from ((EntityKey(kind, name), entity.to) for name, entity in found.items())


def default_text(user: User) -> str:
    """The roles in force at login, in words."""
    return names_text(user.default_roles, everyone="all that are granted")
