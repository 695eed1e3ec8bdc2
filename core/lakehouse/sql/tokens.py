"""The Lakehouse's lexical rules, as far as statements about connections and functions need them.

Not those of `core.access.tokenizer`: here text in double quotes is a string, `#` and `//` begin no comment, an
unknown escape loses its backslash, and reading may begin in the middle of prose and goes on one token at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.access.tokenizer import Kind, Token
from core.lakehouse.sql.places import LakehouseSyntaxError

_SKIPPED = re.compile(r"\s+|--[^\n]*|\ufeff")
_COMMENT_END = re.compile(r"/\*|\*/")
_WORD = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"\d\w*(?:\.\d+)?")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "0": "\0"}
TYPOGRAPHIC = {"\u2018": "\u2019", "\u201c": "\u201d"}  # as word processors and web pages make them of ' and "


def tokens_from(text: str, position: int = 0) -> Iterator[Token]:
    """The tokens of `text` from `position` on, comments left out. Semicolons are symbols like others.

    Raises LakehouseSyntaxError where a quote or comment is not closed.
    """
    while (position := _skip(text, position)) < len(text):
        token = _token(text, position)
        yield token
        position = token.end


def end_token(position: int) -> Token:
    """What stands behind the last token of a statement."""
    return Token(Kind.END, "", position, position)


def _skip(text: str, position: int) -> int:
    while True:
        if match := _SKIPPED.match(text, position):
            position = match.end()
        elif text.startswith("/*", position):
            position = _end_of_comment(text, position)
        else:
            return position


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for match in _COMMENT_END.finditer(text, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise LakehouseSyntaxError("a comment is not closed", text, start)


def _token(text: str, position: int) -> Token:
    character = text[position]
    if character in "'\"`":
        return _quoted(text, position)
    if character in TYPOGRAPHIC:
        end = text.find(TYPOGRAPHIC[character], position)
        if end < 0:
            raise LakehouseSyntaxError("a string is not closed", text, position)
        return Token(Kind.STRING, text[position + 1 : end], position, end + 1)
    for kind, pattern in ((Kind.WORD, _WORD), (Kind.NUMBER, _NUMBER)):
        if match := pattern.match(text, position):
            return Token(kind, match.group(), position, match.end())
    return Token(Kind.SYMBOL, character, position, position + 1)


def _quoted(text: str, start: int) -> Token:
    quote = text[start]
    kind = Kind.QUOTED if quote == "`" else Kind.STRING
    value: list[str] = []
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == quote:
            if not text.startswith(quote, position + 1):
                return Token(kind, "".join(value), start, position + 1)
            value.append(quote)
            position += 2
        elif character == "\\" and kind is Kind.STRING:
            letter = text[position + 1 : position + 2]
            value.append(_ESCAPES.get(letter, letter))
            position += 2
        else:
            value.append(character)
            position += 1
    raise LakehouseSyntaxError(f"a {kind} is not closed", text, start)
