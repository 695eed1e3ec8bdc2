"""Who runs a change, and what its report adds up to."""

from __future__ import annotations

import os
import pwd

import pytest

from core.changes import Change, RecordStep
from core.errors import HousekeysError
from core.journal.ids import new_ids
from core.running.report import Operator, Report, StepOutcome


def test_the_operator_is_the_user_of_the_process_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    operator = Operator.current()
    assert operator.name == pwd.getpwuid(os.getuid()).pw_name
    assert operator.host


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_123)
    assert Operator.current().name == "uid 4000000123"


def test_a_report_adds_up() -> None:
    change = Change("x", (RecordStep("a", ()), RecordStep("b", ())))
    done, failed = StepOutcome(0, "done"), StepOutcome(1, "failed", HousekeysError("no"))
    report = Report(new_ids.next(), change, (done, failed), finished=True)
    assert not report.succeeded
    assert report.failed_outcomes == (failed,)
    assert (report.count("done"), report.count("skipped")) == (1, 0)
    assert Report(new_ids.next(), change, (done, done), finished=True).succeeded
