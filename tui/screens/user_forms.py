"""The forms of the users screen: create, edit, clone, enable."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import EVERYONE, Authentication, EntityKind, Hosts, NameSet, User
from core.access.model_changes import with_entity
from core.access.planning import entities
from core.access.planning.plan import Plan
from core.access.planning.planner import plan as plan_models
from core.display import one_line
from core.errors import NotFoundError, RefusedError
from tui.screens.access_words import identifiers
from tui.screens.form import Form
from tui.screens.grant_choosing import names_choice
from tui.screens.grant_forms import name_problem, names_hint, preview_text, read_names, wrong
from tui.screens.holder_warnings import previewed
from tui.screens.settings_fields import profile_field, settings_field, typed_settings
from tui.screens.user_fields import (
    common_end,
    read_grantees,
    read_hosts,
    read_until,
    with_end,
    written_grantees,
    written_hosts,
)
from tui.screens.user_method_fields import KEPT, method_fields, new_method, shown_method
from tui.screens.user_sending import WithPassword, proposed
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal

ALL_ROLES, NO_ROLES = "all", "none"
_UNTIL = "2027-01-31, or with the time. Empty: it does not end."
_UNTIL_OF_ALL = "Its ways in end at different times (p on the table); what is typed here holds for all of them."


def new_form(answering: Answering, access: Access, roles: tuple[str, ...] = ()) -> Form[WithPassword]:
    """A new user. `roles` are those that the form begins with."""

    def making(values: Values, method: Authentication) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            user, held = _defined(now.model, User(values["name"], (method,)), values)
            return entities.create(now.model, user, roles=held, cluster=now.cluster)

        return plan

    async def submit(values: Values) -> WithPassword:
        new = await asyncio.to_thread(new_method, values, values["name"])
        return await proposed(answering, making(values, new.method), values["name"], new)

    async def preview(values: Values) -> str:
        return await previewed(answering, access, making(values, shown_method(values)), _named(values))

    return Form(
        "New user",
        (
            Field("name", "Name", required=True, check=lambda name: name_problem(access, EntityKind.USER, name)),
            *method_fields(keep=False),
            *_fields(access, User(""), roles),
        ),
        submit,
        preview,
        docked=True,
    )


def edit_form(answering: Answering, access: Access, who: Holder) -> Form[WithPassword]:
    """What a user is, all but its rights."""
    key = EntityKey(EntityKind.USER, who.name)
    before = access.model.users[who.name]

    def making(values: Values, method: Authentication | None) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            user = now.model.users.get(who.name)
            if user is None:
                raise NotFoundError(f"There is no user {one_line(who.name, 60)} any more.")
            changed = user if method is None else replace(user, methods=(method,))
            changed, roles = _defined(now.model, changed, values)
            desired = with_entity(now.model, changed)
            desired = replace(desired, granted_roles={**desired.granted_roles, who: roles})
            return _planned(now, desired, new_secrets=set() if method is None else {who.name})

        return plan

    async def submit(values: Values) -> WithPassword:
        new = None if values["how"] == KEPT else await asyncio.to_thread(new_method, values, who.name)
        make = making(values, None if new is None else new.method)
        return await proposed(answering, make, who.name, new, since=(access, key))

    async def preview(values: Values) -> str:
        method = None if values["how"] == KEPT else shown_method(values)
        return await previewed(answering, access, making(values, method), who, with_rights=True)

    roles = tuple(sorted(access.model.granted_roles.get(who, {})))
    fields = (*_fields(access, before, roles), *method_fields(keep=True))
    return Form(f"Edit user {one_line(who.name, 60)}", fields, submit, preview, docked=True)


def _fields(access: Access, user: User, roles: tuple[str, ...] = ()) -> tuple[Field, ...]:
    model = access.model
    default = user.default_roles
    return (
        Field("hosts", "Hosts", written_hosts(user.hosts), required=True, check=lambda text: wrong(read_hosts, text),
              hint="any, none, local, or: 10.0.0.0/8, 192.0.2.7, etl.example"),
        Field("roles", "Roles", identifiers(roles), check=lambda text: wrong(_known_roles, text, model),
              hint=names_hint(sorted(model.roles), "role"), choose=names_choice(sorted(model.roles), "a role")),
        Field("default", "At login", _default_text(default), check=lambda text: wrong(_default_roles, text),
              hint="all, none, or those of the roles that are in force at login."),
        Field("database", "Database", user.default_database, hint="Where a session begins. Empty: the server's."),
        profile_field(model, user.settings),
        Field("until", "Valid until", common_end(user.methods), check=lambda text: wrong(read_until, text),
              hint=_UNTIL if len({method.valid_until for method in user.methods}) < 2 else _UNTIL_OF_ALL),
        Field("grantees", "May grant to", written_grantees(user.grantees),
              check=lambda text: wrong(read_grantees, text, model),
              hint="any, none, any EXCEPT anna, or users and roles with commas.",
              choose=names_choice([*sorted(model.roles), *sorted(model.users)], "a user or role")),
        settings_field(user.settings),
    )  # fmt: skip


def _named(values: Values) -> Holder:
    return Holder(EntityKind.USER, values["name"])


def _defined(model: AccessModel, user: User, values: Values) -> tuple[User, Mapping[str, bool]]:
    """`user` with what was typed about it, and its roles, each as it was granted."""
    names = _known_roles(values["roles"], model)
    held = model.granted_roles.get(Holder(EntityKind.USER, user.name), {})
    until = read_until(values["until"])
    alike = until == common_end(user.methods)  # methods with different ends stay so when no end was typed
    changed = replace(
        user,
        methods=user.methods if alike else with_end(user.methods, until),
        hosts=read_hosts(values["hosts"]),
        default_roles=_default_roles(values["default"]),
        default_database=values["database"].strip(),
        grantees=read_grantees(values["grantees"], model),
        settings=typed_settings(user.settings, values, model),
    )
    return changed, {name: held.get(name, False) for name in names}


def _known_roles(text: str, model: AccessModel) -> tuple[str, ...]:
    names = read_names(text)
    for name in names:
        if name not in model.roles:
            raise NotFoundError(f"There is no role {one_line(name, 60)}.")
    return names


def _default_text(names: NameSet) -> str:
    if names.everyone:
        return f"all EXCEPT {identifiers(names.excepted)}" if names.excepted else ALL_ROLES
    return identifiers(names.names) or NO_ROLES


def _default_roles(text: str) -> NameSet:
    words = text.strip()
    if not words or words.lower() == ALL_ROLES:
        return EVERYONE
    if words.lower() == NO_ROLES:
        return NameSet()
    if words.upper().startswith("ALL EXCEPT "):
        return NameSet(everyone=True, excepted=read_names(words[len("ALL EXCEPT ") :]))
    return NameSet(read_names(words))


def _planned(now: PresentAccess, desired: AccessModel, *, new_secrets: set[str]) -> Plan:
    made = plan_models(
        now.model,
        desired,
        exact=True,
        cluster=now.cluster,
        new_secrets=new_secrets,
        storage_types=now.storage_types,
    )
    if made.refusals:
        raise RefusedError(made.refusals[0].why)
    return made


def clone_form(answering: Answering, access: Access, who: Holder) -> Form[WithPassword]:
    """A user like another one, with a name and a password of its own."""

    def making(values: Values, method: Authentication) -> Planning:
        return lambda now: entities.clone_user(now.model, who.name, values["name"], (method,), cluster=now.cluster)

    async def submit(values: Values) -> WithPassword:
        new = await asyncio.to_thread(new_method, values, values["name"])
        return await proposed(answering, making(values, new.method), values["name"], new)

    async def preview(values: Values) -> str:
        return await previewed(answering, access, making(values, shown_method(values)), _named(values))

    return Form(
        f"Clone user {one_line(who.name, 60)}",
        (
            Field("name", "New name", required=True, check=lambda name: name_problem(access, EntityKind.USER, name)),
            *method_fields(keep=False, none=False),
        ),
        submit,
        preview,
        intro="The new one has its hosts, roles, rights, settings and limits, and a way to sign in of its own.",
        docked=True,
    )


def enable_form(answering: Answering, access: Access, who: Holder, remembered: Hosts | None) -> Form[Proposal]:
    """Let a disabled user in again, from where it came before if that is known."""

    def making(values: Values) -> Planning:
        return lambda now: entities.enable(
            now.model,
            who.name,
            read_hosts(values["hosts"]),
            cluster=now.cluster,
            storage_types=now.storage_types,
        )

    async def submit(values: Values) -> Proposal:
        return await answering.propose(making(values))

    async def preview(values: Values) -> str:
        return preview_text(answering.previewed(access, making(values)))

    known = "It came from there before it was disabled." if remembered is not None else ""
    hosts = written_hosts(remembered) if remembered is not None else ""
    return Form(
        f"Enable user {one_line(who.name, 60)}",
        (
            Field("hosts", "Hosts", hosts, required=True, check=lambda text: wrong(read_hosts, text),
                  hint=known or "From where it may come: any, local, or 10.0.0.0/8, etl.example"),
        ),
        submit,
        preview,
    )  # fmt: skip
