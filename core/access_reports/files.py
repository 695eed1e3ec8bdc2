"""Files about access, told apart by what is in them: scripts of SQL, and `users.xml` with the folders beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.access.access_model import AccessModel, EntityKey, Origin
from core.access.defining_statements import created_by
from core.access.passwords import none_in_clear
from core.access.script import ScriptStatement, model_of_read, read_script
from core.access.tokenizer import AccessSyntaxError
from core.access.xml.files import MAIN_FILE, read_configuration
from core.access.xml.losses import Loss
from core.access.xml.nodes import XmlError
from core.access.xml.problems import Problem, Severity
from core.access.xml.sql_losses import losses_to_sql
from core.access.xml.writing import FOLDER
from core.access_reports.idle_revokes import idle_revokes
from core.display import one_line
from core.errors import BadInputError, NotFoundError

LARGEST = 64 * 1024 * 1024  # bytes of a script


class Format(StrEnum):
    """What a file is written in."""

    SQL = "sql"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class AccessFile:
    """A file, read. Its model has the origin of each entity. `losses` are those of XML on the way to SQL."""

    path: str
    format: Format
    model: AccessModel
    problems: tuple[Problem, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def desired(self) -> AccessModel:
        """The model that a server is to hold: what XML keeps in clear is a password to be hashed. SQL means it so."""
        return none_in_clear(self.model) if self.format is Format.XML else self.model

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def read_access_file(path: Path) -> AccessFile:
    """Read a script, a `users.xml` or a folder with one. What is wrong in it is in `problems`.

    Raises NotFoundError, and BadInputError for what cannot be read at all.
    """
    if path.is_dir():
        only_parts = not (path / MAIN_FILE).is_file() and (path / FOLDER).is_dir()
        return _read_xml(path / FOLDER if only_parts else path)
    content = content_of(path)
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return _read_xml(path)
    return _read_sql(path, content)


def content_of(path: Path) -> bytes:
    """All of a file. Raises NotFoundError, and BadInputError for one that cannot be read or is too large."""
    if not path.exists():
        raise NotFoundError(f"There is no file {one_line(str(path))}.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInputError(f"{one_line(str(path))} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise BadInputError(f"{one_line(str(path))} has more than {LARGEST:,} bytes.", advice="Split it.")
    return content


def _read_xml(path: Path) -> AccessFile:
    try:
        reading = read_configuration(path)
    except XmlError as error:
        # One that is no XML has one problem, at its place; nothing of it can be trusted.
        problem = Problem(error.origin.file, error.origin.line, Severity.ERROR, error.problem, error.advice)
        return AccessFile(str(path), Format.XML, AccessModel(), (problem,))
    # Where it comes from is a file: the storage that the file is to ClickHouse says nothing of where it goes to.
    model = replace(reading.model, storages={})
    return AccessFile(str(path), Format.XML, model, reading.problems, losses_to_sql(reading))


def _read_sql(path: Path, content: bytes) -> AccessFile:
    name = str(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _broken(name, line, "This is no UTF-8, so it is neither SQL nor XML.")
    try:
        statements, unread = read_script(text)
    except AccessSyntaxError as error:
        return _broken(name, error.line, one_line(error.message.partition(": ")[2] or error.message))
    model, found = model_of_read(statements, unread)
    problems = [Problem(name, each.line, Severity.ERROR, each.message) for each in found]
    problems += idle_revokes(statements, model, name)
    return AccessFile(name, Format.SQL, replace(model, origins=_origins(statements, name)), tuple(problems))


def _broken(name: str, line: int, message: str) -> AccessFile:
    return AccessFile(name, Format.SQL, AccessModel(), (Problem(name, line, Severity.ERROR, message),))


def _origins(statements: Iterable[ScriptStatement], name: str) -> Mapping[EntityKey, Origin]:
    origins: dict[EntityKey, Origin] = {}
    for each in statements:
        for key in created_by(each.statement):
            origins.setdefault(key, Origin(name, each.line))
    return origins


def problem_text(problem: Problem) -> str:
    """A problem in a line: file, line, what."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return one_line(f"{place}: {problem.message} {problem.advice}".strip())
