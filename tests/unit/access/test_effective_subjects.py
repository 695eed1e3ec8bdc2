"""Whom a TO means, and who sees which rows by the policies on a table."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.effective.roles import applying, roles_of
from core.access.effective.row_policies import row_policies_of, seen_of
from core.access.effective.settings import settings_in_profile
from core.access.effective.subjects import subjects_of
from core.access.model import EVERYONE, NOBODY, EntityKind, NameSet, Role, SettingElement, User
from core.access.policies import PolicyName, RowPolicy
from core.access.settings_profiles import SettingsProfile

NAMES = ("anna", "boris", "clerk", "chief")
SETS = st.builds(
    NameSet,
    st.lists(st.sampled_from(NAMES), unique=True, max_size=3).map(tuple),
    st.booleans(),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(tuple),
)


def company(default: NameSet = EVERYONE) -> AccessModel:
    """Two users; anna is chief, and a chief is a clerk."""
    return AccessModel(
        users={"anna": User("anna", default_roles=default), "boris": User("boris")},
        roles={"clerk": Role("clerk"), "chief": Role("chief")},
        granted_roles={
            Holder(EntityKind.USER, "anna"): {"chief": False},
            Holder(EntityKind.ROLE, "chief"): {"clerk": False},
        },
    )


def test_a_user_is_meant_by_itself_by_a_role_of_its_roles_or_as_one_of_all() -> None:
    sets = {
        "itself": NameSet(("boris",)),
        "role": NameSet(("clerk",)),
        "all": EVERYONE,
        "but": NameSet(everyone=True, excepted=("clerk",)),
        "nobody": NOBODY,
        "gone": NameSet(("nobody_of_this_name",)),
    }
    found = subjects_of(company(), sets)
    assert {key: [subject.user for subject in subjects] for key, subjects in found.items()} == {
        "itself": ["boris"],
        "role": ["anna"],
        "all": ["anna", "boris"],
        "but": ["boris"],
        "nobody": [],
        "gone": [],
    }
    assert found["role"][0].via.path == ("chief", "clerk")


def test_a_role_that_is_not_active_at_login_means_nobody() -> None:
    assert subjects_of(company(NOBODY), {"role": NameSet(("clerk",))}) == {"role": ()}


@given(SETS)
def test_many_sets_at_once_mean_what_each_means_for_each_user(names: NameSet) -> None:
    model = company()

    def means(user: str) -> bool:
        who = Holder(EntityKind.USER, user)
        active = {role.name: role.path for role in roles_of(model, who) if role.active}
        return applying(names, who, active, model) is not None

    (subjects,) = subjects_of(model, {"set": names}).values()
    assert [subject.user for subject in subjects] == [user for user in sorted(model.users) if means(user)]


def policies(*rows: tuple[str, str | None, str, bool, NameSet]) -> dict[PolicyName, RowPolicy]:
    made = [RowPolicy(PolicyName(short, "db", table), condition, restrictive, to)
            for short, table, condition, restrictive, to in rows]  # fmt: skip
    return {policy.name: policy for policy in made}


def test_who_sees_the_same_rows_is_one_group_and_as_it_is_computed_for_each_user() -> None:
    found = policies(
        ("wide", None, "a = 1", True, EVERYONE),
        ("own", "t", "b = 2", False, NameSet(("chief",))),
        ("other", "u", "c = 3", False, EVERYONE),
    )
    model = company()
    model = AccessModel(users=model.users, roles=model.roles, granted_roles=model.granted_roles, row_policies=found)
    subjects = subjects_of(model, {name: policy.to for name, policy in found.items()})
    seen = {seeing.users: seeing.rows for seeing in seen_of(found.values(), "db", "t", subjects)}
    assert set(seen) == {("anna",), ("boris",)}
    for (user,), rows in seen.items():
        who = Holder(EntityKind.USER, user)
        alone = {(each.database, each.table): each for each in row_policies_of(model, who, roles_of(model, who))}
        for mode in (True, False):
            condition: Callable[..., str | None] = alone["db", "t"].condition
            assert rows.condition(users_without_row_policies_can_read_rows=mode) == condition(
                users_without_row_policies_can_read_rows=mode
            )
    assert seen[("anna",)].condition() == "(a = 1) AND (b = 2)"
    assert seen[("boris",)].condition(users_without_row_policies_can_read_rows=False) == "0"
    (everybody,) = seen_of(found.values(), "db", None, subjects)
    assert everybody.users == ("anna", "boris")


def test_a_profile_gives_what_its_parents_give_unless_it_says_otherwise() -> None:
    base = SettingsProfile("base", (SettingElement("max_threads", "8", max="16"), SettingElement("readonly", "2")))
    own = SettingsProfile("own", (SettingElement(profile="base"), SettingElement("max_threads", "2")))
    model = AccessModel(settings_profiles={"base": base, "own": own})
    threads, readonly = settings_in_profile(model, "own")
    assert threads.given is not None
    assert threads.max is not None
    assert (threads.value, threads.max.value, [lost.value for lost in threads.overridden]) == ("2", "16", ["8"])
    assert [key.name for key in threads.given.origin.path] == ["own"]
    assert [key.name for key in threads.max.origin.path] == ["own", "base"]
    assert (readonly.name, readonly.value) == ("readonly", "2")
    assert settings_in_profile(AccessModel(), "gone") == ()
