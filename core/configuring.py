"""Changes of the profiles: what they are made of, and what runs them when no ClickHouse takes part.

The file of the profiles is saved by a `Change` as everything else is; but a profile must stay editable when its server
cannot be reached, so its changes run without an engine and are recorded in a journal of this machine.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from os.path import abspath
from pathlib import Path
from typing import Any, NoReturn

from core.changes import Change, Danger, Event, FileStep, JsonValue, MoveStep, Step
from core.display import one_line
from core.errors import HousekeysError, RefusedError
from core.journal.local_journal import LocalJournal
from core.paths import Paths
from core.profiles import Preferences, Profile, ProfileFile
from core.profiles.differences import difference, holds_password
from core.read_only import resolve_configuration_read_only
from core.running.report import Operator, ReadOnly
from core.running.runner import Runner

log = logging.getLogger(__name__)

PROFILE = "profile"  # subject kinds of the journal of this machine
PREFERENCE = "preference"

_PAST = {"create": "add", "edit": "edit", "remove": "remove"}


# -- planning


def plan_edit(before: ProfileFile, after: ProfileFile) -> Change:
    """The change that saves `after` where `before` was read: profiles added, edited and removed, and preferences.

    What happens to whom is found out from the two, so that it is true as well when somebody else's edit goes with it.
    """
    return _saving(before, after, {})


def plan_rename(before: ProfileFile, after: ProfileFile, old: str, new: str, paths: Paths) -> Change:
    """The change that saves `after`, in which `old` is called `new`; the changes it has begun move with it.

    `after` is `core.profiles.renaming.renamed`.
    """
    change = _saving(before, after, {old: new})
    folder, target = paths.changes(old), paths.changes(new)
    if not folder.exists():
        return change
    if target.exists():
        left = f"{target} is there already: what {old} has left unfinished stays in {folder}."
        return Change(change.title, change.steps, change.danger, consequences=(*change.consequences, left))
    title = f"Move the write-ahead files of {one_line(old)}"
    move = MoveStep(title, folder, target, undo=MoveStep(f"{title} back", target, folder), needs=0)
    return Change(change.title, (*change.steps, move), change.danger, consequences=change.consequences)


def _saving(before: ProfileFile, after: ProfileFile, names: Mapping[str, str]) -> Change:
    events = tuple(_events(before, after, names))
    title = _title(events, before, names)
    if before.content == after.content:
        return Change(f"{title}: nothing to change", ())
    removed = any(event.action == "remove" for event in events)
    kept = "Data, private keys and the journal stay where they are."
    return Change(
        title,
        (_step(title, before, after, events, names),),
        Danger.DISRUPTIVE if removed else Danger.ROUTINE,
        consequences=(kept,) if removed else (),
    )


def _step(
    title: str, before: ProfileFile, after: ProfileFile, events: tuple[Event, ...], names: Mapping[str, str]
) -> Step:
    path, content = Path(abspath(before.path)), after.content  # it may be resumed from another folder
    undo = None
    if not holds_password(before.text):
        undo = FileStep(
            f"Bring back {one_line(path.name)} as it was",
            path,
            before.content if before.origin else None,
            replace_existing=True,
            expects=hashlib.sha256(content).hexdigest(),
            shown=difference(after.text, before.text, around=1),
            events=tuple(_events(after, before, {new: old for old, new in names.items()})),
        )
    return FileStep(
        title,
        path,
        content,
        secret=holds_password(after.text),
        replace_existing=True,
        expects=before.origin,
        shown=difference(before.text, after.text, around=1),
        undo=undo,
        no_undo="" if undo else "the file has a password in it, which is kept nowhere else",
        events=events,
    )


def _title(events: Sequence[Event], before: ProfileFile, names: Mapping[str, str]) -> str:
    if names:
        ((old, new),) = names.items()
        return f"Rename profile {one_line(old)} to {one_line(new)}"
    acts = [(_PAST[event.action], one_line(event.subject)) for event in events if event.subject_kind == PROFILE]
    if len(acts) == 1:
        ((act, name),) = acts
        return f"{act.capitalize()} profile {name}"
    if acts:
        return f"Change profiles: {', '.join(f'{act} {name}' for act, name in acts)}"
    changed = ", ".join(event.subject for event in events if event.subject_kind == PREFERENCE)
    return f"Change preferences: {changed}" if changed else f"Change {one_line(before.path.name)}"


# -- what is recorded


def _events(before: ProfileFile, after: ProfileFile, names: Mapping[str, str]) -> Iterator[Event]:
    """What happens to each profile and each preference; `names` says who is called what from now on."""
    file = {"file": abspath(before.path)}
    for old, new in names.items():
        yield Event(PROFILE, old, "rename", {**file, "to": new})
        yield Event(PROFILE, new, "rename", {**file, "from": old})
    for name in after.lines:
        if name not in before.lines and name not in names.values():
            yield Event(PROFILE, name, "create", {**file, **_details(after.profiles.get(name))})
    for name in before.lines:
        if name in after.lines:
            if changed := _changed(before.profiles.get(name), after.profiles.get(name)):
                yield Event(PROFILE, name, "edit", {**file, "changed": changed})
        elif name not in names:
            yield Event(PROFILE, name, "remove", {**file, **_details(before.profiles.get(name))})
    for field in fields(Preferences):
        was, now = (getattr(contents.preferences, field.name) for contents in (before, after))
        if was != now:
            yield Event(PREFERENCE, field.name, "edit", {**file, "from": was, "to": now})


def _details(profile: Profile | None) -> dict[str, JsonValue]:
    """What a profile leads to; nothing of one that could not be read."""
    if profile is None:
        return {}
    if profile.engine == "embedded":
        return {"engine": profile.engine, "folder": str(profile.folder or "")}
    password = profile.password.describe() if profile.password else ""
    return {"engine": profile.engine, "url": profile.url, "user": profile.user, "password": password}


def _changed(before: Profile | None, after: Profile | None) -> str:
    """What of a profile is other than it was, by name; values may tell more than a journal should."""
    if before is None or after is None:
        return "" if before is after else "everything"
    names = [field.name for field in fields(Profile) if getattr(before, field.name) != getattr(after, field.name)]
    return ", ".join(names)


# -- running


class NoEngine:
    """Stands where a ClickHouse would: a change of the profiles has no statement to run."""

    async def query(self, sql: str, parameters: Any = None, *, settings: Any = None) -> NoReturn:
        """Refuse it."""
        raise _no_engine()

    async def commands(
        self, statements: Sequence[str], done: Callable[[int, Exception | None], None], *, stop_on_error: bool
    ) -> None:
        """Refuse the first; the others are not run."""
        done(0, _no_engine())


def _no_engine() -> RefusedError:
    return RefusedError("No ClickHouse takes part in a change of the profiles.", advice="Change only the file there.")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The profiles of this machine as changes meet them: whether they may, who runs them, where they are recorded."""

    read_only: ReadOnly
    journal: LocalJournal
    runner: Runner

    @classmethod
    def open(
        cls, paths: Paths, preferences: Preferences, *, read_only: bool | None, operator: Operator | None = None
    ) -> Configuration:
        """`read_only` is the flag of this run: --read-only, --write, or neither. Nothing is read or written yet."""
        mode = resolve_configuration_read_only(read_only, preferences)
        journal = LocalJournal(paths.configuration_journal)
        # These rows belong to no profile in use, but are about profiles.
        runner = Runner(NoEngine(), journal, paths.configuration_changes, operator or Operator.current(), "", mode)
        return cls(mode, journal, runner)

    async def send_unsent(self) -> None:
        """Record what an earlier run could not; a failure is logged, for looking must go on."""
        try:
            await self.runner.send_unsent()
        except HousekeysError as error:
            log.warning("rows of the journal of this machine stay unwritten: %s %s", error, error.detail)
