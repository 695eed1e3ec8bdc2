"""How a connection stands and what is next for it, so that somebody who has read no manual can go on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.provisioning.by_hand import Task
    from core.lakehouse.reach import Reach
    from core.lakehouse.sql.statements import Syntax
    from core.lakehouse.state import ConnectionState, Mark, Stage
    from core.session import Session
    from tui.cli.context import Context


def connection_value(state: ConnectionState) -> dict[str, Any]:
    """A known connection as JSON has it."""
    connection = state.connection
    return {
        "name": state.name,
        "known": True,
        "provider": connection.provider,
        "region": connection.region,
        "role_arn": connection.role_arn,
        "code_bucket": connection.code_bucket,
        "namespace": connection.namespace,
        "comment": connection.comment,
        "scope": state.scope,
        "more_buckets": list(state.more_buckets),
        "state": state.condition,
        "next": state.stage,
        "external_id": state.external_id,
        "trusted_id": state.trusted_id,
        "differences": list(state.differences),
        "defined": mark_value(state.defined),
        "granted": mark_value(state.granted),
        "trusted": mark_value(state.trusted),
        "created": mark_value(state.created),
        "described": mark_value(state.described),
        "verified": mark_value(state.verified),
    }


def mark_value(mark: Mark | None) -> dict[str, Any] | None:
    """When something was done and by whom, as JSON has it."""
    return None if mark is None else {"at": mark.at, "operator": mark.operator, "by_hand": mark.by_hand}


async def carry_out_and_tell(
    context: Context, session: Session, change: Change, name: str, done: str, syntax: Syntax
) -> None:
    """Run `change` about one connection, and tell what became of it and what is next.

    What changes something in a cloud or in the Lakehouse is always asked for.
    """
    change_id = None
    if change.steps:
        report = await context.carry_out(change, always_ask=_reaches_out(change))
        change_id = report.change_id
        tell_done(context, change, f"{name}: {done}")
    await tell_next(context, session, name, syntax, change_id=change_id)


def _reaches_out(change: Change) -> bool:
    """Whether a change does more than to read and to record."""
    from core.changes import CallStep
    from core.lakehouse.facts import NOTHING_TO_UNDO

    return any(isinstance(step, CallStep) and step.undo is not NOTHING_TO_UNDO for step in change.steps)


def tell_done(context: Context, change: Change, done: str) -> None:
    """Say that it was done, and what nobody has seen who was not asked."""
    from core.changes import Danger
    from core.display import one_line

    context.output.message(f"{one_line(done)}.")
    asked = context.interactive and not context.arguments.yes and context.arguments.confirm is None
    if not asked or (change.danger is Danger.ROUTINE and not _reaches_out(change)):
        for consequence in change.consequences:
            context.output.message(f"Note: {one_line(consequence)}")


async def tell_next(
    context: Context, session: Session, name: str, syntax: Syntax, *, change_id: object | None = None
) -> None:
    """Print what is next for a connection: the texts to copy to stdout, words to stderr; with --json all as data."""
    from core.lakehouse.provisioning.by_hand import task

    state = (await session.connections.states()).get(name)
    if state is None:  # the journal's rows are kept here and sent later
        return
    reach = session.connections.reach
    own = reach.carries_out(state)
    todo = task(state, syntax)
    if context.output.json:
        value = {**connection_value(state), "next_task": _task_value(context, state, todo, own)}
        context.output.data({"change": change_id, "connection": value})
        return
    _tell_differences(context, state)
    _tell_task(context, state, todo, reach)


def _tell_differences(context: Context, state: ConnectionState) -> None:
    from core.display import one_line

    for difference in state.differences:
        context.output.message(f"  differs: {one_line(difference)}")


def _tell_task(context: Context, state: ConnectionState, todo: Task, reach: Reach) -> None:
    from core.display import one_line, plain_lines
    from core.lakehouse.state import Stage

    say, name = context.output.message, one_line(state.name)
    if todo.stage is Stage.READY:
        say(f"{name} is ready: its role asks for the external id {one_line(state.external_id)}.")
        say(f"Roles drift, so look again now and then:\n  {command(context, state)}")
        return
    own = reach.carries_out(state)
    say(f"Next for {name}, {_step(todo.stage)}{'' if own else ', by hand'}:\n{todo.title}.")
    if own:
        say(f"Housekeys does it:\n  {command(context, state, own=True)}")
        return
    say(todo.advice)
    for exhibit in todo.exhibits:
        say(f"\n{exhibit.title}:")
        context.output.text(plain_lines(exhibit.text))
        context.output.stdout.flush()  # so that the words stay beside it where both go to one place
    say(f"\n{f'With {todo.asks}' if todo.asks else 'When it is done'}:\n  {command(context, state)}")
    if state.differences and todo.stage is Stage.VERIFY:
        say(f"What it should be:\n  {command_line(context, 'documents', state.name)}")
    if todo.stage in (Stage.GRANT, Stage.TRUST, Stage.TIGHTEN):
        typed = command_line(context, "documents", state.name, "--format", "cli")
        say(f"The same as commands of the cloud's own tool:\n  {typed}")


def command(context: Context, state: ConnectionState, *, own: bool = False) -> str:
    """The command line that goes on from here; `own`: Housekeys does what is next itself."""
    from core.lakehouse.state import Stage

    match state.stage:
        case _ if own:
            return command_line(context, "resume", state.name)
        case Stage.DESCRIBE:
            return command_line(context, "desc", state.name, "--from", "-")
        case Stage.VERIFY:
            return command_line(context, "verify", state.name, "--from", "-")
        case Stage.READY:
            return command_line(context, "verify", state.name)
    return command_line(context, "resume", state.name, "--done", state.stage.value)


def command_line(context: Context, verb: str, name: str, *words: str) -> str:
    """A command line of this noun, on the profile that was chosen by hand."""
    profile = context.arguments.profile
    chosen = [] if profile is None else ["-p", profile]
    return shlex.join(["housekeys", *chosen, "connection", verb, name, *words])


def _step(stage: Stage) -> str:
    from core.lakehouse.state import Stage

    steps = list(Stage)[:-1]  # to be ready is none
    return f"step {steps.index(stage) + 1} of {len(steps)}"


def _task_value(context: Context, state: ConnectionState, todo: Task, own: bool) -> dict[str, Any]:
    return {
        "step": todo.stage,
        "title": todo.title,
        "advice": todo.advice,
        "by_hand": not own,
        "texts": [{"title": exhibit.title, "text": exhibit.text} for exhibit in todo.exhibits],
        "asks": todo.asks,
        "command": command(context, state, own=own),
    }
