"""A Change: the only form in which anything is modified, and the steps it is made of.

Values only; `core.running` runs them. A step says exactly what it does (`preview`, secrets masked), how it is taken
back (`undo`, or why it cannot be), and which facts are true once it is done (`events`, which go to the journal).
`core.change_records` turns them into plain JSON values and back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    LEAVE_OPEN = "leave open"  # they are not run, and the change is unfinished until what it has done is taken back


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
    With `copy_of` the content is that of another file, if it still has the SHA-256 of this step: so what is secret
    comes back from the copy that was kept of it, after a crash too.
    """

    title: str
    path: Path
    content: bytes | None = field(repr=False)
    secret: bool = False  # the content never reaches the write-ahead file, only its SHA-256
    sha256: str = ""  # of the content; filled in when left empty
    replace_existing: bool = False  # otherwise an existing file with other content is an error
    expects: str | None = None  # the SHA-256 of the only content that may be replaced or removed; "": no file is there
    copy_of: Path | None = None  # the file with the content, which is not held here
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

    @property
    def lost(self) -> bool:
        """Whether it cannot run: its content was secret and went with the process that had it."""
        return self.content is None and not self.removes and self.copy_of is None

    def preview(self) -> str:
        return f"{self._act()}:\n{self.shown}" if self.shown else self._act()

    def _act(self) -> str:
        if self.copy_of is not None:
            return f"write file {self.path} as it is in {self.copy_of}"
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
class Found:
    """What an earlier step of the same change has found out: the value that its call returned under `name`."""

    step: int  # its index
    name: str


@dataclass(frozen=True, slots=True)
class CallStep:
    """One call to a service other than ClickHouse: the access management of a cloud, a lakehouse.

    Whoever carries it out makes things be as it says and does nothing when they are: so it may run again after a crash.
    What the call finds out goes to later steps (`takes`) and, beside their own details, to its events.
    """

    title: str
    service: str  # "aws", "aliyun", "tencent", "lakehouse"
    operation: str  # in the words of whoever carries it out
    arguments: Mapping[str, JsonValue]  # never a secret
    shown: str  # what the preview shows: the call as the service's own command line or SQL says it
    takes: Mapping[str, Found] = field(default_factory=dict)  # arguments that are known when an earlier step has run
    undo: Step | None = None
    no_undo: str = ""
    needs: int | None = None
    events: tuple[Event, ...] = ()
    kind: str = field(default="call", init=False)

    def preview(self) -> str:
        return self.shown


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


Step = StatementStep | FileStep | MoveStep | PermissionsStep | CallStep | RecordStep


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
            if isinstance(step, CallStep):
                for found in step.takes.values():
                    if not (0 <= found.step < index and isinstance(self.steps[found.step], CallStep)):
                        raise ValueError(f"step {index + 1} can only take what a call before it has found")

    def preview(self) -> str:
        """Exactly what would run, secrets masked: a statement or action per step."""
        return "\n".join(step.preview() for step in self.steps)

    @property
    def reversible(self) -> bool:
        """Whether every step has an inverse."""
        return bool(self.steps) and all(step.undo is not None for step in self.steps)


def left_of(change: Change, decided: Collection[int]) -> Change:
    """What is left of a change when the steps at the indexes `decided` are: to show and to confirm, not to run.

    What a step needs or takes from another has been decided before or is among them: only the runner has to know.
    """
    steps = (step for index, step in enumerate(change.steps) if index not in decided)
    alone = (replace(step, takes={}) if isinstance(step, CallStep) else step for step in steps)
    return replace(change, steps=tuple(replace(step, needs=None) for step in alone))


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
        if isinstance(step.undo, FileStep) and step.undo.lost:
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
