"""Reading everything that a review of access needs: logs, tenants and the journal of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey
from core.access.effective.privilege_tree import PrivilegeTree
from core.access.lint import rights
from core.access.lint.subject import Subject
from core.access.model import EntityKind
from core.access_changes.changes import subject_kind
from core.access_reports.activity import Activity, read_activity
from core.access_reports.lint_report import lint_context
from core.access_reports.review import Changed, ReviewItem, review
from core.errors import ExitCode, HousekeysError, RefusedError
from core.journal.rows import DONE, Row
from core.tenants.listing import list_tenants

if TYPE_CHECKING:
    from core.session import Session

MOST_CHANGES = 20_000  # rows of the journal that are read
DEFAULT_DAYS = 30
_KINDS = {subject_kind(EntityKey(kind, "")): kind for kind in EntityKind}


@dataclass(frozen=True, slots=True)
class ReviewBoard:
    """A review, and what has to be known before it is believed."""

    items: tuple[ReviewItem, ...]
    notes: tuple[str, ...]
    since: datetime


async def read_board(
    session: Session, model: AccessModel, now: datetime, since: datetime, privileges: PrivilegeTree | None
) -> ReviewBoard:
    """Review `model`, with changes since a moment. Raises UnreachableError."""
    activity = await read_activity(session.engine, session.capabilities, session.profile.cluster)
    tenants = await tenant_names(session)
    created, changes, notes = await _from_journal(session, since)
    context = lint_context(
        now,
        privileges,
        version=session.capabilities.version_tuple,
        datalens_user=session.profile.datalens.user,
        tenants=tenants,
    )

    def judge() -> tuple[ReviewItem, ...]:
        findings = tuple(rights.check(Subject(model, context)))
        return review(model, now, findings=findings, activity=activity, created=created, changes=changes)

    items = await asyncio.to_thread(judge)
    return ReviewBoard(items, (*_notes(activity), *notes), since)


def _notes(activity: Activity) -> tuple[str, ...]:
    return tuple(filter(None, (activity.problem, activity.note)))


async def tenant_names(session: Session) -> frozenset[str]:
    """The databases that were given to clients; none where that cannot be read."""
    try:
        tenants = await list_tenants(
            session.engine,
            session.journal,
            datalens_user=session.profile.datalens.user,
            capabilities=session.capabilities,
        )
    except RefusedError:
        return frozenset()
    return frozenset(tenant.name for tenant in tenants)


async def _from_journal(
    session: Session, since: datetime
) -> tuple[Mapping[str, datetime], tuple[Changed, ...], tuple[str, ...]]:
    """When users were made, what changed, and what has to be known about that."""
    journal = session.journal
    try:
        if not await journal.exists():
            return {}, (), ("There is no journal yet, so it cannot be told what changed.",)
        created = await journal.latest("user", ["create"])
        rows = await journal.history(since=since, limit=MOST_CHANGES)
    except HousekeysError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        return {}, (), (f"What changed cannot be told: {error.message}",)
    notes = (f"Only the newest {MOST_CHANGES:,} rows of the journal were read.",) if len(rows) == MOST_CHANGES else ()
    changes = tuple(_changed(row) for row in rows if row.outcome == DONE and row.subject_kind in _KINDS)
    return {name: row.at for name, row in created.items()}, changes, notes


def _changed(row: Row) -> Changed:
    told = row.details.get("rights") or row.details.get("roles") or row.details.get("changed") or ""
    words = f"{row.action} {', '.join(map(str, told)) if isinstance(told, list | tuple) else told}".strip()
    key = EntityKey(_KINDS[row.subject_kind], row.subject)
    return Changed(key, row.at, f"{row.operator}@{row.host}", words)
