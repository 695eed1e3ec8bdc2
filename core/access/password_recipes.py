"""The hash of a password as SQL and `users.xml` take it, and how to compute it again with a shell alone."""

from __future__ import annotations

import shlex

from core.access.model import AlterUser, Authentication, AuthKind
from core.access.passwords import SCRAM_ROUNDS
from core.access.render import render
from core.access.xml.elements import identification

# The password is typed, not shown, and never an argument: others on a machine see the arguments of a program.
_ASK = 'IFS= read -rs PASSWORD; printf %s "$PASSWORD"'


def sql_clause(method: Authentication) -> str:
    """The clause that gives a user this method: a whole ALTER USER without its beginning."""
    return render(AlterUser(("u",), methods=(method,))).removeprefix("ALTER USER u ")


def users_xml_element(method: Authentication) -> str | None:
    """The element of a user in `users.xml`; None for bcrypt and for a salted hash, for which XML has no place."""
    return None if method.salt else identification(method)


def shell_recipe(method: Authentication) -> str:
    """A line for a shell that asks for the password and prints the same hash; for bcrypt, whether it is that one."""
    match method.kind:
        case AuthKind.SHA256:
            salt = f" {shlex.quote(method.salt)}" if method.salt else ""
            return f"{_ASK}{salt} | sha256sum | tr -d ' -'"
        case AuthKind.DOUBLE_SHA1:
            return f"{_ASK} | openssl dgst -sha1 -binary | openssl dgst -sha1"
        case AuthKind.SCRAM_SHA256:
            salted = f'base64.b64decode("{method.salt}")'
            call = f'hashlib.pbkdf2_hmac("sha256", getpass.getpass().encode(), {salted}, {SCRAM_ROUNDS}).hex()'
            return f"python3 -c {shlex.quote(f'import base64, getpass, hashlib; print({call})')}"
        case AuthKind.BCRYPT:
            call = f'bcrypt.checkpw(getpass.getpass().encode(), b"{method.hash or ""}")'
            return f"python3 -c {shlex.quote(f'import bcrypt, getpass; print({call})')}"
    raise ValueError(f"{method.kind.value} has no hash")
