"""What the access screens read: once for a session, and shared among them until something changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.privilege_tree import PrivilegeTree
from core.access.effective.rights import EffectiveRights, RightsIndex
from core.access.lint.findings import Finding, LintContext
from core.access.lint.linting import lint
from core.access.model import Grant
from core.access.planning.plan import Plan, same, title
from core.access_changes.changes import change_for
from core.access_changes.present import PresentAccess, read_present_access, read_privileges
from core.access_reports.console_members import Members, members_if_read
from core.changes import Change
from core.clickhouse.embedded import EmbeddedEngine
from core.display import one_line
from core.session import Session

if TYPE_CHECKING:
    from core.running.report import Report
    from tui.screens.base import ConsoleScreen

_LISTED = 3  # entities that are named in a passing message


@dataclass(frozen=True)
class Access:
    """Everything about access at one moment. `not_enforced` is what an embedded engine keeps and does not enforce.

    `privileges` are those of the server; None when it does not tell. `members` are those of the organization in
    ClickHouse Cloud, by the file that the profile names.
    """

    session: object
    changes_run: int  # by the console, before this was read
    present: PresentAccess
    findings: Mapping[EntityKey, tuple[Finding, ...]]
    not_enforced: Mapping[EntityKey, tuple[str, ...]] = field(default_factory=dict)
    privileges: PrivilegeTree | None = None
    members: Members = field(default_factory=Members)

    @property
    def model(self) -> AccessModel:
        return self.present.model

    @cached_property
    def index(self) -> RightsIndex:
        """The rights of all users and roles, each folded when it is asked for."""
        return RightsIndex(self.model, self.privileges)

    def effective(self, who: Holder) -> EffectiveRights:
        return self.index.effective(who)

    def found(self, key: EntityKey) -> tuple[Finding, ...]:
        """What lint finds wrong with an entity, the most severe first."""
        return self.findings.get(key, ())

    def kept(self, key: EntityKey) -> tuple[str, ...]:
        """What of an entity is kept and not enforced, in words."""
        return self.not_enforced.get(key, ())


async def read_present(session: Session) -> PresentAccess:
    """The access of the connected server, as it is now."""
    return await read_present_access(session.engine, session.capabilities, session.profile.cluster)


async def read_access(session: Session, now: datetime, changes_run: int = 0) -> Access:
    """Read all of it."""
    engine = session.engine
    present = await read_present(session)
    not_enforced = await engine.not_enforced() if isinstance(engine, EmbeddedEngine) else {}
    members = await asyncio.to_thread(members_if_read, session.profile.console_members)
    context = LintContext(
        now,
        version=session.capabilities.version_tuple[:2],
        datalens_user=session.profile.datalens.user,
        console_emails=members.emails,
    )
    found = await asyncio.to_thread(lint, present.model, context)  # tens of thousands of users take seconds
    by_entity: dict[EntityKey, tuple[Finding, ...]] = {}
    for finding in found:
        by_entity[finding.entity] = (*by_entity.get(finding.entity, ()), finding)
    return Access(session, changes_run, present, by_entity, not_enforced, await read_privileges(engine), members)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, and the plan it carries out: to compare with what is there afterwards."""

    change: Change
    plan: Plan


Planning = Callable[[PresentAccess], Plan]


def proposed(present: PresentAccess, make: Planning, words: str = "") -> Proposal:
    """The change for what `make` plans from what is there; what was altered since it was read refuses the change."""
    plan = make(present)
    return Proposal(change_for(plan, words, fingerprints=present.fingerprints), plan)


def with_consequences(proposal: Proposal, *more: str) -> Proposal:
    """The same with more to know before saying yes."""
    change = proposal.change
    return replace(proposal, change=replace(change, consequences=(*change.consequences, *more)))


def surprise(plan: Plan, fresh: AccessModel) -> str:
    """What is not as a plan was to make it, in a sentence; empty when all is.

    What CURRENT GRANTS gives was known to the server only.
    """
    if any(isinstance(step.statement, Grant) and step.statement.current for step in plan.steps):
        return ""
    found = [one_line(title(key), 60) for key in plan.touched if not same(plan.target, fresh, key)]
    if not found:
        return ""
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return f"It was carried out, but not all is as desired: {', '.join(found[:_LISTED])}{more}. Look at it."


def tell_surprise(screen: ConsoleScreen[Any], session: Session, proposal: Proposal, report: Report) -> None:
    """Read the server again after a change, and tell what is not as it was aimed at."""

    async def left() -> str:
        return surprise(proposal.plan, (await read_present(session)).model)

    if report.succeeded:
        screen.work("left", left, lambda words: screen.tell(words, "warning") if words else None)
