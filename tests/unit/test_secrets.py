"""Secrets do not show themselves, and every reference gives the secret or says what is wrong."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import os
import pickle
import shlex
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import secrets
from core.errors import BadInputError, HousekeysError, RefusedError
from core.secrets import Kind, Secret, SecretReference, SecretUnavailableError

PLAIN = "s3cr3t-пароль"


def resolve(value: str | list[str]) -> str:
    return asyncio.run(SecretReference.parse(value).resolve()).reveal()


def test_a_secret_never_shows_itself() -> None:
    secret = Secret(PLAIN)
    holder: Any = dataclasses.make_dataclass("Holder", ["password"])(secret)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", repr([secret]), repr(holder)):
        assert PLAIN not in text
        assert "********" in text
    assert "%s" % secret == "********"  # noqa: UP031  # the form that logging uses
    attempts: list[Callable[[Any], object]] = [pickle.dumps, copy.copy, copy.deepcopy, json.dumps]
    for attempt in attempts:
        with pytest.raises(TypeError) as caught:
            attempt(secret)
        assert PLAIN not in str(caught.value)
    with pytest.raises(TypeError):
        dataclasses.asdict(holder)
    assert not hasattr(secret, "__dict__")


def test_secrets_compare_by_identity_and_match_by_value() -> None:
    assert Secret("a") != Secret("a")
    assert Secret("a").matches(Secret("a"))
    assert not Secret("a").matches(Secret("b"))
    assert Secret("\ud800").matches(Secret("\ud800"))
    assert Secret("").empty


@pytest.mark.parametrize(
    ("value", "kind", "words", "shown"),
    [
        ("env:A_1", Kind.ENV, ("A_1",), "env:A_1"),
        ("file:/run/secrets/x y", Kind.FILE, ("/run/secrets/x y",), "file:/run/secrets/x y"),
        ("file:~/x", Kind.FILE, ("~/x",), "file:~/x"),
        ("command:pass show 'a b'", Kind.COMMAND, ("pass", "show", "a b"), "command:pass …"),
        (
            ["command:/bin/my vault", "--key", ""],
            Kind.COMMAND,
            ("/bin/my vault", "--key", ""),
            "command:/bin/my vault …",
        ),
        ("keyring:https://a/b/name", Kind.KEYRING, ("https://a/b", "name"), "keyring:https://a/b/name"),
        ("prompt", Kind.PROMPT, (), "prompt"),
    ],
)
def test_references_are_read_and_written_back(
    value: str | list[str], kind: Kind, words: tuple[str, ...], shown: str
) -> None:
    reference = SecretReference.parse(value)
    assert (reference.kind, reference.words, reference.describe()) == (kind, words, shown)
    assert SecretReference.parse(reference.value()) == reference


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_command_survives_being_written(words: list[str]) -> None:
    try:
        as_list = SecretReference.parse([f"command:{words[0]}", *words[1:]])
    except BadInputError:
        assert not words[0] or any("\0" in word for word in words)
        return
    assert as_list.words == tuple(words)
    assert SecretReference.parse(as_list.value()) == as_list
    as_text = SecretReference.parse(f"command:{shlex.join(words)}")
    assert as_text.words == tuple(words)
    assert SecretReference.parse(as_text.value()) == as_text
    assert as_text.describe().isprintable()


@given(st.text() | st.lists(st.text(), max_size=3))
def test_anything_else_is_refused_without_being_repeated(value: str | list[str]) -> None:
    try:
        reference = SecretReference.parse(value)
    except BadInputError as error:
        typed = value if isinstance(value, str) else "".join(value)
        assert len(typed) < 8 or typed not in str(error)
    else:
        assert SecretReference.parse(reference.value()) == reference


@pytest.mark.parametrize(
    "value",
    [
        "hunter2", "", "ENV:HUNTER", "env:", "env:hunter-2", "env:A=hunter", "env:1hunter", "file:", "file:hunter",
        "file:/hunter\0", "command:", "command:''", "command:'hunter", "keyring:", "keyring:hunter", "keyring:/hunter",
        "keyring:hunter/", "prompt:hunter", " prompt", "plain:hunter", [], ["hunter", "x"], ["command:"],
        ["command:a\0"],
    ],
)  # fmt: skip
def test_what_is_no_reference_is_refused_with_advice(value: str | list[str]) -> None:
    with pytest.raises(BadInputError) as caught:
        SecretReference.parse(value)
    assert "hunter" not in str(caught.value).lower()
    assert caught.value.advice


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HK_TEST", PLAIN)
    assert resolve("env:HK_TEST") == PLAIN
    assert SecretReference.parse("env:HK_TEST").problem() == ""
    for content in ("", None):
        monkeypatch.delenv("HK_TEST")
        if content is not None:
            monkeypatch.setenv("HK_TEST", content)
        assert SecretReference.parse("env:HK_TEST").problem() == "the environment variable HK_TEST is not set"
        with pytest.raises(SecretUnavailableError, match="HK_TEST is not set"):
            resolve("env:HK_TEST")


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"a", "a"), (b"a\n", "a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b" a ", " a "), (PLAIN.encode(), PLAIN)],
)
def test_a_file_gives_its_content_without_the_last_line_end(tmp_path: Path, content: bytes, secret: str) -> None:
    path = tmp_path / "password"
    path.touch(0o600)
    path.write_bytes(content)
    assert SecretReference.parse(f"file:{path}").problem() == ""
    assert resolve(f"file:{path}") == secret


def test_a_file_below_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text("x")
    assert resolve("file:~/password") == "x"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601, 0o666, 0o444])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "password"
    path.write_text(PLAIN)
    path.chmod(mode)
    with pytest.raises(RefusedError, match=f"mode {mode:04o}") as caught:
        resolve(f"file:{path}")
    assert caught.value.advice == f"Close it: chmod 600 {path}"
    assert f"mode {mode:04o}" in SecretReference.parse(f"file:{path}").problem()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * (secrets.LONGEST + 1)])
def test_a_file_with_no_secret_in_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(SecretUnavailableError) as caught:
        resolve(f"file:{path}")
    assert caught.value.__cause__ is None


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name, problem in (("none", "missing"), ("fifo", "not a file"), ("", "not a file")):
        reference = SecretReference.parse(f"file:{tmp_path / name}")
        assert problem in reference.problem()
        with pytest.raises(SecretUnavailableError):
            asyncio.run(reference.resolve())


def command(code: str) -> list[str]:
    return [f"command:{sys.executable}", "-c", code]


def test_a_command_gives_its_output_and_sees_no_shell() -> None:
    assert resolve(command("print('a $HOME; b')")) == "a $HOME; b"
    assert resolve(["command:printf", "%s|", "a b", "$(id)"]) == "a b|$(id)|"
    assert resolve("command:printf '%s' '*'") == "*"


def test_a_command_that_fails_keeps_what_it_printed_to_itself() -> None:
    with pytest.raises(SecretUnavailableError, match="status 3") as caught:
        resolve(command(f"import sys; print('{PLAIN}'); print('{PLAIN}', file=sys.stderr); sys.exit(3)"))
    assert PLAIN not in f"{caught.value}{caught.value.detail}{caught.value.__cause__}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("pass", "gives nothing"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "not UTF-8"),
        ("while True: print('y' * 1000)", "more than 64 KiB"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "status -15"),
    ],
)
def test_a_command_with_no_secret_in_it(code: str, message: str) -> None:
    with pytest.raises(SecretUnavailableError, match=message):
        resolve(command(code))


def test_a_command_that_hangs_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 1.0)
    code = f"sleep 600 & echo $$ $! > {shlex.quote(str(tmp_path / 'pids'))}; wait"
    with pytest.raises(SecretUnavailableError, match="did not answer within 1 seconds"):
        resolve(["command:sh", "-c", code])
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        while _running(pid):  # killed already; the system takes its time
            time.sleep(0.01)


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_that_is_not_there() -> None:
    reference = SecretReference.parse("command:no-such-program-here x")
    assert reference.problem() == "the program no-such-program-here is not found"
    with pytest.raises(SecretUnavailableError, match="cannot be started"):
        asyncio.run(reference.resolve())


def keyring(monkeypatch: pytest.MonkeyPatch, found: str | Exception | None) -> None:
    """A stand-in for the keyring package, which is an extra and would ask the desktop."""
    module = types.ModuleType("keyring")

    def get_password(service: str, name: str) -> str | None:
        assert (service, name) == ("service/x", "name")
        if isinstance(found, Exception):
            raise found
        return found

    module.get_password = get_password  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, "keyring", module)


def test_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring(monkeypatch, PLAIN)
    assert resolve("keyring:service/x/name") == PLAIN
    keyring(monkeypatch, None)
    with pytest.raises(SecretUnavailableError, match="has no secret for keyring:service/x/name"):
        resolve("keyring:service/x/name")
    keyring(monkeypatch, RuntimeError(f"locked {PLAIN}"))
    with pytest.raises(SecretUnavailableError, match=r"did not answer \(RuntimeError\)") as caught:
        resolve("keyring:service/x/name")
    assert PLAIN not in str(caught.value)


def test_a_keyring_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SecretUnavailableError, match=r"pip install 'housekeys\[keyring\]'"):
        resolve("keyring:service/name")


def test_a_prompt_asks_a_person_by_its_label() -> None:
    asked: list[str] = []

    async def answer(label: str) -> Secret | None:
        asked.append(label)
        return Secret(PLAIN) if len(asked) == 1 else Secret("") if len(asked) == 2 else None

    reference = SecretReference.parse("prompt")
    assert asyncio.run(reference.resolve(answer, label="Password of prod")).matches(Secret(PLAIN))
    assert asked == ["Password of prod"]
    for _ in range(2):
        with pytest.raises(RefusedError, match="nothing was typed"):
            asyncio.run(reference.resolve(answer))
    with pytest.raises(RefusedError, match="no terminal"):
        asyncio.run(reference.resolve(None))


def test_every_failure_is_one_of_ours() -> None:
    for value in ("env:HK_NOT_SET", "file:/nonexistent/x", "command:/nonexistent/x", "prompt"):
        with pytest.raises(HousekeysError) as caught:
            resolve(value)
        assert caught.value.advice
