"""The form that writes what a screen found to a file; nothing in ClickHouse changes by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from core.access_reports.sheets import Sheet, SheetFormat, write_sheet
from core.display import count, one_line
from tui.screens.form import Form
from tui.widgets.fields import YES, Field, Values


def export_form(title: str, name: str, make: Callable[[], Sheet], now: datetime) -> Form[str]:
    """Ask for a file; the form is answered with what was written, in words. `make` runs in a thread."""

    def write(values: Values) -> str:
        path = Path(values["path"].strip())
        sheet = make()
        written = write_sheet(sheet, path, SheetFormat(_ending(path)), now, replace=values.get("replace") == YES)
        rows = "1 row is" if len(sheet.rows) == 1 else f"{count(len(sheet.rows))} rows are"
        return f"{rows} written to {one_line(str(written))}."

    async def submit(values: Values) -> str:
        return await asyncio.to_thread(write, values)

    fields = (
        Field("path", "File", f"{name}.csv", check=_path_problem, required=True,
              hint="Ends with .csv, .json or .html; only you can read it (0600)."),
        Field("replace", "Replace", kind="flag", shown_if=lambda values: _is_there(values["path"]),
              hint="There is a file of this name."),
    )  # fmt: skip
    return Form(title, fields, submit, button="Write")


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _path_problem(text: str) -> str:
    if _ending(Path(text.strip())) in list(SheetFormat):
        return ""
    return "The name must end with .csv, .json or .html, for that says the format."


def _is_there(text: str) -> bool:
    try:
        return bool(text.strip()) and Path(text.strip()).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long, with a zero byte, of an unknown user
        return False
