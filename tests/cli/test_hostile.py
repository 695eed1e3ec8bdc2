"""One-shot commands with what does not belong: bytes that are no text, files too large, folders in the way."""

from __future__ import annotations

import io
import os
import pty
import selectors
import signal
import sys
from pathlib import Path

import pytest

from core.errors import ExitCode
from tests.cli.conftest import Housekeys, commands, copied
from tui.cli import tenant
from tui.cli.running import run

SECONDS_UNTIL_PRESSED_AGAIN = 10.0


@pytest.fixture
def ready(made_with_datalens_user: Path, home: Path) -> Housekeys:
    """With a DataLens user."""
    return commands(copied(made_with_datalens_user, home))


@pytest.mark.parametrize("option", ["--subject", "--kind"])
def test_an_argument_that_is_no_text_is_told(ready: Housekeys, option: str) -> None:
    outcome = ready("journal", "list", option, "bad\udcff")
    assert outcome.code == ExitCode.BAD_INPUT
    assert outcome.stderr == "housekeys: bad\\udcff is not valid text.\nType it anew, in UTF-8.\n"


def test_a_file_that_is_too_large_is_refused_and_never_cut(
    housekeys: Housekeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenant, "LARGEST_FILE", 9)
    names = tmp_path / "names"
    names.write_text("acme\nbeta_long\n")
    for source, typed in ((str(names), None), ("-", names.read_text())):
        outcome = housekeys("tenant", "add", "--from", source, typed=typed)
        assert outcome.code == ExitCode.BAD_INPUT
        assert "has more than 9 bytes" in outcome.stderr


def test_standard_input_that_is_no_utf8_is_told_by_line(home: Path) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"acme\n\xff\n"), encoding="utf-8", errors="strict")
    stderr = io.StringIO()
    words = ["tenant", "add", "--from", "-"]
    code = run(words, {"HOUSEKEYS_HOME": str(home)}, stdin=stdin, stdout=io.StringIO(), stderr=stderr)
    assert code == ExitCode.BAD_INPUT
    assert "standard input:2: this is not UTF-8" in stderr.getvalue()


def test_a_lock_that_cannot_be_had_is_an_engine_that_cannot_be_reached(housekeys: Housekeys, home: Path) -> None:
    (home / "data" / "engines" / "embedded" / "lock").mkdir(parents=True)
    outcome = housekeys("tenant", "list")
    assert outcome.code == ExitCode.UNREACHABLE
    assert f"{home}/data/engines/embedded cannot be used: Is a directory.\n" in outcome.stderr


def test_an_error_of_the_system_is_told_in_words(housekeys: Housekeys, home: Path) -> None:
    (home / "data" / "engines" / "embedded" / "users.xml").mkdir(parents=True)
    outcome = housekeys("tenant", "list")
    assert outcome.code in (ExitCode.FAILED, ExitCode.UNREACHABLE)
    assert "Is a directory" in outcome.stderr
    assert "Errno" not in outcome.stderr


def test_a_folder_of_changes_that_cannot_be_read_is_told_and_browsing_goes_on(housekeys: Housekeys, home: Path) -> None:
    folder = home / "state" / "changes" / "embedded"
    folder.parent.mkdir(parents=True)
    folder.touch()
    outcome = housekeys("tenant", "list")
    assert outcome.code == ExitCode.DONE
    assert "1 change is unfinished" in outcome.stderr
    (found,) = housekeys("journal", "unfinished", "--json").json
    assert "Not a directory" in found["state"]


def test_nothing_to_do_is_said_and_nothing_printed(ready: Housekeys) -> None:
    dry = ready("--dry-run", "datalens", "setup")
    assert (dry.code, dry.stdout) == (ExitCode.DONE, "")
    assert "(routine, nothing to do)" in dry.stderr


def test_the_name_to_confirm_is_quoted_for_the_shell(ready: Housekeys) -> None:
    assert ready("tenant", "add", "it's", "plain").code == ExitCode.DONE
    assert """Add --confirm 'it'"'"'s' to""" in ready("tenant", "remove", "it's").stderr
    assert "Add --confirm plain to" in ready("tenant", "remove", "plain", "--confirm", "plan").stderr


def test_json_is_printed_by_what_only_changes_something(housekeys: Housekeys) -> None:
    created = housekeys("datalens", "setup", "--generate-password", "--json").json
    assert set(created) == {"user", "password"}
    assert housekeys("datalens", "setup", "--json").json == {"user": created["user"], "password": None}
    assert housekeys("datalens", "tick", "sent-to-datalens", "--json").json == {
        "id": "sent-to-datalens",
        "ticked": True,
    }
    assert housekeys("tenant", "add", "acme").code == ExitCode.DONE
    undone = housekeys("journal", "undo", "--yes", "--json")
    assert (undone.json["title"], undone.json["steps"]) == ("Undo: Create tenant acme", 2)
    assert "all done (2 steps)" in undone.stderr
    assert housekeys("profile", "add", "x", "--host", "h").code == ExitCode.DONE
    assert housekeys("profile", "remove", "x", "--yes", "--json").json == {"removed": "x"}


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What a terminal shows until `wanted` is among it, or its program has ended."""
    shown = b""
    while wanted not in shown:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux tells so that nobody has the other end any more
            return shown
        shown += part
    return shown


def press(terminal: int, key: bytes, told: bytes) -> bytes:
    """Press a key, and again when `told` does not come of it; all that is shown until the program has ended.

    A signal between Python's last look for one and its read of the terminal does not end that read: microseconds, which
    a test may meet and no person does.
    """
    shown = b""
    with selectors.DefaultSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        os.write(terminal, key)
        while told not in shown:
            if selector.select(SECONDS_UNTIL_PRESSED_AGAIN):
                try:
                    shown += os.read(terminal, 4096)
                except OSError:
                    return shown
            else:
                os.write(terminal, key)
    return shown + read_until(terminal, b"never shown")


@pytest.mark.parametrize(
    ("words", "prompt", "key", "code", "told"),
    [
        (["tenant", "suspend", "acme"], b"[y/N]", b"\x03", 130, b"Interrupted."),
        (["key", "generate"], b"Passphrase of", b"\x03", 130, b"Interrupted."),
        (["key", "generate"], b"Passphrase of", b"\x04", ExitCode.BAD_INPUT, b"empty passphrase"),
    ],
    ids=["question", "passphrase", "end-of-input"],
)
def test_a_prompt_is_left_at_once(
    ready: Housekeys, home: Path, words: list[str], prompt: bytes, key: bytes, code: int, told: bytes
) -> None:
    if "acme" in words:
        assert ready("tenant", "add", "acme").code == ExitCode.DONE
    process, terminal = pty.fork()
    if process == 0:
        environ = {**os.environ, "HOUSEKEYS_HOME": str(home)}
        environ.pop("HOUSEKEYS_PASSPHRASE", None)
        os.execve(sys.executable, [sys.executable, "-m", "tui", *words], environ)  # noqa: S606 - no shell is meant
    try:
        read_until(terminal, prompt)
        assert told in press(terminal, key, told)
        _, status = os.waitpid(process, 0)
        assert os.waitstatus_to_exitcode(status) == code
    except BaseException:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)


def test_an_address_with_a_password_in_it_is_refused_with_advice_that_can_be_followed(housekeys: Housekeys) -> None:
    outcome = housekeys("profile", "add", "x", "--url", "https://user:pw@host:1")
    assert outcome.code == ExitCode.BAD_INPUT
    assert '"env:NAME"' in outcome.stderr
    assert "pw" not in outcome.stderr.replace("password", "")


def test_only_a_change_that_is_unfinished_is_looked_for_there(ready: Housekeys, home: Path) -> None:
    (home / "data" / "engines" / "embedded" / "data" / "metadata" / "bad.sql").mkdir()
    outcome = ready("tenant", "add", "good", "bad")
    assert outcome.code == ExitCode.FAILED
    assert "2 of 4 steps were done" in outcome.stderr
    assert "run it again" in outcome.stderr
    assert "unfinished" not in outcome.stderr
    assert ready("journal", "unfinished", "--json").json == []
