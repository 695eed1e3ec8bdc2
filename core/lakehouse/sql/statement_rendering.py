"""Statements of the Lakehouse as SQL, without a semicolon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, ExternalFunction, Provider
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.quoting import quote_name, quote_string
from core.lakehouse.rules.validation import DEFAULT_NAMESPACE
from core.lakehouse.sql.statements import (
    CreateApiConnection,
    CreateExternalFunction,
    DescribeConnection,
    DropConnection,
    DropFunction,
    OtherStatement,
    ShowConnections,
    ShowExternalFunctions,
    Statement,
    Syntax,
)

PROPERTY_PREFIX = "cloud_function."
CLOUD_FUNCTION = "CLOUD_FUNCTION"


def create_statement(
    connection: ApiConnection, *, if_not_exists: bool = False, syntax: Syntax = Syntax.CLAUSES
) -> tuple[CreateApiConnection, tuple[Finding, ...]]:
    """The statement that creates a connection, completed so that it can run, and what was decided on the way."""
    decided: list[Finding] = []
    if connection.provider is Provider.TENCENT and not connection.namespace:
        connection = replace(connection, namespace=DEFAULT_NAMESPACE)
        message = f"Tencent Cloud needs a namespace: {DEFAULT_NAMESPACE!r} is written."
        decided.append(Finding(Severity.INFORMATION, "namespace-added", message, field="namespace"))
    if connection.comment and syntax is Syntax.CLAUSES:
        syntax = Syntax.PROPERTIES
        message = "Only the properties form of the statement has room for a comment: that form is written."
        decided.append(Finding(Severity.INFORMATION, "properties-for-comment", message, field="comment"))
    return CreateApiConnection(connection, if_not_exists, syntax), tuple(decided)


def render(statement: Statement) -> str:
    """The statement as SQL. Raises BadInputError for one that cannot be written: `create_statement` makes one that can.

    The text of an OtherStatement is returned as it is, secrets included: show `places.without_secrets`.
    """
    match statement:
        case CreateApiConnection():
            return _create_connection(statement)
        case ShowConnections():
            return "SHOW CONNECTIONS"
        case DescribeConnection(name):
            return f"DESC CONNECTION {quote_name(name)}"
        case DropConnection(name, if_exists):
            return f"DROP CONNECTION {'IF EXISTS ' if if_exists else ''}{quote_name(name)}"
        case CreateExternalFunction(function, if_not_exists):
            return _create_function(function, if_not_exists)
        case DropFunction(name, if_exists):
            return f"DROP FUNCTION {'IF EXISTS ' if if_exists else ''}{quote_name(name)}"
        case ShowExternalFunctions(like):
            return f"SHOW EXTERNAL FUNCTIONS{f' LIKE {quote_string(like)}' if like else ''}"
        case OtherStatement():
            return statement.text


def render_script(statements: Iterable[Statement]) -> str:
    """Several statements as one text, each ended by a semicolon."""
    return "".join(f"{render(statement)};\n" for statement in statements)


def _create_connection(statement: CreateApiConnection) -> str:
    connection = statement.connection
    head = f"CREATE API CONNECTION {'IF NOT EXISTS ' if statement.if_not_exists else ''}{quote_name(connection.name)}"
    values = {
        "provider": connection.provider.value,
        "region": connection.region,
        "role_arn": connection.role_arn,
        "namespace": connection.namespace,
        "code_bucket": connection.code_bucket,
    }
    if not connection.namespace:
        del values["namespace"]
    if statement.syntax is Syntax.PROPERTIES:
        properties = _properties({f"{PROPERTY_PREFIX}{key}": value for key, value in values.items()})
        lines = [head, f"TYPE {CLOUD_FUNCTION}", properties, *_comment(connection.comment)]
    elif connection.comment:
        raise BadInputError(
            "A comment cannot be written in the form with clauses.",
            advice="Use the properties form, or leave the comment out.",
        )
    else:
        clauses = (f"{key.upper()}={quote_string(value)}" for key, value in values.items())
        lines = [head, f"TYPE {CLOUD_FUNCTION}", *clauses]
    return "\n".join(lines)


def _create_function(function: ExternalFunction, if_not_exists: bool) -> str:
    for value, what in (
        (function.handler, "handler"),
        (function.resources, "file"),
        (function.connection, "connection"),
    ):
        if not value:
            raise BadInputError(f"The external function has no {what}.", advice="It needs one to be created.")
    resources = ", ".join(f"{kind.upper()} {quote_string(uri)}" for kind, uri in function.resources)
    lines = [
        f"CREATE EXTERNAL FUNCTION {'IF NOT EXISTS ' if if_not_exists else ''}{quote_name(function.name)}",
        f"AS {quote_string(function.handler)}",
        f"USING {resources}",
        f"CONNECTION {quote_name(function.connection)}",
        *([_properties(function.properties)] if function.properties else []),
        *_comment(function.comment),
    ]
    return "\n".join(lines)


def _properties(properties: Mapping[str, str]) -> str:
    pairs = ",\n".join(f"    {quote_string(key)}={quote_string(value)}" for key, value in properties.items())
    return f"WITH PROPERTIES(\n{pairs}\n)"


def _comment(comment: str) -> list[str]:
    return [f"COMMENT {quote_string(comment)}"] if comment else []
