"""Moving entities between the access storages of a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey
from core.access.planning import entities
from core.access.planning.clusters import WRITABLE, directory_type
from core.access.planning.plan import title
from core.display import one_line
from tui.screens.form import Form
from tui.screens.grant_forms import preview_text
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal


def writable_storages(session: Session) -> tuple[str, ...]:
    """The access storages of the server that SQL can write to, first the one that a CREATE goes to."""
    directories = session.capabilities.user_directories or ()
    ordered = sorted(directories, key=lambda each: each[2])
    return tuple(name for name, kind, _ in ordered if directory_type(kind) in WRITABLE)


def why_not_move(session: Session, noun: str) -> str:
    """Why a `noun` cannot be moved to another storage; empty when it can."""
    if len(writable_storages(session)) < 2:
        return "There is only one access storage that SQL can write to."
    return session.capabilities.missing(f"create {noun}")


def move_form(answering: Answering, access: Access, key: EntityKey, storages: Sequence[str]) -> Form[Proposal]:
    """Another access storage."""
    former = access.model.storages.get(key, "")
    others = tuple(storage for storage in storages if storage != former)

    def making(values: Values) -> Planning:
        return lambda now: entities.move(
            now.model, key, values["storage"], cluster=now.cluster, storage_types=now.storage_types
        )

    async def submit(values: Values) -> Proposal:
        return await answering.propose(making(values), since=(access, key))

    async def preview(values: Values) -> str:
        return preview_text(answering.previewed(access, making(values)))

    return Form(
        f"Move {one_line(title(key), 60)}",
        (Field("storage", "To storage", others[0], kind="choice", choices=others),),
        submit,
        preview,
        intro=f"It is in {one_line(former, 60)}." if former else "",
    )
