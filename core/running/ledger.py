"""The records of a write-ahead file, and the state of a change that they add up to. Values only; no file is touched.

A record is one line: the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON, a line feed. A line that
does not say this is torn, and what was torn never happened.

    intent  everything about the change, before anything else
    before  the steps about to run; they may have run from here on
    after   what became of one step, with the first of the ids of its journal rows
    resume  another run takes over, perhaps by another operator
    end     nothing is left to run
    sent    so many of the journal rows are in the table
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from core.change_records import change_from_record, change_to_record
from core.changes import CallStep, Change, JsonValue, StatementStep, Step
from core.clickhouse.errors import ServerError
from core.errors import HousekeysError
from core.journal.ids import following, moment
from core.journal.rows import CHANGE, DONE, FAILED, Row
from core.running.report import Operator, StepOutcome

VERSION: Final = 1
ERROR_LIMIT: Final = 500  # characters of a failed step's message that are kept

AfterState = Literal["done", "failed", "skipped", "not run"]
EndState = Literal["done", "failed", "undone", "dismissed"]
Record = Mapping[str, Any]


def encode(record: Record) -> bytes:
    """The line for one record."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> Record | None:
    """The record of one line (with its line feed), or None for a torn one."""
    if len(line) < 12 or line[8:9] != b" " or line[-1:] != b"\n":
        return None
    text = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


@dataclass(frozen=True, slots=True)
class Content:
    """What could be read: the records up to the first line that is not whole, and their length in bytes.

    `damaged`: what follows that line can only have been written when the line was whole and durable. Otherwise a crash
    has torn what was not durable yet, and losing all of that is safe: its steps count as begun.
    """

    records: tuple[Record, ...]
    length: int
    damaged: bool


_WRITTEN_AFTER_SYNC: Final = frozenset({"intent", "before", "resume", "end", "sent"})


def decode_all(data: bytes) -> Content:
    """The records of a whole file."""
    records: list[Record] = []
    length = 0
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines):
        record = decode(line)
        if record is None:
            rest = (decode(later) for later in lines[number + 1 :])
            damaged = any(later is not None and later.get("r") in _WRITTEN_AFTER_SYNC for later in rest)
            return Content(tuple(records), length, damaged)
        records.append(record)
        length += len(line)
    return Content(tuple(records), length, damaged=False)


def before(indexes: Sequence[int]) -> Record:
    return {"r": "before", "i": list(indexes)}


def after(
    index: int,
    state: AfterState,
    identifier: UUID | None = None,
    message: str = "",
    found: Mapping[str, JsonValue] | None = None,
) -> Record:
    record: dict[str, Any] = {"r": "after", "i": index, "o": state}
    if identifier is not None:
        record["id"] = identifier.hex
    if message:
        record["e"] = message[:ERROR_LIMIT]
    if found:
        record["f"] = dict(found)
    return record


def resume(operator: Operator) -> Record:
    return {"r": "resume", "operator": operator.name, "host": operator.host}


def end(state: EndState, identifier: UUID) -> Record:
    return {"r": "end", "o": state, "id": identifier.hex}


def sent(number: int) -> Record:
    return {"r": "sent", "n": number}


def kept_message(step: Step, error: HousekeysError) -> str:
    """What is kept of an error: its message, but only its code when the answer may repeat a secret."""
    if isinstance(step, StatementStep) and step.masked is not None:
        code = f" (error {error.code})" if isinstance(error, ServerError) else ""
        return f"The statement failed{code}; as it holds a secret, the answer to it is not kept."
    return error.message


def rows_of_step(step: Step, state: str) -> int:
    """How many journal rows a step makes: one per event, and one if it failed without having any."""
    if state == DONE:
        return len(step.events)
    return max(len(step.events), 1) if state == FAILED else 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that makes journal rows: the end of a step, or of the change (`index` None)."""

    index: int | None
    state: str
    identifier: UUID
    operator: Operator
    message: str = ""


@dataclass(slots=True)
class Ledger:
    """The state of one change, as far as its records go. `apply` takes the next one."""

    id: UUID
    change: Change
    operator: Operator
    profile: str
    states: dict[int, str] = field(default_factory=dict)  # index -> "done", "failed" or "skipped"
    messages: dict[int, str] = field(default_factory=dict)
    found: dict[int, Mapping[str, JsonValue]] = field(default_factory=dict)  # what calls have returned
    open: set[int] = field(default_factory=set)  # begun, and not known to have ended
    ended: str = ""
    ended_by: UUID | None = None  # the id of the change's own row
    sent: int = 0
    row_count: int = 0
    failed: int = 0  # how many steps failed
    _entries: list[_Entry] = field(default_factory=list)

    def intent(self) -> Record:
        """The record that a change begins with: all of it but the content of secret files."""
        return {
            "r": "intent",
            "version": VERSION,
            "id": self.id.hex,
            "profile": self.profile,
            "operator": self.operator.name,
            "host": self.operator.host,
            "change": change_to_record(self.change),
        }

    @classmethod
    def begin(cls, record: Record) -> Ledger:
        """The state after the intent alone. Raises ValueError for a record of another kind or version."""
        if record.get("r") != "intent" or record.get("version") != VERSION:
            raise ValueError("it does not begin with an intent that this version understands")
        operator = Operator(record["operator"], record["host"])
        return cls(UUID(record["id"]), change_from_record(record["change"]), operator, record["profile"])

    @classmethod
    def replay(cls, records: Sequence[Record]) -> Ledger:
        """The state after all `records`. Raises ValueError when they are not those of a change."""
        try:
            ledger = cls.begin(records[0])
            for record in records[1:]:
                ledger.apply(record)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("its records are not those of a change") from error
        return ledger

    def apply(self, record: Record) -> None:
        """Take in one more record."""
        match record["r"]:
            case "before":
                self.open.update(record["i"])
            case "after":
                self._apply_after(record)
            case "resume":
                self.operator = Operator(record["operator"], record["host"])
            case "end":
                self.ended, self.ended_by = record["o"], UUID(record["id"])
                self._entries.append(_Entry(None, self.ended, self.ended_by, self.operator))
                self.row_count += 1
            case "sent":
                self.sent = record["n"]

    def _apply_after(self, record: Record) -> None:
        index, state = record["i"], record["o"]
        self.open.discard(index)
        if state == "not run":
            return
        self.states[index] = state
        self.failed += state == FAILED
        if message := record.get("e", ""):
            self.messages[index] = message
        if found := record.get("f"):
            self.found[index] = found
        if number := rows_of_step(self.change.steps[index], state):
            self._entries.append(_Entry(index, state, UUID(record["id"]), self.operator, message))
            self.row_count += number

    def arguments(self, step: CallStep) -> dict[str, JsonValue]:
        """What a call is made with: its own arguments and what calls before it have found.

        Raises KeyError with the name of something that an earlier call should have found and has not.
        """
        taken = {name: self.found.get(found.step, {})[found.name] for name, found in step.takes.items()}
        return {**step.arguments, **taken}

    @property
    def unsent(self) -> int:
        """How many rows are not known to be in the journal."""
        return self.row_count - self.sent

    @property
    def complete(self) -> bool:
        """Whether it has ended and the journal has all of it."""
        return bool(self.ended) and not self.unsent

    def done(self) -> list[int]:
        """The indexes of the steps that were done."""
        return sorted(index for index, state in self.states.items() if state == DONE)

    def undecided(self) -> tuple[int, ...]:
        """The open steps that neither a query, nor a file, nor running them again can settle."""
        return tuple(index for index in sorted(self.open) if not can_be_settled(self.change.steps[index]))

    def outcomes(self) -> tuple[StepOutcome, ...]:
        """What became of every step; errors carry the message that was kept."""
        return tuple(self._outcome(index) for index in range(len(self.change.steps)))

    def _outcome(self, index: int) -> StepOutcome:
        if index in self.open:
            return StepOutcome(index, "unknown")
        match self.states.get(index):
            case "done":
                return StepOutcome(index, "done")
            case "failed":
                return StepOutcome(index, "failed", HousekeysError(self.messages.get(index, "It failed.")))
            case "skipped":
                return StepOutcome(index, "skipped")
        return StepOutcome(index, "not run")

    def unsent_rows(self) -> list[Row]:
        """The journal rows that are not known to be in the table, in the order of their ids."""
        rows: list[Row] = []
        to_skip = self.sent
        for entry in self._entries:
            number = 1 if entry.index is None else rows_of_step(self.change.steps[entry.index], entry.state)
            if to_skip >= number:
                to_skip -= number
                continue
            rows.extend(list(self._rows(entry))[to_skip:])
            to_skip = 0
        return rows

    def _rows(self, entry: _Entry) -> Iterator[Row]:
        if entry.index is None:
            yield self._row(entry, 0, CHANGE, str(self.id), "run", self._summary())
            return
        step = self.change.steps[entry.index]
        if entry.state == FAILED and not step.events:
            details = {"title": self.change.title, "step": step.title, "error": entry.message}
            yield self._row(entry, 0, CHANGE, str(self.id), "step", details)
        for number, event in enumerate(step.events):
            failure = {"error": entry.message} if entry.state == FAILED else {}
            told: dict[str, Any] = {**event.details, **self.found.get(entry.index, {}), **failure}
            yield self._row(entry, number, event.subject_kind, event.subject, event.action, told)

    def _row(
        self, entry: _Entry, number: int, subject_kind: str, subject: str, action: str, details: Mapping[str, Any]
    ) -> Row:
        identifier = following(entry.identifier, number)
        who = entry.operator
        return Row(
            identifier,
            moment(identifier),
            who.name,
            who.host,
            self.profile,
            self.id,
            subject_kind,
            subject,
            action,
            entry.state,
            details,
        )

    def _summary(self) -> dict[str, Any]:
        counts = {state: 0 for state in (DONE, FAILED, "skipped")}
        for state in self.states.values():
            counts[state] += 1
        summary = {"title": self.change.title, "steps": len(self.change.steps), **counts}
        return summary | ({"undoes": self.change.undoes} if self.change.undoes else {})


def can_be_settled(step: Step) -> bool:
    """Whether it can be found out, or need not be known, if a step that was begun has taken effect."""
    if not isinstance(step, StatementStep):
        return True
    return step.repeatable or step.done_when is not None


def final_state(ledger: Ledger) -> EndState:
    """How a change ends that has no step left to run."""
    return "done" if len(ledger.done()) == len(ledger.change.steps) else "failed"
