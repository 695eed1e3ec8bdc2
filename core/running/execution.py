"""Carries out the steps of one change that are still to run, window by window."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from core.changes import (
    CallStep,
    Change,
    FileStep,
    Guard,
    JsonValue,
    MoveStep,
    OnFailure,
    PermissionsStep,
    RecordStep,
    StatementStep,
)
from core.errors import HousekeysError, RefusedError, UnreachableError
from core.running import files
from core.running.batch import Batch
from core.running.changefile import ChangeFile, WriteAheadError
from core.running.ledger import before
from core.running.needs import OpenService, RunEngine, TriesAs
from core.running.report import Progress
from core.running.settling import is_true
from core.running.windows import Window, next_window

FIRST_LIMIT: Final = 16  # steps in the first window
LARGEST_LIMIT: Final = 512
WINDOW_SECONDS: Final = 0.3  # how long a window should take: cancelling and progress wait for its end
PROGRESS_SECONDS: Final = 0.1  # between two reports of progress


class Execution:
    """One attempt at the steps of a change that have no outcome yet.

    `errors` keeps the error of every step that failed in this attempt. `between` is awaited after each window.
    """

    def __init__(
        self,
        engine: RunEngine,
        file: ChangeFile,
        open_service: OpenService,
        *,
        progress: Callable[[Progress], None] | None,
        stop: asyncio.Event | None,
        between: Callable[[], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._file = file
        self._open_service = open_service
        self._ledger = file.ledger
        self._change: Change = file.ledger.change
        self._progress = progress
        self._stop = stop
        self._between = between
        self._told_at = 0.0
        self._limit = FIRST_LIMIT
        self.errors: dict[int, HousekeysError] = {}
        self.cancelled = False

    async def run(self) -> HousekeysError | None:
        """Run until nothing is left to run, `stop` is set, or something breaks it off; returns what did."""
        try:
            return await self._run_windows()
        except WriteAheadError as error:
            return error

    async def _run_windows(self) -> HousekeysError | None:
        position = 0
        while not self._ends_early():
            window = next_window(self._change, self._ledger.states, position, self._limit)
            self._file.mark_skipped(window.skipped)
            if not window.indexes:
                break
            if self._stop is not None and self._stop.is_set():
                self.cancelled = True
                break
            broken_off = await self._run_window(window)
            self._tell()
            if broken_off is not None:
                return broken_off
            position = next((index for index in window.indexes if index not in self._ledger.states), window.end)
            await self._between()
        self._tell(last=True)
        return None

    def _ends_early(self) -> bool:
        return self._change.on_failure is not OnFailure.CONTINUE and self._ledger.failed > 0

    async def _run_window(self, window: Window) -> HousekeysError | None:
        first = window.indexes[0]
        step = self._change.steps[first]
        if isinstance(step, RecordStep):
            self._file.mark_done(*window.indexes)
        elif isinstance(step, FileStep | MoveStep | PermissionsStep):
            self._run_file(first, step)
        elif isinstance(step, CallStep):
            return await self._run_call(first, step)
        elif step.guard is None and not step.as_user:
            return await self._run_statements(window.indexes)
        else:
            try:
                if step.guard is not None:
                    await self._check(step.guard)
                if step.as_user:
                    await self._run_as_user(first, step)
                    return None
            except UnreachableError as error:
                return error
            except HousekeysError as error:
                self._fail(first, error)
            else:
                return await self._run_statements(window.indexes)
        return None

    async def _check(self, guard: Guard) -> None:
        if not await is_true(self._engine, guard.query):
            raise RefusedError(guard.refusal)

    async def _run_as_user(self, index: int, step: StatementStep) -> None:
        if not isinstance(self._engine, TriesAs):
            raise RefusedError("Only the embedded engine can run a statement as another user.")
        self._file.write(before([index]), sync=True)
        tried = await self._engine.try_as(step.as_user, step.sql, True)
        if tried.error is not None:
            raise tried.error
        self._file.mark_done(index)
        self._file.sync()

    def _run_file(self, index: int, step: files.DiskStep) -> None:
        self._file.write(before([index]), sync=True)
        try:
            files.carry_out(step)
        except HousekeysError as error:
            self._fail(index, error)
        else:
            self._file.mark_done(index)
        self._file.sync()

    async def _run_call(self, index: int, step: CallStep) -> HousekeysError | None:
        self._file.write(before([index]), sync=True)
        try:
            service = await self._open_service(step.service)
            found = await service.call(step.operation, self._arguments(step))
        except UnreachableError as error:
            self.errors[index] = error
            return error  # it stays open: when it is run again, it does what is not done yet
        except HousekeysError as error:
            self._fail(index, error)
        else:
            self._file.mark_found(index, found)
        self._file.sync()
        return None

    def _arguments(self, step: CallStep) -> Mapping[str, JsonValue]:
        try:
            return self._ledger.arguments(step)
        except KeyError as error:
            raise HousekeysError(f"No call before it has told its {error.args[0]}.") from error

    async def _run_statements(self, indexes: Sequence[int]) -> HousekeysError | None:
        self._file.write(before(indexes), sync=True)
        steps = self._change.steps
        statements = [(index, step) for index in indexes if isinstance(step := steps[index], StatementStep)]
        batch = Batch(self._engine, self._file, statements)
        started = asyncio.get_running_loop().time()
        await batch.run(self._change.on_failure)
        self._file.sync()
        self.errors |= batch.errors
        self._adapt(len(indexes), asyncio.get_running_loop().time() - started)
        return batch.broken_off

    def _fail(self, index: int, error: HousekeysError) -> None:
        self.errors[index] = error
        self._file.mark_failed(index, error)

    def _adapt(self, steps: int, seconds: float) -> None:
        """Follow the pace of the engine; a window that was cut short by something else tells nothing."""
        if steps == self._limit:
            wanted = int(steps * min(WINDOW_SECONDS / max(seconds, 0.001), 4))
            self._limit = max(1, min(wanted, LARGEST_LIMIT))

    def _tell(self, *, last: bool = False) -> None:
        if self._progress is None:
            return
        now = asyncio.get_running_loop().time()
        if last or now - self._told_at >= PROGRESS_SECONDS:
            self._told_at = now
            ledger, change = self._ledger, self._change
            self._progress(Progress(len(ledger.states), len(change.steps), ledger.failed, change.title))
