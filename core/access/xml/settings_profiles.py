"""Settings profiles of a configuration. Source: ClickHouse's `UsersConfigParser.cpp` and `SettingsProfileElement.cpp`.

ClickHouse knows the type of each setting and keeps its value in that type: `10G` becomes 10000000000, `1` may become
true. Here a value stays what it is, as a number where it is written like one, else as a string.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from core.access.model import SettingElement
from core.access.render_grants import string
from core.access.settings_profiles import SettingsProfile
from core.access.xml.configuration import Configuration
from core.access.xml.nodes import Node
from core.access.xml.problems import shown

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,5}[1-9])?|[1-9][0-9]{15,18}")
_CONSTANT = frozenset({"readonly", "const"})


@dataclass(frozen=True, slots=True)
class FoundProfile:
    """A settings profile, and the values that it disallows, which only a configuration can do."""

    profile: SettingsProfile
    disallowed: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class ProfileReader:
    """Reads settings profiles. `profiles` are the keys of all; `settings` those that the server knows, if given."""

    configuration: Configuration
    profiles: frozenset[str]
    settings: Collection[str] | None
    constraints_replace_previous: bool

    def read(self, name: str, node: Node) -> FoundProfile:
        """One settings profile."""
        elements: list[SettingElement] = []
        disallowed: dict[str, tuple[str, ...]] = {}
        for key, child in node.keyed():
            if child.name == "profile":
                elements += self._parent(child)
            elif child.name == "constraints":
                for setting, constraint in child.keyed():
                    if self._known(setting, constraint):
                        found, values = self._constraint(constraint)
                        elements.append(replace(found, name=setting))
                        disallowed |= {setting: values} if values else {}
                elements = normalised(elements)
            elif self._known(key, child) and not child.unresolved:
                elements.append(SettingElement(key, literal(self.configuration.text(child))))
        settings = tuple(element for element in elements if element != SettingElement(element.name))
        return FoundProfile(SettingsProfile(name, settings), disallowed)

    def _parent(self, node: Node) -> list[SettingElement]:
        parent = self.configuration.text(node)
        if node.unresolved:
            return []
        if parent not in self.profiles:
            message = f"There is no settings profile {shown(parent)} to inherit from."
            self.configuration.problems.error(node.origin, message, "Define it under <profiles>, or take this out.")
            return []
        return [SettingElement(profile=parent)]

    def _known(self, key: str, node: Node) -> bool:
        if key.endswith("]"):
            message = f"The setting {shown(node.name)} stands twice in the same place."
            self.configuration.problems.error(node.origin, message, "Keep one: ClickHouse takes the name for another.")
            return False
        if self.settings is not None and key not in self.settings:
            message = f"The server has no setting {shown(key)}."
            self.configuration.problems.error(node.origin, message, "Check the spelling against system.settings.")
            return False
        return True

    def _constraint(self, node: Node) -> tuple[SettingElement, tuple[str, ...]]:
        found = SettingElement()
        disallowed = []
        written = 0
        for key, child in node.keyed():
            value = literal(self.configuration.text(child))
            if child.unresolved:
                continue
            if child.name == "disallowed":
                disallowed.append(value)
            elif key == "min":
                found = replace(found, min=value)
            elif key == "max":
                found = replace(found, max=value)
            elif key in _CONSTANT:
                written += 1
                found = replace(found, writability="CONST")
            elif key == "changeable_in_readonly":
                written += 1
                found = replace(found, writability=self._changeable(child))
            else:
                message = f"{shown(key)} is no kind of constraint."
                advice = "Use one each of min, max, const, changeable_in_readonly, and disallowed."
                self.configuration.problems.error(child.origin, message, advice)
        if written > 1:
            message = f"The setting {shown(node.name)} has two of const, readonly and changeable_in_readonly."
            self.configuration.problems.error(node.origin, message, "Keep one of them.")
        return found, tuple(disallowed)

    def _changeable(self, node: Node) -> str:
        if not self.constraints_replace_previous:
            message = "changeable_in_readonly is not allowed by this server."
            advice = "Set access_control_improvements.settings_constraints_replace_previous in its config.xml."
            self.configuration.problems.error(node.origin, message, advice)
        return "CHANGEABLE_IN_READONLY"


def literal(text: str) -> str:
    """The text of a value as a SQL literal that stands for the same, whatever the type of the setting."""
    return text if _NUMBER.fullmatch(text) and text != "-0" else string(text)


def normalised(elements: list[SettingElement]) -> list[SettingElement]:
    """What ClickHouse makes of a list: profiles first, each at its last place; each setting once, at its first."""
    profiles = list(dict.fromkeys(element.profile for element in reversed(elements) if element.profile))
    settings: dict[str, SettingElement] = {}
    for element in elements:
        if element.profile:
            continue
        earlier = settings.get(element.name, SettingElement(element.name))
        settings[element.name] = SettingElement(
            element.name,
            earlier.value if element.value is None else element.value,
            earlier.min if element.min is None else element.min,
            earlier.max if element.max is None else element.max,
            element.writability or earlier.writability,
        )
    return [SettingElement(profile=profile) for profile in reversed(profiles)] + list(settings.values())
