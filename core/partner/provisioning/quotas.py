"""Adding users to the quota of the template. ClickHouse has no ADD: the whole list of users is written anew.

So it is written only while it is what was read; somebody else's addition in between makes the change fail, to be
planned again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.access.access_model import EntityKey
from core.access.entity_parts import NameSet
from core.access.model import EntityKind
from core.access.parser import parse_statement
from core.access.planning.plan import title
from core.access.quotas import AlterQuota, CreateQuota
from core.access.render import render
from core.access_changes.changes import subject_kind
from core.access_changes.fingerprints import guard, read_fingerprints
from core.changes import Event, StatementStep
from core.clickhouse.engine import Engine
from core.clickhouse.errors import UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.errors import NotFoundError
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.dropping import drop_step


@dataclass(frozen=True, slots=True)
class QuotaMembers:
    """For whom a quota holds, as read at one moment, and the numbers that tell whether it is still so."""

    name: str
    to: NameSet
    fingerprints: Mapping[tuple[str, str], int]

    def holds_for(self, user: str) -> bool:
        """Whether it holds for a user by name, or for everybody."""
        return user in self.to.names or (self.to.everyone and user not in self.to.excepted)


async def read_members(engine: Engine, name: str) -> QuotaMembers:
    """Read for whom a quota holds. Raises NotFoundError when there is no such quota."""
    fingerprints = await read_fingerprints(engine, [EntityKind.QUOTA])
    try:
        shown = (await engine.query(f"SHOW CREATE QUOTA {quote_identifier(name)}")).first_cell()
    except UnknownNameError:
        shown = None
    statement = parse_statement(str(shown)) if shown else None
    if not isinstance(statement, CreateQuota):
        raise NotFoundError(
            f"There is no quota {name}, which the template names.",
            advice="Create it, or name another one in the profile (quota = ...).",
        )
    return QuotaMembers(name, statement.to or NameSet(), fingerprints)


def quota_step(user: str, members: QuotaMembers, clusters: Clusters = NO_CLUSTER) -> StatementStep:
    """Have the quota hold for `user` as well. A user that is dropped is out of it."""
    key = EntityKey(EntityKind.QUOTA, members.name)
    if members.to.everyone:
        to = replace(members.to, excepted=tuple(name for name in members.to.excepted if name != user))
    else:
        to = replace(members.to, names=(*members.to.names, user))
    return StatementStep(
        f"Add user {user} to {title(key)}",
        render(AlterQuota((members.name,), to=to, cluster=clusters.access)),
        undo=replace(drop_step(EntityKey(EntityKind.USER, user), clusters), events=()),
        repeatable=True,
        guard=guard([key], members.fingerprints),
        events=(Event(subject_kind(key), members.name, "alter", {"changed": ["TO"], "added": user}),),
    )
