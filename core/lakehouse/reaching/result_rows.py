"""Results of the Lakehouse as rows of text: taken out of a `resultSet`, and decoded from TEXT or from Arrow.

Arrow is what the vendor's connector asks for; it needs pyarrow, which comes with the embedded engine. Without it TEXT
is asked for: lines of values parted by commas, in double quotes where a value has a comma, a quote or a line break, and
NULL as `\\N`. A NULL becomes the empty text in both.
"""

from __future__ import annotations

import base64
import binascii
import csv
import importlib.util
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.errors import HousekeysError

ARROW, TEXT = "ARROW", "TEXT"


class LakehouseRows(NamedTuple):
    """What a query gives: the names of the columns, and rows of as many values."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ResultSet:
    """A result before it is decoded: what came with the answer, and where the rest is to be fetched.

    The URLs carry a signature that lets anybody fetch: they are shown nowhere.
    """

    columns: tuple[str, ...]
    format: str
    pieces: tuple[bytes, ...] = ()
    urls: tuple[str, ...] = ()


def wanted_format() -> str:
    """The format to ask for: Arrow where it can be decoded."""
    return ARROW if importlib.util.find_spec("pyarrow") else TEXT


def read_result(result: Mapping[str, Any] | None) -> ResultSet:
    """Take a `resultSet` apart. Raises HousekeysError when it is damaged."""
    if result is None:
        return ResultSet((), TEXT)
    try:
        metadata = result.get("metadata") or {}
        columns = tuple(str(field["name"]) for field in metadata.get("fields") or ())
        found = str(metadata.get("format") or ARROW).upper()
        pieces = (result.get("data") or {}).get("data") or ()
        decoded = tuple(base64.b64decode(piece, validate=True) for piece in pieces)
        urls = tuple(str(url) for url in (result.get("location") or {}).get("presignedUrls") or ())
    except (AttributeError, KeyError, TypeError, binascii.Error) as error:
        raise _damaged() from error
    return ResultSet(columns, TEXT if found == "CSV" else found, decoded, urls)


def decode(result: ResultSet, pieces: Sequence[bytes]) -> LakehouseRows:
    """The rows in `pieces`. Raises HousekeysError for a format that cannot be read here, or a damaged one."""
    if not pieces:
        return LakehouseRows(result.columns, ())
    if result.format == TEXT:
        rows = [row for piece in pieces for row in _text_rows(piece, len(result.columns))]
    elif result.format == ARROW:
        rows = [row for piece in pieces for row in _arrow_rows(piece)]
    else:
        raise HousekeysError(
            f"The Lakehouse sent its result as {result.format}, which Housekeys does not read.",
            advice="Report it with the version of the Lakehouse.",
        )
    return LakehouseRows(result.columns, tuple(rows))


def _text_rows(piece: bytes, width: int) -> Iterator[tuple[str, ...]]:
    try:
        lines = csv.reader(io.StringIO(piece.decode("utf-8"), newline=""))
        for line in lines:
            values = ["" if value == r"\N" else value for value in line[:width]]
            yield (*values, *[""] * (width - len(values)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged() from error


def _arrow_rows(piece: bytes) -> Iterator[tuple[str, ...]]:
    try:
        import pyarrow
    except ImportError:
        raise HousekeysError(
            "The Lakehouse sent its result as Arrow, which this installation cannot read.",
            advice="Run: pip install 'housekeys[embedded]'",
        ) from None
    try:
        with pyarrow.ipc.open_stream(piece) as reader:
            table = reader.read_all()
        columns = [column.to_pylist() for column in table.columns]
    except (pyarrow.ArrowException, NotImplementedError) as error:
        raise _damaged() from error
    for row in zip(*columns, strict=True):
        yield tuple(map(_shown, row))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _damaged() -> HousekeysError:
    return HousekeysError(
        "A result of the Lakehouse cannot be read.", advice="Try again; if it stays, the Lakehouse may be newer."
    )
