"""Options that say how an access entity is defined: each is a clause in ClickHouse's own words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import BadInputError
from tui.cli.access_entities import (
    TO_HELP,
    add_drop,
    add_name,
    add_reading_verbs,
    carry_out_plan,
    found,
    kind_of,
    named,
    present_access,
)
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.access.model import EntityKind
    from tui.cli.context import Context


class ClauseOption(NamedTuple):
    """An option whose text is a clause: the words before it in SQL, and the fields of the statement that it sets."""

    option: str
    words: str
    fields: tuple[str, ...]
    metavar: str
    help: str
    repeatable: bool = False
    only_alter: bool = False
    with_units: bool = False  # amounts may be written as people do: 5M, 10 GiB, 30 s

    @property
    def dest(self) -> str:
        return self.option.removeprefix("--").replace("-", "_")


SETTING = ClauseOption(
    "--setting",
    "MODIFY SETTING",
    ("settings",),
    "'NAME = VALUE [MIN V] [MAX V] [CONST]'",
    "a setting and its limits; may be given several times",
    repeatable=True,
)
DROP_SETTING = ClauseOption(
    "--drop-setting", "DROP SETTING", ("settings",), "NAME", "a setting to take away", repeatable=True, only_alter=True
)
TO = ClauseOption("--to", "TO", ("to",), "NAMES", TO_HELP)


def add_clauses(parser: argparse.ArgumentParser, clauses: tuple[ClauseOption, ...], *, alter: bool) -> None:
    """Add options to a parser; those for an ALTER only to that of `alter`."""
    for clause in clauses:
        if clause.only_alter and not alter:
            continue
        repeat: dict[str, Any] = {"action": "append"} if clause.repeatable else {}
        parser.add_argument(
            clause.option, dest=clause.dest, default=None, metavar=clause.metavar, help=clause.help, **repeat
        )


def add_profiles(parser: argparse.ArgumentParser, *, alter: bool) -> None:
    """Add the options that name settings profiles to inherit from."""
    parser.add_argument(
        "--settings-profile", action="append", default=None, metavar="NAME", help="a settings profile to take over"
    )
    if alter:
        parser.add_argument(
            "--drop-settings-profile", action="append", default=None, metavar="NAME", help="one to take over no longer"
        )


def add_rename(parser: argparse.ArgumentParser) -> None:
    """Add the option to rename, which stands alone."""
    parser.add_argument("--rename-to", default=None, metavar="NEW", help="another name; goes with no other option")


def alteration_of(context: Context, kind: EntityKind, clauses: tuple[ClauseOption, ...]) -> Any:
    """The ALTER that the options say."""
    from core.access.entity_options import merged, named_profile, read_clause, unaltered
    from core.access.model import SettingsChange
    from core.access.quota_amounts import with_plain_amounts

    arguments = context.arguments
    alteration = unaltered(kind)
    profiles = [named_profile(name) for name in getattr(arguments, "settings_profile", None) or ()]
    dropped = tuple(getattr(arguments, "drop_settings_profile", None) or ())
    if profiles or dropped:
        change = SettingsChange(add=tuple(profiles), drop_profiles=dropped)
        alteration = merged(alteration, _with_settings(unaltered(kind), change))
    for clause in clauses:
        given = getattr(arguments, clause.dest, None)
        texts = given if isinstance(given, list) else [] if given is None else [given]
        for text in texts:
            written = with_plain_amounts(text) if clause.with_units else text
            alteration = merged(alteration, read_clause(kind, clause.option, clause.words, written, *clause.fields))
    return alteration


def _with_settings(alteration: Any, change: Any) -> Any:
    from dataclasses import replace

    return replace(alteration, settings=change)


# -- the nouns that are made of nothing but clauses


def add_entity_verbs(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    frame: Frame,
    noun: str,
    clauses: tuple[ClauseOption, ...],
    *,
    name: str,
    new: str,
    create: str,
    alter: str,
) -> None:
    """Add all verbs of a noun. `name` and `new` are names for the examples, `create` and `alter` options for them."""
    words = noun.replace("-", " ")
    add_reading_verbs(verbs, frame, noun, name)
    making = frame.verb(
        verbs,
        "create",
        create_entity,
        f"create a {words}",
        examples=(f"housekeys {noun} create {name} {create}", f"housekeys --dry-run {noun} create {name} {create}"),
    )
    altering = frame.verb(
        verbs,
        "alter",
        alter_entity,
        f"alter a {words}: what is not named stays as it is",
        examples=(f"housekeys {noun} alter {name} {alter}", f"housekeys {noun} alter {name} --rename-to renamed"),
    )
    for parser, is_alter in ((making, False), (altering, True)):
        add_name(parser, noun)
        add_clauses(parser, clauses, alter=is_alter)
        if SETTING in clauses:
            add_profiles(parser, alter=is_alter)
    making.add_argument("--storage", default="", metavar="NAME", help="the access storage to keep it in")
    add_rename(altering)
    add_drop(verbs, frame, noun, name)
    clone = frame.verb(
        verbs,
        "clone",
        clone_entity,
        f"create a {words} like another one",
        examples=(f"housekeys {noun} clone {name} {new}",),
    )
    add_name(clone, noun)
    add_name(clone, noun, "new", "NEW")
    for parser in (making, altering):
        parser.set_defaults(clauses=clauses)


async def create_entity(context: Context) -> None:
    """Handle `create`."""
    from core.access.entity_options import altered, new_entity
    from core.access.planning.entities import create
    from core.access.planning.plan import title
    from core.access_changes.as_written import entity_as_written

    arguments = context.arguments
    key = named(context)
    alteration = alteration_of(context, key.kind, arguments.clauses)
    made = altered(new_entity(key.kind, key.name), alteration)
    session, present = await present_access(context)
    made = await entity_as_written(session.engine, made)
    plan = create(present.model, made, storage=arguments.storage, cluster=present.cluster)
    await carry_out_plan(context, present, plan, f"{title(key)}: created")


async def alter_entity(context: Context) -> None:
    """Handle `alter`."""
    from core.access.entity_options import altered, unaltered
    from core.access.planning.entities import alter
    from core.access.planning.plan import title
    from core.access_changes.as_written import entity_as_written

    key = named(context)
    alteration = alteration_of(context, key.kind, context.arguments.clauses)
    if context.arguments.rename_to is not None:
        await rename_entity(context, nothing_else=alteration == unaltered(key.kind))
        return
    if alteration == unaltered(key.kind):
        raise BadInputError("Nothing is said that is to be altered.", advice="See --help for the options.")
    session, present = await present_access(context)
    changed = await entity_as_written(session.engine, altered(found(present.model, key), alteration))
    plan = alter(present.model, changed, cluster=present.cluster, storage_types=present.storage_types)
    await carry_out_plan(context, present, plan, f"{title(key)}: altered")


async def rename_entity(context: Context, *, nothing_else: bool) -> None:
    """Handle `alter --rename-to`."""
    from core.access.planning.entities import rename
    from core.access.planning.plan import title

    key = named(context)
    new: str = context.arguments.rename_to
    if not nothing_else:
        raise BadInputError("--rename-to goes with no other option.", advice="Rename it first, then alter it.")
    if not new:
        raise BadInputError("--rename-to is empty.")
    _, present = await present_access(context)
    found(present.model, key)
    plan = rename(present.model, key, new, cluster=present.cluster, storage_types=present.storage_types)
    await carry_out_plan(context, present, plan, f"{title(key)}: renamed to {new}")


async def clone_entity(context: Context) -> None:
    """Handle `clone` of all but users."""
    from dataclasses import replace

    from core.access.entity_options import entity_name
    from core.access.model import EntityKind
    from core.access.planning.entities import clone_role, create
    from core.access.planning.plan import title

    kind, key = kind_of(context), named(context)
    new = entity_name(kind, context.arguments.new, "NEW")
    _, present = await present_access(context)
    model = found(present.model, key)
    if kind is EntityKind.ROLE:
        plan = clone_role(present.model, str(key.name), str(new), cluster=present.cluster)
    else:
        plan = create(present.model, replace(model, name=new), cluster=present.cluster)
    await carry_out_plan(context, present, plan, f"{title(key)}: cloned as {context.arguments.new}")
