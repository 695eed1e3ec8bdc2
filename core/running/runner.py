"""The runner: every change goes through `Runner.run`, and what a crash or a lost server left through the rest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

from core.changes import Change, OnFailure, inverse
from core.errors import HousekeysError, NotFoundError, RefusedError, UnreachableError
from core.journal.ids import moment, new_ids
from core.running.changefile import (
    ChangeFile,
    DamagedError,
    Peek,
    WriteAheadError,
    done_files,
    find,
    open_files,
    remove_done_before,
    remove_unborn,
    set_aside,
)
from core.running.execution import Execution
from core.running.files import refuse_changed
from core.running.ledger import Ledger, end, final_state, resume, sent
from core.running.needs import OpenService, RunEngine, RunJournal, no_service
from core.running.report import Operator, Progress, ReadOnly, Report, StepOutcome, Unfinished
from core.running.settling import settle, settle_for_undo

__all__ = ["Operator", "Progress", "ReadOnly", "Report", "Runner", "StepOutcome", "Unfinished"]

SEND_FROM_ROWS: Final = 5_000  # a long change sends its rows when so many are waiting, else at its end

ProgressCallback = Callable[[Progress], None]


class Runner:
    """Runs changes of one profile. Several may run at once, here and in other processes, each change only once.

    Every method that changes something raises RefusedError in read-only mode before anything is written.
    """

    def __init__(
        self,
        engine: RunEngine,
        journal: RunJournal,
        folder: Path,
        operator: Operator,
        profile_name: str,
        read_only: ReadOnly,
        open_service: OpenService = no_service,
    ) -> None:
        self._engine = engine
        self.open_service = open_service
        self._journal = journal
        self._folder = folder
        self._operator = operator
        self._profile_name = profile_name
        self.read_only = read_only

    def with_journal(self, other: Callable[[RunJournal], RunJournal]) -> Runner:
        """The same with another journal, made of this one's."""
        journal = other(self._journal)
        runner = Runner(self._engine, journal, self._folder, self._operator, self._profile_name, self.read_only)
        runner.open_service = self.open_service
        return runner

    # -- running

    async def run(
        self, change: Change, progress: ProgressCallback | None = None, *, stop: asyncio.Event | None = None
    ) -> Report:
        """Run `change`: its steps in order, everything written ahead, the journal's rows sent at the end.

        A failed step is no exception but an outcome in the report. When the engine is lost, `stop` is set or the task
        is cancelled, the change is left unfinished; cancelling the task also cancels the statement in flight. So is
        one with `OnFailure.LEAVE_OPEN` that has failed after it has done something: nobody forgets to take it back,
        though this process were killed at once.
        A change without steps leaves no trace.
        Raises RefusedError (read-only, or an undo of what others have worked on since; FileChangedError: a file is not
        what it was when it was read), WriteAheadError. Nothing ran then.
        """
        self._refuse_when_read_only(change.title)
        if not change.steps:
            return Report(new_ids.next(), change, (), finished=True)
        refuse_changed(change.steps)
        with contextlib.ExitStack() as held:
            original = await self._hold_original(change, held)
            await self._follow_the_journal()
            ledger = Ledger(new_ids.next(), change, self._operator, self._profile_name)
            file = held.enter_context(ChangeFile.create(self._folder, ledger))
            await self._close_original(original)
            report = await self._carry_out(file, progress, stop, in_doubt=False, may_stay_open=True)
            if original is not None and report.finished:
                original.remove()
            return report

    async def resume(
        self,
        identifier: UUID,
        progress: ProgressCallback | None = None,
        *,
        settle_steps: Mapping[int, bool] | None = None,
        stop: asyncio.Event | None = None,
    ) -> Report:
        """Continue an unfinished change with the steps that were not done; none is run twice.

        `settle_steps` is the operator's word, by index, on the steps of `Unfinished.undecided`: whether they had run.
        Raises RefusedError when one of those is not settled, NotFoundError, UnreachableError (it is being run already,
        or the engine cannot be asked what has happened).
        """
        self._refuse_when_read_only("The change")
        with contextlib.ExitStack() as held:
            file = held.enter_context(self._hold_unfinished(identifier))
            with contextlib.suppress(NotFoundError):  # what an undo takes back may be gone from here already
                await self._close_original(await self._hold_original(file.ledger.change, held, again=True))
            file.write(resume(self._operator))
            await self._follow_the_journal()
            await settle(self._engine, file, settle_steps or {})
            return await self._carry_out(file, progress, stop, in_doubt=True)

    async def _carry_out(
        self,
        file: ChangeFile,
        progress: ProgressCallback | None,
        stop: asyncio.Event | None,
        *,
        in_doubt: bool,
        may_stay_open: bool = False,
    ) -> Report:
        journal_error: HousekeysError | None = None

        async def send_when_many() -> None:
            nonlocal journal_error
            if file.ledger.unsent >= SEND_FROM_ROWS and journal_error is None:
                journal_error = await self._send(file, in_doubt=in_doubt)

        execution = Execution(
            self._engine, file, self.open_service, progress=progress, stop=stop, between=send_when_many
        )
        stopped = await execution.run()
        finished = stopped is None and not execution.cancelled and not (may_stay_open and _stays_open(file.ledger))
        try:
            if finished:
                file.write(end(final_state(file.ledger), new_ids.next()), sync=True)
            if not isinstance(stopped, UnreachableError | WriteAheadError):
                journal_error = await self._send(file, in_doubt=in_doubt or journal_error is not None)
            self._tidy(file)
        except WriteAheadError as error:
            stopped = error
        return Report(
            file.ledger.id,
            file.ledger.change,
            _outcomes(file.ledger, execution.errors, stopped),
            finished=bool(file.ledger.ended),
            cancelled=execution.cancelled,
            stopped=stopped,
            unsent=file.ledger.unsent,
            journal_error=journal_error,
        )

    # -- what is unfinished

    def unfinished(self) -> list[Unfinished]:
        """The changes that were begun and not brought to an end, oldest first. Reads files only.

        A folder that cannot be read counts as one damaged change: nobody can say that nothing is unfinished.
        """
        found: list[Unfinished] = []
        being_undone: set[str] = set()
        try:
            paths = open_files(self._folder)
        except WriteAheadError as error:
            return [_unreadable(UUID(int=0), error)]
        for path in paths:
            try:
                peek = Peek(path)
            except NotFoundError:
                continue  # ended while we looked
            except WriteAheadError as error:
                found.append(_unreadable(UUID(path.stem), error))
                continue
            being_undone.add(peek.ledger.change.undoes)
            if not peek.ledger.ended:
                found.append(_unfinished(peek))
        return [change for change in found if str(change.id) not in being_undone]

    async def undo_unfinished(self, identifier: UUID, *, settle_steps: Mapping[int, bool] | None = None) -> Change:
        """The change that takes back what an unfinished change has done; running it closes the unfinished one.

        Raises RefusedError when nothing was done, a step has no inverse, or it is not known whether one had run.
        """
        self._refuse_when_read_only("The change")
        with self._hold_unfinished(identifier) as file:
            indexes = await settle_for_undo(self._engine, file, settle_steps or {})
            return _undo_of(file.ledger, indexes)

    async def dismiss(self, identifier: UUID) -> None:
        """Close an unfinished change as it is: what it has done stays, what it has not is not run."""
        self._refuse_when_read_only("Dismissing a change")
        try:
            file = self._hold_unfinished(identifier)
        except DamagedError:
            set_aside(find(self._folder, identifier))
            return
        with file:
            file.write(end("dismissed", new_ids.next()), sync=True)
            await self._send(file, in_doubt=True)
            self._tidy(file)

    async def last_undoable(self) -> Change:
        """The change that takes back the last one of this profile on this machine.

        Raises RefusedError with the reason when that is not possible: nothing to undo, a step without an inverse, an
        unfinished change in between, or later events by anybody on the same subjects.
        """
        ended = [peek.ledger for peek in self._peeks() if peek.ledger.ended not in ("", "undone")]
        candidates = sorted(ended, key=_end_order)
        if not candidates:
            raise RefusedError("There is no change to undo: none was run from here with this profile.")
        last = candidates[-1]
        if any(unfinished.id > last.id and not unfinished.running for unfinished in self.unfinished()):
            raise RefusedError(
                "A later change is unfinished.", advice="Resume, undo or dismiss it first (journal unfinished)."
            )
        if last.change.undoes:
            raise RefusedError("The last change was itself an undo, which is not taken back.")
        undo = _undo_of(last, last.done())
        await self._refuse_when_touched_since(last)
        return undo

    # -- the journal's rows

    async def send_unsent(self) -> int:
        """Send the rows that earlier runs could not; returns how many. Raises what sending raises, at the end."""
        if self.read_only.active:
            return 0
        remove_unborn(self._folder)
        number = 0
        failure: HousekeysError | None = None
        for path in open_files(self._folder):
            try:
                file = ChangeFile.open(path)
            except (NotFoundError, UnreachableError, DamagedError):
                continue  # gone, at work, or beyond sending
            with file:
                waiting = file.ledger.unsent
                error = await self._send(file, in_doubt=True)
                failure = failure or error
                number += waiting - file.ledger.unsent
                self._tidy(file)
        if failure is not None:
            raise failure
        return number

    async def _send(self, file: ChangeFile, *, in_doubt: bool) -> HousekeysError | None:
        rows = file.ledger.unsent_rows()
        if not rows:
            return None
        file.sync()  # a row that is sent must never be made anew, with another id, after a loss of power
        try:
            await self._journal.append(rows, in_doubt=in_doubt)
        except HousekeysError as error:
            return error
        file.write(sent(file.ledger.row_count), sync=True)
        return None

    async def _follow_the_journal(self) -> None:
        """Let this change come after all that is recorded, though the clock of another machine may be ahead.

        Facts are folded in the order of their times: one that seems older than what it builds on would not count.
        """
        with contextlib.suppress(HousekeysError):  # a server that cannot answer is met, and told, by the first step
            if (newest := await self._journal.newest()) is not None:
                new_ids.pass_by(newest)

    # -- files

    def _hold_unfinished(self, identifier: UUID) -> ChangeFile:
        file = ChangeFile.open(find(self._folder, identifier))
        try:
            if file.ledger.ended:
                raise RefusedError(
                    f"Change {identifier} has ended.", advice="Only the last change can still be undone."
                )
            if any(peek.ledger.change.undoes == str(identifier) for peek in self._peeks()):
                raise RefusedError(f"Change {identifier} is being undone.", advice="Resume or dismiss its undo.")
        except BaseException:
            file.close()
            raise
        return file

    async def _hold_original(
        self, change: Change, held: contextlib.ExitStack, *, again: bool = False
    ) -> ChangeFile | None:
        """The file of the change that `change` takes back, held, after a check that it still may be taken back."""
        if not change.undoes:
            return None
        original = held.enter_context(ChangeFile.open(find(self._folder, UUID(change.undoes))))
        if original.ledger.ended == "undone" and not again:
            raise RefusedError(f"Change {change.undoes} is undone already.")
        if original.ledger.ended and not again:
            await self._refuse_when_touched_since(original.ledger)
        return original

    async def _close_original(self, original: ChangeFile | None) -> None:
        """From here on the undo stands for an unfinished change: it is that which is resumed."""
        if original is not None and not original.ledger.ended:
            original.write(end("undone", new_ids.next()), sync=True)
            await self._send(original, in_doubt=True)
            self._tidy(original)

    def _tidy(self, file: ChangeFile) -> None:
        """Put away a file that needs nothing more, and remove those of changes before it."""
        if not file.ledger.complete:
            return
        if file.ledger.ended == "undone":
            file.remove()
            return
        if file.path in done_files(self._folder):
            return
        file.keep_as_done()
        remove_done_before(self._folder, _end_order(file.ledger))

    def _peeks(self) -> list[Peek]:
        peeks: list[Peek] = []
        for path in (*open_files(self._folder), *done_files(self._folder)):
            with contextlib.suppress(NotFoundError, WriteAheadError):
                peeks.append(Peek(path))
        return peeks

    # -- refusals

    def _refuse_when_read_only(self, what: str) -> None:
        if self.read_only.active:
            reason = f" ({self.read_only.reason})" if self.read_only.reason else ""
            raise RefusedError(f"Read-only{reason}: {what} was not run.", advice="Use --write to override, if you may.")

    async def _refuse_when_touched_since(self, ledger: Ledger) -> None:
        if ledger.unsent:
            await self.send_unsent()
        later = await self._journal.later_events(ledger.id)
        if later:
            newest = later[0]
            raise RefusedError(
                f"It cannot be undone: {newest.operator}@{newest.host} has done {newest.action} on"
                f" {newest.subject_kind} {newest.subject} since, at {newest.at:%Y-%m-%d %H:%M:%S} UTC.",
                advice="Make the change you want instead; the journal shows what happened.",
            )


def _undo_of(ledger: Ledger, indexes: list[int]) -> Change:
    if not indexes:
        raise RefusedError(f"There is nothing to undo: no step was done of: {ledger.change.title}.")
    try:
        return replace(inverse(ledger.change, indexes), undoes=str(ledger.id))
    except ValueError as error:
        raise RefusedError(f"It cannot be undone ({ledger.change.title}): {str(error).rstrip('.')}.") from error


def _stays_open(ledger: Ledger) -> bool:
    return ledger.change.on_failure is OnFailure.LEAVE_OPEN and ledger.failed > 0 and bool(ledger.done())


def _end_order(ledger: Ledger) -> UUID:
    return ledger.ended_by or ledger.id


def _outcomes(
    ledger: Ledger, errors: Mapping[int, HousekeysError], stopped: HousekeysError | None
) -> tuple[StepOutcome, ...]:
    outcomes = list(ledger.outcomes())
    for index, error in errors.items():
        if outcomes[index].state != "done":
            outcomes[index] = replace(outcomes[index], error=error)
    if stopped is not None and not any(outcome.error is stopped for outcome in outcomes):
        first = next((o for o in outcomes if o.state in ("unknown", "not run")), None)
        if first is not None:
            outcomes[first.index] = replace(first, error=stopped)
    return tuple(outcomes)


def _unfinished(peek: Peek) -> Unfinished:
    ledger = peek.ledger
    return Unfinished(
        ledger.id,
        ledger.change,
        ledger.operator,
        moment(ledger.id),
        ledger.outcomes(),
        ledger.undecided(),
        running=peek.held,
        damaged=peek.damaged,
    )


def _unreadable(identifier: UUID, error: HousekeysError) -> Unfinished:
    nobody = Operator("unknown", "unknown")
    change = Change("(its write-ahead file cannot be read)", ())
    return Unfinished(identifier, change, nobody, moment(identifier), (), (), running=False, damaged=error.message)
