"""Where a text of statements may hold a secret: connections of other types carry access keys and API keys.

Told by what is known to be no secret, not by what is known to be one: of the values in quotes only those of the
listed clauses and properties are shown. Works on any text, also where a quote is not closed.
"""

from __future__ import annotations

import re

_SHOWN = frozenset(
    (
        *("provider", "region", "role_arn", "namespace", "namespce", "code_bucket", "type", "connection", "comment"),
        *("endpoint", "base_url", "app_id", "as", "file", "jar", "archive", "like"),
    )
)
_SHOWN_PREFIXES = ("cloud_function.", "remote.udf.")
_LEXEME = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*(?:'|\\?\Z)|\"(?:[^\"\\]|\\.|\"\")*(?:\"|\\?\Z)|\u2018[^\u2019]*(?:\u2019|\Z)"
    r"|\u201c[^\u201d]*(?:\u201d|\Z))"
    r"|(?P<name>`[^`]*(?:`|\Z))"
    r"|(?P<word>[\w.]+)"
    r"|(?P<symbol>[^\s\w])",
    re.DOTALL,
)
_CLOSING = {"'": "'", '"': '"', "\u2018": "\u2019", "\u201c": "\u201d"}
_QUOTE = re.compile("['\"\u2018\u201c]")
_EQUALS_NEXT = re.compile(r"\s*=")
_BARE_VALUE = re.compile(r"[^\s,;)'\"`]+")
_SECRET_WORD = r"(?:key|secret|passw|token|credential)"  # noqa: S105 (a pattern, no password)
_SECRET_NAME = re.compile(_SECRET_WORD, re.IGNORECASE)
# A net below the net: whatever follows such a name, wherever it stands. Bounded, for a text can be one long word.
_AFTER_SECRET_NAME = re.compile(
    rf"{_SECRET_WORD}\w{{0,40}}[^\w\s]?\s{{0,20}}(?:[=:]\s{{0,20}}['\"]?|['\"\u2018\u201c])([^\s'\"]+)", re.IGNORECASE
)


def hidden_spans(text: str) -> list[tuple[int, int]]:
    """The parts of `text`, from and to, that are not shown; in order, none overlapping."""
    found = [match.span(1) for match in _AFTER_SECRET_NAME.finditer(text)]
    values, closed = _values(text, 0)
    found += values
    if not closed and (first := _QUOTE.search(text)):
        # Some quote is not what it looks like, an apostrophe say: what is outside of quotes may be inside of them.
        found += _values(text, first.end())[0]
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return spans


def _values(text: str, position: int) -> tuple[list[tuple[int, int]], bool]:
    """The values, in quotes and without, of all but the listed clauses and properties; and whether all quotes close."""
    spans: list[tuple[int, int]] = []
    key, after_equals, closed = "", False, True
    while match := _LEXEME.search(text, position):
        position = match.end()
        kind, lexeme = match.lastgroup, match.group()
        if kind == "comment":
            spans += [match.span()] if _SECRET_NAME.search(lexeme) else []
        elif kind == "string" and not _EQUALS_NEXT.match(text, position):
            closed = len(lexeme) > 1 and lexeme[-1] == _CLOSING[lexeme[0]]
            spans += [] if _shown(key) else [(match.start() + 1, match.end() - closed)]
            key, after_equals = "", False
        elif kind == "symbol":
            after_equals = lexeme == "="
        elif kind != "name" and not _shown(key) and (after_equals or _SECRET_NAME.search(key)):
            bare = _BARE_VALUE.match(text, match.start())
            position = max(position, bare.end() if bare else 0)
            spans.append((match.start(), position))
            key, after_equals = "", False
        else:
            key, after_equals = lexeme.strip("'\"\u2018\u2019\u201c\u201d"), False
    return spans, closed


def _shown(key: str) -> bool:
    return key.lower() in _SHOWN or key.lower().startswith(_SHOWN_PREFIXES)
