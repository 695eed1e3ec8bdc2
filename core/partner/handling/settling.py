"""Brings to an end what broke off: what makes something is taken back, what takes something away is continued.

Changes of a service are told by their title (`handling.titles`). Those of a process that was killed are found at the
next start on its machine; those that this process could not end at once are tried again until they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from core.changes import Change, OnFailure, RecordStep, StatementStep, inverse
from core.clickhouse.engine import Engine
from core.errors import HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.partner.accounts import facts
from core.partner.accounts.decision import Removal
from core.partner.accounts.policy import PartnerPolicy
from core.partner.handling.leftovers import leftovers
from core.partner.handling.needs import FollowsFacts
from core.partner.handling.titles import (
    SERVICE,
    SET_PASSWORD,
    TAKE_BACK,
    configured_in,
    connections_in,
    makes,
    of_service,
)
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.joining import Joining, plan_joining, read_joinings
from core.partner.provisioning.removal import plan_removal
from core.running.runner import Report, Runner, Unfinished

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 0.5  # seconds until what could not be settled is tried again
LONGEST_WAIT: Final = 30.0


@dataclass(slots=True)
class Settling:
    """Settles the changes of the service. For one event loop."""

    engine: Engine
    runner: Runner
    state: FollowsFacts
    policy: PartnerPolicy
    clusters: Clusters = NO_CLUSTER
    _left: set[str] = field(default_factory=set, init=False)  # partner connections to take back when it can be
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)  # since the background has last begun to settle
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    # -- what this process could not end

    async def take_back(self, report: Report) -> None:
        """Take back all that a change has done which is answered with an error, now or as soon as it can be.

        On return that is certain, whatever becomes of this process.
        """
        try:
            settled = await self._take_back(report)
        except HousekeysError as error:
            log.warning("%s cannot be taken back yet: %s %s", report.change.title, error, error.detail)
            settled = False
        if not settled:
            self.settle_soon()

    async def disown(self, report: Report) -> None:
        """Take back what a change has made whose facts do not count, for the account is deleted since."""
        made = (index for index, step in enumerate(report.change.steps) if isinstance(step, StatementStep))
        settled = await self._undo(report.change, list(made))
        async with self._lock:
            self._left.update(configured_in(report.change))
            settled = await self._disconnect_left() and settled
        if not settled:
            self.settle_soon()

    async def _undo(self, change: Change, indexes: Collection[int]) -> bool:
        """Take back those steps of an ended change; whether that came to an end."""
        if not indexes:
            return True
        undone = await self.run(replace(inverse(change, indexes), on_failure=OnFailure.CONTINUE))
        return undone.finished

    async def run(self, change: Change) -> Report:
        """Run a change of the service, and log what has failed of it."""
        report = await self.runner.run(change)
        for outcome in report.failed_outcomes:
            log.error("%s: %s: %s", change.title, change.steps[outcome.index].title, outcome.error)
        return report

    def settle_soon(self) -> None:
        """Settle in the background until nothing is left."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._settle_until_done())

    async def close(self) -> None:
        """Stop trying. What is left is settled by the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _settle_until_done(self) -> None:
        wait = FIRST_WAIT
        while self._asked:
            self._asked = False
            if not await self._settled_somehow():
                self._asked = True
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _settled_somehow(self) -> bool:
        try:
            return await self.settle()
        except Exception:
            log.exception("settling failed unexpectedly")
            return False

    async def _take_back(self, report: Report) -> bool:
        if not report.finished:
            if report.stopped is None:  # it has failed, and ClickHouse answers
                async with self._lock:
                    unfinished = [one for one in self.runner.unfinished() if one.id == report.change_id]
                    return all([await self._settled(one) for one in unfinished])
            # It is in its file. Who waits for the answer does not wait for a ClickHouse that cannot be reached.
            return not isinstance(report.stopped, UnreachableError) and await self.settle()
        if report.succeeded:  # its facts may be in the journal, or come there when its rows are sent
            async with self._lock:
                self._left.update(configured_in(report.change))
                await self._disconnect_left()
            return False  # the rows that could not be sent are still to be
        return True  # nothing was done

    # -- what a killed process has left as well

    async def settle(self) -> bool:
        """Settle all that is unfinished and at rest; whether nothing is left."""
        async with self._lock:
            settled = all([await self._settled(unfinished) for unfinished in self.runner.unfinished()])
            if not settled:
                return False
            try:
                await self.runner.send_unsent()
                await self.state.catch_up()
                return await self._disconnect_left() and await self.join_all()
            except HousekeysError as error:
                log.warning("what is known cannot be settled yet: %s %s", error, error.detail)
                return False

    async def _settled(self, unfinished: Unfinished) -> bool:
        change = unfinished.change
        if unfinished.running or not of_service(change):
            return True
        if unfinished.damaged:
            log.error("change %s cannot be settled: %s", unfinished.id, unfinished.damaged)
            return True
        try:
            return await self._settle(unfinished)
        except NotFoundError:
            return True  # another process has settled it
        except HousekeysError as error:
            log.warning("%s cannot be settled yet: %s %s", change.title, error, error.detail)
            return False

    async def _settle(self, unfinished: Unfinished) -> bool:
        change = unfinished.change
        if change.title.startswith(SET_PASSWORD):  # the user was not told that it is set, and may have another by now
            await self.runner.dismiss(unfinished.id)
            return True
        if makes(change) and not _recorded(unfinished):
            return await self._undo_unfinished(unfinished)
        report = await self.runner.resume(unfinished.id)
        if makes(change):  # all of it was done, and nobody was told
            self._left.update(configured_in(change))
        elif change.title.startswith(TAKE_BACK):
            self._left.update(connections_in(change))
        return report.finished

    async def _undo_unfinished(self, unfinished: Unfinished) -> bool:
        try:
            undo = await self.runner.undo_unfinished(unfinished.id)
        except RefusedError as refused:
            log.info("%s is closed as it is: %s", unfinished.change.title, refused)
            await self.runner.dismiss(unfinished.id)
            return True
        return (await self.run(replace(undo, on_failure=OnFailure.CONTINUE))).finished

    async def _disconnect_left(self) -> bool:
        """End the partner connections that were made and answered with an error, and what was made with them."""
        settled = True
        for connection_id in list(self._left):
            if await self._disconnect(connection_id):
                self._left.discard(connection_id)
            else:
                settled = False
        return settled

    async def _disconnect(self, connection_id: str) -> bool:
        connection = self.state.known.connections.get(connection_id)
        if connection is None or connection.deleted is None:
            deleted = (facts.connection_deleted(connection_id),)
            title = f"{TAKE_BACK}{connection_id}, of which nobody was told"
            report = await self.run(plan_removal(title, Removal((connection_id,)), deleted, self.clusters))
            if not report.finished or report.journal_error is not None:
                return False
        await self.runner.send_unsent()
        await self.state.catch_up()
        ending = leftovers(self.state.known, connection_id)
        if not ending.events:
            return True
        title = f"{SERVICE}take back what was made with partner connection {connection_id}"
        report = await self.run(plan_removal(title, ending.removal, ending.events, self.clusters))
        return report.finished and report.journal_error is None

    # -- what two services have made at once

    async def join(self, joining: Joining) -> bool:
        """Join what gives way to what counts; whether that came to an end."""
        title = f"{SERVICE}join an account that two services have made at once"
        return (await self.run(plan_joining(title, joining, self.clusters))).finished

    async def join_all(self, firsts: Collection[str] | None = None) -> bool:
        """Join whatever is left to be joined, or only to these accounts and users; whether that came to an end."""
        joinings = await read_joinings(self.engine, self.state.known, self.policy, firsts)
        return all([await self.join(joining) for joining in joinings])


def _recorded(unfinished: Unfinished) -> bool:
    """Whether the facts were marked as true: by then all the steps before were done."""
    steps = unfinished.change.steps
    return any(isinstance(steps[each.index], RecordStep) and each.state == "done" for each in unfinished.outcomes)
