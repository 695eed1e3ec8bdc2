"""`housekeys partner credential`: the Basic credentials by which Databricks identifies itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import RefusedError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.partner.security.basic_credentials import Presented
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verb `credential` with its own."""
    frame.group(verbs, "credential", "the Basic credentials that Databricks calls with", _add_inner_verbs)


def _add_inner_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    add = frame.verb(
        verbs,
        "add",
        add_credential,
        "make a credential; those before stay valid",
        description="Make a credential with a random password; those before stay valid, so that\n"
        "Databricks can go over to it. It is shown once, or written to a file that only\n"
        "you may read; what is kept is a salted hash. To rotate: add, give it to\n"
        "Databricks, and when `list` says that the old one is used no more, remove it.",
        examples=(
            "housekeys partner credential add",
            "housekeys partner credential add --user databricks-2027 --output databricks.json",
        ),
    )
    add.add_argument("--user", default="databricks", help="(default: databricks)")
    add.add_argument("--output", type=Path, metavar="FILE", help="write it to a new file (0600) instead")
    frame.verb(
        verbs,
        "list",
        list_credentials,
        "list the credentials that are valid, and when each was used last",
        examples=("housekeys partner credential list", "housekeys partner credential list --json"),
    )
    remove = frame.verb(
        verbs,
        "remove",
        remove_credential,
        "end a credential: who still calls with it is answered 401",
        examples=("housekeys partner credential remove 5f0a91c2",),
    )
    remove.add_argument("id", metavar="ID", help="as in the list")


async def add_credential(context: Context) -> None:
    """Handle `partner credential add`."""
    from core.partner.credential_files import written_to

    session, arguments = await context.session(), context.arguments
    if not (arguments.output or arguments.dry_run or context.output.json or context.interactive):
        raise RefusedError(
            "A credential is shown to a person at a terminal only.",
            advice="Have it written to a file: --output FILE; or take it as JSON: --json.",
        )
    presented, change = session.partner_connections.plan_add_credential(arguments.user)
    if arguments.output:
        change = written_to(change, presented, arguments.output)
    await context.carry_out(change)
    if arguments.output:
        if context.output.json:
            context.output.data({"user": presented.user, "file": arguments.output})
        context.output.message(f"{change.title}: {arguments.output}, which only you can read.")
        return
    _print(context, presented)
    context.output.message("This is shown once. Services take it within a second.")


def _print(context: Context, presented: Presented) -> None:
    """The one place where a credential is printed: it was made up here, and nobody else has it."""
    from core.partner.security.basic_credentials import header_value

    header, password = header_value(presented).reveal(), presented.password.reveal()
    value = {"user": presented.user, "password": password, "authorization": header}
    context.output.record({"User": presented.user, "Password": password, "Authorization": header}, value)


async def list_credentials(context: Context) -> None:
    """Handle `partner credential list`."""
    from datetime import UTC, datetime

    from core.display import relative_time
    from tui.cli.output import Column

    credentials = await (await context.session()).partner_connections.credentials()
    now = datetime.now(UTC)
    columns = [
        Column("id", "ID"),
        Column("user", "USER"),
        Column("hashing", "HASH"),
        Column("created", "MADE", show=lambda moment: relative_time(moment, now)),
        Column("last_used", "LAST USED", show=lambda moment: relative_time(moment, now) if moment else "never"),
    ]
    rows = [
        {
            "id": credential.id,
            "user": credential.user,
            "hashing": credential.hashing,
            "created": credential.created,
            "last_used": credential.last_used,
        }
        for credential in credentials
    ]
    empty = "There is no credential: Databricks cannot call. Make one: housekeys partner credential add"
    context.output.rows(columns, rows, empty=empty)


async def remove_credential(context: Context) -> None:
    """Handle `partner credential remove`."""
    session = await context.session()
    change = await session.partner_connections.plan_remove_credential(context.arguments.id)
    report = await context.carry_out(change)
    if context.output.json:
        context.output.data({"change": report.change_id, "id": context.arguments.id})
    context.output.message(f"Done: {change.title}.")
