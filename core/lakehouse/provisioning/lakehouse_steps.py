"""The steps of a change in the Lakehouse, each with its inverse."""

from __future__ import annotations

from typing import Final

from core.changes import CallStep, Event
from core.lakehouse.connections import ApiConnection, ExternalFunction
from core.lakehouse.facts import NOTHING_TO_UNDO, event
from core.lakehouse.sql.statement_rendering import create_statement, render
from core.lakehouse.sql.statements import (
    CreateExternalFunction,
    DescribeConnection,
    DropConnection,
    DropFunction,
    Syntax,
)

LAKEHOUSE: Final = "lakehouse"  # the service that steps name


def create_step(connection: ApiConnection, syntax: Syntax = Syntax.CLAUSES) -> CallStep:
    """CREATE API CONNECTION; taken back by DROP."""
    statement, _ = create_statement(connection, syntax=syntax)
    return _call(
        f"Create API connection {connection.name}",
        "create_connection",
        connection.name,
        render(statement),
        {"role_arn": connection.role_arn},
        undo=drop_step(connection.name),
        events=(event(connection.name, "create", by="call"),),
    )


def describe_step(connection: ApiConnection, *, needs: int | None = None) -> CallStep:
    """DESC CONNECTION: finds the external id, under the name `external_id`."""
    return CallStep(
        f"Read the external id of {connection.name}",
        LAKEHOUSE,
        "describe_connection",
        {"name": connection.name},
        render(DescribeConnection(connection.name)),
        undo=NOTHING_TO_UNDO,
        needs=needs,
        events=(event(connection.name, "describe", by="call"),),
    )


def drop_step(name: str, external_id: str = "") -> CallStep:
    """DROP CONNECTION: of that with this external id, if it is given; another one was created since by somebody."""
    return _call(
        f"Drop connection {name}",
        "drop_connection",
        name,
        render(DropConnection(name)),
        {"external_id": external_id} if external_id else None,
        no_undo="a connection that is created again has another external id",
        events=(event(name, "drop", by="call"),),
    )


def create_function_step(function: ExternalFunction) -> CallStep:
    """CREATE EXTERNAL FUNCTION; taken back by DROP FUNCTION."""
    return _call(
        f"Create external function {function.name}",
        "create_function",
        function.name,
        render(CreateExternalFunction(function)),
        undo=drop_function_step(function.name),
        events=(event(function.connection, "create function", function=function.name),),
    )


def drop_function_step(name: str, connection: str = "") -> CallStep:
    """DROP FUNCTION."""
    return _call(
        f"Drop external function {name}",
        "drop_function",
        name,
        render(DropFunction(name)),
        no_undo="its code stays in the bucket: create it again from there",
        events=(event(connection, "drop function", function=name),) if connection else (),
    )


def _call(
    title: str,
    operation: str,
    name: str,
    sql: str,
    more: dict[str, str] | None = None,
    *,
    undo: CallStep | None = None,
    no_undo: str = "",
    events: tuple[Event, ...] = (),
) -> CallStep:
    arguments = {"name": name, "sql": sql, **(more or {})}
    return CallStep(title, LAKEHOUSE, operation, arguments, sql, undo=undo, no_undo=no_undo, events=events)
