"""Statements made self-contained before they are kept: no password, no "now", no current database in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.access.model import (
    CURRENT_DATABASE,
    AlterUser,
    Authentication,
    CreateUser,
    Grant,
    Interval,
    Revoke,
    Right,
    Statement,
)
from core.access.passwords import without_passwords
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
)
from core.access.user_changes import NEVER
from core.errors import BadInputError

_DAYS = {"DAY": 1, "WEEK": 7}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_Policies = CreateRowPolicy | AlterRowPolicy | CreateMaskingPolicy | AlterMaskingPolicy | DropPolicy


def needs_database(statement: Statement) -> bool:
    """Whether a right or a policy in it is on the current database."""
    if isinstance(statement, _Policies):
        return any(name.database == CURRENT_DATABASE for name in statement.names)
    return isinstance(statement, Grant | Revoke) and any(
        right.database == CURRENT_DATABASE for right in statement.rights
    )


def prepared(statement: Statement, database: str, now: datetime, moment: Callable[[str], str]) -> Statement:
    """`statement` so that it means the same whenever and wherever it is read again.

    `moment` turns the text of a VALID UNTIL into `YYYY-MM-DD hh:mm:ss` in UTC; ClickHouse knows how.
    """
    statement = without_passwords(statement)
    if needs_database(statement) and isinstance(statement, Grant | Revoke):
        rights = tuple(_in_database(right, database) for right in statement.rights)
        return replace(statement, rights=rights)
    if isinstance(statement, _Policies):
        names = tuple(name if name.database else replace(name, database=database) for name in statement.names)
        return replace(statement, names=names)
    if isinstance(statement, CreateUser | AlterUser):
        until = _until(statement.valid_until, statement.valid_for, now, moment)
        methods = statement.methods and tuple(_timed(method, now, moment) for method in statement.methods)
        return replace(statement, methods=methods, valid_until=until, valid_for=None)
    return statement


def _in_database(right: Right, database: str) -> Right:
    return right._replace(database=database) if right.database == CURRENT_DATABASE else right


def _timed(method: Authentication, now: datetime, moment: Callable[[str], str]) -> Authentication:
    until = _until(method.valid_until, method.valid_for, now, moment)
    return replace(method, valid_until="" if until == NEVER else until, valid_for=None)


def _until(text: str, span: Interval | None, now: datetime, moment: Callable[[str], str]) -> str:
    if span is not None:
        return _after(now.astimezone(UTC), span).strftime("%Y-%m-%d %H:%M:%S")
    if not text or text.lower() == NEVER:
        return text.lower()
    return moment(text)


def _after(now: datetime, span: Interval) -> datetime:
    try:
        if span.unit in _MONTHS:
            months = now.year * 12 + now.month - 1 + span.amount * _MONTHS[span.unit]
            year, month = divmod(months, 12)
            following = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
            last_day = (following - timedelta(days=1)).day
            return now.replace(year=year, month=month + 1, day=min(now.day, last_day))
        if span.unit in _DAYS:
            return now + timedelta(days=span.amount * _DAYS[span.unit])
        return now + timedelta(seconds=span.amount * _SECONDS[span.unit])
    except (ValueError, OverflowError) as error:
        raise BadInputError(f"{span.amount} {span.unit} is too long a validity.") from error
