"""The form about how a user signs in: one way in the place of all, one more, one less; when each ends, its limits."""

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
from tui.screens.user_method_fields import chosen_kind, method_fields, new_method, shown_method
from tui.screens.user_method_grants import grants_field, knows_grants, takes_grants, with_grants
from tui.screens.user_sending import WithPassword, proposed
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from core.session import Session
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning

REPLACE, ADD = "in place of all", "add one"
NEWEST, REMOVE, END, LIMIT = "keep the newest", "take one away", "change an end", "change grants"
_NONE: tuple[Authentication, ...] = ()
_NEW = (REPLACE, ADD)  # those that ask for a method
_OF_ONE = (REMOVE, END)  # those that ask which of the methods there are; LIMIT, which of those that can be limited


def methods_form(answering: Answering, access: Access, who: Holder) -> Form[WithPassword]:
    """How a user signs in, and until when."""
    key = EntityKey(EntityKind.USER, who.name)
    before = access.model.users[who.name]

    def making(values: Values, method: Authentication | None) -> Planning:
        changed, replaced = changed_methods(before, values, method, access), values["do"] == REPLACE

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
        _fields(before, access, answering.session),
        submit,
        preview,
        intro=f"It has: {'; '.join(numbered_methods(before)) or 'no way in'}.",
        docked=True,
    )


def _fields(user: User, access: Access, session: Session) -> tuple[Field, ...]:
    def when(*do: str) -> Callable[[Values], bool]:
        return lambda values: values.get("do") in do

    several, there = len(user.methods) > 1, bool(user.methods)
    limits = _limit_fields(user, access, session)
    choices = (*_NEW, *((NEWEST, REMOVE) if several else ()), *((END,) if there else ()), *((LIMIT,) if limits else ()))
    hints = {ADD: "the others stay", NEWEST: "the others go"}
    hint = "; ".join(f"{word}: {hints[word]}" for word in choices if word in hints)
    which = Field("which", "Which", kind="choice", choices=numbered_methods(user), shown_if=when(*_OF_ONE))

    def can_be_limited(values: Values) -> bool:
        return when(*_NEW)(values) and takes_grants(chosen_kind(values))

    return (
        Field("do", "Do", REPLACE, kind="choice", choices=choices, hint=f"{hint}."),
        *((which,) if there else ()),
        *method_fields(keep=False, none=False, asked=when(*_NEW)),
        Field("until", "Valid until", common_end(user.methods), check=lambda text: wrong(read_until, text),
              shown_if=when(*_NEW, END), hint="Of this one: 2027-01-31, or with the time; empty: no end."),
        *((grants_field("grants", session, access, can_be_limited),) if knows_grants(session) else ()),
        *limits,
    )  # fmt: skip


def _limit_fields(user: User, access: Access, session: Session) -> tuple[Field, ...]:
    """Which of the methods there are, and a field for the grants of each; nothing where none can be limited."""
    methods = {
        f"grants.{number}": (word, method)
        for number, (word, method) in enumerate(zip(numbered_methods(user), user.methods, strict=True), start=1)
        if takes_grants(method.kind)
    }
    if not methods or not knows_grants(session):
        return ()

    def about(word: str) -> Callable[[Values], bool]:
        return lambda values: values.get("do") == LIMIT and values.get("limited") == word

    words = tuple(word for word, _ in methods.values())
    return (
        Field("limited", "Which", words[0], kind="choice", choices=words,
              shown_if=lambda values: values.get("do") == LIMIT),
        *(grants_field(name, session, access, about(word), method.grants) for name, (word, method) in methods.items()),
    )  # fmt: skip


def numbered_methods(user: User) -> tuple[str, ...]:
    """The methods of a user by number, the newest last."""
    return tuple(
        f"{number} {kind_word(method.kind)}{_end(method)}{', limited' if method.grants is not None else ''}"
        for number, method in enumerate(user.methods, start=1)
    )


def _end(method: Authentication) -> str:
    return f" until {method.valid_until.removesuffix(' 00:00:00')}" if method.valid_until else ""


def changed_methods(user: User, values: Values, method: Authentication | None, access: Access) -> User:
    """The user with what was asked for done to its methods. `method` is the new one, where there is one."""
    new = _NONE
    if method is not None:
        limited = with_grants(method, values.get("grants", ""), access)
        new = with_end((limited,), read_until(values["until"]))
    do = values["do"]
    if do == REPLACE:
        return replace(user, methods=new)
    if do == ADD:
        return altered_user(user, AlterUser((user.name,), methods=new, add_methods=True))
    if do == NEWEST:
        return altered_user(user, AlterUser((user.name,), reset_methods=True))
    place = numbered_methods(user).index(values["limited" if do == LIMIT else "which"])
    one, left = user.methods[place], _NONE
    if do == END:
        left = with_end((one,), read_until(values["until"]))
    elif do == LIMIT:
        left = (with_grants(one, values[f"grants.{place + 1}"], access),)
    return replace(user, methods=(*user.methods[:place], *left, *user.methods[place + 1 :]))
