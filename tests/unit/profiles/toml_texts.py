"""TOML texts in every style a person may write, made together with what they say and where they say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

KeyPath = tuple[str | int, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]

BARE = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789_-", min_size=1, max_size=8)
ANY_KEY = BARE | st.text(st.characters(codec="utf-8"), max_size=6)
PRINTABLE = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=12)
SCALAR = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.dates()
    | st.datetimes().map(lambda moment: moment.replace(microsecond=0))
)
DATA: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    ANY_KEY,
    st.recursive(
        SCALAR,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_KEY, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


class Writer:
    """Writes a table in randomly chosen styles and notes the line of every key as it goes."""

    def __init__(self, draw: Draw, data: Mapping[str, Any], *, comments: bool = True) -> None:
        self.draw = draw
        self.comments = comments
        self.written: list[str] = []
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.notes: list[str] = []  # the comments that stand on a line of their own or behind a value
        self.table((), data)

    @property
    def text(self) -> str:
        return "".join(self.written)

    def put(self, text: str) -> None:
        self.written.append(text)
        self.line += text.count("\n")

    def table(self, path: KeyPath, data: Mapping[str, Any], header: str = "") -> None:
        if header:
            self.put(header)
            self.end_line()
        below: list[tuple[str, Any]] = []
        for key, value in data.items():
            style = self.style(value)
            if style in ("header", "headers"):
                below.append((key, value))
                continue
            self.space()
            if style == "dotted":
                self.dotted(path, (), {key: value})
            else:
                self.pair(path, (key,), value)
                self.end_line()
        for key, value in below:
            self.space()
            inner = (*path, key)
            if isinstance(value, list):
                self.lines[inner] = self.line
                for index, element in enumerate(value):
                    self.lines[(*inner, index)] = self.line
                    self.table((*inner, index), element, f"[[{self.keys(inner)}]]")
            else:
                self.lines[inner] = self.line
                self.table(inner, value, f"[{self.keys(inner)}]")

    def style(self, value: Any) -> str:
        if isinstance(value, dict):
            if value and not any(isinstance(inner, dict) and not inner for inner in value.values()):
                return str(self.draw(st.sampled_from(["header", "dotted", "inline"])))
            return str(self.draw(st.sampled_from(["header", "inline"])))
        if isinstance(value, list) and value and all(isinstance(element, dict) for element in value):
            return str(self.draw(st.sampled_from(["headers", "inline"])))
        return "inline"

    def dotted(self, path: KeyPath, keys: tuple[str, ...], data: Mapping[str, Any]) -> None:
        for key, value in data.items():
            if isinstance(value, dict) and value:
                self.dotted(path, (*keys, key), value)
            else:
                self.pair(path, (*keys, key), value)
                self.end_line()

    def pair(self, path: KeyPath, keys: tuple[str, ...], value: Any) -> None:
        for count in range(1, len(keys) + 1):
            self.lines.setdefault((*path, *keys[:count]), self.line)
        self.put(self.keys(keys))
        self.put(self.draw(st.sampled_from([" = ", "=", "\t=  "])))
        self.value((*path, *keys), value)

    def keys(self, path: KeyPath) -> str:
        dot = self.draw(st.sampled_from([".", " . ", ". "]))
        return str(dot.join(self.key(key) for key in path if isinstance(key, str)))

    def key(self, key: str) -> str:
        forms = [basic(key)]
        if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum():
            forms.append(key)
        if "'" not in key and key.isprintable():
            forms.append(f"'{key}'")
        return str(self.draw(st.sampled_from(forms)))

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.put("{ ")
            for index, (key, inner) in enumerate(value.items()):
                self.put(", " if index else "")
                self.pair(path, (key,), inner)
            self.put("}")
        elif isinstance(value, list):
            self.array(path, value)
        else:
            self.put(self.scalar(value))

    def array(self, path: KeyPath, values: list[Any]) -> None:
        # Inside an inline table an array may still go over several lines.
        gap = self.draw(st.sampled_from(["", " ", "\n  ", "\n# not, a ] key = 1\n"]))
        self.put("[" + gap)
        for index, value in enumerate(values):
            self.put(gap if index else "")
            self.lines[(*path, index)] = self.line
            self.value((*path, index), value)
            if index < len(values) - 1 or self.draw(st.booleans()):
                self.put(gap + ",")
        self.put(gap + "]")

    def scalar(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, int | float):
            return repr(value)
        return str(value.isoformat(*([" "] if hasattr(value, "hour") and self.draw(st.booleans()) else [])))

    def string(self, value: str) -> str:
        forms = [basic(value)]
        if not value.startswith(" "):  # which the backslash at the end of a line would swallow
            forms.append('"""\\\n   ' + basic(value)[1:-1] + '"""')
        if value.isprintable() and "'" not in value:
            forms += [f"'{value}'", f"'''\n{value}'''"]
        if value.endswith('"') and not value.endswith('""') and not value[:-1].endswith("\\"):
            forms.append('"""' + basic(value[:-1])[1:-1] + '""""')
        if value.isprintable() and not value.startswith(" "):
            forms.append('"""' + "\n" + basic(value)[1:-1] + '"""')
        return str(self.draw(st.sampled_from(forms)))

    def space(self) -> None:
        self.put(self.draw(st.sampled_from(["", "\n", "\n\n", "  "])))
        if self.comments and self.draw(st.booleans()):
            self.note()
            self.put("\n")

    def end_line(self) -> None:
        if self.comments and self.draw(st.booleans()):
            self.put(" ")
            self.note()
        self.put("\n")

    def note(self) -> None:
        text = f"# note {len(self.notes)}: a = [1, \"]' = x"
        self.notes.append(text)
        self.put(text)


def basic(text: str) -> str:
    """A basic string, escapes by the JSON encoder: an oracle apart from ours."""
    escaped = json.dumps(text, ensure_ascii=not text.isprintable())
    # JSON writes what is beyond the basic plane as two surrogates, TOML does not.
    if "\\ud" in escaped:
        escaped = json.dumps(text, ensure_ascii=False)
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return escaped.replace("\x7f", "\\u007f")


@st.composite
def toml_texts(draw: Draw, data: st.SearchStrategy[dict[str, Any]] = DATA) -> tuple[dict[str, Any], Writer]:
    """Data, and a text that says it."""
    values = draw(data)
    return values, Writer(draw, values)
