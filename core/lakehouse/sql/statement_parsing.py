"""Reading statements of the Lakehouse: one, or a script of them.

`parse_statement` takes one and raises at the first error. `parse_script` takes many and raises nothing: an error of
one statement hides neither its other errors nor the other statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from core.access.tokenizer import Kind, Token
from core.display import one_line
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.sql.connection_parsing import is_cloud_function, read_create_connection
from core.lakehouse.sql.function_parsing import read_create_function
from core.lakehouse.sql.places import LakehouseSyntaxError, Lines
from core.lakehouse.sql.statement_cursor import StatementCursor
from core.lakehouse.sql.statements import (
    DescribeConnection,
    DropConnection,
    DropFunction,
    OtherStatement,
    ShowConnections,
    ShowExternalFunctions,
    Statement,
)
from core.lakehouse.sql.tokens import end_token, tokens_from

_SUBJECT_WORDS = 3  # of a statement that is not modelled; more could be a value


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """A statement and where in the text it stands; `places` is where the values of its fields stand, by field."""

    statement: Statement
    begin: int
    end: int
    line: int
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedScript:
    """What was read, and what was found on the way. A statement with an error is only among the findings."""

    statements: tuple[ParsedStatement, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def parse_statement(text: str, *, file: str = "") -> Statement:
    """The one statement of a text. Raises LakehouseSyntaxError at the first error, and for a second statement."""
    lines = Lines(text)
    try:
        runs = list(token_runs(text))
        if not runs:
            raise LakehouseSyntaxError("there is no statement", text, len(text))
        if len(runs) > 1:
            raise LakehouseSyntaxError("only one statement is taken at a time", text, runs[1][0].position)
        parsed, findings = read_tokens(text, runs[0], lines)
    except LakehouseSyntaxError as error:
        raise LakehouseSyntaxError(error.what, text, error.position, file=file) from None
    if parsed is None:
        first = next(each for each in findings if each.severity is Severity.ERROR)
        what = first.message.removesuffix(".")
        place = lines.position(first.line, first.column)
        raise LakehouseSyntaxError(what, text, place, file=file, advice=first.advice)
    return parsed.statement


def parse_script(text: str) -> ParsedScript:
    """Every statement of a text of statements that semicolons end."""
    statements: list[ParsedStatement] = []
    findings: list[Finding] = []
    lines = Lines(text)
    try:
        for run in token_runs(text):
            parsed, found = read_run(text, run, lines)
            statements += [parsed] if parsed else []
            findings += found
    except LakehouseSyntaxError as error:  # of the text, not of a statement: behind it nothing can be trusted
        findings.append(unreadable(error))
    return ParsedScript(tuple(statements), tuple(findings))


def read_run(text: str, run: Sequence[Token], lines: Lines) -> tuple[ParsedStatement | None, list[Finding]]:
    """The statement of these tokens, if it can be read, and the findings about it."""
    try:
        return read_tokens(text, run, lines)
    except LakehouseSyntaxError as error:
        return None, [unreadable(error)]


def unreadable(error: LakehouseSyntaxError) -> Finding:
    """A syntax error as a finding."""
    message = f"The statement cannot be read: {error.what}."
    return Finding(Severity.ERROR, "unreadable", message, error.advice, error.line, error.column)


def read_tokens(text: str, run: Sequence[Token], lines: Lines) -> tuple[ParsedStatement | None, list[Finding]]:
    """The same; raises LakehouseSyntaxError where the tokens cannot be read past."""
    cursor = StatementCursor(text, [*run, end_token(run[-1].end)], lines)
    statement = _statement(cursor)
    if statement is None:
        return None, cursor.findings
    begin, end = run[0].position, run[-1].end
    return ParsedStatement(statement, begin, end, lines.place(begin)[0], cursor.places), cursor.findings


def token_runs(text: str) -> Iterator[list[Token]]:
    """The tokens of each statement."""
    run: list[Token] = []
    for token in tokens_from(text):
        if token.kind is not Kind.SYMBOL or token.text != ";":
            run.append(token)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _statement(cursor: StatementCursor) -> Statement | None:
    if cursor.words("CREATE API") and cursor.close_word("CONNECTION"):
        return read_create_connection(cursor) if is_cloud_function(cursor) else _other(cursor)
    if cursor.words("CREATE EXTERNAL FUNCTION"):
        return read_create_function(cursor)
    cursor.index = 0
    statement = _short_statement(cursor)
    return _other(cursor) if statement is None else statement


def _short_statement(cursor: StatementCursor) -> Statement | None:
    """SHOW, DESC and DROP; None for those of another subject."""
    if cursor.words("SHOW CONNECTIONS"):
        return ShowConnections() if cursor.token.kind is Kind.END else None
    if cursor.words("SHOW EXTERNAL FUNCTIONS"):
        like = cursor.text_value("the pattern") if cursor.words("LIKE") else ""
        cursor.need_end()
        return ShowExternalFunctions(like)
    if cursor.one_of("DESC", "DESCRIBE"):
        if cursor.peek().kind is Kind.END or not cursor.close_word("CONNECTION"):
            return None
        described = DescribeConnection(_placed_name(cursor))
        cursor.need_end()
        return described
    if not cursor.words("DROP"):
        return None
    function = cursor.words("FUNCTION")
    if not function and not cursor.close_word("CONNECTION"):
        return None
    if_exists = cursor.words("IF EXISTS")
    name = _placed_name(cursor)
    cursor.need_end()
    return DropFunction(name, if_exists) if function else DropConnection(name, if_exists)


def _placed_name(cursor: StatementCursor) -> str:
    cursor.places["name"] = cursor.token.position
    return cursor.qualified_name("a name")


def _other(cursor: StatementCursor) -> OtherStatement:
    words = []
    for token in cursor.tokens[:_SUBJECT_WORDS]:
        if token.kind is not Kind.WORD:
            break
        words.append(one_line(token.text, 20).upper())
    text = cursor.sql[cursor.tokens[0].position : cursor.tokens[-1].position]
    return OtherStatement(" ".join(words), text)
