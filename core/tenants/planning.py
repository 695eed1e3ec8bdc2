"""Planning what is done to tenants: create, adopt, suspend, resume, describe. Removal is in `core.tenants.removal`.

Every function reads what there is, refuses what cannot be, and returns a Change that does only what is missing: a
Change without steps when there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.changes import Change, Danger, OnFailure, RecordStep, Step
from core.clickhouse.engine import Engine
from core.errors import BadInputError, NotFoundError
from core.journal.journal import Journal
from core.tenants.model import (
    ADOPT,
    DESCRIBE,
    DESCRIBING,
    REMOVE,
    RESUME,
    SUBJECT_KIND,
    SUSPEND,
    event,
    texts_of,
)
from core.tenants.naming import check_text, name_problem, name_warnings, shown
from core.tenants.requests import TEXT_FIELDS, TenantRequest
from core.tenants.situation import (
    LISTED,
    Situation,
    must_revoke,
    read_situation,
    refuse_roles,
    require_tenants,
    some,
    tenants_word,
)
from core.tenants.steps import DatabaseEngine, create_step, grant_step, revoke_step

CHUNK = 200  # databases created before their grants: an embedded engine judges a run of grants at once


async def plan_create(
    engine: Engine,
    journal: Journal,
    requests: Sequence[TenantRequest],
    *,
    datalens_user: str,
    cluster: str | None = None,
    database_engine: DatabaseEngine | None = None,
) -> Change:
    """Create the tenants that are missing: their databases, and the right of the DataLens user to read them.

    A tenant that exists keeps its owner, contact, ticket and note. Raises BadInputError with every name that cannot be
    used, among them those of databases that exist and are no tenants; NotFoundError without the DataLens user.
    """
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=cluster)
    _check_requests(requests, now)
    now.require_user()
    missing = [request for request in requests if request.name not in now.databases]
    suspended = [r.name for r in requests if r.name in now.databases and now.last_actions.get(r.name) == SUSPEND]
    unreadable = [
        request.name
        for request in requests
        if request.name in now.databases and request.name not in suspended and not now.reading.covers(request.name)
    ]
    steps: list[Step] = []
    for chunk in _chunks(missing, CHUNK):
        first = len(steps)
        steps += [create_step(request, now, database_engine) for request in chunk]
        steps += [grant_step(request.name, now, needs=first + place) for place, request in enumerate(chunk)]
    steps += [grant_step(name, now, events=(event(name, RESUME),)) for name in unreadable]
    kept = len(requests) - len(missing) - len(unreadable) - len(suspended)
    return Change(
        f"Create {tenants_word([r.name for r in missing] + unreadable)}" if steps else "Every tenant exists already",
        tuple(steps),
        on_failure=OnFailure.CONTINUE if len(missing) + len(unreadable) > 1 else OnFailure.STOP,
        consequences=(
            *_limited([warning for request in missing for warning in name_warnings(request.name)], "more warnings"),
            *([f"Already there, and left alone: {kept:,}."] if kept else []),
            *([f"Suspended, and left so: {some(suspended)}."] if suspended else []),
        ),
    )


async def plan_adopt(
    engine: Engine,
    journal: Journal,
    requests: Sequence[TenantRequest],
    *,
    datalens_user: str,
    cluster: str | None = None,
) -> Change:
    """Make tenants of databases that exist: the DataLens user may read them from then on.

    Raises BadInputError for a name no tenant may have, NotFoundError for databases or a user that do not exist.
    """
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=cluster)
    _check_requests(requests, now, adopting=True)
    absent = [request.name for request in requests if request.name not in now.databases]
    if absent:
        raise NotFoundError(f"There is no database {some(absent)}.", advice="To create it: housekeys tenant add.")
    now.require_user()
    steps: list[Step] = []
    fresh = [request for request in requests if not now.recorded(request.name)]
    for request in fresh:
        adopted = (event(request.name, ADOPT, **request.texts()),)
        kept = RecordStep(f"Forget tenant {request.name}", (event(request.name, REMOVE, database="kept"),))
        if now.reading.covers(request.name):
            steps.append(RecordStep(f"Record tenant {request.name}", adopted, undo=kept))
        else:
            steps.append(grant_step(request.name, now, events=adopted, undo_events=kept.events))
    opened = [request.name for request in fresh if not now.reading.covers(request.name)]
    consequences = [f"Everything in {some(opened)} becomes readable by {shown(now.user)}."] if opened else []
    return Change(
        f"Adopt {tenants_word([request.name for request in fresh])}" if steps else "Every one is a tenant already",
        tuple(steps),
        on_failure=OnFailure.CONTINUE if len(steps) > 1 else OnFailure.STOP,
        consequences=(*consequences, *_limited([w for r in fresh for w in name_warnings(r.name)], "more warnings")),
    )


async def plan_suspend(
    engine: Engine, journal: Journal, names: Sequence[str], *, datalens_user: str, cluster: str | None = None
) -> Change:
    """Take the right to read the tenants from the DataLens user; their data stays.

    Raises NotFoundError for names that are no tenants, RefusedError when a role would keep one readable.
    """
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=cluster)
    names = require_tenants(names, now)
    refuse_roles(names, now)
    steps: list[Step] = []
    for name in names:
        if must_revoke(name, now):
            steps.append(revoke_step(name, now, events=(event(name, SUSPEND),), undo_events=(event(name, RESUME),)))
        elif now.last_actions.get(name) != SUSPEND:
            no_undo = "The DataLens user could not read the database before."
            steps.append(RecordStep(f"Record {name} as suspended", (event(name, SUSPEND),), no_undo=no_undo))
    return Change(
        f"Suspend {tenants_word(names)}" if steps else "Suspended already",
        tuple(steps),
        danger=Danger.DISRUPTIVE,
        on_failure=OnFailure.CONTINUE if len(steps) > 1 else OnFailure.STOP,
        consequences=(
            f"DataLens can no longer read {some(names)}: its connections and charts fail until it is resumed.",
        )
        if steps
        else (),
    )


async def plan_resume(
    engine: Engine, journal: Journal, names: Sequence[str], *, datalens_user: str, cluster: str | None = None
) -> Change:
    """Give the right to read the tenants back.

    Raises NotFoundError for names that are no tenants, or whose database is gone.
    """
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=cluster)
    names = require_tenants(names, now)
    absent = [name for name in names if name not in now.databases]
    if absent:
        raise NotFoundError(f"The database of {some(absent)} does not exist.", advice="Create it again, or remove it.")
    now.require_user()
    steps: list[Step] = []
    for name in names:
        if not now.reading.covers(name):
            resumed, suspended = (event(name, RESUME),), (event(name, SUSPEND),)
            steps.append(grant_step(name, now, events=resumed, undo_events=suspended))
        elif now.last_actions.get(name) == SUSPEND:
            undo = RecordStep(f"Record {name} as suspended", (event(name, SUSPEND),))
            steps.append(RecordStep(f"Record {name} as readable", (event(name, RESUME),), undo=undo))
    return Change(
        f"Resume {tenants_word(names)}" if steps else "Readable already",
        tuple(steps),
        on_failure=OnFailure.CONTINUE if len(steps) > 1 else OnFailure.STOP,
    )


async def plan_describe(
    engine: Engine,
    journal: Journal,
    name: str,
    *,
    datalens_user: str,
    owner: str | None = None,
    contact: str | None = None,
    ticket: str | None = None,
    note: str | None = None,
) -> Change:
    """Note who a tenant belongs to; None leaves a text as it is, the empty text clears it.

    Raises NotFoundError when there is no such tenant, BadInputError for a text that cannot be kept.
    """
    given = dict(zip(TEXT_FIELDS, (owner, contact, ticket, note), strict=True))
    wanted = {field: text for field, text in given.items() if text is not None}
    for field, text in wanted.items():
        check_text(field, text)
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=None)
    require_tenants([name], now)
    row = (await journal.latest(SUBJECT_KIND, DESCRIBING)).get(name)
    before = texts_of(row.details if row is not None else {})
    if (after := before | wanted) == before:
        return Change("Nothing to note", ())
    undo = RecordStep(f"Note about {name} what was noted before", (event(name, DESCRIBE, **before),))
    changed = ", ".join(field for field in TEXT_FIELDS if after[field] != before[field])
    step = RecordStep(f"Note {changed} of {name}", (event(name, DESCRIBE, **after),), undo=undo)
    return Change(f"Describe tenant {name}", (step,))


def _check_requests(requests: Sequence[TenantRequest], now: Situation, *, adopting: bool = False) -> None:
    """Raise BadInputError with everything that is wrong with the names, all at once."""
    problems = []
    seen: set[str] = set()
    for request in requests:
        problem = name_problem(request.name, journal_database=now.journal_database)
        if not problem and request.name in seen:
            problem = "it is given twice"
        if not problem and not adopting and request.name in now.databases and not now.is_tenant(request.name):
            problem = "there is such a database, and it is no tenant; adopt it to make it one"
        if problem:
            problems.append(f"{shown(request.name)}: {problem}")
        for field, text in request.texts().items():
            check_text(field, text)
        seen.add(request.name)
    if len(problems) == 1:
        raise BadInputError(f"{problems[0]}.", advice="Nothing was changed.")
    if problems:
        raise BadInputError(
            f"{len(problems):,} names cannot be used; nothing was changed.",
            advice="\n".join(_limited(problems, "more")),
            detail="\n".join(problems),
        )


def _chunks(requests: Sequence[TenantRequest], size: int) -> Iterator[Sequence[TenantRequest]]:
    for start in range(0, len(requests), size):
        yield requests[start : start + size]


def _limited(lines: Sequence[str], more: str) -> list[str]:
    if len(lines) <= LISTED:
        return list(lines)
    return [*lines[:LISTED], f"and {len(lines) - LISTED:,} {more}."]
