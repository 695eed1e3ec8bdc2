"""Models and the statements that build them, for models of every kind of entity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given

from core.access.access_model import AccessModel
from core.access.assembling import assemble
from core.access.disassembling import statements_of
from core.access.model import (
    AlterUser,
    CreateRole,
    CreateUser,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    SettingElement,
    Statement,
)
from core.access.printed_statements import model_of_printed
from core.access.render import render
from core.access.script import model_of_script
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile, SettingsProfile
from tests.unit.access.plan_models import whole_models


@given(whole_models())
def test_statements_build_the_same_model_and_so_does_their_text(model: AccessModel) -> None:
    statements = statements_of(model)
    built, misfits = assemble(statements)
    assert misfits == ()
    assert built.users == model.users
    assert built.roles == model.roles
    assert built.quotas == model.quotas
    assert built.settings_profiles == model.settings_profiles
    assert built.row_policies == model.row_policies
    assert built.masking_policies == model.masking_policies
    assert built.granted_roles == {holder: roles for holder, roles in model.granted_roles.items() if roles}
    assert assemble(statements_of(built)) == (built, ())
    lines = [render(statement) for statement in statements]
    assert model_of_script(";\n".join(lines)) == (built, [])
    assert model_of_printed(lines) == (built, [])


@given(whole_models())
def test_every_name_is_known_when_it_is_used(model: AccessModel) -> None:
    known: set[tuple[EntityKind, str]] = set()
    for statement in statements_of(_without_circles(model)):
        for kind, name in _used(statement):
            kinds = (kind, EntityKind.USER) if kind is EntityKind.ROLE else (kind,)
            assert any((one, name) in known for one in kinds), render(statement)
        match statement:
            case CreateUser():
                known |= {(EntityKind.USER, name) for name in statement.names}
            case CreateRole():
                known |= {(EntityKind.ROLE, name) for name in statement.names}
            case CreateSettingsProfile():
                known |= {(EntityKind.SETTINGS_PROFILE, name) for name in statement.names}


def _without_circles(model: AccessModel) -> AccessModel:
    """The model with every settings profile inheriting from those before it in the alphabet only."""
    profiles = {
        name: replace(profile, settings=tuple(one for one in profile.settings if one.profile < name))
        for name, profile in model.settings_profiles.items()
    }
    return replace(model, settings_profiles=profiles)


def _used(statement: Statement) -> Iterable[tuple[EntityKind, str]]:
    """The profiles and the users or roles (as ROLE) that a statement names without defining them."""
    match statement:
        case Grant() | Revoke():
            yield from ((EntityKind.ROLE, name) for name in (*statement.roles, *statement.grantees))
        case AlterUser():
            yield from _named(statement.default_roles)
            yield from _named(statement.grantees)
            yield from ((EntityKind.USER, name) for name in statement.names)
        case CreateUser() | CreateRole() | CreateSettingsProfile():
            yield from _profiles(statement.settings)
            yield from _named(getattr(statement, "to", None))
        case AlterSettingsProfile():
            yield from ((EntityKind.SETTINGS_PROFILE, name) for name in statement.names)
            yield from _named(statement.to)
        case _:
            yield from _named(getattr(statement, "to", None))


def _named(names: NameSet | None) -> Iterable[tuple[EntityKind, str]]:
    return ((EntityKind.ROLE, name) for name in (*names.names, *names.excepted)) if names is not None else ()


def _profiles(elements: Iterable[SettingElement]) -> Iterable[tuple[EntityKind, str]]:
    return ((EntityKind.SETTINGS_PROFILE, element.profile) for element in elements if element.profile)


def test_a_long_line_of_profiles_begins_with_the_last_parent() -> None:
    names = [f"p{number}" for number in range(3000)]
    settings = [(SettingElement(profile=parent),) for parent in names[1:]] + [()]
    profiles = {name: SettingsProfile(name, found) for name, found in zip(names, settings, strict=True)}
    created = [one.names[0] for one in statements_of(AccessModel(settings_profiles=profiles))]  # type: ignore[union-attr]
    assert created == names[::-1]


def test_profiles_that_inherit_in_a_circle_are_all_there() -> None:
    model = AccessModel(
        settings_profiles={
            name: SettingsProfile(name, (SettingElement(profile=parent),)) for name, parent in (("a", "b"), ("b", "a"))
        }
    )
    assert assemble(statements_of(model))[0].settings_profiles == model.settings_profiles
