"""The API connections of one profile: what is known of them, what is there, and the changes that can be made.

The console and the one-shot commands both work through `ApiConnections`.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.changes import Change, Danger
from core.errors import HousekeysError, NotFoundError, RefusedError
from core.journal.rows import Row
from core.lakehouse.connections import ApiConnection, ExternalFunction, ListedConnection
from core.lakehouse.documents import PolicyScope
from core.lakehouse.facts import API_CONNECTION
from core.lakehouse.looking import Look, look_at
from core.lakehouse.provisioning.adopting import plan_adoption
from core.lakehouse.provisioning.ending import plan_recreation, plan_removal
from core.lakehouse.provisioning.lakehouse_steps import create_function_step, drop_function_step
from core.lakehouse.provisioning.neighbours import Neighbours
from core.lakehouse.provisioning.plan import (
    Wanted,
    plan_provisioning,
    refuse_unusable,
)
from core.lakehouse.provisioning.situation import CloudSituation, LakehouseSituation, read_cloud, read_lakehouse
from core.lakehouse.reach import Reach
from core.lakehouse.reaching.lakehouse import Lakehouse
from core.lakehouse.sql.statements import Syntax
from core.lakehouse.state import ConnectionState, fold


@dataclass(frozen=True, slots=True)
class Board:
    """All connections: those that are looked after here, and others that the Lakehouse lists."""

    states: tuple[ConnectionState, ...]  # by name
    others: tuple[ListedConnection, ...] = ()  # in the Lakehouse, not known here
    error: HousekeysError | None = None  # why the Lakehouse could not be asked
    asked: bool = False  # whether it was asked at all


class TellsEvents(Protocol):
    """The part of a journal that is read; `core.journal.journal.Journal` has it."""

    async def events(self, subject_kind: str) -> list[Row]:
        """Every done event of one kind of subject, oldest first."""
        ...


class ApiConnections:
    """Reads and plans; nothing is changed but by the changes it returns.

    Everything raises what the journal, the cloud and the Lakehouse raise.
    """

    def __init__(self, journal: TellsEvents, reach: Reach) -> None:
        self._journal = journal
        self.reach = reach

    # -- reading

    async def states(self) -> dict[str, ConnectionState]:
        """What the journal knows, by name."""
        return fold(await self._journal.events(API_CONNECTION))

    async def state(self, name: str) -> ConnectionState:
        """One connection. Raises NotFoundError, with the nearest name."""
        states = await self.states()
        if name not in states:
            nearest = difflib.get_close_matches(name, states, n=1)
            advice = f"Did you mean {nearest[0]}?" if nearest else "See what there is: housekeys connection list."
            raise NotFoundError(f"No API connection {name} is known.", advice=advice)
        return states[name]

    async def board(self) -> Board:
        """All connections. A Lakehouse that does not answer is told of; what is known here is shown all the same."""
        states = await self.states()
        known = tuple(states[name] for name in sorted(states))
        try:
            lakehouse = await self.reach.lakehouse()
            if lakehouse is None:
                return Board(known)
            listed = await lakehouse.connections()
        except HousekeysError as error:
            return Board(known, error=error, asked=True)
        there = {row.name.rpartition(".")[2].lower(): row for row in listed}
        names = {name.lower() for name in states}
        others = (row for name, row in there.items() if name not in names and row.category.upper() == "API")
        return Board(tuple(_as_listed(state, there) for state in known), tuple(others), asked=True)

    async def look(self, states: Sequence[ConnectionState]) -> list[Look]:
        """Look at both sides of connections, as far as the profile lets Housekeys reach them."""
        return await look_at(states, self.reach)

    async def functions(self, name: str | None = None) -> tuple[ExternalFunction, ...] | None:
        """The external functions, of one connection if it is named; None where no Lakehouse can be asked."""
        lakehouse = await self.reach.lakehouse()
        if lakehouse is None:
            return None
        return await (lakehouse.functions() if name is None else lakehouse.functions_of(name))

    # -- planning

    async def plan_create(self, wanted: Wanted, syntax: Syntax = Syntax.CLAUSES) -> Change:
        """Define a connection and do all that can be done without a hand.

        Raises RefusedError for a name that is known with another definition, or a role that another connection has.
        """
        states = await self.states()
        state = states.get(wanted.name)
        if state is not None and Wanted.of(state).connection != wanted.connection and state.created is not None:
            raise RefusedError(
                f"The API connection {wanted.name} is there with another definition.",
                advice="There is no ALTER CONNECTION: recreate it, or give the new one another name.",
            )
        refuse_unusable(wanted)
        neighbours = Neighbours(map(Wanted.of, states.values()))
        neighbours.refuse_shared_role(wanted)
        if state is None:
            wanted = neighbours.with_own_policies(wanted)
        elif not wanted.policy_suffix:
            wanted = replace(wanted, policy_suffix=state.policy_suffix)
        return plan_provisioning(wanted, state, *await self._situations(wanted), syntax)

    async def plan_adopt(
        self, connections: Sequence[ApiConnection], scope: PolicyScope = PolicyScope.DOCUMENTED
    ) -> Change:
        """Look after connections that exist already: define them as they are, touch nothing. See `plan_adoption`."""
        return plan_adoption(connections, await self.states(), scope)

    async def plan_resume(self, name: str, syntax: Syntax = Syntax.CLAUSES) -> Change:
        """Do what is still missing and can be done without a hand. No steps: nothing, or a hand is needed."""
        state = await self.state(name)
        wanted = Wanted.of(state)
        return plan_provisioning(wanted, state, *await self._situations(wanted), syntax)

    async def plan_recreate(self, name: str, wanted: Wanted | None = None) -> Change:
        """Drop it, to be provisioned anew with `plan_resume`, as it is or as `wanted`."""
        states = await self.states()
        state = await self.state(name)
        if wanted is not None:
            connection = replace(wanted.connection, name=name)
            wanted = replace(wanted, connection=connection, policy_suffix=state.policy_suffix)
            refuse_unusable(wanted)
            Neighbours(map(Wanted.of, states.values())).refuse_shared_role(wanted)
        return plan_recreation(state, wanted or Wanted.of(state), *await self._situations(Wanted.of(state)))

    async def plan_remove(self, name: str, *, keep_role: bool = False) -> Change:
        """Drop it, and delete its role and policies unless they are kept."""
        state = await self.state(name)
        situations = await self._situations(Wanted.of(state))
        return plan_removal(state, *situations, keep_role=keep_role)

    async def plan_create_function(self, function: ExternalFunction) -> Change:
        """Create an external function that runs through a connection. RefusedError without a Lakehouse."""
        await self._require_lakehouse()
        return Change(f"Create external function {function.name}", (create_function_step(function),))

    async def plan_drop_function(self, name: str) -> Change:
        """Drop an external function. Raises NotFoundError when there is none of that name."""
        lakehouse = await self._require_lakehouse()
        found = next((function for function in await lakehouse.functions() if function.name == name), None)
        if found is None:
            raise NotFoundError(
                f"The Lakehouse has no external function {name}.", advice="Write it with its schema, as the list does."
            )
        return Change(
            f"Drop external function {name}",
            (drop_function_step(name, found.connection),),
            danger=Danger.DISRUPTIVE,
            consequences=("Queries that call it fail from then on. Its code stays in the bucket.",),
        )

    async def _require_lakehouse(self) -> Lakehouse:
        lakehouse = await self.reach.lakehouse()
        if lakehouse is None:
            raise RefusedError(
                "The profile names no Lakehouse, so nothing can be run there.",
                advice="Add [profiles.NAME.lakehouse] to it, or run the statement by hand.",
            )
        return lakehouse

    async def _situations(self, wanted: Wanted) -> tuple[CloudSituation | None, LakehouseSituation | None]:
        return await asyncio.gather(self._cloud_situation(wanted), self._lakehouse_situation(wanted.name))

    async def _cloud_situation(self, wanted: Wanted) -> CloudSituation | None:
        cloud = await self.reach.cloud(wanted.connection)
        return None if cloud is None else await read_cloud(cloud, wanted.documents())

    async def _lakehouse_situation(self, name: str) -> LakehouseSituation | None:
        lakehouse = await self.reach.lakehouse()
        return None if lakehouse is None else await read_lakehouse(lakehouse, name)


def _as_listed(state: ConnectionState, there: Collection[str]) -> ConnectionState:
    """What the journal knows of a connection, and whether the Lakehouse lists it; a look tells what still holds."""
    if state.created is None or state.name.lower() in there:
        return state
    gone = f"The Lakehouse does not list the connection {state.name} any more."
    return replace(state, differences=(*state.differences, gone))
