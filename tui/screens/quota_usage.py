"""The usage of a quota as lines: a bar for each key and limit, when it begins anew, and what happens at the limit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.access.quota_amounts import brief_amount
from core.access.quotas import Quota
from core.access.render_quotas import span
from core.access_reports.quota_usage import QuotaUsage, Usage, Used
from core.display import count
from tui.screens.access_words import moment
from tui.screens.quota_rows import limit_label, limit_text
from tui.widgets.lines import Line, fact

BAR = 10  # cells
_NEAR = 0.8  # a limit that is so much used is near


def embedded_lines() -> list[Line]:
    """Why an embedded engine has nothing to show."""
    return [
        Line("Nothing is counted here."),
        Line(),
        Line(
            "Only this console uses an embedded engine, as its user default, whom no quota limits. A statement that is "
            "tried as a user counts, but each try begins from nothing.",
            style="muted",
        ),
    ]


def usage_lines(quota: Quota, usage: QuotaUsage, now: datetime) -> list[Line]:
    """The usage by key, those first that are the nearest to a limit."""
    lines: list[Line] = []
    if usage.own:
        lines += [Line("Only your own usage may be seen.", style="warning"), Line(usage.denied, style="muted"), Line()]
    counted = [each for each in usage.usages if each.seconds is not None]
    if not counted:
        return [*lines, *_nothing(quota, usage)]
    by_key: dict[str, list[Usage]] = {}
    for each in counted:
        by_key.setdefault(each.key, []).append(each)
    for key, found in by_key.items():
        lines += [Line(key or "all together", style="heading"), *_key_lines(found, now), Line()]
    if usage.more:
        lines += [Line(f"And {count(usage.more)} more intervals of keys that are farther from a limit."), Line()]
    return [*lines, Line("Every server counts by itself, from its start on.", style="muted")]


def _nothing(quota: Quota, usage: QuotaUsage) -> list[Line]:
    if not quota.intervals:
        return [Line("It has no interval, so that nothing is counted.")]
    who = "you" if usage.own else "anybody for whom it holds"
    return [
        Line(f"Nothing was counted for {who} since this server started."),
        Line("Every server counts by itself.", style="muted"),
    ]


def _key_lines(found: Iterable[Usage], now: datetime) -> list[Line]:
    lines: list[Line] = []
    for usage in sorted(found, key=lambda each: each.seconds or 0):
        lines.append(Line(f"{span(usage.seconds or 0)}, {_until(usage, now)}"))
        over = usage.end is not None and usage.end <= now
        lines += [_limit_line(used) for used in usage.used if used.most]
        if others := [limit_text(used.limit, used.used) for used in usage.used if not used.most and used.used]:
            lines.append(Line(f"Only counted: {', '.join(others)}.", style="muted"))
        for used in () if over else usage.full:
            lines.append(Line(_at_limit(used, usage, now), style="error"))
    return lines


def _until(usage: Usage, now: datetime) -> str:
    if usage.end is None:
        return "which has not begun"
    if usage.end <= now:
        return f"over since {moment(usage.end, now)}: the next query begins a new one"
    return f"until {moment(usage.end, now)}"


def bar(fraction: float) -> str:
    """How much is used, as a bar: empty only when nothing is, full only when all is."""
    full = min(BAR, max(int(fraction * BAR), 1 if fraction > 0 else 0))
    return "█" * full + "░" * (BAR - full)


def _limit_line(used: Used) -> Line:
    most = used.most or 0
    part = used.fraction
    style = "error" if part >= 1 else "warning" if part >= _NEAR else ""
    amounts = f"{brief_amount(used.limit, used.used)} of {brief_amount(used.limit, most)}"
    return fact(limit_label(used.limit), f"{bar(part)} {int(part * 100):>3} %  {amounts}", style)


def _at_limit(used: Used, usage: Usage, now: datetime) -> str:
    until = "" if usage.end is None else f" until {moment(usage.end, now)}"
    return f"At the limit of {limit_label(used.limit)}: statements fail with QUOTA_EXCEEDED (201){until}."
