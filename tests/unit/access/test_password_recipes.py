"""What is written with the hash of a password: the clause, the element, and a line for a shell that must agree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.access.model import AlterUser, Authentication, AuthKind
from core.access.parser import parse_statement
from core.access.password_recipes import shell_recipe, sql_clause, users_xml_element
from core.access.passwords import hash_password
from core.secrets import Secret

PASSWORD = " Correct 'horse\\1 $x "  # blanks at the ends, a quote, a backslash: nothing for the shell to touch


def in_a_shell(recipe: str) -> str:
    """What bash prints when the password is typed; without a terminal, so that it is read from standard input."""
    recipe = recipe.replace("python3", sys.executable, 1)
    typed = f"{PASSWORD}\n"
    ran = subprocess.run(["bash", "-c", recipe], input=typed, capture_output=True, text=True, start_new_session=True)
    return ran.stdout.split()[-1]


@pytest.mark.parametrize("salted", [True, False])
@pytest.mark.parametrize("kind", [AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.SCRAM_SHA256])
def test_a_shell_comes_to_the_same_hash(kind: AuthKind, salted: bool) -> None:
    method = hash_password(Secret(PASSWORD), kind, salted=salted)
    recipe = shell_recipe(method)
    assert PASSWORD not in recipe
    assert in_a_shell(recipe).upper() == method.hash


@pytest.mark.parametrize(("password", "answer"), [(PASSWORD, "True"), ("another", "False")])
def test_a_shell_tells_whether_it_is_the_password_of_a_bcrypt_hash(password: str, answer: str) -> None:
    assert in_a_shell(shell_recipe(hash_password(Secret(password), AuthKind.BCRYPT, work_factor=4))) == answer


def test_the_element_has_the_hash_as_clickhouse_writes_it() -> None:
    """`qwerty` as ClickHouse's own users.xml has it."""
    digest = "65e84be33532fb784c48129675f9eff3a682b27168c0ea744b2cf58ee02337c5"
    found = users_xml_element(hash_password(Secret("qwerty"), salted=False))
    assert found == f"<password_sha256_hex>{digest}</password_sha256_hex>"


def test_the_clause_is_read_back_as_the_method() -> None:
    method = hash_password(Secret(PASSWORD))
    statement = parse_statement(f"ALTER USER ann {sql_clause(method)}")
    assert statement == AlterUser(("ann",), methods=(method,))


def test_xml_has_no_place_for_a_salt_and_for_bcrypt_and_what_has_no_hash_has_no_recipe() -> None:
    assert users_xml_element(hash_password(Secret(PASSWORD))) is None
    assert users_xml_element(Authentication(AuthKind.BCRYPT, hash="$2a$04$x")) is None
    with pytest.raises(ValueError, match="ldap has no hash"):
        shell_recipe(Authentication(AuthKind.LDAP, server="corp"))
