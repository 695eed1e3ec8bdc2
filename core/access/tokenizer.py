"""ClickHouse's lexical rules, as far as access statements need them.

Source: https://clickhouse.com/docs/sql-reference/syntax and ClickHouse's `Lexer.cpp`; tests/engine asks ClickHouse
itself to read the same texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from core.errors import BadInputError


class AccessSyntaxError(BadInputError):
    """An access statement that cannot be read; the message says where. `position` counts characters from 0."""

    def __init__(self, what: str, sql: str, position: int) -> None:
        line = sql.count("\n", 0, position) + 1
        column = position - (sql.rfind("\n", 0, position) + 1) + 1
        super().__init__(f"The statement cannot be read at line {line}, column {column}: {what}.")
        self.position = position
        self.line = line
        self.column = column


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    STRING = "string"
    QUOTED = "quoted identifier"
    SYMBOL = "symbol"
    END = "end of the statement"


class Token(NamedTuple):
    """One token: `text` is the word or symbol as written, or the decoded value of a string or quoted identifier."""

    kind: Kind
    text: str
    position: int
    end: int


_SPACE = " \t\n\r\f\v\u00a0\u1680\u180e\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_SKIPPED = re.compile(rf"[{_SPACE}]+|--[^\n]*|//[^\n]*|#[ !][^\n]*")
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z_$])")
_DIGIT_WORD = re.compile(r"[0-9][A-Za-z0-9_$]*")
# What most of a statement is made of, blanks before it included. The rest, and comments, are looked at one by one.
_COMMON = re.compile(
    rf"[{_SPACE}]*(?:([A-Za-z_][A-Za-z0-9_$]*)|({_NUMBER.pattern})|({_DIGIT_WORD.pattern})"
    r"|([(),.=*;+<>@%&|!?:~^{}\[\]])"
    r"|('[^'\\]*'(?!'))|(`[^`\\]*`(?!`)|\"[^\"\\]*\"(?!\")))"
)
_HEREDOC = re.compile(r"\$[A-Za-z0-9_]*\$")
_COMMON_KINDS = (Kind.END, Kind.WORD, Kind.NUMBER, Kind.WORD, Kind.SYMBOL, Kind.STRING, Kind.QUOTED)  # by group
_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_PLAIN_ESCAPES = frozenset("\\'\"`/=")
_TYPOGRAPHIC = {"\u2018": ("\u2019", Kind.STRING), "\u201c": ("\u201d", Kind.QUOTED)}


def tokenize(sql: str) -> list[Token]:
    """The tokens of one statement, the last of kind END; comments and trailing semicolons are left out.

    Raises AccessSyntaxError for an unclosed quote or comment, for text that is no token, and for a second statement.
    """
    tokens: list[Token] = []
    ended = -1
    for token in _tokens(sql):
        if token.kind is Kind.SYMBOL and token.text == ";":
            ended = token.position if ended < 0 else ended
        elif ended >= 0:
            raise AccessSyntaxError("only one statement is taken at a time", sql, ended)
        else:
            tokens.append(token)
    tokens.append(Token(Kind.END, "", len(sql), len(sql)))
    return tokens


def statement_spans(sql: str) -> list[tuple[int, int]]:
    """Where the statements of a script begin and end: between semicolons that stand outside of quotes and comments.

    Raises AccessSyntaxError as `tokenize`.
    """
    spans: list[tuple[int, int]] = []
    begin = end = -1
    for token in _tokens(sql):
        if token.kind is Kind.SYMBOL and token.text == ";":
            spans += [(begin, end)] if begin >= 0 else []
            begin = -1
        else:
            begin, end = (token.position if begin < 0 else begin), token.end
    return [*spans, (begin, end)] if begin >= 0 else spans


def first_words(sql: str, count: int) -> tuple[str, ...]:
    """At most `count` bare words that `sql` begins with, in upper case, comments between them left out."""
    words: list[str] = []
    position = 0
    while len(words) < count:
        try:
            position = _skip(sql, position)
        except AccessSyntaxError:
            break
        if (match := _WORD.match(sql, position)) is None:
            break
        words.append(match.group().upper())
        position = match.end()
    return tuple(words)


def _tokens(sql: str) -> Iterator[Token]:
    position = 0
    while True:
        if match := _COMMON.match(sql, position):
            group = match.lastindex or 0
            start, position = match.span(group)
            kind = _COMMON_KINDS[group]
            text = match[group]
            if kind is Kind.STRING or kind is Kind.QUOTED:
                text = text[1:-1]
                if not text.isascii():
                    _decode(text.encode("utf-8", "surrogatepass"), sql, start)
            yield Token(kind, text, start, position)
        elif (position := _skip(sql, position)) < len(sql):
            token = _token(sql, position)
            position = token.end
            yield token
        else:
            return


def _skip(sql: str, position: int) -> int:
    while True:
        if match := _SKIPPED.match(sql, position):
            position = match.end()
        elif sql.startswith("/*", position):
            position = _end_of_comment(sql, position)
        else:
            return position


def _end_of_comment(sql: str, start: int) -> int:
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    raise AccessSyntaxError("a comment is not closed", sql, start)


def _token(sql: str, position: int) -> Token:
    character = sql[position]
    if character in "'\"`":
        return _quoted(sql, position)
    if character in _TYPOGRAPHIC:
        closing, kind = _TYPOGRAPHIC[character]
        end = sql.find(closing, position)
        if end < 0:
            raise AccessSyntaxError(f"a {kind} is not closed", sql, position)
        return Token(kind, sql[position + 1 : end], position, end + 1)
    if heredoc := _HEREDOC.match(sql, position):
        end = sql.find(heredoc.group(), heredoc.end())
        if end >= 0:
            return Token(Kind.STRING, sql[heredoc.end() : end], position, end + len(heredoc.group()))
    for kind, pattern in ((Kind.NUMBER, _NUMBER), (Kind.WORD, _WORD), (Kind.WORD, _DIGIT_WORD)):
        if match := pattern.match(sql, position):
            return Token(kind, match.group(), position, match.end())
    if character.isascii() and character.isprintable():
        return Token(Kind.SYMBOL, character, position, position + 1)
    raise AccessSyntaxError(f"{character!r} is no part of SQL outside quotes", sql, position)


def _quoted(sql: str, start: int) -> Token:
    quote = sql[start]
    kind = Kind.STRING if quote == "'" else Kind.QUOTED
    # Bytes, because \xHH escapes are bytes that make up UTF-8 only together.
    value = bytearray()
    position = start + 1
    while position < len(sql):
        character = sql[position]
        if character == quote:
            if sql.startswith(quote, position + 1):
                value += quote.encode()
                position += 2
                continue
            return Token(kind, _decode(bytes(value), sql, start), start, position + 1)
        if character == "\\":
            escaped, position = _escape(sql, position)
            value += escaped
        else:
            value += character.encode("utf-8", "surrogatepass")
            position += 1
    raise AccessSyntaxError(f"a {kind} is not closed", sql, start)


def _escape(sql: str, position: int) -> tuple[bytes, int]:
    """The bytes that the escape at `position` (a backslash) stands for, and where the text goes on."""
    letter = sql[position + 1 : position + 2]
    if letter == "x":
        digits = sql[position + 2 : position + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{2}", digits):
            raise AccessSyntaxError(r"\x is followed by two hexadecimal digits", sql, position)
        return bytes.fromhex(digits), position + 4
    if letter == "N":
        return b"", position + 2
    if letter in _ESCAPES:
        return _ESCAPES[letter].encode(), position + 2
    # An escape that ClickHouse does not know keeps its backslash.
    kept = letter if letter in _PLAIN_ESCAPES else f"\\{letter}"
    return kept.encode("utf-8", "surrogatepass"), position + 2


def _decode(value: bytes, sql: str, position: int) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise AccessSyntaxError("a quoted text is not UTF-8", sql, position) from error
