"""XML texts as trees of nodes that know their file and line.

The parser is expat, as in ClickHouse, so both agree on what is well-formed. Entities are refused: ClickHouse does not
expand those of a document type either, and a text that tries to grow by them is an attack.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.access.access_model import Origin
from core.display import one_line
from core.errors import BadInputError

DEEPEST = 100  # elements in elements; ClickHouse's own configurations have about ten
_ENCODING = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "us-ascii"})  # of expat itself


class XmlError(BadInputError):
    """A text that is no XML ClickHouse can read. `origin` says where."""

    def __init__(self, origin: Origin, message: str, *, advice: str, detail: str = "") -> None:
        super().__init__(f"{origin.file}, line {origin.line}: {message}", advice=advice, detail=detail)
        self.origin = origin
        self.problem = message


@dataclass(slots=True)
class Node:
    """An element. `children` are elements and the texts between them.

    `unresolved` says why its text is not known, `substituted` where its content was taken from (`incl`, `from_env`).
    """

    name: str
    origin: Origin
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)
    unresolved: str = ""
    substituted: str = ""

    def elements(self) -> list[Node]:
        """The elements directly in this one."""
        return [child for child in self.children if isinstance(child, Node)]

    def first(self, name: str) -> Node | None:
        """The first element of that name directly in this one, which is the one that ClickHouse looks at."""
        return next((child for child in self.elements() if child.name == name), None)

    def keyed(self) -> list[tuple[str, Node]]:
        """The elements under the keys that ClickHouse gives them: `ip`, `ip[1]`, and `a\\.b` for a name with a dot."""
        counts: dict[str, int] = {}
        found = []
        for child in self.elements():
            count = counts.get(child.name, 0)
            counts[child.name] = count + 1
            key = child.name.replace(".", "\\.")
            found.append((f"{key}[{count}]" if count else key, child))
        return found

    def inner_text(self) -> str:
        """All text in this element and those in it."""
        return "".join(child if isinstance(child, str) else child.inner_text() for child in self.children)

    def size(self) -> int:
        """How many elements and texts there are in this one, itself with them."""
        return 1 + sum(1 if isinstance(child, str) else child.size() for child in self.children)

    def copy(self) -> Node:
        """This element with all that is in it, to be put elsewhere."""
        children = [child if isinstance(child, str) else child.copy() for child in self.children]
        return Node(self.name, self.origin, dict(self.attributes), children, self.unresolved, self.substituted)

    def walk(self, path: str = "") -> Iterator[tuple[str, Node]]:
        """Every element in this one with its path in ClickHouse's notation, outer ones first."""
        for key, child in self.keyed():
            inner = f"{path}.{key}" if path else key
            yield inner, child
            yield from child.walk(inner)


def parse_xml(content: bytes, file: str, first_line: int = 1) -> Node:
    """The root element of an XML text. Raises XmlError for anything that ClickHouse would not read."""
    from xml.sax import SAXParseException
    from xml.sax.xmlreader import InputSource

    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    builder = _builder(file, first_line)
    if (declared := _ENCODING.match(content)) and declared[1].decode("ascii").lower() not in _ENCODINGS:
        name = declared[1].decode("ascii")
        raise XmlError(
            Origin(file, first_line), f"the encoding {name} is not one that ClickHouse reads.", advice="Use UTF-8."
        )
    parser: Any = create_parser()
    parser.setContentHandler(builder)
    source = InputSource(file)
    source.setByteStream(io.BytesIO(content))
    try:
        parser.parse(source)
    except SAXParseException as error:
        line = (error.getLineNumber() or 1) + first_line - 1
        raise XmlError(
            Origin(file, line),
            f"this is no well-formed XML: {one_line(error.getMessage(), 100)}.",
            advice="Correct it there or just before.",
        ) from None
    except DefusedXmlException as error:
        raise XmlError(
            Origin(file, builder.line),
            "the document type declares an entity or refers to another file.",
            advice="ClickHouse does not expand entities: write the value itself, or use incl or from_env.",
            detail=type(error).__name__,
        ) from None
    root: Node = builder.root
    return root


def _builder(file: str, first_line: int) -> Any:
    from xml.sax.handler import ContentHandler

    class Builder(ContentHandler):
        """Builds the tree from what the parser meets."""

        def __init__(self) -> None:
            super().__init__()
            self.root: Node | None = None
            self._open: list[Node] = []
            self._locator: Any = None

        @property
        def line(self) -> int:
            return int(self._locator.getLineNumber() or 1) + first_line - 1

        def setDocumentLocator(self, locator: Any) -> None:
            self._locator = locator

        def startElement(self, name: str, attrs: Any) -> None:
            origin = Origin(file, self.line)
            if ":" in name:
                advice = "Create what has such a name with SQL: an XML element cannot be called so."
                raise XmlError(origin, f"the element name {one_line(name, 60)} has a colon.", advice=advice)
            if len(self._open) >= DEEPEST:
                raise XmlError(origin, f"elements are nested more than {DEEPEST} deep.", advice="Make it flatter.")
            node = Node(name, origin, dict(attrs.items()))
            if self._open:
                self._open[-1].children.append(node)
            else:
                self.root = node
            self._open.append(node)

        def endElement(self, name: str) -> None:
            self._open.pop()

        def characters(self, content: str) -> None:
            children = self._open[-1].children
            if children and isinstance(children[-1], str):
                children[-1] += content
            else:
                children.append(content)

    return Builder()
