"""`housekeys connection` looking: list, show."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tui.cli.arguments import Frame
from tui.cli.connection_options import NAME_HELP, add_syntax_option, chosen_syntax

if TYPE_CHECKING:
    from core.lakehouse.api_connections import Board
    from core.lakehouse.connections import ListedConnection
    from core.lakehouse.state import ConnectionState, Mark
    from tui.cli.context import Context

NOT_KNOWN = "not known here"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    frame.verb(
        verbs,
        "list",
        list_connections,
        "list the connections: how each stands, and what is next",
        description="List the connections that are looked after, and others that the Lakehouse\n"
        "lists, if the profile names one. STATE is the worst there is to say: open\n"
        "trust (the role can be assumed without an external id), id mismatch, drifted,\n"
        "unfinished, unverified, or ready.",
        examples=("housekeys connection list", "housekeys connection list --json"),
    )
    show = frame.verb(
        verbs,
        "show",
        show_connection,
        "everything known about one connection, and its next step with all texts",
        examples=("housekeys connection show udf_conn", "housekeys connection show udf_conn --json"),
    )
    show.add_argument("name", metavar="NAME", help=NAME_HELP)
    add_syntax_option(show)


async def list_connections(context: Context) -> None:
    """Handle `connection list`."""
    from datetime import UTC, datetime

    from core.display import relative_time
    from tui.cli.output import Column

    session = await context.session()
    board = await session.connections.board()
    now = datetime.now(UTC)

    def age(mark: dict[str, Any] | None) -> str:
        return "never" if mark is None else relative_time(mark["at"], now)

    columns = [
        Column("name", "NAME"),
        Column("provider", "CLOUD", show=_or_dash),
        Column("region", "REGION", show=_or_dash),
        Column("state", "STATE"),
        Column("next", "NEXT", show=lambda stage: "-" if stage in (None, "ready") else str(stage)),
        Column("external_id", "EXTERNAL ID", show=_or_dash),
        Column("verified", "VERIFIED", show=age),
    ]
    empty = "There is no API connection yet. Define one: housekeys connection create --help"
    rows = _rows(board)
    context.output.rows(columns, rows, empty=empty)
    if board.error is not None:
        context.output.message(f"Note: the Lakehouse could not be asked what it has: {board.error}")
    if any(row["next"] == "import" for row in rows) and not context.output.json:
        context.output.message("What is not known here can be taken over: housekeys connection import FILE.sql")


def _rows(board: Board) -> list[dict[str, Any]]:
    from tui.cli.connection_next import connection_value

    rows = [*map(connection_value, board.states), *map(_listed, board.others)]
    return sorted(rows, key=lambda row: str(row["name"]))


def _listed(other: ListedConnection) -> dict[str, Any]:
    return {
        "name": other.name,
        "known": False,
        "provider": None,
        "region": None,
        "external_id": None,
        "verified": None,
        "state": NOT_KNOWN,
        "next": "import" if other.type.upper() in ("", "CLOUD_FUNCTION") else None,  # another type is not for us
        "type": other.type,
        "enabled": other.enabled,
        "created_time": other.created,
    }


def _or_dash(value: Any) -> str:
    return str(value) if value else "-"


async def show_connection(context: Context) -> None:
    """Handle `connection show`."""
    from tui.cli.connection_next import tell_next

    session = await context.session()
    state = await session.connections.state(context.arguments.name)
    if not context.output.json:
        context.output.record(_fields(state), {})
        context.output.message("")
    await tell_next(context, session, state.name, chosen_syntax(context.arguments))


def _fields(state: ConnectionState) -> dict[str, str]:
    from core.lakehouse.provisioning.plan import Wanted

    connection = state.connection
    documents = Wanted.of(state).documents()
    return {
        "Name": state.name,
        "Cloud": connection.provider.cloud,
        "Region": connection.region,
        "Role": connection.role_arn,
        "Code bucket": connection.code_bucket,
        "Further buckets": ", ".join(state.more_buckets),
        "Namespace": connection.namespace,
        "Comment": connection.comment,
        "Policies": f"{', '.join(p.policy.name for p in documents.permissions)} ({state.scope.value})",
        "State": state.condition.value,
        "External id": state.external_id,
        "Trust asks for": state.trusted_id,
        "Defined": _when(state.defined),
        "Policies made": _when(state.granted),
        "Role made": _when(state.trusted),
        "Created": _when(state.created),
        "Described": _when(state.described),
        "Verified": _when(state.verified),
    }


def _when(mark: Mark | None) -> str:
    from core.display import exact_time

    if mark is None:
        return ""
    return f"{exact_time(mark.at)} by {mark.operator}{', by hand' if mark.by_hand else ''}"
