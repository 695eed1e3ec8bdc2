"""An access model as the text of a file, in SQL or as `users.xml`, with what is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.access.access_model import AccessModel
from core.access.disassembling import statements_of
from core.access.passwords import with_hashes
from core.access.planning.plan import title
from core.access.render import render
from core.access.secret_texts import secret_known
from core.access.xml.losses import Loss
from core.access.xml.writing import Layout, WritingOptions, write
from core.access_reports.files import AccessFile, Format
from core.display import one_line


@dataclass(frozen=True, slots=True)
class Converted:
    """Files by their path below the place they go to; "" is that place itself. They hold secrets.

    `untold` are the users who are written without a password, because ClickHouse did not tell it.
    """

    files: Mapping[str, str] = field(repr=False)
    losses: tuple[Loss, ...] = ()
    untold: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it as one text."""
        return "".join(self.files.values())


def converted(model: AccessModel, form: Format, *, one_file: bool = True) -> Converted:
    """The model in one file, or, `users.xml` only, in a folder with a file for each entity."""
    if form is Format.SQL:
        untold = tuple(user.name for user in model.users.values() if not all(map(secret_known, user.methods)))
        return Converted({"": sql_text(model)}, untold=untold)
    written = write(model, WritingOptions(Layout.ONE_FILE if one_file else Layout.FILE_PER_ENTITY))
    files = {"": "".join(written.files.values())} if one_file else dict(written.files)
    return Converted(files, written.losses)


def converted_file(file: AccessFile, form: Format, *, one_file: bool = True) -> Converted:
    """What a file says, in one file or a folder. SQL gets a hash of every password that `users.xml` keeps in clear."""
    if form is Format.SQL and file.format is Format.XML:
        made = converted(with_hashes(file.desired), form)
        return replace(made, losses=file.losses)
    return converted(file.model, form, one_file=one_file)


def sql_text(model: AccessModel) -> str:
    """The script that builds a model."""
    return "".join(f"{render(statement)};\n" for statement in statements_of(model))


def loss_text(loss: Loss) -> str:
    """A loss in a line: of what, what, why, and what became of it."""
    return one_line(f"{title(loss.entity)}: {loss.what}: {loss.why} ({loss.effect})")
