"""The clauses that statements about different kinds of access entities share, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.access.entity_parts import NOBODY, NameSet, SettingElement, SettingsChange
from core.access.render_grants import identifier, name_set, quoted_identifier


class Creation(Protocol):
    """What every CREATE has."""

    @property
    def if_not_exists(self) -> bool: ...
    @property
    def or_replace(self) -> bool: ...
    @property
    def storage(self) -> str: ...
    @property
    def cluster(self) -> str: ...


class Dropping(Protocol):
    """What every DROP has."""

    @property
    def kind(self) -> str: ...
    @property
    def if_exists(self) -> bool: ...
    @property
    def storage(self) -> str: ...
    @property
    def cluster(self) -> str: ...


def words(*found: str) -> str:
    """The clauses that are there, with a blank between them."""
    return " ".join(word for word in found if word)


def names(found: Sequence[str]) -> str:
    return ", ".join(map(identifier, found))


def in_storage(name: str) -> str:
    return f"IN {identifier(name)}" if name else ""


def on_cluster(name: str) -> str:
    return f"ON CLUSTER {identifier(name)}" if name else ""


def create_head(kind: str, statement: Creation, listed: str) -> str:
    """A CREATE up to the cluster; `listed` are the names as SQL."""
    return words(
        f"CREATE {kind}",
        "IF NOT EXISTS" if statement.if_not_exists else "",
        "OR REPLACE" if statement.or_replace else "",
        listed,
        in_storage(statement.storage),
        on_cluster(statement.cluster),
    )


def alter_head(kind: str, listed: str, *, if_exists: bool, storage: str = "", cluster: str = "") -> str:
    """An ALTER up to the cluster; `listed` are the names as SQL."""
    return words(f"ALTER {kind}", "IF EXISTS" if if_exists else "", listed, in_storage(storage), on_cluster(cluster))


def render_drop(statement: Dropping, listed: str) -> str:
    """A DROP of any kind; `listed` are the names as SQL."""
    return words(
        f"DROP {statement.kind}",
        "IF EXISTS" if statement.if_exists else "",
        listed,
        f"FROM {identifier(statement.storage)}" if statement.storage else "",
        on_cluster(statement.cluster),
    )


def to(found: NameSet | None, *, created: bool = False) -> str:
    """The TO clause. A CREATE without one means nobody, and ClickHouse then writes none."""
    if found is None or (created and found == NOBODY):
        return ""
    return f"TO {name_set(found)}"


def settings(elements: Sequence[SettingElement], profile_word: str = "PROFILE") -> str:
    """The SETTINGS clause of a CREATE, with the word that stands before a profile."""
    return f"SETTINGS {', '.join(setting_element(one, profile_word) for one in elements)}" if elements else ""


def setting_element(element: SettingElement, profile_word: str = "PROFILE") -> str:
    """One element of SETTINGS."""
    if element.profile:
        return f"{profile_word} {quoted_identifier(element.profile)}"
    return words(
        _setting_name(element.name),
        f"= {element.value}" if element.value is not None else "",
        f"MIN {element.min}" if element.min is not None else "",
        f"MAX {element.max}" if element.max is not None else "",
        element.writability,
    )


def settings_change(change: SettingsChange | None) -> str:
    """What an ALTER does to settings."""
    if change is None:
        return ""
    clauses = ["DROP ALL SETTINGS"] if change.drop_all_settings else []
    clauses += ["DROP ALL PROFILES"] if change.drop_all_profiles else []
    if change.drop_settings:
        clauses.append(
            f"DROP {_counted('SETTING', change.drop_settings)} {', '.join(map(_setting_name, change.drop_settings))}"
        )
    if change.drop_profiles:
        dropped = ", ".join(map(quoted_identifier, change.drop_profiles))
        clauses.append(f"DROP {_counted('PROFILE', change.drop_profiles)} {dropped}")
    for word, elements in (("ADD", change.add), ("MODIFY", change.modify)):
        listed = [setting_element(element) for element in elements if not element.profile]
        profiles = [quoted_identifier(element.profile) for element in elements if element.profile]
        clauses += [f"{word} {_counted('PROFILE', profiles)} {', '.join(profiles)}"] if profiles else []
        clauses += [f"{word} {_counted('SETTING', listed)} {', '.join(listed)}"] if listed else []
    return ", ".join(clauses)


def _setting_name(name: str) -> str:
    return ".".join(map(identifier, name.split(".")))


def _counted(word: str, items: Sequence[str]) -> str:
    return word if len(items) == 1 else f"{word}S"
