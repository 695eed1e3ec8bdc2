"""Differences between two access models as lines for people and as values for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.access.difference import Differences
from core.access.planning.plan import title
from core.access.render import render
from core.display import one_line


def difference_lines(differences: Differences) -> list[str]:
    """A line for each difference: `+` is only in the second, `-` only in the first, `~` in both and not the same."""
    return [one_line(line) for line in _lines(differences)]


def _lines(differences: Differences) -> Iterator[str]:
    yield from (f"+ {title(key)}" for key in differences.added)
    yield from (f"- {title(key)}" for key in differences.removed)
    yield from (f"~ {title(each.key)}: renamed to {each.name}" for each in differences.renamed)
    for altered in differences.altered:
        for field in altered.fields:
            before, after = field.before or "(nothing)", field.after or "(nothing)"
            yield f"~ {title(altered.key)}: {field.field}: {before} -> {after}"
    for rights in differences.rights:
        who = f"{rights.holder.kind.lower()} {rights.holder.name}"
        yield from (f"~ {who}: {render(statement)}" for statement in rights.statements)
    for role in differences.roles:
        who = f"{role.holder.kind.lower()} {role.holder.name}"
        yield f"~ {who}: role {role.role}: {granted_text(role.before)} -> {granted_text(role.after)}"


def granted_text(admin: bool | None) -> str:
    """How a role is granted, in words."""
    return "not granted" if admin is None else "granted with admin option" if admin else "granted"


def difference_values(differences: Differences) -> dict[str, Any]:
    """All differences as plain values."""
    return {
        "same": differences.nothing,
        "added": [title(key) for key in differences.added],
        "removed": [title(key) for key in differences.removed],
        "altered": [
            {"entity": title(each.key), "field": field.field, "before": field.before, "after": field.after}
            for each in differences.altered
            for field in each.fields
        ],
        "rights": [
            {
                "holder": f"{each.holder.kind.lower()} {each.holder.name}",
                "statements": [render(statement) for statement in each.statements],
            }
            for each in differences.rights
        ],
        "roles": [
            {
                "holder": f"{each.holder.kind.lower()} {each.holder.name}",
                "role": each.role,
                "before": granted_text(each.before),
                "after": granted_text(each.after),
            }
            for each in differences.roles
        ],
        "not_compared": [title(key) for key in differences.not_compared],
    }
