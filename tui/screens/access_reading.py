"""What the access screens read: once for a session, and shared among them until something changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.rights import EffectiveRights, RightsIndex
from core.access.lint.findings import Finding, LintContext
from core.access.lint.linting import lint
from core.access.planning.clusters import cluster_clause
from core.access.planning.plan import Plan, same, title
from core.access_changes.changes import change_for
from core.access_changes.fingerprints import read_fingerprints
from core.changes import Change
from core.clickhouse.access_survey import EMBEDDED_STORAGE, AccessSurvey, survey_access
from core.clickhouse.embedded import EmbeddedEngine
from core.display import one_line
from core.errors import RefusedError
from core.session import Session


@dataclass(frozen=True)
class Access:
    """Everything about access at one moment. `kept_only` is what an embedded engine keeps and does not enforce.

    `fingerprints` were read before the rest: a change planned from this is refused by what was altered since. They are
    None where the tables they are read from may not be seen.
    """

    session: object
    changes_run: int  # by the console, before this was read
    survey: AccessSurvey
    findings: Mapping[EntityKey, tuple[Finding, ...]]
    kept_only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprints: Mapping[tuple[str, str], int] | None = None

    @cached_property
    def model(self) -> AccessModel:
        """What was read. The storage of an embedded engine is left out: it has no name that a statement could use."""
        storages = self.survey.model.storages
        named = {key: storage for key, storage in storages.items() if storage != EMBEDDED_STORAGE}
        return self.survey.model if len(named) == len(storages) else replace(self.survey.model, storages=named)

    @cached_property
    def index(self) -> RightsIndex:
        """The rights of all users and roles, each folded when it is asked for."""
        return RightsIndex(self.model)

    def effective(self, who: Holder) -> EffectiveRights:
        return self.index.effective(who)

    def storage(self, key: EntityKey) -> str:
        """The access storage of an entity; empty when the server does not tell."""
        return self.survey.model.storages.get(key, "")

    def found(self, key: EntityKey) -> tuple[Finding, ...]:
        """What lint finds wrong with an entity, the most severe first."""
        return self.findings.get(key, ())


async def read_access(session: Session, now: datetime, changes_run: int = 0) -> Access:
    """Read all of it."""
    engine = session.engine
    try:
        fingerprints = await read_fingerprints(engine)
    except RefusedError:
        fingerprints = None
    survey = await survey_access(engine)
    kept_only = await engine.not_enforced() if isinstance(engine, EmbeddedEngine) else {}
    context = LintContext(
        now, version=session.capabilities.version_tuple[:2], datalens_user=session.profile.datalens.user
    )
    found = await asyncio.to_thread(lint, survey.model, context)  # tens of thousands of users take seconds
    by_entity: dict[EntityKey, tuple[Finding, ...]] = {}
    for finding in found:
        by_entity[finding.entity] = (*by_entity.get(finding.entity, ()), finding)
    return Access(session, changes_run, survey, by_entity, kept_only, fingerprints)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What plans need to know of the server."""

    cluster: str
    storage_types: Mapping[str, str] | None


def surroundings(session: Session) -> Surroundings:
    """Whether statements name the cluster, and which storages SQL can change."""
    directories = sorted(session.capabilities.user_directories or (), key=lambda each: each[2])
    cluster = cluster_clause((kind for _, kind, _ in directories), session.profile.cluster or "")
    told = session.capabilities.home == "server" and directories
    return Surroundings(cluster, {name: kind for name, kind, _ in directories} if told else None)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, and the plan it carries out: to compare with what is there afterwards."""

    change: Change
    plan: Plan


Planning = Callable[[Access, Surroundings], Plan]


def proposed(access: Access, around: Surroundings, make: Planning, words: str = "") -> Proposal:
    """The change for what `make` plans from `access`."""
    plan = make(access, around)
    return Proposal(change_for(plan, words, fingerprints=access.fingerprints), plan)


def with_consequences(proposal: Proposal, *more: str) -> Proposal:
    """The same with more to know before saying yes."""
    change = proposal.change
    return replace(proposal, change=replace(change, consequences=(*change.consequences, *more)))


def surprises(plan: Plan, fresh: AccessModel) -> tuple[str, ...]:
    """The entities of a plan that are not what it was to make of them, in words."""
    return tuple(one_line(title(key), 60) for key in plan.touched if not same(plan.target, fresh, key))
