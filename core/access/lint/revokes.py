"""Lint of revokes that change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.access.access_model import AccessModel, Holder
from core.access.lint.changes import with_rights
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.scope import RightsByPlace, meets
from core.access.lint.subject import Subject, key_of, listed, named
from core.access.model import EntityKind, Grant, Revoke, Right
from core.access.render_grants import render_rights


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the revokes of each holder."""
    for holder, statements in subject.model.rights.items():
        for option, right in _without_effect(subject, statements):
            yield _finding(subject, holder, option, right)


def _without_effect(subject: Subject, statements: tuple[Grant | Revoke, ...]) -> list[tuple[bool, Right]]:
    """The rights revoked (or whose grant option is) that no grant before it has anything of."""
    groups = subject.context.privilege_groups
    granted: RightsByPlace[bool] = RightsByPlace()
    found: dict[tuple[bool, Right], None] = {}
    for statement in statements:
        for right in statement.rights:
            if isinstance(statement, Grant):
                granted.add(statement.grant_option, right)
            elif not of_use(granted, right, statement.grant_option, groups):
                found[(statement.grant_option, right)] = None
    return list(found)


def of_use(granted: RightsByPlace[bool], right: Right, option_only: bool, groups: Mapping[str, str]) -> bool:
    """Whether revoking a right, or only its grant option, takes something from rights marked with their option."""
    return any(meets(right, other, groups) for option, other in granted.meeting(right) if option or not option_only)


def _finding(subject: Subject, holder: Holder, option: bool, right: Right) -> Finding:
    text = render_rights((right,))
    statement = f"REVOKE {'GRANT OPTION FOR ' * option}{text}"
    givers = [] if option else _giving_roles(subject, holder, right)
    explanation = (
        "A revoke takes away from what the holder itself was granted before; ClickHouse has no denial. This one meets "
        "no such grant, so ClickHouse keeps nothing of it."
    )
    if givers:
        explanation += f" The right still comes by {listed(givers)}: what a role gives, a revoke from its user leaves."
    return subject.finding(
        "revoke-without-effect",
        Severity.WARNING if givers else Severity.NOTE,
        key_of(holder),
        f"{statement} from {named(holder)} changes nothing.",
        explanation,
        advice="Revoke it from the role, or take the role away, if the right is not meant to be there." * bool(givers),
        fix=Fix("Remove the revoke", lambda model: _without_revoke(model, holder, option, right, subject)),
    )


def _giving_roles(subject: Subject, holder: Holder, right: Right) -> list[str]:
    groups = subject.context.privilege_groups
    below = subject.with_roles_below(subject.granted(holder)) - {holder.name if holder.kind is EntityKind.ROLE else ""}
    return [
        role
        for role in sorted(below)
        if any(
            isinstance(statement, Grant) and any(meets(right, other, groups) for other in statement.rights)
            for statement in subject.statements(Holder(EntityKind.ROLE, role))
        )
    ]


def _without_revoke(model: AccessModel, holder: Holder, option: bool, right: Right, subject: Subject) -> AccessModel:
    """`model` without the revokes of this right that have no effect. One that stands behind a grant stays."""
    granted: RightsByPlace[bool] = RightsByPlace()

    def change(statement: Grant | Revoke, other: Right) -> tuple[Right, ...]:
        if isinstance(statement, Grant):
            granted.add(statement.grant_option, other)
            return (other,)
        if (statement.grant_option, other) != (option, right):
            return (other,)
        return (other,) if of_use(granted, other, option, subject.context.privilege_groups) else ()

    return with_rights(model, holder, change)
