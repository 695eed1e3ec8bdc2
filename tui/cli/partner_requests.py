"""`housekeys partner` on what services have answered: requests (with a live tail), statistics."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from core.display import count, one_line
from core.errors import BadInputError, UnreachableError
from tui.cli.arguments import Frame, moment
from tui.cli.output import Column, json_default
from tui.cli.partner_reading import ACCOUNT_HELP, CONNECTION_HELP

if TYPE_CHECKING:
    from core.partner.partner_connections import PartnerConnections
    from core.partner.storage.request_log import RequestTail
    from core.partner.storage.requests_seen import AnsweredRequest
    from tui.cli.context import Context

FOLLOW_SECONDS: Final = 1.0
LONGEST_DAYS: Final = 366
MOST: Final = 1_000_000
FIRST_ERROR: Final = 400  # the first status that is one
# The parts of a line of the live tail with the cells that they take, or need at least; the most important first.
_PARTS: Final = (
    ("time", 8),
    ("status", 3),
    ("endpoint", 17),
    ("word", 20),
    ("problem", 24),
    ("seconds", 8),
    ("account", 12),
    ("connection", 12),
    ("date", 10),
)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    requests = frame.verb(
        verbs,
        "requests",
        list_requests,
        "what services have answered, and what they answer now",
        description="List the requests that services have answered, of all processes, oldest first.\n"
        "With --follow go on with what comes, until Ctrl-C; with --json that is one\n"
        "object a line. No secret and no e-mail address is in it.",
        examples=(
            "housekeys partner requests --follow",
            "housekeys partner requests --errors --since 2h",
            "housekeys partner requests --account acme.example --json",
        ),
    )
    requests.add_argument("--follow", action="store_true", help="go on with what comes")
    requests.add_argument(
        "--since", type=moment, metavar="WHEN", help="from then on: 30m, 2h, 7d ago, or a date (default: the last ones)"
    )
    requests.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (default: 50)")
    requests.add_argument("--errors", action="store_true", help="only those that were answered with an error")
    whose = requests.add_mutually_exclusive_group()
    whose.add_argument("--account", metavar="ACCOUNT", help=ACCOUNT_HELP)
    whose.add_argument("--connection", metavar="CONNECTION", help=CONNECTION_HELP)
    statistics = frame.verb(
        verbs,
        "statistics",
        show_statistics,
        "requests by day, endpoint and answer, and how quick the answers were",
        examples=("housekeys partner statistics --days 7", "housekeys partner statistics --json"),
    )
    statistics.add_argument("--days", type=int, default=30, metavar="N", help="today and those before (default: 30)")


async def list_requests(context: Context) -> None:
    """Handle `partner requests`."""
    from dataclasses import asdict

    arguments = context.arguments
    if not 1 <= arguments.limit <= MOST:
        raise BadInputError(f"--limit must be from 1 to {MOST:,}, not {arguments.limit}.")
    connections = (await context.session()).partner_connections
    account, connection = await _whose(connections, arguments)
    before = await connections.requests(1, account=account, connection=connection) if arguments.follow else []
    found = await connections.requests(
        arguments.limit, account=account, connection=connection, since=arguments.since, errors=arguments.errors
    )
    found.reverse()
    if arguments.follow:
        after = next(iter(before), None)
        await follow(context, found, connections.requests_tail(after, account=account, connection=connection))
        return
    columns = [
        Column("at", "TIME (UTC)", show=lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
        Column("endpoint", "ENDPOINT", show=_or_dash),
        Column("status", "STATUS", "right"),
        Column("word", "ANSWER", show=_or_dash),
        Column("seconds", "SECONDS", "right", lambda seconds: f"{seconds:.3f}"),
        Column("account_id", "ACCOUNT", show=_short),
        Column("connection_id", "CONNECTION", show=_short),
        Column("problem", "PROBLEM", show=lambda problem: one_line(problem, 80)),
    ]
    empty = "No request was answered. The newest ones come with about a second's delay."
    context.output.rows(columns, list(map(asdict, found)), empty=empty)


async def _whose(connections: PartnerConnections, arguments: argparse.Namespace) -> tuple[str, str]:
    """The account or the partner connection whose requests are asked for, by their whole ids; empty: all."""
    if arguments.account:
        return (await connections.account(arguments.account)).account.id, ""
    if arguments.connection:
        return "", (await connections.state(arguments.connection)).connection.id
    return "", ""


async def follow(context: Context, found: list[AnsweredRequest], tail: RequestTail) -> None:
    """Print what was found and what comes, until Ctrl-C, which ends it. A ClickHouse that is away is waited for."""
    import asyncio

    told, away = {request.id for request in found}, False
    try:
        while True:
            for request in found:
                _print_line(context, request)
            context.output.stdout.flush()
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                come = await tail.next()
            except UnreachableError as error:
                if not away:
                    context.output.message(f"{error} It is asked again each second.")
                found, away = [], True
                continue
            if away:
                context.output.message("It answers again.")
            away = False
            new = [request for request in come if request.id not in told]
            told.clear()  # the tail itself tells none twice
            found = [one for one in new if one.status >= FIRST_ERROR or not context.arguments.errors]
    except asyncio.CancelledError:
        return


def _print_line(context: Context, request: AnsweredRequest) -> None:
    from dataclasses import asdict

    if context.output.json:
        context.output.text(json.dumps(asdict(request), default=json_default, ensure_ascii=False))
    else:
        context.output.text(request_line(request, context.output.width))


def request_line(request: AnsweredRequest, width: int | None) -> str:
    """A request in a line of `width` cells: what does not fit is left out, the least important first. None: all of it.

    What stays is below that of other requests, as long as the width is the same.
    """
    cells = {
        "date": f"{request.at:%Y-%m-%d}",
        "time": f"{request.at:%H:%M:%S}",
        "endpoint": f"{request.endpoint or request.method:<17}",
        "status": str(request.status),
        "word": f"{request.word or '-':<20}",
        "seconds": f"{request.seconds:6.3f} s",
        "account": f"{_short(request.account_id):<12}",
        "connection": f"{_short(request.connection_id):<12}",
        "problem": one_line(request.problem, 80),
    }
    shown = cells.keys() if width is None else _fitting(width)
    return one_line("  ".join(one_line(cells[name]) for name in cells if name in shown).rstrip(), width)


def _fitting(width: int) -> Collection[str]:
    """The parts of a line that have room; a problem takes what they leave."""
    shown, taken = [], -2  # no gap is before the first
    for name, cells in _PARTS:
        taken += cells + 2
        if taken > width:
            break
        shown.append(name)
    return shown


async def show_statistics(context: Context) -> None:
    """Handle `partner statistics`."""
    from dataclasses import asdict

    days = context.arguments.days
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInputError(f"--days must be from 1 to {LONGEST_DAYS}, not {days}.")
    counts = await (await context.session()).partner_connections.by_day(days)
    columns = [
        Column("day", "DAY (UTC)"),
        Column("endpoint", "ENDPOINT", show=_or_dash),
        Column("status", "STATUS", "right"),
        Column("word", "ANSWER", show=_or_dash),
        Column("count", "REQUESTS", "right", count),
        Column("slow", "OVER 1 s", "right", count),
        Column("p99", "99 % WITHIN", "right", lambda seconds: f"{seconds:.3f} s"),
    ]
    context.output.rows(columns, list(map(asdict, counts)), empty="No request was answered in that time.")


def _short(id: str) -> str:
    return id[:12] or "-"


def _or_dash(text: str) -> str:
    return text or "-"
