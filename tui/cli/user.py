"""`housekeys user`: users of ClickHouse. Passwords are hashed here; ClickHouse sees the hash only."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError
from tui.cli.access_entities import add_drop, add_name, add_reading_verbs, carry_out_plan, found, named, present_access
from tui.cli.access_options import (
    DROP_SETTING,
    SETTING,
    ClauseOption,
    add_clauses,
    add_profiles,
    add_rename,
    alteration_of,
    rename_entity,
)
from tui.cli.arguments import Frame
from tui.cli.password_entry import entered_password

if TYPE_CHECKING:
    from core.access.model import Authentication
    from core.secrets import Secret
    from tui.cli.context import Context

NOUN = "user"
CLAUSES = (
    ClauseOption(
        "--default-role", "DEFAULT ROLE", ("default_roles",), "NAMES", "active at login: names, ALL [EXCEPT …] or NONE"
    ),
    ClauseOption("--grantees", "GRANTEES", ("grantees",), "NAMES", "whom it may grant to: names, ANY [EXCEPT …], NONE"),
    SETTING,
    DROP_SETTING,
)
PASSWORD_METHODS = ("sha256", "double-sha1", "bcrypt", "scram")


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_reading_verbs(verbs, frame, NOUN, "ann")
    create = frame.verb(
        verbs,
        "create",
        create_user,
        "create a user",
        description="Create a user. Its password is asked for twice on a terminal, or read from standard input.\n"
        "It is hashed here and never an argument. With --generate-password one is made up and printed once.",
        examples=(
            "housekeys user create ann --generate-password --role reader --host ip:10.0.0.0/8",
            "housekeys user create ann --password-file ann.password --setting 'max_threads = 4 MAX 8'",
            "housekeys user create job --identified-with \"ssl_certificate CN 'job.example'\" --default-role NONE",
            "housekeys --dry-run user create ann --identified-with no_password --host local",
        ),
    )
    alter = frame.verb(
        verbs,
        "alter",
        alter_user,
        "alter a user: what is not named stays as it is",
        description="Alter a user: what is not named stays as it is. Rights and roles: see `housekeys grant`.",
        examples=(
            "housekeys user alter ann --valid-until 2027-01-31 --default-database acme",
            "housekeys user alter ann --generate-password",
            "housekeys user alter ann --host none --yes",
            "housekeys user alter ann --rename-to ann_b",
        ),
    )
    for parser, is_alter in ((create, False), (alter, True)):
        add_name(parser, NOUN)
        _add_identification(parser, "sha256 (the default)" if not is_alter else "sha256")
        _add_definition(parser, is_alter)
    create.add_argument("--storage", default="", metavar="NAME", help="the access storage to keep it in")
    add_rename(alter)
    add_drop(verbs, frame, NOUN, "ann")
    clone = frame.verb(
        verbs,
        "clone",
        clone_user,
        "create a user like another one, with a password of its own",
        description="Create a user with the settings, roles, rights and limits of another one.",
        examples=("housekeys user clone ann bob --generate-password",),
    )
    add_name(clone, NOUN)
    add_name(clone, NOUN, "new", "NEW")
    _add_identification(clone, "sha256 (the default)")


def _add_identification(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--identified-with",
        default=None,
        metavar="METHOD",
        help=f"{default}, double-sha1, bcrypt or scram, with a password; or what stands behind IDENTIFIED WITH in SQL",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--password-file", type=Path, default=None, metavar="FILE", help="the password is in FILE")
    source.add_argument("--generate-password", action="store_true", help="make one up and print it once")
    parser.add_argument("--allow-weak", action="store_true", help="take a weak password too, and say what it lacks")


def _add_definition(parser: argparse.ArgumentParser, alter: bool) -> None:
    many: dict[str, Any] = {"action": "append", "default": None}
    parser.add_argument(
        "--host", metavar="HOST", help="ip:ADDRESS, name:HOST, regexp:…, like:…, any, none or local; repeatable", **many
    )
    if alter:
        parser.add_argument("--add-host", metavar="HOST", help="one more; repeatable", **many)
        parser.add_argument("--drop-host", metavar="HOST", help="one less; repeatable", **many)
    else:
        parser.add_argument("--role", metavar="NAME", help="a role to grant; repeatable", **many)
    add_clauses(parser, CLAUSES, alter=alter)
    add_profiles(parser, alter=alter)
    parser.add_argument("--default-database", default=None, metavar="NAME", help="an empty one takes it away")
    parser.add_argument(
        "--valid-until", default=None, metavar="MOMENT", help="2027-01-31, '2027-01-31 18:00', infinity"
    )


# -- reading what was typed


def _alteration(context: Context, method: Authentication | None) -> Any:
    """The ALTER USER that the options say."""
    from dataclasses import replace

    from core.access.entity_options import hosts_of, moment
    from core.access.model import EntityKind

    arguments = context.arguments
    changes: dict[str, Any] = {}
    for field, option in (("hosts", "host"), ("add_hosts", "add_host"), ("drop_hosts", "drop_host")):
        texts = getattr(arguments, option, None)
        if texts:
            changes[field] = hosts_of(texts, f"--{option.replace('_', '-')}")
    if arguments.default_database is not None:
        changes["default_database"] = arguments.default_database
    if arguments.valid_until is not None:
        changes["valid_until"] = moment(arguments.valid_until, "--valid-until")
    if method is not None:
        changes["methods"] = (method,)
    return replace(alteration_of(context, EntityKind.USER, CLAUSES), **changes)


async def _identification(context: Context, *, required: bool) -> tuple[Authentication | None, Secret | None]:
    """How the user identifies itself (None: as before), and the password if it was made up here."""
    from core.access.entity_options import method_of

    arguments = context.arguments
    typed: str | None = arguments.identified_with
    sourced = arguments.password_file is not None or arguments.generate_password
    if typed is None and not sourced and not required:
        if arguments.allow_weak:
            raise BadInputError("--allow-weak goes with a new password only.")
        return None, None
    if typed is not None and typed not in PASSWORD_METHODS:
        if sourced:
            raise BadInputError(f"A password goes with --identified-with {', '.join(PASSWORD_METHODS)} only.")
        return method_of(typed, "--identified-with"), None
    password = await _password(context)
    return await _hashed(context, password, typed or "sha256"), password if arguments.generate_password else None


async def _hashed(context: Context, password: Secret, word: str) -> Authentication:
    import asyncio

    from core.access import passwords
    from core.access.model import AuthKind

    name: str = getattr(context.arguments, "new", context.arguments.name)
    if not context.arguments.allow_weak:
        passwords.check_strength(password, user=name)
    elif lacks := passwords.weaknesses(password, user=name):
        context.output.message(f"Warning: the password is weak: it {', '.join(lacks)}.")
    kinds = (AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.BCRYPT, AuthKind.SCRAM_SHA256)
    kind = dict(zip(PASSWORD_METHODS, kinds, strict=True))[word]
    return await asyncio.to_thread(passwords.hash_password, password, kind)  # bcrypt is slow by design


async def _password(context: Context) -> Secret:
    from core.access.passwords import generate_password
    from core.secrets import Kind, SecretReference

    arguments = context.arguments
    if arguments.generate_password:
        return generate_password()
    if arguments.password_file is not None:
        return await SecretReference(Kind.FILE, (str(arguments.password_file),)).resolve(None)
    return await entered_password(context, "Password of the user")


def _print_password(context: Context, password: Secret | None) -> None:
    """The one place where a password is printed: it was made up here, and nobody else has it."""
    if password is not None and not context.output.json:
        context.output.text(password.reveal())


def _told(password: Secret | None) -> dict[str, Any]:
    return {} if password is None else {"password": password.reveal()}


# -- the verbs


async def create_user(context: Context) -> None:
    """Handle `user create`."""
    from core.access.entity_options import altered, new_entity
    from core.access.planning.entities import create
    from core.access.planning.plan import title

    arguments = context.arguments
    key = named(context)
    _alteration(context, None)  # what is wrong is told before a password is asked for
    method, made_up = await _identification(context, required=True)
    user = altered(new_entity(key.kind, key.name), _alteration(context, method))
    _, present = await present_access(context)
    roles = dict.fromkeys(arguments.role or (), False)
    plan = create(present.model, user, roles=roles, storage=arguments.storage, cluster=present.cluster)
    await carry_out_plan(context, present, plan, f"{title(key)}: created", _told(made_up))
    _print_password(context, made_up)


async def alter_user(context: Context) -> None:
    """Handle `user alter`."""
    from core.access.entity_options import altered, unaltered
    from core.access.planning.entities import alter
    from core.access.planning.plan import title
    from core.access_changes.as_written import entity_as_written

    arguments = context.arguments
    key = named(context)
    said = _alteration(context, None) != unaltered(key.kind)
    identified = bool(arguments.identified_with or arguments.password_file or arguments.generate_password)
    if arguments.rename_to is not None:
        await rename_entity(context, nothing_else=not (said or identified))
        return
    if not (said or identified):
        raise BadInputError("Nothing is said that is to be altered.", advice="See `housekeys user alter --help`.")
    method, made_up = await _identification(context, required=False)
    session, present = await present_access(context)
    user = await entity_as_written(session.engine, altered(found(present.model, key), _alteration(context, method)))
    plan = alter(
        present.model,
        user,
        new_secret=method is not None,
        cluster=present.cluster,
        storage_types=present.storage_types,
    )
    await carry_out_plan(context, present, plan, f"{title(key)}: altered", _told(made_up))
    _print_password(context, made_up)


async def clone_user(context: Context) -> None:
    """Handle `user clone`."""
    from core.access.entity_options import entity_name
    from core.access.planning.entities import clone_user as plan_clone
    from core.access.planning.plan import title

    key = named(context)
    new = str(entity_name(key.kind, context.arguments.new, "NEW"))
    method, made_up = await _identification(context, required=True)
    methods = () if method is None else (method,)
    _, present = await present_access(context)
    found(present.model, key)
    plan = plan_clone(present.model, str(key.name), new, methods, cluster=present.cluster)
    await carry_out_plan(context, present, plan, f"{title(key)}: cloned as {new}", _told(made_up))
    _print_password(context, made_up)
