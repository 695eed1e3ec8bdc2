"""The values of a merged configuration, read as ClickHouse reads them: texts, numbers, yes and no.

Source: Poco's `AbstractConfiguration.cpp` and `NumberParser`, in the copy that ClickHouse builds with. Blanks around a
text belong to it; `${path}` in it is replaced by the value at that path of the same configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.access.effective.privilege_tree import PrivilegeTree, clickhouse_26_9
from core.access.xml.nodes import Node
from core.access.xml.problems import Problems, shown

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9][0-9,]{0,99})")  # Poco takes commas between thousands
_HEXADECIMAL = re.compile(r"0[xX]([0-9A-Fa-f]{1,16})")
_STEP = re.compile(r"((?:\\.|[^.\[\\])+)((?:\[[^\]]*\])*)")
_INDEX = re.compile(r"\[([0-9]+|@[^\]=]+)\]")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
PLAIN_DIGITS = "ClickHouse takes plain digits only: 10000000000, not 10G."
_DEEPEST = 10  # references within references, as in ClickHouse
_LONGEST = 1_000_000  # characters that a text may grow to by references
_MOST = 1000  # references that are followed for one text


class _EndlessError(Exception):
    """References without an end, or with one that is too far away."""


@dataclass(slots=True)
class Configuration:
    """A merged configuration, the problems met while it is read, and the privileges that the server knows."""

    root: Node
    problems: Problems
    privileges: PrivilegeTree = field(default_factory=clickhouse_26_9)
    _followed: int = field(default=0, init=False)

    def section(self, name: str) -> list[tuple[str, Node]]:
        """The elements of a section under their keys; of two sections of one name ClickHouse reads the first."""
        found = self.root.first(name)
        return found.keyed() if found is not None else []

    def text(self, node: Node) -> str:
        """The text of an element. It is empty where that is not known."""
        if node.unresolved:
            return ""
        self._followed = 0
        try:
            return self._expanded(node.inner_text(), 0)
        except _EndlessError:
            message = "References with ${…} lead to each other, or there are too many."
            self.problems.error(node.origin, message, "Write the value itself.")
            return ""

    def text_in(self, node: Node, name: str) -> str | None:
        """The text of the first `name` in an element, or None when there is none or it is not known."""
        found = node.first(name)
        return None if found is None or found.unresolved else self.text(found)

    def integer(self, node: Node, name: str, default: int, limits: range) -> int:
        """A whole number, within `limits`; the default when there is none."""
        found = node.first(name)
        if found is None or found.unresolved:
            return default
        text = self.text(found)
        if match := _HEXADECIMAL.fullmatch(text):
            number = int(match[1], 16)
        elif match := _INTEGER.fullmatch(text):
            number = int(match[1] + match[2].replace(",", ""))
        else:
            self.problems.error(found.origin, f"<{name}> is {shown(text)}, which is no whole number.", PLAIN_DIGITS)
            return default
        if number not in limits:
            message = f"<{name}> is {number}, but must be from {limits.start} to {limits.stop - 1}."
            self.problems.error(found.origin, message, "Write a number in that range.")
            return default
        return number

    def boolean(self, node: Node, name: str) -> bool:
        """Yes or no; no when there is none."""
        found = node.first(name)
        if found is None or found.unresolved:
            return False
        text = self.text(found)
        if (match := _INTEGER.fullmatch(text)) is not None:
            return int(match[2].replace(",", "")) != 0
        if text.lower() in _TRUE:
            return True
        if text.lower() not in _FALSE:
            advice = "Write 1 or 0, without blanks around it."
            self.problems.error(found.origin, f"<{name}> is {shown(text)}, which is neither yes nor no.", advice)
        return False

    def ignored(self, node: Node, known: frozenset[str], where: str) -> None:
        """Tell of elements that ClickHouse does not look at, and of those that stand more than once."""
        for key, child in node.keyed():
            if child.name not in known:
                message = f"ClickHouse does not know <{child.name}> in {where} and ignores it."
                self.problems.warning(child.origin, message, "Check the spelling, or take it out.")
            elif key.endswith("]"):
                message = f"<{child.name}> stands more than once in {where}; ClickHouse reads the first only."
                self.problems.warning(child.origin, message, "Keep one of them.")

    def _expanded(self, text: str, depth: int) -> str:
        if "${" not in text:
            return text
        parts = []
        length = position = 0
        while (start := text.find("${", position)) >= 0:
            end = text.find("}", start)
            end = len(text) if end < 0 else end
            path = text[start + 2 : end]
            self._followed += 1
            if depth >= _DEEPEST or self._followed > _MOST:
                raise _EndlessError
            value = self._value_at(path)
            parts.append(text[position:start])
            parts.append(f"${{{path}}}" if value is None else self._expanded(value, depth + 1))
            length += len(parts[-1])
            if length > _LONGEST:
                raise _EndlessError
            position = end + 1
        return "".join(parts) + text[position:]

    def _value_at(self, path: str) -> str | None:
        found: Node | None = self.root
        for name, indexes in _STEP.findall(path):
            if found is None:
                return None
            wanted = re.sub(r"\\(.)", r"\1", name)
            same = [child for child in found.elements() if child.name == wanted]
            found = same[0] if same else None
            for index in _INDEX.findall(indexes):
                if found is not None and index.startswith("@"):
                    return found.attributes.get(index[1:])
                number = int(index[:10])  # more digits than there can be elements
                found = same[number] if number < len(same) else None
        return found.inner_text() if found is not None else None
