"""`housekeys password`: passwords generated, and hashed so that ClickHouse sees the hash only. Needs no session."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import BadInputError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.access.model import Authentication
    from core.secrets import Secret
    from tui.cli.context import Context

NOUN = "password"
METHODS = ("sha256", "double-sha1", "bcrypt", "scram")
LONGEST = 4096  # bytes of a password from standard input


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

    arguments = context.arguments
    _check_options(arguments)
    password = await _password(context)
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
    clause = _clause(method)
    if context.output.json:
        shown = {"method": arguments.method, "hash": method.hash, "salt": method.salt or None, "clause": clause}
        context.output.data(shown)
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


def _clause(method: Authentication) -> str:
    """The clause that gives a user this method: a whole ALTER USER without its beginning."""
    from core.access.model import AlterUser
    from core.access.render import render

    return render(AlterUser(("u",), methods=(method,))).removeprefix("ALTER USER u ")


async def _password(context: Context) -> Secret:
    """The password: typed twice on a terminal, else all of standard input without its last line end."""
    import asyncio

    from core.secrets import Secret

    if context.stdin.isatty():
        first = await context.prompt_secret("Password")
        second = await context.prompt_secret("Password, again") if first is not None else None
        if first is None or second is None or not first.matches(second):
            raise BadInputError("The two entries differ, or are empty. Nothing was hashed.")
        return first
    content = await asyncio.to_thread(context.read_stdin, LONGEST + 1)
    if len(content) > LONGEST:
        raise BadInputError(f"This is too long for a password: more than {LONGEST:,} bytes.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the decoding error carries the bytes.
        raise BadInputError("The password is not UTF-8.") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise BadInputError("There is no password on standard input.", advice="Pipe one in, or run it on a terminal.")
    if "\n" in text:
        raise BadInputError("Standard input has more than one line; a password is one.")
    return Secret(text)


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
