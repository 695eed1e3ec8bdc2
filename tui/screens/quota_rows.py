"""What the quotas screen shows of a quota: its row in the table, and its summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.quota_amounts import UNITS, Unit, brief_amount, written_amount
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.render_quotas import span
from core.access_reports.quota_usage import Fullness
from core.display import count
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.limit_rows import (
    LimitRow,
    common,
    findings_column,
    storage_column,
    subjects_in,
    to_column,
    to_lines,
)
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

NOT_COUNTED, NOT_TOLD = "-", "?"
# What an amount of each limit is an amount of, behind it.
_OF: Mapping[QuotaLimit, tuple[str, str]] = {
    QuotaLimit.QUERIES: ("query", "queries"),
    QuotaLimit.QUERY_SELECTS: ("SELECT", "SELECTs"),
    QuotaLimit.QUERY_INSERTS: ("INSERT", "INSERTs"),
    QuotaLimit.ERRORS: ("error", "errors"),
    QuotaLimit.RESULT_ROWS: ("result row", "result rows"),
    QuotaLimit.RESULT_BYTES: ("of results", "of results"),
    QuotaLimit.READ_ROWS: ("row read", "rows read"),
    QuotaLimit.READ_BYTES: ("read", "read"),
    QuotaLimit.EXECUTION_TIME: ("running", "running"),
    QuotaLimit.WRITTEN_BYTES: ("written", "written"),
    QuotaLimit.FAILED_SEQUENTIAL_AUTHENTICATIONS: ("failed login in a row", "failed logins in a row"),
    QuotaLimit.QUERIES_PER_NORMALIZED_HASH: ("of one query", "of one query"),
}
_KEYED: Mapping[QuotaKey, str] = {
    QuotaKey.NONE: "all together",
    QuotaKey.USER_NAME: "each user apart",
    QuotaKey.IP_ADDRESS: "each address apart",
    QuotaKey.FORWARDED_IP_ADDRESS: "each forwarded address apart",
    QuotaKey.CLIENT_KEY: "each key that the client sends apart",
    QuotaKey.CLIENT_KEY_OR_USER_NAME: "each key that the client sends apart, else each user",
    QuotaKey.CLIENT_KEY_OR_IP_ADDRESS: "each key that the client sends apart, else each address",
    QuotaKey.NORMALIZED_QUERY_HASH: "each query apart, whatever its values",
}


@dataclass(frozen=True, slots=True)
class QuotaRow(LimitRow):
    """A quota, with everything its columns say. `beside` are the other quotas that hold for users of it."""

    quota: Quota
    intervals: str
    beside: Mapping[str, int]
    usage: str = ""
    fullest: float = -1.0


def rows_of(access: Access) -> list[QuotaRow]:
    """A row for each quota."""
    subjects = subjects_in(access.model, EntityKind.QUOTA)
    by_user: dict[str, list[EntityKey]] = {}
    for key, found in subjects.items():
        for subject in found:
            by_user.setdefault(subject.user, []).append(key)
    rows = []
    for quota in access.model.quotas.values():
        key = EntityKey(EntityKind.QUOTA, quota.name)
        beside: dict[str, int] = {}
        for subject in subjects[key]:
            for other in by_user[subject.user]:
                if other != key:
                    beside[str(other.name)] = beside.get(str(other.name), 0) + 1
        fields = common(access, key, quota.to, subjects[key])
        rows.append(QuotaRow(**fields, quota=quota, intervals=intervals_text(quota), beside=beside))
    return rows


def with_usage(row: QuotaRow, fullness: Mapping[str, Fullness] | None, *, counted: bool) -> QuotaRow:
    """The row with what is used of it; `fullness` is None where that cannot be told."""
    if not counted:
        return replace(row, usage=NOT_COUNTED)
    if fullness is None:
        return replace(row, usage=NOT_TOLD)
    found = fullness.get(row.quota.name)
    return replace(row, usage="-") if found is None else replace(row, usage=usage_text(found), fullest=found.most)


def usage_text(fullness: Fullness) -> str:
    """How full a quota is, for a column."""
    if fullness.full:
        return f"{count(fullness.full)} at the limit"
    return f"{int(fullness.most * 100)} %"


def limit_text(limit: QuotaLimit, amount: int | float) -> str:
    """One limit in words: `100 queries`, `10 GiB read`."""
    one, many = _OF[limit]
    return f"{brief_amount(limit, amount)} {one if amount == 1 else many}"


def interval_text(interval: QuotaInterval) -> str:
    """One interval in words: `1 hour: 100 queries, 10 GiB read`."""
    limits = ", ".join(limit_text(limit, amount) for limit, amount in interval.limits)
    return f"{span(interval.seconds)}: {limits or 'only counted'}"


def intervals_text(quota: Quota) -> str:
    """All intervals for a column, the shortest first."""
    ordered = sorted(quota.intervals, key=lambda interval: interval.seconds)
    return "; ".join(map(interval_text, ordered)) or "no interval"


def _usage_style(row: QuotaRow) -> str:
    return "error" if row.fullest >= 1 else "warning" if row.fullest >= 0.8 else "muted" if row.fullest < 0 else ""


COLUMNS: tuple[Column[QuotaRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=14, letter="N"),
    Column("key", "KEYED BY", lambda r: str(r.quota.key).lower(), flexible=True, least=10, minor=3, letter="K"),
    Column("intervals", "INTERVALS", lambda r: r.intervals, flexible=True, least=22, letter="I"),
    to_column(2),
    Column("usage", "USAGE", lambda r: r.usage, sort=lambda r: r.fullest, minor=4, letter="D", style=_usage_style),
    storage_column(5),
    findings_column(1),
)  # fmt: skip


def summary_lines(row: QuotaRow) -> list[Line]:
    """What is counted, what the limits are and for whom, and what lint finds."""
    quota = row.quota
    lines = [*words.kept_lines(row.kept_only), fact("counted", _KEYED[quota.key])]
    bits = [(4, quota.ipv4_prefix_bits), (6, quota.ipv6_prefix_bits)]
    lines += [fact(f"IPv{version}", f"networks of {n} bits count as one") for version, n in bits if n is not None]
    if not quota.intervals:
        lines += [Line(), Line("No interval: it counts nothing and limits nothing.", style="warning")]
    for interval in sorted(quota.intervals, key=lambda each: each.seconds):
        lines += [Line(), *_interval_lines(interval)]
    lines += [Line(), *to_lines(row, "none: it limits nobody"), *_beside_lines(row)]
    return [*lines, Line(), words.storage_line(row.storage), *words.finding_lines(row.findings)]


def _interval_lines(interval: QuotaInterval) -> list[Line]:
    random = ", beginning at a random moment for each key" if interval.randomized else ""
    lines = [Line(f"In {span(interval.seconds)}{random}", style="heading")]
    if not interval.limits:
        return [*lines, Line("Only counted, without a limit (TRACKING ONLY).", style="muted")]
    for limit, amount in interval.limits:
        exact = count(int(amount)) if UNITS[limit] is Unit.COUNT else written_amount(limit, amount)
        text, style = (exact, "") if amount else ("0: to ClickHouse no limit", "warning")
        lines.append(fact(limit_label(limit), text, style))
    return lines


def limit_label(limit: QuotaLimit) -> str:
    """A limit in words, for a label."""
    short = {
        QuotaLimit.FAILED_SEQUENTIAL_AUTHENTICATIONS: "failed logins",
        QuotaLimit.QUERIES_PER_NORMALIZED_HASH: "queries per hash",
    }
    return short.get(limit, str(limit).replace("_", " "))


def _beside_lines(row: QuotaRow) -> list[Line]:
    return [
        fact("beside it", f"quota {name} holds for {_share(row, number)} as well", "warning")
        for name, number in sorted(row.beside.items())
    ]


def _share(row: QuotaRow, number: int) -> str:
    if number == len(row.subjects):
        return "all of them" if number > 1 else "it"
    return f"{count(number)} of them"
