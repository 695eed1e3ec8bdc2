"""Taking away what partner accounts, users and partner connections have: facts first, then secrets, users and data.

Every step may run again, so that a removal that broke off is brought to its end by running what is left of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.changes import CallStep, Change, Danger, Event, OnFailure, RecordStep, Step
from core.display import one_line
from core.partner.accounts.decision import Removal
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.dropping import drop_database_step, drop_step

SECRETS: Final = "partner_secrets"  # the service that steps name
ERASE: Final = "erase"
CONNECTION_ID: Final = "connection_id"  # the argument of its calls

_LISTED = 12


def plan_removal(title: str, removal: Removal, events: Sequence[Event] = (), clusters: Clusters = NO_CLUSTER) -> Change:
    """Take away what `removal` names; `events` are the facts that say so.

    What fails leaves the rest to be done: a user who cannot be dropped keeps no secret alive.
    """
    return Change(
        title,
        tuple(removal_steps(removal, events, clusters)),
        danger=Danger.DESTRUCTIVE if removal.databases else Danger.DISRUPTIVE,
        on_failure=OnFailure.CONTINUE,
        consequences=tuple(_consequences(removal)),
        confirm_name=removal.databases[0] if removal.databases else "",
    )


def removal_steps(removal: Removal, events: Sequence[Event] = (), clusters: Clusters = NO_CLUSTER) -> Iterator[Step]:
    """The steps of a removal. The facts come first: from then on nobody is led to what goes."""
    if events:
        yield RecordStep("Record what is removed", tuple(events), no_undo="Databricks connects it anew.")
    yield from map(erase_step, removal.connections)
    for user in removal.users:
        yield drop_step(EntityKey(EntityKind.USER, user), clusters, no_undo="The password is not known here.")
    for role in removal.roles:
        yield drop_step(EntityKey(EntityKind.ROLE, role), clusters, no_undo="A new account gets a role of its own.")
    for database in removal.databases:
        yield drop_database_step(database, clusters, no_undo="Dropped data does not come back.")


def erase_step(connection_id: str) -> CallStep:
    """Erase the sealed secrets of a partner connection."""
    return CallStep(
        f"Erase the secrets of partner connection {connection_id}",
        SECRETS,
        ERASE,
        {CONNECTION_ID: connection_id},
        f"erase the sealed secrets of {one_line(connection_id)}",
        no_undo="Erased secrets do not come back: Databricks sends new ones when it connects anew.",
    )


def _consequences(removal: Removal) -> Iterator[str]:
    if removal.databases:
        yield f"Lost for good, with all that is in it: {_listed('database', removal.databases)}."
    if removal.users:
        yield f"Can no longer log in to ClickHouse: {_listed('user', removal.users)}."
    if removal.connections:
        yield (
            f"Cannot reach Databricks any more: {_listed('partner connection', removal.connections)}."
            " Their secrets are erased; in Databricks they stay until somebody deletes them there."
        )


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name) for name in names[:_LISTED])
    plural = what if len(names) == 1 else f"{what}s"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{plural} {shown}{more}"
