"""The forms of the listing screen. They ask; `core.datalens` decides."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import count
from core.errors import BadInputError
from tui.screens.form import Form
from tui.screens.tenant_forms import read_file
from tui.widgets.fields import YES, Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.session import Session
    from tui.screens.listing_rows import ListingSurvey

LARGEST_FILE = 4 * 1024 * 1024  # bytes
ICON = "icon"


def edit_form(session: Session, found: ListingSurvey, key: str) -> Form[Change]:
    """One text of the listing: typed, or taken from a file. The icon is always a file."""
    from core.datalens.listing import KEYS, plan_edit

    entry, text = KEYS[key], found.listing.get(key)

    async def plan(values: Values) -> Change:
        given = await text_of(values, key)
        desired = found.listing.with_texts({key: given})
        return plan_edit(found.path, found.listing, desired, profile=session.profile.name)

    async def preview(values: Values) -> str:
        if not values.get("file", "").strip() and values.get("text", "") == text:
            return ""
        change = await plan(values)
        given = await text_of(values, key)
        return f"{count(len(given))} characters\n{change.preview() or f'{change.title}.'}"

    def check(typed: str) -> str:
        from core.datalens.listing import check_field

        try:
            check_field(key, typed)
        except BadInputError as error:
            return error.message
        return ""

    hint = entry.hint or f"At most {count(entry.longest)} characters."
    if key == ICON:
        hint = "The path of an SVG file. It is checked before anything is kept."
        return Form(entry.title, (Field("file", "File", required=True, hint=hint),), plan, preview, button="Save")
    source = Field("file", "or a file", hint="The path of a text file, UTF-8; it is taken instead of the text above.")
    typed = Field("text", "Text", text, kind="lines" if entry.multiline else "text", height=7, check=check, hint=hint)
    fields = (typed, source) if entry.multiline else (typed,)
    return Form(entry.title, fields, plan, preview, button="Save")


async def text_of(values: Values, key: str) -> str:
    """The text that the form gives. Raises BadInputError for a file that cannot be used."""
    named = values.get("file", "").strip()
    if not named:
        return values.get("text", "")
    path = await asyncio.to_thread(Path(named).expanduser)
    content = await asyncio.to_thread(read_file, path, LARGEST_FILE)
    if key == ICON:
        from core.datalens.icon import check_icon

        return await asyncio.to_thread(check_icon, content, str(path))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not UTF-8.") from error
    return text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n")


def pack_form(session: Session, found: ListingSurvey) -> Form[Change]:
    """Write the pack to a folder; what is missing has to be accepted."""
    from core.datalens.pack import plan_pack

    async def plan(values: Values) -> Change:
        folder = (await asyncio.to_thread(Path(values["folder"].strip()).expanduser)).absolute()
        return await asyncio.to_thread(
            lambda: plan_pack(
                found.listing,
                found.hosts,
                found.key,
                folder,
                product=session.profile.name,
                allow_incomplete=values.get("incomplete") == YES,
            )
        )

    fields = [
        Field("folder", "Folder", "listing-pack", required=True,
              hint="It is made if need be. Files of an earlier pack in it are written over.")
    ]  # fmt: skip
    if found.missing:
        fields.append(Field("incomplete", "Incomplete", kind="flag", hint="Write it though something is missing."))
    intro = "The password of the DataLens user is not part of it, nor any private key."
    if found.missing:
        named = "; ".join(part.split(":")[0] for part in found.missing)
        intro += f"\n\nMissing ({count(len(found.missing))}): {named}."
    return Form("Write the listing pack", fields, plan, intro=intro)
