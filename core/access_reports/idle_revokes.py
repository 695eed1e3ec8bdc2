"""Revokes of a script that change nothing: ClickHouse keeps nothing of them, so they are in no model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from core.access.access_model import AccessModel
from core.access.effective.privilege_tree import clickhouse_26_9
from core.access.lint.revokes import of_use
from core.access.lint.scope import RightsByPlace
from core.access.model import Grant, Revoke, Right
from core.access.render_grants import identifier, render_rights
from core.access.script import ScriptStatement
from core.access.xml.problems import Problem, Severity
from core.display import one_line

_ADVICE = "ClickHouse has no denial: what a role gives is revoked from the role, or the role is taken away."


def idle_revokes(statements: Iterable[ScriptStatement], model: AccessModel, file: str) -> Iterator[Problem]:
    """A warning for each. Those that `model`, which the script builds, has kept are for lint."""
    groups = _groups()
    kept = _kept(model)
    granted: dict[str, RightsByPlace[bool]] = {}
    for each in statements:
        statement = each.statement
        if not isinstance(statement, Grant | Revoke):
            continue
        for name in statement.grantees:
            place = granted.setdefault(name, RightsByPlace())
            if isinstance(statement, Grant):
                for right in statement.rights:
                    place.add(statement.grant_option, right)
                continue
            idle = tuple(
                right
                for right in statement.rights
                if (name, right) not in kept and not of_use(place, right, statement.grant_option, groups)
            )
            if idle:
                yield _problem(file, each.line, name, idle, option=statement.grant_option)


def _problem(file: str, line: int, name: str, rights: tuple[Right, ...], *, option: bool) -> Problem:
    statement = f"REVOKE {'GRANT OPTION FOR ' * option}{render_rights(rights)} FROM {identifier(name)}"
    message = f"{one_line(statement, 200)} changes nothing: nothing of it was granted to it before."
    return Problem(file, line, Severity.WARNING, message, _ADVICE)


def _kept(model: AccessModel) -> set[tuple[str, Right]]:
    return {
        (holder.name, right)
        for holder, statements in model.rights.items()
        for statement in statements
        if isinstance(statement, Revoke)
        for right in statement.rights
    }


def _groups() -> Mapping[str, str]:
    return {each.name: each.group for each in clickhouse_26_9().privileges.values()}
