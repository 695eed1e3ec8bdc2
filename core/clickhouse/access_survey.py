"""Reads everything that a ClickHouse of either home holds about access, as far as the connected user may see it.

`SHOW ACCESS` has all of it in one answer, for who may see all; where that is refused each kind is asked for apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.access.access_model import AccessModel, EntityKey
from core.access.difference import keys_of
from core.access.model import EntityKind
from core.access.policies import PolicyName
from core.access.printed_statements import model_of_printed
from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import UnknownNameError
from core.errors import RefusedError

_BUILT_IN = "default"  # what users.xml defines in an embedded engine: its user, its settings profile, its quota
_KINDS = (
    ("users", "SHOW CREATE USERS"),
    ("roles", "SHOW CREATE ROLES"),
    ("quotas", "SHOW CREATE QUOTAS"),
    ("settings profiles", "SHOW CREATE SETTINGS PROFILES"),
    ("row policies", "SHOW CREATE ROW POLICIES"),
    ("grants", "SHOW GRANTS FOR ALL"),
)
_STORAGES: Mapping[EntityKind, str] = {
    EntityKind.USER: "SELECT name, storage FROM system.users",
    EntityKind.ROLE: "SELECT name, storage FROM system.roles",
    EntityKind.QUOTA: "SELECT name, storage FROM system.quotas",
    EntityKind.SETTINGS_PROFILE: "SELECT name, storage FROM system.settings_profiles",
    EntityKind.ROW_POLICY: "SELECT short_name, database, table, storage FROM system.row_policies",
    EntityKind.MASKING_POLICY: "SELECT short_name, database, table, storage FROM system.masking_policies",
}


@dataclass(frozen=True, slots=True)
class AccessSurvey:
    """What was read. `hidden` says in a sentence each what may not be seen; `unread` has statements not understood."""

    model: AccessModel
    hidden: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


async def survey_access(engine: Engine) -> AccessSurvey:
    """Read all of it. Raises UnreachableError; what is refused is left out and named in `hidden`."""
    survey, listed = await asyncio.gather(_without_storages(engine), _listed_storages(engine))
    storages = _built_in(survey.model) if engine.home == "embedded" else listed
    return replace(survey, model=replace(survey.model, storages=storages))


async def _without_storages(engine: Engine) -> AccessSurvey:
    lines, hidden = await _statements(engine)
    model, unread = await asyncio.to_thread(_model, lines)  # 100,000 statements take half a second
    return AccessSurvey(model, hidden, unread)


async def _statements(engine: Engine) -> tuple[list[str], tuple[str, ...]]:
    try:
        return _column(await engine.query("SHOW ACCESS")), ()
    except RefusedError:
        return await _kind_by_kind(engine)


async def _kind_by_kind(engine: Engine) -> tuple[list[str], tuple[str, ...]]:
    lines: list[str] = []
    hidden: list[str] = []
    for words, question in _KINDS:
        try:
            lines += _column(await engine.query(question))
        except RefusedError as error:
            hidden.append(f"The {words} cannot be seen: {error.message}")
        except UnknownNameError:
            continue  # there are none
    # SHOW GRANTS FOR ALL is never refused: it leaves out the grants of those who may not be seen.
    if unseen := [words for words, _ in _KINDS[:2] if any(line.startswith(f"The {words} ") for line in hidden)]:
        hidden.append(f"The grants cannot be seen, as the {' and '.join(unseen)} that have them cannot.")
    return lines, tuple(hidden)


def _column(result: QueryResult) -> list[str]:
    return [str(row[0]) for row in result.rows]


def _model(lines: Sequence[str]) -> tuple[AccessModel, tuple[str, ...]]:
    model, unread = model_of_printed(lines)
    return model, tuple(unread)


async def _listed_storages(engine: Engine) -> Mapping[EntityKey, str]:
    """The user directory of each entity. An older or stricter server may not tell all of them.

    What an embedded engine keeps is in none: its own access storage has no name that a statement could use.
    """
    if engine.home == "embedded":
        return {}
    answers = await asyncio.gather(*(_rows(engine, question) for question in _STORAGES.values()))
    return {
        EntityKey(kind, _entity_name(name)): str(storage)
        for kind, rows in zip(_STORAGES, answers, strict=True)
        for *name, storage in rows
    }


async def _rows(engine: Engine, question: str) -> Sequence[Sequence[object]]:
    try:
        return (await engine.query(question)).rows
    except (RefusedError, UnknownNameError):
        return ()


def _built_in(model: AccessModel) -> Mapping[EntityKey, str]:
    return {key: "users_xml" for key in keys_of(model) if key.name == _BUILT_IN and key.kind is not EntityKind.ROLE}


def _entity_name(cells: Sequence[object]) -> str | PolicyName:
    if len(cells) == 1:
        return str(cells[0])
    short, database, table = (str(cell or "") for cell in cells)
    return PolicyName(short, database, table or None)
