"""Row policies from `<databases>` of the users, each named after its user.

Source: ClickHouse's `UsersConfigParser.cpp`. A server that lets users without row policies read nothing gives every
other user of the configuration a policy that lets all rows through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.access.access_model import Origin
from core.access.model import NOBODY, NameSet
from core.access.policies import PolicyName, RowPolicy
from core.access.tokenizer import AccessSyntaxError, Kind, Token, tokenize
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown

NOTHING_PASSES = "0"
_NO_EXPRESSION = frozenset({"TO", "USING", "FOR"})  # words that begin another clause of CREATE ROW POLICY
_DOTTED = 'Write <database name="…"> and <table name="…"> for names with a dot.'


@dataclass(frozen=True, slots=True)
class FoundPolicy:
    """A row policy with the place of its filter."""

    policy: RowPolicy
    origin: Origin


def read_row_policies(
    configuration: Configuration, users: Sequence[tuple[str, str, Node]], *, others_read_rows: bool
) -> list[FoundPolicy]:
    """The row policies of the users, who are given as key, name and element."""
    tables: dict[tuple[str, str], dict[str, tuple[str | None, Origin]]] = {}
    for key, _, user in users:
        for database, table, node in _filtered(configuration, user):
            filters = tables.setdefault((database, table), {})
            if key in filters:
                message = f"The table {shown(f'{database}.{table}')} has another filter for this user before."
                configuration.problems.warning(node.origin, message, "ClickHouse keeps the last one: join them by AND.")
            filters[key] = (_condition(configuration, node), node.origin)
    found = []
    for (database, table), filters in sorted(tables.items()):
        for key, name, user in users:
            if key in filters:
                condition, origin = filters[key]
            elif others_read_rows:
                continue
            else:
                condition, origin = "1", user.origin
            found.append(FoundPolicy(_policy(configuration, key, name, database, table, condition, origin), origin))
    return found


def _policy(
    configuration: Configuration,
    key: str,
    name: str,
    database: str,
    table: str,
    condition: str | None,
    origin: Origin,
) -> RowPolicy:
    to = NameSet((name,))
    if key != name:
        # ClickHouse finds the user by the key, in which the dot is escaped, and so finds nobody.
        message = f"The filter does not hold for {shown(name)}, because the user's name has a dot."
        configuration.problems.warning(origin, message, "Create the user and its row policies with SQL.")
        to = NOBODY
    return RowPolicy(PolicyName(key, database, table), condition, to=to)


def _filtered(configuration: Configuration, user: Node) -> list[tuple[str, str, Node]]:
    """The tables under `<databases>` of a user, each with its `<filter>`."""
    databases = user.first("databases")
    found = []
    for database_key, database in databases.keyed() if databases is not None else []:
        for table_key, table in database.keyed():
            name = (_name(database_key, database, "database"), _name(table_key, table, "table"))
            for part, key, node in ((name[0], database_key, database), (name[1], table_key, table)):
                if "\\." in part and part in key:
                    message = f"The filter is for a name that is really {shown(part)}, so it filters nothing."
                    configuration.problems.warning(node.origin, message, _DOTTED)
            condition = table.first("filter")
            if condition is None:
                message = f"The table {shown('.'.join(name))} has no filter."
                configuration.problems.error(table.origin, message, "Add <filter> with a condition.")
            else:
                found.append((*name, condition))
    return found


def _name(key: str, node: Node, word: str) -> str:
    if node.name == word and "name" in node.attributes:
        return node.attributes["name"]
    return key.split("[", 1)[0]


def _condition(configuration: Configuration, node: Node) -> str | None:
    if node.unresolved:
        return NOTHING_PASSES
    text = configuration.text(node)
    if not text:
        message = "The filter is empty, so it filters nothing."
        configuration.problems.warning(node.origin, message, "Write a condition, or take the table out.")
        return None
    try:
        return as_expression(text)
    except AccessSyntaxError as error:
        message = f"The filter is no expression: {error.message}"
        advice = "ClickHouse loads it, and then refuses every query of the table by this user."
        configuration.problems.warning(node.origin, message, advice)
        return NOTHING_PASSES


def as_expression(text: str) -> str:
    """A condition on one line and without comments. Raises AccessSyntaxError for what cannot be one expression."""
    tokens = tokenize(text)
    depth: list[str] = []
    closing = {"(": ")", "[": "]", "{": "}"}
    for token in tokens[:-1]:
        if token.kind is Kind.SYMBOL and token.text in closing:
            depth.append(closing[token.text])
        elif token.kind is Kind.SYMBOL and token.text in ")]}" and (not depth or depth.pop() != token.text):
            raise AccessSyntaxError(f"{token.text!r} closes nothing", text, token.position)
        elif token.kind is Kind.WORD and not depth and token.text.upper() in _NO_EXPRESSION:
            raise AccessSyntaxError(f"{token.text} is no part of a condition", text, token.position)
    if depth or len(tokens) == 1:
        raise AccessSyntaxError("it ends too early", text, len(text))
    return _joined(text, tokens)


def _joined(text: str, tokens: list[Token]) -> str:
    parts = []
    end = tokens[0].position
    for token in tokens[:-1]:
        parts.append((" " if token.position > end else "") + text[token.position : token.end])
        end = token.end
    return "".join(parts)
