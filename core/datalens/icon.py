"""The icon of a listing: an SVG that only draws.

Read with expat, whose handlers refuse a DOCTYPE the moment it begins, so that no entity is ever declared or expanded.
Nothing that runs, loads or embeds is let through: the icon is shown to the customers of somebody else's site.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from core.display import one_line
from core.errors import BadInputError

SVG = "http://www.w3.org/2000/svg"
_XHTML = "http://www.w3.org/1999/xhtml"
LARGEST = 256 * 1024  # bytes
_SEPARATOR = "\n"  # between namespace and name; no XML name can hold it
_DEEPEST = 200
_FORBIDDEN = frozenset(
    {"script", "foreignobject", "iframe", "embed", "object", "image", "audio", "video", "handler", "set"}
)
_LOADING = re.compile(r"@import|url\s*\(\s*['\"]?\s*(?!['\"]?#)|expression\s*\(|javascript:", re.IGNORECASE)


class _RefusedError(Exception):
    """Carries the reason out of expat's callbacks."""


def check_icon(content: bytes, source: str) -> str:
    """The text of the SVG `content`. Raises BadInputError with the reason, and the line where there is one."""
    name = one_line(source)
    if len(content) > LARGEST:
        raise BadInputError(f"{name} has {len(content):,} bytes; an icon has {LARGEST:,} at most.")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is not UTF-8.", advice="Save the SVG as UTF-8.") from error
    problem = icon_problem(text)
    if problem:
        raise BadInputError(f"{name} cannot be the icon: {problem}.", advice="Export it as a plain SVG.")
    return text


def icon_problem(text: str) -> str:
    """Why `text` is no usable icon, as half a sentence; empty when it is."""
    # The encoding is given from outside: an encoding declared in the text cannot change what was checked.
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    judge = _Judge(parser)
    try:
        parser.Parse(text.encode("utf-8"), True)
    except _RefusedError as refused:
        return f"line {parser.CurrentLineNumber}: {refused}"
    except expat.ExpatError as error:
        return f"line {error.lineno}: it is not well-formed XML ({expat.errors.messages[error.code]})"
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    return "" if judge.drawn else "it draws nothing"


class _Judge:
    """Expat's handlers: sees every element, attribute and style, and refuses by raising."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.depth = 0
        self.drawn = False
        self._style: list[str] | None = None
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise _RefusedError("a DOCTYPE is not allowed")

    def _instruction(self, target: str, _: str) -> None:
        raise _RefusedError(f"the processing instruction {one_line(target, 40)} is not allowed")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(_SEPARATOR)
        if self.depth == 0:
            self._root(space, name, attributes)
        elif space == SVG:
            self.drawn = True
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _RefusedError("it is nested too deeply")
        if space == _XHTML or name.lower() in _FORBIDDEN or name.lower().startswith("animate"):
            raise _RefusedError(f"the element {one_line(name, 40)} is not allowed")
        for attribute, value in attributes.items():
            self._attribute(attribute.rpartition(_SEPARATOR)[2].lower(), value)
        if name.lower() == "style":
            self._style = []

    @staticmethod
    def _root(space: str, name: str, attributes: dict[str, str]) -> None:
        if (space, name) != (SVG, "svg"):
            raise _RefusedError(f'the root element is not svg in the namespace "{SVG}"')
        if "viewBox" not in attributes and not {"width", "height"} <= attributes.keys():
            raise _RefusedError("it has neither a viewBox nor a width and height")

    @staticmethod
    def _attribute(name: str, value: str) -> None:
        if name.startswith("on"):
            raise _RefusedError(f"the event attribute {one_line(name, 40)} is not allowed")
        if name in {"href", "src"} and not value.strip().startswith("#"):
            raise _RefusedError(f"{name} may only point into the icon itself (#…)")
        if _LOADING.search(value) or (name == "style" and "\\" in value):
            raise _RefusedError(f"the attribute {one_line(name, 40)} loads something from elsewhere")

    def _text(self, data: str) -> None:
        if self._style is not None:
            self._style.append(data)

    def _end(self, tag: str) -> None:
        self.depth -= 1
        if self._style is not None and tag.rpartition(_SEPARATOR)[2].lower() == "style":
            if _LOADING.search("".join(self._style)) or "\\" in "".join(self._style):
                raise _RefusedError("its style loads something from elsewhere")
            self._style = None
