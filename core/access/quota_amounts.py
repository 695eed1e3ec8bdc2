"""The amounts of quota limits as people write them: `5M` queries, `10 GiB`, `30 s`; and the lengths of intervals.

What is read is exact: a number that ClickHouse could only keep rounded is refused. What is written in full is read as
the same number again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.access.quotas import SECONDS, QuotaLimit
from core.display import one_line
from core.errors import BadInputError

Amount = int | float


class Unit(StrEnum):
    """What a limit is counted in."""

    COUNT = "count"
    BYTES = "bytes"
    SECONDS = "seconds"


UNITS: Final[Mapping[QuotaLimit, Unit]] = {
    limit: Unit.BYTES
    if limit.endswith("_bytes")
    else Unit.SECONDS
    if limit is QuotaLimit.EXECUTION_TIME
    else Unit.COUNT
    for limit in QuotaLimit
}
EXAMPLES: Final[Mapping[Unit, str]] = {
    Unit.COUNT: "1000, 1k, 5M or 2G",
    Unit.BYTES: "10 GiB, 500 MB or 1 TiB",
    Unit.SECONDS: "30 s, 5 min or 2 h",
}
_POWERS = ("", "k", "M", "G", "T")
_DECIMAL = {letter: Decimal(1000) ** power for power, letter in enumerate(_POWERS)}
_BINARY = {f"{letter.upper()}i": Decimal(1024) ** power for power, letter in enumerate(_POWERS) if letter}
# The first of several words for the same is the one that is written.
_COUNTS: Final[Mapping[str, Decimal]] = _DECIMAL
_BYTES: Final[Mapping[str, Decimal]] = {f"{prefix}B": size for prefix, size in (_BINARY | _DECIMAL).items()}
_BINARY_BYTES = {f"{prefix}B": size for prefix, size in _BINARY.items()}
_TIMES: Final[Mapping[str, Decimal]] = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
    "days": Decimal(86400),
}
_TIME_WORDS: Final[Mapping[str, str]] = {
    word: unit
    for unit, words in {
        "ms": "ms msec millisecond milliseconds",
        "s": "s sec secs second seconds",
        "min": "m min mins minute minutes",
        "h": "h hr hrs hour hours",
        "days": "d day days",
    }.items()
    for word in words.split()
}
_SPAN_WORDS: Final[Mapping[str, int]] = {
    **{word: int(_TIMES[unit]) for word, unit in _TIME_WORDS.items() if unit != "ms"},
    **{word: length for unit, length in SECONDS.items() for word in (unit, f"{unit}s")},
    "w": SECONDS["week"],
}
_NUMBER = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([A-Za-z]*)")
_DECIMALS = 1  # digits behind the point that are still written before a smaller unit is taken
# Behind the = of a limit: a number and a unit, before what can follow it.
_WITH_UNIT = re.compile(r"\b([A-Za-z_]+)\s*=\s*([0-9][0-9_]*(?:\.[0-9]+)?\s*[A-Za-z]+)\s*(?=,|$)")
_LIMIT_NAMES = frozenset(str(limit) for limit in QuotaLimit)
_BRIEF = 8  # characters that an amount may take in a column before it is rounded
_MOST = 2**64
_NANOSECONDS = 10**9  # ClickHouse counts execution time in these
_LONGEST = 2**63  # seconds of an interval


def read_amount(limit: QuotaLimit, text: str, *, or_zero: bool = False) -> Amount:
    """The amount of a limit. Raises BadInputError for what is none, and for 0, which limits nothing.

    `or_zero` takes 0 too: a quota that is there can have it.
    """
    unit = UNITS[limit]
    number, word = _parts(text, f"Write {EXAMPLES[unit]}.")
    amount = number * _factor(unit, word)
    most = _MOST if unit is not Unit.SECONDS else _MOST / Decimal(_NANOSECONDS)
    if amount >= most:
        raise BadInputError(f"{one_line(text.strip(), 40)} is more than ClickHouse can count.")
    if not amount and not or_zero:
        raise BadInputError("To ClickHouse 0 means no limit.", advice="Leave it empty for none.")
    if amount == int(amount):
        return int(amount)
    if unit is not Unit.SECONDS:
        raise BadInputError(f"{one_line(text.strip(), 40)} is not a whole number.")
    if int(amount * _NANOSECONDS) != amount * _NANOSECONDS:
        raise BadInputError("ClickHouse counts in billionths of a second, and no finer.")
    return float(amount)


def written_amount(limit: QuotaLimit, amount: Amount) -> str:
    """An amount in the unit that makes it shortest; `read_amount` reads the same number again."""
    unit = UNITS[limit]
    exact = Decimal(str(amount))
    if unit is Unit.COUNT:
        return _shortest(exact, _COUNTS, "")
    return _shortest(exact, _BYTES if unit is Unit.BYTES else _TIMES, " ").replace("1 days", "1 day")


def brief_amount(limit: QuotaLimit, amount: Amount) -> str:
    """An amount for a column or a sentence, rounded where it would be long."""
    full = written_amount(limit, amount)
    unit = UNITS[limit]
    sizes = {Unit.COUNT: _COUNTS, Unit.BYTES: {"B": Decimal(1), **_BINARY_BYTES}, Unit.SECONDS: _TIMES}[unit]
    exact = Decimal(str(amount))
    below = [(word, size) for word, size in sizes.items() if size <= exact]
    if len(full) <= _BRIEF or not below:
        return full
    word, size = max(below, key=lambda each: each[1])
    number = exact / size
    digits = f"{number:,.{0 if number >= 100 else 1}f}".removesuffix(".0")
    return f"{digits}{'' if unit is Unit.COUNT else ' '}{word}"


def read_span(text: str) -> int:
    """The length of an interval in seconds: `1 hour`, `30 min`, `week`. Raises BadInputError."""
    advice = "Write 1 hour, 30 min, 1 day, 1 week, 1 month …"
    words = text.strip()
    number, word = _parts(words if words[:1].isdigit() else f"1 {words}", advice)
    length = _SPAN_WORDS.get(word.lower())
    if length is None:
        raise BadInputError(f"{one_line(word, 40) or 'This'} is no unit of time.", advice=advice)
    seconds = number * length
    if not seconds or seconds != int(seconds):
        raise BadInputError("An interval is a whole number of seconds, at least one.", advice=advice)
    if seconds >= _LONGEST:
        raise BadInputError("The interval is too long.", advice=advice)
    return int(seconds)


def with_plain_amounts(clause: str) -> str:
    """The limits of an interval as SQL has them: `1 hour MAX read_bytes = 10 GiB` with a number behind the `=`.

    What is no limit with a unit stays as it is, for the parser to judge. Raises BadInputError for a unit that is none.
    """

    def plain(match: re.Match[str]) -> str:
        name, amount = match[1].lower(), match[2]
        if name not in _LIMIT_NAMES:
            return match[0]
        number = read_amount(QuotaLimit(name), amount)
        return f"{match[1]} = {number if isinstance(number, int) else f'{number:.9f}'.rstrip('0')}"

    return _WITH_UNIT.sub(plain, clause)


def _parts(text: str, advice: str) -> tuple[Decimal, str]:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise BadInputError(f"{one_line(text.strip(), 40)} is no amount.", advice=advice)
    return Decimal(match[1].replace(",", "").replace("_", "")), match[2]


def _factor(unit: Unit, word: str) -> Decimal:
    if unit is Unit.SECONDS:
        known = _TIME_WORDS.get(word.lower(), "" if word else "s")
        if not known:
            raise BadInputError(f"{word} is no unit of time.", advice=f"Write {EXAMPLES[unit]}.")
        return _TIMES[known]
    plain = word.removesuffix("B").removesuffix("b") if unit is Unit.BYTES else word
    for prefix, size in (_DECIMAL | _BINARY).items():
        if plain.lower() == prefix.lower():
            return size
    raise BadInputError(f"{word} is no unit of {unit}.", advice=f"Write {EXAMPLES[unit]}.")


def _shortest(amount: Decimal, units: Mapping[str, Decimal], gap: str) -> str:
    """`amount` in the unit in which it takes the fewest digits; of equally short ones the larger one."""
    texts = []
    for word, size in sorted(units.items(), key=lambda each: -each[1]):
        number = amount / size
        if number >= 1 and number == round(number, _DECIMALS):
            digits = f"{number.normalize():,f}"
            texts.append((len(digits), f"{digits}{gap}{word}" if word else digits))
    if not texts:  # less than one, or finer than the smallest unit
        word = next(word for word, size in units.items() if size == 1)
        return f"{amount.normalize():f}{gap}{word}".strip()
    return min(texts, key=lambda each: each[0])[1]
