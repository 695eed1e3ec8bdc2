"""What the roles screen shows of a role: its row in the table, and its summary."""

from __future__ import annotations

from dataclasses import dataclass

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.roles import contains
from core.access.lint.findings import Finding
from core.access.model import EntityKind, Grant, Role
from core.access.render import setting_element
from core.display import count
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.access_tabs import limits_named
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_LISTED = 12


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role, with everything its columns say. Members are those it was granted to itself."""

    role: Role
    users: tuple[str, ...]
    roles: tuple[str, ...]
    holds: tuple[str, ...]  # the roles granted to it
    grants: int
    settings: str
    storage: str
    findings: tuple[Finding, ...]
    kept_only: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.role.name

    @property
    def members(self) -> int:
        return len(self.users) + len(self.roles)


def rows_of(access: Access) -> list[RoleRow]:
    """A row for each role."""
    users: dict[str, list[str]] = {}
    roles: dict[str, list[str]] = {}
    for holder, granted in access.model.granted_roles.items():
        of_kind = users if holder.kind is EntityKind.USER else roles
        for name in granted:
            of_kind.setdefault(name, []).append(holder.name)
    return [
        _row(access, role, users.get(role.name, ()), roles.get(role.name, ())) for role in access.model.roles.values()
    ]


def _row(access: Access, role: Role, users: list[str] | tuple[()], roles: list[str] | tuple[()]) -> RoleRow:
    key, who = EntityKey(EntityKind.ROLE, role.name), Holder(EntityKind.ROLE, role.name)
    given = [right for each in access.model.rights.get(who, ()) if isinstance(each, Grant) for right in each.rights]
    return RoleRow(
        role,
        tuple(sorted(users)),
        tuple(sorted(roles)),
        tuple(sorted(access.model.granted_roles.get(who, {}))),
        len(given),
        ", ".join(setting_element(element) for element in role.settings) or "-",
        access.present.storage(key),
        access.found(key),
        access.kept(key),
    )


def members_text(row: RoleRow) -> str:
    """How many users and roles have it."""
    parts = []
    if row.users:
        parts.append(f"{count(len(row.users))} {'user' if len(row.users) == 1 else 'users'}")
    if row.roles:
        parts.append(f"{count(len(row.roles))} {'role' if len(row.roles) == 1 else 'roles'}")
    return ", ".join(parts) or "nobody"


COLUMNS: tuple[Column[RoleRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    Column("members", "MEMBERS", members_text, sort=lambda r: r.members, letter="M",
           style=lambda r: "" if r.members else "muted"),
    Column("holds", "HOLDS ROLES", lambda r: ", ".join(r.holds) or "-", flexible=True, least=14, minor=2, letter="H"),
    Column("grants", "GRANTS", lambda r: count(r.grants), sort=lambda r: r.grants, numeric=True, letter="T"),
    Column("settings", "SETTINGS", lambda r: r.settings, flexible=True, least=14, minor=4),
    Column("storage", "STORAGE", lambda r: f"{r.storage or '-'}{' !' if r.kept_only else ''}", minor=3, letter="S",
           style=lambda r: "muted"),
    Column("findings", "LINT", lambda r: words.findings_text(r.findings), sort=lambda r: len(r.findings), numeric=True,
           minor=1, letter="F", style=lambda r: words.findings_style(r.findings)),
)  # fmt: skip


def summary_lines(row: RoleRow, access: Access) -> list[Line]:
    """Who has it, what it has, and what lint finds."""
    lines = [
        *words.kept_lines(row.kept_only),
        *definition_lines(row, access),
        Line(),
        words.storage_line(row.storage),
    ]
    return lines + words.finding_lines(row.findings)


def definition_lines(row: RoleRow, access: Access) -> list[Line]:
    """Who has it and what it has, wherever it comes from."""
    return [
        *_members("users", [_user(access.model, name, row.name) for name in row.users]),
        *_members("in roles", list(row.roles)),
        Line(),
        fact("holds roles", words.identifiers(row.holds) or "-"),
        fact("grants", count(row.grants)),
        *words.settings_lines(row.role.settings),
        *limits_named(access, EntityKey(EntityKind.ROLE, row.name)),
    ]


def _user(model: AccessModel, name: str, role: str) -> str:
    user = model.users.get(name)
    at_login = user is None or contains(user.default_roles, role)
    return name if at_login else f"{name}  (only after SET ROLE)"


def _members(label: str, names: list[str]) -> list[Line]:
    if not names:
        return [fact(label, "nobody" if label == "users" else "-", "muted")]
    lines = [fact(label if number == 0 else words.BELOW, name) for number, name in enumerate(names[:_LISTED])]
    return lines + [fact(words.BELOW, f"and {count(len(names) - _LISTED)} more")] * (len(names) > _LISTED)
