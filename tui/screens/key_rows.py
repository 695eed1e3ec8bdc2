"""What the keys screen shows: one row per version, what is wrong, and the next step in words."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from core.display import count, exact_time, one_line, relative_time
from core.errors import HousekeysError, RefusedError
from tui.widgets.lines import Line, fact, text_lines

if TYPE_CHECKING:
    from core.journal.journal import Journal
    from core.journal.rows import Row
    from core.keys.key_ring import KeyRing
    from core.keys.key_store import StoreProblem
    from core.keys.rotation import NextStep
    from core.keys.self_test import SelfTest
    from core.keys.versions import KeyVersion

SHORT = 12  # digits of a fingerprint in the table
FIX_KEY = "f"  # of the command that repairs permissions


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A version, and what hangs on it."""

    version: KeyVersion
    waiting: int  # tokens made with it that may still be used
    issued: int  # tokens ever made with it
    file: str  # its private half on this machine: "", "encrypted", "no passphrase", "exposed" or "damaged"
    age: str
    ring: KeyRing

    @property
    def is_partner(self) -> bool:
        return self.version.side.value == "partner"

    @property
    def here(self) -> str:
        """Whether its private half can be used on this machine, in a word."""
        if self.file in ("", "exposed", "damaged"):
            return self.file or "-"
        if self.ring.is_unlocked(self.version.version):
            return "unlocked"
        return "locked" if self.file == "encrypted" else "open file"


@dataclass(frozen=True, slots=True)
class KeySurvey:
    """Everything the screen shows."""

    rows: tuple[KeyRow, ...]
    steps: tuple[NextStep, ...]
    self_test: SelfTest
    problems: tuple[StoreProblem, ...]


async def survey_keys(journal: Journal, ring: KeyRing, now: datetime) -> KeySurvey:
    """Read versions, tokens and key files. For workers: the first call imports what keys and tokens need."""
    await asyncio.to_thread(importlib.import_module, "core.tokens.planning")
    from core.keys.rotation import next_steps
    from core.keys.self_test import self_test
    from core.keys.versions import Side, key_versions
    from core.tokens.ledger import by_version, pending_by_version, tokens_issued

    versions = await key_versions(journal)
    tokens = await tokens_issued(journal)
    waiting, issued = pending_by_version(tokens), by_version(tokens)
    files = await asyncio.to_thread(_files, ring)
    rows = tuple(
        KeyRow(
            version,
            waiting[version.side, version.version],
            issued[version.side, version.version],
            files.get(version.version, "") if version.side is Side.PARTNER else "",
            relative_time(version.created, now),
            ring,
        )
        for version in versions
    )
    problems = await asyncio.to_thread(ring.store.problems)
    tested = await asyncio.to_thread(self_test)
    return KeySurvey(rows, tuple(next_steps(versions, waiting)), tested, tuple(problems))


def _files(ring: KeyRing) -> dict[int, str]:
    """How the private half of each version lies on this machine."""
    found = {}
    for version in ring.store.versions():
        try:
            found[version] = "encrypted" if ring.store.read(version).encrypted else "no passphrase"
        except RefusedError:
            found[version] = "exposed"  # others may read it: it is not used until that is repaired
        except HousekeysError:
            found[version] = "damaged"
    return found


def notice_lines(survey: KeySurvey) -> list[Line]:
    """What stands above the table: what is wrong, with its fix, then the next step."""
    lines = []
    if not survey.self_test.passed:
        lines += [Line(f"! {survey.self_test.problem}", style="error"), Line(survey.self_test.advice)]
    for problem in survey.problems:
        fix = f" Press {FIX_KEY} to close it to others." if problem.repairable else ""
        what = f"key file {problem.path.name}" if problem.path.suffix else "key folder"
        lines.append(Line(f"! The {what} is {problem.what.rstrip('.')}.{fix}", style="warning"))
    if survey.rows:
        lines.append(Line(next_words(survey.steps), style="accent"))
    return lines


def next_words(steps: Sequence[NextStep]) -> str:
    """The most pressing step in words; a second one when both wait for DataLens."""
    if not steps:
        return "Ready: press 4, then n, to issue tokens. To rotate your key, press n here."
    words = f"Next: {_words(steps[0])}"
    if len(steps) > 1 and steps[0].action.value == "activate" and steps[1].action.value == "import":
        words += f" And {_words(steps[1])}"
    return words


def _words(step: NextStep) -> str:
    label = f"{step.side.owner} key {step.version}"
    tokens = "1 token" if step.tokens == 1 else f"{count(step.tokens)} tokens"
    wait = "waits" if step.tokens == 1 else "wait"
    return {
        "generate": "make a key of your own, then send its public half to DataLens (n).",
        "submit": f"send the public half of version {step.version} to DataLens (o), then press s.",
        "activate": f"when DataLens has confirmed version {step.version}, press a to issue with it.",
        "import": "import the public key that DataLens sent you (i).",
        "reissue": f"reissue the {tokens} made with {label} that {wait} to be used (press 4, then b).",
        "retire": f"nothing unused depends on {label}: retire it (R), and ask for its removal at DataLens."
        if step.side.value == "partner"
        else f"nothing unused depends on {label}: retire it (R).",
        "replace": f"two different keys are recorded as {label}: make the next version and retire this one.",
    }[step.action.value]


def summary_lines(row: KeyRow) -> list[Line]:
    """The summary of a version."""
    version = row.version
    made = "imported" if version.imported else "generated"
    lines = [
        fact("state", f"{version.state.value}, since {exact_time(version.state_since)}"),
        fact("fingerprint", two_lines(version.fingerprint)),
        Line("SHA-256 of the public half; compare it with the other side.", " ", "muted"),
        fact(made, f"{exact_time(version.created)} by {one_line(version.operator)}"),
        fact("tokens", f"{count(row.issued)} made with it, {count(row.waiting)} of them may still be used"),
    ]
    if row.is_partner:
        lines.append(fact("private half", _where(row), "warning" if row.here in _BAD else ""))
    lines += [Line(f"Also recorded under this number: {other}", style="error") for other in version.conflicts]
    return [*lines, Line(), *(Line(text, style="muted") for text in _meaning(row))]


_BAD = ("open file", "exposed", "damaged")


def two_lines(fingerprint: str) -> str:
    """A fingerprint in two halves, for it is as wide as most details are not."""
    return f"{fingerprint[:32]}\n{fingerprint[32:]}"


def _where(row: KeyRow) -> str:
    name = row.ring.store.path(row.version.version).name
    return {
        "": "not on this machine",
        "encrypted": f"on this machine, under a passphrase: {name}, {row.here}",
        "no passphrase": f"on this machine WITHOUT a passphrase: {name}",
        "exposed": f"on this machine, but not used, for others may read it: {name}",
        "damaged": f"on this machine, but it cannot be read: {name}",
    }[row.file]


def _meaning(row: KeyRow) -> list[str]:
    """What the state means for the operator."""
    state = row.version.state.value
    if not row.is_partner:
        if state == "active":
            return ["Tokens are encrypted to the newest DataLens key that is not retired."]
        return ["Retired: no token is encrypted to it any more."]
    return {
        "generated": ["DataLens does not know it yet. Send its public half (o), then press s."],
        "submitted": ["Sent to DataLens. When DataLens has confirmed it, press a."],
        "active": ["Tokens are signed with it."],
        "retiring": [
            "Tokens made with it are still good; no new one is made. Reissue those that wait, then retire it."
        ],
        "retired": ["Out of use. Connections made with its tokens go on working."],
    }[state]


def public_lines(version: KeyVersion) -> list[Line]:
    """The public half as it is sent."""
    from core.keys.versions import public_text

    return text_lines(public_text(version).rstrip())


def without_pem(rows: Sequence[Row]) -> list[Row]:
    """Journal rows of a key without its PEM, which has a tab of its own."""
    from dataclasses import replace

    return [replace(row, details={k: v for k, v in row.details.items() if k != "public_pem"}) for row in rows]
