"""Reads the SETTINGS of users, roles and settings profiles.

Source: https://clickhouse.com/docs/operations/settings/constraints-on-settings. Settings profiles take the word INHERIT
for PROFILE as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.access.cursor import Cursor
from core.access.model import SettingElement, SettingsChange
from core.access.render_grants import string
from core.access.tokenizer import Kind

T = TypeVar("T")
_WRITABILITY = {"READONLY": "CONST", "CONST": "CONST", "WRITABLE": "WRITABLE"}
_CHANGEABLE = "CHANGEABLE_IN_READONLY"
_BEHIND_SETTINGS = ("MIN", "MAX", *_WRITABILITY, _CHANGEABLE)
_PROFILE_WORDS = ("PROFILES", "PROFILE")
_SETTING_WORDS = ("SETTINGS", "SETTING")


def parse_settings(cursor: Cursor, *, inherit: bool = False) -> tuple[SettingElement, ...] | None:
    """`SETTINGS …` or `PROFILE …` (with `inherit` `INHERIT …`) of a CREATE if it comes next, else None."""
    if not cursor.one_of(*_SETTING_WORDS) and not _at_profile(cursor, inherit):
        return None
    found: list[SettingElement] = []
    profiles = False
    while True:
        if _at_profile(cursor, inherit):
            cursor.take()
            profiles = True
        elif profiles and not _at_name_alone(cursor):
            profiles = False
        if cursor.words("NONE"):
            pass  # which is nothing, wherever it stands
        elif profiles:
            found.append(SettingElement(profile=cursor.name("the name of a profile")))
        else:
            found.append(_element(cursor, inherit))
        if not cursor.symbol(","):
            return tuple(found)


def parse_settings_change(cursor: Cursor, *, inherit: bool = False) -> SettingsChange | None:
    """One clause of an ALTER about settings or profiles if it comes next, else None."""
    if cursor.one_of(*(f"DROP ALL {word}" for word in _SETTING_WORDS)):
        return SettingsChange(drop_all_settings=True)
    if cursor.one_of("DROP ALL PROFILES", "DROP ALL PROFILE"):
        return SettingsChange(drop_all_profiles=True)
    if cursor.one_of(*(f"DROP {word}" for word in _SETTING_WORDS)):
        return SettingsChange(drop_settings=_changed(cursor, lambda: _setting_name(cursor)))
    if cursor.one_of("DROP PROFILES", "DROP PROFILE"):
        return SettingsChange(drop_profiles=_changed(cursor, lambda: cursor.name("the name of a profile")))
    if cursor.one_of(*(f"ADD {word}" for word in _SETTING_WORDS)):
        return SettingsChange(add=_changed(cursor, lambda: _element(cursor, inherit)))
    if cursor.one_of("ADD PROFILES", "ADD PROFILE"):
        names = _changed(cursor, lambda: cursor.name("the name of a profile"))
        return SettingsChange(add=tuple(SettingElement(profile=name) for name in names))
    if cursor.one_of("MODIFY SETTINGS", "MODIFY SETTING", "SET"):
        return SettingsChange(modify=_changed(cursor, lambda: _element(cursor, inherit)))
    replaced = parse_settings(cursor, inherit=inherit)
    return None if replaced is None else SettingsChange(drop_all_settings=True, drop_all_profiles=True, add=replaced)


def merge_changes(first: SettingsChange | None, second: SettingsChange) -> SettingsChange:
    """Two clauses of one statement as one."""
    if first is None:
        return second
    return SettingsChange(
        first.drop_all_settings or second.drop_all_settings,
        first.drop_all_profiles or second.drop_all_profiles,
        first.drop_settings + second.drop_settings,
        first.drop_profiles + second.drop_profiles,
        first.add + second.add,
        first.modify + second.modify,
    )


def between_changes(cursor: Cursor) -> None:
    """Pass the comma that ClickHouse writes between the clauses about settings; people mostly do not."""
    if cursor.at_symbol(",") and cursor.peek().kind is Kind.WORD:
        cursor.take()


def _changed(cursor: Cursor, read: Callable[[], T]) -> tuple[T, ...]:
    """A list that ends where a comma leads to the next clause of the ALTER."""
    items = [read()]
    while cursor.at_symbol(",") and not _clause_follows(cursor):
        cursor.take()
        items.append(read())
    return tuple(items)


def _clause_follows(cursor: Cursor) -> bool:
    word, what = (cursor.peek(ahead) for ahead in (1, 2))
    if word.kind is not Kind.WORD or what.kind is not Kind.WORD or word.text.upper() not in ("ADD", "DROP", "MODIFY"):
        return False
    return what.text.upper() in ("ALL", *_SETTING_WORDS, *_PROFILE_WORDS)


def _at_profile(cursor: Cursor, inherit: bool) -> bool:
    following = cursor.peek().kind
    profile_words = (*_PROFILE_WORDS, "INHERIT") if inherit else _PROFILE_WORDS
    return any(cursor.at_words(word) for word in profile_words) and following in (Kind.WORD, Kind.QUOTED, Kind.STRING)


def _at_name_alone(cursor: Cursor) -> bool:
    """Whether a name comes next and nothing that a setting needs: behind a profile it is one more profile."""
    following = cursor.peek()
    if cursor.token.kind is Kind.STRING:
        return True
    if cursor.token.kind not in (Kind.WORD, Kind.QUOTED):
        return False
    if following.kind is Kind.SYMBOL:
        return following.text == ","
    return following.text.upper() not in _BEHIND_SETTINGS


def _element(cursor: Cursor, inherit: bool) -> SettingElement:
    if _at_profile(cursor, inherit):
        cursor.take()
        return SettingElement(profile=cursor.name("the name of a profile"))
    name = _setting_name(cursor)
    value = _literal(cursor) if cursor.symbol("=") else None
    low = high = None
    writability = ""
    while True:
        if cursor.words("MIN"):
            cursor.symbol("=")
            low = _literal(cursor)
        elif cursor.words("MAX"):
            cursor.symbol("=")
            high = _literal(cursor)
        elif word := cursor.one_of(*_WRITABILITY):
            writability = _WRITABILITY[word]
        elif cursor.words(_CHANGEABLE):
            writability = _CHANGEABLE
        else:
            break
    if value is None and low is None and high is None and not writability:
        cursor.fail("'=', MIN, MAX, CONST, READONLY, WRITABLE or CHANGEABLE_IN_READONLY")
    return SettingElement(name, value, low, high, writability)


def _setting_name(cursor: Cursor) -> str:
    parts = [cursor.identifier("the name of a setting")]
    while cursor.symbol("."):
        parts.append(cursor.identifier("the rest of the name of a setting"))
    return ".".join(parts)


def _literal(cursor: Cursor) -> str:
    """A number, string, boolean or NULL, as SQL."""
    token = cursor.token
    if token.kind is Kind.STRING:
        return string(cursor.take().text)
    if token.kind is Kind.WORD and token.text.upper() in ("TRUE", "FALSE"):
        return cursor.take().text.lower()
    if token.kind is Kind.WORD and token.text.upper() in ("NULL", "INF", "NAN"):
        return cursor.take().text.upper()
    sign = "-" if cursor.symbol("-") else ""
    if not sign:
        cursor.symbol("+")
    if cursor.token.kind is not Kind.NUMBER:
        cursor.fail("a value")
    return sign + cursor.take().text
