"""The configuration file as a whole: read once, edited in memory with its comments kept.

`core.configuring` makes the change of an edit, by which it is saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.profiles import reading
from core.profiles.model import BUILT_IN, Preferences, Problem, Profile
from core.profiles.positions import KeyPath, positions
from core.profiles.tables import nearest


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A configuration file as it was read, or edited and not yet saved.

    `profiles` holds those that can be opened, the built-in `embedded` among them; `broken` the names of the others.
    `origin` is the SHA-256 of what was read, empty when there was no file. In `text`, bytes that are no UTF-8 are half
    characters.
    """

    path: Path
    preferences: Preferences
    profiles: Mapping[str, Profile]
    problems: tuple[Problem, ...]
    lines: Mapping[str, int]
    written: frozenset[str] = frozenset()  # the preferences that the file names
    text: str = field(default="", repr=False)
    origin: str = ""

    @property
    def content(self) -> bytes:
        """What the file holds, to the byte, or will."""
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the profiles that have a blocking problem, in the order of the file."""
        return tuple(name for name in self.lines if name not in self.profiles)

    @property
    def names(self) -> tuple[str, ...]:
        """All names in the order of the file; the built-in profile last, unless the file defines it."""
        return (*self.lines, *(name for name in self.profiles if name not in self.lines))

    @property
    def unread(self) -> Problem | None:
        """Why nothing of the file could be read, if so."""
        return next((problem for problem in self.problems if not problem.key), None)

    def problems_of(self, name: str) -> tuple[Problem, ...]:
        """What is wrong with one profile."""
        return tuple(problem for problem in self.problems if problem.profile == name)

    def profile_origin(self, name: str) -> str:
        """Where a profile is defined: `FILE:LINE`, or `built-in`."""
        return f"{self.path}:{self.lines[name]}" if name in self.lines else "built-in"

    def place(self, path: KeyPath) -> str:
        """Where a key is written, or the table that it belongs in: `FILE:LINE`, or `FILE` where neither is."""
        line = positions(self.text).line(path)
        return f"{self.path}:{line}" if line else str(self.path)

    def profile(self, name: str | None = None) -> Profile:
        """The profile to open; the preferred one when no name is given.

        Raises NotFoundError, with the nearest name; BadInputError with its problems when it is broken.
        """
        name = self.preferences.default_profile if name is None else name
        if name in self.profiles:
            return self.profiles[name]
        if name in self.lines:
            blocking = [problem for problem in self.problems_of(name) if problem.blocking]
            raise BadInputError(
                f"The profile {one_line(name)} cannot be opened: {one_line(str(blocking[0])).rstrip('.')}.",
                advice="Correct it in the file.",
                detail="\n".join(one_line(str(problem)) for problem in blocking),
            )
        near = nearest(name, list(self.names))
        known = f"Did you mean {one_line(near)}?" if near else "See: housekeys profile list"
        if self.unread:
            known = one_line(str(self.unread))
        raise NotFoundError(f"There is no profile {one_line(name)}.", advice=known)

    def with_profile(self, profile: Profile) -> ProfileFile:
        """With a profile added, or changed where one of its name is there; everything else as it was written.

        Raises BadInputError when the profile would be broken, or the file is no TOML now.
        """
        from core.profiles import editing  # loads tomlkit, which only an edit needs

        return self._edited(editing.with_profile(self, profile), {**self.profiles, profile.name: profile})

    def without(self, name: str) -> ProfileFile:
        """Without a profile, broken or not. Raises NotFoundError; RefusedError for the built-in one."""
        from core.profiles import editing

        if name not in self.lines:
            if name == BUILT_IN:
                raise RefusedError("The built-in profile embedded cannot be removed.", advice="It needs no file.")
            self.profile(name)
        rest = {other: profile for other, profile in self.profiles.items() if other != name}
        return self._edited(editing.without(self, name), rest)

    def renamed(self, old: str, new: str) -> ProfileFile:
        """With a profile under another name, its place and comments kept. See `core.profiles.renaming` for its folders.

        Raises BadInputError when the name is taken or impossible, NotFoundError when there is none of the old name.
        """
        from core.profiles import editing

        profile = replace(self.profile(old), name=new)
        if old not in self.lines:
            raise RefusedError("The built-in profile embedded cannot be renamed.", advice="Copy it.")
        text = editing.renamed(self, old, new)
        return self._edited(text, {**{k: v for k, v in self.profiles.items() if k != old}, new: profile})

    def with_preferences(self, preferences: Preferences) -> ProfileFile:
        """With other preferences."""
        from core.profiles import editing

        return self._edited(editing.with_preferences(self, preferences), self.profiles, preferences)

    def _edited(
        self, text: str, profiles: Mapping[str, Profile], preferences: Preferences | None = None
    ) -> ProfileFile:
        """The file with this text, once it is proved to say what was meant and nothing else."""
        contents = reading.read_text(text, self.path)
        for name in profiles:
            if wrong := [p for p in contents.problems if p.profile == name and p.blocking]:
                raise BadInputError(
                    f"The profile {one_line(name)} cannot be saved: {wrong[0].key}: {wrong[0].message.rstrip('.')}.",
                    advice="Correct it and save again.",
                    detail="\n".join(f"{problem.key}: {problem.message}" for problem in wrong),
                )
        if contents.profiles != profiles or (preferences and contents.preferences != preferences):
            raise HousekeysError(
                f"{one_line(str(self.path))} is written in a way that cannot be edited without touching the rest.",
                advice="Edit it by hand; nothing was changed.",
            )
        return ProfileFile(
            self.path,
            contents.preferences,
            contents.profiles,
            contents.problems,
            contents.lines,
            contents.written,
            text,
            self.origin,
        )


def load(path: Path) -> ProfileFile:
    """Read a configuration file; one that is not there is an empty one. Never raises: see `problems`."""
    try:
        content = _content(path)
    except OSError as error:
        problem = Problem(path, 0, "", f"cannot be read: {error.strerror}. No profile of it is read.")
        contents = reading.unread(problem)
        return ProfileFile(path, contents.preferences, contents.profiles, contents.problems, {})
    return _file(path, content)


def _file(path: Path, content: bytes | None) -> ProfileFile:
    contents = reading.read_bytes(content or b"", path)
    return ProfileFile(
        path,
        contents.preferences,
        contents.profiles,
        contents.problems,
        contents.lines,
        contents.written,
        (content or b"").decode("utf-8", "surrogateescape"),
        _digest(content),
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
