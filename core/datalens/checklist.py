"""The onboarding checklist: what can be checked is checked, the rest is ticked by the operator, in the journal.

Steps are those of DataLens's manual, "Creating a partner connector". An item that cannot be checked is "unknown" and
says why; nothing here raises but a lost connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.access.model import ANY_HOST, User
from core.changes import Change, Danger, Event, RecordStep
from core.clickhouse.access_reading import user_definition
from core.clickhouse.engine import Engine
from core.datalens.grants import judge_grants
from core.datalens.hosts import HostAnswer, ask_hosts
from core.datalens.listing import Listing
from core.datalens.pack import missing_parts, public_key
from core.datalens.setup import is_readonly, readonly_step, weak_methods
from core.display import one_line
from core.errors import BadInputError, ExitCode, HousekeysError
from core.journal.journal import Journal
from core.journal.rows import Row
from core.keys.self_test import self_test
from core.keys.versions import KeyState, KeyVersion, Side, active_partner, current_datalens, key_versions, of_side
from core.tenants.reading import read_rights

SUBJECT_KIND = "checklist"
TICK, UNTICK = "tick", "untick"


class CheckState(StrEnum):
    """How an item stands, in the word that is shown."""

    OK = "ok"
    FAILED = "failed"  # it is there, and not as it should be
    UNKNOWN = "unknown"  # it could not be checked
    TICKED = "ticked"  # an operator says that it is done
    TO_DO = "to do"  # it is not there yet, or nobody has said so

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self in (CheckState.OK, CheckState.TICKED)


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of the checklist. `fix` sets it right at once; `advice` says what does when more has to be known."""

    id: str
    title: str
    state: CheckState
    explanation: str = ""
    advice: str = ""
    fix: Change | None = None
    asks_password: bool = False  # `core.datalens.setup.plan_setup` with a password is the fix
    manual: bool = False  # ticked by `plan_tick`

    @property
    def wanting(self) -> bool:
        """Whether a check has found that something is left to do."""
        return not self.manual and self.state in (CheckState.FAILED, CheckState.TO_DO)


@dataclass(frozen=True, slots=True)
class _Manual:
    id: str
    title: str
    explanation: str


MANUAL = (
    _Manual(
        "access-from-datalens",
        "Access from DataLens is on",
        "A switch in the settings of a managed cluster; on your own cluster, the firewall lets DataLens in.",
    ),
    _Manual(
        "sql-management",
        "Databases and users are managed by SQL",
        "Two switches in the settings of a managed cluster; on your own cluster it is always so.",
    ),
    _Manual(
        "sent-to-datalens",
        "Password, hosts and key are with DataLens",
        "Given to DataLens's manager, who answers with their public key and its version.",
    ),
)


async def run_checklist(
    engine: Engine,
    journal: Journal,
    *,
    datalens_user: str,
    hosts: Sequence[str] = (),
    listing: Listing | None = None,
    cluster: str | None = None,
    host_timeout: float = 3.0,
) -> list[CheckItem]:
    """Check everything at once. `hosts` are the profile's, asked for a TCP connection for `host_timeout` seconds each.

    Raises UnreachableError when the engine is lost.
    """
    user_items, key_items, answers, signing, ticks = await asyncio.gather(
        _user_items(engine, journal, datalens_user, cluster),
        _key_items(journal, hosts, listing or Listing()),
        ask_hosts(hosts, host_timeout),
        asyncio.to_thread(self_test),
        _ticks(journal),
    )
    signing_item = CheckItem(
        "signing",
        "Tokens can be signed on this machine",
        CheckState.OK if signing.passed else CheckState.FAILED,
        signing.problem or "SHA-1 signatures and PKCS#1 v1.5 encryption work, as the protocol of DataLens demands.",
        signing.advice,
    )
    partner, datalens, pack = key_items
    return [*user_items, partner, datalens, signing_item, _hosts_item(answers), *ticks, pack]


def plan_tick(item_id: str, *, ticked: bool, note: str = "") -> Change:
    """Say that an item which cannot be checked is done, or is not after all. Raises BadInputError for another item."""
    item = next((manual for manual in MANUAL if manual.id == item_id), None)
    if item is None:
        known = ", ".join(manual.id for manual in MANUAL)
        raise BadInputError(f"{one_line(item_id, 60)} is no item to tick.", advice=f"Items to tick: {known}.")
    there, back = (TICK, UNTICK) if ticked else (UNTICK, TICK)
    undo = RecordStep(f"Take back: {item.title}", (Event(SUBJECT_KIND, item.id, back),))
    details = {"note": note} if note else {}
    step = RecordStep(f"{there.capitalize()}: {item.title}", (Event(SUBJECT_KIND, item.id, there, details),), undo=undo)
    return Change(f"{there.capitalize()} {item.title!r}", (step,))


# -- the user


async def _user_items(engine: Engine, journal: Journal, name: str, cluster: str | None) -> list[CheckItem]:
    titles = {
        "user": f"The user {one_line(name)} exists",
        "readonly": "Its readonly is 2",
        "password": "Its password is hashed",
        "grants": "It may read the tenants and nothing else",
    }
    try:
        user = await user_definition(engine, name)
    except HousekeysError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        why = f"The definition of the user cannot be seen: {error.message}"
        unseen = [CheckItem(key, titles[key], CheckState.UNKNOWN, why, error.advice) for key in list(titles)[:3]]
        return [*unseen, await _grants_item(engine, journal, name, cluster, titles["grants"])]
    if user is None:
        absent = CheckItem(
            "user",
            titles["user"],
            CheckState.TO_DO,
            "DataLens reads every tenant as this one user.",
            "Create it: housekeys datalens setup --generate-password",
            asks_password=True,
        )
        waiting = [
            CheckItem(key, title, CheckState.TO_DO, "There is no such user yet.")
            for key, title in titles.items()
            if key != "user"
        ]
        return [absent, *waiting]
    return [
        CheckItem("user", titles["user"], CheckState.OK, _definition(user)),
        _readonly_item(user, cluster, titles["readonly"]),
        _password_item(user, titles["password"]),
        await _grants_item(engine, journal, name, cluster, titles["grants"]),
    ]


def _definition(user: User) -> str:
    """What was found about a user that is there."""
    return f"It may log in from {'any host' if user.hosts == ANY_HOST else 'the hosts that its definition names'}."


def _readonly_item(user: User, cluster: str | None, title: str) -> CheckItem:
    if is_readonly(user):
        return CheckItem("readonly", title, CheckState.OK, "It changes nothing, and DataLens may send its settings.")
    change = Change(f"Set readonly = 2 for {one_line(user.name)}", (readonly_step(user, cluster),), Danger.DISRUPTIVE)
    return CheckItem(
        "readonly",
        title,
        CheckState.FAILED,
        "With 1 ClickHouse refuses the settings that DataLens sends with each query (error 164); with 0 the user "
        "may change data where it has the right.",
        "Set it: housekeys datalens setup",
        change,
    )


def _password_item(user: User, title: str) -> CheckItem:
    weak = weak_methods(user)
    if not weak:
        kinds = ", ".join(sorted({method.kind for method in user.methods}))
        return CheckItem("password", title, CheckState.OK, f"It logs in with {kinds}; ClickHouse keeps no password.")
    return CheckItem(
        "password",
        title,
        CheckState.FAILED,
        f"The user can log in with {' or '.join(weak)}.",
        "Give it another: housekeys datalens setup --generate-password",
        asks_password=True,
    )


async def _grants_item(engine: Engine, journal: Journal, name: str, cluster: str | None, title: str) -> CheckItem:
    reading = await read_rights(engine, name)
    if reading.exists is None:
        return CheckItem("grants", title, CheckState.UNKNOWN, reading.problem)
    verdict = await judge_grants(engine, journal, reading, cluster)
    if not verdict.problems:
        state = CheckState.UNKNOWN if reading.problem else CheckState.OK
        return CheckItem("grants", title, state, reading.problem or verdict.remark)
    advice = "" if verdict.fix else "Take the role from the user, or the right from the role."
    return CheckItem("grants", title, CheckState.FAILED, " ".join(verdict.problems), advice, verdict.fix)


# -- keys, hosts, listing, ticks


async def _key_items(journal: Journal, hosts: Sequence[str], listing: Listing) -> tuple[CheckItem, ...]:
    versions = await key_versions(journal)
    missing = missing_parts(listing, hosts, public_key(versions))
    if missing:
        explanation = f"{len(missing)} parts are missing: {'; '.join(missing[:3])}{' …' if len(missing) > 3 else ''}."
        pack = CheckItem("listing", "The listing pack is complete", CheckState.TO_DO, explanation)
    else:
        explanation = "No part of it is missing: texts, icon, price, contacts, hosts and public key are there."
        pack = CheckItem("listing", "The listing pack is complete", CheckState.OK, explanation)
    return _partner_item(versions), _datalens_item(versions), pack


def _partner_item(versions: Sequence[KeyVersion]) -> CheckItem:
    title = "A partner key is active"
    active = active_partner(versions)
    if active is not None:
        return CheckItem("partner-key", title, CheckState.OK, f"Version {active.version} signs tokens.")
    waiting = [version for version in of_side(versions, Side.PARTNER) if version.state in _BEFORE_ACTIVE]
    if not waiting:
        advice = "Generate one: housekeys key generate"
        return CheckItem("partner-key", title, CheckState.TO_DO, "There is none to sign tokens with.", advice)
    newest = waiting[-1]
    if newest.state is KeyState.GENERATED:
        explanation = f"Version {newest.version} is generated, and DataLens does not have its public half yet."
        advice = f"Send it (housekeys key export {newest.version}), then: housekeys key submit {newest.version}"
    else:
        explanation = f"Version {newest.version} waits for DataLens to confirm it."
        advice = f"When they have: housekeys key activate {newest.version}"
    return CheckItem("partner-key", title, CheckState.TO_DO, explanation, advice)


_BEFORE_ACTIVE = frozenset({KeyState.GENERATED, KeyState.SUBMITTED})


def _datalens_item(versions: Sequence[KeyVersion]) -> CheckItem:
    title = "A public key of DataLens is here"
    current = current_datalens(versions)
    if current is not None:
        return CheckItem("datalens-key", title, CheckState.OK, f"Version {current.version} encrypts tokens.")
    advice = "Import what their manager sent: housekeys key import FILE --side datalens --version N"
    return CheckItem("datalens-key", title, CheckState.TO_DO, "There is none to encrypt tokens to.", advice)


def _hosts_item(answers: Sequence[HostAnswer]) -> CheckItem:
    title = "The hosts of the cluster answer"
    if not answers:
        advice = "List them in the profile: datalens.hosts"
        return CheckItem("hosts", title, CheckState.TO_DO, "The profile lists none to give to DataLens.", advice)
    silent = [answer for answer in answers if answer.problem]
    if not silent:
        many = "1 host takes" if len(answers) == 1 else f"{len(answers)} hosts take"
        return CheckItem("hosts", title, CheckState.OK, f"{many} connections from this machine.")
    told = "; ".join(f"{one_line(answer.host)}: {answer.problem}" for answer in silent)
    return CheckItem(
        "hosts", title, CheckState.FAILED, f"{told}.", "Asked from this machine; DataLens may see it otherwise."
    )


async def _ticks(journal: Journal) -> list[CheckItem]:
    latest = await journal.latest(SUBJECT_KIND, (TICK, UNTICK))
    return [_tick_item(manual, latest.get(manual.id)) for manual in MANUAL]


def _tick_item(manual: _Manual, row: Row | None) -> CheckItem:
    if row is None or row.action != TICK:
        advice = f"When it is done: housekeys datalens tick {manual.id}"
        return CheckItem(manual.id, manual.title, CheckState.TO_DO, manual.explanation, advice, manual=True)
    note = row.details.get("note")
    said = f"{row.operator}, {_day(row.at)}{f': {note}' if note else ''}"
    return CheckItem(manual.id, manual.title, CheckState.TICKED, said, manual=True)


def _day(moment: datetime) -> str:
    return moment.strftime("%d %b %Y")
