"""When each user was last here, as far as a log of ClickHouse tells: logins, or else queries.

`system.session_log` exists only where it is configured, and both logs are those of one replica, and forget. What they
cannot tell is said in words, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.clickhouse.capabilities import Capabilities
from core.clickhouse.engine import Engine
from core.errors import ExitCode, HousekeysError

DORMANT_DAYS = 90
LOGIN_DAYS = 400  # how far back logins are looked for; they are few
_SECONDS = 10  # the query log of a busy server is large: rather no answer than a slow list

_LOGINS = """
SELECT assumeNotNull(user) AS name, toUnixTimestamp(max(event_time))
FROM system.session_log
WHERE event_date >= today() - {days:UInt16} AND type = 'LoginSuccess' AND user IS NOT NULL
GROUP BY name"""
_LOGINS_BEGIN = "SELECT toUnixTimestamp(toDateTime(min(event_date), 'UTC')), count() FROM system.session_log"
_QUERIES = """
SELECT initial_user, toUnixTimestamp(max(event_time))
FROM system.query_log
WHERE event_date >= today() - {days:UInt16} AND is_initial_query
GROUP BY initial_user"""
_QUERIES_BEGIN = "SELECT toUnixTimestamp(toDateTime(min(event_date), 'UTC')), count() FROM system.query_log"


@dataclass(frozen=True, slots=True)
class Activity:
    """Last moments by user. `what` was logged: a login or a query.

    `begins` is the first day of the log, `problem` says why nothing is known (and then nothing is), `note` what has to
    be known about what is.
    """

    what: str = ""
    last: Mapping[str, datetime] = field(default_factory=dict)
    begins: datetime | None = None
    problem: str = ""
    note: str = ""


async def read_activity(engine: Engine, capabilities: Capabilities, cluster: str | None = None) -> Activity:
    """Logins where they can be read, else queries, else why neither can. Raises UnreachableError."""
    if engine.home == "embedded":
        return Activity(problem="Nobody logs in to an embedded engine, so it cannot be told who is dormant.")
    reasons: list[str] = []
    for ability, read in (("read session_log", last_logins), ("read query_log", last_queries)):
        reason = capabilities.missing(ability)
        if not reason:
            try:
                found = await read(engine)
            except HousekeysError as error:
                if error.exit_code is ExitCode.UNREACHABLE:
                    raise
                reason = error.message
            else:
                if found.begins is not None:
                    return Activity(found.what, found.last, found.begins, note=_note(found.what, cluster, reasons))
                reason = f"system.{ability.removeprefix('read ')} is empty."
        reasons.append(reason)
    return Activity(problem=f"It cannot be told who is dormant. {' '.join(reasons)}")


def _note(what: str, cluster: str | None, reasons: list[str]) -> str:
    words = [f"Who is dormant is told by queries, for logins cannot be read: {' '.join(reasons)}"] if reasons else []
    if cluster:
        words.append(f"Every replica logs for itself: what is told is each {what} on the one that is connected.")
    return " ".join(words)


async def last_logins(engine: Engine) -> Activity:
    """The last login of each user. Raises what the engine raises."""
    return await _read(engine, "login", _LOGINS, LOGIN_DAYS, _LOGINS_BEGIN)


async def last_queries(engine: Engine) -> Activity:
    """The last query of each user within the days after which one is dormant. Raises what the engine raises."""
    return await _read(engine, "query", _QUERIES, DORMANT_DAYS, _QUERIES_BEGIN)


async def _read(engine: Engine, what: str, question: str, days: int, beginning: str) -> Activity:
    ((begins, entries),) = (await engine.query(beginning)).rows
    if not entries:
        return Activity(what)
    rows = (await engine.query(question, {"days": days}, settings={"max_execution_time": _SECONDS})).rows
    last = {str(name): datetime.fromtimestamp(seconds, UTC) for name, seconds in rows}
    return Activity(what, last, datetime.fromtimestamp(begins, UTC))
