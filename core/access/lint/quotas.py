"""Lint of quotas: whom none limits, which limit nothing, and which are in each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey
from core.access.lint.changes import with_quota
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.subject import SetsOfUsers, Subject, disabled, listed, named, sentence
from core.access.model import NOBODY, EntityKind
from core.access.quotas import Quota, QuotaInterval, QuotaLimit

SEVERAL_QUOTAS_SINCE = (26, 6)  # before, only one quota counts for a user, and which one is not defined


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the quotas of a model, and about users that have none or several."""
    for quota in subject.model.quotas.values():
        yield from _without_limits(subject, quota)
        yield from _zero_limits(subject, quota)
        yield from _same_length(subject, quota)
        yield from _nobody(subject, quota)
    yield from _users(subject)


def _key(quota: Quota) -> EntityKey:
    return EntityKey(EntityKind.QUOTA, quota.name)


def _limits(quota: Quota) -> list[tuple[QuotaLimit, int | float]]:
    return [limit for interval in quota.intervals if not interval.removed for limit in interval.limits]


def _without_limits(subject: Subject, quota: Quota) -> Iterator[Finding]:
    limits = _limits(quota)
    if any(value for _, value in limits):
        return
    zeros = bool(limits)
    yield subject.finding(
        "quota-without-limits",
        Severity.WARNING if zeros else Severity.NOTE,
        _key(quota),
        f"{sentence(named(_key(quota)))} limits nothing.",
        "All its limits are 0, and to ClickHouse 0 means no limit."
        if zeros
        else "It has no limits: it only counts what is used.",
        advice="Set limits that are above what is used now: system.quotas_usage shows it.",
    )


def _zero_limits(subject: Subject, quota: Quota) -> Iterator[Finding]:
    limits = _limits(quota)
    zeros = dict.fromkeys(limit.value for limit, value in limits if not value)
    if not zeros or not any(value for _, value in limits):
        return

    def change(found: Quota) -> Quota:
        intervals = (
            replace(interval, limits=tuple(limit for limit in interval.limits if limit[1]))
            for interval in found.intervals
        )
        return replace(found, intervals=tuple(intervals))

    yield subject.finding(
        "quota-limit-zero",
        Severity.WARNING,
        _key(quota),
        f"{sentence(named(_key(quota)))} has limits of 0: {listed(zeros)}.",
        "To ClickHouse a limit of 0 means no limit. Nobody is kept from anything by it.",
        fix=Fix("Remove the limits of 0, which changes nothing", lambda model: with_quota(model, quota.name, change)),
    )


def _same_length(subject: Subject, quota: Quota) -> Iterator[Finding]:
    lengths = [interval.seconds for interval in quota.intervals if not interval.removed]
    twice = sorted({length for length in lengths if lengths.count(length) > 1})
    if not twice:
        return
    yield subject.finding(
        "quota-intervals-same-length",
        Severity.WARNING,
        _key(quota),
        f"{sentence(named(_key(quota)))} has more than one interval of {listed(f'{length:,} s' for length in twice)}.",
        "SQL keeps one interval of each length: when such a quota is created or altered by a statement, the later one "
        "replaces the earlier. Only a users.xml can hold both, and then both limit.",
        fix=Fix("Make one of them, with the strictest of each limit", lambda model: _merge(model, quota.name)),
    )


def _merge(model: AccessModel, name: str) -> AccessModel:
    def change(quota: Quota) -> Quota:
        merged: dict[int, QuotaInterval] = {}
        for interval in quota.intervals:
            if interval.removed or interval.seconds not in merged:
                merged[interval.seconds] = interval
            else:
                merged[interval.seconds] = _strictest(merged[interval.seconds], interval)
        return replace(quota, intervals=tuple(merged.values()))

    return with_quota(model, name, change)


def _strictest(first: QuotaInterval, second: QuotaInterval) -> QuotaInterval:
    both = (dict(first.limits), dict(second.limits))
    found = []
    for limit in QuotaLimit:
        values = [limits[limit] for limits in both if limit in limits]
        if values:
            # 0 is no limit: it is stricter than nothing.
            found.append((limit, min((value for value in values if value), default=0)))
    return replace(first, limits=tuple(found))


def _nobody(subject: Subject, quota: Quota) -> Iterator[Finding]:
    if quota.to == NOBODY:
        yield subject.finding(
            "quota-nobody",
            Severity.NOTE,
            _key(quota),
            f"{sentence(named(_key(quota)))} holds for nobody.",
            "A quota counts only for the users and roles behind its TO.",
            advice="Give it whom it is for: ALTER QUOTA … TO …. The list is replaced as a whole.",
        )


# -- users


def _users(subject: Subject) -> Iterator[Finding]:
    quotas = subject.model.quotas
    sets = SetsOfUsers(subject, ((name, quota.to) for name, quota in quotas.items()))
    together: dict[tuple[str, ...], list[str]] = {}
    for user in subject.model.users.values():
        if disabled(user.hosts):
            continue
        names = sets.holding_for(user)
        if len(names) > 1:
            together.setdefault(tuple(sorted(names)), []).append(user.name)
        if names:
            continue
        key = EntityKey(EntityKind.USER, user.name)
        yield subject.finding(
            "user-without-quota",
            Severity.WARNING if quotas else Severity.NOTE,
            key,
            f"No quota holds for {named(key)}.",
            "It may run as many queries, and read and write as much, as the server can bear. An unknown quota name in "
            "users.xml is silently ignored and ends here too.",
            advice="Add it, or a role of it, to the TO of a quota.",
        )
    for names_together, users in together.items():
        yield from _overlapping(subject, names_together, users)


def _overlapping(subject: Subject, names: tuple[str, ...], users: list[str]) -> Iterator[Finding]:
    version = subject.context.version
    if version >= SEVERAL_QUOTAS_SINCE and not _share_a_length(subject, names):
        return
    if version >= SEVERAL_QUOTAS_SINCE:
        why = "Both count, each by its own keys, and the strictest limit of a length is the one that is met first."
    else:
        why = (
            "Before ClickHouse 26.6 only one quota counts for a user, and which of several is not defined. From 26.6 "
            "on all of them count."
        )
    yield subject.finding(
        "quotas-overlapping",
        Severity.NOTE if version >= SEVERAL_QUOTAS_SINCE else Severity.WARNING,
        EntityKey(EntityKind.QUOTA, names[0]),
        f"Quotas {listed(names)} hold for the same users: {listed(sorted(users))}.",
        why,
        advice="Let one quota with several intervals hold for each user.",
    )


def _share_a_length(subject: Subject, names: tuple[str, ...]) -> bool:
    seen: set[int] = set()
    for name in names:
        lengths = {interval.seconds for interval in subject.model.quotas[name].intervals if not interval.removed}
        if seen & lengths:
            return True
        seen |= lengths
    return False
