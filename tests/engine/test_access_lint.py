"""What lint says of ClickHouse, asked of it: it loads users with and without the fix, and shows their grants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from chdb.session import Session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.lint.findings import Finding
from core.access.lint.linting import fixed, lint
from core.access.model import EntityKind, Grant, Revoke, Right
from core.access.render import render
from tests.examples import examples
from tests.unit.access.lint_models import CONTEXT, model, user
from tests.unit.access.strategies import plain_names, rights

ALICE = Holder(EntityKind.USER, "alice")
ADMINISTRATOR = "<no_password/><access_management>1</access_management>"


@contextmanager
def chdb(folder: Path, users: str = "") -> Iterator[Any]:
    """chDB as an administrator, with these users in its `users.xml`."""
    file, config = folder / "users.xml", folder / "config.xml"
    file.write_text(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users>"
        f"<default>{ADMINISTRATOR}</default>{users}</users></clickhouse>"
    )
    config.write_text(f"<clickhouse><users_config>{file}</users_config></clickhouse>")
    opened: Any = Session  # it has no types
    session = opened(f"{folder / 'data'}?config-file={config}")
    try:
        yield session
    finally:
        session.close()


def answer(session: Any, sql: str) -> str:
    return str(session.query(sql, "TSVRaw"))


def element(name: str, statements: Sequence[Grant | Revoke]) -> str:
    """A user with the grants of another, in the words that users.xml has for them."""
    queries = []
    for statement in statements:
        text = render(replace(statement, grantees=("x",), grant_option=False))
        text = text.removesuffix(" TO x" if isinstance(statement, Grant) else " FROM x")
        if statement.grant_option:
            text = (
                f"{text} WITH GRANT OPTION" if isinstance(statement, Grant) else f"REVOKE GRANT OPTION FOR {text[7:]}"
            )
        queries.append(f"<query>{escape(text)}</query>")
    return f"<{name}><no_password/><grants>{''.join(queries)}</grants></{name}>"


def shown(session: Any, name: str) -> str:
    return answer(session, f"SHOW GRANTS FOR {name}").replace(f" TO {name}", "").replace(f" FROM {name}", "")


def findings(
    given_to_alice: Sequence[Grant | Revoke], id_: str, groups: Mapping[str, str]
) -> tuple[AccessModel, list[Finding]]:
    """A model of one user with these grants, and the findings of one kind in it."""
    of = replace(model([user("alice")]), rights={ALICE: tuple(given_to_alice)})
    found = lint(of, replace(CONTEXT, privilege_groups=groups))
    return of, [finding for finding in found if finding.id == id_]


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The group that holds each privilege, as ClickHouse has it."""
    with chdb(tmp_path_factory.mktemp("chdb")) as session:
        rows = answer(session, "SELECT privilege, ifNull(parent_group, '') FROM system.privileges").splitlines()
    return dict(row.split("\t") for row in rows)


def test_what_all_on_a_database_gives_and_the_fix_does_not(tmp_path: Path) -> None:
    of, found = findings([Grant((Right("ALL", database="acme"),), grantees=("alice",))], "grant-all", {})
    after = fixed(of, found).rights[ALICE]
    with chdb(tmp_path, element("before", of.rights[ALICE]) + element("after", after)) as session:
        before_text, after_text = shown(session, "before"), shown(session, "after")
    for privilege in ("CREATE USER", "DROP USER", "IMPERSONATE", "ROW POLICY", "NAMED COLLECTION ADMIN", "SYSTEM"):
        assert privilege in before_text
        assert privilege not in after_text
    # What is left out is about other things than tables: the rest is what ALL gave.
    assert after_text.startswith("GRANT CHECK, SHOW, SELECT, INSERT, ALTER TABLE,")
    kept = after_text.removeprefix("GRANT ").removesuffix(" ON acme.*\n").split(", ")
    assert all(privilege in before_text for privilege in kept)


def test_all_on_a_database_is_found_as_a_server_lists_it(tmp_path: Path) -> None:
    of = [Grant((Right("ALL", database="acme"), Right("CREATE USER", parameter="other")), grantees=("alice",))]
    (tmp_path / "all").mkdir()
    (tmp_path / "less").mkdir()
    with chdb(tmp_path / "all", element("alice", of)) as session:
        listed = model([user("alice")], grants=answer(session, "SHOW GRANTS FOR alice").splitlines())
    assert not any(right.privilege == "ALL" for each in listed.rights[ALICE] for right in each.rights)
    [finding] = [each for each in lint(listed, CONTEXT) if each.id == "grant-all"]
    assert finding.title == "User alice has ALL on acme.*."
    after = fixed(listed, [finding])
    assert not [each for each in lint(after, CONTEXT) if each.id == "grant-all"]
    with chdb(tmp_path / "less", element("alice", after.rights[ALICE])) as session:
        text = shown(session, "alice")
    for privilege in ("DROP USER", "IMPERSONATE", "ROW POLICY", "NAMED COLLECTION ADMIN", "SYSTEM", "READ"):
        assert privilege not in text
    assert text.startswith("GRANT CHECK, SHOW, SELECT, INSERT, ALTER TABLE,")
    assert "CREATE USER ON other" in text


def test_allow_databases_leaves_what_lint_names(tmp_path: Path) -> None:
    narrowed = "<n><no_password/><allow_databases><database>acme</database></allow_databases></n>"
    with chdb(tmp_path, narrowed) as session:
        lines = answer(session, "SHOW GRANTS FOR n").splitlines()
    of = model([user("n")], grants=lines)
    [finding] = [finding for finding in lint(of, CONTEXT) if finding.id == "global-rights-beside-database"]
    after = [render(statement) for statement in fixed(of, [finding]).rights[Holder(EntityKind.USER, "n")]]
    for privilege in ("URL", "S3", "SYSTEM SHUTDOWN", "INTROSPECTION", "KILL QUERY"):
        assert privilege in " ".join(lines)
        assert not any(f"{privilege}," in line or f"{privilege} ON *.*" in line for line in after)


statements = st.lists(
    st.builds(
        lambda kind, right, option: kind((right,), grantees=("alice",), grant_option=option),
        st.sampled_from((Grant, Revoke)),
        rights(st.sampled_from(("a", "ab", "b"))),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=examples(4), suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(statements, min_size=40, max_size=40))
def test_a_revoke_without_effect_has_none(
    groups: dict[str, str], tmp_path_factory: pytest.TempPathFactory, examples: list[list[Grant | Revoke]]
) -> None:
    users, names = "", []
    for known in (groups, {}):
        for number, example in enumerate(examples):
            of, found = findings(example, "revoke-without-effect", known)
            if found:
                name = f"u{number}_{len(known)}"
                names.append(name)
                users += element(f"{name}_before", example) + element(f"{name}_after", fixed(of, found).rights[ALICE])
    with chdb(tmp_path_factory.mktemp("chdb"), users) as session:
        for name in names:
            assert shown(session, f"{name}_before") == shown(session, f"{name}_after")


@pytest.mark.parametrize("name", ["a@b", "a:b", "a b", "1a", "a'b", "-a", ".a", "a`b"])
def test_names_that_users_xml_cannot_hold(name: str, tmp_path: Path) -> None:
    assert _not_xml(name)
    with (
        pytest.raises(Exception, match="Failed to create connection"),
        chdb(tmp_path, f"<{name}><no_password/></{name}>"),
    ):
        pass


@settings(max_examples=examples(3), suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(plain_names | st.sampled_from(["анна", "漢字", "a.b-c_d", "_x"]), min_size=1, max_size=20, unique=True))
def test_names_that_users_xml_can_hold(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    held = [name for name in names if not _not_xml(name) and name != "default"]
    users = "".join(f"<{name}><no_password/></{name}>" for name in held)
    with chdb(tmp_path_factory.mktemp("chdb"), users) as session:
        assert set(answer(session, "SELECT name FROM system.users").split()) == {*held, "default"}


def _not_xml(name: str) -> bool:
    found = lint(model([user(name)]), replace(CONTEXT, for_users_xml=True))
    return any(finding.id == "name-not-xml" for finding in found)
