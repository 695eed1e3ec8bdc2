"""Finds and reads the files of a configuration: `users.xml` with the `users.d` and `conf.d` beside it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from core.access.access_model import Origin
from core.access.xml.nodes import XmlError
from core.access.xml.problems import Problem, Severity
from core.access.xml.reading import DEFAULT_OPTIONS, Reading, ReadingOptions, XmlFile, read_files
from core.errors import BadInputError, NotFoundError

MAIN_FILE = "users.xml"
_YAML = frozenset({".yaml", ".yml"})
_MERGED = frozenset({".xml", ".conf", *_YAML})
_SHARED_FOLDER = "conf.d"  # of the server's own configuration too
_YAML_ADVICE = "Write what it says as XML: only ClickHouse itself can mix the two here."


def read_configuration(path: Path, options: ReadingOptions = DEFAULT_OPTIONS) -> Reading:
    """Read a file with the folders beside it, or a folder: its `users.xml`, or else the files in it.

    Raises NotFoundError, BadInputError for what cannot be read, XmlError for what is no XML.
    """
    main, merged = configuration_files(path)
    if main.suffix.lower() in _YAML:
        raise XmlError(Origin(str(main), 1), "YAML is not read here.", advice=_YAML_ADVICE)
    files = [XmlFile(str(main), _content(main))]
    yaml = []
    for file in merged:
        if _is_yaml(file):
            yaml.append(Problem(str(file), 0, Severity.WARNING, "This file is YAML, which is not read.", _YAML_ADVICE))
        else:
            files.append(XmlFile(str(file), _content(file), shared=file.parent.name == _SHARED_FOLDER))
    reading = read_files(files, options, _load)
    return replace(reading, problems=(*yaml, *reading.problems))


def configuration_files(path: Path) -> tuple[Path, list[Path]]:
    """The first file of a configuration and those that ClickHouse merges into it, in its order: that of their paths."""
    if path.is_dir():
        if (path / MAIN_FILE).is_file():
            path = path / MAIN_FILE
        else:
            found = _in_folder(path)
            if not found:
                advice = f"Name {MAIN_FILE}, or a folder with it or with files of its kind."
                raise NotFoundError(f"There is no configuration in {path}.", advice=advice)
            return found[0], found[1:]
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", advice=f"Name the {MAIN_FILE} to read, or its folder.")
    folders = {path.with_suffix(".d"), path.with_name(_SHARED_FOLDER)}
    return path, sorted((file for folder in folders for file in _in_folder(folder)), key=os.fsencode)


def _in_folder(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir(), key=os.fsencode) if folder.is_dir() else []
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [
        file for file in entries if file.suffix.lower() in _MERGED and not file.name.startswith(".") and file.is_file()
    ]


def _is_yaml(file: Path) -> bool:
    """Whether ClickHouse reads a file as YAML: by its name, or when a .conf does not begin like XML."""
    suffix = file.suffix.lower()
    return suffix in _YAML or (suffix != ".xml" and not _content(file).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _load(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return None


def _unreadable(path: Path, error: OSError) -> BadInputError:
    return BadInputError(
        f"{path} cannot be read: {error.strerror}.", advice="Check its owner and mode.", detail=str(error)
    )
