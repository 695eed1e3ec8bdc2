"""Can somebody do this, by which path, what took it away, and who can."""

from __future__ import annotations

import pytest

from core.access.access_model import Holder
from core.access.effective.questions import Answer, Extent, Verdict, can, who_can
from core.access.effective.rights import RightsIndex, effective
from core.access.model import Right
from core.access.render_grants import render_rights
from core.errors import BadInputError
from tests.unit.access.effective_examples import model_of, role, user

# The example of the audit query that this replaces: bob is an analyst, and analysts have what base has.
AUDIT = (
    "CREATE USER bob, carol",
    "CREATE USER al DEFAULT ROLE NONE",
    "CREATE ROLE analyst, base",
    "GRANT SELECT ON *.* TO base",
    "REVOKE SELECT ON secret.* FROM base",
    "REVOKE SELECT(wage) ON a.t1 FROM base",
    "GRANT SELECT ON log*.*, SELECT ON pre.tab* TO analyst",
    "GRANT base TO analyst",
    "GRANT analyst TO bob, al",
    "GRANT SELECT(day) ON a.t1 TO carol",
)
INDEX = RightsIndex(model_of(*AUDIT))


def table(name: str, *columns: str, database: str = "a", privilege: str = "SELECT") -> Right:
    return Right(privilege, columns, database, name)


def asked(who: Holder, right: Right) -> Answer:
    return can(INDEX.effective(who), right)


def test_a_right_from_two_roles_away_is_seen_with_its_path() -> None:
    answer = asked(user("bob"), table("t2"))
    assert answer.verdict is Verdict.YES
    assert [(way.via.holder, way.via.path) for way in answer.ways] == [(role("base"), ("analyst", "base"))]
    assert not answer.taken and not answer.set_roles


def test_a_partial_revoke_is_no_grant_and_is_named() -> None:
    answer = asked(user("bob"), Right("SELECT", database="secret"))
    assert answer.verdict is Verdict.NO and not answer.ways
    (taken,) = answer.taken
    assert (taken.via.path, render_rights((taken.right,))) == (("analyst", "base"), "SELECT ON secret.*")


def test_a_column_taken_back_leaves_the_others() -> None:
    answer = asked(user("bob"), table("t1"))
    assert answer.verdict is Verdict.SOME_COLUMNS
    assert (answer.columns, answer.columns_except) == ((), ("wage",))
    assert [render_rights((taken.right,)) for taken in answer.taken] == ["SELECT(wage) ON a.t1"]
    assert asked(user("bob"), table("t1", "wage")).verdict is Verdict.NO
    assert asked(user("bob"), table("t1", "day")).verdict is Verdict.YES
    some = asked(user("bob"), table("t1", "wage", "day"))
    assert (some.verdict, some.columns, some.columns_except) == (Verdict.SOME_COLUMNS, ("day",), ("wage",))


def test_columns_granted_alone_are_listed() -> None:
    answer = asked(user("carol"), table("t1"))
    assert (answer.verdict, answer.columns) == (Verdict.SOME_COLUMNS, ("day",))
    assert asked(user("carol"), Right("SELECT", database="a")).verdict is Verdict.PARTLY


def test_a_wildcard_is_no_database_of_that_name() -> None:
    answer = asked(user("bob"), Right("SELECT", database="logs"))
    assert [way.via.path for way in answer.ways] == [("analyst",), ("analyst", "base")]
    model = model_of("CREATE USER u", "GRANT SELECT ON log*.*, SELECT ON pre.tab* TO u")
    found = effective(model, user("u"))
    for right, verdict in (
        (Right("SELECT", database="log"), Verdict.YES),
        (Right("SELECT", database="logs"), Verdict.YES),
        (Right("SELECT", database="lo"), Verdict.NO),
        (Right("SELECT", database="lo", database_wildcard=True), Verdict.PARTLY),
        (Right("SELECT", database="logs", database_wildcard=True), Verdict.YES),
        (Right("SELECT", database="pre", table="tab"), Verdict.YES),
        (Right("SELECT", database="pre", table="table"), Verdict.YES),
        (Right("SELECT", database="pre", table="ta"), Verdict.NO),
        (Right("SELECT", database="pre"), Verdict.PARTLY),
    ):
        assert can(found, right).verdict is verdict, right


def test_a_role_that_is_not_active_needs_set_role() -> None:
    answer = asked(user("al"), table("t2"))
    assert (answer.verdict, answer.set_roles) == (Verdict.AFTER_SET_ROLE, ("analyst",))
    assert (answer.active, answer.granted) == (Extent.NONE, Extent.ALL)
    assert not answer.ways[0].via.active


def test_what_one_role_took_back_another_gives() -> None:
    model = model_of(
        "CREATE USER u",
        "CREATE ROLE ra, rb",
        "GRANT SELECT ON *.* TO ra",
        "REVOKE SELECT ON secret.* FROM ra",
        "GRANT SELECT ON secret.pub TO rb",
        "GRANT ra, rb TO u",
    )
    found = effective(model, user("u"))
    answer = can(found, table("pub", database="secret"))
    assert answer.verdict is Verdict.YES
    assert [way.via.path for way in answer.ways] == [("rb",)]
    assert [taken.via.path for taken in answer.taken] == [("ra",)]
    assert can(found, Right("SELECT", database="secret")).verdict is Verdict.PARTLY
    assert can(found, table("other", database="secret")).verdict is Verdict.NO


def test_a_revoke_without_a_wider_grant_of_ones_own_denies_nothing() -> None:
    model = model_of(
        "CREATE USER u2",
        "CREATE ROLE r",
        "GRANT SELECT ON *.* TO r",
        "GRANT r TO u2",
        "REVOKE SELECT ON shop.* FROM u2",
    )
    answer = can(effective(model, user("u2")), Right("SELECT", database="shop"))
    assert answer.verdict is Verdict.YES and not answer.taken


def test_halves_from_two_roles_make_a_whole() -> None:
    model = model_of(
        "CREATE USER u",
        "CREATE ROLE a, b",
        "GRANT SELECT, INSERT(x) ON d.t TO a",
        "GRANT INSERT ON d.t TO b",
        "REVOKE INSERT(x) ON d.t FROM b",
        "GRANT a, b TO u",
    )
    answer = can(effective(model, user("u")), table("t", database="d", privilege="INSERT"))
    assert answer.verdict is Verdict.YES
    assert [way.extent for way in answer.ways] == [Extent.PART, Extent.PART]


def test_of_a_group_what_is_missing_is_named() -> None:
    model = model_of("CREATE USER u", "GRANT ALTER TABLE ON d.* TO u", "REVOKE ALTER UPDATE ON d.* FROM u")
    found = effective(model, user("u"))
    answer = can(found, Right("ALTER", database="d"))
    assert answer.verdict is Verdict.PARTLY
    assert answer.missing == ("ALTER UPDATE", "ALTER DATABASE", "ALTER VIEW")
    assert can(found, Right("ALTER INDEX", database="d")).verdict is Verdict.YES


def test_the_grant_option_is_told_apart() -> None:
    model = model_of(
        "CREATE USER u", "GRANT SELECT ON *.* TO u WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM u"
    )
    found = effective(model, user("u"))
    assert can(found, Right("SELECT", database="b")).grant_option is Extent.ALL
    assert can(found, Right("SELECT", database="a")).grant_option is Extent.NONE
    assert can(found, Right("SELECT", database="a")).verdict is Verdict.YES
    assert can(found, Right("SELECT")).grant_option is Extent.PART


def test_a_source_is_asked_about_by_address() -> None:
    model = model_of("CREATE USER u", "GRANT READ ON S3('s3://open/.*') TO u", "GRANT WRITE ON URL TO u")
    found = effective(model, user("u"))
    for right, verdict in (
        (Right("READ", parameter="S3", source_filter="s3://open/x"), Verdict.YES),
        (Right("READ", parameter="S3", source_filter="s3://closed/x"), Verdict.NO),
        (Right("READ", parameter="S3"), Verdict.PARTLY),
        (Right("WRITE", parameter="URL", source_filter="http://h/"), Verdict.YES),
        (Right("S3"), Verdict.PARTLY),
        (Right("READ", parameter=""), Verdict.PARTLY),
    ):
        assert can(found, right).verdict is verdict, right


def test_what_follows_from_other_rights_is_implicit() -> None:
    shown = asked(user("carol"), table("t1", privilege="SHOW TABLES"))
    assert shown.verdict is Verdict.YES and shown.implicit and not shown.ways
    assert asked(user("carol"), table("t2", privilege="SHOW TABLES")).verdict is Verdict.NO
    assert asked(user("al"), table("one", database="system")).implicit


def test_a_right_that_cannot_be_is_refused() -> None:
    for right, words in (
        (table("t", privilege="SHOW USERS"), "SHOW USERS ON a.t cannot be granted"),
        (table("t", privilege="FLY"), "no privilege FLY"),
        (Right("SELECT", database="", table="t"), "on no database"),
        (Right("SELECT", ("c",), "a"), "without their table"),
    ):
        with pytest.raises(BadInputError, match=words):
            asked(user("bob"), right)


def test_who_can_has_every_path() -> None:
    rows = who_can(INDEX, table("t1"))
    assert [(row.who, row.via.path, row.via.active, row.extent) for row in rows] == [
        (user("al"), ("analyst", "base"), False, Extent.PART),
        (user("bob"), ("analyst", "base"), True, Extent.PART),
        (user("carol"), (), True, Extent.PART),
        (role("analyst"), ("base",), True, Extent.PART),
        (role("base"), (), True, Extent.PART),
    ]
    assert [row.active_extent for row in rows[:2]] == [Extent.NONE, Extent.PART]
    assert who_can(INDEX, table("t1", privilege="INSERT")) == ()


def test_who_can_and_can_agree() -> None:
    for right in (table("t1"), table("t2"), Right("SELECT"), Right("SELECT", database="secret"), table("t1", "wage")):
        for who in INDEX.holders():
            answer = can(INDEX.effective(who), right)
            rows = [row for row in who_can(INDEX, right) if row.who == who]
            assert [row.via for row in rows] == [way.via for way in answer.ways]
            assert all(row.active_extent == answer.active for row in rows)
