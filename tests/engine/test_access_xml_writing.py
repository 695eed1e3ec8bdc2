"""Models written as configuration files, judged by ClickHouse, which loads them and shows what it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.assembling import model_from_statements
from core.access.difference_rights import folded, same_rights
from core.access.model import ANY_HOST, Authentication, AuthKind, EntityKind, Hosts, NameSet, SettingElement, User
from core.access.parser import parse_statement
from core.access.policies import PolicyName, RowPolicy
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from core.access.xml.losses import Effect
from core.access.xml.names import is_element_name
from core.access.xml.reading import Reading, XmlFile, read_files
from core.access.xml.writing import FOLDER, Layout, WritingOptions, Written, write
from tests.engine.xml_engine import CHDB, DEFAULT, FOR_CHDB, document, laid_out, loaded, show_access
from tests.examples import examples
from tests.unit.access import strategies, xml_models

ENGINE = settings(
    max_examples=examples(8),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CHDB_USER = f"<clickhouse><users>{DEFAULT}</users></clickhouse>"


def shown_by_clickhouse(written: Written) -> AccessModel:
    """What a ClickHouse shows that has loaded the files, without the user that chDB needs."""
    base = {"users.xml": "<clickhouse><profiles><default/></profiles></clickhouse>"}
    with laid_out({**base, **written.files, f"{FOLDER}/zz-chdb.xml": CHDB_USER}) as root:
        lines = show_access(root)
    assert lines is not None, "ClickHouse refuses the files"
    model = model_from_statements(map(parse_statement, lines))
    users = {name: user for name, user in model.users.items() if name != "default"}
    # A server like chDB makes row policies for everybody else.
    policies = {name: policy for name, policy in model.row_policies.items() if name.short != "default"}
    return replace(model, users=users, row_policies=policies)


def without_secrets(users: Mapping[str, User]) -> dict[str, User]:
    """Users as SHOW CREATE shows them."""
    return {
        name: replace(
            user, methods=tuple(replace(method, password=None, hash=None, salt="") for method in user.methods)
        )
        for name, user in users.items()
    }


def assert_same_rights(first: AccessModel, second: AccessModel) -> None:
    holders = [Holder(EntityKind.USER, name) for name in second.users]
    holders += [Holder(EntityKind.ROLE, name) for name in second.roles]
    for holder in holders:
        theirs, ours = (folded(model.rights.get(holder, ())) for model in (first, second))
        assert same_rights(theirs, ours), holder


def without_roles_called_like_users(model: AccessModel) -> AccessModel:
    """A user and a role of one name are one to whoever reads SHOW ACCESS."""
    roles = {name: role for name, role in model.roles.items() if name not in model.users}
    holders = {Holder(EntityKind.USER, name) for name in model.users} | {
        Holder(EntityKind.ROLE, name) for name in roles
    }
    granted = {
        holder: {role: option for role, option in found.items() if role in roles}
        for holder, found in model.granted_roles.items()
        if holder in holders
    }
    return replace(
        model,
        roles=roles,
        # chDB applies this one to itself, and does not start when its values break its own limits.
        settings_profiles={**model.settings_profiles, "default": SettingsProfile("default")},
        rights={holder: found for holder, found in model.rights.items() if holder in holders},
        granted_roles={holder: found for holder, found in granted.items() if found},
    )


@ENGINE
@given(xml_models.expressible_models(), st.sampled_from(Layout))
def test_clickhouse_shows_what_the_model_has(model: AccessModel, layout: Layout) -> None:
    model = without_roles_called_like_users(model)
    written = write(model, replace(FOR_CHDB, layout=layout))
    assert written.losses == ()
    found = shown_by_clickhouse(written)
    assert without_secrets(found.users) == without_secrets(model.users)
    assert dict(found.roles) == dict(model.roles)
    assert dict(found.quotas) == dict(model.quotas)
    assert dict(found.settings_profiles) == dict(model.settings_profiles)
    assert {name: found.row_policies[name].to for name in model.row_policies} == {
        name: policy.to for name, policy in model.row_policies.items()
    }
    assert {holder: dict(roles) for holder, roles in found.granted_roles.items() if holder.name != "default"} == {
        holder: dict(roles) for holder, roles in model.granted_roles.items()
    }
    assert_same_rights(found, model)


@ENGINE
@given(xml_models.models(), st.sampled_from(Layout))
def test_clickhouse_loads_whatever_is_written(model: AccessModel, layout: Layout) -> None:
    written = write(model, replace(FOR_CHDB, layout=layout))
    found = shown_by_clickhouse(written)
    assert set(found.users) <= set(model.users)
    reading = read_files(
        [XmlFile(path, text.encode()) for path, text in sorted(written.files.items())] or [EMPTY], CHDB
    )
    assert set(found.users) == set(reading.model.users)
    # What nobody may come in with stays a hash: no user is opened who was not open.
    for name, user in found.users.items():
        if user.methods[0].kind is AuthKind.NO_PASSWORD:
            assert Authentication() in model.users[name].methods


EMPTY = XmlFile("users.xml", b"<clickhouse/>")


def reread(written: Written) -> Reading:
    return read_files([XmlFile(path, text.encode()) for path, text in written.files.items()], CHDB)


@settings(ENGINE, max_examples=examples(4))
@given(st.lists(st.one_of(xml_models.hostile_names, strategies.names), min_size=20, max_size=20, unique=True))
def test_names_that_are_said_to_fit_are_loaded(names: list[str]) -> None:
    fit = [name for name in names if is_element_name(name)]
    users = "".join(f"<{name}><no_password/></{name}>" for name in fit)
    with laid_out({"users.xml": document(users)}) as root, loaded(root) as handle:
        assert {str(row[0]) for row in handle.query("SHOW USERS").rows} == {*fit, "default"}


def test_a_filter_shuts_nobody_out_and_lets_nobody_in() -> None:
    """Row policies for several users become a filter of each, and whoever has none reads nothing if so configured."""
    everybody = NameSet(everyone=True, excepted=("c",))
    model = AccessModel(
        {name: User(name) for name in ("a", "b", "c")},
        row_policies={
            name: RowPolicy(name, "x = 1", to=to)
            for name, to in (
                (PolicyName("p", "d", "t"), NameSet(("a", "b"))),
                (PolicyName("q", "d", "u"), everybody),
            )
        },
    )
    written = write(model, replace(FOR_CHDB, users_without_row_policies_can_read_rows=False))
    found = shown_by_clickhouse(written).row_policies
    conditions = {(name.short, name.table): policy.condition for name, policy in found.items()}
    assert conditions == {
        **{(user, table): "x = 1" for user in ("a", "b") for table in ("t", "u")},
        ("c", "t"): "0",
        ("c", "u"): "0",
    }
    assert {loss.effect for loss in written.losses} == {Effect.CHANGED}


def test_settings_of_users_become_profiles_of_their_own() -> None:
    model = AccessModel(
        {
            "a": User("a", settings=(SettingElement("max_threads", "4", max="8"),)),
            "b": User("b", settings=(SettingElement(profile="p"), SettingElement("max_execution_time", "60."))),
            "c": User("c"),
        },
        settings_profiles={
            "p": SettingsProfile("p", (SettingElement("max_threads", "1"),)),
            "all": SettingsProfile("all", (SettingElement("max_block_size", "9"),), NameSet(everyone=True)),
            "a-settings": SettingsProfile("a-settings"),
        },
    )
    written = write(model, FOR_CHDB)
    found = shown_by_clickhouse(written)
    profiles = {name: profile.settings for name, profile in found.settings_profiles.items()}
    everybody = SettingElement(profile="all")
    assert profiles["a-settings-"] == (everybody, *model.users["a"].settings)
    assert profiles["b-settings"] == (everybody, *model.users["b"].settings)
    assert {name: user.settings for name, user in found.users.items()} == {
        "a": (SettingElement(profile="a-settings-"),),
        "b": (SettingElement(profile="b-settings"),),
        "c": (everybody,),
    }


@pytest.mark.parametrize(
    ("like", "hosts"),
    [
        ("%.example.com", Hosts(patterns=(r"^.*\.example\.com$",))),
        ("db.example.com", Hosts(names=("db.example.com",))),
        ("192.168.%.%", Hosts(addresses=("192.168.0.0/16",))),
        ("192.%.0.%", Hosts(addresses=("192.0.0.0/255.0.255.0",))),
        ("192.168.1.1", Hosts(addresses=("192.168.1.1",))),
        ("192.168.1_.%", Hosts()),
        ("192.168.%", Hosts()),
        ("2001:db8::%", Hosts()),
        ("2001:db8::1", Hosts(addresses=("2001:db8::1",))),
        ("localhost", Hosts(local=True)),
    ],
)
def test_a_like_pattern_of_addresses_never_becomes_one_of_names(like: str, hosts: Hosts) -> None:
    written = write(AccessModel({"u": User("u", hosts=Hosts(likes=(like,)))}), FOR_CHDB)
    assert shown_by_clickhouse(written).users["u"].hosts == hosts
    assert reread(written).model.users["u"].hosts == hosts


def test_a_password_is_hashed_on_the_way() -> None:
    user = User("u", (Authentication(AuthKind.SHA256, password="hunter2"),), ANY_HOST)
    written = write(AccessModel({"u": user}), FOR_CHDB)
    assert "hunter2" not in f"{written.files}{written}"
    assert shown_by_clickhouse(written).users["u"].methods == (Authentication(AuthKind.SHA256),)
    assert written.losses == ()


def test_a_limit_of_nothing_is_not_written_as_no_limit() -> None:
    interval = QuotaInterval(60, ((QuotaLimit.QUERIES, 0), (QuotaLimit.EXECUTION_TIME, 0)))
    quota = Quota("q", QuotaKey.USER_NAME, (interval,), NameSet(("u",)))
    written = write(AccessModel({"u": User("u")}, quotas={"q": quota}), WritingOptions())
    assert shown_by_clickhouse(written).quotas["q"] == quota
