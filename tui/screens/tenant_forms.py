"""The forms of the tenants screen. They ask; `core.tenants` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import count, one_line
from core.errors import BadInputError
from tui.screens.form import Form
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.session import Session
    from core.tenants.model import Tenant
    from core.tenants.requests import TenantRequest

ONE, SEVERAL, FILE = "one", "several", "from a file"
DEFAULT_ENGINE = "the server's default"
KEEP, DROP = "only revoke, keep the data", "drop the database"
LARGEST_FILE = 64 * 1024 * 1024  # bytes
PREVIEWED = 6  # statements of a preview
NAMED = 5


def name_check(journal_database: str) -> Callable[[str], str]:
    """Says what is wrong with a name, as a sentence."""
    from core.tenants.naming import name_problem

    def check(name: str) -> str:
        problem = name_problem(name, journal_database=journal_database)
        return f"It cannot be the name: {problem}." if problem else ""

    return check


def text_fields(given: Tenant | None = None, asked: Callable[[Values], bool] | None = None) -> list[Field]:
    """Owner, contact, ticket and note, as they were `given`."""
    from core.tenants.naming import field_problem

    def checked(name: str) -> Callable[[str], str]:
        def check(text: str) -> str:
            problem = field_problem(name, text)
            return f"It cannot be kept: {problem}." if problem else ""

        return check

    texts = given.texts() if given is not None else {}
    return [
        Field(name, name.capitalize(), texts.get(name, ""), check=checked(name),
              kind="lines" if name == "note" else "text", height=2, shown_if=asked)
        for name in ("owner", "contact", "ticket", "note")
    ]  # fmt: skip


def new_form(session: Session, how: str = ONE) -> Form[Change]:
    """Create one tenant, several, or those in a file."""
    from core.tenants.steps import DatabaseEngine

    def when(*answers: str) -> Callable[[Values], bool]:
        return lambda values: values.get("how") in answers

    engines = (DEFAULT_ENGINE, *(engine.value for engine in DatabaseEngine))

    async def plan(values: Values) -> Change:
        from core.tenants.planning import plan_create

        chosen = values["engine"]
        return await plan_create(
            session.engine,
            session.journal,
            await requests_of(values, session.profile.database),
            datalens_user=session.profile.datalens.user,
            cluster=session.profile.cluster,
            database_engine=None if chosen == DEFAULT_ENGINE else DatabaseEngine(chosen),
        )

    async def preview(values: Values) -> str:
        named = values["name" if values["how"] == ONE else "names" if values["how"] == SEVERAL else "path"]
        return shortened(await plan(values)) if named.strip() else ""

    return Form(
        "New tenant",
        (
            Field("name", "Name", required=True, check=name_check(session.profile.database), shown_if=when(ONE),
                  hint="Of the database. Letters, digits and _ are understood everywhere."),
            Field("names", "Names", kind="lines", required=True, shown_if=when(SEVERAL), height=4,
                  hint="One a line; or CSV with a header: name, owner, contact, ticket, note."),
            Field("path", "File", required=True, shown_if=when(FILE),
                  hint="One name a line; or CSV with a header: name, owner, contact, ticket, note."),
            Field("how", "Create", how, kind="choice", choices=(ONE, SEVERAL, FILE)),
            *text_fields(asked=when(ONE)),
            Field("engine", "Engine", DEFAULT_ENGINE, kind="choice", choices=engines),
        ),
        plan,
        preview,
    )  # fmt: skip


async def requests_of(values: Values, journal_database: str) -> Sequence[TenantRequest]:
    """The tenants that the form asks for. Raises BadInputError."""
    from core.tenants.requests import TEXT_FIELDS, TenantRequest, read_requests

    if values["how"] == ONE:
        return (TenantRequest(values["name"], **{field: values[field] for field in TEXT_FIELDS}),)
    if values["how"] == SEVERAL:
        return read_requests(values["names"], "The list", journal_database=journal_database)
    path = await asyncio.to_thread(Path(values["path"].strip()).expanduser)
    content = await asyncio.to_thread(read_file, path, LARGEST_FILE)
    return await asyncio.to_thread(lambda: read_requests(content, str(path), journal_database=journal_database))


def read_file(path: Path, largest: int) -> bytes:
    """What `path` holds. Raises BadInputError when it cannot be read, or has more than `largest` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no name of a file"
        raise BadInputError(f"{one_line(str(path), 200)} cannot be read: {reason}.") from error
    if len(content) > largest:
        raise BadInputError(f"{one_line(str(path), 200)} is larger than {count(largest)} bytes.")
    return content


def shortened(change: Change) -> str:
    """What `change` would do, in so many lines that they fit under a form."""
    if not change.steps:
        return "\n".join((f"{change.title}.", *change.consequences))
    lines = [step.preview() for step in change.steps[:PREVIEWED]]
    if len(change.steps) > PREVIEWED:
        lines.append(f"and {count(len(change.steps) - PREVIEWED)} more")
    if change.consequences:
        lines += ["", *change.consequences]
    return "\n".join(lines)


def adopt_form(session: Session, names: Sequence[str]) -> Form[Change]:
    """Make tenants of databases; what is noted holds for each of them."""

    async def plan(values: Values) -> Change:
        from core.tenants.planning import plan_adopt
        from core.tenants.requests import TEXT_FIELDS, TenantRequest

        texts = {field: values[field] for field in TEXT_FIELDS}
        return await plan_adopt(
            session.engine,
            session.journal,
            [TenantRequest(name, **texts) for name in names],
            datalens_user=session.profile.datalens.user,
            cluster=session.profile.cluster,
        )

    async def preview(values: Values) -> str:
        return shortened(await plan(values))

    named = ", ".join(one_line(name, 60) for name in names[:NAMED])
    more = f" and {count(len(names) - NAMED)} more" if len(names) > NAMED else ""
    title = f"Adopt {one_line(names[0], 60)}" if len(names) == 1 else f"Adopt {count(len(names))} databases"
    intro = "" if len(names) == 1 else f"{named}{more}. What is noted here is noted for each."
    return Form(title, text_fields(), plan, preview, intro=intro)


def describe_form(session: Session, tenant: Tenant) -> Form[Change]:
    """Owner, contact, ticket and note of a tenant."""

    async def plan(values: Values) -> Change:
        from core.tenants.planning import plan_describe

        return await plan_describe(
            session.engine, session.journal, tenant.name, datalens_user=session.profile.datalens.user, **values
        )

    return Form(f"Edit {one_line(tenant.name, 60)}", text_fields(tenant), plan, button="Save")


def remove_form(session: Session, tenant: Tenant) -> Form[Change]:
    """End a tenant: what is kept is asked first, and what would be lost is shown."""

    async def plan(values: Values) -> Change:
        from core.tenants.removal import plan_remove

        return await plan_remove(
            session.engine,
            session.journal,
            tenant.name,
            datalens_user=session.profile.datalens.user,
            cluster=session.profile.cluster,
            only_revoke=values["what"] == KEEP,
        )

    async def preview(values: Values) -> str:
        change = await plan(values)
        return "\n".join((*change.consequences, "", change.preview()))

    return Form(
        f"Remove {one_line(tenant.name, 60)}",
        (Field("what", "Do what", KEEP, kind="choice", choices=(KEEP, DROP),
               hint="A dropped database does not come back. To drop it, its name has to be typed."),),
        plan,
        preview,
        intro="The tenant ends: DataLens can no longer read the database.",
        preview_title="This would happen:",
    )  # fmt: skip
