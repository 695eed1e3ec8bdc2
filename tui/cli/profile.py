"""`housekeys profile`: saved ways to reach a ClickHouse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError
from tui.cli.profile_lakehouse import absolute, add_options, clouds_from, lakehouse_from, side_fields, side_record
from tui.cli.profile_partner import unmet_fields, unmet_record
from tui.cli.profile_record import broken_record, profile_fields, profile_record

if TYPE_CHECKING:
    from core.lakehouse.sides import TriedSide
    from core.partner.provisioning.prerequisites import Unmet
    from core.profiles import Profile, ProfileFile
    from core.session import Session
    from tui.cli.arguments import Frame
    from tui.cli.context import Context

NOUN = "profile"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """The verbs of `profile`."""
    frame.verb(
        verbs,
        "list",
        list_profiles,
        "list the profiles and what is wrong with them",
        examples=["housekeys profile list", "housekeys profile list --json"],
    )
    show = frame.verb(
        verbs,
        "show",
        show_profile,
        "show all of one profile; secrets are never shown, only where they are kept",
        examples=["housekeys profile show prod"],
    )
    test = frame.verb(
        verbs,
        "test",
        test_profile,
        "connect, and show the server, the user, what the user may do, and the latency",
        description="Connect, and show the server, the user, what the user may do, and the latency. Where the profile "
        "names a Lakehouse or clouds that Housekeys may change, log in there as well and say who it is. Where it says "
        "something of Partner Connect, look whether the privileges, the quota and the settings profile that it names "
        "are there; which rights of a service the user lacks is told. Whichever of them fails is told with the rest, "
        "and makes the exit code.",
        examples=["housekeys profile test prod", "housekeys profile test --json"],
    )
    for parser in (show, test):
        parser.add_argument("name", nargs="?", metavar="NAME", help="the profile (otherwise the one of -p, or default)")
    remove = frame.verb(
        verbs,
        "remove",
        remove_profile,
        "remove a profile from the file",
        description="Remove a profile from the file. Nothing else is removed: data of an embedded engine and private "
        "keys stay where they are.",
        examples=["housekeys profile remove old --yes"],
    )
    remove.add_argument("name", metavar="NAME", help="the profile")
    _add_add(verbs, frame)


def _add_add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "add",
        add_profile,
        "add a profile to the file",
        description="Add a profile to the file, which is made if it is not there. Comments and layout of the file stay "
        "as they are. A password is never written: say where it is kept.",
        examples=[
            "housekeys profile add prod --url https://ch-1.example:8443 --user operator --password-ref env:CH_PASSWORD",
            "housekeys profile add prod --host ch-1.example --password-ref 'command:pass show clickhouse/prod'",
            "housekeys profile add lab --engine embedded --folder ~/lab",
        ],
    )
    parser.add_argument("name", metavar="NAME", help="the name, 1 to 64 printable characters")
    parser.add_argument("--engine", choices=["server", "embedded"], default="server", help="default: server")
    parser.add_argument("--default", action="store_true", help="make it the profile that is used without -p")
    parser.add_argument("--database", metavar="NAME", help="the database of the journal (default: housekeys)")
    parser.add_argument("--query-timeout", type=float, metavar="SECONDS", help="default: 60")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="a ClickHouse setting to send; repeatable"
    )
    parser.add_argument("--production", action="store_true", help="a permanent badge and stricter confirmations")
    parser.add_argument(
        "--mode", choices=["read-only", "write"], help="how it opens (otherwise as the preference read_only says)"
    )
    parser.add_argument(
        "--console-members", type=absolute, metavar="FILE", help="the members of the organization in ClickHouse Cloud"
    )
    _add_server_options(parser.add_argument_group("a server"))
    embedded = parser.add_argument_group("an embedded engine")
    embedded.add_argument(
        "--folder", type=absolute, metavar="FOLDER", help="its data (default: below the data directory)"
    )
    embedded.add_argument("--query-log", action="store_true", help="keep system.query_log")
    datalens = parser.add_argument_group("DataLens")
    datalens.add_argument("--datalens-user", metavar="NAME", help="its user in ClickHouse (default: datalens)")
    datalens.add_argument(
        "--datalens-host", action="append", default=[], metavar="HOST", help="a host it connects to; repeatable"
    )
    datalens.add_argument(
        "--key-folder", type=absolute, metavar="FOLDER", help="the private keys (default: below the data directory)"
    )
    add_options(parser)


def _add_server_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--url", metavar="URL", help="https://HOST:PORT, or http://HOST:PORT without TLS")
    group.add_argument("--host", metavar="HOST", help="instead of --url")
    group.add_argument("--port", type=int, metavar="PORT", help="with --host (default: 8443, without TLS 8123)")
    group.add_argument("--no-tls", action="store_true", help="with --host: plain HTTP")
    group.add_argument("--ca-file", type=absolute, metavar="FILE", help="the authorities to trust, PEM")
    group.add_argument("--client-certificate", type=absolute, metavar="FILE", help="PEM, with or without the key")
    group.add_argument("--client-key", type=absolute, metavar="FILE", help="its private key, PEM")
    group.add_argument("--no-verify", action="store_true", help="trust any certificate; a permanent warning badge")
    group.add_argument("--user", metavar="NAME", help="default: default")
    group.add_argument(
        "--password-ref",
        metavar="REFERENCE",
        help="where the password is kept: env:NAME, file:PATH, command:PROGRAM ..., keyring:SERVICE/NAME or prompt",
    )
    group.add_argument("--cluster", metavar="NAME", help="what is created is created on all of it")
    group.add_argument("--connect-timeout", type=float, metavar="SECONDS", help="default: 10")


async def list_profiles(context: Context) -> None:
    """`profile list`."""
    from tui.cli.output import Column

    file = context.profile_file
    rows = []
    for name in file.names:
        if name in file.profiles:
            rows.append(profile_record(file.profiles[name], file, context.paths))
        else:
            rows.append(broken_record(name, file))
    columns = [
        Column("name", "NAME"),
        Column("address", "ADDRESS"),
        Column("user", "USER"),
        Column("badges", "BADGES", show=lambda badges: ", ".join(badges or ()) or "-"),
        Column("state", "STATE"),
        Column("default", "DEFAULT", show=lambda default: "yes" if default else ""),
        Column("origin", "DEFINED"),
    ]
    context.output.rows(columns, rows)
    _tell_problems(context, file)


async def show_profile(context: Context) -> None:
    """`profile show`."""
    file = context.profile_file
    profile = file.profile(context.arguments.name or context.profile_name)
    record = profile_record(profile, file, context.paths)
    context.output.record(profile_fields(record, profile), record)


async def test_profile(context: Context) -> None:
    """`profile test`."""
    from core.access.planning.plan import title
    from core.clickhouse.abilities import abilities
    from core.clickhouse.embedded import EmbeddedEngine

    if context.arguments.name:
        context.arguments.profile = context.arguments.name
    session = await context.session()
    found = session.capabilities
    names = [ability.name for ability in abilities(session.profile.database)]
    missing = {name: found.missing(name) for name in names if name not in found.may}
    may = [name for name in names if name in found.may]
    record: dict[str, Any] = {
        "name": session.profile.name,
        "address": session.engine.address,
        "version": found.version,
        "user": found.user,
        "latency_ms": round(found.latency_seconds * 1000, 1),
        "read_only": session.read_only.active,
        "host": found.host,
        "clusters": {name: list(hosts) for name, hosts in found.clusters.items()},
        "user_directories": [
            {"name": name, "type": kind, "precedence": order} for name, kind, order in found.user_directories or ()
        ],
        "may": may,
        "missing": missing,
    }
    if isinstance(session.engine, EmbeddedEngine):
        not_enforced = await session.engine.not_enforced()
        record["not_enforced"] = {title(key): words for key, words in not_enforced.items()}
    sides = await _try_sides(context, session)
    told = {side.key: side_record(side) for side in sides}
    unmet = await _read_unmet(session)
    record |= {"lakehouse": told.pop("lakehouse", None), "clouds": told}
    record["partner"] = None if unmet is None else unmet_record(unmet, context.profile_file)
    partner = {} if unmet is None else unmet_fields(unmet, context.profile_file)
    context.output.record({**_test_fields(session, record), **side_fields(sides), **partner}, record)
    errors = [side.error for side in sides] + [one.error for one in unmet or () if one.seen]
    if error := next((error for error in errors if error), None):
        context.exit_code = error.exit_code


async def _read_unmet(session: Session) -> Sequence[Unmet] | None:
    """What a service of Partner Connect would not find; None for a profile that says nothing of it."""
    profile = session.profile
    if profile.partner is None:
        return None
    from core.partner.provisioning.prerequisites import read_unmet

    rights = not session.capabilities.read_only
    return await read_unmet(session.engine, profile.partner.resources, profile.name, rights=rights)


async def _try_sides(context: Context, session: Session) -> Sequence[TriedSide]:
    """The Lakehouse and the clouds of the profile; most have none, and need not import what reaches them."""
    if session.profile.lakehouse is None and not session.profile.clouds:
        return ()
    from core.lakehouse.sides import try_sides

    return await try_sides(session.profile, session.journal, context.prompt_secret if context.interactive else None)


def _test_fields(session: Session, record: dict[str, Any]) -> dict[str, str]:
    from core.display import one_line

    kept = record.get("not_enforced", {}).items()
    fields = {
        "profile": record["name"],
        "address": record["address"],
        "version": record["version"],
        "host": record["host"],
        "user": record["user"],
        "latency": f"{record['latency_ms']:g} ms",
        "read-only": f"yes ({session.read_only.reason})" if session.read_only.active else "no",
        "clusters": ", ".join(record["clusters"]),
        "users in": ", ".join(directory["name"] for directory in record["user_directories"]),
        "badges": ", ".join(session.profile.badges),
        "may": "\n".join(record["may"]) or "nothing that was asked for",
        "may not": "\n".join(f"{name}: {reason}" for name, reason in record["missing"].items()),
        "kept, not enforced": "\n".join(f"{one_line(name)}: {', '.join(words)}" for name, words in kept),
    }
    return {label: text for label, text in fields.items() if text}


async def add_profile(context: Context) -> None:
    """`profile add`."""
    from dataclasses import replace

    from core.display import one_line

    file = context.profile_file
    name: str = context.arguments.name
    if name in file.lines:
        raise BadInputError(
            f"There is a profile {one_line(name)} already, at {file.profile_origin(name)}.",
            advice="Choose another name, or edit it in the console or the file.",
        )
    added = file.with_profile(_profile_from(context.arguments))
    if context.arguments.default:
        added = added.with_preferences(replace(added.preferences, default_profile=name))
    await _save(context, file, added)
    if context.output.json:
        context.output.data(profile_record(added.profile(name), added, context.paths))
    context.output.message(f"Added {one_line(name)} to {added.profile_origin(name)}.")
    for problem in added.problems_of(name):
        context.output.message(f"Note: {problem}")


async def remove_profile(context: Context) -> None:
    """`profile remove`."""
    from core.display import one_line

    file = context.profile_file
    name: str = context.arguments.name
    profile = file.profiles.get(name)
    await _save(context, file, file.without(name))
    if context.output.json:
        context.output.data({"removed": name})
    context.output.message(f"Removed {one_line(name)}.")
    kept = [profile.key_folder(context.paths)] if profile else []
    if profile and profile.engine == "embedded":
        kept.append(profile.data_folder(context.paths))
    for folder in kept:
        if folder.exists():
            context.output.message(f"Kept: {folder}")


async def _save(context: Context, before: ProfileFile, after: ProfileFile) -> None:
    """Take what was edited down the one road; it needs no engine."""
    from core.configuring import Configuration, plan_edit
    from core.profiles.differences import difference
    from tui.cli.carrying_out import carry_out_on_this_machine

    configuration = Configuration.open(context.paths, before.preferences, read_only=context.read_only_flag)
    if not context.arguments.dry_run:
        await configuration.send_unsent()
    if any(not change.running for change in configuration.runner.unfinished()):
        context.output.message("Note: a change of the profiles is unfinished. See the profiles in the console (U).")
    path = str(before.path)
    lines = f"--- {path}\n+++ {path}\n{difference(before.text, after.text)}"
    told = {"file": path, "difference": lines}
    await carry_out_on_this_machine(context, plan_edit(before, after), configuration.runner, told=told)


def _tell_problems(context: Context, file: ProfileFile) -> None:
    for problem in file.problems:
        context.output.message(str(problem))


def _profile_from(typed: argparse.Namespace) -> Profile:
    """The profile that the options describe. Whether it can be is for the profile file to say."""
    from core.profiles import DataLens, Profile
    from core.secrets import SecretReference

    usual = Profile(typed.name)
    common: dict[str, Any] = {
        "database": usual.database if typed.database is None else typed.database,
        "query_timeout": usual.query_timeout if typed.query_timeout is None else typed.query_timeout,
        "settings": dict(_setting(text) for text in typed.setting),
        "production": typed.production,
        "read_only": {None: None, "read-only": True, "write": False}[typed.mode],
        "datalens": DataLens(
            usual.datalens.user if typed.datalens_user is None else typed.datalens_user,
            tuple(typed.datalens_host),
            typed.key_folder,
        ),
        "console_members": typed.console_members,
        "lakehouse": lakehouse_from(typed),
        "clouds": clouds_from(typed),
    }
    _refuse_options_of_the_other_home(typed)
    if typed.engine == "embedded":
        return Profile(typed.name, engine="embedded", folder=typed.folder, query_log=typed.query_log, **common)
    host, port, secure = _address(typed)
    return Profile(
        typed.name,
        host=host,
        port=port,
        secure=secure,
        ca_file=typed.ca_file,
        client_certificate=typed.client_certificate,
        client_key=typed.client_key,
        verify=not typed.no_verify,
        user=usual.user if typed.user is None else typed.user,
        password=None if typed.password_ref is None else SecretReference.parse(typed.password_ref),
        cluster=typed.cluster,
        connect_timeout=usual.connect_timeout if typed.connect_timeout is None else typed.connect_timeout,
        **common,
    )


_SERVER_OPTIONS = (
    *("url", "host", "port", "no_tls", "ca_file", "client_certificate", "client_key", "no_verify"),
    *("user", "password_ref", "cluster", "connect_timeout"),
)
_EMBEDDED_OPTIONS = ("folder", "query_log")


def _refuse_options_of_the_other_home(typed: argparse.Namespace) -> None:
    foreign = _SERVER_OPTIONS if typed.engine == "embedded" else _EMBEDDED_OPTIONS
    for option in foreign:
        value = getattr(typed, option)
        if value is not None and value is not False:
            other = "a server" if typed.engine == "embedded" else "an embedded engine"
            raise BadInputError(
                f"--{option.replace('_', '-')} belongs to {other}.", advice="Leave it out, or change --engine."
            )


def _address(typed: argparse.Namespace) -> tuple[str, int, bool]:
    from core.profiles.addresses import read_url
    from core.profiles.model import PLAIN_PORT, TLS_PORT

    if typed.url is None and typed.host is None:
        raise BadInputError("A server needs an address.", advice="Use --url https://HOST:PORT, or --host HOST.")
    if typed.url is None:
        usual = PLAIN_PORT if typed.no_tls else TLS_PORT
        return typed.host, usual if typed.port is None else typed.port, not typed.no_tls
    if typed.host is not None or typed.port is not None or typed.no_tls:
        raise BadInputError("--url says host, port and TLS already.", advice="Use it alone, or --host instead.")
    try:
        address = read_url(typed.url)
    except BadInputError as error:
        raise BadInputError(
            f"--url: {error.message}.", advice=f"{error.advice[:1].upper()}{error.advice[1:]}."
        ) from error
    return address.host, address.port, address.secure


def _setting(text: str) -> tuple[str, str | int | float | bool]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadInputError("--setting needs a name and a value.", advice="As --setting max_threads=4.")
    if value in ("true", "false"):
        return name, value == "true"
    for number in (int, float):
        try:
            return name, number(value)
        except ValueError:
            continue
    return name, value
