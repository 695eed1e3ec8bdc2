"""Lint of a text with statements of the Lakehouse: a script, or prose with statements and documents in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.display import one_line
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.lint.document_lint import lint_document
from core.lakehouse.lint.found_in_text import (
    FoundDocument,
    broken_documents_in,
    documents_in,
    external_ids_in,
    statements_in,
)
from core.lakehouse.lint.prose_lint import prose_findings
from core.lakehouse.rules.validation import external_id_problem, problems
from core.lakehouse.sql.answers import same_name
from core.lakehouse.sql.places import LakehouseSyntaxError, Lines
from core.lakehouse.sql.statement_parsing import ParsedScript, ParsedStatement, parse_script, token_runs
from core.lakehouse.sql.statements import (
    CreateApiConnection,
    CreateExternalFunction,
    DescribeConnection,
    DropConnection,
)

_SCRIPTS = (".sql", ".ddl")
_PROSE = (".md", ".markdown", ".txt", ".rst", ".adoc", ".html", ".json")
_VERBS = frozenset({"ALTER", "CREATE", "DESC", "DESCRIBE", "DROP", "GRANT", "INSERT", "SELECT", "SET", "SHOW", "USE"})
_CREATED = re.compile(
    r"\bCREATE\s+\w+\s+CONNECTION\s+(?:IF\s+NOT\s+EXISTS\s+)?((?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*)", re.IGNORECASE
)
_EXTERNAL_ID_CONDITIONS = frozenset({"sts:externalid", "sts:external_id"})


def lint_text(text: str, file: str = "") -> tuple[Finding, ...]:
    """Everything found in a text, in the order of its lines. The name of the file helps to tell a script from prose."""
    is_script = _is_script(text, file.lower())
    script = parse_script(text) if is_script else statements_in(text)
    documents, lines = documents_in(text), Lines(text)
    found = [*script.findings, *_validated(script, lines)]
    found += _not_created(text, script, lines)
    found += _created_twice(script) if is_script else ()
    found += _linted_documents(script, documents)
    found += broken_documents_in(text)
    found += _differing_ids(text, documents, lines)
    if not is_script:
        told = {(finding.line, finding.column, finding.code) for finding in found}
        found += (each for each in prose_findings(text) if (each.line, each.column, each.code) not in told)
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.column)))


def fixed_text(text: str, file: str = "") -> str:
    """The text with every fix of its findings applied; what has no mechanical fix stays."""
    fixes = {finding.fix for finding in lint_text(text, file) if finding.fix is not None}
    pieces: list[str] = []
    done = 0
    for fix in sorted(fixes, key=lambda fix: (fix.begin, fix.end)):
        if fix.begin >= done:
            pieces += [text[done : fix.begin], fix.replacement]
            done = fix.end
    return "".join([*pieces, text[done:]])


def _is_script(text: str, file: str) -> bool:
    """Whether a text is statements alone; without a telling name, whether everything between semicolons is one."""
    if file.endswith((*_SCRIPTS, *_PROSE)):
        return file.endswith(_SCRIPTS)
    try:
        return all(run[0].text.upper() in _VERBS for run in token_runs(text))
    except LakehouseSyntaxError:
        return False


def _validated(script: ParsedScript, lines: Lines) -> Iterator[Finding]:
    """What is wrong with the values of each connection, at the place of the value."""
    told = {(finding.code, finding.line) for finding in script.findings}
    for parsed in script.statements:
        if not isinstance(parsed.statement, CreateApiConnection):
            continue
        for finding in problems(parsed.statement.connection):
            if finding.code == "namespace-missing":  # told by the parser, with a fix
                continue
            line, column = lines.place(parsed.places.get(finding.field, parsed.begin))
            if (finding.code, line) not in told:
                yield replace(finding, line=line, column=column)


def _linted_documents(script: ParsedScript, documents: Sequence[FoundDocument]) -> Iterator[Finding]:
    """What is wrong with the policies. They belong to the connection of the text, where it has just one."""
    connections = [
        each.statement.connection for each in script.statements if isinstance(each.statement, CreateApiConnection)
    ]
    connection = connections[0] if len(connections) == 1 else None
    for found in documents:
        if any(str(key).lower() == "statement" for key in found.document):
            yield from lint_document(found.document, line=found.line, connection=connection)


def _not_created(text: str, script: ParsedScript, lines: Lines) -> Iterator[Finding]:
    """Connections that are used by a text which creates others: a misspelled name, or one that is there already."""
    created = [match[1].replace("`", "") for match in _CREATED.finditer(text)]
    if not any(isinstance(parsed.statement, CreateApiConnection) for parsed in script.statements):
        return
    for parsed in script.statements:
        name, field = _used(parsed)
        if name and not any(same_name(name, each) for each in created):
            line, column = lines.place(parsed.places.get(field, parsed.begin))
            message = f"The connection {one_line(name, 60)} is not created in this text."
            advice = f"It creates {', '.join(one_line(each, 40) for each in dict.fromkeys(created))}."
            yield Finding(Severity.INFORMATION, "connection-not-created", message, advice, line, column)


def _used(parsed: ParsedStatement) -> tuple[str, str]:
    """The connection that a statement needs to be there, and the field that names it."""
    match parsed.statement:
        case DescribeConnection(name):
            return name, "name"
        case CreateExternalFunction(function):
            return function.connection, "connection"
    return "", ""


def _created_twice(script: ParsedScript) -> Iterator[Finding]:
    """Connections that a script creates a second time without dropping them: it would stop there."""
    standing: dict[str, int] = {}
    for parsed in script.statements:
        match parsed.statement:
            case DropConnection(name):
                standing.pop(name.lower(), None)
            case CreateApiConnection(connection, if_not_exists):
                name = connection.name.lower()
                if name in standing and not if_not_exists:
                    message = f"{one_line(connection.name, 60)} is created at line {standing[name]} already."
                    advice = "Drop it before, give it another name, or leave one of the two out."
                    yield Finding(Severity.ERROR, "connection-created-twice", message, advice, parsed.line, 1)
                standing.setdefault(name, parsed.line)


def _differing_ids(text: str, documents: Sequence[FoundDocument], lines: Lines) -> Iterator[Finding]:
    """Trust policies that ask for another external id than the text tells."""
    said = {
        external_id: lines.place(offset)[0]
        for external_id, offset in external_ids_in(text)
        if not any(document.begin <= offset < document.end for document in documents)
    }
    if not said:
        return
    for document in documents:
        for asked in _asked_ids(document.document):
            if asked in said or asked == PLACEHOLDER_EXTERNAL_ID or external_id_problem(asked):
                continue
            place = text.find(asked, document.begin, document.end)
            line, column = lines.place(place if place >= 0 else document.begin)
            told = ", ".join(f"{each} (line {where})" for each, where in said.items())
            message = f"The trust policy asks for the external id {asked}, the text tells {told}."
            advice = "It must ask for the one that DESC CONNECTION tells."
            yield Finding(Severity.ERROR, "external-id-differs", message, advice, line, column)


def _asked_ids(value: Any) -> Iterator[str]:
    """The values of the conditions about an external id, wherever they stand in a document."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower() in _EXTERNAL_ID_CONDITIONS:
                yield from (each for each in (inner if isinstance(inner, list) else [inner]) if isinstance(each, str))
            else:
                yield from _asked_ids(inner)
    elif isinstance(value, list):
        for each in value:
            yield from _asked_ids(each)
