"""A cursor over the tokens of a Lakehouse statement that also keeps what it finds wrong but can read past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import NoReturn

from core.access.cursor import Cursor
from core.access.tokenizer import Kind, Token
from core.display import one_line
from core.lakehouse.findings import Finding, Fix, Severity
from core.lakehouse.quoting import quote_string
from core.lakehouse.sql.places import LakehouseSyntaxError, Lines
from core.lakehouse.sql.tokens import TYPOGRAPHIC


class StatementCursor(Cursor):
    """`places` is where the value of each field stands, as an offset in the text."""

    def __init__(self, text: str, tokens: Sequence[Token], lines: Lines) -> None:
        super().__init__(text, tokens)
        self._lines = lines
        self.findings: list[Finding] = []
        self.places: dict[str, int] = {}

    def fail(self, expected: str) -> NoReturn:
        token = self.token
        # Nothing in quotes is repeated: it can be a secret.
        shown = token.kind.value if token.kind in (Kind.END, Kind.STRING) else repr(one_line(token.text, 40))
        what = f"expected {expected}, found {shown}"
        raise LakehouseSyntaxError(what, self.sql, token.position, begin=self.tokens[0].position)

    def report(
        self,
        severity: Severity,
        code: str,
        message: str,
        at: Token,
        *,
        advice: str = "",
        field: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Keep a finding about the place of a token."""
        self.keep(Finding(severity, code, message, advice, field=field), at, fix)

    def keep(self, finding: Finding, at: Token, fix: Fix | None = None) -> None:
        """Keep a finding, about the place of a token."""
        line, column = self._lines.place(at.position)
        self.findings.append(replace(finding, line=line, column=column, fix=fix))

    def at_close(self, word: str) -> bool:
        """Whether the next token is `word` or a misspelling of it."""
        token = self.token
        if token.kind is not Kind.WORD or abs(len(token.text) - len(word)) > 2:
            return False
        return bool(get_close_matches(token.text.upper(), [word], cutoff=0.8))

    def close_word(self, word: str) -> bool:
        """Take `word`, or a misspelling of it with a finding and its fix."""
        if not self.at_close(word):
            return False
        if not self.at_words(word):
            self.report_misspelling(self.token, word)
        self.take()
        return True

    def report_misspelling(self, token: Token, word: str, replacement: str = "") -> None:
        """Keep a finding about a word that was taken for another."""
        message = f"{one_line(token.text, 40)} is a misspelling of {word}."
        fix = Fix(token.position, token.end, replacement or word)
        self.report(Severity.WARNING, "misspelled", message, token, advice=f"Write {word}.", fix=fix)

    def qualified_name(self, what: str) -> str:
        """A name, with those that qualify it: `a.b`. Of a part in backticks, the value."""
        parts = [self._name_part(what)]
        while self.symbol("."):
            parts.append(self._name_part(what))
        return ".".join(parts)

    def _name_part(self, what: str) -> str:
        if self.token.kind is Kind.QUOTED and "." in self.token.text:
            self.fail("a name without a dot in it, which could not be told from a qualified name")
        return self.identifier(what)

    def text_value(self, what: str) -> str:
        """A string. One that is not in quotes, or in typographic ones, is taken with a finding and its fix."""
        token = self.token
        if token.kind is Kind.STRING:
            if self.sql[token.position] in TYPOGRAPHIC:
                self._report_quotes(token, token, token.text, f"The quotes around {what} are typographic ones.")
            return self.take().text
        if token.kind not in (Kind.WORD, Kind.NUMBER) or self.at_symbol("=", 1):
            self.fail(f"{what} in quotes")
        last = self.take()
        while self.token.position == last.end and self.token.text not in ("", ",", ")", "("):
            last = self.take()
        value = self.sql[token.position : last.end]
        self._report_quotes(token, last, value, f"{what[:1].upper()}{what[1:]} is not in quotes.")
        return value

    def _report_quotes(self, first: Token, last: Token, value: str, message: str) -> None:
        fix = Fix(first.position, last.end, quote_string(value))
        self.report(Severity.WARNING, "quotes", message, first, advice="Write it in plain single quotes.", fix=fix)

    def properties(self) -> list[tuple[Token, Token, str]]:
        """`('key'='value', …)`: the tokens of each key and value, and the value."""
        found: list[tuple[Token, Token, str]] = []
        self.need_symbol("(")
        while not self.symbol(")"):
            key = self.token
            if key.kind is not Kind.STRING:
                self.fail("a property's name in quotes")
            self.take()
            self.need_symbol("=")
            found.append((key, self.token, self.text_value("the value of a property")))
            if not self.symbol(",") and not self.at_symbol(")"):
                self.fail("',' or ')'")
        return found

    def report_twice(self, token: Token, name: str) -> None:
        self.report(
            Severity.ERROR, "clause-twice", f"{name} is given twice.", token, advice="Leave one of the two out."
        )
