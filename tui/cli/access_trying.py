"""`housekeys access try`: what ClickHouse answers to a user for one statement, asked of the engine itself."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import RefusedError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.clickhouse.engine import QueryResult
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add this verb."""
    trying = frame.verb(
        verbs,
        "try",
        try_as,
        "run a statement as a user of the embedded engine",
        description="Run a statement as a user of the embedded engine, on its data: what ClickHouse answers to it.\n"
        "One that would change something is only checked, unless you say --really. Exit code 3: ClickHouse refuses it.",
        examples=(
            "housekeys access try ann 'SELECT count() FROM acme.orders'",
            "housekeys access try ann 'DROP TABLE acme.orders' --json",
            "housekeys access try ann 'INSERT INTO acme.orders VALUES (1)' --really --confirm ann",
        ),
    )
    trying.add_argument("name", metavar="NAME", help="the user")
    trying.add_argument("sql", metavar="SQL", help="one statement")
    trying.add_argument("--really", action="store_true", help="carry it out, after the name of the user is confirmed")


async def try_as(context: Context) -> None:
    """Handle `access try`."""
    from core.clickhouse.embedded import EmbeddedEngine

    session = await context.session()
    if not isinstance(session.engine, EmbeddedEngine):
        raise RefusedError(
            "Only the embedded engine can be asked as another user.",
            advice="For a server see `housekeys access effective NAME`, or connect as that user.",
        )
    user, sql = context.arguments.name, context.arguments.sql
    tried = await session.engine.try_as(user, sql)
    if context.arguments.really and tried.allowed and not tried.carried_out:
        from core.access_changes.trials import trial

        await context.carry_out(trial(user, sql))
        if context.output.json:
            context.output.data({"allowed": True, "carried_out": True, "rows": None, "error": None})
        else:
            context.output.message("Carried out.")
        return
    if tried.error is not None:
        context.exit_code = tried.error.exit_code
    if context.output.json:
        context.output.data(
            {
                "allowed": tried.allowed,
                "carried_out": tried.carried_out,
                "rows": None if tried.result is None else tried.result.as_dicts(),
                "error": None if tried.error is None else tried.error.message,
            }
        )
    elif tried.error is not None:
        context.output.message(f"Refused: {tried.error.detail or tried.error.message}")
    elif tried.result is None:
        context.output.message("Allowed. It would change something, so it was not carried out.")
    else:
        _print_rows(context, tried.result)


def _print_rows(context: Context, result: QueryResult) -> None:
    from tui.cli.output import Column

    columns = [Column(str(index), name) for index, name in enumerate(result.columns)]
    rows = [{str(index): cell for index, cell in enumerate(row)} for row in result.rows]
    context.output.rows(columns, rows, empty="Allowed. The answer has no rows.")
