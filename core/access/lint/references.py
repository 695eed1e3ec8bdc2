"""Lint of names that mean nothing: users, roles and profiles that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.access.access_model import EntityKey
from core.access.lint.changes import without_names
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.subject import Subject, listed, named, sentence
from core.access.model import EntityKind, SettingElement

_ALWAYS_THERE = frozenset(("default", "readonly"))  # of ClickHouse's stock configuration, which a file may not hold


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about names in sets of users and roles, and about profiles that something inherits from."""
    for entity, names in subject.sets_of_names():
        gone = [name for name in dict.fromkeys((*names.names, *names.excepted)) if subject.entity_of(name) is None]
        if gone:
            yield _dangling_names(subject, entity, gone)
    for entity, settings in _settings(subject):
        missing = [
            element.profile
            for element in settings
            if element.profile
            and element.profile not in subject.model.settings_profiles
            and element.profile not in _ALWAYS_THERE
        ]
        if missing:
            yield subject.finding(
                "profile-dangling",
                Severity.ERROR,
                entity,
                f"{sentence(named(entity))} inherits from settings profiles that do not exist: {listed(missing)}.",
                "ClickHouse refuses such a statement, and does not load a users.xml in which a profile is missing. The "
                "limits that the profile was to set do not hold.",
                advice="Create the profile, or take its name away.",
            )


def _dangling_names(subject: Subject, entity: EntityKey, gone: list[str]) -> Finding:
    what = "its grantees" if entity.kind is EntityKind.USER else "those it holds for"
    return subject.finding(
        "name-dangling",
        Severity.WARNING,
        entity,
        f"{sentence(named(entity))} names users or roles that do not exist: {listed(gone)}.",
        f"Among {what} is a name that nobody has. It has no effect now; a user or role of that name that is created "
        "later is not meant by it in a server, and is meant by it in a file.",
        fix=Fix(
            f"Leave {listed(gone)} out",
            lambda model: without_names(
                model, lambda name: name in gone and name not in model.users and name not in model.roles, entity
            ),
        ),
    )


def _settings(subject: Subject) -> Iterator[tuple[EntityKey, Iterable[SettingElement]]]:
    model = subject.model
    for user in model.users.values():
        yield EntityKey(EntityKind.USER, user.name), user.settings
    for role in model.roles.values():
        yield EntityKey(EntityKind.ROLE, role.name), role.settings
    for profile in model.settings_profiles.values():
        yield EntityKey(EntityKind.SETTINGS_PROFILE, profile.name), profile.settings
