"""A model written as a configuration and read again is the same, or less, and never more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings

from core.access.access_model import AccessModel, Holder
from core.access.model import AuthKind, EntityKind, Grant, NameSet, Revoke, SettingElement, User
from core.access.xml.reading import Reading, XmlFile, read_files
from core.access.xml.writing import Layout, WritingOptions, Written, write
from tests.examples import examples
from tests.unit.access import xml_models

QUICK = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LOCKED = "0" * 64


def read(written: Written) -> Reading:
    files = [XmlFile(path, text.encode()) for path, text in sorted(written.files.items())]
    return read_files(files or [XmlFile("users.xml", b"<clickhouse/>")])


def bare(model: AccessModel) -> AccessModel:
    """A model without where it comes from."""
    return replace(model, storages={}, origins={})


@QUICK
@given(xml_models.expressible_models())
def test_what_a_configuration_can_hold_comes_back_as_it_was(model: AccessModel) -> None:
    for layout in Layout:
        written = write(model, WritingOptions(layout))
        reading = read(written)
        assert written.losses == ()
        assert reading.loads, reading.problems
        assert bare(reading.model) == model


@QUICK
@given(xml_models.models())
def test_any_model_is_written_as_a_configuration_that_loads(model: AccessModel) -> None:
    for options in (WritingOptions(), WritingOptions(Layout.FILE_PER_ENTITY, False, False)):
        reading = read(write(model, options))
        assert reading.loads, reading.problems


@QUICK
@given(xml_models.models())
def test_nobody_gets_more_than_the_model_gives(model: AccessModel) -> None:
    found = read(write(model)).model
    for name, user in found.users.items():
        assert name in model.users
        if user.methods[0].hash != LOCKED:
            assert_no_more(model, found, model.users[name], user)
    for name in found.roles:
        holder = Holder(EntityKind.ROLE, name)
        assert_rights_no_more(model, found, holder)
        assert set(found.granted_roles.get(holder, {}).items()) <= set(model.granted_roles.get(holder, {}).items())


@QUICK
@given(xml_models.models())
def test_whatever_is_not_the_same_is_told(model: AccessModel) -> None:
    written = write(model)
    found = read(written).model
    told = {(loss.entity.kind, loss.entity.name) for loss in written.losses}
    kinds: tuple[tuple[EntityKind, Mapping[Any, object], Mapping[Any, object]], ...] = (
        (EntityKind.USER, model.users, found.users),
        (EntityKind.ROLE, model.roles, found.roles),
        (EntityKind.QUOTA, model.quotas, found.quotas),
        (EntityKind.ROW_POLICY, model.row_policies, found.row_policies),
        (EntityKind.MASKING_POLICY, model.masking_policies, {}),
    )
    for kind, before, after in kinds:
        for name in before:
            if (kind, name) not in told:
                assert name in after, (kind, name)
    assert all(loss.what and loss.why for loss in written.losses)


def assert_no_more(model: AccessModel, found: AccessModel, before: User, after: User) -> None:
    """That an open user of `found` is limited by all that limits it in `model`."""
    method = after.methods[0]
    same = [each for each in before.methods if each.kind is method.kind or (each.kind is AuthKind.DEFAULT)]
    assert any(not (each.valid_until or each.valid_for or each.salt) and each.grants is None for each in same)
    if method.kind is AuthKind.NO_PASSWORD:
        assert method in before.methods
    assert before.hosts.any or not after.hosts.any
    assert set(after.hosts.names) <= set(before.hosts.names) | set(before.hosts.likes)
    holder = Holder(EntityKind.USER, after.name)
    roles = found.granted_roles.get(holder, {})
    defaults = default_roles(model, before)
    assert set(roles) <= set(defaults)
    assert_rights_no_more(model, found, holder)
    active = with_inner(model, defaults)
    assert not any(model.roles[role].settings for role in active if role in model.roles)
    for quota in model.quotas.values():
        if covers(model, quota.to, after.name, active):
            assert after.name in found.quotas[quota.name].to.names
            assert found.quotas[quota.name].intervals == quota.intervals
            assert found.quotas[quota.name].key is quota.key
    for name, policy in model.row_policies.items():
        if policy.condition is not None and covers(model, policy.to, after.name, active):
            assert not policy.restrictive
            written = found.row_policies[replace(name, short=after.name)]
            assert written.condition == policy.condition
            assert written.to == NameSet((after.name,))
    assert not any(covers(model, masking.to, after.name, active) for masking in model.masking_policies.values())
    profiles = [
        name
        for name in sorted(model.settings_profiles)
        if covers(model, model.settings_profiles[name].to, after.name, active)
    ]
    wanted = [*(SettingElement(profile=name) for name in profiles), *before.settings]
    assert limits(found, after.settings) == limits(model, wanted)


def limits(model: AccessModel, elements: Sequence[SettingElement], above: tuple[str, ...] = ()) -> list[SettingElement]:
    """The settings that elements stand for, in their order, without what only widens."""
    found = []
    for element in elements:
        if element.profile:
            if element.profile not in above:
                inner = model.settings_profiles[element.profile].settings
                found += limits(model, inner, (*above, element.profile))
        elif element.writability == "WRITABLE":
            found += limits(model, [replace(element, writability="")], above)
        elif element != SettingElement(element.name):
            found.append(element)
    return found


def assert_rights_no_more(model: AccessModel, found: AccessModel, holder: Holder) -> None:
    """That only grants are missing of what the holder had, and nothing is added."""
    before, after = (list(each.rights.get(holder, ())) for each in (model, found))
    assert [statement for statement in before if statement in after] == after
    assert all(isinstance(statement, Grant) for statement in before if statement not in after)
    assert all(isinstance(statement, Grant | Revoke) for statement in after)


def default_roles(model: AccessModel, user: User) -> set[str]:
    granted = set(model.granted_roles.get(Holder(EntityKind.USER, user.name), {}))
    named = granted if user.default_roles.everyone else granted & set(user.default_roles.names)
    return named - set(user.default_roles.excepted)


def with_inner(model: AccessModel, roles: set[str]) -> set[str]:
    found = set(roles)
    while (
        more := {role for each in found for role in model.granted_roles.get(Holder(EntityKind.ROLE, each), {})} - found
    ):
        found |= more
    return found


def covers(model: AccessModel, to: NameSet, user: str, roles: set[str]) -> bool:
    names = {user} | (roles - set(model.users))
    return not names & set(to.excepted) and (to.everyone or bool(names & set(to.names)))
