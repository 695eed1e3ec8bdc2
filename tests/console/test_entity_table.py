"""The table keeps its promises: the cursor follows the key, marks and filter stay, text is shown as it is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from tests.console.starting import HOSTILE
from tui.widgets.columns import Column, place
from tui.widgets.entity_table import EntityTable


@dataclass(frozen=True)
class Thing:
    name: str
    size: int = 0


COLUMNS: tuple[Column[Thing], ...] = (
    Column("name", "NAME", lambda thing: thing.name, flexible=True),
    Column("size", "SIZE", lambda thing: f"{thing.size:,}", sort=lambda thing: thing.size, numeric=True),
)


class TableApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield EntityTable(COLUMNS, lambda thing: thing.name)

    @property
    def table(self) -> EntityTable[Thing]:
        return self.query_one(EntityTable)

    def on_entity_table_opened(self) -> None:
        self.opened.append(name_of(self))

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text.rstrip() for y in range(self.table.size.height)]


def things(*names: str) -> list[Thing]:
    return [Thing(name, index) for index, name in enumerate(names)]


def name_of(app: TableApp) -> str:
    current = app.table.current
    return "" if current is None else current.name


async def test_the_cursor_follows_its_row_through_a_refresh() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.focus()
        app.table.show(things("b", "c", "d"))
        await pilot.press("down")
        assert name_of(app) == "c"
        app.table.show(things("a", "aa", "b", "c", "d"))
        await pilot.pause()
        assert name_of(app) == "c"
        assert app.lines()[4].startswith(" > c")


async def test_when_its_row_is_gone_the_cursor_stays_where_it_was() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show(things("a", "b", "c"))
        app.table.move_to("b")
        app.table.show(things("a", "c"))
        await pilot.pause()
        assert name_of(app) == "c"
        app.table.show([])
        assert app.table.current is None
        assert app.table.chosen == []


async def test_a_cursor_far_down_is_in_sight_after_a_refresh_and_a_resize() -> None:
    app = TableApp()
    names = [f"row_{number:05}" for number in range(1000)]
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.show(things(*names))
        app.table.focus()
        await pilot.press("end")
        await pilot.pause()
        assert any("row_00999" in line for line in app.lines())
        app.table.show(things("aaa", *names))
        await pilot.pause()
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert name_of(app) == "row_00999"
        assert any("row_00999" in line for line in app.lines())
        await pilot.press("home")
        await pilot.pause()
        assert "aaa" in app.lines()[1]


async def test_marks_stay_with_their_rows_and_go_with_them() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show(things("a", "b", "c"))
        app.table.toggle_mark()
        app.table.toggle_mark()
        assert [thing.name for thing in app.table.chosen] == ["a", "b"]
        app.table.show(things("b", "c"))
        assert [thing.name for thing in app.table.chosen] == ["b"]
        app.table.set_filter("c")
        assert [thing.name for thing in app.table.chosen] == ["b"], "a filter hides marks, it does not drop them"
        app.table.mark_shown()
        app.table.set_filter("")
        assert {thing.name for thing in app.table.chosen} == {"b", "c"}
        app.table.mark_shown()
        assert app.table.marks == set()
        await pilot.pause()


async def test_a_filter_wants_every_word_in_any_column_and_any_case() -> None:
    app = TableApp()
    async with app.run_test():
        app.table.show([Thing("Acme_prod", 12), Thing("acme_test", 3), Thing("globex", 12)])
        app.table.set_filter("ACME 12")
        assert [thing.name for thing in app.table.shown] == ["Acme_prod"]
        app.table.show([Thing("acme_x", 12), Thing("globex", 12)])
        assert [thing.name for thing in app.table.shown] == ["acme_x"], "new rows pass the same filter"
        app.table.set_filter("[")
        assert not app.table.shown


async def test_sorting_turns_round_when_asked_again() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([Thing("a", 30), Thing("b", 4), Thing("c", 100)])
        app.table.sort_by(COLUMNS[1])
        assert [thing.size for thing in app.table.shown] == [4, 30, 100], "numbers sort as numbers"
        app.table.sort_by(COLUMNS[1])
        assert [thing.size for thing in app.table.shown] == [100, 30, 4]
        await pilot.pause()
        assert "↓SIZE" in app.lines()[0]
        await pilot.click(EntityTable, offset=(4, 0))
        assert app.table.sort_column is COLUMNS[0]


async def test_numbers_are_aligned_to_the_right() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show([Thing("a", 1), Thing("b", 1_000_000)])
        await pilot.pause()
        ends = {len(line) for line in app.lines()[1:3]}
        assert len(ends) == 1


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_one_visible_line_of_the_right_width(name: str) -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        app.table.show([Thing("before"), Thing(name), Thing("zz_after")])
        await pilot.pause()
        app.table.set_filter(name[:3])
        app.table.set_filter("")
        await pilot.pause()
        strips = [app.table.render_line(y) for y in range(4)]
        assert {strip.cell_length for strip in strips} == {40}
        assert all(strip.text.isprintable() for strip in strips)
        assert any("before" in strip.text for strip in strips)


async def test_only_lines_that_differ_are_drawn_again() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show([Thing(f"t{number}", number) for number in range(10)])
        app.table.focus()
        await pilot.pause()
        drawn: list[int] = []
        original = app.table.render_line

        def counted(y: int):  # type: ignore[no-untyped-def]
            drawn.append(y)
            return original(y)

        app.table.render_line = counted  # type: ignore[method-assign]
        await pilot.press("down")
        await pilot.pause()
        assert sorted(set(drawn)) == [1, 2]
        drawn.clear()
        app.table.show([Thing(f"t{number}", number + (number == 5)) for number in range(10)])
        await pilot.pause()
        assert sorted(set(drawn)) == [6]


async def test_new_rows_are_drawn_after_the_styles_were_read_again() -> None:
    """Textual does so when the focus is somewhere else, or a page comes back: it keeps the lines that it has drawn."""
    app = TableApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show([Thing("t", 1)])
        await pilot.pause()
        app.stylesheet.update(app)
        await pilot.pause()
        app.table.show([Thing("t", 2)])
        await pilot.pause()
        (line,) = [strip.text for strip in app.table.render_lines(Region(0, 1, 60, 1))]
        assert line.split()[-1] == "2"


async def test_a_click_moves_and_a_second_one_opens() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.show(things("a", "b", "c"))
        await pilot.pause()
        await pilot.click(EntityTable, offset=(5, 3), times=2)
        await pilot.pause()
        assert app.opened == ["c"]


def test_columns_turn_brief_before_any_is_cut_or_left_out() -> None:
    columns: tuple[Column[Thing], ...] = (
        Column("at", "WHEN", lambda _thing: "2026-11-22 04:48:54", brief=lambda _thing: "11-22 04:48:54"),
        Column("name", "SUBJECT", lambda thing: thing.name, flexible=True),
        Column("by", "OPERATOR", lambda _thing: "op@bastion", minor=1, brief=lambda _thing: "op"),
    )
    thing = Thing("n" * 40)
    natural, brief = (19, 40, 10), (14, 40, 8)
    wide, narrow = place(columns, natural, 73, brief), place(columns, natural, 72, brief)
    assert [(placed.width, placed.text(thing)) for placed in wide] == [
        (19, "2026-11-22 04:48:54"),
        (40, thing.name),
        (10, "op@bastion"),
    ]
    assert [(placed.width, placed.text(thing)) for placed in narrow] == [
        (14, "11-22 04:48:54"),
        (40, thing.name),
        (8, "op"),
    ]


async def test_of_very_many_rows_those_in_sight_are_wide_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.widgets.entity_table.MEASURED", 10)
    rows = [Thing(f"t{number:03}", 1_234_567 if number % 10 == 5 else 1) for number in range(100)]
    app = TableApp()
    async with app.run_test() as pilot:
        app.table.focus()
        app.table.show(rows)
        await pilot.pause()
        assert "1,234,567" in app.lines()[6]
        app.table.show([Thing(row.name, 1 if index < 90 else 9_876_543_210) for index, row in enumerate(rows)])
        await pilot.pause()
        assert "…" not in "".join(app.lines())
        await pilot.press("end")
        await pilot.pause()
        assert "9,876,543,210" in "".join(app.lines())
        app.table.show([Thing("t", 5), *(Thing(f"u{number:03}", 1) for number in range(100))])
        app.table.set_filter("u0")
        await pilot.pause()
        assert "…" not in "".join(app.lines())
