"""Throwaway keys made once per test process, and the openssl command as an independent oracle."""

from __future__ import annotations

import itertools
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.changes import Change, Event
from core.journal.rows import DONE, Row
from core.keys import envelope, rsa_keys
from core.keys.envelope import ScryptCost
from core.keys.rsa_keys import generate

CHEAP = ScryptCost(2**10)  # the least a file may ask for: tests need no cost
START = datetime(2026, 11, 3, 12, tzinfo=UTC)


@cache
def private_key(number: int) -> rsa.RSAPrivateKey:
    """One of any number of different keys, always the same in one process."""
    return generate()


def make_cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generate no keys, for every test begins with the same that were not known to it, and seal them at no cost."""
    numbers = itertools.count(1_000)
    monkeypatch.setattr(rsa_keys, "generate", lambda: private_key(next(numbers)))
    monkeypatch.setattr(envelope, "STRONG", CHEAP)


@cache
def private_pem(number: int) -> bytes:
    return private_key(number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def public_pem(number: int) -> bytes:
    return rsa_keys.public_pem(private_key(number).public_key()).encode("ascii")


def fingerprint(number: int) -> str:
    return rsa_keys.fingerprint(private_key(number).public_key())


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    """The output of openssl; fails the test when openssl fails."""
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def rows_of(*events: Event, outcome: str = DONE, after: int = 0) -> list[Row]:
    """Journal rows of `events`, a minute apart."""
    return [
        Row(
            uuid4(),
            START + timedelta(minutes=after + number),
            "anna",
            "bastion",
            "prod",
            uuid4(),
            event.subject_kind,
            event.subject,
            event.action,
            outcome,
            event.details,
        )
        for number, event in enumerate(events)
    ]


def events_of(change: Change) -> list[Event]:
    """The facts that a change records when it runs."""
    return [event for step in change.steps for event in step.events]


def details(row_or_event: Any) -> dict[str, Any]:
    return dict(row_or_event.details)
