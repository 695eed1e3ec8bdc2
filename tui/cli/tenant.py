"""`housekeys tenant`: databases given to clients, readable by the DataLens user."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.changes import Change
    from core.running.report import Report
    from core.session import Session
    from core.tenants.listing import Survey
    from core.tenants.model import Tenant
    from core.tenants.requests import TenantRequest
    from tui.cli.context import Context

NOUN = "tenant"
TEXT_OPTIONS = ("owner", "contact", "ticket", "note")
SORTS = ("name", "tables", "rows", "bytes", "last_read", "tokens", "created")
STATES = ("active", "suspended", "not-readable", "missing", "unknown", "unmanaged")
LARGEST_FILE = 64 * 1024 * 1024  # bytes of --from


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    _add_list(verbs, frame)
    show = frame.verb(
        verbs,
        "show",
        _show,
        "everything known about one tenant",
        examples=("housekeys tenant show acme_prod", "housekeys tenant show acme_prod --json"),
    )
    show.add_argument("name", metavar="NAME")
    _add_making(verbs, frame)
    _add_access(verbs, frame)
    for verb in ("describe", "note"):
        describe = frame.verb(
            verbs,
            verb,
            _describe,
            "note owner, contact, ticket or a text about a tenant" if verb == "describe" else "the same as describe",
            examples=(f'housekeys tenant {verb} acme_prod --owner data@acme.example --note "moves in May"',),
        )
        describe.add_argument("name", metavar="NAME")
        _add_texts(describe, "an empty text clears it")


def _add_list(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    listing = frame.verb(
        verbs,
        "list",
        _list,
        "list the tenants",
        description="List the tenants: size, last read by the DataLens user, tokens issued, state.",
        examples=(
            "housekeys tenant list",
            "housekeys tenant list --state suspended --sort bytes",
            "housekeys tenant list --all --json",
        ),
    )
    listing.add_argument("--filter", default="", metavar="TEXT", help="only those with TEXT in name, owner, … or note")
    listing.add_argument("--state", choices=STATES, default=None, help="only those in this state")
    listing.add_argument("--sort", choices=SORTS, default="name", help="order; all but name are largest first")
    listing.add_argument("--all", action="store_true", help="databases that are no tenants as well")


def _add_making(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    add = frame.verb(
        verbs,
        "add",
        _add,
        "create tenants: databases that the DataLens user may read",
        description="Create tenants. Those that exist are left alone, so that it can be run again after a failure.\n"
        "FILE holds one name a line, or CSV with a header: name, and any of owner, contact, ticket, note.",
        examples=(
            "housekeys tenant add acme_prod --owner data@acme.example --ticket OPS-12",
            "housekeys tenant add --from clients.csv",
            "housekeys --dry-run tenant add --from clients.csv",
        ),
    )
    add.add_argument("names", nargs="*", metavar="NAME")
    add.add_argument("--from", dest="source", metavar="FILE", help="take names from FILE; - is standard input")
    add.add_argument(
        "--engine",
        choices=("Atomic", "Replicated"),
        default=None,
        help="engine of the databases (the server's default)",
    )
    _add_texts(add, "noted for every NAME given here")
    adopt = frame.verb(
        verbs,
        "adopt",
        _adopt,
        "make tenants of databases that exist",
        examples=("housekeys tenant adopt old_client --owner ann@client.example",),
    )
    adopt.add_argument("names", nargs="+", metavar="NAME")
    _add_texts(adopt, "noted for every NAME")


def _add_access(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    suspend = frame.verb(
        verbs,
        "suspend",
        _suspend,
        "take the right to read from the DataLens user; data stays",
        examples=("housekeys tenant suspend acme_prod", "housekeys tenant suspend acme_prod acme_test --yes"),
    )
    resume = frame.verb(
        verbs, "resume", _resume, "give the right to read back", examples=("housekeys tenant resume acme_prod",)
    )
    for parser in (suspend, resume):
        parser.add_argument("names", nargs="+", metavar="NAME")
    remove = frame.verb(
        verbs,
        "remove",
        _remove,
        "revoke, and drop the database with all its data",
        description="Remove a tenant: revoke the right to read it and drop its database. What would be lost is shown\n"
        "first, and the name has to be typed. With --only-revoke the database and its data stay.",
        examples=(
            "housekeys --dry-run tenant remove acme_prod",
            "housekeys tenant remove acme_prod --confirm acme_prod",
            "housekeys tenant remove acme_prod --only-revoke",
        ),
    )
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--only-revoke", action="store_true", help="keep the database and its data")


def _add_texts(parser: argparse.ArgumentParser, remark: str) -> None:
    for option in TEXT_OPTIONS:
        parser.add_argument(f"--{option}", default=None, metavar="TEXT", help=f"{option} of the tenant; {remark}")


# -- reading


async def _survey(context: Context) -> tuple[Session, Survey]:
    from core.tenants.listing import survey

    session = await context.session()
    found = await survey(
        session.engine,
        session.journal,
        datalens_user=session.profile.datalens.user,
        capabilities=session.capabilities,
    )
    return session, found


async def _list(context: Context) -> None:
    from dataclasses import asdict
    from datetime import UTC, datetime

    from core.display import byte_size, count, relative_time
    from tui.cli.output import Column

    arguments = context.arguments
    _, found = await _survey(context)
    tenants = [*found.tenants, *(found.others if arguments.all or arguments.state == "unmanaged" else ())]
    chosen = [tenant for tenant in tenants if _matches(tenant, arguments.filter, arguments.state)]
    chosen.sort(key=lambda tenant: tenant.name)
    if arguments.sort != "name":
        chosen.sort(key=lambda tenant: _largest_first(getattr(tenant, arguments.sort)))
    now = datetime.now(UTC)
    columns = [
        Column("name", "NAME"),
        Column("state", "STATE", show=lambda state: str(state.value)),
        Column("tables", "TABLES", "right", count),
        Column("rows", "ROWS", "right", count),
        Column("bytes", "SIZE", "right", byte_size),
        Column("last_read", "LAST READ", show=lambda at: "-" if found.last_read_problem else relative_time(at, now)),
        Column("tokens", "TOKENS", "right", count),
        Column("owner", "OWNER"),
    ]
    empty = "No tenant matches." if tenants else "There is no tenant yet. Create one: housekeys tenant add NAME"
    context.output.rows(columns, [asdict(tenant) for tenant in chosen], empty=empty)
    for problem in (found.reading.problem, found.last_read_problem):
        if problem and not context.output.json:
            context.output.message(f"Note: {problem}")


def _matches(tenant: Tenant, text: str, state: str | None) -> bool:
    if state is not None and tenant.state.value != state.replace("-", " "):
        return False
    return any(text.casefold() in part.casefold() for part in (tenant.name, *tenant.texts().values()))


def _largest_first(value: Any) -> tuple[bool, float]:
    """A key that sorts None last and larger or later before smaller."""
    if value is None:
        return True, 0.0
    return False, -(value if isinstance(value, int) else value.timestamp())


async def _show(context: Context) -> None:
    from dataclasses import asdict

    from core.display import byte_size, count, exact_time

    _, found = await _survey(context)
    tenant = found.find(context.arguments.name)
    last_read = f"not known: {found.last_read_problem}" if found.last_read_problem else exact_time(tenant.last_read)
    fields = {
        "Name": tenant.name,
        "State": f"{tenant.state.value}. {tenant.remark}" if tenant.remark else tenant.state.value,
        "Engine": tenant.engine,
        "Tables": count(tenant.tables),
        "Rows": count(tenant.rows),
        "Size": byte_size(tenant.bytes),
        "Last read": last_read,
        "Tokens": count(tenant.tokens),
        "Created": exact_time(tenant.created) if tenant.created else "not by Housekeys",
        "Owner": tenant.owner,
        "Contact": tenant.contact,
        "Ticket": tenant.ticket,
        "Note": tenant.note,
    }
    context.output.record(fields, asdict(tenant))


# -- changing


async def _add(context: Context) -> None:
    from core.tenants.planning import plan_create
    from core.tenants.steps import DatabaseEngine

    arguments = context.arguments
    session = await context.session()
    requests = _requests(arguments.names, arguments)
    if arguments.source is not None:
        requests += await _requests_from(context, session)
    if not requests:
        raise BadInputError("No name is given.", advice="Give names, or --from FILE.")
    change = await plan_create(
        session.engine,
        session.journal,
        requests,
        datalens_user=session.profile.datalens.user,
        cluster=session.profile.cluster,
        database_engine=DatabaseEngine(arguments.engine) if arguments.engine else None,
    )
    await _carry_out(context, change, "created")


def _requests(names: Sequence[str], arguments: argparse.Namespace) -> list[TenantRequest]:
    from core.tenants.requests import TenantRequest

    texts = {option: getattr(arguments, option) or "" for option in TEXT_OPTIONS}
    return [TenantRequest(name, **texts) for name in names]


async def _requests_from(context: Context, session: Session) -> list[TenantRequest]:
    from core.tenants.requests import read_requests
    from tui.cli.given_files import given_content, name_of

    source: str = context.arguments.source
    content = await given_content(context, source, LARGEST_FILE)
    return list(read_requests(content, name_of(source), journal_database=session.profile.database))


async def _adopt(context: Context) -> None:
    from core.tenants.planning import plan_adopt

    session = await context.session()
    change = await plan_adopt(
        session.engine,
        session.journal,
        _requests(context.arguments.names, context.arguments),
        datalens_user=session.profile.datalens.user,
        cluster=session.profile.cluster,
    )
    await _carry_out(context, change, "adopted")


async def _suspend(context: Context) -> None:
    from core.tenants.planning import plan_suspend

    await _change_access(context, plan_suspend, "suspended")


async def _resume(context: Context) -> None:
    from core.tenants.planning import plan_resume

    await _change_access(context, plan_resume, "resumed")


async def _change_access(context: Context, plan: Callable[..., Awaitable[Change]], done: str) -> None:
    session = await context.session()
    change = await plan(
        session.engine,
        session.journal,
        context.arguments.names,
        datalens_user=session.profile.datalens.user,
        cluster=session.profile.cluster,
    )
    await _carry_out(context, change, done)


async def _remove(context: Context) -> None:
    from core.tenants.removal import plan_remove

    session = await context.session()
    change = await plan_remove(
        session.engine,
        session.journal,
        context.arguments.name,
        datalens_user=session.profile.datalens.user,
        cluster=session.profile.cluster,
        only_revoke=context.arguments.only_revoke,
    )
    await _carry_out(context, change, "removed")


async def _describe(context: Context) -> None:
    from core.tenants.planning import plan_describe

    texts = {option: getattr(context.arguments, option) for option in TEXT_OPTIONS}
    if all(text is None for text in texts.values()):
        raise BadInputError("Nothing is given to note.", advice="Use --owner, --contact, --ticket or --note.")
    session = await context.session()
    change = await plan_describe(
        session.engine,
        session.journal,
        context.arguments.name,
        datalens_user=session.profile.datalens.user,
        **texts,
    )
    await _carry_out(context, change, "described")


async def _carry_out(context: Context, change: Change, done: str) -> None:
    """Run `change` and tell what became of each tenant; with --json as data."""
    from core.changes import Danger
    from core.display import one_line

    if not change.steps and not context.arguments.dry_run:
        if context.output.json:
            context.output.data({"change": None, done: [], "failed": []})
        for line in (f"{one_line(change.title)}.", *change.consequences):
            context.output.message(one_line(line))
        return
    report = await context.carry_out(change, allow_partial=context.output.json)
    names, failed = _results(report)
    if context.output.json:
        context.output.data({"change": report.change_id, done: names, "failed": failed})
        return
    context.output.message(f"{one_line(names[0])}: {done}." if len(names) == 1 else f"{len(names):,} tenants {done}.")
    if change.danger is Danger.ROUTINE:  # nothing was asked, so nothing of this was seen
        for consequence in change.consequences:
            context.output.message(one_line(consequence))


def _results(report: Report) -> tuple[list[str], list[dict[str, str]]]:
    """The tenants for which every step was done, and those for which one failed, each with its first error."""
    failed: dict[str, str] = {}
    names: dict[str, None] = {}
    subject_of: dict[int, str] = {}
    for outcome in report.outcomes:
        step = report.change.steps[outcome.index]
        subject = next((event.subject for event in step.events if event.subject_kind == "tenant"), None)
        if subject is None and step.needs is not None:
            subject = subject_of.get(step.needs)
        if subject is None:
            continue
        subject_of[outcome.index] = subject
        names[subject] = None
        if outcome.state != "done":
            failed.setdefault(subject, str(outcome.error) if outcome.error is not None else outcome.state)
    done = [name for name in names if name not in failed]
    return done, [{"name": name, "error": error} for name, error in failed.items()]
