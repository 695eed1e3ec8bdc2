"""The settings profiles screen: settings with their limits, what inherits from what, and who has them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from core.access.model import EntityKind
from tui.screens.access_holders import Answering
from tui.screens.access_limits import LimitScreen, limit_commands
from tui.screens.moving import writable_storages
from tui.screens.settings_profile_rows import COLUMNS, ProfileRow, effective_lines, rows_of, summary_lines
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.access.access_model import EntityKey
    from core.session import Session
    from tui.screens.access_reading import Access, Proposal
    from tui.screens.form import Form

    Making = Callable[[Answering, Access, Sequence[str], Collection[str]], Form[Proposal]]
    MakingAbout = Callable[[Answering, Access, Sequence[str], Collection[str], EntityKey], Form[Proposal]]


class SettingsProfilesScreen(LimitScreen[ProfileRow]):
    """The settings profiles."""

    SCREEN_ID = "settings-profiles"
    TITLE_WORDS = "Settings profiles"
    NOUN = ("settings profile", "settings profiles")
    SUBJECT_KIND = "settings_profile"
    KIND = EntityKind.SETTINGS_PROFILE
    TABS = ("Summary", "Effective", "SQL", "History")
    COLUMNS = COLUMNS
    ACTIONS = limit_commands("settings-profiles", "settings profile", "Change who has the profile by its TO.")
    ONE_AT_A_TIME = tuple(command.id for command in ACTIONS if command.needs_row)

    def rows(self, access: Access, session: Session) -> Sequence[ProfileRow]:
        return rows_of(access)

    def summary(self, row: ProfileRow) -> Sequence[Line]:
        return summary_lines(row, self.access)

    async def tab(self, session: Session, row: ProfileRow, name: str) -> Sequence[Line]:
        return effective_lines(row, self.access) if name == "Effective" else await super().tab(session, row, name)

    def nothing_yet(self) -> tuple[str, str]:
        return "No settings profiles can be seen.", (
            "A settings profile gives settings, and limits for them, to users and roles. Press n to create one."
        )

    # -- commands

    def new(self) -> None:
        from tui.screens.settings_profile_forms import new_form

        self._ask_knowing(new_form)

    def clone(self) -> None:
        from tui.screens.settings_profile_forms import new_form

        self._ask_about(new_form)

    def edit(self) -> None:
        from tui.screens.settings_profile_forms import edit_form

        self._ask_about(edit_form)

    def _ask_about(self, make: MakingAbout) -> None:
        """Open a form about the row under the cursor, as it is now."""

        def ask(row: ProfileRow) -> None:
            key = self.entity(row)
            self._ask_knowing(lambda answering, access, storages, known: make(answering, access, storages, known, key))

        self.with_fresh_row(ask)

    def _ask_knowing(self, make: Making) -> None:
        """Open a form that knows the settings of the server."""
        from tui.screens.settings_profile_forms import setting_names

        session = self.open_session()
        answering, storages = Answering(self, session), writable_storages(session)

        def ask(known: frozenset[str]) -> None:
            self.ask_for(make(answering, self.access, storages, known))

        self.work("plan", lambda: setting_names(session.engine), ask, self._not_planned)
