"""What the settings profiles screen shows of a profile: its row in the table, its summary, and what it gives in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.access.access_model import EntityKey
from core.access.effective.settings import DEFAULT_PROFILE, EffectiveSetting, Given, settings_in_profile
from core.access.model import NOBODY, EntityKind
from core.access.planning.references import references
from core.access.render_parts import setting_element
from core.access.settings_profiles import SettingsProfile
from core.display import count
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.limit_rows import (
    LimitRow,
    common,
    findings_column,
    storage_column,
    subjects_in,
    to_column,
    to_lines,
)
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

KIND = EntityKind.SETTINGS_PROFILE
_PLURALS = {EntityKind.USER: "users", EntityKind.ROLE: "roles", KIND: "profiles"}


@dataclass(frozen=True, slots=True)
class ProfileRow(LimitRow):
    """A settings profile, with everything its columns say. `used_by` names it in their own SETTINGS."""

    profile: SettingsProfile
    used_by: tuple[EntityKey, ...]

    @property
    def idle(self) -> bool:
        return self.to == NOBODY and not self.used_by and self.profile.name != DEFAULT_PROFILE

    @property
    def inherits(self) -> tuple[str, ...]:
        return tuple(element.profile for element in self.profile.settings if element.profile)

    @property
    def settings(self) -> int:
        return sum(not element.profile for element in self.profile.settings)


def rows_of(access: Access) -> list[ProfileRow]:
    """A row for each settings profile."""
    model = access.model
    subjects = subjects_in(model, KIND)
    users: dict[str, list[EntityKey]] = {}
    for reference in references(model):
        if reference.kind is KIND:
            users.setdefault(reference.name, []).append(reference.source)
    rows = []
    for profile in model.settings_profiles.values():
        key = EntityKey(KIND, profile.name)
        used_by = tuple(dict.fromkeys(users.get(profile.name, ())))
        rows.append(ProfileRow(**common(access, key, profile.to, subjects[key]), profile=profile, used_by=used_by))
    return rows


def used_text(used_by: Iterable[EntityKey]) -> str:
    """How many users, roles and profiles have a profile in their settings."""
    numbers: dict[EntityKind, int] = {}
    for key in used_by:
        numbers[key.kind] = numbers.get(key.kind, 0) + 1
    parts = [
        f"{count(numbers[kind])} {plural if numbers[kind] != 1 else plural.removesuffix('s')}"
        for kind, plural in _PLURALS.items()
        if kind in numbers
    ]
    return ", ".join(parts) or "-"


COLUMNS: tuple[Column[ProfileRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    Column("settings", "SETTINGS", lambda r: count(r.settings), sort=lambda r: r.settings, numeric=True, letter="E"),
    Column("inherits", "INHERITS", lambda r: ", ".join(r.inherits) or "-", flexible=True, least=12, minor=2,
           letter="I"),
    to_column(3),
    Column("used", "IN SETTINGS OF", lambda r: used_text(r.used_by), sort=lambda r: len(r.used_by), minor=4,
           letter="D"),
    storage_column(5),
    findings_column(1),
)  # fmt: skip


# -- the summary


def summary_lines(row: ProfileRow, access: Access) -> list[Line]:
    """Its settings, what it inherits from where, who has it, and what lint finds."""
    own = [setting_element(element) for element in row.profile.settings if not element.profile]
    lines = [*words.kept_lines(row.kept_only), *_listed("settings", own, "none of its own"), Line()]
    lines += [*_listed("inherits", list(row.inherits), "from none"), *_inherited(row, access), Line()]
    if row.profile.name == DEFAULT_PROFILE:
        lines.append(fact("everybody", "every session begins with it, unless the server is configured otherwise"))
    lines += to_lines(row, "none by TO")
    for kind, plural in _PLURALS.items():
        if names := [str(key.name) for key in row.used_by if key.kind is kind]:
            lines += _listed(f"in {plural}", names, "")
    return [*lines, Line(), words.storage_line(row.storage), *words.finding_lines(row.findings)]


def _listed(label: str, texts: list[str], nothing: str) -> list[Line]:
    shown = [fact(label if number == 0 else words.BELOW, text) for number, text in enumerate(texts)]
    return shown or [fact(label, nothing, "muted")]


def _inherited(row: ProfileRow, access: Access) -> list[Line]:
    own = EntityKey(KIND, row.profile.name)
    found = [
        f"{setting_text(setting)}  from {origin_text(given)}"
        for setting in settings_in_profile(access.model, row.profile.name)
        if (given := _decisive(setting)) is not None and given.origin.path[-1] != own
    ]
    return _listed("from there", found, "") if found else []


def _decisive(setting: EffectiveSetting) -> Given | None:
    """What says where a setting comes from: its value, or else a limit."""
    return setting.given or setting.min or setting.max or setting.writability


# -- what it gives in all


def setting_text(setting: EffectiveSetting) -> str:
    """A setting with its limits: `max_threads = 4 MAX 8 CONST`."""
    parts = [setting.name] + ([f"= {setting.value}"] if setting.value is not None else [])
    limits: Mapping[str, Given | None] = {"MIN ": setting.min, "MAX ": setting.max, "": setting.writability}
    return " ".join([*parts, *(f"{word}{given.value}" for word, given in limits.items() if given is not None)])


def origin_text(given: Given) -> str:
    """The profile that a value is written in."""
    return str(given.origin.path[-1].name)


def effective_lines(row: ProfileRow, access: Access) -> list[Line]:
    """Every setting that the profile gives, with the profile that it is written in, and what it is in the place of."""
    settings = settings_in_profile(access.model, row.profile.name)
    if not settings:
        return [Line("It gives no setting.", style="muted")]
    lines: list[Line] = []
    for setting in settings:
        lines.append(Line(setting_text(setting)))
        lines += [Line(f"    {text}", style="muted") for text in _origins(setting)]
    return [
        *lines,
        Line(),
        Line(
            "A user may have more: the default profile, other profiles, settings of roles and its own.", style="muted"
        ),
    ]


def _origins(setting: EffectiveSetting) -> list[str]:
    parts: Mapping[str, Given | None] = {
        "value": setting.given,
        "MIN": setting.min,
        "MAX": setting.max,
        "writability": setting.writability,
    }
    given = {word: found for word, found in parts.items() if found is not None}
    places = {word: " > ".join(str(key.name) for key in found.origin.path) for word, found in given.items()}
    if len(set(places.values())) == 1:
        lines = [f"by {next(iter(places.values()))}"]
    else:
        lines = [f"{word} by {place}" for word, place in places.items()]
    return lines + [f"in the place of {lost.value} by {origin_text(lost)}" for lost in setting.overridden]
