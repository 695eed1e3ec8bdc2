"""What the nouns of access control share: reading what is there, listing and showing it, and carrying plans out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import NotFoundError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.access.access_model import AccessModel, EntityKey
    from core.access.model import EntityKind
    from core.access.planning.plan import Plan
    from core.access_changes.present import PresentAccess
    from core.session import Session
    from tui.cli.context import Context

NAME_HELP = "as it is: no quotes of SQL around it"
POLICY_HELP = "as in SQL: 'policy ON database.table', or 'policy ON database.*'"
TO_HELP = "whom it holds for: NAME, … or ALL [EXCEPT NAME, …] or NONE, as in SQL"


def add_reading_verbs(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame, noun: str, name: str
) -> None:
    """Add `list` and `show`. `name` is a name for the examples."""
    words = noun.replace("-", " ")
    plural = "row policies" if noun == "row-policy" else f"{words}s"
    listing = frame.verb(
        verbs,
        "list",
        list_entities,
        f"list the {plural}",
        examples=(f"housekeys {noun} list", f"housekeys {noun} list --filter acme --json"),
    )
    listing.add_argument("--filter", default="", metavar="TEXT", help="only those with TEXT in any column")
    show = frame.verb(
        verbs,
        "show",
        show_entity,
        f"one {words}: how it is defined and what it holds, as SQL",
        examples=(f"housekeys {noun} show {name}", f"housekeys {noun} show {name} --json"),
    )
    add_name(show, noun)


def add_drop(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame, noun: str, name: str) -> None:
    """Add `drop`."""
    drop = frame.verb(
        verbs,
        "drop",
        drop_entity,
        f"drop a {noun.replace('-', ' ')}, and take it out of all that names it",
        examples=(f"housekeys --dry-run {noun} drop {name}", f"housekeys {noun} drop {name} --yes"),
    )
    add_name(drop, noun)


def add_name(parser: argparse.ArgumentParser, noun: str, dest: str = "name", metavar: str = "NAME") -> None:
    """Add the name of an entity as an argument."""
    parser.add_argument(dest, metavar=metavar, help=POLICY_HELP if noun == "row-policy" else NAME_HELP)


def kind_of(context: Context) -> EntityKind:
    """The kind of entities that the noun is about."""
    from core.access.model import EntityKind

    noun: str = context.arguments.noun
    return EntityKind(noun.replace("-", " ").upper())


def named(context: Context) -> EntityKey:
    """The entity that was named. Raises BadInputError for a name that cannot be."""
    from core.access.access_model import EntityKey
    from core.access.entity_options import entity_name

    kind = kind_of(context)
    return EntityKey(kind, entity_name(kind, context.arguments.name))


async def present_access(context: Context) -> tuple[Session, PresentAccess]:
    """Open the session and read what is there; what may not be seen is told on stderr."""
    from core.access_changes.present import read_present_access

    session = await context.session()
    present = await read_present_access(session.engine, session.capabilities, session.profile.cluster)
    for sentence in present.survey.hidden:
        context.output.message(f"Note: {sentence}")
    if present.survey.unread:
        number = len(present.survey.unread)
        context.output.message(f"Note: {number:,} statements of the server were not understood, and are left alone.")
    return session, present


async def list_entities(context: Context) -> None:
    """Handle `list`."""
    from core.access_reports.listing import COLUMNS, entity_rows
    from tui.cli.output import Column

    kind = kind_of(context)
    session, present = await present_access(context)
    marks = await _not_enforced(session)
    rows = entity_rows(present.shown, kind, marks)
    text = context.arguments.filter.casefold()
    chosen = [row for row in rows if any(text in str(value).casefold() for value in row.values())]
    columns = [Column(key, key.replace("_", " ").upper()) for key in COLUMNS[kind]]
    if any(row["not_enforced_here"] for row in rows):
        columns.append(Column("not_enforced_here", "NOT ENFORCED HERE", show=", ".join))
    empty = "Nothing matches." if rows else f"There is no {kind.lower()}."
    context.output.rows(columns, chosen, empty=empty)


async def show_entity(context: Context) -> None:
    """Handle `show`."""
    from core.access_reports.listing import described

    key = named(context)
    session, present = await present_access(context)
    found = described(present.shown, key, await _not_enforced(session))
    fields = {name.replace("_", " ").capitalize(): _lines(value) for name, value in found.items()}
    context.output.record(fields, found)


async def _not_enforced(session: Session) -> Mapping[EntityKey, Sequence[str]]:
    """What an embedded engine keeps and does not enforce; nothing for a server."""
    from core.clickhouse.embedded import EmbeddedEngine

    engine = session.engine
    return await engine.not_enforced() if isinstance(engine, EmbeddedEngine) else {}


async def known_members(context: Context, session: Session) -> frozenset[str] | None:
    """The members of the organization by the file that the profile names; what hinders that is noted."""
    import asyncio

    from core.access_reports.console_members import members_if_read

    members = await asyncio.to_thread(members_if_read, session.profile.console_members)
    if members.problem:
        context.output.message(f"Note: {members.problem}")
    return members.emails


def _lines(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else str(value)


async def drop_entity(context: Context) -> None:
    """Handle `drop`."""
    from core.access.planning.entities import drop
    from core.access.planning.plan import title
    from core.access_changes.applying import refuse_own_user

    key = named(context)
    session, present = await present_access(context)
    refuse_own_user(session.capabilities.user, [key])
    found(present.model, key)
    plan = drop(present.model, [key], cluster=present.cluster, storage_types=present.storage_types)
    await carry_out_plan(context, present, plan, f"{title(key)}: dropped")


def found(model: AccessModel, key: EntityKey) -> Any:
    """The entity with this key. Raises NotFoundError."""
    from core.access.difference_fields import entity
    from core.access.planning.plan import title
    from core.display import one_line

    there = entity(model, key)
    if there is None:
        raise NotFoundError(
            f"There is no {one_line(title(key))}.",
            advice=f"See `housekeys {key.kind.lower().replace(' ', '-')} list`.",
        )
    return there


async def carry_out_plan(
    context: Context, present: PresentAccess, plan: Plan, done: str, more: Mapping[str, Any] | None = None
) -> None:
    """Run a plan down the one road and tell what was done; with --json as data, with `more` in it.

    What a plan for many entities leaves out is told as well.
    """
    from core.access.planning.plan import title
    from core.access_changes.changes import change_for
    from core.changes import Danger
    from core.display import one_line

    nothing = "Nothing that could be changed" if plan.refusals and not plan.steps else ""
    change = change_for(plan, nothing, fingerprints=present.fingerprints)
    shown = {"entities": [title(key) for key in plan.touched], **(more or {})}
    if not change.steps and not context.arguments.dry_run:
        for sentence in (f"{change.title}.", *(refusal.why for refusal in plan.refusals)):
            context.output.message(one_line(sentence))
        if context.output.json:
            context.output.data({"change": None, **shown})
        return
    report = await context.carry_out(change)
    context.output.message(f"{one_line(done)}.")
    # When nothing was asked, nothing of this was seen; what was left out is told in any case.
    told = change.consequences if change.danger is Danger.ROUTINE else [refusal.why for refusal in plan.refusals]
    for sentence in told:
        context.output.message(one_line(sentence))
    if context.output.json:
        context.output.data({"change": report.change_id, **shown})
