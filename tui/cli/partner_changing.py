"""`housekeys partner` changing: delete, expire, renew, purchase, invite, delete-account."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import BadInputError
from tui.cli.arguments import Frame, Handler
from tui.cli.partner_reading import ACCOUNT_HELP, CONNECTION_HELP

if TYPE_CHECKING:
    from core.changes import Change
    from core.partner.partner_connections import PartnerConnections
    from tui.cli.context import Context

LONGEST_TRIAL = 3650  # days


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    delete = frame.verb(
        verbs,
        "delete",
        _handler(lambda connections, words: connections.plan_delete(words.connection)),
        "delete a partner connection: its secrets are erased",
        description="Delete a partner connection: its secrets are erased, the account and its data\n"
        "stay. Databricks is not told; there it is deleted in Partner Connect.",
        examples=("housekeys partner delete pcq4x",),
    )
    delete.add_argument("connection", metavar="CONNECTION", help=CONNECTION_HELP)
    _add_account_verb(
        verbs,
        frame,
        "expire",
        lambda connections, words: connections.plan_expire_account(words.account),
        "end the trial of an account, for all of its users",
        "housekeys partner expire acme.example",
    )
    renew = _add_account_verb(
        verbs,
        frame,
        "renew",
        _plan_renew,
        "give an account another trial",
        "housekeys partner renew acme.example --days 30",
    )
    length = renew.add_mutually_exclusive_group()
    length.add_argument("--days", type=int, metavar="N", help="from now on (default: as the profile says)")
    length.add_argument("--endless", action="store_true", help="no time ends it")
    _add_account_verb(
        verbs,
        frame,
        "purchase",
        lambda connections, words: connections.plan_purchase(words.account),
        "note that an account has bought the product: no trial ends any more",
        "housekeys partner purchase acme.example",
    )
    invite = _add_account_verb(
        verbs,
        frame,
        "invite",
        lambda connections, words: connections.plan_invite(words.account, words.email),
        "let somebody join an account, whatever is done with others who come new",
        "housekeys partner invite acme.example ann@acme.example",
    )
    invite.add_argument("email", metavar="EMAIL")
    _add_account_verb(
        verbs,
        frame,
        "delete-account",
        lambda connections, words: connections.plan_delete_account(words.account),
        "delete an account: its users, their data and its partner connections",
        "housekeys partner delete-account acme.example",
    )


Plan = Callable[["PartnerConnections", argparse.Namespace], Awaitable["Change"]]


def _add_account_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    frame: Frame,
    name: str,
    plan: Plan,
    help_line: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = frame.verb(verbs, name, _handler(plan), help_line, examples=(example,))
    parser.add_argument("account", metavar="ACCOUNT", help=ACCOUNT_HELP)
    return parser


def _handler(plan: Plan) -> Handler:
    """Handles a verb that is one change."""

    async def handle(context: Context) -> None:
        session = await context.session()
        change = await plan(session.partner_connections, context.arguments)
        report = await context.carry_out(change)
        if context.output.json:
            context.output.data({"change": report.change_id, "title": change.title})
        context.output.message(f"Done: {change.title}.")

    return handle


async def _plan_renew(connections: PartnerConnections, words: argparse.Namespace) -> Change:
    if words.endless:
        return await connections.plan_renew(words.account, None)
    days = words.days
    if days is None:
        if connections.policy is None:
            raise BadInputError("The profile says no length of trials.", advice="Say it: --days N, or --endless.")
        days = connections.policy.trial.days
    if not 1 <= days <= LONGEST_TRIAL:
        raise BadInputError(f"--days must be from 1 to {LONGEST_TRIAL:,}, not {days}.")
    return await connections.plan_renew(words.account, datetime.now(UTC) + timedelta(days=days))
