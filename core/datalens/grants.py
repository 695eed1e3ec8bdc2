"""Are the rights of the DataLens user what they should be: SELECT on the databases of tenants, and nothing else?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.access.model import Grant, Revoke, Right
from core.access.render import render
from core.changes import Change, Danger, Event, StatementStep, Step
from core.clickhouse.engine import Engine
from core.journal.journal import Journal
from core.tenants.model import SUSPEND
from core.tenants.naming import SHARED_DATABASES
from core.tenants.reading import Reading
from core.tenants.situation import Situation, read_situation, some
from core.tenants.steps import grant_step


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with the rights, a sentence each; what takes the user's own wrong ones away; else a remark."""

    problems: tuple[str, ...] = ()
    fix: Change | None = None
    remark: str = ""


async def judge_grants(engine: Engine, journal: Journal, reading: Reading, cluster: str | None) -> Verdict:
    """Judge the rights in `reading`. Raises what the engine raises."""
    now = await read_situation(engine, journal, datalens_user=reading.user, cluster=cluster)
    forbidden = SHARED_DATABASES | {journal.database}
    wrong = [
        (right, grant.grant_option)
        for grant in reading.grants
        if isinstance(grant, Grant)
        for right in grant.rights
        if _wrong(right, grant.grant_option, forbidden) or _partly_open_stranger(right, now)
    ]
    problems = []
    if wrong:
        rights = some([_words(right, option) for right, option in wrong])
        problems.append(f"Rights that it should not have: {rights}.")
    for role, opening in sorted(reading.roles.items()):
        if opening.everything or opening.prefixes or opening.names & forbidden:
            problems.append(f"The role {some([role])} lets it read more than tenants.")
    if problems:
        return Verdict(tuple(problems), _fix(now, wrong, cluster) if wrong else None)
    strangers = sorted(name for name in reading.own.names if not now.recorded(name))
    if strangers:
        return Verdict(remark=f"Readable, and not made tenants by Housekeys: {some(strangers)}. Adopt or suspend them.")
    count = len(reading.own.names)
    return Verdict(remark=f"It may read {count:,} {'database' if count == 1 else 'databases'}.")


def _wrong(right: Right, option: bool, forbidden: Iterable[str]) -> bool:
    if right.privilege == "USAGE":
        return False
    if option or right.privilege != "SELECT" or right.parameter is not None:
        return True
    return right.database is None or right.database_wildcard or right.database in forbidden


def _partly_open_stranger(right: Right, now: Situation) -> bool:
    """A right on a table of a database that is no tenant; on all of it, it would make it one."""
    return right.database is not None and right.table is not None and not now.is_tenant(right.database)


def _words(right: Right, option: bool) -> str:
    words = render(Grant((right,), grantees=("x",))).removeprefix("GRANT ").removesuffix(" TO x")
    return f"{words} WITH GRANT OPTION" if option else words


def _fix(now: Situation, wrong: list[tuple[Right, bool]], cluster: str | None) -> Change:
    """Take the wrong rights away. One on everything takes those on single databases with it: these are given again."""
    forbidden = SHARED_DATABASES | {now.journal_database}
    steps: list[Step] = [
        _take(now.user, right, option, option and not _wrong(right, False, forbidden), cluster)
        for right, option in wrong
    ]
    if any(_takes_others(right) for right, _ in wrong):
        steps += [
            replace(grant_step(name, now), undo=None, no_undo="It was readable before as well.")
            for name in sorted(now.databases - forbidden)
            if now.is_tenant(name) and now.reading.covers(name) and now.last_actions.get(name) != SUSPEND
        ]
    return Change(
        f"Leave {now.user} only the right to read tenants",
        tuple(steps),
        danger=Danger.DISRUPTIVE,
        consequences=("What DataLens reads outside of tenants, it can no longer read.",),
    )


def _takes_others(right: Right) -> bool:
    return right.parameter is None and (right.database is None or right.database_wildcard or right.privilege == "ALL")


def _take(user: str, right: Right, option: bool, only_option: bool, cluster: str | None) -> StatementStep:
    words = _words(right, option)
    revoke = Revoke((right,), grantees=(user,), grant_option=only_option, cluster=cluster or "")
    return StatementStep(
        f"Take {words} from {user}" if not only_option else f"Keep {user} from passing on {words}",
        render(revoke),
        undo=StatementStep(
            f"Give {words} to {user} again",
            render(Grant((right,), grantees=(user,), grant_option=option, cluster=cluster or "")),
            repeatable=True,
        ),
        repeatable=True,
        events=(Event("user", user, "revoke", {"right": words}),),
    )
