"""`housekeys datalens`: the checklist, the DataLens user, and the listing pack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError, ExitCode
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.datalens.checklist import CheckItem
    from core.datalens.listing import Listing
    from core.secrets import Secret
    from tui.cli.context import Context

NOUN = "datalens"
LARGEST_FILE = 4 * 1024 * 1024  # bytes of a text, an icon or a listing


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    frame.verb(
        verbs,
        "check",
        _check,
        "go through the onboarding checklist",
        description="Check what can be checked. Ends with exit code 1 when something is not as it should be; items\n"
        "that only you can tick do not count.",
        examples=("housekeys datalens check", "housekeys datalens check --json"),
    )
    for verb, line in (("tick", "say that an item of the checklist is done"), ("untick", "say that it is not")):
        tick = frame.verb(verbs, verb, _tick, line, examples=(f"housekeys datalens {verb} sent-to-datalens",))
        tick.add_argument("item", metavar="ITEM", help="as `datalens check` names it")
        tick.add_argument("--note", default="", metavar="TEXT", help="a remark, kept in the journal")
    _add_setup(verbs, frame)
    _add_listing(verbs, frame)


def _add_setup(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    setup = frame.verb(
        verbs,
        "setup",
        _setup,
        "create the DataLens user, set it right, or give it another password",
        description="Create the DataLens user with readonly = 2, or set right what is wrong with it. A password given\n"
        "for a user that exists replaces its own. Only its SHA-256 hash is sent to ClickHouse.",
        examples=(
            "housekeys datalens setup --generate-password --password-out datalens.password",
            "housekeys datalens setup --password-ref env:DATALENS_PASSWORD",
            "housekeys datalens setup --ask-password",
        ),
    )
    password = setup.add_mutually_exclusive_group()
    password.add_argument("--generate-password", action="store_true", help="make one up; printed once, or see below")
    password.add_argument("--ask-password", action="store_true", help="ask for one, twice, without echo")
    password.add_argument(
        "--password-ref", default=None, metavar="REFERENCE", help="env:NAME, file:PATH, command:… or keyring:…"
    )
    setup.add_argument(
        "--password-out",
        type=Path,
        default=None,
        metavar="FILE",
        help="write a generated password there (0600) instead",
    )


def _add_listing(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    listing = frame.verb(
        verbs,
        "listing",
        _listing,
        "edit the listing, check it, write the pack to hand over",
        description="Show what the listing holds and lacks. Options set fields; --out writes the pack.",
        examples=(
            'housekeys datalens listing --set name.en="Acme Analytics" --set price=free',
            "housekeys datalens listing --set-file manual.en=manual.md --icon logo.svg",
            "housekeys datalens listing --from listing.toml --out pack/",
        ),
    )
    listing.add_argument(
        "--set", action="append", default=[], metavar="FIELD=TEXT", help="set a field; empty clears it"
    )
    listing.add_argument(
        "--set-file", action="append", default=[], metavar="FIELD=FILE", help="set a field to what FILE holds"
    )
    listing.add_argument("--icon", type=Path, default=None, metavar="FILE", help="set the icon: an SVG file")
    listing.add_argument("--from", dest="source", type=Path, default=None, metavar="FILE", help="take all from a TOML")
    listing.add_argument("--out", type=Path, default=None, metavar="DIR", help="write the pack into this folder")
    listing.add_argument("--allow-incomplete", action="store_true", help="write the pack though something is missing")


# -- the checklist


async def _check(context: Context) -> None:
    from core.datalens.checklist import run_checklist
    from core.datalens.listing import listing_file, read_listing

    session = await context.session()
    profile = session.profile
    items = await run_checklist(
        session.engine,
        session.journal,
        datalens_user=profile.datalens.user,
        hosts=profile.datalens.hosts,
        listing=read_listing(listing_file(session.paths, profile.name)),
        cluster=profile.cluster,
    )
    context.exit_code = ExitCode.FAILED if any(item.wanting for item in items) else ExitCode.DONE
    if context.output.json:
        context.output.data(
            [
                {
                    "id": item.id,
                    "title": item.title,
                    "state": item.state,
                    "explanation": item.explanation,
                    "advice": item.advice,
                    "fix": item.fix.preview().split("\n") if item.fix else [],
                }
                for item in items
            ]
        )
    else:
        _print_items(context, items)


def _print_items(context: Context, items: Sequence[CheckItem]) -> None:
    from core.display import one_line

    states = max(len(item.state.value) for item in items)
    names = max(len(item.id) for item in items)
    for item in items:
        context.output.text(f"{item.state.value:<{states}}  {item.id:<{names}}  {one_line(item.title)}")
        for line in (item.explanation, "" if item.state.done else item.advice):
            if line:
                context.output.text(f"{'':<{states + names + 2}}  {one_line(line)}")


async def _tick(context: Context) -> None:
    from core.datalens.checklist import plan_tick

    arguments = context.arguments
    ticked = arguments.verb == "tick"
    await context.carry_out(plan_tick(arguments.item, ticked=ticked, note=arguments.note))
    if context.output.json:
        context.output.data({"id": arguments.item, "ticked": ticked})
    context.output.message(f"{arguments.item}: {'ticked' if ticked else 'to do again'}.")


# -- the user


async def _setup(context: Context) -> None:
    from core.datalens.setup import plan_setup

    arguments = context.arguments
    if arguments.password_out is not None and not arguments.generate_password:
        raise BadInputError("--password-out goes with --generate-password only.")
    password = await _password(context)
    session = await context.session()
    user = session.profile.datalens.user
    change = await plan_setup(
        session.engine,
        user=user,
        password=password,
        cluster=session.profile.cluster,
        password_file=arguments.password_out,
    )
    if not change.steps and not arguments.dry_run:
        context.output.message(f"{change.title}.")
        _print_password(context, user, None)
        return
    await context.carry_out(change)
    context.output.message(f"Done: {change.title}.")
    for consequence in change.consequences:
        context.output.message(consequence)
    _print_password(context, user, password if arguments.generate_password and not arguments.password_out else None)


def _print_password(context: Context, user: str, password: Secret | None) -> None:
    """The one place where a password is printed: it was made up here, and nobody else has it."""
    if context.output.json:
        context.output.data({"user": user, "password": None if password is None else password.reveal()})
    elif password is not None:
        context.output.text(password.reveal())


async def _password(context: Context) -> Secret | None:
    from core.datalens.passwords import generate_password
    from core.secrets import SecretReference

    arguments = context.arguments
    if arguments.generate_password:
        return generate_password()
    if arguments.password_ref is not None:
        reference = SecretReference.parse(arguments.password_ref)
        return await reference.resolve(context.prompt_secret, label="Password of the DataLens user")
    if not arguments.ask_password:
        return None
    first = await context.prompt_secret("Password of the DataLens user")
    second = await context.prompt_secret("Password of the DataLens user, again")
    if first is None or second is None or not first.matches(second):
        raise BadInputError("The two entries differ, or are empty. Nothing was changed.")
    return first


# -- the listing


async def _listing(context: Context) -> None:
    from dataclasses import replace

    from core.datalens.listing import listing_file, plan_edit, read_listing
    from core.datalens.pack import missing_parts, plan_pack, public_key
    from core.keys.versions import key_versions

    arguments = context.arguments
    session = await context.session()
    profile = session.profile
    path = listing_file(session.paths, profile.name)
    current = read_listing(path)
    desired = _edited(current, arguments)
    change = plan_edit(path, current, desired, profile=profile.name)
    key = public_key(await key_versions(session.journal))
    missing = missing_parts(desired, profile.datalens.hosts, key)
    if arguments.out is not None:
        pack = plan_pack(
            desired,
            profile.datalens.hosts,
            key,
            arguments.out.absolute(),
            product=profile.name,
            allow_incomplete=arguments.allow_incomplete,
        )
        change = replace(pack, steps=(*change.steps, *pack.steps))
    if change.steps:
        await context.carry_out(change)
        context.output.message(f"Done: {change.title}.")
    if arguments.out is not None:
        context.output.text(str(arguments.out))
    elif context.output.json:
        context.output.data({"texts": dict(desired.texts), "missing": list(missing)})
    else:
        _show_listing(context, desired)
    for part in missing:
        context.output.message(f"Missing: {part}.")


def _show_listing(context: Context, listing: Listing) -> None:
    from core.datalens.listing import FIELDS

    fields = {
        entry.title: f"{len(listing.get(entry.key)):,} characters" if entry.key == "icon" else listing.get(entry.key)
        for entry in FIELDS
        if listing.get(entry.key)
    }
    context.output.record(fields, dict(listing.texts))


def _edited(current: Listing, arguments: argparse.Namespace) -> Listing:
    """The listing as the options want it. Raises BadInputError for anything that cannot be used."""
    from core.datalens.icon import check_icon
    from core.datalens.listing import parse_listing

    desired = current
    if arguments.source is not None:
        desired = parse_listing(_content(arguments.source), str(arguments.source))
    texts: dict[str, str] = {}
    for assignment in arguments.set:
        key, text = _assignment(assignment)
        texts[key] = text
    for assignment in arguments.set_file:
        key, name = _assignment(assignment)
        texts[key] = _text(Path(name))
    if arguments.icon is not None:
        texts["icon"] = check_icon(_content(arguments.icon), str(arguments.icon))
    return desired.with_texts(texts)


def _assignment(words: str) -> tuple[str, str]:
    key, equals, value = words.partition("=")
    if not equals:
        raise BadInputError("A field is set by FIELD=VALUE.", advice='As --set name.en="Acme Analytics".')
    return key, value


def _text(path: Path) -> str:
    """A text file: UTF-8, its line ends made LF and its last one left out, as editors mean them."""
    try:
        text = _content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not UTF-8.") from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_FILE:
        raise BadInputError(f"{path} is larger than {LARGEST_FILE:,} bytes.")
    return content
