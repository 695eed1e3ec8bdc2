"""Rights turned into other rights: judged by the tree of `effective`, which folds statements on its own."""

from __future__ import annotations

import pytest
from hypothesis import given

from core.access.difference_rights import Rights, folded, rights_statements, same_rights, united
from core.access.effective.privilege_tree import clickhouse_26_9
from core.access.effective.rights_tree import fold
from core.access.effective.statements import statements as canonical
from core.access.model import Grant, Revoke
from core.access.parser import parse_statement
from core.access.render import render
from core.errors import BadInputError
from tests.unit.access.plan_models import rights_of

Statements = tuple[Grant | Revoke, ...]


def given_by(*sql: str) -> Statements:
    statements = tuple(parse_statement(f"{text} {'FROM' if text.startswith('REVOKE') else 'TO'} u") for text in sql)
    return tuple(statement for statement in statements if isinstance(statement, Grant | Revoke))


def shown(statements: Statements) -> tuple[Grant | Revoke, ...]:
    return canonical(fold(statements, clickhouse_26_9()), "u")


def changes(before: Statements, after: Statements) -> list[str]:
    found = rights_statements(folded(before), folded(after), "u")
    return [render(statement).removesuffix(" TO u").removesuffix(" FROM u") for statement in found]


@given(rights_of("u"), rights_of("u"))
def test_the_statements_make_the_other_rights(before: Statements, after: Statements) -> None:
    made = tuple(rights_statements(folded(before), folded(after), "u"))
    assert same_rights(folded((*before, *made)), folded(after))
    assert same_rights(folded(shown((*before, *made))), folded(shown(after)))


@given(rights_of("u"), rights_of("u"))
def test_both_together_hold_each(first: Statements, second: Statements) -> None:
    both = united(folded(first), folded(second))
    for rights in (folded(first), folded(second)):
        taken = rights_statements(both, united(both, rights), "u")
        assert taken == []
    assert same_rights(united(both, folded(first)), both)
    assert same_rights(folded(rights_statements(Rights(), both, "u")), both)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (["GRANT SELECT ON a.*", "GRANT INSERT ON a.*"], ["GRANT INSERT, SELECT ON a.*"], []),
        (["GRANT SELECT, INSERT ON a.t"], ["GRANT INSERT ON a.t"], ["REVOKE SELECT ON a.t"]),
        (["GRANT DELETE ON a.t"], ["GRANT ALTER DELETE ON a.t"], []),
        (
            [],
            ["GRANT SELECT ON *.*", "REVOKE SELECT ON s.*"],
            ["GRANT SELECT ON *.*", "REVOKE SELECT ON s.*"],
        ),
        (["GRANT SELECT ON *.*", "REVOKE SELECT ON s.*"], ["GRANT SELECT ON *.*"], ["GRANT SELECT ON s.*"]),
        (["GRANT SELECT ON *.*"], ["GRANT SELECT ON a.*"], ["REVOKE SELECT ON *.*", "GRANT SELECT ON a.*"]),
        (["GRANT SELECT ON a.* "], ["GRANT SELECT ON *.*"], ["GRANT SELECT ON *.*"]),
        (["GRANT SELECT(a, b) ON d.t"], ["GRANT SELECT(b) ON d.t"], ["REVOKE SELECT(a) ON d.t"]),
        (["GRANT S3 ON *.*"], ["GRANT READ, WRITE ON S3"], []),
        (["GRANT READ ON S3('x')"], [], ["REVOKE READ ON S3('x')"]),
        (["GRANT ALL ON *.*"], ["GRANT SELECT ON *.*"], ["REVOKE ALL ON *.*", "GRANT SELECT ON *.*"]),
        ([], ["GRANT OF THE FUTURE ON a.*"], ["GRANT OF THE FUTURE ON a.*"]),
    ],
)
def test_only_what_differs_is_said(before: list[str], after: list[str], wanted: list[str]) -> None:
    assert changes(given_by(*before), given_by(*after)) == wanted


def test_all_but_something_is_what_clickhouse_prints_of_it() -> None:
    ours = given_by("GRANT ALL ON *.*", "REVOKE ACCESS MANAGEMENT ON *.*")
    printed = shown(ours)  # one privilege after the other: ALL cannot be said of it any more
    assert len(printed) == 1 and "ALL" not in {right.privilege for right in printed[0].rights}
    assert changes(ours, printed) == changes(printed, ours) == []


def test_the_option_is_taken_and_given_alone() -> None:
    plain = given_by("GRANT SELECT ON a.*")
    passed_on = (Grant(plain[0].rights, grantees=("u",), grant_option=True),)
    assert changes(passed_on, plain) == ["REVOKE GRANT OPTION FOR SELECT ON a.*"]
    assert changes(plain, passed_on) == ["GRANT SELECT ON a.* TO u WITH GRANT OPTION"]


def test_what_depends_on_who_runs_it_is_not_compared() -> None:
    for sql in ("GRANT CURRENT GRANTS(SELECT ON a.*)", "GRANT SELECT ON t"):
        with pytest.raises(BadInputError, match=r"differ|another"):
            folded(given_by(sql))
