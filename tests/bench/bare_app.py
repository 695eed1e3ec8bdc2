"""The baseline: a bare Textual app with one table. `python -m tests.bench.bare_app [rows]`."""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class BareApp(App[None]):
    """One table with a row cursor."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns("NAME", "TABLES", "SIZE", "LAST READ", "TOKENS")
        for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 30):
            table.add_row(f"tenant_{number:05}", "12", "4.10 GiB", "2 min ago", "2")
        table.focus()


if __name__ == "__main__":
    BareApp().run()
