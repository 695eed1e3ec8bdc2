"""What is typed into the forms of quotas, settings profiles and row policies, without a console."""

from __future__ import annotations

import pytest

from core.access.access_model import AccessModel
from core.access.model import EVERYONE, NOBODY, EntityKind, NameSet, Role, SettingElement, User
from core.access.policies import PolicyName
from core.access.quotas import QuotaInterval, QuotaLimit
from core.access.settings_profiles import SettingsProfile
from core.errors import BadInputError, HousekeysError
from tui.screens.limit_forms import read_to
from tui.screens.quota_forms import interval_fields, read_intervals
from tui.screens.row_policy_forms import read_filter, read_table
from tui.screens.settings_profile_forms import read_parents, read_settings, unknown_settings

MODEL = AccessModel(users={"anna": User("anna"), "o'b": User("o'b")}, roles={"clerk": Role("clerk")})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", NOBODY),
        ("NONE", NOBODY),
        ("anna, clerk", NameSet(("anna", "clerk"))),
        ("`o'b`", NameSet(("o'b",))),
        ("all", EVERYONE),
        ("ALL EXCEPT anna", NameSet(everyone=True, excepted=("anna",))),
    ],
)
def test_whom_it_is_for(text: str, names: NameSet) -> None:
    assert read_to(EntityKind.QUOTA, text, MODEL) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ana", "There is no user or role ana. Did you mean anna?"),
        ("ALL EXCEPT nobody_here", "There is no user or role nobody_here."),
        ("anna,", "To cannot be read at column 6"),
        ("anna KEYED BY ip_address", "To cannot be read at column 6"),
        ("CURRENT_USER", "Write the name of the user."),
    ],
)
def test_whom_it_cannot_be_for(text: str, words: str) -> None:
    with pytest.raises(HousekeysError) as caught:
        read_to(EntityKind.QUOTA, text, MODEL)
    assert words in f"{caught.value.message} {caught.value.advice}"


def test_every_interval_is_shown_as_it_is_read_again() -> None:
    limits = tuple((limit, number + 1) for number, limit in enumerate(QuotaLimit))
    intervals = (
        QuotaInterval(60, randomized=True),
        QuotaInterval(3600, limits),
        QuotaInterval(3601, ((QuotaLimit.EXECUTION_TIME, 0.25),)),
        QuotaInterval(2629746),
    )
    fields = [
        field
        for number, interval in enumerate(intervals, start=1)
        for field in interval_fields(number, interval, tuple(QuotaLimit))
    ]
    assert not [field.name for field in fields if field.problem(field.value)]
    assert read_intervals({field.name: field.value for field in fields}) == intervals


def test_a_limit_of_0_that_is_there_is_kept_and_a_new_one_is_refused() -> None:
    limits = ((QuotaLimit.QUERIES, 0), (QuotaLimit.READ_BYTES, 0), (QuotaLimit.EXECUTION_TIME, 0))
    interval = QuotaInterval(3600, (*limits, (QuotaLimit.WRITTEN_BYTES, 5)))
    fields = {field.name: field for field in interval_fields(1, interval, tuple(QuotaLimit))}
    assert not [name for name, field in fields.items() if field.problem(field.value)]
    assert set(read_intervals({name: field.value for name, field in fields.items()})[0].limits) == set(interval.limits)
    assert "0 limits nothing" in fields["1.queries"].hint
    assert "0 means no limit" in fields["1.errors"].problem("0")
    assert "0 means no limit" in fields["1.written_bytes"].problem("0")


def test_an_interval_without_a_length_is_none_and_two_of_one_length_are_refused() -> None:
    assert read_intervals({"1.every": " ", "2.every": "1 day", "2.queries": "5"}) == (
        QuotaInterval(86400, ((QuotaLimit.QUERIES, 5),)),
    )
    with pytest.raises(BadInputError, match="as long as each other: 1 day"):
        read_intervals({"1.every": "24 hours", "2.every": "1 day"})


def test_settings_are_read_line_by_line() -> None:
    text = "max_threads = 4 MIN 1 MAX 8 CONST\n\n  readonly = 2,\nmax_rows_to_read = 1, max_bytes_to_read = 2"
    assert read_settings(text) == (
        SettingElement("max_threads", "4", "1", "8", "CONST"),
        SettingElement("readonly", "2"),
        SettingElement("max_rows_to_read", "1"),
        SettingElement("max_bytes_to_read", "2"),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\nb =", "Line 2 cannot be read at column 4"),
        ("a = 1\n\nc", "Line 3 cannot be read"),
        ("a = 1\na = 2", "Line 2 sets a again, as line 1 does."),
        ("INHERIT p", "Line 1 names a profile."),
        ("a = 1 TO anna", "Line 1 says more than its one clause"),
        ("a = 1 DROP SETTING b", "Line 1 says more than its one clause"),
    ],
)
def test_a_bad_line_is_named(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read_settings(text)


def test_an_unknown_setting_is_told_with_its_neighbour_but_not_one_with_a_prefix() -> None:
    settings = read_settings("max_thread = 1\nSQL_mine = 2\nmerge_tree_x = 3\nreadonly = 1")
    assert unknown_settings(settings, {"max_threads", "readonly"}) == [
        "! The server knows no setting max_thread. Did you mean max_threads?"
    ]
    assert unknown_settings(settings, ()) == []


def test_profiles_do_not_inherit_in_circles() -> None:
    child = SettingsProfile("child", (SettingElement(profile="parent"),))
    model = AccessModel(settings_profiles={"parent": SettingsProfile("parent"), "child": child})
    assert read_parents("parent", "child", model) == ("parent",)
    for name, parents in (("parent", "child"), ("parent", "parent")):
        with pytest.raises(BadInputError, match="in circles"):
            read_parents(parents, name, model)
    with pytest.raises(HousekeysError, match="There is no settings profile gone"):
        read_parents("gone", "child", model)


@pytest.mark.parametrize(
    ("text", "place"),
    [("db.t", ("db", "t")), ("db.*", ("db", None)), ("`a b`.`t.u`", ("a b", "t.u"))],
)
def test_the_table_of_a_policy(text: str, place: tuple[str, str | None]) -> None:
    assert read_table(text) == PolicyName("x", *place)


@pytest.mark.parametrize("text", ["t", "*", "db.t, db.u", "db.t USING 1", ""])
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(BadInputError, match="This is no table with its database"):
        read_table(text)


def test_a_filter() -> None:
    assert read_filter("NONE") is None
    assert read_filter(" region = 1 ") == "region = 1"
    with pytest.raises(BadInputError, match="The filter cannot be read"):
        read_filter("(region = 1")
    with pytest.raises(BadInputError, match="says more than its one clause"):
        read_filter("1 TO anna")
