"""Taking a TOML table apart, strictly: every key has one type and range, and nothing is left over unnoticed."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.files import exposure
from core.secrets import SecretReference

KeyPath = tuple[str | int, ...]
Note = Callable[[KeyPath, str, bool], None]
"""Takes a key from the top of the file, what is wrong with it, and whether that blocks the profile."""


class Table:
    """One table while it is read. A wrong value is noted and its default used; the first reading goes on.

    Keys become known by being asked for; `close` notes the ones nobody asked for, with the nearest known one.
    """

    def __init__(self, values: Mapping[str, Any], path: KeyPath, note: Note) -> None:
        self.values = values
        self.path = path
        self._note = note
        self._known: list[str] = []
        self._inner: list[Table] = []

    def note(self, key: str | None, message: str, *, blocking: bool = True) -> None:
        """Note a problem of a key of this table, or with None of the table itself."""
        self._note(self.path if key is None else (*self.path, key), message, blocking)

    def has(self, key: str) -> bool:
        """Whether the key is written."""
        return key in self.values

    def text(self, key: str, default: str = "") -> str:
        """A text of at least one character, all printable."""
        value = self._typed(key, str, "a text in quotes")
        if value is None:
            return default
        if not value or not value.isprintable():
            self.note(key, "must not be empty" if not value else "must hold printable characters only")
            return default
        return str(value)

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value not in choices:
            allowed = " or ".join(f'"{choice}"' for choice in choices)
            self.note(key, f"must be {allowed}, not {shown(value)}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        """`true` or `false`."""
        value = self._typed(key, bool, "true or false, without quotes")
        return default if value is None else bool(value)

    def flag_or_none(self, key: str, doubtful: bool) -> bool | None:
        """`true`, `false`, or None when it is not written; `doubtful` when what is written is neither."""
        return self.flag(key, doubtful) if self.has(key) else self.raw(key)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._typed(key, int, f"a whole number from {low} to {high}, without quotes")
        if value is None:
            return default
        if not low <= value <= high:
            self.note(key, f"must be from {low} to {high}, not {value}")
            return default
        return int(value)

    def seconds(self, key: str, default: float, high: float) -> float:
        """A number of seconds above 0, to `high`."""
        value = self._typed(key, (int, float), f"a number of seconds, to {high:g}, without quotes")
        if value is None:
            return default
        if not 0 < value <= high:  # false for nan too
            self.note(key, f"must be above 0, to {high:g} seconds, not {value}")
            return default
        return float(value)

    def file(self, key: str) -> Path | None:
        """An absolute path, `~` expanded. Whether something is there is for the caller to look at."""
        value = self.text(key)
        if not value:
            return None
        if not value.startswith(("/", "~")):
            self.note(key, 'must be an absolute path, as "/path" or "~/path"')
            return None
        return Path(os.path.expanduser(value))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, each checked as `text`."""
        values = self._typed(key, list, "a list of texts in quotes")
        if values is None:
            return ()
        for index, value in enumerate(values):
            if not isinstance(value, str) or not value or not value.isprintable():
                self._note((*self.path, key, index), "must be a text in quotes, printable and not empty", True)
                return ()
        return tuple(values)

    def secret(self, key: str) -> SecretReference | None:
        """A reference to a secret. One that gives no secret now is noted, and does not block."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, str | list):
            self.note(key, "must be a reference in quotes, as env:NAME")
            return None
        try:
            reference = SecretReference.parse(value)
        except BadInputError as error:
            self.note(key, f"{error.message} {error.advice}")
            return None
        if problem := reference.problem():
            self.note(key, problem, blocking=False)
        return reference

    def raw(self, key: str) -> Any:
        """The value as it is, or None."""
        self._known.append(key)
        return self.values.get(key)

    def table(self, key: str) -> Table:
        """A table within this one; an empty one when it is not written."""
        values = self._typed(key, dict, f"a table, as [{self.dotted(key)}]")
        inner = Table({} if values is None else values, (*self.path, key), self._note)
        self._inner.append(inner)
        return inner

    def tables(self, key: str) -> list[Table]:
        """A list of tables, as `[[key]]`; those that are none are noted and left out."""
        values = self._typed(key, list, f"a list of tables, as [[{self.dotted(key)}]]") or []
        found = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                found.append(Table(value, (*self.path, key, index), self._note))
            else:
                self._note((*self.path, key, index), "must be a table", True)
        self._inner += found
        return found

    def anything(self) -> Mapping[str, Any]:
        """All of it: for a table whose keys are free."""
        self._known.extend(self.values)
        return self.values

    def refuse(self, keys: tuple[str, ...], reason: str) -> None:
        """Note each of `keys` that is written, with the reason why it must not be. They count as known."""
        for key in keys:
            if self.raw(key) is not None:
                self.note(key, reason)

    def dotted(self, key: str) -> str:
        """The key as it is written from the top of the file."""
        return dotted((*self.path, key))

    def close(self) -> None:
        """Note every key nobody asked for, in this table and those within."""
        self._close({name: inner for inner in reversed(self._inner) for name in inner._known})
        for inner in self._inner:
            inner._close({name: self for name in self._known})
            for innermost in inner._inner:
                innermost._close({name: inner for name in inner._known})

    def _close(self, elsewhere: Mapping[str, Table]) -> None:
        for key in self.values:
            if key in self._known:
                continue
            advice = ""
            if near := nearest(key, self._known):
                advice = f"; did you mean {dotted((near,))}?"
            elif near := nearest(key, list(elsewhere)):
                advice = f"; did you mean {dotted((near,))} in [{dotted(elsewhere[near].path)}]?"
            elif not self.path and isinstance(self.values[key], dict):
                advice = f"; a profile is written as [{dotted(('profiles', key))}]"
            self.note(key, f"is not a known key{advice}")

    def _typed(self, key: str, kind: type | tuple[type, ...], wanted: str) -> Any:
        value = self.raw(key)
        if value is None:
            return None
        # A bool is an int to Python, not to TOML.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.note(key, f"must be {wanted}")
            return None
        return value


def setting_problem(name: str, value: Any) -> str:
    """Why a ClickHouse setting cannot be sent, as the end of a sentence; empty when it can."""
    if not name or not (name.replace(".", "_").isascii() and name.replace(".", "_").isidentifier()):
        return "is not the name of a setting"
    if name == "readonly":
        return "is decided by read_only of the profile"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "" if -(2**63) <= value < 2**64 else "does not fit in 64 bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "must be a finite number"
    return "" if isinstance(value, str) else "must be a text, a number, true or false"


def nearest(word: str, words: list[str]) -> str:
    """The one of `words` that `word` was probably meant to be, or the empty string."""
    import difflib  # only a mistake needs it

    plain = {known.replace("_", "").lower(): known for known in words}
    found = difflib.get_close_matches(word.replace("_", "").replace("-", "").lower(), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else ""


def file_problem(path: Path) -> str:
    """Why no file can be read there, as the end of a sentence; empty when one can."""
    try:
        if path.is_file():
            return "" if os.access(path, os.R_OK) else "the file cannot be read by this user"
        return "it is not a file" if path.exists() else "the file is missing"
    except OSError as error:
        return f"the file cannot be looked at: {error.strerror}"


def key_problem(path: Path) -> str:
    """Who else may use the file of a private key, as the end of a sentence. Of one that cannot be read: nothing."""
    if file_problem(path) or not (wide := exposure(path)):
        return ""
    return f"the file of the private key is {wide}; run: chmod 600 {one_line(shlex.quote(str(path)))}"


def dotted(path: KeyPath) -> str:
    """A key as TOML writes it, for a message: parts quoted where they must be, indexes from 0 in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + quoted_key(part)
    return text


def quoted_key(key: str) -> str:
    """One part of a TOML key: bare where it may be, else a basic string."""
    if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum():
        return key
    if key and set(key) <= {"-", "_"}:
        return key
    return quoted_text(key)


def quoted_text(text: str) -> str:
    """A TOML basic string on one line. Every character that is not printable is an escape."""
    pieces = []
    for character in text:
        if character in '"\\':
            pieces.append(f"\\{character}")
        elif character.isprintable():
            pieces.append(character)
        else:
            code = ord(character)
            pieces.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return f'"{"".join(pieces)}"'


def shown(text: str) -> str:
    """A value from a file, quoted and cut, for a message."""
    return one_line(quoted_text(text), 40)
