"""`housekeys connection` with external functions: functions, add-function, drop-function."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import ExitCode, NotFoundError, RefusedError
from tui.cli.arguments import Frame
from tui.cli.connection_options import NAME_HELP

if TYPE_CHECKING:
    from core.lakehouse.sql.statements import CreateExternalFunction, DropFunction
    from core.session import Session
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    functions = frame.verb(
        verbs,
        "functions",
        list_functions,
        "external functions of the Lakehouse, and the connection each runs through",
        examples=("housekeys connection functions", "housekeys connection functions udf_conn --json"),
    )
    functions.add_argument("name", nargs="?", metavar="NAME", help="only those of this connection")
    add = frame.verb(
        verbs,
        "add-function",
        add_function,
        "create an external function that runs through a connection",
        description="CREATE EXTERNAL FUNCTION, after a preview. Its code must be in a bucket that\n"
        "the role may read. Where the profile names no Lakehouse the statement is\n"
        "printed, to be run there by hand (exit code 3).",
        examples=(
            "housekeys connection add-function udf_conn public.upper_udf --handler upper_udf.Upper "
            "--using FILE=oss://function-compute-my1/upper_udf.zip",
            "housekeys --dry-run connection add-function udf_conn public.my_sum --handler com.example.Sum "
            "--using JAR=oss://function-compute-my1/sum.jar --api java8.hive2.v0 --category AGGREGATOR",
        ),
    )
    add.add_argument("name", metavar="NAME", help=NAME_HELP)
    add.add_argument("function", metavar="FUNCTION", help="schema.function")
    add.add_argument(
        "--handler", dest="function_handler", required=True, metavar="MODULE.CLASS", help="what is called in the code"
    )
    add.add_argument(
        "--using", action="append", required=True, metavar="KIND=URI",
        help="where the code is; KIND is FILE, JAR or ARCHIVE; can be repeated",
    )  # fmt: skip
    add.add_argument("--api", default="python3.mc.v0", help="python3.mc.v0 (the default) or java8.hive2.v0")
    add.add_argument("--category", default="", help="AGGREGATOR or TABLE_VALUED; none for a function of single values")
    add.add_argument("--comment", default="", metavar="TEXT")
    drop = frame.verb(
        verbs,
        "drop-function",
        drop_function,
        "drop an external function; its code stays in the bucket",
        examples=("housekeys connection drop-function public.upper_udf --yes",),
    )
    drop.add_argument("function", metavar="FUNCTION", help="schema.function")


async def list_functions(context: Context) -> None:
    """Handle `connection functions`."""
    from dataclasses import asdict

    from tui.cli.output import Column

    session = await context.session()
    functions = await session.connections.functions(context.arguments.name)
    if functions is None:
        raise RefusedError(
            "The profile names no Lakehouse that could be asked.", advice="Run SHOW EXTERNAL FUNCTIONS; there."
        )
    columns = [
        Column("name", "NAME"),
        Column("connection", "CONNECTION", show=lambda connection: connection or "not told"),
        Column("handler", "HANDLER"),
        Column("comment", "COMMENT"),
    ]
    rows = [asdict(function) for function in sorted(functions, key=lambda function: function.name)]
    context.output.rows(columns, rows, empty="There are no external functions.")


async def add_function(context: Context) -> ExitCode:
    """Handle `connection add-function`."""
    from core.lakehouse.sql.function_definition import external_function
    from core.lakehouse.sql.statements import CreateExternalFunction

    arguments = context.arguments
    function = external_function(
        arguments.function,
        arguments.name,
        handler=arguments.function_handler,
        using=arguments.using,
        api=arguments.api,
        category=arguments.category,
        comment=arguments.comment,
    )
    session = await context.session()
    if session.connections.reach.lakehouse_settings is None:
        await session.connections.state(arguments.name)
        return _by_hand(context, CreateExternalFunction(function))
    await _require_connection(session, arguments.name)
    change = await session.connections.plan_create_function(function)
    report = await context.carry_out(change, always_ask=True)
    context.output.message(f"{function.name}: created.")
    if context.output.json:
        context.output.data({"change": report.change_id, "function": function.name, "connection": function.connection})
    return ExitCode.DONE


async def _require_connection(session: Session, name: str) -> None:
    """Raise NotFoundError for a connection that is neither known here nor in the Lakehouse."""
    try:
        await session.connections.state(name)
    except NotFoundError:
        lakehouse = await session.connections.reach.lakehouse()
        if lakehouse is None or await lakehouse.description(name) is None:
            raise


async def drop_function(context: Context) -> ExitCode:
    """Handle `connection drop-function`."""
    from core.lakehouse.sql.statements import DropFunction

    name = context.arguments.function
    session = await context.session()
    if session.connections.reach.lakehouse_settings is None:
        return _by_hand(context, DropFunction(name))
    report = await context.carry_out(await session.connections.plan_drop_function(name))
    context.output.message(f"{name}: dropped.")
    if context.output.json:
        context.output.data({"change": report.change_id, "function": name})
    return ExitCode.DONE


def _by_hand(context: Context, statement: CreateExternalFunction | DropFunction) -> ExitCode:
    """Print the statement where it cannot be run."""
    from core.display import plain_lines
    from core.lakehouse.sql.statement_rendering import render

    sql = f"{render(statement)};"
    context.output.message("The profile names no Lakehouse, so nothing was run. Run this there:")
    if context.output.json:
        context.output.data({"change": None, "statement": sql})
    else:
        context.output.text(plain_lines(sql))
    return ExitCode.REFUSED
