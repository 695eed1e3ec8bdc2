"""The projection to users.xml, judged by ClickHouse: what it loads and shows is what the state says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.model import (
    Authentication,
    AuthKind,
    CreateRole,
    CreateUser,
    EntityKind,
    Grant,
    Hosts,
    NameSet,
    Revoke,
    Right,
    Role,
    SettingElement,
    User,
)
from core.access.parser import parse_statement
from core.access.renaming import renamed
from core.access.render import render
from core.access.state import AccessRefused, AccessState
from core.access.users_xml import element_name, not_enforced, project
from core.clickhouse.embedded_answers import shown
from core.clickhouse.embedded_handle import Handle, HandleOptions
from tests.examples import examples
from tests.unit.access import strategies

ENGINE = settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextmanager
def loaded(state: AccessState) -> Iterator[Handle]:
    """chDB that has read the projection of a state."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "config.xml").write_text(f"<clickhouse><users_config>{root}/users.xml</users_config></clickhouse>")
        (root / "users.xml").write_text(project(state))
        handle = Handle(HandleOptions(root / "data", root / "config.xml", {}, comment="test"))
        try:
            yield handle
        finally:
            handle.close()


def with_real_names(sql: str, state: AccessState) -> str:
    back = {element_name(name): name for name in (*state.users, *state.roles)}
    return render(renamed(parse_statement(sql), lambda name: back.get(name, name)))


def lines(handle: Handle, sql: str) -> list[str]:
    return [row[0] for row in handle.query(sql).rows]


_users = st.builds(
    CreateUser,
    st.tuples(strategies.names),
    methods=strategies.methods(),
    hosts=st.one_of(st.none(), strategies.hosts(st.from_regex(r"[a-z0-9.-]{1,12}", fullmatch=True))),
    default_database=st.one_of(st.none(), strategies.names),
    settings=strategies.settings(),
)


@ENGINE
@given(st.lists(_users, min_size=1, max_size=12), st.lists(strategies.names, max_size=4))
def test_users_and_roles_are_shown_as_the_state_shows_them(users: list[CreateUser], roles: list[str]) -> None:
    state = AccessState()
    created: list[CreateUser | CreateRole] = [*users, *(CreateRole((name,)) for name in roles)]
    for statement in created:
        try:
            state.apply(statement)
        except AccessRefused:
            continue
    with loaded(state) as handle:
        assert len(lines(handle, "SHOW USERS")) == len(state.users) + 1
        assert sorted(lines(handle, "SHOW ROLES")) == sorted(map(element_name, state.roles))
        for name, user in state.users.items():
            theirs = with_real_names(lines(handle, f"SHOW CREATE USER `{element_name(name)}`")[0], state)
            comparable = not not_enforced(user) and not user.settings and not user.hosts.likes
            if comparable:
                assert theirs == shown(user)
            if not user.methods[0].kind.startswith("no_"):
                assert "no_password" not in theirs  # what XML cannot hold is locked, never opened


_small = st.sampled_from(["a", "ab", "b c"])
_rights = strategies.rights(_small)
_sequence = st.lists(
    st.one_of(
        st.builds(
            Grant,
            st.lists(_rights, min_size=1, max_size=2).map(tuple),
            grantees=st.just(("u",)),
            grant_option=st.booleans(),
        ),
        st.builds(
            Revoke,
            st.lists(_rights, min_size=1, max_size=2).map(tuple),
            grantees=st.just(("u",)),
            grant_option=st.booleans(),
        ),
    ),
    min_size=1,
    max_size=8,
)


def _raw(sequences: Sequence[Sequence[Grant | Revoke]]) -> str:
    """A users.xml in which user `raw<n>` has the statements of a sequence one by one, as they came."""
    root = ElementTree.Element("clickhouse")
    for part in ("profiles", "quotas"):
        ElementTree.SubElement(ElementTree.SubElement(root, part), "default")
    users = ElementTree.SubElement(root, "users")
    default = ElementTree.SubElement(users, "default")
    ElementTree.SubElement(default, "no_password")
    for tag in ("access_management", "named_collection_control"):
        ElementTree.SubElement(default, tag).text = "1"
    for number, sequence in enumerate(sequences):
        user = ElementTree.SubElement(users, f"raw{number}")
        ElementTree.SubElement(user, "no_password")
        queries = ElementTree.SubElement(user, "grants")
        for statement in sequence:
            text = render(statement).replace(" TO u", "").removesuffix(" FROM u")
            ElementTree.SubElement(queries, "query").text = text
    return ElementTree.tostring(root, encoding="unicode")


@ENGINE
@given(st.lists(_sequence, min_size=1, max_size=20))
def test_kept_rights_add_up_to_what_clickhouse_makes_of_the_statements(
    sequences: list[list[Grant | Revoke]],
) -> None:
    state = AccessState()
    for number, sequence in enumerate(sequences):
        state.apply(CreateUser((f"kept{number}",)))
        for statement in sequence:
            state.apply(replace(statement, grantees=(f"kept{number}",)))
    with loaded(state) as handle:
        kept = [lines(handle, f"SHOW GRANTS FOR kept{number}") for number in range(len(sequences))]
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "config.xml").write_text(f"<clickhouse><users_config>{root}/users.xml</users_config></clickhouse>")
        (root / "users.xml").write_text(_raw(sequences))
        handle = Handle(HandleOptions(root / "data", root / "config.xml", {}, comment="test"))
        try:
            raw = [lines(handle, f"SHOW GRANTS FOR raw{number}") for number in range(len(sequences))]
        finally:
            handle.close()
    assert [[line.replace("kept", "raw") for line in found] for found in kept] == raw


@ENGINE
@given(st.lists(strategies.rights(), min_size=1, max_size=6), strategies.names)
def test_hostile_names_in_grants_arrive_whole(rights: list[Right], name: str) -> None:
    state = AccessState()
    state.apply(CreateUser((name,)))
    state.apply(CreateRole(("other " + name,)))
    state.apply(Grant(tuple(rights), grantees=(name,)))
    state.apply(Grant(roles=("other " + name,), grantees=(name,), admin_option=True))
    wanted = {
        (right.database, right.table, right.parameter, right.columns)
        for statement in state.holdings(EntityKind.USER, name).statements(name)
        for right in statement.rights
    }
    with loaded(state) as handle:
        shown_ = [with_real_names(line, state) for line in lines(handle, f"SHOW GRANTS FOR `{element_name(name)}`")]
    parsed = [parse_statement(line) for line in shown_]
    found = {word for statement in parsed if isinstance(statement, Grant) for word in statement.rights}
    assert Grant(roles=("other " + name,), grantees=(name,), admin_option=True) in parsed
    # ClickHouse may fold rights into wider ones, but never shows a name that was not there.
    names = {part for each in wanted for part in each[:3]} | {None, ""}
    assert all({right.database, right.table, right.parameter} <= names for right in found)


def test_settings_become_a_profile() -> None:
    state = AccessState()
    elements = (
        SettingElement(profile="default"),
        SettingElement("max_threads", "4", "1", "8"),
        SettingElement("readonly", "2", writability="CONST"),
        SettingElement("log_comment", r"'it\'s <&> a\nb'"),
    )
    state.apply(CreateUser(("u",), settings=elements))
    with loaded(state) as handle:
        found = lines(handle, "SHOW CREATE SETTINGS PROFILE `housekeys-settings-1`")
    assert found == [
        "CREATE SETTINGS PROFILE `housekeys-settings-1` SETTINGS INHERIT `default`, max_threads = 4 MIN 1 MAX 8, "
        "readonly = 2 CONST, log_comment = 'it\\'s <&> a\\nb'"
    ]
    assert not_enforced(state.users["u"]) == ()


def test_what_xml_cannot_hold_is_named() -> None:
    user = User(
        "u",
        (
            Authentication(AuthKind.BCRYPT, hash="x"),
            Authentication(AuthKind.SHA256, hash="00", salt="AB", valid_until="2030-01-01 00:00:00", grants=()),
        ),
        default_roles=NameSet(("r",)),
        grantees=NameSet(),
        hosts=Hosts(names=("a\x01b",)),
        settings=(SettingElement("a.b", "1"),),
    )
    assert not_enforced(user) == (
        "more than one way to identify the user",
        "bcrypt_password authentication",
        "the salt of a password hash",
        "validity",
        "the grants of a credential",
        "default roles",
        "grantees",
        "some hosts",
        "some settings",
    )
    assert not_enforced(Role("r", (SettingElement("a", "1"),))) == ("settings of a role",)
    assert not_enforced(User("u")) == ()


@pytest.mark.parametrize(
    ("like", "matches", "others"),
    [("%.ex.com", ["a.ex.com", ".ex.com"], ["aexxcom", "a.ex.com.evil"]), (r"h_st\%", ["host%"], ["hst%", "hostx"])],
)
def test_a_like_pattern_matches_the_same_as_a_regexp(like: str, matches: list[str], others: list[str]) -> None:
    state = AccessState()
    state.apply(CreateUser(("u",), hosts=Hosts(likes=(like,))))
    with loaded(state) as handle:
        pattern = handle.query("SELECT host_names_regexp[1] FROM system.users WHERE name = 'u'").first_cell()
        ask = "SELECT arrayMap(host -> match(host, {p:String}), {hosts:Array(String)})"
        assert handle.query(ask, {"p": pattern, "hosts": matches}).first_cell() == [1] * len(matches)
        assert handle.query(ask, {"p": pattern, "hosts": others}).first_cell() == [0] * len(others)
