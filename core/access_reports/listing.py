"""Entities as rows of a list, and one entity with all that it holds, as SQL without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import keys_of
from core.access.difference_fields import entities, entity, fields, methods_text
from core.access.disassembling import statements_of
from core.access.effective.roles import roles_of
from core.access.model import EntityKind, Statement, User
from core.access.model_changes import FIELDS, name_text
from core.access.planning.plan import title
from core.access.policies import PolicyName
from core.access.render import render
from core.access.secret_texts import without_secrets
from core.display import one_line
from core.errors import NotFoundError

COLUMNS = {
    EntityKind.USER: ("name", "identified", "host", "roles", "grants", "settings", "storage"),
    EntityKind.ROLE: ("name", "granted_to", "roles", "grants", "settings", "storage"),
    EntityKind.QUOTA: ("name", "keyed_by", "intervals", "to", "storage"),
    EntityKind.SETTINGS_PROFILE: ("name", "settings", "to", "storage"),
    EntityKind.ROW_POLICY: ("name", "as", "using", "to", "storage"),
}


Marks = Mapping[EntityKey, Sequence[str]]  # what is not enforced
_NO_MARKS: Marks = MappingProxyType({})


def entity_rows(model: AccessModel, kind: EntityKind, marks: Marks = _NO_MARKS) -> list[dict[str, Any]]:
    """All entities of one kind, by name, as rows of texts, numbers, and a list of what is not enforced."""
    members = _members(model) if kind is EntityKind.ROLE else {}
    return [_row(model, key, members, marks) for key in keys_of(model) if key.kind is kind]


def _row(model: AccessModel, key: EntityKey, members: Mapping[str, list[str]], marks: Marks) -> dict[str, Any]:
    found = entities(model, key.kind)[key.name]
    row: dict[str, Any] = {"name": name_text(key.name), "storage": model.storages.get(key, "")}
    if isinstance(key.name, PolicyName):
        row |= {"short_name": key.name.short, "database": key.name.database, "table": key.name.table}
    row |= {word.lower().replace(" ", "_"): field.text for word, field in fields(found).items()}
    if isinstance(found, User):
        row["identified"] = methods_text(found.methods).removeprefix("IDENTIFIED WITH ")
    if key.kind in (EntityKind.USER, EntityKind.ROLE):
        holder = Holder(key.kind, str(key.name))
        row["roles"] = ", ".join(sorted(model.granted_roles.get(holder, {})))
        row["grants"] = sum(len(statement.rights) for statement in model.rights.get(holder, ()))
    if key.kind is EntityKind.ROLE:
        row["granted_to"] = ", ".join(members.get(str(key.name), ()))
    row["not_enforced_here"] = list(marks.get(key, ()))
    return row


def _members(model: AccessModel) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for holder in sorted(model.granted_roles):
        for role in model.granted_roles[holder]:
            found.setdefault(role, []).append(holder.name)
    return found


def described(model: AccessModel, key: EntityKey, marks: Marks = _NO_MARKS) -> dict[str, Any]:
    """One entity: its row, and the statements that make it. Raises NotFoundError."""
    if entity(model, key) is None:
        advice = f"See `housekeys {key.kind.lower().replace(' ', '-')} list`."
        raise NotFoundError(f"There is no {one_line(title(key))}.", advice=advice)
    members = _members(model) if key.kind is EntityKind.ROLE else {}
    row = _row(model, key, members, marks)
    if key.kind is EntityKind.USER:
        roles = roles_of(model, Holder(key.kind, str(key.name)))
        row["active_roles"] = ", ".join(role.name for role in roles if role.active)
    return {**row, "statements": shown_statements(statements_of(alone(model, key)))}


def alone(model: AccessModel, key: EntityKey) -> AccessModel:
    """A model with one entity of `model` and what it holds."""
    changes: dict[str, Any] = {FIELDS[key.kind]: {key.name: entity(model, key)}}
    if key.kind in (EntityKind.USER, EntityKind.ROLE):
        holder = Holder(key.kind, str(key.name))
        changes["rights"] = {holder: model.rights.get(holder, ())}
        changes["granted_roles"] = {holder: model.granted_roles.get(holder, {})}
    return replace(AccessModel(), **changes)


def shown_statements(statements: list[Statement]) -> list[str]:
    """Statements as SQL without their secrets."""
    return [render(without_secrets(statement)) for statement in statements]
