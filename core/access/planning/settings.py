"""The clauses that turn one list of SETTINGS into another without replacing it."""

from __future__ import annotations

from core.access.difference_fields import settings_meaning
from core.access.model import SettingElement, SettingsChange


def settings_change(before: tuple[SettingElement, ...], after: tuple[SettingElement, ...]) -> SettingsChange | None:
    """DROP, MODIFY and ADD for what differs, or None.

    A part that an element has no longer (its MAX, say) cannot be modified away: it is dropped and added again.
    """
    old_profiles, old = settings_meaning(before)
    new_profiles, new = settings_meaning(after)
    kept = [profile for profile in old_profiles if profile in new_profiles]
    same = next((i for i, pair in enumerate(zip(kept, new_profiles, strict=False)) if pair[0] != pair[1]), len(kept))
    drop_profiles = [profile for profile in old_profiles if profile not in new_profiles[:same]]
    drop = [name for name in old if name not in new]
    add: list[SettingElement] = [SettingElement(profile=profile) for profile in new_profiles[same:]]
    modify: list[SettingElement] = []
    written = {element.name: element for element in after if not element.profile}
    for name, element in new.items():
        former = old.get(name)
        if former == element:
            continue
        if former is None:
            add.append(written[name])
        elif _only_more(former, element):
            modify.append(_changed_parts(former, element, written[name]))
        else:
            drop.append(name)
            add.append(written[name])
    change = SettingsChange(
        drop_settings=tuple(drop), drop_profiles=tuple(drop_profiles), add=tuple(add), modify=tuple(modify)
    )
    return None if change == SettingsChange() else change


def _only_more(before: SettingElement, after: SettingElement) -> bool:
    """Whether `after` has every part that `before` has."""
    pairs = ((before.value, after.value), (before.min, after.min), (before.max, after.max))
    return all(old is None or new is not None for old, new in pairs) and bool(
        not before.writability or after.writability
    )


def _changed_parts(before: SettingElement, after: SettingElement, written: SettingElement) -> SettingElement:
    return SettingElement(
        written.name,
        written.value if before.value != after.value else None,
        written.min if before.min != after.min else None,
        written.max if before.max != after.max else None,
        written.writability if before.writability != after.writability else "",
    )
