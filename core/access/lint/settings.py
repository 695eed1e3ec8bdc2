"""Lint of settings profiles, and of the one setting that access depends on: readonly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.lint.changes import with_user
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.subject import SetsOfUsers, Subject, listed, named, sentence
from core.access.model import EntityKind, SettingElement, User

_DEFAULT_PROFILE = "default"


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about settings profiles and readonly."""
    yield from _cycles(subject)
    profiles = subject.model.settings_profiles.values()
    sets = SetsOfUsers(subject, ((profile.name, profile.to) for profile in profiles))
    readonly_holders = _may_be_readonly(subject)
    for user in subject.model.users.values():
        if not readonly_holders and not any(_names_readonly(user.settings)):
            continue
        mode = _readonly(subject, user, sets.holding_for(user))
        if mode == "1" and user.name == subject.context.datalens_user:
            yield _too_strict(subject, user)
        if mode in ("1", "2"):
            yield from _set_role(subject, user)


def _may_be_readonly(subject: Subject) -> bool:
    """Whether a role or profile sets readonly at all; where none does, only users' own settings are looked at."""
    roles = (role.settings for role in subject.model.roles.values())
    profiles = (profile.settings for profile in subject.model.settings_profiles.values())
    return any(any(_names_readonly(settings)) for settings in (*roles, *profiles))


def _names_readonly(settings: Iterable[SettingElement]) -> Iterator[bool]:
    return (element.name == "readonly" for element in settings)


def _readonly(subject: Subject, user: User, profiles: list[str]) -> str:
    """The value of readonly with which a user begins, in ClickHouse's order: the default profile, the profiles that
    hold for it, the settings of its roles, its own. Empty when nothing sets it."""
    elements = [SettingElement(profile=_DEFAULT_PROFILE)]
    elements += [SettingElement(profile=name) for name in profiles]
    for role in sorted(subject.active_roles(user)):
        elements += subject.model.roles[role].settings
    elements += user.settings
    seen: set[str] = set()
    value = ""
    waiting = list(reversed(elements))
    while waiting:
        element = waiting.pop()
        if element.profile:
            profile = subject.model.settings_profiles.get(element.profile)
            if profile is not None and element.profile not in seen:
                seen.add(element.profile)
                waiting += reversed(profile.settings)
        elif element.name == "readonly" and element.value is not None:
            value = element.value.strip("'")
    return value


def _too_strict(subject: Subject, user: User) -> Finding:
    key = EntityKey(EntityKind.USER, user.name)
    return subject.finding(
        "readonly-too-strict",
        Severity.ERROR,
        key,
        f"{sentence(named(key))}, with which DataLens connects, has readonly = 1.",
        "DataLens sends settings with each query, which readonly = 1 refuses; every query of it fails. With 2 it may "
        "set them and still change nothing.",
        fix=Fix("Set readonly = 2 for the user", lambda model: _with_readonly_2(model, user.name)),
    )


def _with_readonly_2(model: AccessModel, name: str) -> AccessModel:
    def change(user: User) -> User:
        kept = tuple(element for element in user.settings if element.name != "readonly")
        return replace(user, settings=(*kept, SettingElement("readonly", "2")))

    return with_user(model, name, change)


def _set_role(subject: Subject, user: User) -> Iterator[Finding]:
    granted = subject.granted(Holder(EntityKind.USER, user.name))
    waiting = sorted(set(granted) & set(subject.model.roles) - subject.default_roles(user))
    if not waiting:
        return
    key = EntityKey(EntityKind.USER, user.name)
    yield subject.finding(
        "readonly-and-set-role",
        Severity.WARNING,
        key,
        f"{sentence(named(key))} is read-only, but can take on {listed(waiting)} by SET ROLE.",
        "readonly does not stop SET ROLE: the rights, quotas, row policies and settings of a role that is not default "
        "are one statement away.",
        advice="Revoke the roles that it is not to have, or make them default, so that they are seen.",
    )


def _cycles(subject: Subject) -> Iterator[Finding]:
    profiles = subject.model.settings_profiles
    parents = {
        name: [e.profile for e in profile.settings if e.profile in profiles] for name, profile in profiles.items()
    }
    for name in profiles:
        seen: set[str] = set()
        waiting = list(parents[name])
        while waiting:
            parent = waiting.pop()
            if parent not in seen:
                seen.add(parent)
                waiting += parents[parent]
        if name in seen:
            key = EntityKey(EntityKind.SETTINGS_PROFILE, name)
            yield subject.finding(
                "settings-profile-cycle",
                Severity.WARNING,
                key,
                f"{sentence(named(key))} inherits from itself.",
                "In a circle of profiles the order in which their settings hold is not what any of them says.",
                advice="Take one inheritance away.",
            )
