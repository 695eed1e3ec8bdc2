"""Planning the end of a tenant: the right to read it revoked and, unless only that is wanted, its database dropped."""

from __future__ import annotations

from dataclasses import dataclass

from core.changes import Change, Danger, RecordStep, Step
from core.clickhouse.engine import Engine
from core.display import byte_size, count
from core.errors import BadInputError
from core.journal.journal import Journal
from core.tenants.model import ADOPT, REMOVE, SUSPEND, event
from core.tenants.naming import SHARED_DATABASES, shown
from core.tenants.situation import Situation, must_revoke, read_situation, refuse_roles, require_tenants
from core.tenants.steps import drop_step, losses_query, revoke_step

_LISTED = 12


@dataclass(frozen=True, slots=True)
class Losses:
    """What would be lost with a database: its tables and views, and what they hold on all hosts asked."""

    names: tuple[str, ...]  # the first of them, by name
    tables: int
    rows: int
    bytes: int
    fingerprint: int  # of all their names

    def describe(self) -> str:
        """In a sentence."""
        if not self.tables:
            return "It is empty."
        listed = ", ".join(map(shown, self.names)) + (" …" if self.tables > len(self.names) else "")
        many = "1 table" if self.tables == 1 else f"{count(self.tables)} tables"
        return f"Lost for good: {many} with {count(self.rows)} rows and {byte_size(self.bytes)}: {listed}."


async def plan_remove(
    engine: Engine,
    journal: Journal,
    name: str,
    *,
    datalens_user: str,
    cluster: str | None = None,
    only_revoke: bool = False,
) -> Change:
    """End the tenant `name`: revoke, then drop its database; with `only_revoke` the database and its data stay.

    The database is dropped only if it holds the tables that were shown. A tenant whose database is gone is forgotten.
    Raises NotFoundError when there is no such tenant, RefusedError when a role keeps it readable.
    """
    now = await read_situation(engine, journal, datalens_user=datalens_user, cluster=cluster)
    if name in SHARED_DATABASES or name == journal.database:
        raise BadInputError(f"{shown(name)} is no tenant and is never removed.")
    require_tenants([name], now)
    if name not in now.databases:
        return _forget(name, now)
    tokens = (await journal.counts_by("token", "issue", "tenant")).get(name, 0)
    named = [f"Tokens issued for it: {tokens}. They stay valid and open whatever is called {shown(name)}."]
    if only_revoke:
        refuse_roles([name], now)
        return _release(name, now, tuple(named if tokens else ()))
    losses = await read_losses(engine, name, now)
    steps: list[Step] = []
    if must_revoke(name, now):  # a grant outlives its database, and would open the next one of that name
        steps.append(revoke_step(name, now, events=(event(name, SUSPEND),)))
    steps.append(drop_step(name, now, losses.tables, losses.fingerprint, losses.bytes))
    return Change(
        f"Remove tenant {shown(name)} and drop its database",
        tuple(steps),
        danger=Danger.DESTRUCTIVE,
        consequences=(
            losses.describe(),
            *(named if tokens else ()),
            "To end the access and keep the data, only revoke, or suspend it.",
        ),
        confirm_name=name,
    )


async def read_losses(engine: Engine, name: str, now: Situation) -> Losses:
    """What the database `name` holds now. Raises what the engine raises."""
    found = await engine.query(losses_query(now), {"name": name, "listed": _LISTED})
    names, tables, rows, size, fingerprint = found.rows[0]
    return Losses(tuple(names), int(tables), int(rows or 0), int(size or 0), int(fingerprint))


def _release(name: str, now: Situation, consequences: tuple[str, ...]) -> Change:
    removed = (event(name, REMOVE, database="kept"),)
    steps: tuple[Step, ...]
    if must_revoke(name, now):
        steps = (revoke_step(name, now, events=removed, undo_events=(event(name, ADOPT),)),)
    else:
        steps = (RecordStep(f"Forget tenant {name}", removed, no_undo="Adopt the database to take it back."),)
    return Change(
        f"Remove tenant {shown(name)} and keep its database",
        steps,
        danger=Danger.DISRUPTIVE,
        consequences=(f"DataLens can no longer read {shown(name)}. Its data stays.", *consequences),
    )


def _forget(name: str, now: Situation) -> Change:
    """The database is gone already; what is left is a grant, perhaps, and the tenant in the journal."""
    steps: list[Step] = []
    if now.reading.touches(name) or not now.reading.known:
        steps.append(revoke_step(name, now))
    no_undo = "There is no database to take it back for."
    steps.append(RecordStep(f"Forget tenant {name}", (event(name, REMOVE, database="missing"),), no_undo=no_undo))
    return Change(
        f"Forget tenant {shown(name)}",
        tuple(steps),
        danger=Danger.DISRUPTIVE,
        consequences=("Its database does not exist, or the connected user cannot see it.",),
    )
