"""What is desired, as ClickHouse writes it in everything that it shows: `a=1 or b` is `(a = 1) OR b`.

It is written so before it is compared with what is there: else it would differ for ever. These are the conditions of
row policies, and the ends of validity. What ClickHouse cannot read stays as it is, and is refused when it is run; so
does everything where the server has no function that tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.access.access_model import AccessModel
from core.access.model import Authentication, User
from core.access.policies import RowPolicy
from core.access.user_changes import NEVER
from core.clickhouse.engine import Engine
from core.clickhouse.errors import BadStatementError
from core.errors import BadInputError, HousekeysError

_TOGETHER = 100  # texts that are asked about in one query
_BEFORE = "SELECT "
_CONDITION = "formatQuerySingleLineOrNull(concat('SELECT ', text))"
# A server shows ends in its own zone, an embedded engine keeps them in UTC.
_END = "formatDateTime(parseDateTime64BestEffortOrNull(text, 0), '%F %T')"
_END_IN_UTC = "formatDateTime(parseDateTime64BestEffortOrNull(text, 0, 'UTC'), '%F %T', 'UTC')"
_WRITTEN_END = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


async def as_written(engine: Engine, desired: AccessModel) -> AccessModel:
    """`desired` as ClickHouse writes it."""
    policies, users = desired.row_policies, desired.users
    conditions = await written_conditions(engine, [each.condition for each in policies.values() if each.condition])
    ends = await _written_ends(engine, users.values())
    if conditions:
        policies = {name: _with_condition(policy, conditions) for name, policy in policies.items()}
    if ends:
        users = {name: _with_ends(user, ends) for name, user in users.items()}
    return replace(desired, row_policies=policies, users=users) if conditions or ends else desired


async def entity_as_written(engine: Engine, entity: Any) -> Any:
    """The same of one entity, of any kind. Raises BadInputError for a condition that ClickHouse cannot read."""
    if isinstance(entity, RowPolicy) and entity.condition:
        await need_condition(engine, entity.condition)
        return _with_condition(entity, await written_conditions(engine, [entity.condition]))
    if isinstance(entity, User):
        return _with_ends(entity, await _written_ends(engine, [entity]))
    return entity


async def written_conditions(engine: Engine, conditions: Iterable[str]) -> Mapping[str, str]:
    """Each of these conditions that ClickHouse can read, as it writes it."""
    found = await _told(engine, _CONDITION, conditions)
    return {given: written.removeprefix(_BEFORE) for given, written in found.items()}


async def need_condition(engine: Engine, condition: str | None) -> None:
    """Raise BadInputError when ClickHouse cannot read a condition: it would be refused only when it is run."""
    if condition is None:
        return
    try:
        await engine.query("SELECT formatQuerySingleLine({sql:String})", {"sql": f"SELECT 1 WHERE ({condition}\n)"})
    except BadStatementError as error:
        advice = "A condition is an expression over the columns of the table: region = 1 AND amount > 5"
        raise BadInputError("ClickHouse cannot read the filter.", advice=advice, detail=error.detail) from None
    except HousekeysError:
        return  # an older server has no such function; it says so when the statement is run


async def _written_ends(engine: Engine, users: Iterable[User]) -> Mapping[str, str]:
    texts = (method.valid_until for user in users for method in user.methods)
    asked = (text for text in texts if text and text.lower() != NEVER and not _WRITTEN_END.fullmatch(text))
    return await _told(engine, _END_IN_UTC if engine.home == "embedded" else _END, asked)


async def _told(engine: Engine, expression: str, texts: Iterable[str]) -> Mapping[str, str]:
    """What an expression over `text` makes of each of some texts; those that it makes nothing of are left out."""
    asked = list(dict.fromkeys(texts))
    found: dict[str, str] = {}
    for start in range(0, len(asked), _TOGETHER):
        query = f"SELECT text, {expression} FROM (SELECT arrayJoin({{texts:Array(String)}}) AS text)"  # noqa: S608
        try:
            rows = (await engine.query(query, {"texts": asked[start : start + _TOGETHER]})).rows
        except HousekeysError:  # an older server has no such function
            return {}
        found |= {str(given): str(written) for given, written in rows if written is not None}
    return found


def _with_condition(policy: RowPolicy, written: Mapping[str, str]) -> RowPolicy:
    condition = policy.condition
    return policy if condition is None else replace(policy, condition=written.get(condition, condition))


def _with_ends(user: User, written: Mapping[str, str]) -> User:
    def ended(method: Authentication) -> Authentication:
        end = written.get(method.valid_until, method.valid_until)
        return method if end == method.valid_until else replace(method, valid_until=end)

    return replace(user, methods=tuple(map(ended, user.methods)))
