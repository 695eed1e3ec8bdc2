"""The members of a ClickHouse Cloud organization, from a file: ClickHouse does not know them.

Any of: a text with an address on each line, a CSV with a column `email`, and JSON as the Cloud API answers to
`GET /v1/organizations/{id}/members`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.access.sql_console import is_email
from core.access_reports.files import content_of
from core.display import one_line
from core.errors import BadInputError, HousekeysError

_COLUMNS = ("email", "e-mail")
_DELIMITERS = ",;\t"
_ADVICE = "Write an address on each line, a CSV with a column email, or the JSON of the Cloud API's members."


@dataclass(frozen=True, slots=True)
class Members:
    """The addresses of all members, None when not known; `problem` says why they cannot be read."""

    emails: frozenset[str] | None = None
    problem: str = ""


def members_if_read(path: Path | None) -> Members:
    """The members in the file that a profile names, if it names one."""
    if path is None:
        return Members()
    try:
        return Members(read_members(path))
    except HousekeysError as error:
        return Members(problem=f"The members of the organization are not known: {error.message}")


def read_members(path: Path) -> frozenset[str]:
    """The addresses in a file. Raises NotFoundError, and BadInputError for what is no list of addresses."""
    name = one_line(str(path))
    try:
        text = content_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is no UTF-8.", advice=_ADVICE) from error
    return members_of(text, name)


def members_of(text: str, name: str) -> frozenset[str]:
    """The addresses in the text of a file called `name`. Raises BadInputError."""
    found: set[str] = set()
    for line, email in _from_json(text, name) if text.lstrip().startswith(("[", "{")) else _from_lines(text):
        if not is_email(email):
            place = f"{name}:{line}" if line else name
            raise BadInputError(f"{place}: {one_line(email, 40)!r} is no e-mail address.", advice=_ADVICE)
        found.add(email)
    if not found:
        # Of nobody every role would be an orphan: rather a broken export than an organization without a member.
        raise BadInputError(f"{name} has no e-mail address in it.", advice=_ADVICE)
    return frozenset(found)


def _from_lines(text: str) -> Iterator[tuple[int, str]]:
    """The addresses with their lines."""
    lines = text.splitlines()
    titles = next((line for line in lines if line.strip()), "")
    for delimiter in _DELIMITERS:
        columns = [column.strip().lower() for column in next(csv.reader([titles], delimiter=delimiter), [])]
        place = next((columns.index(column) for column in _COLUMNS if column in columns), None)
        if place is not None:
            yield from _from_csv(lines[lines.index(titles) + 1 :], delimiter, place, lines.index(titles) + 1)
            return
    for number, line in enumerate(lines, 1):
        email = line.strip()
        if email and not email.startswith("#"):
            yield number, email


def _from_csv(lines: Iterable[str], delimiter: str, place: int, before: int) -> Iterator[tuple[int, str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    for row in reader:
        if any(cell.strip() for cell in row):
            yield before + reader.line_num, row[place].strip() if place < len(row) else ""


def _from_json(text: str, name: str) -> Iterator[tuple[int, str]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{name} cannot be read as JSON: {one_line(str(error))}.", advice=_ADVICE) from error
    listed: Any = value.get("result", value.get("members")) if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise BadInputError(f"{name} has no list of members in it.", advice=_ADVICE)
    for each in listed:
        email = each.get("email") if isinstance(each, dict) else each
        yield 0, email.strip() if isinstance(email, str) else json.dumps(each)
