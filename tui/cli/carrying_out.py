"""The one road on the command line: dry run, preview, confirmation, the journal's table, the run and its report."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from core.changes import Change
from core.confirmation import Ask, Confirmation, confirmation_for, confirmation_on_this_machine
from core.display import one_line
from core.errors import ExitCode, HousekeysError, RefusedError
from core.running.runner import Progress, ReadOnly, Report, Runner

if TYPE_CHECKING:
    from core.session import Session
    from tui.cli.context import Context

SHOWN_FAILURES = 20
SHOWN_LINES = 40  # of a preview of what is not asked about
PROGRESS_FROM_STEPS = 50


class DryRunFinished(Exception):
    """--dry-run has shown what would run: no error, the run ends there as asked."""


Run = Callable[[Callable[[Progress], None] | None], Awaitable[Report]]


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where a change runs: whether it may, what is asked, what comes first, and the run itself."""

    where: str  # behind the question: ` on prod`
    read_only: ReadOnly
    confirmation: Confirmation
    prepare: Callable[[], Awaitable[None]] | None
    run: Run
    unfinished: str  # where a change that broke off is found again


async def carry_out(
    context: Context, change: Change, *, allow_partial: bool, always_ask: bool = False, run: Run | None = None
) -> Report:
    """Run `change` as `Context.carry_out` says; `run` runs it in another way than by `Runner.run`."""
    session = await context.session()
    confirmation = confirmation_for(change, session.profile)
    if always_ask and confirmation.ask is Ask.NOTHING:
        confirmation = Confirmation(Ask.YES)
    ground = _Ground(
        f" on {session.profile.name}",
        session.read_only,
        confirmation,
        partial(_ensure_journal, context, session),
        run or partial(session.runner.run, change),
        "see `housekeys journal unfinished`",
    )
    return await _carry_out(context, change, ground, allow_partial=allow_partial)


async def carry_out_on_this_machine(
    context: Context, change: Change, runner: Runner, *, told: Mapping[str, Any]
) -> Report:
    """Run `change`, which needs no ClickHouse, as `Context.carry_out` says. `told` is what --dry-run --json adds."""
    ground = _Ground(
        "",
        runner.read_only,
        confirmation_on_this_machine(change),
        None,
        partial(runner.run, change),
        "see the profiles in the console",
    )
    return await _carry_out(context, change, ground, allow_partial=False, told=told)


async def _carry_out(
    context: Context, change: Change, ground: _Ground, *, allow_partial: bool, told: Mapping[str, Any] | None = None
) -> Report:
    if context.arguments.dry_run:
        _show_plan(context, change, told or {})
        raise DryRunFinished
    if ground.read_only.active:
        raise RefusedError(
            f"Read-only ({ground.read_only.reason}): {one_line(change.title)} was not run.",
            advice="Use --write to override, if you may.",
        )
    await _confirm(context, change, ground)
    if ground.prepare is not None:
        await ground.prepare()
    report = await _run(context, change, ground.run)
    _report(context, report, allow_partial, ground.unfinished)
    return report


def _show_plan(context: Context, change: Change, told: Mapping[str, Any]) -> None:
    output = context.output
    if output.json:
        output.data(
            {
                "title": change.title,
                "danger": change.danger.name.lower(),
                "reversible": change.reversible,
                "consequences": change.consequences,
                "steps": [{"kind": step.kind, "title": step.title, "preview": step.preview()} for step in change.steps],
                **told,
            }
        )
        return
    _show_title(context, change)
    if change.steps:
        output.text(one_line_each(change.preview()))


def one_line_each(preview: str) -> str:
    """A preview with the control characters of each line made visible."""
    return "\n".join(one_line(line) for line in preview.split("\n"))


def _show_title(context: Context, change: Change) -> None:
    number = len(change.steps)
    steps = "nothing to do" if not number else "1 step" if number == 1 else f"{number:,} steps"
    context.output.message(f"{one_line(change.title)} ({change.danger.name.lower()}, {steps})")
    for consequence in change.consequences:
        context.output.message(f"  ! {one_line(consequence)}")


async def _confirm(context: Context, change: Change, ground: _Ground) -> None:
    needed = ground.confirmation
    if _said_beforehand(context, needed):
        if context.interactive:
            _show_preview(context, change)
        return
    if not context.interactive:
        flag = "--yes" if needed.ask is Ask.YES else f"--confirm {shlex.quote(needed.name)}"
        raise RefusedError(f"{one_line(change.title)} has to be confirmed.", advice=f"Add {flag} to run it unasked.")
    _show_title(context, change)
    context.output.message(one_line_each(change.preview()))
    if needed.ask is Ask.YES:
        confirmed = (await context.ask_line(f"Run this{ground.where}? [y/N] ")).strip().lower() in {"y", "yes"}
    else:
        typed = await context.ask_line(f"Type {one_line(needed.name)} to run this{ground.where}: ")
        confirmed = typed == needed.name
    if not confirmed:
        raise RefusedError("Not confirmed. Nothing was changed.")


def _said_beforehand(context: Context, needed: Confirmation) -> bool:
    """Whether nothing has to be asked any more."""
    if needed.ask is Ask.TYPE_NAME:  # a name that is asked for must be typed, --yes or not
        return (context.arguments.confirm or "") == needed.name
    return needed.ask is Ask.NOTHING or bool(context.arguments.yes)


def _show_preview(context: Context, change: Change) -> None:
    """What runs unasked, so that nobody at a terminal runs it unseen; of very much of it the beginning."""
    lines = one_line_each(change.preview()).split("\n") if change.steps else []
    for line in lines[:SHOWN_LINES]:
        context.output.message(line)
    if len(lines) > SHOWN_LINES:
        context.output.message(f"and {len(lines) - SHOWN_LINES:,} lines more, which --dry-run shows")


async def _ensure_journal(context: Context, session: Session) -> None:
    if await session.journal.exists():
        return
    creation = session.journal.creation()
    context.output.message(f"First: {one_line(creation.title)}.")
    context.output.message(one_line_each(creation.preview()))
    try:
        report = await session.runner.run(creation)
        failure = next((outcome.error for outcome in report.outcomes if outcome.error is not None), None)
    except RefusedError as error:
        failure = error
    if failure is not None:
        raise RefusedError(
            f"The journal could not be created: {failure.message}",
            advice="Every change is recorded there. Ask an administrator to run:\n" + creation.preview(),
            detail=failure.detail,
        )


async def _run(context: Context, change: Change, run: Run) -> Report:
    stderr = context.output.stderr
    shown = len(change.steps) >= PROGRESS_FROM_STEPS and context.interactive

    def show(progress: Progress) -> None:
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        stderr.write(f"\r\x1b[K{progress.done:,} of {progress.total:,} steps{failed}")
        stderr.flush()

    try:
        return await run(show if shown else None)
    finally:
        if shown:
            stderr.write("\r\x1b[K")


def _report(context: Context, report: Report, allow_partial: bool, unfinished: str) -> None:
    failures = [outcome for outcome in report.outcomes if outcome.error is not None]
    only = failures[0].error if failures and len(report.change.steps) == 1 and not allow_partial else None
    for outcome in failures[:SHOWN_FAILURES] if only is None else ():
        step = report.change.steps[outcome.index]
        context.output.message(f"  failed: {one_line(step.title)}: {outcome.error}")
    if len(failures) > SHOWN_FAILURES:
        context.output.message(f"  and {len(failures) - SHOWN_FAILURES:,} more.")
    if report.journal_error is not None:
        context.output.message(
            f"  {report.unsent:,} rows are not in the journal yet; they are kept and sent later. {report.journal_error}"
        )
    if report.succeeded:
        return
    if allow_partial:
        context.exit_code = ExitCode.FAILED
        return
    if only is not None:
        raise only
    first = failures[0].error if failures else None
    done = sum(1 for outcome in report.outcomes if outcome.state == "done")
    raise HousekeysError(
        f"{one_line(report.change.title)}: {done:,} of {len(report.change.steps):,} steps were done.",
        advice="Correct the cause and run it again: what is done is kept."
        if report.finished
        else f"It can be continued or taken back: {unfinished}.",
        detail=first.detail if first is not None else "",
    )
