"""The results of a check as JSON and as JUnit's XML, for machines; and in words, for people. No secret is in any."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from textwrap import wrap
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from core.display import one_line, plain_lines
from core.partner.checker.conversation import HEADERS
from core.partner.checker.exchanges import Exchange
from core.partner.checker.running import Outcome, Result
from core.partner.checker.subject import Subject
from core.version import VERSION

_WORDS: Final = {outcome: outcome.value for outcome in Outcome} | {Outcome.WARNING: "with warnings"}
_WIDTH: Final = 80
_LONGEST_LINE: Final = 400
_MOST_LEFT: Final = 10  # partner connections


def summary(results: Sequence[Result]) -> str:
    """How many cases ended how, in one line."""
    counts = Counter(result.outcome for result in results)
    told = [f"{counts[outcome]} {_WORDS[outcome]}" for outcome in Outcome if counts[outcome]]
    cases = "1 case" if len(results) == 1 else f"{len(results)} cases"
    return f"{cases}: {', '.join(told)}" if told else cases


def report_lines(results: Sequence[Result]) -> Iterator[str]:
    """What is told below the table: failures with a call, warnings, what to do by hand, and what was skipped.

    Of cases that failed alike the first is told: where every answer is wrong, all of them do.
    """
    alike: dict[tuple[str, str], list[Result]] = {}
    for result in _of(results, Outcome.FAILED):
        alike.setdefault((result.expected, result.came), []).append(result)
    for first, *others in alike.values():
        yield ""
        yield from failure_lines(first)
        if others:
            yield from _hanging("also in ", " ".join(result.case.id for result in others))
    if alike:
        yield from ("", "--format json has each call of what failed, with its headers")
    for outcome, title in ((Outcome.WARNING, "warnings:"), (Outcome.MANUAL, "to be done by hand:")):
        notes = _by_note(_of(results, outcome))
        if notes:
            yield from ("", title)
        for note, ids in notes.items():
            yield from _hanging(" ".join(ids), note)
    left = [(result.case.id, each) for result in results for each in result.left]
    if left:
        yield from ("", "left behind, for they could not be deleted:")
    for name, each in left[:_MOST_LEFT]:
        yield from _hanging(name, each)
    if len(left) > _MOST_LEFT:
        yield f"  and {len(left) - _MOST_LEFT} more, which are all in the report as JSON"
    reasons = _by_note(_of(results, Outcome.SKIPPED))
    if reasons:
        yield from ("", "skipped:")
    for reason, ids in reasons.items():
        yield from _hanging(f"{reason}:", " ".join(ids))


def failure_lines(result: Result) -> Iterator[str]:
    """What is told of a case that failed: what was expected by which text, what came, and the call it came from."""
    yield f"{result.case.id}  {result.case.title}"
    words = {"expected": result.expected, "by": result.by, "came": result.came, "to do": result.advice}
    for label, text in words.items():
        if text:
            lines = wrap(one_line(text), _WIDTH - 12, break_long_words=False, break_on_hyphens=False)
            yield from (f"  {name:<8}  {line}" for name, line in zip_longest((label,), lines, fillvalue=""))
    for label, text in _call(result.exchanges).items():
        if text:
            yield f"  {label:<8}  {one_line(text, _LONGEST_LINE)}"


def _call(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The call that was judged, which is the last one but links that opened, and in short what was called before it."""
    place = next((at for at in reversed(range(len(exchanges))) if not exchanges[at].right), None)
    if place is None:
        return {}
    last = exchanges[place].shown()
    return {
        "before": ", ".join(map(_in_short, exchanges[:place])),
        "call": f"{last['method']} {last['url']}",
        "headers": "" if exchanges[place].link else "; ".join(_unusual_headers(exchanges[place])),
        "sent": last["sent"],
        "answer": last["failure"] or f"{last['status']} {last['received']}",
    }


def _unusual_headers(exchange: Exchange) -> Iterator[str]:
    """What is otherwise than in other calls; of an Authorization that is, what was expected tells."""
    for name, value in HEADERS.items():
        sent = exchange.headers.get(name)
        if sent is None and (exchange.body is not None or name != "Content-Type"):
            yield f"no {name}"
        elif sent not in (None, value):
            yield f"{name}: {sent}"


def _in_short(exchange: Exchange) -> str:
    came = "no answer" if exchange.answer is None else exchange.answer.status
    return f"{exchange.method} {urlsplit(exchange.url).path} {came}"


def _of(results: Sequence[Result], outcome: Outcome) -> list[Result]:
    return [result for result in results if result.outcome is outcome]


def _by_note(results: Sequence[Result]) -> dict[str, list[str]]:
    """The ids of the cases of which the same is said."""
    found: dict[str, list[str]] = {}
    for result in results:
        found.setdefault(result.note, []).append(result.case.id)
    return found


def _hanging(label: str, text: str) -> Iterator[str]:
    shown = f"{label}  {one_line(text)}"
    yield from wrap(shown, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def as_json(subject: Subject, results: Sequence[Result], began: datetime) -> dict[str, Any]:
    """The whole report as values for JSON."""
    return {
        "url": subject.base_url,
        "partner": None if subject.config is None else subject.config.name,
        "checked": began.isoformat(),
        "housekeys": VERSION,
        "counts": {outcome.value: sum(each.outcome is outcome for each in results) for outcome in Outcome},
        "cases": [_result(result) for result in results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "id": result.case.id,
        "title": result.case.title,
        "origin": result.case.origin.value,
        "outcome": result.outcome.value,
        "note": result.note,
        "expected": result.expected,
        "by": result.by,
        "came": result.came,
        "advice": result.advice,
        "left": list(result.left),
        "seconds": round(result.seconds, 3),
        "exchanges": [exchange.shown() for exchange in result.exchanges],
    }


def as_junit(subject: Subject, results: Sequence[Result], began: datetime) -> bytes:
    """The report as JUnit's XML: what no machine can do is skipped there, and warnings are its output."""
    failures = sum(result.outcome is Outcome.FAILED for result in results)
    skipped = sum(result.outcome in (Outcome.SKIPPED, Outcome.MANUAL) for result in results)
    seconds = f"{sum(result.seconds for result in results):.3f}"
    totals = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "time": seconds}
    root = Element("testsuites", totals)
    suite = SubElement(
        root,
        "testsuite",
        {"name": "partner-connect", **totals, "skipped": str(skipped), "timestamp": f"{began:%Y-%m-%dT%H:%M:%S}"},
    )
    suite.set("hostname", _xml(urlsplit(subject.base_url).hostname or ""))
    for result in results:
        _testcase(suite, result)
    indent(root)
    # In ASCII, with references to other characters: it is the same in whatever coding it is passed on.
    document: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return document + b"\n"


def _testcase(suite: Element, result: Result) -> None:
    case = SubElement(
        suite,
        "testcase",
        {
            "classname": f"partner-connect.{result.case.origin.value}",
            "name": _xml(f"{result.case.id} {result.case.title}"),
            "time": f"{result.seconds:.3f}",
        },
    )
    match result.outcome:
        case Outcome.FAILED:
            message = _xml(f"expected {result.expected}, came: {result.came}")
            failure = SubElement(case, "failure", {"message": message, "type": "failed"})
            shown = [exchange.shown() for exchange in result.exchanges]
            failure.text = _xml("\n".join([*failure_lines(result), json.dumps(shown, indent=1, ensure_ascii=False)]))
        case Outcome.SKIPPED | Outcome.MANUAL:
            SubElement(case, "skipped", {"message": _xml(f"{result.outcome}: {result.note}")})
        case Outcome.WARNING:
            SubElement(case, "system-out").text = _xml(f"warning: {result.note}")
        case Outcome.PASSED:
            pass
    if result.left:
        SubElement(case, "system-err").text = _xml(f"left behind: {', '.join(result.left)}")


def _xml(text: str) -> str:
    """`text` with everything invisible as an escape: XML has no place for control characters."""
    return plain_lines(text)
