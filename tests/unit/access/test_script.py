"""Scripts: statements told apart, each problem with its line, and a model that its own statements build again."""

from __future__ import annotations

import pytest

from core.access.access_model import EntityKey, Holder
from core.access.assembling import assemble, model_from_statements
from core.access.disassembling import statements_of
from core.access.model import EntityKind
from core.access.policies import PolicyName
from core.access.quotas import QuotaLimit
from core.access.render import render
from core.access.script import model_of_script, read_script
from core.access.tokenizer import AccessSyntaxError

SCRIPT = """\
-- who reads what
CREATE SETTINGS PROFILE small SETTINGS max_threads = 4 MAX 8;
CREATE SETTINGS PROFILE careful SETTINGS PROFILE 'small', readonly = 2 TO reader; -- ; no end here
CREATE ROLE base;
CREATE ROLE reader SETTINGS log_comment = 'a; b';
GRANT SELECT ON *.* TO base;
REVOKE SELECT ON secret.* FROM base;
GRANT base TO reader WITH ADMIN OPTION;
CREATE USER anna IDENTIFIED WITH sha256_hash BY 'ab' SALT 'cd' HOST IP '10.0.0.0/8' DEFAULT ROLE reader;
ALTER USER anna GRANTEES bob;
CREATE USER bob HOST NONE;
CREATE QUOTA q KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 10, FOR INTERVAL 1 day TRACKING ONLY TO anna;
ALTER QUOTA q FOR INTERVAL 1 hour MAX queries = 20;
CREATE ROW POLICY p ON shop.orders USING city = 'a;b' AS restrictive TO ALL EXCEPT bob;
"""


def test_a_script_is_one_model() -> None:
    model, problems = model_of_script(SCRIPT)
    assert problems == []
    assert list(model.settings_profiles) == ["small", "careful"]
    assert [element.profile for element in model.settings_profiles["careful"].settings] == ["small", ""]
    assert model.users["anna"].default_roles.names == ("reader",)
    assert model.granted_roles == {
        Holder(EntityKind.ROLE, "reader"): {"base": True},
        Holder(EntityKind.USER, "anna"): {"reader": False},
    }
    assert [render(one) for one in model.rights[Holder(EntityKind.ROLE, "base")]] == [
        "GRANT SELECT ON *.* TO base",
        "REVOKE SELECT ON secret.* FROM base",
    ]
    assert model.quotas["q"].intervals[0].limits == ((QuotaLimit.QUERIES, 20),)
    assert len(model.quotas["q"].intervals) == 2
    assert model.row_policies[PolicyName("p", "shop", "orders")].restrictive
    assert model.users["anna"].grantees.names == ("bob",)


def test_a_model_s_statements_build_it_again() -> None:
    model, _ = model_of_script(SCRIPT)
    statements = statements_of(model)
    assert model_from_statements(statements) == model
    again, problems = model_of_script(";\n".join(map(render, statements)))
    assert (again, problems) == (model, [])


def test_without_semicolons_a_statement_is_a_line() -> None:
    statements, problems = read_script("CREATE USER a\n\nCREATE ROLE r\nGRANT SELECT ON a.b\n  TO a\nGRANT r TO a")
    assert problems == []
    assert [found.line for found in statements] == [1, 3, 4, 6]
    assert render(statements[2].statement) == "GRANT SELECT ON a.b TO a"


def test_each_problem_has_its_line_and_hides_no_other() -> None:
    text = "CREATE USER a;\nSELECT 1;\nCREATE USER\n  b HOSTS ANY;\nGRANT SELECT ON a.* TO nobody, a;\nDROP ROLE r;"
    model, problems = model_of_script(text)
    assert list(model.users) == ["a"]
    assert [problem.line for problem in problems] == [2, 4, 5, 6]
    assert problems[2].message == "there is no user or role nobody"
    assert problems[3].message == "there is no role r"
    assert Holder(EntityKind.USER, "a") in model.rights


def test_an_open_quote_is_told_at_once() -> None:
    with pytest.raises(AccessSyntaxError, match="line 2"):
        read_script("CREATE USER a;\nCREATE USER 'b;\nCREATE USER c;")


def test_what_was_dropped_or_renamed_is_named_so_everywhere() -> None:
    model, problems = model_of_script(
        SCRIPT + "ALTER ROLE reader RENAME TO readers; DROP USER bob; ALTER SETTINGS PROFILE small RENAME TO tiny;"
    )
    assert problems == []
    assert model.users["anna"].default_roles.names == ("readers",)
    assert model.users["anna"].grantees.names == ()
    assert model.settings_profiles["careful"].to.names == ("readers",)
    assert model.settings_profiles["careful"].settings[0].profile == "tiny"
    assert model.granted_roles[Holder(EntityKind.USER, "anna")] == {"readers": False}
    assert model.row_policies[PolicyName("p", "shop", "orders")].to.excepted == ()


def test_a_storage_is_kept_with_the_entity() -> None:
    model, _ = model_of_script("CREATE USER a IN local_directory; CREATE ROLE r; MOVE ROLE r TO replicated")
    assert model.storages == {
        EntityKey(EntityKind.USER, "a"): "local_directory",
        EntityKey(EntityKind.ROLE, "r"): "replicated",
    }


def test_what_only_a_server_knows_is_said() -> None:
    statements = [found.statement for found in read_script("CREATE USER a; GRANT SELECT ON x.* TO CURRENT_USER")[0]]
    _, misfits = assemble(statements)
    assert [(misfit.index, misfit.why) for misfit in misfits] == [(1, "CURRENT_USER is known to a server only")]


def test_problems_tell_the_column_in_the_file() -> None:
    _, problems = read_script("CREATE USER a; CREATE TABLE t;\n  CREATE USER b; SELECT 1;\nCREATE USER\n  c HOSTS;")
    entity = "expected an access entity: USER, ROLE, QUOTA, SETTINGS PROFILE, ROW POLICY or MASKING POLICY"
    statement = "expected an access statement: GRANT, REVOKE, SET DEFAULT ROLE, CREATE, ALTER, DROP or MOVE"
    assert [(problem.line, problem.message) for problem in problems] == [
        (1, f"column 23: {entity}, found 'TABLE'."),
        (2, f"column 18: {statement}, found 'SELECT'."),
        (4, "column 5: expected the end of the statement, found 'HOSTS'."),
    ]


def test_lines_are_statements_only_where_a_statement_can_begin() -> None:
    text = (
        "CREATE USER a\n  SETTINGS x = 'b\nCREATE ROLE r'\nALTER USER a\n  DROP HOST LOCAL\n  ADD HOST ANY\n"
        "GRANT SELECT,\nALTER ON a.* TO a WITH\nGRANT OPTION\nREVOKE\nGRANT OPTION FOR SELECT ON a.* FROM a\n"
        "DROP SETTINGS PROFILE p\nSET DEFAULT ROLE r TO a"
    )
    statements, problems = read_script(text)
    assert problems == []
    assert [found.line for found in statements] == [1, 4, 7, 10, 12, 13]
    assert [type(found.statement).__name__ for found in statements] == [
        *("CreateUser", "AlterUser", "Grant", "Revoke", "Drop", "SetDefaultRole")
    ]


def test_the_lines_of_many_statements_are_counted_once() -> None:
    statements, _ = read_script("\n".join(f"CREATE USER u{number};" for number in range(2000)))
    assert [found.line for found in statements] == list(range(1, 2001))
