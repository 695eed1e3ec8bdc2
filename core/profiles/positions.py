"""Where keys are in a TOML text, which neither tomllib nor tomlkit tells.

The text must have been accepted by tomllib first: this only finds where things are, it judges nothing.
Grammar: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""A key from the top of the file; the index of an element of an array is an int."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\])*"' r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*[^,\]}#\s]")


@dataclass(frozen=True, slots=True)
class Statement:
    """A table header or a key and its value: `path`, and where it begins and ends in the text."""

    path: KeyPath
    begin: int
    end: int
    header: bool


@dataclass(frozen=True, slots=True)
class Positions:
    """Where things are in a TOML text.

    `lines`: the line, from 1, where each key, table and array element begins; a key that is only implied (`a` in
    `a.b = 1`) has the line of its first mention. `mentions`: every part of a key as it is written, with the path it
    leads to and its first and last offset. `statements`: in the order of the text.
    """

    lines: dict[KeyPath, int]
    mentions: tuple[tuple[KeyPath, int, int], ...]
    statements: tuple[Statement, ...]

    def line(self, key: KeyPath) -> int:
        """The line of a key, or of what it belongs in where it is not written; 0 where nothing of it is."""
        while key not in self.lines and key:
            key = key[:-1]
        return self.lines.get(key, 0)


def positions(text: str) -> Positions:
    """Find everything in a valid TOML text. Lines end with LF or CRLF."""
    scan = _Scan(text)
    scan.run()
    return Positions(scan.found, tuple(scan.mentions), tuple(scan.statements))


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self.mentions: list[tuple[KeyPath, int, int]] = []
        self.statements: list[Statement] = []
        self.tables: dict[KeyPath, int] = {}  # how many elements an array of tables has so far
        self._counted = 0  # up to where lines were counted
        self._line = 1

    def run(self) -> None:
        table: KeyPath = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            begin = self.at
            header = self.text.startswith("[", begin)
            if header:
                path = table = self.header()
            else:
                path = self.pair(table)
            self.statements.append(Statement(path, begin, self.at, header))
            self.skip(_BLANK)

    def header(self) -> KeyPath:
        line = self.line()
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path: KeyPath = ()
        for key, begin, end in self.keys():
            path = (*path, key)
            self.mentions.append((path, begin, end))
            path = self.inside(path, line)
        self.at += 2 if many else 1
        if many:
            array = path[:-1] if isinstance(path[-1], int) else path
            self.tables[array] = self.tables.get(array, 0) + 1
            path = (*array, self.tables[array] - 1)
        # A table opened by its own header is there, however early a sub-table mentioned it.
        self.found[path] = line
        return path

    def inside(self, path: KeyPath, line: int) -> KeyPath:
        """`path`, noted; if it is an array of tables, its last element, which is what a header goes on from."""
        self.found.setdefault(path, line)
        return (*path, self.tables[path] - 1) if path in self.tables else path

    def pair(self, table: KeyPath) -> KeyPath:
        line = self.line()
        path = table
        for key, begin, end in self.keys():
            path = (*path, key)
            self.mentions.append((path, begin, end))
            self.found.setdefault(path, line)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)
        return path

    def keys(self) -> list[tuple[str, int, int]]:
        """The parts of a dotted key with their offsets, and the space around them skipped."""
        keys = []
        while True:
            self.skip(_SPACE)
            begin = self.at
            if self.text[begin] in "\"'":
                key = str(tomllib.loads("key = " + self.skip(_STRING))["key"])
            else:
                key = self.skip(_BARE)
            keys.append((key, begin, self.at))
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def value(self, path: KeyPath) -> None:
        first = self.text[self.at]
        if first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:
            self.skip(_STRING if first in "\"'" else _SCALAR)

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        self.skip(_BLANK)
        while self.text[self.at] != "]":
            self.found[*path, index] = self.line()
            self.value((*path, index))
            index += 1
            self.comma()
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not the TOML that was checked, at character {self.at}")
        self.at = match.end()
        return match.group()

    def line(self) -> int:
        """The line of the current position; counted on from the last one asked for."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
