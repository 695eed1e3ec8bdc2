"""The conditions of row policies as ClickHouse writes them: `a=1 or b` is `(a = 1) OR b` in everything that it shows.

What is desired is written so before it is compared with what is there: else it would differ for ever. A condition that
ClickHouse cannot read stays as it is, and is refused when it is run; so does each where the server has no formatting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from core.access.access_model import AccessModel
from core.access.policies import RowPolicy
from core.clickhouse.engine import Engine
from core.errors import HousekeysError

_TOGETHER = 100  # conditions that are asked about in one query
_BEFORE = "SELECT "
_QUESTION = (
    "SELECT condition, formatQuerySingleLineOrNull(concat('SELECT ', condition)) "
    "FROM (SELECT arrayJoin({conditions:Array(String)}) AS condition)"
)


async def written_conditions(engine: Engine, conditions: Iterable[str]) -> Mapping[str, str]:
    """Each of these conditions that ClickHouse can read, as it writes it."""
    asked = list(dict.fromkeys(conditions))
    found: dict[str, str] = {}
    for start in range(0, len(asked), _TOGETHER):
        try:
            rows = (await engine.query(_QUESTION, {"conditions": asked[start : start + _TOGETHER]})).rows
        except HousekeysError:  # an older server has no such function
            return {}
        found |= {str(given): str(written).removeprefix(_BEFORE) for given, written in rows if written is not None}
    return found


async def with_written_conditions(engine: Engine, desired: AccessModel) -> AccessModel:
    """`desired` with the conditions of its row policies as ClickHouse writes them."""
    policies = desired.row_policies
    written = await written_conditions(engine, filter(None, (policy.condition for policy in policies.values())))
    if not written:
        return desired
    return replace(desired, row_policies={name: _written(policy, written) for name, policy in policies.items()})


async def with_written_condition(engine: Engine, entity: Any) -> Any:
    """The same of one entity; one that is no row policy is what it was."""
    if not isinstance(entity, RowPolicy) or entity.condition is None:
        return entity
    return _written(entity, await written_conditions(engine, [entity.condition]))


def _written(policy: RowPolicy, written: Mapping[str, str]) -> RowPolicy:
    condition = policy.condition
    return policy if condition is None else replace(policy, condition=written.get(condition, condition))
