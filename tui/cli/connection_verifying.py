"""`housekeys connection verify`: reads back what is there, tells what differs, and records it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, ExitCode, RefusedError
from tui.cli.arguments import Frame
from tui.cli.connection_options import NAME_HELP

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.looking import Look
    from core.lakehouse.state import ConnectionState
    from core.session import Session
    from tui.cli.context import Context

ALL = "all"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add this verb."""
    verify = frame.verb(
        verbs,
        "verify",
        verify_connections,
        "read back both sides of connections, and tell what differs",
        description="Look at the connections in the Lakehouse and at their roles and policies in\n"
        "the cloud, as far as the profile lets Housekeys see them, tell what differs\n"
        "from what is wanted, and record it. Where the cloud is done by hand, bring the\n"
        "trust policy with --from: the document, or the answer of aws iam get-role and\n"
        "the like. Exit code 1: something differs. In read-only mode nothing is\n"
        "recorded.",
        examples=(
            "housekeys connection verify",
            "housekeys connection verify udf_conn --json",
            "housekeys connection verify udf_conn --from trust-policy.json",
            "housekeys connection verify udf_conn --from -   a paste, or a pipe from aws iam get-role and the like",
        ),
    )
    verify.add_argument("names", nargs="*", metavar="NAME", help=f"{NAME_HELP}; none, or all: every one")
    verify.add_argument("--from", dest="source", metavar="FILE", help="the trust policy as it is; - is standard input")


async def verify_connections(context: Context) -> None:
    """Handle `connection verify`."""
    if context.arguments.source is not None:
        await _verify_pasted(context)
        return
    session = await context.session()
    states = await _states(context, session)
    looks = await session.connections.look(states)
    if len(looks) == 1 and looks[0].error is not None:
        raise looks[0].error
    _refuse_unseen(context, looks)
    from core.lakehouse.looking import plan_recording

    rows = [_row(look) for look in looks]
    if any(row["result"] in ("differs", "failed") for row in rows):
        context.exit_code = ExitCode.FAILED
    _print_rows(context, rows)
    await _record(context, session, plan_recording(looks))
    _tell_remedy(context, [row["name"] for row in rows if row["result"] == "differs"])


async def _states(context: Context, session: Session) -> list[ConnectionState]:
    names: Sequence[str] = context.arguments.names
    known = await session.connections.states()
    if not names or (list(names) == [ALL] and ALL not in known):
        return [known[name] for name in sorted(known)]
    return [await session.connections.state(name) for name in dict.fromkeys(names)]


def _refuse_unseen(context: Context, looks: Sequence[Look]) -> None:
    """Raise when of none anything can be seen: whoever asks must not take that for a yes."""
    if looks and not any(look.seen or look.error is not None for look in looks):
        from tui.cli.connection_next import command_line

        back = command_line(context, "verify", looks[0].state.name, "--from", "-")
        raise RefusedError(
            "The profile lets Housekeys see neither the Lakehouse nor the cloud, so nothing was verified.",
            advice=f"Copy the trust policy of the role, and bring it:\n  {back}",
        )


def _row(look: Look) -> dict[str, Any]:
    return {
        "name": look.state.name,
        "result": _result(look),
        "lakehouse_seen": look.external_id is not None,
        "cloud_seen": look.trusted_id is not None,
        "external_id": look.external_id or look.state.external_id,
        "trusted_id": look.trusted_id or look.state.trusted_id,
        "differences": [] if look.not_begun else list(look.differences),
        "error": None if look.error is None else str(look.error),
    }


def _result(look: Look) -> str:
    if look.error is not None:
        return "failed"
    if not look.seen:
        return "not seen"
    if look.not_begun:
        return "not there yet"
    if look.differences:
        return "differs"
    return "as wanted" if look.trusted_id is not None else "role not seen"


_REMARKS = {
    "not seen": "it is looked after by hand: bring its trust policy with --from",
    "role not seen": "the Lakehouse has it as known; bring the trust policy of its role with --from",
}


def _print_rows(context: Context, rows: Sequence[dict[str, Any]]) -> None:
    from core.display import cell_width, one_line

    if context.output.json:
        context.output.data(rows)
        return
    if not rows:
        context.output.message("There is no API connection yet. Define one: housekeys connection create --help")
    width = max((cell_width(one_line(row["name"])) for row in rows), default=0)
    results = max((len(row["result"]) for row in rows), default=0)
    for row in rows:
        name = one_line(row["name"])
        remarks = row["differences"] or [row["error"] or _REMARKS.get(row["result"], "")]
        head = f"{name}{' ' * (width - cell_width(name))}  {row['result']:<{results}}"
        for remark in remarks:
            context.output.text(f"{head}  {one_line(remark)}".rstrip())
            head = " " * len(head)


def _tell_remedy(context: Context, names: Sequence[str]) -> None:
    """What to do about connections that differ."""
    from tui.cli.connection_next import command_line

    if len(names) == 1:
        context.output.message(f"Put it right:\n  {command_line(context, 'resume', names[0])}")
    elif names:
        context.output.message(f"Put each right:\n  {command_line(context, 'resume', 'NAME')}")


async def _verify_pasted(context: Context) -> None:
    from dataclasses import replace

    from core.lakehouse.looking import plan_recording
    from core.lakehouse.provisioning.by_hand import plan_verified
    from core.lakehouse.provisioning.pasted_documents import read_pasted_trust
    from core.lakehouse.provisioning.verification import external_id_of
    from core.lakehouse.sql.statements import Syntax
    from tui.cli.connection_next import tell_next
    from tui.cli.connection_provisioning import pasted

    names = context.arguments.names
    if len(names) != 1:
        raise BadInputError("--from goes with one connection.", advice="Name the one that the trust policy is of.")
    session = await context.session()
    state = await session.connections.state(names[0])
    trust = read_pasted_trust(await pasted(context, context.arguments.source))
    seen = await _seen_in_lakehouse(session, state)
    state = replace(state, external_id=seen.external_id or state.external_id)
    change = plan_verified(state, trust)
    found = change.steps[0].events[0].details["differences"]
    differences = (*seen.differences, *(map(str, found) if isinstance(found, list) else ()))
    look = replace(seen, state=state, differences=differences, trusted_id=external_id_of(trust))
    if seen.differences:
        change = replace(change, steps=(*plan_recording([seen]).steps, *change.steps))
    context.exit_code = ExitCode.FAILED if differences else ExitCode.DONE
    _print_rows(context, [_row(look)])
    if await _record(context, session, change) and not context.output.json:
        await tell_next(context, session, state.name, Syntax.CLAUSES)


async def _seen_in_lakehouse(session: Session, state: ConnectionState) -> Look:
    """What the Lakehouse tells, where it can be asked: the external id may be another one by now."""
    from core.lakehouse.looking import Look

    if session.connections.reach.lakehouse_settings is None:
        return Look(state)
    [seen] = await session.connections.look([state])
    if seen.error is not None:
        raise seen.error
    return seen


async def _record(context: Context, session: Session, change: Change) -> bool:
    """Record what was seen, unless nothing may be; a look is never refused for that."""
    if not change.steps:
        return False
    why = "read-only" if session.read_only.active else "--dry-run" if context.arguments.dry_run else ""
    if why:
        context.output.message(f"What was seen is not recorded ({why}).")
        return False
    await context.carry_out(change)
    return True
