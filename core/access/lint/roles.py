"""Lint of roles: granted but not active, held by nobody, empty, or in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.access.access_model import EntityKey, Holder
from core.access.lint.changes import with_granted_roles, with_user, without_role
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.subject import Subject, key_of, listed, named, sentence
from core.access.model import EntityKind, User
from core.access.sql_console import CONSOLE_ROLE, DEFAULT_ROLE

# Roles that ClickHouse Cloud gives out by their name, so that no user need hold them.
_HELD_BY_NAME = (CONSOLE_ROLE, "sql_console_", "cloud:", DEFAULT_ROLE)


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the roles of a model."""
    for user in subject.model.users.values():
        yield from _not_default(subject, user)
        yield from _default_not_granted(subject, user)
    for holder in subject.model.granted_roles:
        yield from _dangling(subject, holder)
    for role in subject.model.roles:
        yield from _unheld_or_empty(subject, role)
    yield from _cycles(subject)


def _not_default(subject: Subject, user: User) -> Iterator[Finding]:
    names = user.default_roles
    if names.everyone:
        return  # ALL, or ALL EXCEPT those that are named: somebody chose them
    granted = subject.granted(Holder(EntityKind.USER, user.name))
    missing = sorted(set(granted) & set(subject.model.roles) - set(names.names))
    if not missing:
        return
    key = EntityKey(EntityKind.USER, user.name)
    frozen = bool(names.names)

    def change(found: User) -> User:
        if found.default_roles.everyone:
            return found
        more = tuple(role for role in missing if role not in found.default_roles.names)
        return replace(found, default_roles=replace(found.default_roles, names=(*found.default_roles.names, *more)))

    yield subject.finding(
        "role-not-default",
        Severity.WARNING if frozen else Severity.NOTE,
        key,
        f"{sentence(named(key))} was granted {listed(missing)}, but not as default.",
        "Only default roles are active after a login; the others wait for SET ROLE. "
        + (
            "SET DEFAULT ROLE with a list freezes it: roles granted later are not in it."
            if frozen
            else "DEFAULT ROLE NONE leaves all of them inactive."
        ),
        advice="" if frozen else "If they are meant to be active: SET DEFAULT ROLE ALL TO …",
        fix=Fix(f"Make {listed(missing)} default too", lambda model: with_user(model, user.name, change))
        if frozen
        else None,
    )


def _default_not_granted(subject: Subject, user: User) -> Iterator[Finding]:
    granted = subject.granted(Holder(EntityKind.USER, user.name))
    stale = [role for role in user.default_roles.names if role not in granted]
    if user.default_roles.everyone or not stale:
        return
    key = EntityKey(EntityKind.USER, user.name)

    def change(found: User) -> User:
        kept = tuple(role for role in found.default_roles.names if role not in stale)
        return replace(found, default_roles=replace(found.default_roles, names=kept))

    yield subject.finding(
        "default-role-not-granted",
        Severity.WARNING,
        key,
        f"{sentence(named(key))} has default roles that it was not granted: {listed(stale)}.",
        "A default role that is not granted gives nothing. ClickHouse refuses to set one.",
        fix=Fix(f"Take {listed(stale)} off the default roles", lambda model: with_user(model, user.name, change)),
    )


def _dangling(subject: Subject, holder: Holder) -> Iterator[Finding]:
    gone = sorted(role for role in subject.granted(holder) if role not in subject.model.roles)
    if gone:
        yield subject.finding(
            "role-dangling",
            Severity.WARNING,
            key_of(holder),
            f"{sentence(named(holder))} was granted roles that do not exist: {listed(gone)}.",
            "They give nothing. A role of that name that is created later is another one to ClickHouse, or, in "
            "users.xml, begins to hold at once.",
            fix=Fix(
                f"Remove the grants of {listed(gone)}",
                lambda model: with_granted_roles(
                    model,
                    holder,
                    lambda found: {
                        role: admin for role, admin in found.items() if role in model.roles or role not in gone
                    },
                ),
            ),
        )


def _unheld_or_empty(subject: Subject, role: str) -> Iterator[Finding]:
    key = EntityKey(EntityKind.ROLE, role)
    held = role in subject.held_roles
    by_name = role.startswith(_HELD_BY_NAME)
    if not held and not by_name:
        yield subject.finding(
            "role-unheld",
            Severity.NOTE,
            key,
            f"Nobody holds {named(key)}.",
            "Its rights are nobody's. It is a leftover, or not handed out yet.",
            advice="Drop it when it is not needed.",
        )
    holder = Holder(EntityKind.ROLE, role)
    if subject.statements(holder) or subject.granted(holder) or subject.model.roles[role].settings:
        return
    if role in subject.names_in_sets:
        return  # a quota, profile or policy may hold for the role
    yield subject.finding(
        "role-empty",
        Severity.NOTE,
        key,
        f"{sentence(named(key))} gives nothing.",
        "It has no rights, roles or settings, and no quota, profile or policy names it.",
        # A role of the SQL console stands in the place of what Cloud gives its person otherwise, which can be more.
        advice="Give it what its person may do, or drop it." if by_name else "",
        fix=None if by_name else Fix("Drop it", lambda model: without_role(model, role)),
    )


def _cycles(subject: Subject) -> Iterator[Finding]:
    for circle in _circles(
        {role: list(subject.granted(Holder(EntityKind.ROLE, role))) for role in subject.model.roles}
    ):
        key = EntityKey(EntityKind.ROLE, circle[0])
        yield subject.finding(
            "role-cycle",
            Severity.WARNING,
            key,
            f"Roles are granted to each other in a circle: {listed(circle)}.",
            "ClickHouse allows it. Whoever holds one of them has the rights of all, which no list of grants shows.",
            advice="Revoke one of them from another.",
        )


def _circles(edges: dict[str, list[str]]) -> list[list[str]]:
    """Groups of roles that reach each other (Tarjan's strongly connected components, without recursion)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in edges:
        work = [(start, iter(edges[start]))] if start not in order else []
        while work:
            node, following = work[-1]
            if node not in order:
                order[node] = lowest[node] = len(order)
                stack.append(node)
                on_stack.add(node)
            for other in following:
                if other not in edges:
                    continue
                if other not in order:
                    work.append((other, iter(edges[other])))
                    break
                if other in on_stack:
                    lowest[node] = min(lowest[node], order[other])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == order[node]:
                    circle: list[str] = []
                    while not circle or circle[-1] != node:
                        circle.append(stack.pop())
                        on_stack.discard(circle[-1])
                    if len(circle) > 1 or node in edges[node]:
                        found.append(sorted(circle))
    return found
