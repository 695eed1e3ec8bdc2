"""Scripts of access statements: a text with many of them, each known by the line it begins on.

Statements end with a semicolon. A text without any has one statement a line, as `SHOW ACCESS` prints them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from core.access.access_model import AccessModel
from core.access.assembling import assemble
from core.access.model import Statement
from core.access.parser import parse_statement
from core.access.tokenizer import AccessSyntaxError, statement_spans
from core.display import one_line

_LINE_START = re.compile(r"^(?=[ \t]*(?:CREATE|ALTER|DROP|GRANT|REVOKE|MOVE|SET)\b)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScriptStatement:
    """A statement and the line it begins on, counted from 1."""

    statement: Statement
    line: int


@dataclass(frozen=True, slots=True)
class ScriptProblem:
    """Something in a script that has no place in the model: the line, and why."""

    line: int
    message: str


def read_script(text: str) -> tuple[list[ScriptStatement], list[ScriptProblem]]:
    """The statements of a script, and what of it is no access statement or cannot be read. One does not hide others.

    Raises AccessSyntaxError when a quote or comment is not closed, for then nothing behind it can be trusted.
    """
    statements: list[ScriptStatement] = []
    problems: list[ScriptProblem] = []
    for begin, end in _spans(text):
        line = text.count("\n", 0, begin) + 1
        try:
            statements.append(ScriptStatement(parse_statement(text[begin:end]), line))
        except AccessSyntaxError as error:
            what = error.message.partition(": ")[2] or error.message
            place = f"column {error.column}: " if error.line == 1 else ""
            problems.append(ScriptProblem(line + error.line - 1, one_line(f"{place}{what}")))
    return statements, problems


def model_of_script(text: str) -> tuple[AccessModel, list[ScriptProblem]]:
    """The model that a script builds, and everything in it that could not be taken. Raises as `read_script`."""
    statements, problems = read_script(text)
    model, misfits = assemble(found.statement for found in statements)
    problems += [ScriptProblem(statements[misfit.index].line, one_line(misfit.why)) for misfit in misfits]
    return model, sorted(problems, key=lambda problem: problem.line)


def _spans(text: str) -> list[tuple[int, int]]:
    spans = statement_spans(text)
    if len(spans) != 1 or ";" in text[spans[0][1] :]:
        return spans
    begin, end = spans[0]
    starts = [begin, *(match.start() for match in _LINE_START.finditer(text, begin + 1, end))]
    return [(start, len(text[:following].rstrip())) for start, following in pairwise([*starts, end])]
