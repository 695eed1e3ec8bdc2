"""A cursor over the tokens of a statement: the small reading steps that every statement's parser is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NoReturn, TypeVar

from core.access.tokenizer import AccessSyntaxError, Kind, Token, tokenize

T = TypeVar("T")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
# Words behind which an expression goes on with an operand: between two operands, and before one.
_INFIXES = (
    *("AND", "OR", "XOR", "DIV", "MOD", "THEN", "ELSE", "WHEN", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"),
    *("IN", "NOT IN", "GLOBAL IN", "GLOBAL NOT IN", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "REGEXP", "NOT REGEXP"),
    *("BETWEEN", "NOT BETWEEN"),
)
_PREFIXES = ("NOT", "CASE WHEN")
_PREFIXES_OR_NAMES = ("CASE", "INTERVAL")


@cache
def _split(words: str) -> tuple[str, ...]:
    """The keywords of a blank-separated text; the texts are the parsers' own, so they are few."""
    return tuple(words.split(" "))


class Cursor:
    """Reads tokens from left to right. Keywords are compared without case; a quoted word is never a keyword.

    `tokens` is given where another dialect's rules made them; the last is of kind END.
    """

    def __init__(self, sql: str, tokens: Sequence[Token] = ()) -> None:
        self.sql = sql
        self.tokens = tokens or tokenize(sql)
        self.index = 0
        self._keywords = tuple([token.text.upper() if token.kind is Kind.WORD else "" for token in self.tokens])

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def peek(self, ahead: int = 1) -> Token:
        """The token `ahead` places further on; END behind the last one."""
        place = self.index + ahead
        return self.tokens[place] if place < len(self.tokens) else self.tokens[-1]

    def take(self) -> Token:
        """The current token, which is then behind us."""
        token = self.token
        if token.kind is not Kind.END:
            self.index += 1
        return token

    def fail(self, expected: str) -> NoReturn:
        """Raise AccessSyntaxError at the current token."""
        token = self.token
        # A string is not repeated: it can be a password.
        unnamed = token.kind in {Kind.END, Kind.STRING}
        found = token.kind.value if unnamed else repr(self.sql[token.position : token.end][:40])
        raise AccessSyntaxError(f"expected {expected}, found {found}", self.sql, token.position)

    def at_words(self, words: str) -> bool:
        """Whether the keywords `words` (upper case, blank-separated) come next."""
        wanted = _split(words)
        keywords, index = self._keywords, self.index
        # Nearly always the first word tells already.
        return keywords[index] == wanted[0] and keywords[index : index + len(wanted)] == wanted

    def words(self, words: str) -> bool:
        """Take the keywords `words` if they come next."""
        if not self.at_words(words):
            return False
        self.index += len(_split(words))
        return True

    def one_of(self, *choices: str) -> str:
        """Take the first of `choices` that comes next, or return the empty string."""
        for choice in choices:
            if self.words(choice):
                return choice
        return ""

    def need_words(self, words: str) -> None:
        if not self.words(words):
            self.fail(words)

    def at_symbol(self, symbol: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind is Kind.SYMBOL and token.text == symbol

    def symbol(self, symbol: str) -> bool:
        """Take the symbol if it comes next."""
        if not self.at_symbol(symbol):
            return False
        self.index += 1
        return True

    def need_symbol(self, symbol: str) -> None:
        if not self.symbol(symbol):
            self.fail(f"'{symbol}'")

    def identifier(self, what: str) -> str:
        """A bare or quoted identifier."""
        if self.token.kind not in (Kind.WORD, Kind.QUOTED) or not self.token.text:
            self.fail(what)
        return self.take().text

    def name(self, what: str) -> str:
        """An identifier or a string: the name of a user, role, profile, cluster or storage."""
        if self.token.kind not in (Kind.WORD, Kind.QUOTED, Kind.STRING) or not self.token.text:
            self.fail(what)
        return self.take().text

    def string(self, what: str) -> str:
        if self.token.kind is not Kind.STRING:
            self.fail(what)
        return self.take().text

    def listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        """One or more of what `read` reads, comma-separated."""
        items = [read()]
        while self.symbol(","):
            items.append(read())
        return tuple(items)

    def bracketed(self, read: Callable[[], T]) -> tuple[T, ...]:
        """The same in round brackets."""
        self.need_symbol("(")
        items = self.listed(read)
        self.need_symbol(")")
        return items

    def need_end(self) -> None:
        if self.token.kind is not Kind.END:
            self.fail("the end of the statement")

    # -- pieces that several statements share -------------------------------------------------------------------

    def user_name(self) -> str:
        """The name of a user: `u`, `'u'`, or `u@'host'`, whose whole text is the name (`@%` alone is dropped)."""
        name = self.name("the name of a user or role")
        if self.symbol("@"):
            host = self.name("a host")
            return name if host == "%" else f"{name}@{host}"
        return name

    def expression(self, what: str, ends: Sequence[str], *, listed: bool = False) -> str:
        """An expression as it stands: up to one of the keywords `ends`, or a comma (unless `listed`), outside brackets.

        A keyword that stands where an operand must stand, as in `1 = to` or `case TO u`, is a name and ends nothing.
        """
        start = self.index
        open_brackets: list[str] = []
        operand_needed = True
        while self.token.kind is not Kind.END:
            symbol = self.token.text if self.token.kind is Kind.SYMBOL else ""
            if not open_brackets:
                at_end = not operand_needed and any(map(self.at_words, ends))
                if at_end or symbol in _BRACKETS.values() or (symbol == "," and not listed):
                    break
            if symbol in _BRACKETS:
                open_brackets.append(_BRACKETS[symbol])
            elif open_brackets and symbol in _BRACKETS.values() and symbol != open_brackets.pop():
                self.fail("the bracket that closes the one before")
            if self.one_of(*(_PREFIXES if operand_needed else _INFIXES)):
                operand_needed = True
            elif operand_needed and self.one_of(*_PREFIXES_OR_NAMES):
                operand_needed = self._at_operand(ends)
            else:
                self.take()
                operand_needed = symbol not in ("", *_BRACKETS.values()) and not (operand_needed and symbol == "*")
        if open_brackets:
            self.fail(f"'{open_brackets[-1]}'")
        if self.index == start:
            self.fail(what)
        return self.sql[self.tokens[start].position : self.tokens[self.index - 1].end]

    def _at_operand(self, ends: Sequence[str]) -> bool:
        """Whether something that begins an operand comes next."""
        if self.token.kind is Kind.SYMBOL:
            return self.token.text in "([{-+"
        return not any(map(self.at_words, (*ends, *_INFIXES)))

    def cluster(self) -> str:
        """`ON CLUSTER c` if it comes next, else the empty string."""
        return self.name("the name of a cluster") if self.words("ON CLUSTER") else ""
