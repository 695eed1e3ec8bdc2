"""What is copied for a connection: the documents of its role, the commands of its cloud, its statements."""

from __future__ import annotations

from collections.abc import Iterable

from core.lakehouse.connections import ExternalFunction
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope, RoleDocuments
from core.lakehouse.policies.cloud_commands import commands_text, provisioning_commands, trust_commands
from core.lakehouse.policies.cloud_documents import document_text, least_leaves_out
from core.lakehouse.provisioning.by_hand import Exhibit
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.sql.statement_rendering import create_statement, render
from core.lakehouse.sql.statements import DescribeConnection, DropConnection, Syntax
from core.lakehouse.state import ConnectionState
from tui.widgets.lines import Line, fact, text_lines


def documents_of(state: ConnectionState) -> RoleDocuments:
    """The documents as they are wanted now: the trust policy asks for the external id as soon as that is known."""
    return Wanted.of(state).documents(state.external_id or PLACEHOLDER_EXTERNAL_ID)


def document_lines(state: ConnectionState) -> list[Line]:
    """Every policy and the trust policy, as JSON and as commands."""
    documents = documents_of(state)
    lines: list[Line] = []
    for permission in documents.permissions:
        lines += [Line(f"Policy {permission.policy.name}", style="heading"), Line(permission.purpose, style="muted")]
        if permission.document is not None:
            lines += [Line(), *text_lines(document_text(permission.document), "accent")]
        lines.append(Line())
    return [
        *lines,
        Line(f"Trust policy of {documents.role}", style="heading"),
        Line(_trust_words(state), style="muted"),
        Line(),
        *text_lines(document_text(documents.trust), "accent"),
        Line(),
        Line("As commands", style="heading"),
        Line(),
        *text_lines(_commands(state, documents), "accent"),
        *_left_out(state),
    ]


def _left_out(state: ConnectionState) -> list[Line]:
    """What the least policies do not allow; it may be what a function turns out to need."""
    if state.scope is not PolicyScope.LEAST:
        return []
    sentences = least_leaves_out(state.connection.provider)
    return [Line(), Line("Left out", style="heading"), *(Line(sentence, style="muted") for sentence in sentences)]


def _trust_words(state: ConnectionState) -> str:
    if state.external_id:
        return "It asks for the external id of the connection."
    return f"Until the external id is known it asks for {PLACEHOLDER_EXTERNAL_ID}, which nobody has."


def _commands(state: ConnectionState, documents: RoleDocuments) -> str:
    make = trust_commands if state.trusted is not None and state.external_id else provisioning_commands
    return commands_text(make(state.connection, documents)).rstrip()


def statement_lines(state: ConnectionState) -> list[Line]:
    """CREATE API CONNECTION in both forms, and the statements to look at it and to end it."""
    lines: list[Line] = []
    for title, text in _statements(state):
        lines += [Line(title, style="heading"), *text_lines(text, "accent"), Line()]
    return lines[:-1]


def _statements(state: ConnectionState) -> list[tuple[str, str]]:
    forms = {Syntax.CLAUSES: "As it is documented", Syntax.PROPERTIES: "The older form, with properties"}
    found: list[tuple[str, str]] = []
    for syntax, title in forms.items():
        statement, _ = create_statement(state.connection, syntax=syntax)
        if statement.syntax is syntax:  # a comment has no place in one of them
            found.append((title, f"{render(statement)};"))
    return [
        *found,
        ("Its external id", f"{render(DescribeConnection(state.name))};"),
        ("Its end", f"{render(DropConnection(state.name))};"),
    ]


def document_exhibits(state: ConnectionState) -> tuple[Exhibit, ...]:
    """The account's own policies and the trust policy."""
    documents = documents_of(state)
    own = [(p.policy.name, p.document) for p in documents.permissions if p.document is not None]
    policies = (Exhibit(name, document_text(document)) for name, document in own)
    return (*policies, Exhibit("Trust policy", document_text(documents.trust)))


def exhibits_of(state: ConnectionState) -> tuple[Exhibit, ...]:
    """Everything that can be copied, one by one."""
    statements = _statements(state)
    return (
        *document_exhibits(state),
        Exhibit("Commands", _commands(state, documents_of(state))),
        Exhibit("SQL", statements[0][1]),
        *(Exhibit("SQL, older form", text) for _title, text in statements[1:-2]),
    )


def function_lines(functions: Iterable[ExternalFunction] | None, name: str) -> list[Line]:
    """The external functions that run through it; None where no Lakehouse can be asked."""
    if functions is None:
        return [
            Line("The profile names no Lakehouse that could be asked."),
            Line(),
            Line("Run it there yourself:", style="muted"),
            Line("SHOW EXTERNAL FUNCTIONS;", style="accent"),
        ]
    lines: list[Line] = []
    for function in functions:
        lines += [Line(function.name, style="heading"), fact("handler", function.handler or "not told")]
        lines += [fact("comment", function.comment)] if function.comment else []
        lines.append(Line())
    return lines[:-1] or [Line(f"No external function is known to run through {name}."), Line(),
                          Line("Press f to create one.", style="muted")]  # fmt: skip
