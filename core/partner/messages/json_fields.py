"""JSON from a stranger, taken apart strictly and within bounds: every problem is named by its field.

No message repeats a value: it may be a secret, or a megabyte. Fields that nobody asks for are ignored here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from core.secrets import Secret

LONGEST = 256 * 1024  # bytes; what Databricks sends is below 4 KiB
LONGEST_TEXT = 4096
DEEPEST = 32
INT64 = range(-(2**63), 2**63)
PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a text must look like: a regular expression that JSON Schema understands alike, and its words."""

    expression: str
    wanted: str


EMAIL = Pattern(r"^[^\u0000-\u0020\u007f]+@[^\u0000-\u0020\u007f@]+$", "an e-mail address")
HOSTNAME = Pattern(r"^[A-Za-z0-9._-]+$", "the name of a host, without scheme, port and path")
HTTP_URL = Pattern(
    r"^https?://[^\u0000-\u0020\u007f/?#]+[^\u0000-\u0020\u007f]*$",
    "a URL that begins with https:// or http:// and a host",
)
JDBC_URL = Pattern(r"^jdbc:[^\u0000-\u001f\u007f]+$", "a URL that begins with jdbc:")
UUID = Pattern(
    r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", "a UUID, as 01234567-89ab-cdef-0123-456789abcdef"
)
# Possessive, and an open text ends with the body: so the time is linear whatever the body holds.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HALF = re.compile(r"[\ud800-\udfff]")

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field, given by its path (empty: with all of it), and what to do if that does not follow."""

    field: str
    problem: str
    advice: str = ""

    def __str__(self) -> str:
        text = f"{self.field} {self.problem}" if self.field else self.problem
        return f"{text}; {self.advice}" if self.advice else text


class JsonObject(dict[str, Any]):
    """An object of JSON. `repeated` are the names that it has more than once: no value of theirs is believed."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(self) < len(pairs) else {}
        self.repeated = frozenset(name for name, count in times.items() if count > 1)


class _NotWhole:
    """A number with a fraction or an exponent, or too long for 64 bits: never right, whatever it is."""


def read_object(content: bytes, called: str = "the body") -> JsonObject | FieldProblem:
    """The one object that `content` is, or why it is none; `called` is what to call it."""
    if len(content) > LONGEST:
        return FieldProblem("", f"{called} is longer than {LONGEST // 1024} KiB")
    if not content.strip():
        return FieldProblem("", f"{called} is empty", "it must be a JSON object")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return FieldProblem("", f"{called} is not UTF-8, at byte {error.start + 1}")
    if _depth(text) > DEEPEST:
        return FieldProblem("", f"{called} is nested more than {DEEPEST} deep")
    try:
        value = json.loads(
            text,
            object_pairs_hook=JsonObject,
            parse_int=_whole,
            parse_float=lambda _: _NotWhole(),
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")  # the place is told
        return FieldProblem("", f"{called} is not JSON, at line {error.lineno}, column {error.colno}: {what}")
    except _ConstantError as error:
        return FieldProblem("", f"{called} is not JSON: {error} is not a number of JSON")
    if not isinstance(value, JsonObject):
        return FieldProblem("", f"{called} is not a JSON object", "it must begin with { and end with }")
    return value


class _ConstantError(ValueError):
    """NaN, Infinity or -Infinity, which Python's reader takes for numbers."""


def _no_constant(name: str) -> Any:
    raise _ConstantError(name)


def _whole(text: str) -> int | _NotWhole:
    return int(text) if len(text) <= 20 else _NotWhole()  # int64 has at most 19 digits and a sign


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        match token[0][0]:
            case "{" | "[":
                depth += 1
                deepest = max(deepest, depth)
            case "}" | "]":
                depth -= 1
    return deepest


class Fields:
    """An object while it is read. A wrong or missing value is noted and something of its type stands in for it.

    So the reading goes on to the end, and all problems are told at once; who reads must look at `problems` last.
    """

    def __init__(self, values: JsonObject, problems: list[FieldProblem], path: str = "") -> None:
        self.values = values
        self.problems = problems
        self.path = path
        self.known: list[str] = []

    def note(self, name: str, problem: str, advice: str = "") -> None:
        """Note a problem of a field of this object."""
        self.problems.append(FieldProblem(self.path_of(name), problem, advice))

    def path_of(self, name: str) -> str:
        """The path of a field from the top."""
        return f"{self.path}.{name}" if self.path else name

    def optional_text(self, name: str, *, pattern: Pattern | None = None, longest: int = LONGEST_TEXT) -> str | None:
        """A text, or None when it is absent, null or empty."""
        value = self._typed(name, str, "a text")
        if not value:
            return None
        if problem := _text_problem(value, pattern, longest):
            self.note(name, problem)
        return value

    def text(self, name: str, *, pattern: Pattern | None = None, longest: int = LONGEST_TEXT) -> str:
        """A text that must be there and not empty."""
        if self.values.get(name) == "":
            self.known.append(name)
            self.note(name, "must not be empty")
            return ""
        return self.optional_text(name, pattern=pattern, longest=longest) or self._required(name, "")

    def free_text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """A text that must be there but may be empty and hold any character, as a person's name may."""
        value = self._typed(name, str, "a text")
        if value is None:
            return self._required(name, "")
        if problem := _half_or_long(value, longest):
            self.note(name, problem)
        return value

    def optional_secret(self, name: str) -> Secret | None:
        """A secret, or None when it is absent, null or empty."""
        value = self.optional_text(name)
        return None if value is None else Secret(value, passing=True)

    def optional_whole(self, name: str, within: range = INT64) -> int | None:
        """A whole number."""
        value = self._typed(name, int, f"a whole number {_range_words(within)}, without quotes, fraction or exponent")
        if value is None or value in within:
            return value
        self.note(name, f"must be a whole number {_range_words(within)}")
        return within.start

    def whole(self, name: str, within: range = INT64) -> int:
        """A whole number that must be there."""
        value = self.optional_whole(name, within)
        return self._required(name, within.start) if value is None else value

    def optional_flag(self, name: str) -> bool | None:
        """`true` or `false`."""
        return self._typed(name, bool, "true or false, without quotes")

    def flag(self, name: str) -> bool:
        """`true` or `false`, which must be there."""
        value = self.optional_flag(name)
        return self._required(name, False) if value is None else value

    def optional_choice(self, name: str, choices: type[Choice], also: dict[str, Choice] | None = None) -> Choice | None:
        """One of a few words, in the case in which they are documented; `also` are misspelt ones with their meaning."""
        value = self._typed(name, str, "a text")
        if not value:
            return None
        if also and value in also:
            return also[value]
        if value in list(choices):
            return choices(value)
        self.note(name, f"must be {_words(choices)}")
        return next(iter(choices))

    def choice(self, name: str, choices: type[Choice], also: dict[str, Choice] | None = None) -> Choice:
        """One of a few words, which must be there."""
        value = self.optional_choice(name, choices, also)
        if value is not None:
            return value
        self.note_missing(name, f"it must be {_words(choices)}")
        return next(iter(choices))

    def optional_inner(self, name: str) -> Fields | None:
        """An object within this one."""
        value = self._typed(name, JsonObject, "an object")
        return None if value is None else Fields(value, self.problems, self.path_of(name))

    def inner(self, name: str) -> Fields:
        """An object within this one, which must be there."""
        found = self.optional_inner(name)
        if found is not None:
            return found
        self.note_missing(name)
        return Fields(JsonObject([]), [], self.path_of(name))  # what lacks in it was not asked for yet

    def optional_members(self, name: str) -> Fields | None:
        """The members of a list, each as a field of its own: `name[0]`, `name[1]` and so on."""
        values = self._typed(name, list, "a list")
        if values is None:
            return None
        pairs = [(f"{name}[{index}]", value) for index, value in enumerate(values)]
        return Fields(JsonObject(pairs), self.problems, self.path)

    def note_missing(self, name: str, advice: str = "") -> None:
        """Note that a field lacks, unless something else was noted of it already."""
        if all(problem.field != self.path_of(name) for problem in self.problems):
            self.note(name, "is required", advice)

    def _required(self, name: str, stand_in: Value) -> Value:
        self.note_missing(name)
        return stand_in

    def _typed(self, name: str, kind: type[Value], wanted: str) -> Value | None:
        self.known.append(name)
        value = self.values.get(name)
        if name in self.values.repeated:
            self.note(name, "is there more than once")
            return None
        if value is None:
            return None
        # A bool is an int to Python, not to JSON.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.note(name, f"must be {wanted}")
            return None
        return value


def _text_problem(text: str, pattern: Pattern | None, longest: int) -> str:
    """Why a text cannot be taken, as the end of a sentence; empty when it can."""
    if problem := _half_or_long(text, longest):
        return problem
    if _CONTROL.search(text):
        return "holds a control character"
    # A control character is out, so `$` cannot stand before a last line break.
    if pattern and not re.search(pattern.expression, text):
        return f"must be {pattern.wanted}"
    return ""


def _half_or_long(text: str, longest: int) -> str:
    if _HALF.search(text):
        return "holds half a character: a surrogate without the other"
    return f"is longer than {longest} characters" if len(text) > longest else ""


def _range_words(within: range) -> str:
    if within == INT64:
        return "of 64 bits"
    return f"from {within.start} to {within.stop - 1}"


def _words(choices: type[StrEnum]) -> str:
    *others, last = [choice.value for choice in choices]
    return f"{', '.join(others)} or {last}" if others else last
