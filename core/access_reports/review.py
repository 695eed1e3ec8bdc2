"""What a reviewer of access has to look at, as one list: what expires, who is dormant, who has too much, what changed.

Rights that were never used are not in it: no log of ClickHouse tells which right a query needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.access.access_model import AccessModel, EntityKey
from core.access.lint.findings import Finding, Severity
from core.access.lint.moments import end_of
from core.access.model import EntityKind, Hosts, User
from core.access.planning.plan import title, who
from core.access_reports.activity import DORMANT_DAYS, Activity
from core.access_reports.sheets import Sheet

SOON_DAYS = 30  # what ends within these is told
GRAVE_DAYS = 14  # and is a warning within these
OVER_GRANTED = frozenset(
    {"administrator", "grant-all", "global-rights-beside-database", "grant-option-widespread", "grant-beyond-tenants"}
)


class Kind(StrEnum):
    """Why something is in the list."""

    EXPIRED = "expired"
    EXPIRING = "expiring"
    DORMANT = "dormant"
    OVER_GRANTED = "over-granted"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One thing to look at. `since` or `until` is its moment, if it has one; `more` are lines that say it in full."""

    kind: Kind
    entity: EntityKey
    why: str
    severity: Severity
    explanation: str
    advice: str
    since: datetime | None = None
    until: datetime | None = None
    more: tuple[str, ...] = ()
    id: str = ""

    @property
    def key(self) -> str:
        """What it is known by: the same in every review as long as the thing is there."""
        return f"{self.kind} {title(self.entity)} {self.id}".strip()

    @property
    def when(self) -> str:
        """The day since when (it is past), or until when (it is to come)."""
        moment = self.until or self.since
        return "-" if moment is None else f"{moment:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of an entity, as the journal has it."""

    entity: EntityKey
    at: datetime
    by: str
    words: str  # what was done


def review(
    model: AccessModel,
    now: datetime,
    *,
    findings: Iterable[Finding] = (),
    activity: Activity | None = None,
    created: Mapping[str, datetime] | None = None,
    changes: Sequence[Changed] = (),
) -> tuple[ReviewItem, ...]:
    """Everything to look at. `created` are users by the moment they were made, where it is known."""
    users = [user for user in model.users.values() if user.hosts != Hosts()]  # a disabled one comes in by nothing
    found = [item for user in users for item in _ends(user, now)]
    over = {item.entity for item in found if item.kind is Kind.EXPIRED and not item.id}
    if activity is not None and not activity.problem:
        candidates = (user for user in users if EntityKey(EntityKind.USER, user.name) not in over)
        found += [item for user in candidates for item in _dormant(user.name, now, activity, created or {})]
    found += [_over_granted(finding) for finding in findings if finding.id in OVER_GRANTED]
    return (*found, *_changed(changes))


# -- the ends of users and of their methods


def _ends(user: User, now: datetime) -> Iterator[ReviewItem]:
    key = EntityKey(EntityKind.USER, user.name)
    ends = [end_of(method, now) for method in user.methods]
    known = [end for end in ends if end is not None]
    if ends and len(known) == len(ends) and max(known) <= now:
        yield ReviewItem(
            Kind.EXPIRED,
            key,
            "no way in is valid",
            Severity.WARNING,
            "It cannot log in. Its name, its rights and its roles are still there.",
            "Drop it, or give it a later end: ALTER USER … VALID UNTIL '…'",
            since=max(known),
        )
        return
    for number, (method, end) in enumerate(zip(user.methods, ends, strict=True), 1):
        if end is None or end > now + timedelta(days=SOON_DAYS):
            continue
        which = "" if len(ends) == 1 else f", method {number} of {len(ends)}"
        kind = method.kind.value
        if end <= now:
            yield ReviewItem(
                Kind.EXPIRED,
                key,
                f"ended: {kind}{which}",
                Severity.NOTE,
                "This method lets nobody in any more; the user still comes in by another.",
                "Take it away: ALTER USER … RESET AUTHENTICATION METHODS TO NEW, after the others were added anew.",
                since=end,
                id=str(number),
            )
        else:
            last = len(known) == len(ends) and end == max(known)
            yield ReviewItem(
                Kind.EXPIRING,
                key,
                f"ends {_in_days(end, now)}: {kind}{which}",
                Severity.WARNING if end <= now + timedelta(days=GRAVE_DAYS) else Severity.NOTE,
                "After that moment it lets nobody in."
                + (" The user has no other way in then." if last else " The user has another way in."),
                "Is it still needed? Then rotate it in time: add the new method, hand it over, take the old one away.",
                until=end,
                id=str(number),
            )


def _in_days(end: datetime, now: datetime) -> str:
    days = (end - now).days
    return "within a day" if days < 1 else "in 1 day" if days == 1 else f"in {days} days"


# -- who has not been here


def _dormant(name: str, now: datetime, activity: Activity, created: Mapping[str, datetime]) -> Iterator[ReviewItem]:
    limit = now - timedelta(days=DORMANT_DAYS)
    last, made = activity.last.get(name), created.get(name)
    if (last is not None and last >= limit) or (made is not None and made >= limit):
        return
    begins, what = activity.begins, activity.what
    young = last is None and begins is not None and begins > limit
    if last is not None:
        why, since = f"last {what} {last:%Y-%m-%d}", last
    elif young and begins is not None:
        why, since = f"no {what} since the log begins", begins
    else:
        why, since = f"no {what} for {DORMANT_DAYS} days", limit
    explanation = f"A user that nobody uses is one that nobody misses when it is misused. It was judged by each {what}"
    yield ReviewItem(
        Kind.DORMANT,
        EntityKey(EntityKind.USER, name),
        why,
        Severity.NOTE if young else Severity.WARNING,
        f"{explanation} that the log of this server holds; the log begins on {begins:%Y-%m-%d}."
        if begins is not None
        else f"{explanation} that the log of this server holds.",
        "Ask its owner. Disable it (HOST NONE) before you drop it: that can be taken back in a moment.",
        since=since,
    )


# -- who has too much, and what changed


def _over_granted(finding: Finding) -> ReviewItem:
    advice = finding.advice or (finding.fix.title if finding.fix is not None else "")
    return ReviewItem(
        Kind.OVER_GRANTED,
        finding.entity,
        _without_subject(finding),
        finding.severity,
        finding.explanation,
        advice,
        id=f"{finding.id} {finding.title}",
    )


def _without_subject(finding: Finding) -> str:
    """What a finding says of its entity, which stands beside it."""
    return finding.title.removeprefix(who(finding.entity)).lstrip(", ").removesuffix(".")


def _changed(changes: Sequence[Changed]) -> Iterator[ReviewItem]:
    by_entity: dict[EntityKey, list[Changed]] = {}
    for change in sorted(changes, key=lambda each: each.at):
        by_entity.setdefault(change.entity, []).append(change)
    for key, several in by_entity.items():
        last = several[-1]
        before = "" if len(several) == 1 else f", {len(several) - 1:,} before"
        yield ReviewItem(
            Kind.CHANGED,
            key,
            f"{last.words} by {last.by}{before}",
            Severity.NOTE,
            "This was done with Housekeys. What was done past it is in no journal.",
            "Was every change asked for, and is what it gave still needed?",
            since=last.at,
            more=tuple(f"{each.at:%Y-%m-%d %H:%M} {each.words} by {each.by}" for each in reversed(several)),
        )


# -- as a file

COLUMNS = ("what", "kind", "name", "why", "since", "until", "severity", "explanation", "advice", "changes")


def review_sheet(items: Sequence[ReviewItem], where: str, notes: Iterable[str] = ()) -> Sheet:
    """A row for each."""
    rows = [
        (
            str(item.kind),
            *_entity(item.entity),
            item.why,
            item.since,
            item.until,
            str(item.severity),
            item.explanation,
            item.advice,
            "; ".join(item.more),
        )
        for item in items
    ]
    return Sheet(f"Review of access on {where}", COLUMNS, rows, tuple(notes))


def _entity(key: EntityKey) -> tuple[str, str]:
    kind = key.kind.lower()
    return kind, title(key).removeprefix(f"{kind} ")
