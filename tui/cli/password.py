"""`housekeys password`: passwords generated, and hashed so that ClickHouse sees the hash only. Needs no session."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import BadInputError
from tui.cli.arguments import Frame
from tui.cli.password_entry import entered_password

if TYPE_CHECKING:
    from tui.cli.context import Context

NOUN = "password"
METHODS = ("sha256", "double-sha1", "bcrypt", "scram")


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    _add_hash(verbs, frame)
    generate = frame.verb(
        verbs,
        "generate",
        generate_password,
        "make a password up and print it",
        description="Make a password up and print it, and nothing else. Each character is drawn by the system's\n"
        "source of randomness; at least one of each class of the alphabet (lower case, upper case, digits, signs) is\n"
        "in it.",
        examples=(
            "housekeys password generate",
            "housekeys password generate --length 32 --alphabet alphanumeric",
            "housekeys password generate --alphabet hex --length 40 --json",
        ),
    )
    generate.add_argument("--length", type=int, default=None, metavar="N", help="how many characters (default: 24)")
    generate.add_argument(
        "--alphabet",
        default="signs",
        metavar="NAME|CHARACTERS",
        help="signs (letters, digits and -._; the default), alphanumeric, lowercase, hex, or the characters themselves",
    )


def _add_hash(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "hash",
        hash_password,
        "hash a password as ClickHouse does",
        description="Hash a password as ClickHouse does and print the clause for CREATE USER or ALTER USER. It is\n"
        "asked for twice on a terminal, and read from standard input otherwise; it is never an argument. One that is\n"
        "weaker than ClickHouse Cloud would take (12 characters, with a digit, both cases and a sign) is refused.",
        examples=(
            "housekeys password hash",
            "housekeys password hash --method scram --json",
            "housekeys password generate | housekeys password hash --method double-sha1",
            "housekeys password hash --no-salt",
        ),
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="sha256",
        help="sha256 (the default), double-sha1 (for clients of the MySQL protocol), bcrypt or scram",
    )
    parser.add_argument(
        "--no-salt",
        action="store_true",
        help="hash without a salt, as users.xml needs it (password_sha256_hex, password_scram_sha256_hex)",
    )
    parser.add_argument("--work-factor", type=int, default=None, metavar="N", help="of bcrypt: 4 to 31 (default: 12)")
    parser.add_argument("--allow-weak", action="store_true", help="hash a weak password too, and say what it lacks")


async def hash_password(context: Context) -> None:
    """Handle `password hash`."""
    import asyncio

    from core.access import passwords
    from core.access.model import AuthKind
    from core.access.password_recipes import shell_recipe, sql_clause, users_xml_element

    arguments = context.arguments
    _check_options(arguments)
    password = await entered_password(context)
    if not arguments.allow_weak:
        passwords.check_strength(password)
    elif found := passwords.weaknesses(password):
        context.output.message(f"Warning: the password is weak: it {', '.join(found)}.")
    kinds = (AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT, AuthKind.SCRAM_SHA256)
    method = await asyncio.to_thread(  # bcrypt is slow by design
        passwords.hash_password,
        password,
        dict(zip(METHODS, kinds, strict=True))[arguments.method],
        salted=not arguments.no_salt,
        work_factor=passwords.BCRYPT_WORK_FACTOR if arguments.work_factor is None else arguments.work_factor,
    )
    clause = sql_clause(method)
    if context.output.json:
        shown = {"method": arguments.method, "hash": method.hash, "salt": method.salt or None, "clause": clause}
        context.output.data({**shown, "users_xml": users_xml_element(method), "recipe": shell_recipe(method)})
    else:
        context.output.text(clause)


def _check_options(arguments: argparse.Namespace) -> None:
    if arguments.work_factor is not None and arguments.method != "bcrypt":
        raise BadInputError("--work-factor goes with --method bcrypt only.")
    if arguments.no_salt and arguments.method not in ("sha256", "scram"):
        raise BadInputError(
            f"--no-salt does not go with --method {arguments.method}.",
            advice="double-sha1 has no salt, and that of bcrypt is part of its hash.",
        )


async def generate_password(context: Context) -> None:
    """Handle `password generate`."""
    from core.access import passwords

    arguments = context.arguments
    alphabet = passwords.ALPHABETS.get(arguments.alphabet, arguments.alphabet)
    length = passwords.GENERATED_LENGTH if arguments.length is None else arguments.length
    password = passwords.generate_password(length, alphabet)
    if context.output.json:
        context.output.data({"password": password.reveal(), "bits": passwords.chance_bits(length, alphabet)})
    else:
        context.output.text(password.reveal())
