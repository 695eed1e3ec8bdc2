"""Scripts of access statements: a text with many of them, each known by the line it begins on.

Statements end with a semicolon. A text without any has one statement a line, as `SHOW ACCESS` prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.access.access_model import AccessModel
from core.access.assembling import assemble
from core.access.model import Statement
from core.access.parser import parse_statement
from core.access.tokenizer import AccessSyntaxError, Kind, Token, statement_spans, tokenize
from core.display import one_line

_DROPPED = ("USER", "ROLE", "QUOTA", "ROW", "POLICY", "MASKING")  # DROP PROFILE is a clause of ALTER USER as well


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
    line, column, position = 1, 1, 0  # of the beginning of a statement; told from the one before, for there may be many
    for begin, end in _spans(text):
        line += text.count("\n", position, begin)
        line_start = text.rfind("\n", position, begin) + 1
        column = begin - line_start + 1 if line_start else column + begin - position
        position = begin
        try:
            statements.append(ScriptStatement(parse_statement(text[begin:end]), line))
        except AccessSyntaxError as error:
            what = error.message.partition(": ")[2] or error.message
            place = error.column if error.line > 1 else column + error.column - 1
            problems.append(ScriptProblem(line + error.line - 1, one_line(f"column {place}: {what}")))
    return statements, problems


def model_of_script(text: str) -> tuple[AccessModel, list[ScriptProblem]]:
    """The model that a script builds, and everything in it that could not be taken. Raises as `read_script`."""
    return model_of_read(*read_script(text))


def model_of_read(
    statements: Sequence[ScriptStatement], problems: Sequence[ScriptProblem]
) -> tuple[AccessModel, list[ScriptProblem]]:
    """The model that a script builds, from what `read_script` found in it."""
    model, misfits = assemble(found.statement for found in statements)
    unfit = [ScriptProblem(statements[misfit.index].line, one_line(misfit.why)) for misfit in misfits]
    return model, sorted([*problems, *unfit], key=lambda problem: problem.line)


def _spans(text: str) -> list[tuple[int, int]]:
    spans = statement_spans(text)
    if len(spans) != 1 or ";" in text[spans[0][1] :]:
        return spans
    tokens = tokenize(text)
    starts = [0, *(index for index in range(1, len(tokens) - 1) if _begins_statement(text, tokens, index)), -1]
    return [(tokens[first].position, tokens[last - 1].end) for first, last in pairwise(starts)]


def _begins_statement(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Whether a statement begins at a token: first on its line, and not the word of a clause that it can be as well."""
    before, *ahead = tokens[index - 1 : index + 3]
    if ahead[0].kind is not Kind.WORD or "\n" not in text[before.end : ahead[0].position]:
        return False
    first, second, third = (*(token.text.upper() for token in ahead), "")[:3]
    if first == "DROP":
        return second in _DROPPED or (second == "SETTINGS" and third == "PROFILE")
    if first == "SET":
        return second == "DEFAULT"
    if first in ("CREATE", "ALTER"):
        return before.kind is not Kind.SYMBOL  # or it is a privilege in a list of them
    return first == "MOVE" or (first in ("GRANT", "REVOKE") and second != "OPTION")
