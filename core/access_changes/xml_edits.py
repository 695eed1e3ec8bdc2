"""Files of `users.xml` edited to say something else: only the elements that change, all other text stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat  # only for places: the text was read by the parser that refuses entities

from core.access.access_model import AccessModel
from core.access.xml.losses import Loss
from core.access.xml.merging import SUBSTITUTIONS
from core.access.xml.nodes import parse_xml
from core.access.xml.writing import Layout, WritingOptions, write
from core.access_reports.sources import Source
from core.display import one_line
from core.errors import RefusedError

_ENCODING = re.compile(rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_PLAIN_ENCODINGS = ("utf-8", "us-ascii")
_ELSEWHERE = (*SUBSTITUTIONS, "replace", "remove")  # attributes by which an element is more than what is in it


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of an entity (depth 3) or of a section (depth 2): its place in the bytes of a file."""

    section: str
    name: str  # "" for a section itself
    begin: int
    end: int
    inner_end: int  # where its closing tag begins; `end` when it has none
    line: int


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What becomes of one element: None, it goes."""

    section: str
    name: str
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Edit:
    """Bytes that take the place of those from `begin` to `end`."""

    begin: int
    end: int
    text: bytes = field(repr=False)


def edited_xml(
    sources: Sequence[Source], before: AccessModel, desired: AccessModel
) -> tuple[dict[Path, bytes], tuple[Loss, ...], tuple[str, ...]]:
    """The new contents of the files that change, what XML cannot hold of what changed, and what else is lost.

    Raises RefusedError for an element that is put together from several places or takes what is in it from elsewhere.
    """
    options = WritingOptions(Layout.FILE_PER_ENTITY)
    old, new = write(before, options), write(desired, options)
    for source in sources:
        _refuse_encoding(source)
    places = [(source, found) for source in sources for found in _elements(source)]
    by_name: dict[tuple[str, str], list[tuple[Source, _Element]]] = {}
    for source, found in places:
        by_name.setdefault((found.section, found.name), []).append((source, found))
    edits: dict[Path, list[_Edit]] = {source.path: [] for source in sources}
    added: dict[tuple[Path, str], list[str]] = {}
    notes: list[str] = []
    for wanted in _wanted(old.files, new.files):
        same = by_name.get((wanted.section, wanted.name), [])
        if len(same) > 1:
            where = ", ".join(f"{one_line(str(source.path))}:{found.line}" for source, found in same)
            raise RefusedError(
                f"<{one_line(wanted.name, 60)}> is put together from several places and not edited here: {where}.",
                advice="Put it into one of them first, in an editor.",
            )
        if same:
            source, found = same[0]
            notes += _notes(source.path, source.content[found.begin : found.end], wanted)
            edits[source.path].append(_exchanged(source.content, found, wanted.text))
        elif wanted.text is not None:
            added.setdefault((_home(wanted, places, sources).path, wanted.section), []).append(wanted.text)
    for (path, section), texts in added.items():
        of_file = {found.section: found for source, found in places if source.path == path and not found.name}
        content = next(source.content for source in sources if source.path == path)
        edits[path].append(_inserted(content, of_file.get(section), section, "\n".join(texts), path))
    changed = {source.path: _applied(source.content, edits[source.path]) for source in sources if edits[source.path]}
    known = {(loss.entity, loss.what) for loss in old.losses}
    losses = tuple(loss for loss in new.losses if (loss.entity, loss.what) not in known)
    return changed, losses, tuple(notes)


def _applied(content: bytes, edits: Iterable[_Edit]) -> bytes:
    """`content` with all edits, which do not overlap."""
    for edit in sorted(edits, key=lambda edit: (edit.begin, edit.end), reverse=True):
        content = content[: edit.begin] + edit.text + content[edit.end :]
    return content


def _refuse_encoding(source: Source) -> None:
    declared = _ENCODING.match(source.content.removeprefix(b"\xef\xbb\xbf"))
    if declared is not None and declared[1].decode().lower() not in _PLAIN_ENCODINGS:
        raise RefusedError(
            f"{one_line(str(source.path))} is not UTF-8, so it is not edited here.", advice="Write it anew as UTF-8."
        )


def _wanted(old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[_Wanted]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        root = parse_xml((after or before or "").encode("utf-8", "surrogatepass"), name)
        section = root.elements()[0]
        yield _Wanted(section.name, section.elements()[0].name, None if after is None else _body(after))


def _body(document: str) -> str:
    """What is in the only section of a document, indented as it stands there."""
    lines = document.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("    <"))
    end = max(number for number, line in enumerate(lines) if line.startswith("    </"))
    return "\n".join(lines[begin + 1 : end])


def _notes(path: Path, element: bytes, wanted: _Wanted) -> list[str]:
    """What goes with an element besides what it says."""
    for node in [parse_xml(element, str(path)), *(node for _, node in parse_xml(element, str(path)).walk())]:
        if node.name == "include" or any(name in node.attributes for name in _ELSEWHERE) or "${" in node.inner_text():
            raise RefusedError(
                f"<{one_line(wanted.name, 60)}> takes something from elsewhere (incl, from_env, replace …), "
                "so it is not edited here.",
                advice="Edit it in an editor.",
            )
    return [f"Lost: the comments in <{one_line(wanted.name, 60)}>."] if b"<!--" in element and wanted.text else []


def _exchanged(content: bytes, found: _Element, text: str | None) -> _Edit:
    """Another element in the place of one, or nothing in the place of it and its line."""
    begin, end = found.begin, found.end
    line = content.rfind(b"\n", 0, begin) + 1
    alone = not content[line:begin].strip()
    if text is not None:
        new = text.encode()
        return _Edit(line, end, new) if alone else _Edit(begin, end, new.lstrip())
    rest = content.find(b"\n", end)
    if alone and rest >= 0 and not content[end:rest].strip():
        begin, end = line, rest + 1
    return _Edit(begin, end, b"")


def _home(wanted: _Wanted, places: Sequence[tuple[Source, _Element]], sources: Sequence[Source]) -> Source:
    """The file that a new element goes into: the first that has the section, else the first."""
    having = (source for source, found in places if found.section == wanted.section and not found.name)
    return next(having, sources[0])


def _inserted(content: bytes, section: _Element | None, name: str, text: str, path: Path) -> _Edit:
    """New elements at the end of their section, which is made where there is none."""
    new = text.encode()
    if section is not None and section.inner_end < section.end:
        at = _line_begin(content, section.inner_end)
        return _Edit(at, at, (b"" if content[at - 1 : at] == b"\n" else b"\n") + new + b"\n")
    whole = b"    <%s>\n%s\n    </%s>" % (name.encode(), new, name.encode())
    if section is not None:  # <users/>
        return _Edit(section.begin, section.end, whole.lstrip())
    root = next(each for each in _spans(content) if not each.section)
    if root.inner_end == root.end:
        raise RefusedError(f"{one_line(str(path))} has no content.", advice="Convert something to it instead.")
    at = _line_begin(content, root.inner_end)
    return _Edit(at, at, (b"" if content[at - 1 : at] == b"\n" else b"\n") + whole + b"\n")


def _line_begin(content: bytes, position: int) -> int:
    """Where the line of a closing tag begins, when nothing stands before it."""
    line = content.rfind(b"\n", 0, position) + 1
    return line if not content[line:position].strip() else position


def _elements(source: Source) -> list[_Element]:
    parse_xml(source.content, str(source.path))  # refuses what must not be read
    return [each for each in _spans(source.content) if each.section]


def _spans(content: bytes) -> list[_Element]:
    found: list[_Element] = []
    opened: list[tuple[str, int, int]] = []
    parser = expat.ParserCreate()

    def start(name: str, _attributes: object) -> None:
        opened.append((name, parser.CurrentByteIndex, parser.CurrentLineNumber))

    def end(_name: str) -> None:
        depth = len(opened)
        name, begin, line = opened.pop()
        if depth > 3:
            return
        at = parser.CurrentByteIndex
        closed = content[at : at + 2] == b"</" and at != begin
        after = content.index(b">", at) + 1 if closed else content.index(b">", max(begin, at - 1)) + 1
        section = "" if depth == 1 else name if depth == 2 else opened[1][0]
        found.append(_Element(section, name if depth == 3 else "", begin, after, at if closed else after, line))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(content, True)
    return found
