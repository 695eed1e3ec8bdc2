"""The folder of your private keys: one file per version, 0600 in a folder 0700, each an envelope.

Files are written by the steps of a Change; this module names them, reads them and watches who may touch them.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from core.errors import HousekeysError, NotFoundError, RefusedError
from core.files import PRIVATE_FILE, PRIVATE_FOLDER
from core.keys.envelope import LONGEST_ENVELOPE, DamagedKeyFileError, Envelope

_NAME = re.compile(r"partner-(0|[1-9][0-9]{0,9})\.key\Z")


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """Something wrong in the folder. `repairable` by setting modes; the rest needs a person."""

    path: Path
    what: str
    repairable: bool


class KeyStore:
    """The private keys of one profile on this machine. Other machines of the team may hold others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, version: int) -> Path:
        """The file of a version, whether or not it exists."""
        return self.folder / f"partner-{version}.key"

    def versions(self) -> list[int]:
        """The versions whose private half is on this machine, ascending."""
        if not self.folder.is_dir():
            return []
        return sorted(int(match[1]) for entry in os.listdir(self.folder) if (match := _NAME.match(entry)))

    def has(self, version: int) -> bool:
        """Whether the private half of a version is on this machine."""
        return self.path(version).exists()

    def read(self, version: int) -> Envelope:
        """The envelope of a version.

        Raises NotFoundError; RefusedError when others may touch the file; DamagedKeyFileError; HousekeysError when
        the file cannot be read.
        """
        path = self.path(version)
        try:
            envelope = read_envelope(path, "Close it (housekeys key repair), or rotate to a new key.")
        except FileNotFoundError as error:
            raise NotFoundError(
                f"The private half of partner key {version} is not on this machine.",
                advice=f"It was expected at {path}. Import it here: housekeys key import FILE --version {version}",
            ) from error
        except OSError as error:
            raise HousekeysError(f"The key file {path} cannot be read: {error.strerror}.") from error
        if envelope.side != "partner" or envelope.version != version:
            raise DamagedKeyFileError(
                f"The file {path} holds {envelope.side} key {envelope.version}.", advice="It was renamed: name it back."
            )
        return envelope

    def problems(self) -> list[StoreProblem]:
        """What is wrong with the folder and its files; looked at on every start, without any passphrase."""
        try:
            folder = self.folder.stat()
        except FileNotFoundError:
            return []
        found = []
        if wrong := _wrong_mode(folder, PRIVATE_FOLDER):
            found.append(StoreProblem(self.folder, wrong, folder.st_uid == os.geteuid()))
        for version in self.versions():
            path = self.path(version)
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                found.append(StoreProblem(path, "not a regular file", repairable=False))
            elif wrong := _wrong_mode(status, PRIVATE_FILE):
                found.append(StoreProblem(path, wrong, status.st_uid == os.geteuid()))
            else:
                try:
                    self.read(version)
                except HousekeysError as error:
                    found.append(StoreProblem(path, error.message, repairable=False))
        return found


def read_envelope(path: Path, advice: str) -> Envelope:
    """The envelope in a file that only its owner may touch; `advice` is what to do when others may.

    Raises RefusedError when others may; DamagedKeyFileError; OSError is the caller's to explain.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if wrong := _wrong_mode(os.fstat(descriptor), PRIVATE_FILE):
            raise RefusedError(f"The key file {path} is {wrong}.", advice=f"Others may have read it. {advice}")
        return Envelope.from_bytes(file.read(LONGEST_ENVELOPE + 1))


def _wrong_mode(status: os.stat_result, wanted: int) -> str:
    """What is wrong with owner and mode, in words; empty when nothing is."""
    if status.st_uid != os.geteuid():
        return "owned by another user"
    mode = stat.S_IMODE(status.st_mode)
    others = [who for who, bits in (("its group", stat.S_IRWXG), ("everybody", stat.S_IRWXO)) if mode & bits]
    if others:
        return f"open to {' and '.join(others)} (mode {mode:04o}, should be {wanted:04o})"
    if wanted == PRIVATE_FILE and mode & stat.S_IXUSR:
        return f"of mode {mode:04o}, should be {wanted:04o}"
    return ""
