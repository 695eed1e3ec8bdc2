"""The table of the users screen alone on a terminal, its rows made before: `python -m tests.bench.users_app 100`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from textual.app import App, ComposeResult

from core.access.access_model import AccessModel
from core.access.model import Authentication, AuthKind, Hosts, User
from core.access_changes.present import PresentAccess
from core.clickhouse.access_survey import AccessSurvey
from tests.bench.users import DRAWN, READY
from tui.__main__ import collect_seldom
from tui.screens.access_reading import Access
from tui.screens.user_rows import COLUMNS, UserRow, rows_of
from tui.theme import DARK, THEMES
from tui.widgets.entity_table import EntityTable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(number: int) -> list[UserRow]:
    """Users as a survey of a server gives them."""
    method = (Authentication(AuthKind.SHA256, "0" * 64),)
    names = [f"{DRAWN}{index:06}" for index in range(number)]
    users = {name: User(name, method, Hosts(addresses=("10.0.0.0/8",))) for name in names}
    survey = AccessSurvey(AccessModel(users))
    return rows_of(Access(None, 0, PresentAccess(survey, False, None, "", None), {}), NOW)


class UsersApp(App[None]):
    """One table."""

    CSS_PATH = "../../tui/housekeys.tcss"

    def __init__(self, shown: list[UserRow]) -> None:
        super().__init__()
        self._rows = shown
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK

    def compose(self) -> ComposeResult:
        yield EntityTable(COLUMNS, lambda row: row.name)

    def on_mount(self) -> None:
        self.query_one(EntityTable).show(self._rows)


if __name__ == "__main__":
    collect_seldom()
    made = rows(int(sys.argv[1]))
    print(READY, flush=True)
    UsersApp(made).run()
