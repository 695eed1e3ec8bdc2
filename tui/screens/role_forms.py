"""The forms about roles: create, edit, clone one; give them to users and roles, or take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import EntityKind, Grant, Role
from core.access.planning import entities
from core.access.planning.plan import Plan
from core.display import one_line
from core.errors import BadInputError, NotFoundError
from tui.screens.access_reading import with_consequences
from tui.screens.access_words import identifiers
from tui.screens.form import Form
from tui.screens.grant_choosing import names_choice, right_choice
from tui.screens.grant_forms import (
    for_each,
    name_problem,
    named,
    names_hint,
    preview_text,
    read_names,
    read_rights,
    wrong,
)
from tui.screens.holder_warnings import previewed, warnings_about
from tui.screens.settings_fields import profile_field, settings_field, typed_settings
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal

GIVE, TAKE, OPTION_ONLY = "give", "take", "take the admin option only"


def new_form(answering: Answering, access: Access) -> Form[Proposal]:
    """A new role, with its first rights."""

    def making(values: Values) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            rights = read_rights(values["rights"], access) if values["rights"].strip() else ()
            given = (Grant(rights),) if rights else ()
            held = {name: False for name in _known(values["roles"], now.model.roles)}
            role = Role(values["name"], typed_settings((), values, now.model))
            return entities.create(now.model, role, rights=given, roles=held, cluster=now.cluster)

        return plan

    async def submit(values: Values) -> Proposal:
        return await _told(answering, await answering.propose(making(values)), Holder(EntityKind.ROLE, values["name"]))

    async def preview(values: Values) -> str:
        if not values["name"].strip():
            return ""
        return await previewed(answering, access, making(values), Holder(EntityKind.ROLE, values["name"]))

    model = access.model
    return Form(
        "New role",
        (
            Field("name", "Name", required=True, check=lambda name: name_problem(access, EntityKind.ROLE, name)),
            Field("rights", "Rights", check=lambda text: wrong(read_rights, text, access),
                  hint="SELECT, INSERT ON db.*   SELECT(id, at) ON db.orders",
                  choose=right_choice(answering.session, access.index.privileges)),
            Field("roles", "Holds roles", check=lambda text: wrong(_known, text, model.roles),
                  hint=names_hint(sorted(model.roles), "role"), choose=names_choice(sorted(model.roles), "a role")),
            profile_field(model, ()),
            settings_field(()),
        ),
        submit,
        preview,
        docked=True,
    )  # fmt: skip


def edit_form(answering: Answering, access: Access, who: Holder) -> Form[Proposal]:
    """The settings profile of a role, and its settings."""
    key = EntityKey(EntityKind.ROLE, who.name)
    before = access.model.roles[who.name]

    def making(values: Values) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            changed = replace(before, settings=typed_settings(before.settings, values, now.model))
            return entities.alter(now.model, changed, cluster=now.cluster, storage_types=now.storage_types)

        return plan

    async def submit(values: Values) -> Proposal:
        return await _told(answering, await answering.propose(making(values), since=(access, key)), who)

    async def preview(values: Values) -> str:
        return await previewed(answering, access, making(values), who)

    fields = (profile_field(access.model, before.settings), settings_field(before.settings))
    return Form(f"Edit role {one_line(who.name, 60)}", fields, submit, preview)


def clone_form(answering: Answering, access: Access, who: Holder) -> Form[Proposal]:
    """A role like another one, which nobody has yet."""

    def making(values: Values) -> Planning:
        return lambda now: entities.clone_role(now.model, who.name, values["name"], cluster=now.cluster)

    async def submit(values: Values) -> Proposal:
        return await answering.propose(making(values))

    async def preview(values: Values) -> str:
        return preview_text(answering.previewed(access, making(values))) if values["name"].strip() else ""

    return Form(
        f"Clone role {one_line(who.name, 60)}",
        (Field("name", "New name", required=True, check=lambda name: name_problem(access, EntityKind.ROLE, name)),),
        submit,
        preview,
        intro="The new one has its rights, roles and settings. Nobody has it yet.",
    )


def roles_form(answering: Answering, access: Access, who: Sequence[Holder]) -> Form[Proposal]:
    """Give or take roles, of one or several."""
    held = sorted({role for holder in who for role in access.model.granted_roles.get(holder, {})})

    def making(values: Values) -> Planning:
        names, what, admin = read_names(values["roles"]), values["what"], bool(values.get("admin"))

        def plan(now: PresentAccess, holder: Holder, model: AccessModel) -> Plan:
            cluster, types = now.cluster, now.storage_types
            if what == GIVE:
                return entities.grant_roles(
                    model, holder, names, admin_option=admin, cluster=cluster, storage_types=types
                )
            missing = [name for name in names if name not in model.granted_roles.get(holder, {})]
            if missing:
                raise BadInputError(f"{named([holder])} was not granted the role {one_line(missing[0], 60)} itself.")
            only = what == OPTION_ONLY
            return entities.revoke_roles(model, holder, names, option_only=only, cluster=cluster, storage_types=types)

        return for_each(who, plan)

    async def submit(values: Values) -> Proposal:
        return await _told(answering, await answering.propose(making(values)), *who)

    async def preview(values: Values) -> str:
        if not values["roles"].strip():
            return ""
        return await previewed(answering, access, making(values), *who, with_rights=True)

    others = sorted(name for name in access.model.roles if Holder(EntityKind.ROLE, name) not in who)
    has = "It has" if len(who) == 1 else "They have"
    return Form(
        f"Roles of {named(who)}",
        (
            Field("what", "Do", GIVE, kind="choice", choices=(GIVE, TAKE, OPTION_ONLY) if held else (GIVE,)),
            Field("roles", "Roles", required=True, check=lambda text: wrong(read_names, text),
                  hint=names_hint(others, "role"), choose=names_choice(others, "a role")),
            Field("admin", "With admin option", kind="flag", shown_if=lambda values: values.get("what") == GIVE,
                  hint="It may pass the role on."),
        ),
        submit,
        preview,
        intro=f"{has}: {identifiers(held)}" if held else f"{has} no role yet.",
        docked=True,
    )  # fmt: skip


async def _told(answering: Answering, proposal: Proposal, *who: Holder) -> Proposal:
    """The same with what is to be known about them."""
    return with_consequences(proposal, *await warnings_about(answering.session.engine, proposal.plan, *who))


def _known(text: str, there: Mapping[str, object]) -> tuple[str, ...]:
    names = read_names(text)
    for name in names:
        if name not in there:
            raise NotFoundError(f"There is no role {one_line(name, 60)}.")
    return names
