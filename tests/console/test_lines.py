"""Widths: every cell, every wrapped line fits, for whatever a stranger called his table."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.display import one_line
from tui.widgets.chrome import Piece, line_of
from tui.widgets.columns import GAP, Column, fit, place
from tui.widgets.lines import wrap

shown = st.text(max_size=120).map(one_line)


@given(shown, st.integers(0, 60), st.booleans())
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int, right: bool) -> None:
    cell = fit(text, width, right=right)
    assert cell_len(cell) == width
    if cell_len(text) <= width:
        assert cell.strip() == text.strip()


@example("00 00", 2)
@given(shown, st.integers(2, 60))
def test_wrapping_keeps_every_character_but_blanks(text: str, width: int) -> None:
    pieces = wrap(text, width)
    assert all(cell_len(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_wrapping_breaks_at_words_and_keeps_the_indent() -> None:
    assert wrap("  GRANT SELECT ON acme", 12) == ["  GRANT", "SELECT ON", "acme"]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.booleans(), st.integers(0, 3)), min_size=1, max_size=8),
    st.integers(12, 150),
)
def test_columns_share_what_there_is(kinds: list[tuple[int, bool, int]], available: int) -> None:
    columns: list[Column[object]] = [
        Column(str(number), "T", lambda row: str(row), flexible=flexible, minor=minor if number else 0)
        for number, (_, flexible, minor) in enumerate(kinds)
    ]
    natural = [width for width, _, _ in kinds]
    placed = place(columns, natural, available)
    assert placed[0].column is columns[0]
    dropped = [column for column in columns if column not in [p.column for p in placed]]
    assert all(column.minor for column in dropped)
    total = sum(p.width for p in placed) + GAP * (len(placed) - 1)
    if all(column.minor for column in columns[1:]):
        assert total <= available
    if sum(natural) + GAP * (len(natural) - 1) <= available:
        assert [p.width for p in placed] == natural


@given(st.lists(shown, max_size=6), st.lists(shown, max_size=4), st.integers(10, 120))
def test_a_line_of_the_frame_never_exceeds_the_screen(left: list[str], right: list[str], width: int) -> None:
    line = line_of([Piece(t, minor=n) for n, t in enumerate(left)], [Piece(t, minor=1) for t in right], width)
    assert line.cell_length <= width
