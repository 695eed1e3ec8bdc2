"""Effective settings and rows, judged by ClickHouse as the user that they hold for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.effective.limits import limits_of
from core.access.effective.rights import effective
from core.access.effective.settings import USERS_XML, normalized
from core.access.model import EntityKind, NameSet, SettingElement, User
from core.access.policies import PolicyName, RowPolicy
from core.access.settings_profiles import SettingsProfile
from core.clickhouse.embedded_handle import Handle, HandleOptions
from tests.examples import examples

ENGINE = settings(
    max_examples=examples(5),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
NOW = datetime(2026, 11, 15, tzinfo=UTC)
ME = Holder(EntityKind.USER, "default")  # the user that chDB connects as
SETTINGS = ("max_threads", "max_block_size", "max_insert_threads")
PROFILES = ("default", "a", "b", "c", "d")


@contextmanager
def connected(profiles: str, user: str, others: str = "") -> Iterator[Handle]:
    """chDB as a user that may read everything and otherwise is as `user` says."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "config.xml").write_text(f"<clickhouse><users_config>{home}/users.xml</users_config></clickhouse>")
        (home / "users.xml").write_text(
            f"<clickhouse><profiles>{profiles}</profiles><quotas><default/></quotas>"
            f"<users><default><no_password/>{user}</default>{others}</users></clickhouse>"
        )
        handle = Handle(HandleOptions(home / "data", home / "config.xml", {}, comment="test"))
        try:
            yield handle
        finally:
            handle.close()


@st.composite
def _profile(draw: st.DrawFn, number: int) -> tuple[SettingElement, ...]:
    """A profile as users.xml can hold it: settings and earlier profiles in any order, then limits without a value."""
    values = draw(st.dictionaries(st.sampled_from(SETTINGS), st.integers(2, 90)))
    limits = draw(
        st.dictionaries(
            st.sampled_from(SETTINGS),
            st.builds(
                SettingElement,
                min=st.sampled_from([None, "1", "2"]),
                max=st.sampled_from([None, "91", "92"]),
                writability=st.sampled_from(["", "CONST"]),
            ).filter(lambda limit: limit != SettingElement()),
        )
    )
    parents = draw(st.lists(st.sampled_from(PROFILES[:number]), max_size=2)) if number else []
    elements = [replace(limits.get(name, SettingElement()), name=name, value=str(values[name])) for name in values]
    mixed = draw(st.permutations([*elements, *(SettingElement(profile=parent) for parent in parents)]))
    return (*mixed, *(replace(limit, name=name) for name, limit in limits.items() if name not in values))


def _xml(name: str, elements: Sequence[SettingElement]) -> str:
    parts, limits = [], []
    for element in elements:
        if element.profile:
            parts.append(f"<profile>{element.profile}</profile>")
        elif element.value is not None:
            parts.append(f"<{element.name}>{element.value}</{element.name}>")
        inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in (("min", element.min), ("max", element.max)) if text)
        inner += "<const/>" if element.writability else ""
        limits += [f"<{element.name}>{inner}</{element.name}>"] if inner else []
    constraints = f"<constraints>{''.join(limits)}</constraints>" if limits else ""
    return f"<{name}>{''.join(parts)}{constraints}</{name}>"


def _kept(elements: tuple[SettingElement, ...]) -> tuple[SettingElement, ...]:
    """What ClickHouse keeps of a profile in users.xml: it sets its elements in order only when it meets limits."""
    limited = any(element.min or element.max or element.writability for element in elements)
    return normalized(elements) if limited else elements


@ENGINE
@given(st.tuples(*(_profile(number) for number in range(len(PROFILES)))), st.sampled_from(PROFILES))
def test_settings_are_those_of_a_session(drawn: tuple[tuple[SettingElement, ...], ...], own: str) -> None:
    given_ = dict(zip(PROFILES, drawn, strict=True))
    model = AccessModel(
        {"default": User("default", settings=(SettingElement(profile=own),))},
        settings_profiles={name: SettingsProfile(name, _kept(elements)) for name, elements in given_.items()},
        storages={EntityKey(EntityKind.SETTINGS_PROFILE, name): USERS_XML for name in PROFILES},
    )
    ours = {
        each.name: (
            each.value,
            None if each.min is None else each.min.value,
            None if each.max is None else each.max.value,
            each.writability is not None,
        )
        for each in limits_of(effective(model, ME), NOW).settings
    }
    profiles = "".join(_xml(name, elements) for name, elements in given_.items())
    with connected(profiles, f"<profile>{own}</profile>") as handle:
        ask = "SELECT name, changed, value, min, max, readonly FROM system.settings WHERE name IN {names:Array(String)}"
        rows = handle.query(ask, {"names": list(SETTINGS)}).rows
    for name, changed, value, low, high, constant in rows:
        mine = ours.get(name, (None, None, None, False))
        assert (mine[1:], name) == ((low, high, bool(constant)), name)
        assert mine[0] == value if mine[0] is not None else not changed, (name, mine, value)


def test_rows_are_those_that_are_read() -> None:
    policies = [
        RowPolicy(PolicyName("default", "d", "t"), "a = 1", to=NameSet(("default",))),
        RowPolicy(PolicyName("v", "d", "u"), "a = 2", to=NameSet(("v",))),
    ]
    model = AccessModel(
        {"default": User("default"), "v": User("v")}, row_policies={policy.name: policy for policy in policies}
    )
    found = {rows.table: rows.condition() for rows in limits_of(effective(model, ME), NOW).rows}
    mine = "<databases><d><t><filter>a = 1</filter></t></d></databases>"
    others = "<v><no_password/><databases><d><u><filter>a = 2</filter></u></d></databases></v>"
    with connected("<default/>", mine, others) as handle:
        handle.command("CREATE DATABASE d")
        for table in ("t", "u"):
            handle.command(f"CREATE TABLE d.{table} (a Int32) ENGINE = MergeTree ORDER BY a")
            handle.command(f"INSERT INTO d.{table} VALUES (1), (2), (3)")
            seen = handle.query(f"SELECT a FROM d.{table} ORDER BY a").rows
            condition = found[table] or "1"
            assert seen == handle.query(f"SELECT a FROM values('a Int32', 1, 2, 3) WHERE {condition} ORDER BY a").rows
    assert found == {"t": "a = 1", "u": None}
