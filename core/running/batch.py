"""One call of `Engine.commands` for a window of statements, its answers written down as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.changes import OnFailure, StatementStep
from core.clickhouse.doubt import leaves_doubt
from core.errors import HousekeysError, UnreachableError
from core.running.changefile import ChangeFile, WriteAheadError
from core.running.needs import RunEngine
from core.running.settling import is_true


class Batch:
    """Runs statements that share a window. What it writes it may write from the engine's thread.

    Afterwards `errors` has the error of each step that failed, and `broken_off` the reason why the change cannot go on
    now: the engine is out of reach, the write-ahead file cannot be written, or only the operator can tell the outcome.
    """

    def __init__(self, engine: RunEngine, file: ChangeFile, steps: Sequence[tuple[int, StatementStep]]) -> None:
        self._engine = engine
        self._file = file
        self._steps = steps
        self._doubtful: dict[int, HousekeysError] = {}
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self.errors: dict[int, HousekeysError] = {}
        self.broken_off: HousekeysError | None = None

    async def run(self, on_failure: OnFailure) -> None:
        """Run them. When this is cancelled, so is the statement in flight."""
        statements = [step.sql for _, step in self._steps]
        stop_on_error = on_failure is not OnFailure.CONTINUE
        self._task = asyncio.create_task(self._engine.commands(statements, self._ended, stop_on_error=stop_on_error))
        try:
            await self._task
        except HousekeysError as error:
            self.broken_off = self.broken_off or error
        except asyncio.CancelledError:
            cancelled = asyncio.current_task()
            if self.broken_off is None or (cancelled is not None and cancelled.cancelling()):
                raise
        if self.broken_off is None:
            await self._conclude()

    async def _conclude(self) -> None:
        """Every statement was answered or, after an error, not sent: leave none open that can be settled."""
        never_sent = sorted(self._file.ledger.open - self._doubtful.keys())
        self._file.mark_not_run(never_sent)
        try:
            await self._settle_doubtful()
        except HousekeysError as error:
            self.broken_off = error
        if len(never_sent) == len(self._steps):
            self.broken_off = HousekeysError("The engine returned without carrying out any statement.")

    def _ended(self, place: int, error: Exception | None) -> None:
        index, _ = self._steps[place]
        try:
            if error is None:
                self._file.mark_done(index)
            elif not isinstance(error, HousekeysError):
                self._break_off(HousekeysError("The engine failed unexpectedly.", detail=repr(error)))
            elif isinstance(error, UnreachableError):
                if not leaves_doubt(error):
                    self._file.mark_not_run([index])
                self.errors[index] = error
                self._break_off(error)
            elif leaves_doubt(error):
                self._doubtful[index] = error
            else:
                self._fail(index, error)
        except WriteAheadError as unwritable:
            self._break_off(unwritable)

    def _break_off(self, error: HousekeysError) -> None:
        # The statements that are left would each wait for a server that does not answer.
        self.broken_off = self.broken_off or error
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _fail(self, index: int, error: HousekeysError) -> None:
        self.errors[index] = error
        self._file.mark_failed(index, error)

    async def _settle_doubtful(self) -> None:
        """The server can be reached, so ask it about the statements whose outcome it could not say."""
        for index, step in self._steps:
            if (error := self._doubtful.get(index)) is None:
                continue
            if step.done_when is not None and await is_true(self._engine, step.done_when):
                self._file.mark_done(index)
            elif step.done_when is not None or step.repeatable:
                self._fail(index, error)
            else:
                self.errors[index] = error
                self.broken_off = error
