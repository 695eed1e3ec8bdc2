"""The files that what is said about access comes from, with the bytes that were read: so that they can be edited."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from core.access.xml.files import MAIN_FILE, configuration_files
from core.access.xml.writing import FOLDER
from core.access_reports.files import AccessFile, Format, read_access_file
from core.display import one_line
from core.errors import BadInputError, HousekeysError


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was read."""

    path: Path
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def text(self) -> str:
        """The content as text. Raises BadInputError when it is no UTF-8."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"{one_line(str(self.path))} is no UTF-8, so it is not edited here.", advice="Write it anew as UTF-8."
            ) from error


@dataclass(frozen=True, slots=True)
class Opened:
    """What a path says about access, and the files that it was read from."""

    path: Path
    file: AccessFile
    sources: tuple[Source, ...]


def open_access_file(path: Path) -> Opened:
    """Read a file or folder, its bytes first: what is changed in between is noticed when it is written.

    Raises as `read_access_file`. Waits for the disk: call it in a thread.
    """
    path = path.expanduser().absolute()
    read = [Source(each, _content(each)) for each in _candidates(path)]
    file = read_access_file(path)
    sources = read if file.format is Format.XML else read[:1]  # what lies beside a script has nothing to do with it
    return Opened(path, file, tuple(sources))


def _candidates(path: Path) -> list[Path]:
    only_parts = path.is_dir() and not (path / MAIN_FILE).is_file() and (path / FOLDER).is_dir()
    try:
        main, merged = configuration_files(path / FOLDER if only_parts else path)
    except HousekeysError:
        return []  # `read_access_file` says what is wrong
    return [main, *merged]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"{one_line(str(path))} cannot be read: {error.strerror}.") from error
