"""The texts of files about access without passwords and hashes in them, to be shown."""

from __future__ import annotations

import re

from core.access.parser import parse_statement
from core.access.render import render
from core.access.secret_texts import HIDDEN, has_secret, without_secrets
from core.access.tokenizer import AccessSyntaxError, statement_spans
from core.access_reports.files import Format

_ELEMENT = re.compile(r"<((?:\w+:)?password\w*)((?:\s[^>]*)?)(?<!/)>(.*?)(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.|'')*'?", re.DOTALL)


def masked(text: str, form: Format) -> str:
    """The text with `[HIDDEN]` in the place of every password and hash, and all else as it is written."""
    return _sql(text) if form is Format.SQL else _ELEMENT.sub(rf"<\1\2>{HIDDEN}\4", text)


def _sql(text: str) -> str:
    try:
        spans = statement_spans(text)
    except AccessSyntaxError:
        return _hidden_quotes(text)
    parts: list[str] = []
    position = 0
    for begin, end in spans:
        parts += [_hidden_quotes(text[position:begin]), _statement(text[begin:end])]
        position = end
    return "".join([*parts, _hidden_quotes(text[position:])])


def _statement(text: str) -> str:
    """One statement; what cannot be read shows nothing that stands in quotes."""
    try:
        statement = parse_statement(text)
    except AccessSyntaxError:
        return _hidden_quotes(text)
    return render(without_secrets(statement)) if has_secret(statement) else text


def _hidden_quotes(text: str) -> str:
    """What is between statements (comments, in which an old password may stand) without what is in quotes."""
    return _QUOTED.sub(f"'{HIDDEN}'", text)
