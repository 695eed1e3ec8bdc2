"""`housekeys connection` changing: create, resume, desc, recreate, remove."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.errors import RefusedError
from tui.cli.arguments import Frame
from tui.cli.connection_options import (
    NAME_HELP,
    add_definition_options,
    add_syntax_option,
    chosen_syntax,
    defines_some,
    refuse_wrong,
    wanted,
)

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.connections import ConnectionDescription
    from core.lakehouse.sql.statements import Syntax
    from core.session import Session
    from tui.cli.context import Context

LARGEST_ANSWER = 1024 * 1024  # bytes of what is pasted
WHAT_IS_NEXT = "next"  # of --done without a step
BY_HAND_STEPS = ("grant", "trust", "create", "tighten")  # that --done can name
PASTE = "Paste it here; end it with Ctrl-D on a line of its own."


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    _add_create(verbs, frame)
    _add_resume(verbs, frame)
    _add_ending(verbs, frame)


def _add_create(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    create = frame.verb(
        verbs,
        "create",
        create_connection,
        "define a connection, and do all that needs no hand",
        description="Define a connection and provision it: permission policies, a role that nobody\n"
        "can assume yet, CREATE API CONNECTION, the external id that DESC CONNECTION\n"
        "tells, a trust policy that asks for it, and a look whether all is so. What the\n"
        "profile lets Housekeys do (its lakehouse, its clouds) is done after a preview;\n"
        "the rest is shown step by step, to be done by hand. Nothing is created while a\n"
        "field is wrong.",
        examples=(
            "housekeys connection create udf_conn --provider aliyun --region cn-hangzhou "
            "--role-arn acs:ram::1757168149572678:role/czudfrole --bucket function-compute-my1",
            "housekeys connection create udf_aws --provider aws --region cn-north-1 "
            "--role-arn arn:aws-cn:iam::123456789012:role/LakehouseUdf --bucket cz-udf-code --scope least",
            "housekeys connection create udf_tc --provider tencent --region ap-shanghai "
            "--role-arn qcs::cam::uin/100012345678:roleName/LakehouseRole --bucket myfunction-1310000000",
        ),
    )
    create.add_argument("name", metavar="NAME", help=NAME_HELP)
    add_definition_options(create, required=True)
    add_syntax_option(create)


def _add_resume(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    resume = frame.verb(
        verbs,
        "resume",
        resume_connection,
        "go on: run what can be run, else show what is to be done by hand",
        description="Go on with a connection that is not ready. What is missing and can be run is\n"
        "run, from what is there now; otherwise the next step is shown with the texts\n"
        "that it needs. With --done you say that you have done it; with the name of the\n"
        "step, that none but this one is meant.",
        examples=("housekeys connection resume udf_conn --yes", "housekeys connection resume udf_conn --done grant"),
    )
    resume.add_argument("name", metavar="NAME", help=NAME_HELP)
    resume.add_argument(
        "--done", nargs="?", const=WHAT_IS_NEXT, type=_step, metavar="STEP",
        help=f"you have done the step by hand: {', '.join(BY_HAND_STEPS)}; without STEP the one that is next",
    )  # fmt: skip
    add_syntax_option(resume)
    desc = frame.verb(
        verbs,
        "desc",
        describe_connection,
        "what DESC CONNECTION tells; record the external id",
        description="Ask the Lakehouse for a connection, if the profile names one. With --from take\n"
        "the answer of DESC CONNECTION as it was printed or copied elsewhere (table,\n"
        "lines, CSV, JSON; - is standard input), and record the external id that is in\n"
        "it.",
        examples=(
            "housekeys connection desc udf_conn",
            "housekeys connection desc udf_conn --from answer.txt",
            "housekeys connection desc udf_conn --from -",
        ),
    )
    desc.add_argument("name", metavar="NAME", help=NAME_HELP)
    desc.add_argument("--from", dest="source", metavar="FILE", help="the answer; - is standard input")


def _step(text: str) -> str:
    """The name of a step, whose answer may have to be brought back: then that is told."""
    from core.lakehouse.state import Stage

    if text not in {WHAT_IS_NEXT, *Stage}:
        steps = ", ".join(BY_HAND_STEPS)
        raise argparse.ArgumentTypeError(f"{text} is no step ({steps}); the NAME stands before --done")
    return text


def _add_ending(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    recreate = frame.verb(
        verbs,
        "recreate",
        recreate_connection,
        "drop a connection and create it anew, as it is or changed",
        description="There is no ALTER CONNECTION: a change is DROP and CREATE, and gives another\n"
        "external id. Until the trust policy asks for the new one, no function can be\n"
        "called through the connection. Refused while the Lakehouse tells of functions\n"
        "that use it. Two changes run, each after its preview.",
        examples=(
            "housekeys connection recreate udf_conn --bucket another-code-bucket",
            "housekeys connection recreate udf_conn --confirm udf_conn",
        ),
    )
    recreate.add_argument("name", metavar="NAME", help=NAME_HELP)
    add_definition_options(recreate)
    add_syntax_option(recreate)
    remove = frame.verb(
        verbs,
        "remove",
        remove_connection,
        "drop a connection, and delete its role and policies",
        description="Drop a connection, and delete its role and the policies that were made for it,\n"
        "where Housekeys works on the cloud itself. The name has to be typed. Refused\n"
        "while functions are known to use it.",
        examples=(
            "housekeys --dry-run connection remove udf_conn",
            "housekeys connection remove udf_conn --keep-role --confirm udf_conn",
        ),
    )
    remove.add_argument("name", metavar="NAME", help=NAME_HELP)
    remove.add_argument("--keep-role", action="store_true", help="leave the role and its policies in the cloud")


# -- the way there


async def create_connection(context: Context) -> None:
    """Handle `connection create`."""
    from tui.cli.connection_next import carry_out_and_tell

    asked = wanted(context.arguments)
    refuse_wrong(asked)  # before anything is opened
    session = await context.session()
    syntax = chosen_syntax(context.arguments)
    change = await session.connections.plan_create(asked, syntax)
    done = "defined" if len(change.steps) == 1 else f"defined, {_steps_done(change)}"
    await carry_out_and_tell(context, session, change, asked.name, done, syntax)


def _steps_done(change: Change) -> str:
    number = len(change.steps)
    return "1 step done" if number == 1 else f"{number:,} steps done"


async def resume_connection(context: Context) -> None:
    """Handle `connection resume`."""
    from core.lakehouse.provisioning.by_hand import plan_done
    from core.lakehouse.state import Stage
    from tui.cli.connection_next import carry_out_and_tell

    arguments = context.arguments
    session = await context.session()
    syntax = chosen_syntax(arguments)
    if arguments.done is None:
        change = await session.connections.plan_resume(arguments.name, syntax)
        await carry_out_and_tell(context, session, change, arguments.name, _steps_done(change), syntax)
        return
    state = await session.connections.state(arguments.name)
    change = plan_done(state, state.stage if arguments.done == WHAT_IS_NEXT else Stage(arguments.done))
    await carry_out_and_tell(context, session, change, state.name, f"recorded as done: {change.title}", syntax)


async def describe_connection(context: Context) -> None:
    """Handle `connection desc`."""
    if context.arguments.source is None:
        await _ask_the_lakehouse(context)
    else:
        await _take_the_answer(context)


async def _ask_the_lakehouse(context: Context) -> None:
    from core.display import one_line
    from core.errors import NotFoundError
    from core.lakehouse.sql.statement_rendering import render
    from core.lakehouse.sql.statements import DescribeConnection
    from tui.cli.connection_next import command_line

    session = await context.session()
    connections, name = session.connections, context.arguments.name
    lakehouse = await connections.reach.lakehouse()
    if lakehouse is None:
        statement, back = render(DescribeConnection(name)), command_line(context, "desc", name, "--from", "-")
        raise RefusedError(
            "The profile names no Lakehouse that could be asked.",
            advice=f"Run there:\n  {statement};\nand bring the answer:\n  {back}",
        )
    description = await lakehouse.description(name)
    if description is None:
        raise NotFoundError(f"The Lakehouse has no connection {one_line(name)}.")
    context.output.record(dict(description.info), {**description.info, "external_id": description.external_id})
    state = (await connections.states()).get(name)
    if state is not None and state.external_id != description.external_id:
        known = state.external_id or "none"
        context.output.message(
            f"The external id that is known here is {one_line(known)}. Take the new one over:\n"
            f"  {command_line(context, 'verify' if state.external_id else 'resume', name)}"
        )


async def _take_the_answer(context: Context) -> None:
    from core.changes import Change
    from core.lakehouse.provisioning.by_hand import plan_described
    from core.lakehouse.sql.answers import needed_external_id
    from tui.cli.connection_next import carry_out_and_tell

    session = await context.session()
    state = await session.connections.state(context.arguments.name)
    description = await _pasted_description(context)
    external_id = needed_external_id(description, state.name)
    change = plan_described(state, external_id)
    if state.external_id == external_id:
        change = Change("The external id is known already", ())
        context.output.message(f"The external id of {state.name} is known already.")
    done = f"its external id is {external_id}"
    await carry_out_and_tell(context, session, change, state.name, done, chosen_syntax(context.arguments))


async def _pasted_description(context: Context) -> ConnectionDescription:
    from core.lakehouse.sql.pasted_answers import read_pasted

    return read_pasted(await pasted(context, context.arguments.source))


async def pasted(context: Context, source: str) -> str:
    """What an operator brings back: a file, or standard input, which a person at a terminal is told of."""
    from tui.cli.given_files import STDIN, given_text

    if source == STDIN and context.interactive:
        context.output.message(PASTE)
    return await given_text(context, source, LARGEST_ANSWER)


# -- the way back


async def recreate_connection(context: Context) -> None:
    """Handle `connection recreate`: two changes, and the second starts from what the first has left."""
    from core.lakehouse.provisioning.plan import Wanted
    from tui.cli.connection_next import tell_done

    arguments = context.arguments
    session = await context.session()
    state = await session.connections.state(arguments.name)
    changed = wanted(arguments, Wanted.of(state)) if defines_some(arguments) else None
    if changed is not None:
        refuse_wrong(changed)
    change = await session.connections.plan_recreate(state.name, changed)
    if arguments.dry_run:
        context.output.message(
            "Shown is the first of two changes. The second creates it anew, from what is there then."
        )
    await context.carry_out(change)
    tell_done(context, change, f"{state.name}: dropped")
    await _create_anew(context, session, state.name, chosen_syntax(arguments))


async def _create_anew(context: Context, session: Session, name: str, syntax: Syntax) -> None:
    """The second change. It is asked for as well; --confirm has said yes to both."""
    from tui.cli.connection_next import carry_out_and_tell, command_line

    change = await session.connections.plan_resume(name, syntax)
    context.arguments.yes = context.arguments.yes or context.arguments.confirm == name
    try:
        await carry_out_and_tell(context, session, change, name, "created anew", syntax)
    except RefusedError as error:
        raise RefusedError(
            error.message,
            advice=f"{name} is dropped. Go on with:\n  {command_line(context, 'resume', name)}",
            detail=error.detail,
        ) from error


async def remove_connection(context: Context) -> None:
    """Handle `connection remove`."""
    from tui.cli.connection_next import tell_done

    name = context.arguments.name
    session = await context.session()
    change = await session.connections.plan_remove(name, keep_role=context.arguments.keep_role)
    report = await context.carry_out(change)
    tell_done(context, change, f"{name}: removed")
    if context.output.json:
        context.output.data({"change": report.change_id, "removed": name})
