"""Results of the Lakehouse, from TEXT and from Arrow, to rows of text."""

from __future__ import annotations

import base64
import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import HousekeysError
from core.lakehouse.reaching.result_rows import ResultSet, decode, read_result

VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8).filter(
    lambda text: text != r"\N"
)


def arrow(columns: dict[str, list[Any]]) -> bytes:
    pa = pytest.importorskip("pyarrow")
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


@given(st.lists(st.tuples(VALUES, VALUES), max_size=4))
def test_any_text_comes_back_from_text(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    assert decode(ResultSet(("a", "b"), "TEXT"), [file.getvalue().encode()]) == (("a", "b"), tuple(rows))


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("\\N,x\n", 2, (("", "x"),)),
        (",\n", 2, (("", ""),)),
        ("a\n", 3, (("a", "", ""),)),  # as the connector: fewer values than columns
        ("a,b,c\n", 2, (("a", "b"),)),
        ("\n", 1, (("",),)),
        ('"a,""b""\nc",d', 2, (('a,"b"\nc', "d"),)),
        ("", 2, ()),
    ],
)
def test_text_is_read_as_the_connector_reads_it(text: str, width: int, rows: tuple[tuple[str, ...], ...]) -> None:
    columns = tuple("abc"[:width])
    assert decode(ResultSet(columns, "TEXT"), [text.encode()]) == (columns, rows)


def test_arrow_values_become_text() -> None:
    piece = arrow(
        {
            "a": ["x", None],
            "b": [True, False],
            "c": [datetime(2026, 11, 3, 14, 5, tzinfo=UTC), None],
            "d": [Decimal("2.50"), 7],
            "e": [1, None],
        }
    )
    result = decode(ResultSet(tuple("abcde"), "ARROW"), [piece, piece])
    assert result.rows[:2] == (
        ("x", "true", "2026-11-03 14:05:00+00:00", "2.50", "1"),
        ("", "false", "", "7.00", ""),
    )
    assert result.rows[2:] == result.rows[:2]


def test_a_result_is_taken_apart() -> None:
    field = {"name": "a", "type": {"category": "STRING", "nullable": True}}
    piece = base64.b64encode(b"x\n").decode()
    found = read_result({"metadata": {"format": "csv", "fields": [field]}, "data": {"data": [piece]}})
    assert found == ResultSet(("a",), "TEXT", (b"x\n",))
    stored = read_result({"metadata": {"fields": [field]}, "location": {"presignedUrls": ["https://s/x"]}})
    assert stored == ResultSet(("a",), "ARROW", (), ("https://s/x",))
    assert read_result(None) == ResultSet((), "TEXT")
    assert decode(read_result({}), []) == ((), ())


@pytest.mark.parametrize(
    "result",
    [
        {"metadata": [1]},
        {"metadata": {"fields": [{"type": {}}]}},
        {"metadata": {"fields": 3}},
        {"data": {"data": ["%"]}},
        {"data": {"data": [3]}},
        {"data": "x"},
        {"location": {"presignedUrls": 3}},
    ],
)
def test_a_damaged_result_is_told(result: dict[str, Any]) -> None:
    with pytest.raises(HousekeysError, match="cannot be read"):
        read_result(result)


@pytest.mark.parametrize(
    ("format", "piece", "said"),
    [
        ("TEXT", b"\xff", "A result of the Lakehouse cannot be read"),
        ("ARROW", b"no arrow", "A result of the Lakehouse cannot be read"),
        ("PARQUET", b"x", "sent its result as PARQUET, which Housekeys does not read"),
    ],
)
def test_a_damaged_or_foreign_piece_is_told(format: str, piece: bytes, said: str) -> None:
    with pytest.raises(HousekeysError, match=said):
        decode(ResultSet(("a",), format), [piece])
