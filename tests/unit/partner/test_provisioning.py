"""The steps that make an account and a user: what they say, what takes them back, and what privileges they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.access.entity_parts import EVERYONE, NameSet
from core.access.model import Right
from core.changes import StatementStep
from core.errors import BadInputError
from core.partner.accounts.decision import Provision
from core.partner.provisioning.accounts import database_rights
from core.partner.provisioning.clusters import Clusters
from core.partner.provisioning.provisioning import provision_steps
from core.partner.provisioning.quotas import QuotaMembers
from core.profiles.partner import ResourceTemplate

NEW = Provision("pa1", "pu1", "db_pa1", "role_pa1", "user_pu1", new_account=True, new_user=True, connection_id="pc1")
MEMBERS = QuotaMembers("limits", NameSet(("other",)), {})
CLUSTERS = Clusters("main", "main")


def test_every_statement_names_the_cluster() -> None:
    steps = list(provision_steps(NEW, ResourceTemplate(quota="limits"), MEMBERS, CLUSTERS))
    undone = [step.undo for step in steps if isinstance(step.undo, StatementStep)]
    assert len(undone) == len(steps) == 6
    assert all(" ON CLUSTER " in step.sql for step in (*steps, *undone))
    inside = list(provision_steps(NEW, ResourceTemplate(quota="limits"), MEMBERS, Clusters("main", "")))
    assert [" ON CLUSTER " in step.sql for step in inside] == [True, False, False, False, False, False]


def test_whatever_was_made_can_be_taken_back_twice() -> None:
    """A crash leaves open whether a step has run; nobody is asked, so each can be found out or done again."""
    for step in provision_steps(NEW, ResourceTemplate(quota="limits"), MEMBERS):
        assert step.done_when is not None or step.repeatable
        assert isinstance(step.undo, StatementStep)
        assert step.undo.repeatable and step.undo.sql.startswith("DROP ") and " IF EXISTS " in step.undo.sql


def test_only_what_is_new_is_made() -> None:
    template = ResourceTemplate(privileges=())
    assert list(provision_steps(replace(NEW, new_account=False, new_user=False), template)) == []
    added = [step.title for step in provision_steps(replace(NEW, new_account=False), template)]
    assert added == ["Create user user_pu1", "Grant to user user_pu1: role role_pa1"]
    first = [step.title for step in provision_steps(NEW, template)]
    assert first == ["Create database db_pa1", "Create role role_pa1", *added]


def test_no_hash_is_shown() -> None:
    (user,) = (step for step in provision_steps(NEW, ResourceTemplate()) if step.title.startswith("Create user"))
    digest = user.sql.partition("BY '")[2].partition("'")[0]
    assert len(digest) == 64 and digest not in user.preview()


def test_quota_for_everybody_is_left_alone() -> None:
    everybody = QuotaMembers("limits", EVERYONE, {})
    steps = list(provision_steps(NEW, ResourceTemplate(quota="limits"), everybody))
    assert not any("QUOTA" in step.sql for step in steps)
    (altered,) = (step for step in provision_steps(NEW, ResourceTemplate(), MEMBERS) if "QUOTA" in step.sql)
    assert altered.sql == "ALTER QUOTA limits TO other, user_pu1" and altered.guard is not None


def test_privileges_on_the_database() -> None:
    rights = database_rights(("SELECT", "CREATE TABLE"), "db_`pa1")
    assert rights == (Right("SELECT", database="db_`pa1"), Right("CREATE TABLE", database="db_`pa1"))


@pytest.mark.parametrize(
    "privilege",
    [
        "SELECT ON *.* TO mallory, SELECT",
        "SELECT ON *.*, INSERT",
        "SELECT, INSERT",
        "SELECT(a)",
        "CREATE USER",
        "SELECT ON db.* TO role WITH GRANT OPTION --",
        "not a privilege ON",
        "",
    ],
)
def test_other_than_plain_privileges_are_refused(privilege: str) -> None:
    with pytest.raises(BadInputError):
        database_rights((privilege,), "db_pa1")
