"""The Change of a plan: secrets hidden, danger told, facts for the journal, and how a crash is settled."""

from __future__ import annotations

import json
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import (
    EVERYONE,
    Authentication,
    AuthKind,
    EntityKind,
    Grant,
    NameSet,
    Revoke,
    Right,
    Role,
    SettingElement,
    User,
)
from core.access.planning.entities import alter, create, disable, drop, grant, grant_current, rename
from core.access.planning.planner import plan
from core.access.policies import PolicyName, RowPolicy
from core.access.render import render
from core.access.settings_profiles import SettingsProfile
from core.access_changes.changes import change_for
from core.access_changes.fingerprints import guard
from core.change_records import change_from_record, change_to_record
from core.changes import Danger, StatementStep, inverse

HASH = "AB" * 32
SECRET = Authentication(AuthKind.SHA256, hash=HASH, salt="CD" * 32)
USER = User("u", (SECRET,))
HELD = AccessModel(users={"u": USER}, roles={"r": Role("r")}, granted_roles={Holder(EntityKind.USER, "u"): {"r": True}})
KEY = EntityKey(EntityKind.USER, "u")
HOLDER = Holder(EntityKind.USER, "u")


def test_what_is_only_added_is_routine_and_what_is_taken_is_said() -> None:
    added = change_for(create(AccessModel(), User("u")))
    assert (added.title, added.danger, added.consequences) == ("Create: user u", Danger.ROUTINE, ())
    gone = change_for(drop(HELD, [KEY]))
    assert (gone.title, gone.danger) == ("Drop: user u", Danger.DISRUPTIVE)
    assert gone.consequences == ("User u can no longer connect, and its rights are gone.",)
    assert change_for(grant(HELD, HOLDER, [Right("SELECT")])).danger is Danger.ROUTINE
    assert change_for(disable(HELD, "u")).danger is Danger.DISRUPTIVE
    assert change_for(plan(HELD, HELD, exact=True)).steps == ()
    part = (Grant((Right("SELECT"),)), Revoke((Right("SELECT", database="s"),)))
    assert change_for(create(HELD, Role("n"), rights=part)).danger is Danger.ROUTINE
    policy = RowPolicy(PolicyName("p", "d", "t"), "x = 1", to=USER.grantees)
    assert change_for(create(HELD, policy)).danger is Danger.DISRUPTIVE


def test_a_settings_profile_limits_those_who_are_there_and_come_to_have_it() -> None:
    limits = SettingsProfile("p", (SettingElement("readonly", "2", writability="CONST"),))
    given = change_for(create(HELD, replace(limits, to=NameSet(("u", "r")))))
    assert (given.danger, given.consequences) == (Danger.DISRUPTIVE, ("Other settings hold for u, r.",))
    assert change_for(create(HELD, replace(limits, to=EVERYONE))).consequences == ("Other settings hold for all.",)
    assert change_for(create(HELD, limits)).danger is Danger.ROUTINE
    assert change_for(create(HELD, SettingsProfile("empty", to=EVERYONE))).danger is Danger.ROUTINE
    there = AccessModel(users={"u": USER, "v": User("v")}, settings_profiles={"p": replace(limits, to=NameSet(("v",)))})
    more = change_for(alter(there, replace(limits, to=NameSet(("u", "v")))))
    assert (more.danger, more.consequences) == (Danger.DISRUPTIVE, ("Other settings hold for u.",))
    new = AccessModel(users={"u": USER}, settings_profiles={"p": replace(limits, to=NameSet(("u",)))})
    assert change_for(plan(AccessModel(), new, exact=True)).danger is Danger.ROUTINE  # nobody had it otherwise


def test_no_hash_is_shown_or_recorded_as_a_fact() -> None:
    made = change_for(create(AccessModel(), USER))
    assert made.preview() == "CREATE USER u IDENTIFIED WITH sha256_hash BY '[HIDDEN]' SALT '[HIDDEN]'"
    dropped = change_for(drop(HELD, [KEY]))
    undo = inverse(dropped, [0])
    assert HASH not in undo.preview()
    assert HASH in str([step.sql for step in undo.steps if isinstance(step, StatementStep)])
    for change in (made, dropped, undo):
        assert HASH not in json.dumps([event.to_record() for step in change.steps for event in step.events])
        assert change_from_record(json.loads(json.dumps(change_to_record(change)))) == change


def test_a_typed_password_is_hashed_before_it_is_a_statement() -> None:
    change = change_for(alter(HELD, User("u", (Authentication(AuthKind.DEFAULT, password="Secret-1-secret"),))))
    for made in (
        change,
        change_for(create(AccessModel(), User("u", (Authentication(AuthKind.DEFAULT, "Secret-1-x"),)))),
    ):
        assert "Secret-1" not in json.dumps(change_to_record(made))
        assert "sha256_hash BY '[HIDDEN]'" in made.preview()


def test_a_dropped_user_comes_back_with_its_roles_and_rights() -> None:
    undo = inverse(change_for(drop(HELD, [KEY])), [0])
    assert [step.preview() for step in undo.steps] == [
        "CREATE USER u IDENTIFIED WITH sha256_hash BY '[HIDDEN]' SALT '[HIDDEN]'",
        "GRANT r TO u WITH ADMIN OPTION",
    ]
    assert [step.needs for step in undo.steps] == [None, 0]
    assert [event.action for step in undo.steps for event in step.events] == ["create"]


def test_a_crash_is_settled_by_a_query_or_by_running_it_again() -> None:
    def settled(step: object) -> tuple[str | None, bool]:
        assert isinstance(step, StatementStep)
        return step.done_when, step.repeatable

    assert settled(change_for(create(HELD, User("n"))).steps[0]) == (
        "SELECT count() > 0 FROM system.users WHERE name IN ('n')",
        False,
    )
    alias = change_for(create(HELD, User("a b"))).steps[0]
    assert "WHERE name IN ('a b', 'housekeys-alias-" in str(settled(alias)[0])
    assert settled(change_for(drop(HELD, [KEY])).steps[0])[0] == (
        "SELECT count() = 0 FROM system.users WHERE name IN ('u')"
    )
    assert settled(change_for(rename(HELD, KEY, "n")).steps[0])[0] == (
        "SELECT count() > 0 FROM system.users WHERE name IN ('n')"
    )
    assert settled(change_for(grant(HELD, HOLDER, [Right("SELECT")])).steps[0]) == (None, True)
    more = User("u", (SECRET, Authentication(AuthKind.LDAP, server="l")))
    assert settled(change_for(alter(HELD, more)).steps[0]) == (None, False)
    policy = RowPolicy(PolicyName("p", "d", None), "1")
    assert settled(change_for(create(HELD, policy)).steps[0])[0] == (
        "SELECT count() > 0 FROM system.row_policies WHERE short_name = 'p' AND database = 'd' AND table = ''"
    )


def test_facts_say_what_was_done_to_whom() -> None:
    change = change_for(disable(HELD, "u"))
    (event,) = change.steps[0].events
    assert (event.subject_kind, event.subject, event.action, event.details) == (
        "user",
        "u",
        "disable",
        {"hosts": "ANY"},
    )
    undo = change.steps[0].undo
    assert undo is not None
    assert [event.action for event in undo.events] == ["enable"]
    desired = AccessModel(users={"u": USER}, roles={"r": Role("r")})
    (event,) = change_for(plan(HELD, desired, exact=True)).steps[0].events
    assert (event.action, event.details) == ("revoke", {"roles": ["r"], "option_only": False})


def test_only_the_first_step_asks_whether_somebody_came_between() -> None:
    made = drop(HELD, [KEY, EntityKey(EntityKind.ROLE, "r")])
    change = change_for(made, fingerprints={("USER", "u"): 2**63, ("ROLE", "r"): 2**63 + 5})
    guards = [step.guard for step in change.steps if isinstance(step, StatementStep)]
    assert guards[0] is not None
    assert guards[0].query.startswith("SELECT sum(hash) = 5 FROM (")
    assert guards[1:] == [None] * (len(guards) - 1)
    assert "WHERE 1 AND name IN ('x''y'" not in guard([EntityKey(EntityKind.USER, "x'y")], {}).query


def test_what_was_not_compared_and_what_was_left_out_is_said() -> None:
    unknown = User("u", (Authentication(AuthKind.SHA256),))
    current = AccessModel(users={"u": unknown, "x": User("x")}, storages={EntityKey(EntityKind.USER, "x"): "users_xml"})
    change = change_for(plan(current, AccessModel(users={"u": USER}), exact=True))
    assert change.consequences == (
        "The user x is in users_xml, which SQL cannot change, so it is not dropped. Change it where it is defined.",
        "The password of user u was not compared, because one side does not tell it; it stays.",
    )
    assert change_for(alter(current, USER, new_secret=True)).consequences == (
        "User u no longer comes in the way it did.",
    )


def test_current_grants_are_one_statement_about_all_that_was_asked() -> None:
    part = Revoke((Right("SELECT", database="a", table="secret"),))
    held = AccessModel(users={"u": USER}, rights={HOLDER: (Grant((Right("SELECT", database="a"),)), part)})
    rights = (Right("SELECT", database="a"), Right("INSERT", database="b"))
    made = grant_current(held, HOLDER, rights, cluster="c")
    (step,) = made.steps
    assert render(step.statement) == "GRANT ON CLUSTER c CURRENT GRANTS(SELECT ON a.*, INSERT ON b.*) TO u"
    assert (step.inverse, step.details["rights"]) == ((), "SELECT ON a.*, INSERT ON b.*")
    assert change_for(made).reversible is False
