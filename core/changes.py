"""A Change: the only form in which anything is modified, and the steps it is made of.

Values only; `core.running` runs them. A step says exactly what it does (`preview`, secrets masked), how it is taken
back (`undo`, or why it cannot be), and which facts are true once it is done (`events`, which go to the journal).
Steps turn into records (plain JSON values) and back, so that a change survives a crash in a write-ahead file.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

from core.display import require_unicode

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


class Danger(IntEnum):
    """How much a change can hurt, which decides what an operator is asked before it runs."""

    ROUTINE = 0  # adds something; nothing that works today stops working
    DISRUPTIVE = 1  # somebody's access ends or alters: confirmed
    DESTRUCTIVE = 2  # data or a key is gone for good: the name is typed


class OnFailure(StrEnum):
    """What the steps after a failed one do."""

    STOP = "stop"  # they are not run
    CONTINUE = "continue"  # they run, except those that need the failed one


@dataclass(frozen=True, slots=True)
class Event:
    """A fact for the journal: what happened to which subject. `details` never holds a secret.

    Raises BadInputError for text that is no Unicode (a lone surrogate, as undecodable arguments give): it can be stored
    nowhere.
    """

    subject_kind: str  # "tenant", "partner_key", "datalens_key", "token", "user", "listing", "checklist", "journal" …
    subject: str
    action: str  # a verb: "create", "suspend", "issue" …
    details: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for text in (self.subject_kind, self.subject, self.action, json.dumps(self.details, ensure_ascii=False)):
            require_unicode(text)

    def to_record(self) -> dict[str, Any]:
        return {
            "subject_kind": self.subject_kind,
            "subject": self.subject,
            "action": self.action,
            "details": dict(self.details),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Event:
        return cls(record["subject_kind"], record["subject"], record["action"], record["details"])


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition read again just before the step runs: a query whose first cell must be 1, and the word if not."""

    query: str
    refusal: str

    def to_record(self) -> dict[str, Any]:
        return {"query": self.query, "refusal": self.refusal}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Guard:
        return cls(record["query"], record["refusal"])


@dataclass(frozen=True, slots=True)
class StatementStep:
    """One SQL statement."""

    title: str
    sql: str
    masked: str | None = None  # what preview and journal show instead of `sql`, when it holds a hash or other secret
    undo: Step | None = None
    undo_more: tuple[StatementStep, ...] = ()  # run behind `undo` where one statement does not take it back
    no_undo: str = ""  # why it cannot be taken back; shown when `undo` is None
    done_when: str | None = None  # a query whose first cell is 1 when the effect is in place: settles a crash
    repeatable: bool = False  # running it twice is the same as once (GRANT, IF NOT EXISTS)
    as_user: str = ""  # by whose rights it runs, if not the operator's: an embedded engine can do that
    guard: Guard | None = None
    needs: int | None = None  # index of the step without which this one is skipped
    events: tuple[Event, ...] = ()
    kind: str = field(default="statement", init=False)

    def preview(self) -> str:
        return self.sql if self.masked is None else self.masked


@dataclass(frozen=True, slots=True)
class FileStep:
    """Write (`content`) or remove (None) one private file, 0600, atomically. Used for key files as well.

    A file that was read first (`expects` is not None) is the same one afterwards: a link to it stays a link, and a
    stricter mode is kept. It is read again just before, so that what somebody else wrote since is never lost.
    """

    title: str
    path: Path
    content: bytes | None = field(repr=False)
    secret: bool = False  # the content never reaches the write-ahead file, only its SHA-256
    sha256: str = ""  # of the content; filled in when left empty
    replace_existing: bool = False  # otherwise an existing file with other content is an error
    expects: str | None = None  # the SHA-256 of the only content that may be replaced or removed; "": no file is there
    keep_mode: bool = False  # what others may do with the file that is replaced, they may still: a server reads it, say
    shown: str = ""  # what the preview shows of the content: the lines that come and go
    undo: Step | None = None
    no_undo: str = ""
    needs: int | None = None
    events: tuple[Event, ...] = ()
    kind: str = field(default="file", init=False)

    def __post_init__(self) -> None:
        if self.content is not None and not self.sha256:
            object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())

    @property
    def removes(self) -> bool:
        """Whether the file is removed. A step without content but with a SHA-256 has lost its secret content."""
        return self.content is None and not self.sha256

    def preview(self) -> str:
        return f"{self._act()}:\n{self.shown}" if self.shown else self._act()

    def _act(self) -> str:
        if self.content is None:
            return f"remove file {self.path}" if self.removes else f"write file {self.path} (content not kept)"
        what = "secret content" if self.secret else "content"
        return f"write file {self.path} (0600, {len(self.content)} bytes of {what})"


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Give a file or folder another name on the same disk. Nothing that is there already is replaced."""

    title: str
    path: Path
    target: Path
    undo: Step | None = None
    no_undo: str = ""
    needs: int | None = None
    events: tuple[Event, ...] = ()
    kind: str = field(default="move", init=False)

    def preview(self) -> str:
        return f"move {self.path} to {self.target}"


@dataclass(frozen=True, slots=True)
class PermissionsStep:
    """Set the mode of an existing file or folder, to close it to others."""

    title: str
    path: Path
    mode: int  # 0o600 for a file, 0o700 for a folder
    undo: Step | None = None
    no_undo: str = ""
    needs: int | None = None
    events: tuple[Event, ...] = ()
    kind: str = field(default="permissions", init=False)

    def preview(self) -> str:
        return f"set mode {self.mode:04o} on {self.path}"


@dataclass(frozen=True, slots=True)
class RecordStep:
    """No outside effect: only the facts themselves, for the journal (a note, a state, a tick)."""

    title: str
    events: tuple[Event, ...]
    undo: Step | None = None
    no_undo: str = ""
    needs: int | None = None
    kind: str = field(default="record", init=False)

    def preview(self) -> str:
        return "\n".join(f"journal: {e.subject_kind} {e.subject}: {e.action}" for e in self.events)


Step = StatementStep | FileStep | MoveStep | PermissionsStep | RecordStep


def undo_steps(step: Step) -> tuple[Step, ...]:
    """All that takes `step` back, in order; nothing when it has no inverse."""
    if step.undo is None:
        return ()
    return (step.undo, *step.undo_more) if isinstance(step, StatementStep) else (step.undo,)


@dataclass(frozen=True, slots=True)
class Change:
    """A planned modification: ordered steps under one title."""

    title: str
    steps: tuple[Step, ...]
    danger: Danger = Danger.ROUTINE
    on_failure: OnFailure = OnFailure.STOP
    consequences: tuple[str, ...] = ()  # what the operator should know before saying yes, a sentence each
    confirm_name: str = ""  # what must be typed for a DESTRUCTIVE change
    undoes: str = ""  # the id of the change that this one takes back

    def __post_init__(self) -> None:
        for index, step in enumerate(self.steps):
            if step.needs is not None and not 0 <= step.needs < index:
                raise ValueError(f"step {index + 1} can only need a step before it, not step {step.needs + 1}")

    def preview(self) -> str:
        """Exactly what would run, secrets masked: a statement or action per step."""
        return "\n".join(step.preview() for step in self.steps)

    @property
    def reversible(self) -> bool:
        """Whether every step has an inverse."""
        return bool(self.steps) and all(step.undo is not None for step in self.steps)


def inverse(change: Change, done: Iterable[int]) -> Change:
    """The change that takes back the steps of `change` at the indexes `done`, last first.

    What needed a step is taken back before it: if that fails, the step itself stays. Raises ValueError when one of
    them has no inverse.
    """
    steps: list[Step] = []
    taken_back: dict[int, int] = {}  # a step -> the place of the inverse of the last one that needed it
    for index in sorted(done, reverse=True):
        step = change.steps[index]
        if step.undo is None:
            why = f": {step.no_undo}" if step.no_undo else ""
            raise ValueError(f"step {index + 1} ({step.title}) cannot be taken back{why}")
        if isinstance(step.undo, FileStep) and step.undo.content is None and not step.undo.removes:
            raise ValueError(f"step {index + 1} ({step.title}) cannot be taken back: the former content was not kept")
        needs = taken_back.get(index)
        for undo in undo_steps(step):
            steps.append(replace(undo, needs=needs))
            needs = len(steps) - 1
        if step.needs is not None:
            taken_back[step.needs] = len(steps) - 1
    return Change(
        f"Undo: {change.title}",
        tuple(steps),
        danger=max(Danger.DISRUPTIVE, change.danger),
        on_failure=change.on_failure,
    )


def step_to_record(step: Step) -> dict[str, Any]:
    """A step as plain JSON values. The content of a secret file is left out."""
    record: dict[str, Any] = {"kind": step.kind, "title": step.title}
    if step.undo is not None:
        record["undo"] = step_to_record(step.undo)
    if step.no_undo:
        record["no_undo"] = step.no_undo
    if step.needs is not None:
        record["needs"] = step.needs
    if step.events:
        record["events"] = [event.to_record() for event in step.events]
    if isinstance(step, StatementStep):
        record["sql"] = step.sql
        for name in ("masked", "done_when", "repeatable"):
            if getattr(step, name) not in (None, False):
                record[name] = getattr(step, name)
        if step.as_user:
            record["as_user"] = step.as_user
        if step.undo_more:
            record["undo_more"] = [step_to_record(more) for more in step.undo_more]
        if step.guard is not None:
            record["guard"] = step.guard.to_record()
    elif isinstance(step, FileStep):
        record |= {"path": str(step.path), "secret": step.secret, "sha256": step.sha256}
        record["replace_existing"] = step.replace_existing
        if step.expects is not None:
            record["expects"] = step.expects
        if step.keep_mode:
            record["keep_mode"] = True
        if step.shown:
            record["shown"] = step.shown
        if step.content is not None and not step.secret:
            record["content"] = base64.b64encode(step.content).decode("ascii")
    elif isinstance(step, MoveStep):
        record |= {"path": str(step.path), "target": str(step.target)}
    elif isinstance(step, PermissionsStep):
        record |= {"path": str(step.path), "mode": step.mode}
    return record


def step_from_record(record: Mapping[str, Any]) -> Step:
    """The step that `step_to_record` wrote. A secret file comes back without its content, which then cannot run."""
    undo = step_from_record(record["undo"]) if "undo" in record else None
    events = tuple(Event.from_record(event) for event in record.get("events", ()))
    title, no_undo, needs = record["title"], record.get("no_undo", ""), record.get("needs")
    if record["kind"] == "statement":
        return StatementStep(
            title,
            record["sql"],
            masked=record.get("masked"),
            undo=undo,
            undo_more=tuple(map(_statement_from_record, record.get("undo_more", ()))),
            no_undo=no_undo,
            done_when=record.get("done_when"),
            repeatable=record.get("repeatable", False),
            as_user=record.get("as_user", ""),
            guard=Guard.from_record(record["guard"]) if "guard" in record else None,
            needs=needs,
            events=events,
        )
    if record["kind"] == "file":
        content = base64.b64decode(record["content"]) if "content" in record else None
        return FileStep(
            title,
            Path(record["path"]),
            content,
            secret=record["secret"],
            sha256=record["sha256"],
            replace_existing=record["replace_existing"],
            expects=record.get("expects"),
            keep_mode=record.get("keep_mode", False),
            shown=record.get("shown", ""),
            undo=undo,
            no_undo=no_undo,
            needs=needs,
            events=events,
        )
    if record["kind"] == "move":
        path, target = Path(record["path"]), Path(record["target"])
        return MoveStep(title, path, target, undo=undo, no_undo=no_undo, needs=needs, events=events)
    if record["kind"] == "permissions":
        path, mode = Path(record["path"]), record["mode"]
        return PermissionsStep(title, path, mode, undo=undo, no_undo=no_undo, needs=needs, events=events)
    if record["kind"] == "record":
        return RecordStep(title, events, undo=undo, no_undo=no_undo, needs=needs)
    raise ValueError(f"unknown kind of step: {record['kind']!r}")


def _statement_from_record(record: Mapping[str, Any]) -> StatementStep:
    step = step_from_record(record)
    if not isinstance(step, StatementStep):
        raise ValueError(f"not a statement: {record['kind']!r}")
    return step


def change_to_record(change: Change) -> dict[str, Any]:
    """A change as plain JSON values."""
    return {
        "title": change.title,
        "danger": int(change.danger),
        "on_failure": change.on_failure.value,
        "consequences": list(change.consequences),
        "confirm_name": change.confirm_name,
        "undoes": change.undoes,
        "steps": [step_to_record(step) for step in change.steps],
    }


def change_from_record(record: Mapping[str, Any]) -> Change:
    """The change that `change_to_record` wrote."""
    return Change(
        record["title"],
        tuple(step_from_record(step) for step in record["steps"]),
        Danger(record["danger"]),
        OnFailure(record["on_failure"]),
        tuple(record["consequences"]),
        record["confirm_name"],
        record["undoes"],
    )
