"""`housekeys partner test`: whether a partner connection works, tried for real."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import ExitCode
from tui.cli.arguments import Frame
from tui.cli.partner_reading import CONNECTION_HELP

if TYPE_CHECKING:
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verb."""
    test = frame.verb(
        verbs,
        "test",
        test_connection,
        "test a partner connection: secrets, database, user, workspace, warehouse",
        description="Test a partner connection as Databricks can have it tested: whether its secrets\n"
        "open, what its account has in ClickHouse is there, the workspace takes what is\n"
        "kept, and the SQL warehouse answers. Nothing is altered. The sealing keys are\n"
        "opened as the profile says. Exit code 1 when a test fails.",
        examples=("housekeys partner test pcq4x", "housekeys partner test pcq4x --json"),
    )
    test.add_argument("connection", metavar="CONNECTION", help=CONNECTION_HELP)


async def test_connection(context: Context) -> None:
    """Handle `partner test`."""
    from dataclasses import asdict

    from core.errors import RefusedError
    from core.partner.serving_parts import open_sealing_keys, try_connection
    from tui.cli.output import Column

    session = await context.session()
    state = await session.partner_connections.state(context.arguments.connection)
    if state.connection.deleted is not None:
        raise RefusedError(f"Partner connection {state.connection.id} is deleted: there is nothing to test.")
    prompt = context.prompt_secret if context.interactive else None
    keys = await open_sealing_keys(session.profile, context.paths, prompt)
    results = await try_connection(session.partner_ground, state, keys)
    if any(result.status.value != "PASS" for result in results):
        context.exit_code = ExitCode.FAILED
    columns = [Column("test_name", "TEST"), Column("status", "RESULT"), Column("message", "")]
    context.output.rows(columns, list(map(asdict, results)))
