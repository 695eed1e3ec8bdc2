"""`housekeys journal`: what happened, what is unfinished, undo."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, NotFoundError
from tui.cli.arguments import moment

if TYPE_CHECKING:
    from core.journal.rows import Row
    from core.running.report import Report, Unfinished
    from tui.cli.arguments import Frame
    from tui.cli.context import Context

NOUN = "journal"
ROWS_SHOWN = 100


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """The verbs of `journal`."""
    _add_list(verbs, frame)
    frame.verb(
        verbs,
        "unfinished",
        list_unfinished,
        "changes that were begun and not brought to an end",
        examples=["housekeys journal unfinished", "housekeys journal unfinished --json"],
    )
    resume = frame.verb(
        verbs,
        "resume",
        resume_change,
        "continue an unfinished change",
        description="Run the steps of an unfinished change that were not done. No step is run twice: where the change"
        " broke off, ClickHouse and the files are asked what has happened; where they cannot tell, you are.",
        examples=["housekeys journal resume 0198c2a5-71d0-7a3e-9f10-3c5d8b7e2a41", "housekeys journal resume --ran 3"],
    )
    undo = frame.verb(
        verbs,
        "undo",
        undo_change,
        "take back the last change, or an unfinished one",
        description="Take back the last change that was run from here with this profile, or what an unfinished change"
        " ID has done. Refused when a step has no inverse, or when somebody has worked on the same things since.",
        examples=["housekeys --dry-run journal undo", "housekeys journal undo --yes"],
    )
    dismiss = frame.verb(
        verbs,
        "dismiss",
        dismiss_change,
        "close an unfinished change as it is",
        description="Close an unfinished change: what it has done stays, the rest is not run.",
        examples=["housekeys journal dismiss 0198c2a5-71d0-7a3e-9f10-3c5d8b7e2a41"],
    )
    for parser, otherwise in ((resume, "the only one"), (undo, "the last that ended"), (dismiss, "the only one")):
        described = f"an unfinished change, or the first digits of its ID (default: {otherwise})"
        parser.add_argument("id", nargs="?", default="", metavar="ID", help=described)
    for parser in (resume, undo):
        _add_word(parser, "--ran", "this step had run when the change broke off (repeatable)")
        _add_word(parser, "--not-run", "this step had not run (repeatable)")


def _add_word(parser: argparse.ArgumentParser, option: str, described: str) -> None:
    parser.add_argument(option, type=_positive, action="append", default=[], metavar="STEP", help=described)


def _add_list(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    listing = frame.verb(
        verbs,
        "list",
        list_rows,
        "what happened, newest first",
        examples=[
            "housekeys journal list --since 7d",
            "housekeys journal list --subject acme_prod --since 2026-11-01",
            "housekeys journal list --kind token --limit 10 --json",
        ],
    )
    listing.add_argument(
        "--subject", metavar="NAME", help="only rows about this: a tenant, a key version, a fingerprint"
    )
    listing.add_argument(
        "--kind", metavar="KIND", help="only rows about this kind: tenant, partner_key, token, change ..."
    )
    listing.add_argument(
        "--since", type=moment, metavar="WHEN", help="only rows since then: 30m, 2h, 7d, or a date or time (UTC)"
    )
    listing.add_argument(
        "--limit", type=_positive, default=ROWS_SHOWN, metavar="N", help=f"at most so many rows (default: {ROWS_SHOWN})"
    )


async def list_rows(context: Context) -> None:
    """`journal list`."""
    from core.display import exact_time
    from tui.cli.output import Column

    arguments = context.arguments
    journal = (await context.session()).journal
    rows = await journal.history(arguments.kind, arguments.subject, arguments.since, arguments.limit)
    columns = (
        Column("at", "TIME", show=exact_time),
        Column("who", "OPERATOR"),
        Column("about", "SUBJECT"),
        Column("action", "ACTION"),
        Column("outcome", "OUTCOME"),
        Column("summary", "DETAILS"),
    )
    if context.output.json:
        context.output.data([_record(row) for row in rows])
        return
    shown = [{**_record(row), "who": f"{row.operator}@{row.host}", "about": _about(row)} for row in rows]
    for record, row in zip(shown, rows, strict=True):
        record["summary"] = _summary(row)
    empty = "Nothing that fits is in the journal." if await journal.exists() else "There is no journal yet."
    context.output.rows(columns, shown, empty=empty)
    if len(rows) == arguments.limit:
        context.output.message(f"These are the newest {len(rows):,}; --limit N shows more.")


async def list_unfinished(context: Context) -> None:
    """`journal unfinished`."""
    from core.display import exact_time
    from tui.cli.output import Column

    found = (await context.session()).runner.unfinished()
    records = [_unfinished_record(change) for change in found]
    columns = (
        Column("id", "ID"),
        Column("started", "STARTED", show=exact_time),
        Column("operator", "OPERATOR"),
        Column("title", "CHANGE"),
        Column("done", "DONE", "right", show=lambda done: f"{done:,}"),
        Column("steps", "STEPS", "right", show=lambda steps: f"{steps:,}"),
        Column("state", "STATE"),
    )
    context.output.rows(columns, records, empty="Every change has ended.")
    for change in found:
        for index in change.undecided:
            step = change.change.steps[index]
            context.output.message(f"{change.id}: it is not known whether step {index + 1} had run: {step.title}")
    if any(change.undecided for change in found):
        context.output.message("Look at the server, then say so: journal resume ID --ran STEP, or --not-run STEP.")


async def resume_change(context: Context) -> None:
    """`journal resume`."""
    from core.changes import left_of
    from tui.cli.carrying_out import carry_out

    session = await context.session()
    unfinished = _chosen(session.runner.unfinished(), context.arguments.id)
    settled = _settled(context.arguments)
    done = {outcome.index for outcome in unfinished.outcomes if outcome.state in ("done", "failed", "skipped")}
    done |= {index for index, had_run in settled.items() if had_run}
    report = await carry_out(
        context,
        left_of(unfinished.change, done),
        allow_partial=False,
        run=lambda progress: session.runner.resume(unfinished.id, progress, settle_steps=settled),
    )
    _tell(context, report)


async def undo_change(context: Context) -> None:
    """`journal undo`."""
    runner = (await context.session()).runner
    if context.arguments.id:
        unfinished = _chosen(runner.unfinished(), context.arguments.id)
        change = await runner.undo_unfinished(unfinished.id, settle_steps=_settled(context.arguments))
    else:
        change = await runner.last_undoable()
    _tell(context, await context.carry_out(change))


def _tell(context: Context, report: Report) -> None:
    """What became of a change that ended well."""
    from core.display import one_line

    title, steps = report.change.title, len(report.change.steps)
    if context.output.json:
        context.output.data({"change": report.change_id, "title": title, "steps": steps})
    context.output.message(f"{one_line(title)}: all done ({'1 step' if steps == 1 else f'{steps:,} steps'}).")


async def dismiss_change(context: Context) -> None:
    """`journal dismiss`."""
    runner = (await context.session()).runner
    unfinished = _chosen(runner.unfinished(), context.arguments.id)
    if context.arguments.dry_run:
        context.output.message(f"Would dismiss {unfinished.change.title}; nothing was changed.")
        return
    await runner.dismiss(unfinished.id)
    if context.output.json:
        context.output.data({"dismissed": unfinished.id, "title": unfinished.change.title})
    context.output.message(f"Dismissed {unfinished.change.title}. What it had done stays as it is.")


def _chosen(unfinished: list[Unfinished], wanted: str) -> Unfinished:
    found = [change for change in unfinished if str(change.id).startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    if not unfinished:
        raise NotFoundError("Every change has ended.", advice="`journal undo` takes back the last one.")
    if not found:
        raise NotFoundError(f"There is no unfinished change {wanted!r}.", advice="See `housekeys journal unfinished`.")
    raise BadInputError(
        f"{len(found)} changes are unfinished; say which." if not wanted else f"{wanted!r} fits {len(found)} changes.",
        advice="`housekeys journal unfinished` shows their IDs.",
    )


def _settled(arguments: argparse.Namespace) -> dict[int, bool]:
    """The operator's word on steps in doubt, by index."""
    both = set(arguments.ran) & set(arguments.not_run)
    if both:
        raise BadInputError(f"Step {min(both)} cannot both have run and not have run.")
    return {number - 1: True for number in arguments.ran} | {number - 1: False for number in arguments.not_run}


def _record(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def _about(row: Row) -> str:
    title = row.details.get("title")
    if row.subject_kind == "change" and isinstance(title, str):
        return f"change: {title}"
    return f"{row.subject_kind} {row.subject}"


def _summary(row: Row) -> str:
    """The details in a few words: those of a change as counts, others as `name=value`."""
    from core.display import one_line

    details = row.details
    if row.subject_kind == "change" and row.action == "run":
        return one_line(f"{_number(details.get('done'))} of {_number(details.get('steps'))} steps done", 80)
    pairs = [f"{name}={value}" for name, value in details.items() if value not in (None, "") and name != "title"]
    return one_line(" ".join(pairs), 80)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _unfinished_record(unfinished: Unfinished) -> dict[str, Any]:
    state = "running" if unfinished.running else "broken off"
    return {
        "id": unfinished.id,
        "started": unfinished.started,
        "operator": f"{unfinished.operator.name}@{unfinished.operator.host}",
        "title": unfinished.change.title,
        "steps": len(unfinished.change.steps),
        "done": unfinished.count("done"),
        "failed": unfinished.count("failed"),
        "unknown": unfinished.count("unknown"),
        "undecided": [index + 1 for index in unfinished.undecided],
        "state": f"damaged: {unfinished.damaged}" if unfinished.damaged else state,
    }


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
