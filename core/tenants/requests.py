"""Many tenants at once, from a file: CSV with a header, or one name a line.

With a header (`name`, and any of `owner`, `contact`, `ticket`, `note`, in any order) the file is CSV (RFC 4180) with
commas, semicolons or tabs, whichever the header uses. Without one, every line is a name, exactly. A byte order mark,
CRLF and blank lines do no harm. All problems are reported together, each with file and line; nothing is repaired.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.display import one_line
from core.errors import BadInputError
from core.tenants.naming import field_problem, name_problem, shown

TEXT_FIELDS = ("owner", "contact", "ticket", "note")
COLUMNS = ("name", *TEXT_FIELDS)
DELIMITERS = ",;\t"
REPORTED = 50


@dataclass(frozen=True, slots=True)
class TenantRequest:
    """A tenant to be: its name, and what is to be noted about it."""

    name: str
    owner: str = ""
    contact: str = ""
    ticket: str = ""
    note: str = ""

    def texts(self) -> dict[str, str]:
        """Owner, contact, ticket and note, as the journal keeps them."""
        return {field: getattr(self, field) for field in TEXT_FIELDS}


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    request: TenantRequest


class _Problems:
    """Collects what is wrong, in the order of the lines."""

    def __init__(self, source: str) -> None:
        self.source = one_line(source)
        self.found: list[str] = []

    def add(self, line: int, problem: str) -> None:
        self.found.append(f"{self.source}:{line}: {problem}")

    def raise_if_any(self) -> None:
        if not self.found:
            return
        many = f"{len(self.found):,} problems" if len(self.found) > 1 else "a problem"
        listed = self.found[:REPORTED]
        if len(self.found) > REPORTED:
            listed.append(f"and {len(self.found) - REPORTED:,} more.")
        raise BadInputError(
            f"{self.source} has {many}; nothing was changed.",
            advice="\n".join(listed),
            detail="\n".join(self.found),
        )


def read_requests(
    content: str | bytes, source: str, *, journal_database: str = "housekeys"
) -> tuple[TenantRequest, ...]:
    """The tenants that `content` asks for, in its order. `source` is its name in messages.

    Raises BadInputError that names every line that cannot be used: a name that no tenant may have, a text that cannot
    be kept, a name given twice, a broken line, an unknown column; and when there is no name at all.
    """
    problems = _Problems(source)
    text = _decode(content, problems).removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), None)
    if first is None:
        raise BadInputError(f"{problems.source} holds no name.", advice="Give one name a line, or CSV with a header.")
    header = _header(lines[first - 1])
    found = _plain(lines, problems) if header is None else _table(text, header, first, problems)
    requests = _accepted(found, problems, journal_database)
    problems.raise_if_any()
    if not requests:
        raise BadInputError(f"{problems.source} holds a header and no name.")
    return tuple(requests)


def _decode(content: str | bytes, problems: _Problems) -> str:
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.add(content[: error.start].count(b"\n") + 1, "this is not UTF-8; save the file as UTF-8")
        problems.raise_if_any()
        raise


def _header(line: str) -> tuple[str, Sequence[str]] | None:
    """The delimiter and the columns, when `line` is a header: `name` is among its fields."""
    for delimiter in DELIMITERS:
        try:
            fields = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error:
            continue
        columns = [field.strip().lower() for field in fields]
        if "name" in columns:
            return delimiter, columns
    return None


def _plain(lines: Sequence[str], problems: _Problems) -> Iterator[_Line]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if "," in line or ";" in line:
            # Far more often a table whose header is missing than a name; a name with a comma can be given in CSV.
            problems.add(number, "a comma or semicolon: a file with columns begins with a header, name,owner,…")
            continue
        yield _Line(number, TenantRequest(line))


def _table(text: str, header: tuple[str, Sequence[str]], first: int, problems: _Problems) -> Iterator[_Line]:
    delimiter, columns = header
    unknown = [one_line(column) or "(no name)" for column in columns if column not in COLUMNS]
    if unknown or len(set(columns)) < len(columns):
        what = f"unknown column {', '.join(unknown)}" if unknown else "a column is given twice"
        problems.add(first, f"{what}; the columns are {', '.join(COLUMNS)}")
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            started, line = line, reader.line_num + 1
            if started <= first or not any(field.strip() for field in row):
                continue
            if len(row) != len(columns):
                problems.add(started, f"{len(row)} fields where the header has {len(columns)}")
                continue
            values = dict(zip(columns, row, strict=True))
            # CRLF inside a quoted note is the file's line ending, not the writer's wish.
            values["note"] = values.get("note", "").replace("\r\n", "\n")
            yield _Line(started, TenantRequest(**values))
    except csv.Error as error:
        problems.add(line, f"this is not CSV: {error}")


def _accepted(found: Iterator[_Line], problems: _Problems, journal_database: str) -> list[TenantRequest]:
    requests: list[TenantRequest] = []
    lines: dict[str, int] = {}
    for line in found:
        request = line.request
        before = len(problems.found)
        if problem := name_problem(request.name, journal_database=journal_database):
            problems.add(line.number, f"{shown(request.name)}: {problem}")
        elif request.name in lines:
            problems.add(line.number, f"{shown(request.name)}: asked for in line {lines[request.name]} already")
        for field, value in request.texts().items():
            if problem := field_problem(field, value):
                problems.add(line.number, f"{field}: {problem}")
        if len(problems.found) == before:
            lines[request.name] = line.number
            requests.append(request)
    return requests
