"""`housekeys access` with questions: effective, who-can, audit, review, lint."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ExitCode
from tui.cli.access_entities import known_members, present_access
from tui.cli.arguments import Frame, moment

SHOWN = 20  # objects on which there are rights without a grant; --json has all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.access.access_model import AccessModel
    from core.access.effective.rights import RightsIndex
    from core.access.lint.findings import Finding
    from core.access_reports.audit import AuditRow
    from core.access_reports.review import ReviewItem
    from core.access_reports.sheets import Sheet
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    _add_questions(verbs, frame)
    _add_reports(verbs, frame)
    _add_lint(verbs, frame)


def _add_questions(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    effective = frame.verb(
        verbs,
        "effective",
        show_effective,
        "what a user or role may do, and by which role",
        examples=(
            "housekeys access effective ann",
            "housekeys access effective ann --object acme.orders --json",
        ),
    )
    effective.add_argument("name", metavar="NAME", help="a user or role; of one name the user")
    effective.add_argument("--object", default=None, metavar="PLACE", help="only what is about db.table, db.* or *.*")
    who_can = frame.verb(
        verbs,
        "who-can",
        show_who_can,
        "every user and role that may do something, and by which role",
        examples=(
            "housekeys access who-can SELECT acme.orders",
            "housekeys access who-can 'SELECT(salary)' acme.people --json",
        ),
    )
    who_can.add_argument("privilege", metavar="PRIVILEGE", help="as in SQL; columns in brackets")
    who_can.add_argument("place", metavar="OBJECT", help="db.table, db.*, *.*, or the name that the privilege takes")


def _add_reports(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    audit = frame.verb(
        verbs,
        "audit",
        show_audit,
        "every right of every user, with its path and all that limits it",
        examples=(
            "housekeys access audit --format csv --out audit.csv",
            "housekeys access audit --format html --out audit.html",
            "housekeys access audit --format json",
        ),
    )
    review = frame.verb(
        verbs,
        "review",
        show_review,
        "what expires, who is dormant, who has too much, what changed",
        examples=(
            "housekeys access review",
            "housekeys access review --since 2026-09-01 --format html --out review.html",
            "housekeys access review --since 12w --format json",
        ),
    )
    review.add_argument("--since", type=moment, default=None, metavar="WHEN",
                        help="changes since then: 7d, 12w, or a date (UTC); 30 days ago is the default")  # fmt: skip
    for parser in (audit, review):
        parser.add_argument("--format", choices=("csv", "json", "html"), default=None,
                            help="csv, or a table at a terminal, is the default")  # fmt: skip
        parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="write it there (0600)")


def _add_lint(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    lint = frame.verb(
        verbs,
        "lint",
        lint_access,
        "what is wrong, risky or without effect, and why",
        description="Lint files without any engine, or without FILE what the server holds. Exit code 1: there are\n"
        "errors. With --fix the statements of the safe fixes go to stdout, and the findings to stderr;\n"
        "a password in clear becomes its hash in them. ClickHouse does not know who is a member of an\n"
        "organization in ClickHouse Cloud: with their addresses (--members, or console_members in the\n"
        "profile) roles of its SQL console that belong to nobody any more are found.",
        examples=(
            "housekeys access lint",
            "housekeys access lint users.xml access.sql",
            "housekeys access lint --fix",
            "housekeys access lint --members members.csv",
        ),
    )
    lint.add_argument("files", type=Path, nargs="*", metavar="FILE", help="SQL, users.xml, or a folder with one")
    lint.add_argument("--members", type=Path, default=None, metavar="FILE",
                      help="all of them: an address a line, CSV with a column email, JSON of Cloud's API")  # fmt: skip
    lint.add_argument("--fix", action="store_true", help="print the statements of the safe fixes; nothing is run")


async def _index(context: Context) -> RightsIndex:
    import asyncio

    from core.access.effective.rights import RightsIndex
    from core.access_changes.present import read_privileges

    session, present = await present_access(context)
    privileges = await read_privileges(session.engine)
    return await asyncio.to_thread(RightsIndex, present.model, privileges)


async def show_effective(context: Context) -> None:
    """Handle `access effective`."""
    from datetime import UTC, datetime

    from core.access_reports.questions import (
        effective_rows,
        holder_named,
        implicit_texts,
        limits_value,
        object_named,
    )
    from tui.cli.output import Column

    place = None if context.arguments.object is None else object_named(context.arguments.object)
    index = await _index(context)
    holder = holder_named(index, context.arguments.name)
    effective = index.effective(holder)
    rows = effective_rows(effective, place)
    limits, implicit = limits_value(effective, datetime.now(UTC)), implicit_texts(effective, place)
    if context.output.json:
        value = {"kind": holder.kind.lower(), "name": holder.name, "rights": rows, "implicit": implicit}
        context.output.data({**value, "limits": limits})
        return
    for row in rows:
        if row["revoked"]:
            row["right"] = f"(revoked) {row['right']}"
    columns = [
        Column("right", "RIGHT"),
        Column("path", "BY ROLE"),
        Column("active", "ACTIVE", show=_yes_no),
        Column("grant_option", "MAY PASS ON", show=_yes_no),
    ]
    context.output.rows(columns, rows, empty="There are no rights, but for what everybody may.")
    facts = {key.replace("_", " ").capitalize(): _shown(value) for key, value in limits.items()}
    more = [f"and {len(implicit) - SHOWN:,} more"] * (len(implicit) > SHOWN)
    context.output.record({**facts, "Without a grant": "\n".join([*implicit[:SHOWN], *more])}, limits)


def _yes_no(value: Any) -> str:
    return "yes" if value else "no"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _yes_no(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


async def show_who_can(context: Context) -> None:
    """Handle `access who-can`."""
    import asyncio

    from core.access_reports.questions import asked_right, who_can_rows
    from tui.cli.output import Column

    right = asked_right(context.arguments.privilege, context.arguments.place)
    index = await _index(context)
    rows = await asyncio.to_thread(who_can_rows, index, right)
    columns = [
        Column("kind", "KIND"),
        Column("name", "NAME"),
        Column("extent", "HAS"),
        Column("path", "BY ROLE"),
        Column("active", "ACTIVE", show=_yes_no),
        Column("grant_option", "MAY PASS ON"),
    ]
    context.output.rows(columns, rows, empty="Nobody can.")


async def show_audit(context: Context) -> None:
    """Handle `access audit`."""
    import asyncio
    from datetime import UTC, datetime

    from core.access_changes.present import read_privileges
    from core.access_reports.audit import audit, audit_sheet

    session, present = await present_access(context)
    now = datetime.now(UTC)
    rows = await asyncio.to_thread(audit, present.model, now, await read_privileges(session.engine))
    if _read_by_a_person(context):
        _print_audit(context, rows)
    else:
        await _write(context, audit_sheet(rows, f"Access on {session.profile.name}"), now)


def _print_audit(context: Context, rows: Sequence[AuditRow]) -> None:
    from core.access_reports.audit import limited_by
    from tui.cli.output import Column

    columns = [
        Column("user", "USER"),
        Column("state", "STATE"),
        Column("privilege", "PRIVILEGE"),
        Column("object", "ON"),
        Column("path", "BY ROLE"),
        Column("passed_on", "MAY PASS ON", show=_yes_no),
        Column("limited_by", "LIMITED BY"),
    ]
    shown = [
        {
            "user": row.user,
            "state": row.state,
            "privilege": f"{row.privilege or '-'}{f'({row.columns})' if row.columns else ''}",
            "object": row.object or "-",
            "path": row.path or "-",
            "passed_on": row.grant_option,
            "limited_by": limited_by(row),
        }
        for row in rows
    ]
    context.output.rows(columns, shown)
    context.output.message("A column for each fact: --json, --format csv or --format html.")


async def _write(context: Context, sheet: Sheet, now: datetime) -> None:
    """A sheet in the format that was asked for, to stdout or to the file that was named."""
    import asyncio

    from core.access_reports.sheets import SheetFormat, sheet_text, write_sheet

    arguments = context.arguments
    form = SheetFormat.JSON if context.output.json else SheetFormat(arguments.format or "csv")
    if arguments.out is None:
        context.output.stdout.write(sheet_text(sheet, form, now))
    elif arguments.dry_run:
        context.output.message(f"Would write {arguments.out}.")
    else:
        written = await asyncio.to_thread(write_sheet, sheet, arguments.out, form, now)
        context.output.message(f"{len(sheet.rows):,} rows are written to {written}.")


async def show_review(context: Context) -> None:
    """Handle `access review`."""
    from datetime import UTC, datetime, timedelta

    from core.access_changes.present import read_privileges
    from core.access_reports.review import review_sheet
    from core.reviewing import DEFAULT_DAYS, read_board

    session, present = await present_access(context)
    now = datetime.now(UTC)
    since = context.arguments.since or now - timedelta(days=DEFAULT_DAYS)
    privileges = await read_privileges(session.engine)
    board = await read_board(session, present.without_built_in(), now, since, privileges)
    for note in board.notes:
        context.output.message(f"Note: {note}")
    if _read_by_a_person(context):
        _print_review(context, board.items)
    else:
        await _write(context, review_sheet(board.items, session.profile.name, board.notes), now)


def _read_by_a_person(context: Context) -> bool:
    """Whether a sheet goes to a terminal in no format that was asked for."""
    asked = context.output.json or context.arguments.format is not None or context.arguments.out is not None
    return not asked and context.output.stdout.isatty()


def _print_review(context: Context, items: Sequence[ReviewItem]) -> None:
    from core.access.planning.plan import title
    from tui.cli.output import Column

    columns = [
        Column("severity", "SEVERITY"),
        Column("what", "WHAT"),
        Column("who", "WHO"),
        Column("when", "SINCE/UNTIL"),
        Column("why", "WHY"),
    ]
    rows = [
        {"severity": item.severity, "what": item.kind, "who": title(item.entity), "why": item.why, "when": item.when}
        for item in items
    ]
    context.output.rows(columns, rows, empty="There is nothing to look at.")
    if rows:
        context.output.message("What each means, and what to do: --json, --format csv or --format html.")


async def lint_access(context: Context) -> None:
    """Handle `access lint`."""
    from core.access_reports.lint_report import finding_rows, fixing_statements, has_errors

    found = await _lint_files(context) if context.arguments.files else [await _lint_server(context)]
    rows = [row for _, findings, problems in found for row in finding_rows(findings, problems)]
    context.exit_code = ExitCode.FAILED if has_errors(rows) else ExitCode.DONE
    if context.arguments.fix:
        statements = [line for model, findings, _ in found for line in fixing_statements(model, findings)]
        if context.output.json:
            context.output.data({"findings": rows, "statements": statements})
        else:
            _print_findings(rows, context.output.message)
            for line in statements:
                context.output.text(f"{line};")
    elif context.output.json:
        context.output.data(rows)
    else:
        _print_findings(rows, context.output.text)
        if not rows:
            context.output.message("Nothing was found.")


_Linted = tuple["AccessModel", "tuple[Finding, ...]", Any]


async def _lint_files(context: Context) -> list[_Linted]:
    import asyncio
    from datetime import UTC, datetime

    from core.access.lint.linting import lint
    from core.access_reports.files import Format, read_access_file
    from core.access_reports.lint_report import lint_context

    members = await _members_named(context)
    found: list[_Linted] = []
    for path in context.arguments.files:
        file = await asyncio.to_thread(read_access_file, path)
        for_xml = file.format is Format.XML
        about = lint_context(datetime.now(UTC), for_users_xml=for_xml, console_emails=members)
        findings = await asyncio.to_thread(lint, file.model, about)
        found.append((file.model, findings, file.problems))
    return found


async def _members_named(context: Context) -> frozenset[str] | None:
    """The members in the file that was named with the command."""
    import asyncio

    from core.access_reports.console_members import read_members

    path = context.arguments.members
    return None if path is None else await asyncio.to_thread(read_members, path.expanduser())


async def _lint_server(context: Context) -> _Linted:
    import asyncio
    from datetime import UTC, datetime

    from core.access.lint.linting import lint
    from core.access_changes.present import read_privileges
    from core.access_reports.lint_report import lint_context
    from core.reviewing import tenant_names

    members = await _members_named(context)
    session, present = await present_access(context)
    if members is None:
        members = await known_members(context, session)
    about = lint_context(
        datetime.now(UTC),
        await read_privileges(session.engine),
        version=session.capabilities.version_tuple,
        datalens_user=session.profile.datalens.user,
        tenants=await tenant_names(session),
        console_emails=members,
    )
    model = present.without_built_in()
    return model, await asyncio.to_thread(lint, model, about), ()


def _print_findings(rows: list[dict[str, Any]], line: Any) -> None:
    from core.display import one_line

    for row in rows:
        place = f"{row['file']}:{row['line'] or 1}: " if row["file"] else ""
        line(one_line(f"{place}{row['severity']}: {row['title']} [{row['id']}]"))
        for text in (row["explanation"], row["advice"], row["fix"] and f"Fix: {row['fix']}"):
            if text:
                line(one_line(f"    {text}"))
