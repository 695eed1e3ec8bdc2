"""The forms of the quotas screen: what is counted, the limits of each interval with their units, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey
from core.access.model import NOBODY, EntityKind
from core.access.quota_amounts import EXAMPLES, UNITS, read_amount, read_span, written_amount
from core.access.quotas import Quota, QuotaInterval, QuotaKey, QuotaLimit
from core.access.render_quotas import span
from core.access_reports.quota_usage import counted_limits
from core.display import one_line
from core.errors import BadInputError
from tui.screens.grant_forms import name_problem, wrong
from tui.screens.limit_forms import alteration_form, creation_form, found, read_to, to_field
from tui.screens.quota_rows import limit_label
from tui.widgets.fields import YES, Field, Values

if TYPE_CHECKING:
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Proposal
    from tui.screens.form import Form

KIND = EntityKind.QUOTA
_SPARE = 2  # intervals that can be added beyond those there are
_FIRST = "1 hour"  # the interval of a new quota
_WITH_ADDRESS = (QuotaKey.IP_ADDRESS, QuotaKey.FORWARDED_IP_ADDRESS)
_KEYS: Mapping[str, QuotaKey] = {str(key).lower(): key for key in QuotaKey}


def new_form(
    answering: Answering, access: Access, storages: Sequence[str], like: EntityKey | None = None
) -> Form[Proposal]:
    """A new quota, with what another one has to begin with, but for nobody yet."""
    start = Quota("", QuotaKey.USER_NAME, (QuotaInterval(read_span(_FIRST)),))
    if like is not None:
        start = replace(found(access.model, like), name="", to=NOBODY)
    fields = (
        Field("name", "Name", required=True, check=lambda name: name_problem(access, KIND, name)),
        *_fields(answering, access, start),
    )
    heading = "New quota" if like is None else f"Clone quota {one_line(str(like.name), 60)}"
    return creation_form(
        answering, access, heading, fields, lambda values, model: read_quota(values["name"], values, model), storages
    )


def edit_form(answering: Answering, access: Access, key: EntityKey) -> Form[Proposal]:
    """All that a quota is."""
    before = found(access.model, key)
    return alteration_form(
        answering,
        access,
        key,
        _fields(answering, access, before),
        lambda values, model: read_quota(before.name, values, model),
    )


# -- fields


def _fields(answering: Answering, access: Access, quota: Quota) -> tuple[Field, ...]:
    limits = counted_limits(answering.session.capabilities)
    used = {limit for interval in quota.intervals for limit, _ in interval.limits}
    offered = tuple(limit for limit in QuotaLimit if limit in limits or limit in used)
    ordered = sorted(quota.intervals, key=lambda interval: interval.seconds)
    sections: list[Field] = []
    for number in range(1, len(ordered) + _SPARE + 1):
        interval = ordered[number - 1] if number <= len(ordered) else None
        sections += interval_fields(number, interval, offered)
    return (
        Field("key", "Keyed by", str(quota.key).lower(), kind="choice", choices=tuple(_KEYS),
              hint="What is counted apart."),
        _bits_field("ipv4", quota.ipv4_prefix_bits, 32),
        _bits_field("ipv6", quota.ipv6_prefix_bits, 128),
        to_field(access, KIND, quota.to, "it limits nobody"),
        *sections,
    )  # fmt: skip


def _bits_field(version: str, bits: int | None, most: int) -> Field:
    shown = version.replace("ip", "IP")
    hint = f"Networks of so many bits count as one address, at most {most}. Empty: each address."
    value = "" if bits is None else str(bits)
    return Field(f"{version}_bits", f"{shown} bits", value, check=lambda text: wrong(_read_bits, text, most),
                 shown_if=_with_address, hint=hint)  # fmt: skip


def _with_address(values: Values) -> bool:
    return _KEYS.get(values.get("key", "")) in _WITH_ADDRESS


def interval_fields(number: int, interval: QuotaInterval | None, offered: Sequence[QuotaLimit]) -> list[Field]:
    """The fields of one interval; those of its limits are asked once it has a length."""
    amounts = {} if interval is None else dict(interval.limits)
    length = "" if interval is None else span(interval.seconds)
    if interval is not None and read_span(length) != interval.seconds:
        length = f"{interval.seconds} s"
    fields = [
        Field(f"{number}.every", f"Interval {number}" if number == 1 or interval else "One more", length,
              check=lambda text: wrong(read_span, text),
              shown_if=None if interval is not None else _has_length(number - 1),
              hint="1 hour, 30 min, 1 day, 1 month. Without a limit below it only counts. Empty: no such interval."),
        Field(f"{number}.randomized", "  randomized", YES if interval is not None and interval.randomized else "",
              kind="flag", shown_if=_has_length(number), hint="It begins at a random moment for each key."),
    ]  # fmt: skip
    for limit in offered:
        amount = written_amount(limit, amounts[limit]) if limit in amounts else ""
        zero = amounts.get(limit) == 0  # it came by SQL, and stays until it is taken out
        more = " 0 limits nothing either." if zero else ""
        fields.append(
            Field(f"{number}.{limit}", f"  {limit_label(limit)}", amount, shown_if=_has_length(number),
                  check=_amount_check(limit, or_zero=zero),
                  hint=f"{limit}: {EXAMPLES[UNITS[limit]]}. Empty: not limited.{more}")
        )  # fmt: skip
    return fields


def _amount_check(limit: QuotaLimit, *, or_zero: bool) -> Callable[[str], str]:
    return lambda text: wrong(partial(read_amount, or_zero=or_zero), limit, text)


def _has_length(number: int) -> Callable[[Values], bool] | None:
    """Whether the interval of a number has a length; before the first one there is nothing to ask about."""
    if number == 0:
        return None
    return lambda values: bool(values.get(f"{number}.every", "").strip())


# -- what was typed


def read_quota(name: str, values: Values, model: AccessModel) -> Quota:
    """The quota that was typed. Raises BadInputError that names the field."""
    with_address = _with_address(values)
    return Quota(
        name,
        _KEYS[values["key"]],
        read_intervals(values),
        read_to(KIND, values["to"], model),
        _read_bits(values.get("ipv4_bits", ""), 32) if with_address else None,
        _read_bits(values.get("ipv6_bits", ""), 128) if with_address else None,
    )


def read_intervals(values: Values) -> tuple[QuotaInterval, ...]:
    """The intervals that were typed, in ClickHouse's order. Raises BadInputError when two have one length."""
    found: dict[int, QuotaInterval] = {}
    for field in values:
        number, _, what = field.partition(".")
        if what != "every" or not values[field].strip():
            continue
        interval = _read_interval(number, values)
        if interval.seconds in found:
            raise BadInputError(
                f"Two intervals are as long as each other: {span(interval.seconds)}.",
                advice="ClickHouse keeps one interval of each length. Put all the limits into one.",
            )
        found[interval.seconds] = interval
    return tuple(found[seconds] for seconds in sorted(found))


def _read_interval(number: str, values: Values) -> QuotaInterval:
    limits = []
    for limit in QuotaLimit:
        amount = values.get(f"{number}.{limit}", "").strip()
        if amount:
            limits.append((limit, read_amount(limit, amount, or_zero=True)))  # the field has judged it
    return QuotaInterval(read_span(values[f"{number}.every"]), tuple(limits), bool(values.get(f"{number}.randomized")))


def _read_bits(text: str, most: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) > most:
        raise BadInputError(f"This is no number of bits from 0 to {most}.")
    return int(text)
