"""The log is private, bounded, and holds no secret in any of the usual disguises."""

from __future__ import annotations

import base64
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import logs
from core.errors import HousekeysError
from core.logs import redact, start_logging
from core.paths import Paths
from core.secrets import Secret, revealed

log = logging.getLogger("core.test_logs")
VALUES = st.text(st.characters(codec="utf-8"), min_size=8, max_size=30)


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths.locate({"HOUSEKEYS_HOME": str(tmp_path)})
    handler = start_logging(paths)
    yield paths
    handler.close()
    for name in ("core", "tui"):
        logger = logging.getLogger(name)
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


@given(VALUES, st.text(max_size=10), st.text(max_size=10))
def test_a_revealed_secret_is_masked_in_every_form(value: str, before: str, after: str) -> None:
    secret = Secret(value).reveal()
    data = secret.encode()
    for form in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        urlencode({"p": secret})[2:],
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        data.hex(),
        data.hex().upper(),
    ):
        assert form not in redact(f"{before}{form}{after}")
    for around in (b"", b"u:", b"user:", b"\0\0"):
        whole = base64.b64encode(around + data + after.encode())
        middle = base64.b64encode(around + data)[len(around) + 3 : -4].decode()
        assert middle not in redact(whole.decode())
        assert middle.translate(str.maketrans("+/", "-_")) not in redact(
            base64.urlsafe_b64encode(around + data + after.encode()).decode()
        )


def test_a_basic_authorization_header_is_masked() -> None:
    password = Secret("correct horse battery staple").reveal()
    header = "Basic " + base64.b64encode(f"operator:{password}".encode()).decode()
    masked = redact(f"header {header} sent")
    for length in range(12, 20):
        for start in range(len("Basic ") + 13, len(header) - 2 - length):
            assert header[start : start + length] not in masked


def test_each_line_of_a_long_secret_is_masked() -> None:
    pem = Secret("-----BEGIN X-----\nTWFueSBoYW5kcw==\n-----END X-----\n").reveal()
    for line in pem.splitlines():
        assert line not in redact(f"found {line!r} here")


def test_a_secret_never_revealed_and_a_very_short_one_change_nothing() -> None:
    Secret("never revealed to anybody")
    Secret("abc").reveal()
    assert redact("never revealed to anybody abc") == "never revealed to anybody abc"


def test_the_log_is_private_and_made_with_the_first_record(paths: Paths) -> None:
    assert not paths.state.exists()
    log.info("hello")
    assert stat.S_IMODE(paths.log_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.state.stat().st_mode) == 0o700
    assert paths.log_file.read_text().endswith("INFO core.test_logs: hello\n")


def test_a_log_that_was_open_to_others_is_closed(paths: Paths) -> None:
    paths.state.mkdir(parents=True)
    paths.log_file.touch()
    paths.log_file.chmod(0o666)
    log.info("hello")
    assert stat.S_IMODE(paths.log_file.stat().st_mode) == 0o600


def test_messages_arguments_and_tracebacks_are_redacted(paths: Paths) -> None:
    value = Secret("hunter2-hunter2").reveal()
    log.info("with %s and %s", value, {"password": value})
    log.info("secret itself: %s", Secret(value))
    log.info(json.dumps({"p": value}))
    try:
        raise HousekeysError(f"it was {value}", detail=value)
    except HousekeysError:
        log.exception("failed")
    text = paths.log_file.read_text()
    assert value not in text
    assert text.count("********") >= 5
    assert "Traceback" in text


def test_the_detail_of_our_errors_is_kept_in_the_log(paths: Paths) -> None:
    try:
        raise HousekeysError("short", detail="what the server said\nin full")
    except HousekeysError:
        log.exception("failed")
    assert paths.log_file.read_text().endswith("  | what the server said\n  | in full\n")


def test_the_log_is_rotated(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGEST", 2000)
    handler = start_logging(paths)
    for number in range(200):
        log.info("record %d %s", number, "x" * 50)
    handler.close()
    files = sorted(paths.state.iterdir())
    assert [file.name for file in files] == ["housekeys.log", "housekeys.log.1", "housekeys.log.2"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size <= 2000 for file in files)
    assert "record 199" in files[0].read_text()


def test_hostile_text_cannot_forge_a_record_or_stop_the_log(paths: Paths) -> None:
    log.info("name %s", "x\n2026-01-01 00:00:00 INFO core: forged\x1b[2J")
    log.info("half a character %s", "\ud800")
    lines = paths.log_file.read_text().splitlines()
    assert len(lines) == 3
    assert lines[1] == "  | 2026-01-01 00:00:00 INFO core: forged\\x1b[2J"


def test_a_log_that_cannot_be_written_does_not_disturb(
    paths: Paths, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    log.info("hello")
    assert capfd.readouterr() == ("", "")


def test_a_passing_secret_is_not_remembered_when_it_is_revealed() -> None:
    assert Secret("one-of-thousands", passing=True).reveal() == "one-of-thousands"
    assert "one-of-thousands" not in revealed()
    assert str(Secret("one-of-thousands", passing=True)) == "********"
