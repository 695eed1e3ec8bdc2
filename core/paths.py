"""Where Housekeys keeps its files: configuration, data, state and the log.

By platformdirs; `HOUSEKEYS_HOME=/dir` puts all of them under one folder, `--config FILE` moves the configuration only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_LONGEST = 200  # characters of a file name, leaving room for endings and temporary names


@dataclass(frozen=True, slots=True)
class Paths:
    """The places of one installation."""

    config_file: Path
    data: Path
    state: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str], config_file: Path | None = None) -> Paths:
        """The places for this user. `environ` is `os.environ` in production."""
        home = environ.get("HOUSEKEYS_HOME", "")
        if home:
            root = Path(home).expanduser().absolute()
            return cls(config_file or root / "config.toml", root / "data", root / "state")
        import platformdirs  # only when needed: a one-shot --help must not pay for it

        dirs = platformdirs.PlatformDirs("housekeys", appauthor=False)
        return cls(
            config_file or Path(dirs.user_config_path) / "config.toml",
            Path(dirs.user_data_path),
            Path(dirs.user_state_path),
        )

    @property
    def log_file(self) -> Path:
        """The log: details of errors, never a secret."""
        return self.state / "housekeys.log"

    def embedded_data(self, profile: str) -> Path:
        """The data folder of an embedded engine that names none of its own."""
        return self.data / "engines" / file_name(profile)

    def key_folder(self, profile: str) -> Path:
        """The folder of the private keys of a profile that names none of its own."""
        return self.data / "keys" / file_name(profile)

    def changes(self, profile: str) -> Path:
        """The folder of the write-ahead files of a profile."""
        return self.state / "changes" / file_name(profile)

    @property
    def configuration_changes(self) -> Path:
        """The folder of the write-ahead files of changes of the profiles; no `file_name` begins with a dot."""
        return self.state / "changes" / ".configuration"

    @property
    def configuration_journal(self) -> Path:
        """The journal of the changes of the profiles, of this machine."""
        return self.state / "configuration.jsonl"


def file_name(name: str) -> str:
    """`name` as one safe file name: everything but letters, digits, `_`, `-`, `~` and inner dots percent-encoded.

    Different names give different file names; a long one ends in a part of its SHA-256, to stay within 255 bytes.
    """
    safe = quote(name, safe="")
    if safe.startswith("."):
        safe = f"%2E{safe[1:]}"
    if len(safe) <= _LONGEST:
        return safe
    return f"{safe[: _LONGEST - 33]}%{hashlib.sha256(name.encode('utf-8')).hexdigest()[:32]}"
