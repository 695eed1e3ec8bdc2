"""Taking over connections that a script creates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError, RefusedError
from core.lakehouse.documents import PolicyScope
from core.lakehouse.provisioning.adopting import plan_adoption, read_definitions
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.sql.statement_rendering import create_statement, render_script
from core.lakehouse.state import fold
from tests.unit.lakehouse.examples import ALIYUN, AWS, EVERY_CLOUD, Memory

SCRIPT = render_script(create_statement(connection)[0] for connection in EVERY_CLOUD)


def test_every_connection_of_a_script_is_defined_and_known_ones_are_left_alone() -> None:
    read = read_definitions(f"SHOW CONNECTIONS;\n{SCRIPT}")
    assert (read.connections, read.passed_over, read.errors) == (EVERY_CLOUD, 1, ())
    memory = Memory()
    change = plan_adoption(read.connections, {}, PolicyScope.LEAST)
    memory.run(change)
    states = fold(memory.rows)
    assert {state.connection for state in states.values()} == set(EVERY_CLOUD)
    assert {state.scope for state in states.values()} == {PolicyScope.LEAST}
    assert plan_adoption(read.connections, states).steps == ()
    memory.undo(change)
    assert fold(memory.rows) == {}


def test_what_is_found_has_its_place_and_an_error_is_among_the_errors() -> None:
    read = read_definitions(SCRIPT.replace("NAMESPACE", "NAMESPCE").replace("123456789012", "028022243208"))
    codes = {finding.code: (finding.severity, finding.line > 1) for finding in read.findings}
    assert codes["vendor-account-as-own"] == ("error", True)
    assert [finding.code for finding in read.errors] == ["vendor-account-as-own"]
    assert read_definitions("CREATE API CONNECTION x TYPE CLOUD_FUNCTION PROVIDER").errors


def test_two_connections_of_one_account_have_policies_of_their_own_and_never_one_role() -> None:
    second = replace(AWS, name="second", role_arn=f"{AWS.role_arn}2", code_bucket="other-code")
    memory = Memory()
    memory.run(plan_adoption((AWS, second), {}))
    first, other = (Wanted.of(fold(memory.rows)[name]) for name in (AWS.name, "second"))
    assert other.policy_suffix
    assert not first.policy_suffix
    with pytest.raises(RefusedError, match=f"role is that of the connection {AWS.name}"):
        plan_adoption((AWS, replace(AWS, name="second")), {})


def test_another_definition_and_one_that_cannot_work_are_refused() -> None:
    memory = Memory()
    memory.tell(Wanted(ALIYUN).definition())
    with pytest.raises(RefusedError, match="another definition"):
        plan_adoption((replace(ALIYUN, code_bucket="another"),), fold(memory.rows))
    with pytest.raises(BadInputError, match="code bucket"):
        plan_adoption((replace(AWS, code_bucket="A"),), {})
