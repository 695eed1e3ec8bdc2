"""The forms that give and take rights, and those that users and roles have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.cursor import Cursor
from core.access.difference_fields import entities as entities_of
from core.access.effective.rights import RightsIndex
from core.access.effective.rights_tree import Rights
from core.access.effective.statements import grouped
from core.access.grant_parser import parse_rights
from core.access.model import CURRENT_DATABASE, EntityKind, Right
from core.access.model_changes import name_text
from core.access.planning import entities
from core.access.planning.plan import Plan, title
from core.access.planning.references import Reference, dependents
from core.access.planning.together import in_turn
from core.access.policies import PolicyName
from core.access.render_grants import render_rights
from core.access_changes.changes import many
from core.changes import Danger
from core.display import one_line
from core.errors import BadInputError, HousekeysError
from tui.screens.access_words import identifiers
from tui.screens.form import Form
from tui.screens.grant_choosing import right_choice
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal

    Making = Callable[[Values], Planning]

_PREVIEWED = 8  # statements, and rights of either kind
_SHOWN_NAMES = 12
_RENAMED = {
    EntityKind.USER: "Whoever logs in by the old name has to be told the new one.",
    EntityKind.ROLE: "Who has the role keeps it.",
    EntityKind.SETTINGS_PROFILE: "Who has it, or inherits from it, keeps it.",
}


# -- what is typed


def read_rights(text: str, access: Access) -> tuple[Right, ...]:
    """`SELECT, INSERT ON db.*` as rights. Raises BadInputError for what is none, and for an unknown privilege."""
    cursor = Cursor(text)
    rights = parse_rights(cursor)
    cursor.need_end()
    known = access.index.privileges
    for right in rights:
        if right.database == CURRENT_DATABASE and right.parameter is None:
            raise BadInputError("The database is missing.", advice="Write it before the table: db.table, db.* or *.*")
        known.mask(right.privilege)
    return rights


def read_names(text: str) -> tuple[str, ...]:
    """Names as in SQL, comma-separated: back-quoted where they are no plain words. Raises BadInputError."""
    if not text.strip():
        return ()
    cursor = Cursor(text)
    names = cursor.listed(cursor.user_name)
    cursor.need_end()
    return tuple(dict.fromkeys(names))


def wrong(read: Callable[..., object], *arguments: object) -> str:
    """What `read` finds wrong with its arguments, as a sentence for below a field; empty when nothing."""
    try:
        read(*arguments)
    except HousekeysError as error:
        return f"{error.message} {error.advice}".strip()
    return ""


def name_problem(access: Access, kind: EntityKind, name: str | PolicyName) -> str:
    """Why a new entity cannot have a name."""
    return f"There is a {kind.lower()} of this name already." if name in entities_of(access.model, kind) else ""


def names_hint(names: Sequence[str], what: str) -> str:
    """Which names there are to choose from."""
    if not names:
        return f"There is no {what} yet."
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    return f"Comma-separated. There are: {identifiers(names[:_SHOWN_NAMES])}{more}."


# -- what would come of it


def preview_text(proposal: Proposal, who: Holder | None = None) -> str:
    """The SQL, what it takes, and with `who` what becomes of its effective rights at login."""
    change = proposal.change
    if not change.steps:
        return "Nothing: it is so already."
    lines = [step.preview() for step in change.steps[:_PREVIEWED]]
    if len(change.steps) > _PREVIEWED:
        lines.append(f"and {len(change.steps) - _PREVIEWED:,} more")
    if change.consequences:
        lines += ["", *change.consequences]
    if who is not None:
        lines += ["", *_difference(proposal.plan, who)]
    return "\n".join(lines)


def _difference(plan: Plan, who: Holder) -> list[str]:
    before, after = RightsIndex(plan.current).effective(who), RightsIndex(plan.target).effective(who)
    at_login = _signed(before.active, after.active)
    chosen = [line for line in _signed(before.granted, after.granted) if line not in at_login]
    lines = ["Its effective rights at login:", *_shortened(at_login)] if at_login else []
    lines += ["Its rights after SET ROLE:", *_shortened(chosen)] if chosen else []
    return lines or ["Its effective rights stay as they are: it has, or keeps, the same by other ways."]


def _signed(before: Rights, after: Rights) -> list[str]:
    """What is gained, with a plus, and what is lost. A right that is no longer taken back is gained."""
    old, new = _texts(before), _texts(after)
    gained = sorted(text for taken, text in new - old if not taken)
    gained += sorted(f"{text} (was taken back)" for taken, text in old - new if taken)
    lost = sorted([text for taken, text in old - new if not taken] + [text for taken, text in new - old if taken])
    return [f"  + {text}" for text in gained] + [f"  - {text}" for text in lost]


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _PREVIEWED
    return lines if more <= 0 else [*lines[:_PREVIEWED], f"  and {more:,} more"]


def _texts(rights: Rights) -> set[tuple[bool, str]]:
    """Every right as text, the option to pass it on apart, and whether it is one that is taken back."""
    found: set[tuple[bool, str]] = set()
    for kind, parts in grouped(rights):
        texts = [render_rights((right,)) for right in parts]
        if not (kind.revoked and kind.option):
            found |= {(kind.revoked, text) for text in texts}
        if kind.option:
            found |= {(kind.revoked, f"grant option for {text}") for text in texts}
    return found


# -- the forms


def grant_form(answering: Answering, access: Access, who: Sequence[Holder]) -> Form[Proposal]:
    """Give rights to one or several."""

    def making(values: Values) -> Planning:
        give = entities.grant_current if values["current"] else entities.grant
        rights, option = read_rights(values["rights"], access), bool(values["option"])
        return for_each(
            who,
            lambda now, holder, model: give(
                model, holder, rights, grant_option=option, cluster=now.cluster, storage_types=now.storage_types
            ),
        )

    only_mine = Field("current", "Only what I have", kind="flag",
                      hint="CURRENT GRANTS: what you can pass on of it. For Cloud, where ALL is refused.")  # fmt: skip
    return _rights_form(answering, access, who, f"Grant to {named(who)}", "With grant option", making, only_mine)


def revoke_form(answering: Answering, access: Access, who: Sequence[Holder]) -> Form[Proposal]:
    """Take rights from one or several."""

    def making(values: Values) -> Planning:
        rights, only = read_rights(values["rights"], access), bool(values["option"])
        return for_each(
            who,
            lambda now, holder, model: entities.revoke(
                model, holder, rights, option_only=only, cluster=now.cluster, storage_types=now.storage_types
            ),
        )

    return _rights_form(answering, access, who, f"Revoke from {named(who)}", "Grant option only", making)


def for_each(who: Sequence[Holder], make: Callable[[PresentAccess, Holder, AccessModel], Plan]) -> Planning:
    """The same for each of them, one after the other."""

    def plan(now: PresentAccess) -> Plan:
        return in_turn(now.model, [partial(make, now, holder) for holder in who])

    return plan


def _rights_form(
    answering: Answering, access: Access, who: Sequence[Holder], heading: str, option: str, making: Making, *more: Field
) -> Form[Proposal]:
    async def submit(values: Values) -> Proposal:
        return await answering.propose(making(values))

    async def preview(values: Values) -> str:
        if not values["rights"].strip():
            return ""
        return preview_text(answering.previewed(access, making(values)), alone(who))

    return Form(
        heading,
        (
            Field("rights", "Rights", required=True, check=lambda text: wrong(read_rights, text, access),
                  hint="SELECT, INSERT ON db.*   SELECT(id, at) ON db.orders   ALL ON tenant_*.*",
                  choose=right_choice(answering.session, access.index.privileges)),
            Field("option", option, kind="flag"),
            *more,
        ),
        submit,
        preview,
    )  # fmt: skip


def rename_form(answering: Answering, access: Access, who: Holder | EntityKey) -> Form[Proposal]:
    """Another name."""
    key = EntityKey(who.kind, who.name)
    before = key.name.short if isinstance(key.name, PolicyName) else key.name

    def problem(name: str) -> str:
        taken = replace(key.name, short=name) if isinstance(key.name, PolicyName) else name
        return "It is called so." if name == before else name_problem(access, key.kind, taken)

    def making(values: Values) -> Planning:
        return lambda now: entities.rename(
            now.model, key, values["name"], cluster=now.cluster, storage_types=now.storage_types
        )

    async def submit(values: Values) -> Proposal:
        return await answering.propose(making(values))

    async def preview(values: Values) -> str:
        same = not values["name"].strip() or values["name"] == before
        return "" if same else preview_text(answering.previewed(access, making(values)))

    return Form(
        f"Rename {one_line(title(key), 60)}",
        (Field("name", "New name", before, required=True, check=problem),),
        submit,
        preview,
        intro=_RENAMED.get(key.kind, "It holds for whom it held for before."),
    )


def as_drop(proposal: Proposal, keys: Sequence[EntityKey]) -> Proposal:
    """A plan that drops entities, with what depends on them told; the name, or how many they are, is to be typed."""
    found = (reference for key in keys for reference in dependents(proposal.plan.current, key))
    lost = [dependent_text(reference) for reference in found if reference.source not in keys]
    about = title(keys[0]) if len(keys) == 1 else many(keys)
    names = [f"{one_line(name_text(key.name), 60)} is dropped." for key in keys] if len(keys) > 1 else []
    unnamed = [f"And {len(names) - _SHOWN_NAMES:,} more are dropped."] if len(names) > _SHOWN_NAMES else []
    more = [f"And {len(lost) - _SHOWN_NAMES:,} more depend on it."] if len(lost) > _SHOWN_NAMES else []
    change = replace(
        proposal.change,
        title=one_line(f"Drop {about}", 120),
        danger=Danger.DESTRUCTIVE,
        confirm_name=name_text(keys[0].name) if len(keys) == 1 else about,
        consequences=(*names[:_SHOWN_NAMES], *unnamed, *proposal.change.consequences, *lost[:_SHOWN_NAMES], *more),
    )
    return replace(proposal, change=change)


def dependent_text(reference: Reference) -> str:
    """What something loses with what it names, in a sentence."""
    who = one_line(title(reference.source), 60)
    who = who[0].upper() + who[1:]
    words = {
        "GRANT": "has it as a role",
        "DEFAULT ROLE": "names it among its default roles",
        "GRANTEES": "names it among those it may grant to",
        "TO": "is for it",
        "SETTINGS": "inherits from it",
    }
    return f"{who} {words.get(reference.field, 'names it')}."


def alone(who: Sequence[Holder]) -> Holder | None:
    """The one whose effective rights are shown before and after."""
    return who[0] if len(who) == 1 else None


def named(who: Sequence[Holder]) -> str:
    """One by its name, several by how many they are."""
    keys = [EntityKey(holder.kind, holder.name) for holder in who]
    return one_line(title(keys[0]), 60) if len(keys) == 1 else many(keys)
