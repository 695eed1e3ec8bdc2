"""Carries out what a connect request is decided to lead to: all of it in one Change, or nothing of it is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from core.changes import Change, OnFailure, RecordStep, StatementStep, Step
from core.errors import HousekeysError, RefusedError
from core.partner.accounts.decision import Decision, Provision
from core.partner.accounts.policy import PartnerPolicy
from core.partner.handling.secrets_keeper import SecretsKeeper
from core.partner.handling.settling import Settling
from core.partner.handling.titles import SERVICE
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.joining import joining_of
from core.partner.provisioning.keeping import keep_step
from core.partner.provisioning.provisioning import provision_steps
from core.partner.provisioning.quotas import QuotaMembers, quota_step, read_members
from core.partner.security.sealing import SecretName
from core.running.runner import Report
from core.secrets import Secret

log = logging.getLogger(__name__)

_QUOTA_TRIES = 4
_IN_USE = "Databricks was told of it. Delete the partner connection instead."


class NotCarriedOutError(HousekeysError):
    """A change has failed. What it had done is taken back, now or as soon as ClickHouse can be reached."""


class Locks:
    """One lock for each key, as long as somebody has or wants it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: object) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


@dataclass(frozen=True, slots=True)
class Connects:
    """Carries decisions out. For one event loop."""

    policy: PartnerPolicy
    keeper: SecretsKeeper
    settling: Settling
    clusters: Clusters = NO_CLUSTER
    _quota: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)  # its list of users is written whole

    async def carry_out(self, decision: Decision, secrets: Mapping[SecretName, Secret]) -> None:
        """Make what `decision` says, record its facts, and give way where another service was first.

        Returns when all of it is durable. Raises NotCarriedOutError; what the engine raises, when nothing was begun.
        """
        connection_id = decision.provision.connection_id if decision.provision else None
        if connection_id and secrets:
            self.keeper.await_step(connection_id, secrets)
        try:
            await self._run(decision, connection_id if secrets else None, secrets)
        finally:
            if connection_id:
                self.keeper.let_go(connection_id)

    async def _run(self, decision: Decision, connection_id: str | None, secrets: Mapping[SecretName, Secret]) -> None:
        provision = decision.provision
        quota = self.policy.resources.quota if provision and provision.new_user else None
        for turn in range(_QUOTA_TRIES):
            async with AsyncExitStack() as held:
                if quota:
                    await held.enter_async_context(self._quota)
                members = await read_members(self.settling.engine, quota) if quota else None
                report = await self.settling.runner.run(self._change(decision, members, connection_id, secrets))
            if _complete(report):
                await self._after(decision, report)
                return
            await self.settling.take_back(report)
            if turn + 1 < _QUOTA_TRIES and quota and _met_another(report):
                continue
            raise _failure(report)

    def _change(
        self,
        decision: Decision,
        members: QuotaMembers | None,
        connection_id: str | None,
        secrets: Mapping[SecretName, Secret],
    ) -> Change:
        steps = tuple(self._steps(decision, members, connection_id, secrets))
        return Change(_title(decision), steps, on_failure=OnFailure.LEAVE_OPEN)

    def _steps(
        self,
        decision: Decision,
        members: QuotaMembers | None,
        connection_id: str | None,
        secrets: Mapping[SecretName, Secret],
    ) -> Iterator[Step]:
        if decision.provision is not None:
            yield from provision_steps(decision.provision, self.policy.resources, members, self.clusters)
        if connection_id is not None:
            yield keep_step(connection_id, secrets)
        yield RecordStep("Record it", decision.events, no_undo=_IN_USE)

    async def _after(self, decision: Decision, report: Report) -> None:
        """See that the facts count, by what all services have recorded meanwhile, and join what was made twice."""
        provision = decision.provision
        try:
            await self.settling.state.catch_up()
            if provision is None:
                return
            if not self._counts(provision):
                await self.settling.disown(report)
                raise NotCarriedOutError("The account was deleted meanwhile, by somebody else.")
            joined = await self._joined(provision)
        except NotCarriedOutError:
            raise
        except HousekeysError as error:
            # All is made and recorded. What another service has made at once is joined as soon as it can be seen.
            log.warning("what is new cannot be read behind %s: %s %s", report.change.title, error, error.detail)
            joined = False
        if not joined:
            self.settling.settle_soon()
        elif provision is not None and provision.new_user and self.policy.resources.quota:
            await self._see_in_quota(provision.user, self.policy.resources.quota)

    async def _joined(self, provision: Provision) -> bool:
        """Give way to what another service has made at once, or have that give way; whether it came to an end.

        Whose facts bear the earlier time counts, though they may have reached the journal later than the others.
        """
        known = self.settling.state.known
        if (joining := joining_of(provision, known)) is not None:
            return await self.settling.join(joining)
        made = {provision.account_id} if provision.new_account else set()
        made |= {provision.user_id} if provision.new_user else set()
        return not made.intersection(known.same_as.values()) or await self.settling.join_all(made)

    def _counts(self, provision: Provision) -> bool:
        """Whether the facts say something: those about an account that another service has deleted do not.

        Facts that cannot be seen yet do: they are in the journal, and another host of a cluster may be behind.
        """
        known = self.settling.state.known
        account = known.accounts.get(known.same_as.get(provision.account_id, provision.account_id))
        user = known.users.get(known.same_as.get(provision.user_id, provision.user_id))
        connection = known.connections.get(provision.connection_id or "")
        return all(one is None or one.deleted is None for one in (account, user, connection))

    async def _see_in_quota(self, user: str, quota: str) -> None:
        """Add the user to the quota again, should another service have written its list of users at the same moment."""
        try:
            for _ in range(_QUOTA_TRIES):
                async with self._quota:
                    members = await read_members(self.settling.engine, quota)
                    if members.holds_for(user):
                        return
                    title = f"{SERVICE}add user {user} to quota {quota}"
                    # Undone it would drop the user, who is there for good by now.
                    step = replace(quota_step(user, members, self.clusters), undo=None, no_undo=_IN_USE)
                    await self.settling.run(Change(title, (step,)))
        except HousekeysError as error:
            log.error("whether quota %s holds for user %s cannot be seen: %s", quota, user, error)


def _title(decision: Decision) -> str:
    connection_id = decision.provision.connection_id if decision.provision else None
    if connection_id:
        return f"{SERVICE}make partner connection {connection_id} ({decision.scenario})"
    return f"{SERVICE}let user {decision.user_id} in ({decision.scenario})"


def _complete(report: Report) -> bool:
    return report.finished and report.succeeded and report.journal_error is None


def _met_another(report: Report) -> bool:
    """Whether the quota was altered between reading and writing it."""
    steps = report.change.steps
    guarded = (steps[each.index] for each in report.failed_outcomes if isinstance(each.error, RefusedError))
    return report.stopped is None and any(
        isinstance(step, StatementStep) and step.guard is not None for step in guarded
    )


def _failure(report: Report) -> NotCarriedOutError:
    errors = [outcome.error for outcome in report.failed_outcomes if outcome.error is not None]
    error = next(iter(errors), report.stopped or report.journal_error)
    why = f": {error}" if error is not None else ""
    return NotCarriedOutError(f"{report.change.title}{why}", detail=error.detail if error is not None else "")
