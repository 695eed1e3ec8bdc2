"""The forms that quotas, settings profiles and row policies have in common: whom they are for, another storage."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.access.access_model import AccessModel, EntityKey
from core.access.difference_fields import Entity, entity
from core.access.effective.subjects import Subject, subjects_of
from core.access.entity_options import read_clause
from core.access.model import NOBODY, EntityKind, NameSet
from core.access.planning import entities
from core.access.planning.plan import Plan, title
from core.access.policies import MaskingPolicy, RowPolicy
from core.access.quotas import Quota
from core.access.redefining import (
    masking_policy_definition,
    profile_definition,
    quota_definition,
    row_policy_definition,
)
from core.access.render import render
from core.access.render_grants import name_set
from core.access.settings_profiles import SettingsProfile
from core.display import one_line
from core.errors import BadInputError, NotFoundError
from tui.screens.access_reading import with_consequences
from tui.screens.access_words import identifiers, shown_names
from tui.screens.form import Form
from tui.screens.grant_choosing import names_choice
from tui.screens.grant_forms import preview_text, wrong
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access.model import Statement
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal

_SHOWN_NAMES = 10
_MOST_COMPARED = 2000  # names that one is compared with at every key, to tell which was meant
Telling = Callable[[Plan, EntityKey], Sequence[str]]  # what a plan means for users, in sentences
Reading = Callable[[Values, AccessModel], Entity]  # from what was typed to the entity that is desired


# -- what is there


def found(model: AccessModel, key: EntityKey) -> Any:
    """The entity with this key. Raises NotFoundError."""
    there = entity(model, key)
    if there is None:
        raise NotFoundError(f"There is no {one_line(title(key), 60)} any more.")
    return there


def definition_text(access: Access, key: EntityKey) -> str:
    """The statement that makes an entity what it is."""
    there = found(access.model, key)
    statement: Statement
    match there:
        case Quota():
            statement = quota_definition(there)
        case SettingsProfile():
            statement = profile_definition(there)
        case RowPolicy():
            statement = row_policy_definition(there)
        case MaskingPolicy():
            statement = masking_policy_definition(there)
        case _:
            raise TypeError(f"no definition of a {type(there).__name__}")
    return one_line(render(statement))


# -- whom it is for


def read_to(kind: EntityKind, text: str, model: AccessModel) -> NameSet:
    """`anna, analyst`, `ALL EXCEPT etl` or nothing as a set of users and roles that are there.

    Raises BadInputError, and NotFoundError for who is not there.
    """
    return check_there(read_clause(kind, "To", "TO", text, "to").to, model) if text.strip() else NOBODY


def check_there(names: NameSet, model: AccessModel) -> NameSet:
    """`names`, all of which are there. Raises NotFoundError, and BadInputError for CURRENT_USER."""
    if names.current_user:
        raise BadInputError("CURRENT_USER is whoever runs the statement.", advice="Write the name of the user.")
    for name in (*names.names, *names.excepted):
        if name not in model.users and name not in model.roles:
            there = (*model.users, *model.roles)
            near = difflib.get_close_matches(name, there, 1) if len(there) <= _MOST_COMPARED else []
            hint = f"Did you mean {near[0]}?" if near else ""
            raise NotFoundError(f"There is no user or role {one_line(name, 60)}.", advice=hint)
    return names


def to_field(access: Access, kind: EntityKind, to: NameSet, nobody: str) -> Field:
    """Asks whom it is for; `nobody` says what an empty one means."""
    model = access.model
    names = [*sorted(model.roles), *sorted(model.users)]
    more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
    there = f"There are: {identifiers(names[:_SHOWN_NAMES])}{more}."
    return Field("to", "To", "" if to == NOBODY else name_set(to), check=lambda text: wrong(read_to, kind, text, model),
                 hint=f"Users and roles, ALL, or ALL EXCEPT a, b. Empty: {nobody}. {there}",
                 choose=names_choice(names, "a user or role"))  # fmt: skip


def subjects_lines(plan: Plan, key: EntityKey) -> list[str]:
    """The users for whom an entity holds after a plan and did not before, and the other way round, as sentences."""
    before, after = _subjects(plan.current, key), _subjects(plan.target, key)
    gained = [user for user in after if user not in before]
    lost = [user for user in before if user not in after]
    lines = [f"It then holds for {shown_names(gained)}."] if gained else []
    lines += [f"It then no longer holds for {shown_names(lost)}."] if lost else []
    if not gained and not lost and after:
        lines.append(f"It holds for {shown_names(list(after))}.")
    return lines or ["It holds for no user."]


def _subjects(model: AccessModel, key: EntityKey) -> dict[str, Subject]:
    there: Any = entity(model, key)
    if there is None:
        return {}
    return {subject.user: subject for subject in subjects_of(model, {key: there.to})[key]}


# -- forms


def limit_preview(proposal: Proposal, key: EntityKey, telling: Telling) -> str:
    """The SQL, what it takes, and what it means for users."""
    text = preview_text(proposal)
    if not proposal.change.steps:
        return text
    lines = [*text.split("\n"), *telling(proposal.plan, key)]
    return "\n".join(filter(None, lines))  # there is little room for it beside many fields


def creation_form(
    answering: Answering,
    access: Access,
    heading: str,
    fields: Sequence[Field],
    read: Reading,
    storages: Sequence[str],
    ready: Callable[[Values], bool] = lambda values: bool(values["name"].strip()),
    telling: Telling = subjects_lines,
) -> Form[Proposal]:
    """A new entity. `ready` says whether enough was typed for a preview."""

    def making(values: Values) -> Planning:
        chosen = values.get("storage", "")
        storage = "" if storages and chosen == storages[0] else chosen
        return lambda now: entities.create(now.model, read(values, now.model), storage=storage, cluster=now.cluster)

    async def submit(values: Values) -> Proposal:
        return await asyncio.to_thread(_told, await answering.propose(making(values)), None, telling)

    async def preview(values: Values) -> str:
        if not ready(values):
            return ""
        return await asyncio.to_thread(_previewed, answering, access, making(values), None, telling)

    name, *others = fields
    return Form(heading, (name, *_storage_fields(storages), *others), submit, preview, docked=True)


def alteration_form(
    answering: Answering,
    access: Access,
    key: EntityKey,
    fields: Sequence[Field],
    read: Reading,
    heading: str = "Edit",
    telling: Telling = subjects_lines,
) -> Form[Proposal]:
    """What an entity is."""

    def making(values: Values) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            found(now.model, key)
            changed = read(values, now.model)
            return entities.alter(now.model, changed, cluster=now.cluster, storage_types=now.storage_types)

        return plan

    async def submit(values: Values) -> Proposal:
        proposal = await answering.propose(making(values), since=(access, key))
        return await asyncio.to_thread(_told, proposal, key, telling)

    async def preview(values: Values) -> str:
        return await asyncio.to_thread(_previewed, answering, access, making(values), key, telling)

    return Form(f"{heading} {one_line(title(key), 60)}", fields, submit, preview, docked=True)


def _told(proposal: Proposal, key: EntityKey | None, telling: Telling) -> Proposal:
    """The change with what it means for users among what is said before it is confirmed."""
    touched = proposal.plan.touched
    return with_consequences(proposal, *telling(proposal.plan, key or touched[0])) if touched else proposal


def _previewed(answering: Answering, access: Access, make: Planning, key: EntityKey | None, telling: Telling) -> str:
    proposal = answering.previewed(access, make)
    touched = proposal.plan.touched
    return limit_preview(proposal, key or touched[0], telling) if touched else preview_text(proposal)


def _storage_fields(storages: Sequence[str]) -> tuple[Field, ...]:
    if len(storages) < 2:
        return ()
    return (Field("storage", "Storage", storages[0], kind="choice", choices=tuple(storages)),)


def to_form(answering: Answering, access: Access, key: EntityKey, telling: Telling = subjects_lines) -> Form[Proposal]:
    """Whom an entity is for, and nothing else."""
    before = found(access.model, key)

    def read(values: Values, model: AccessModel) -> Entity:
        changed: Entity = replace(found(model, key), to=read_to(key.kind, values["to"], model))
        return changed

    fields = (to_field(access, key.kind, before.to, "for nobody"),)
    return alteration_form(answering, access, key, fields, read, heading="Whom is it for:", telling=telling)
