"""Reading CREATE EXTERNAL FUNCTION, the clauses in any order, with and without the `=` of the older notation."""

from __future__ import annotations

from core.access.tokenizer import Kind
from core.display import one_line
from core.lakehouse.connections import ExternalFunction
from core.lakehouse.findings import Severity
from core.lakehouse.sql.statement_cursor import StatementCursor
from core.lakehouse.sql.statements import CreateExternalFunction

_RESOURCES = ("FILE", "JAR", "ARCHIVE")


def read_create_function(cursor: StatementCursor) -> CreateExternalFunction | None:
    """The statement behind CREATE EXTERNAL FUNCTION; None when an error was reported. Raises LakehouseSyntaxError."""
    if_not_exists = cursor.words("IF NOT EXISTS")
    name = cursor.qualified_name("the name of the function")
    handler = connection = comment = ""
    resources: tuple[tuple[str, str], ...] = ()
    properties: dict[str, str] = {}
    seen: set[str] = set()
    while (token := cursor.token).kind is not Kind.END:
        clause = cursor.one_of("AS", "USING", "WITH PROPERTIES", "COMMENT")
        if not clause and cursor.close_word("CONNECTION"):
            clause = "CONNECTION"
        if clause in seen:
            cursor.report_twice(token, clause)
        seen.add(clause)
        if clause == "AS":
            handler = cursor.text_value("the handler")
        elif clause == "USING":
            resources = cursor.listed(lambda: _resource(cursor))
        elif clause == "CONNECTION":
            cursor.symbol("=")
            cursor.places["connection"] = cursor.token.position
            connection = cursor.qualified_name("the name of a connection")
        elif clause == "WITH PROPERTIES":
            properties = _properties(cursor)
        elif clause == "COMMENT":
            comment = cursor.text_value("the comment")
        else:
            cursor.fail("AS, USING, CONNECTION, WITH PROPERTIES or COMMENT")
    for clause, advice in (("AS", "AS 'module.Class'"), ("USING", "USING FILE '…'"), ("CONNECTION", "CONNECTION name")):
        if clause not in seen:
            message = f"{clause} is missing."
            cursor.report(Severity.ERROR, "clause-missing", message, cursor.tokens[0], advice=f"Add {advice}.")
    if any(finding.severity is Severity.ERROR for finding in cursor.findings):
        return None
    function = ExternalFunction(name, connection, handler, resources, properties, comment)
    return CreateExternalFunction(function, if_not_exists)


def _resource(cursor: StatementCursor) -> tuple[str, str]:
    """`FILE 'uri'`, `= FILE 'uri'` or `FILE = 'uri'`; behind a comma the kind is needed again."""
    cursor.symbol("=")
    kind = cursor.one_of(*_RESOURCES)
    if not kind:
        cursor.fail("FILE, JAR or ARCHIVE")
    cursor.symbol("=")
    return kind, cursor.text_value(f"the address of the {kind.lower()}")


def _properties(cursor: StatementCursor) -> dict[str, str]:
    properties: dict[str, str] = {}
    for key, _, value in cursor.properties():
        if key.text in properties:
            cursor.report_twice(key, one_line(key.text, 60))
        properties[key.text] = value
    return properties
