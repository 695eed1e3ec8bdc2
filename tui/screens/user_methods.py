"""The form about how a user signs in: one way in the place of all, one more, one less, and when each ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey, Holder
from core.access.model import AlterUser, Authentication, EntityKind, User
from core.access.planning import entities
from core.access.planning.methods import UnknownSecretError, identified
from core.access.planning.plan import Plan
from core.access.user_changes import altered_user
from core.display import one_line
from core.errors import RefusedError
from tui.screens.access_words import kind_word
from tui.screens.form import Form
from tui.screens.grant_forms import wrong
from tui.screens.holder_warnings import previewed
from tui.screens.user_fields import common_end, read_until, with_end
from tui.screens.user_method_fields import method_fields, new_method, shown_method
from tui.screens.user_sending import WithPassword, proposed
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning

REPLACE, ADD = "in place of all", "add one"
NEWEST, REMOVE, END = "keep the newest", "take one away", "change an end"
_NEW = (REPLACE, ADD)  # those that ask for a method
_OF_ONE = (REMOVE, END)  # those that ask which of the methods there are


def methods_form(answering: Answering, access: Access, who: Holder) -> Form[WithPassword]:
    """How a user signs in, and until when."""
    key = EntityKey(EntityKind.USER, who.name)
    before = access.model.users[who.name]

    def making(values: Values, method: Authentication | None) -> Planning:
        changed, replaced = changed_methods(before, values, method), values["do"] == REPLACE

        def plan(now: PresentAccess) -> Plan:
            try:
                identified(before, changed, new_secrets=replaced)
            except UnknownSecretError as error:
                raise RefusedError(
                    f"That writes every way to sign in anew, and {one_line(str(error), 100)}.",
                    advice="Add one, then keep the newest.",
                ) from None
            return entities.alter(
                now.model, changed, new_secret=replaced, cluster=now.cluster, storage_types=now.storage_types
            )

        return plan

    async def submit(values: Values) -> WithPassword:
        new = await asyncio.to_thread(new_method, values, who.name) if values["do"] in _NEW else None
        make = making(values, None if new is None else new.method)
        return await proposed(answering, make, who.name, new, since=(access, key))

    async def preview(values: Values) -> str:
        method = shown_method(values) if values["do"] in _NEW else None
        return await previewed(answering, access, making(values, method), who)

    return Form(
        f"Sign-in of user {one_line(who.name, 60)}",
        _fields(before),
        submit,
        preview,
        intro=f"It has: {'; '.join(numbered_methods(before)) or 'no way in'}.",
        docked=True,
    )


def _fields(user: User) -> tuple[Field, ...]:
    def when(*do: str) -> Callable[[Values], bool]:
        return lambda values: values.get("do") in do

    several, there = len(user.methods) > 1, bool(user.methods)
    choices = (*_NEW, *((NEWEST, REMOVE) if several else ()), *((END,) if there else ()))
    hints = {ADD: "the others stay", NEWEST: "the others go"}
    hint = "; ".join(f"{word}: {hints[word]}" for word in choices if word in hints)
    which = Field("which", "Which", kind="choice", choices=numbered_methods(user), shown_if=when(*_OF_ONE))
    return (
        Field("do", "Do", REPLACE, kind="choice", choices=choices, hint=f"{hint}."),
        *((which,) if there else ()),
        *method_fields(keep=False, none=False, asked=when(*_NEW)),
        Field("until", "Valid until", common_end(user.methods), check=lambda text: wrong(read_until, text),
              shown_if=when(*_NEW, END), hint="Of this one: 2027-01-31, or with the time; empty: no end."),
    )  # fmt: skip


def numbered_methods(user: User) -> tuple[str, ...]:
    """The methods of a user by number, the newest last."""
    return tuple(
        f"{number} {kind_word(method.kind)}{_end(method)}" for number, method in enumerate(user.methods, start=1)
    )


def _end(method: Authentication) -> str:
    return f" until {method.valid_until.removesuffix(' 00:00:00')}" if method.valid_until else ""


def changed_methods(user: User, values: Values, method: Authentication | None) -> User:
    """The user with what was asked for done to its methods. `method` is the new one, where there is one."""
    new = () if method is None else with_end((method,), read_until(values["until"]))
    do = values["do"]
    if do == REPLACE:
        return replace(user, methods=new)
    if do == ADD:
        return altered_user(user, AlterUser((user.name,), methods=new, add_methods=True))
    if do == NEWEST:
        return altered_user(user, AlterUser((user.name,), reset_methods=True))
    place = numbered_methods(user).index(values["which"])
    one, rest = user.methods[place : place + 1], user.methods[place + 1 :]
    left = with_end(one, read_until(values["until"])) if do == END else ()
    return replace(user, methods=(*user.methods[:place], *left, *rest))
