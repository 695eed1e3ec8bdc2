"""Secrets: values that do not show themselves, and references that say where a value is kept.

A `Secret` is masked wherever text is made of it and cannot be pickled or copied. A `SecretReference` is what stands
in a configuration file instead of the value: `env:NAME`, `file:PATH`, `command:PROGRAM ARGUMENTS` (never a shell),
`keyring:SERVICE/NAME` or `prompt`.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import shlex
import shutil
import signal
import stat
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from core.display import one_line
from core.errors import BadInputError, RefusedError
from core.files import exposure

if TYPE_CHECKING:
    from asyncio.subprocess import Process

MASK = "********"
COMMAND_SECONDS = 30.0  # long enough for a vault over a slow network, short enough to notice a prompt nobody sees
LONGEST = 64 * 1024  # bytes; a password, passphrase or PEM text is far below
_WAYS = "env:NAME, file:PATH, command:PROGRAM ..., keyring:SERVICE/NAME or prompt"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Secret:
    """A text that is shown as `********` by repr, str and format. Compared by identity; see `matches`.

    What was revealed once is remembered for the rest of the process, so that the log can leave it out. Not so a
    `passing` one: of those a service sees thousands an hour, and its log leaves them out by the names of their fields.
    """

    __slots__ = ("__passing", "__value")

    def __init__(self, value: str, *, passing: bool = False) -> None:
        self.__value = value
        self.__passing = passing

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        if not self.__passing:
            _revealed.add(self.__value)
        return self.__value

    def matches(self, other: Secret) -> bool:
        """Whether both hold the same value, in time that does not depend on where they differ."""
        return hmac.compare_digest(
            self.__value.encode("utf-8", "surrogatepass"), other.__value.encode("utf-8", "surrogatepass")
        )

    @property
    def empty(self) -> bool:
        """Whether the value is the empty text."""
        return not self.__value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return MASK

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


_revealed: set[str] = set()


def revealed() -> frozenset[str]:
    """Every value revealed so far in this process: what the log must not hold."""
    return frozenset(_revealed)


Prompt = Callable[[str], Awaitable[Secret | None]]
"""Asks a person for a secret under a label; None when nothing was given."""


class SecretUnavailableError(BadInputError):
    """The place a reference points to does not give a secret now."""


class Kind(StrEnum):
    """The ways to keep a secret outside of the configuration."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"
    KEYRING = "keyring"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept. `words` is the variable, the path, the argument list, or service and name."""

    kind: Kind
    words: tuple[str, ...]
    written_as_list: bool = False

    @classmethod
    def parse(cls, value: str | Sequence[str]) -> SecretReference:
        """Read `env:NAME` and its kin, or `["command:PROGRAM", "argument", ...]`.

        Raises BadInputError, whose message never repeats `value`: it may be a secret typed in the wrong place.
        """
        if not isinstance(value, str):
            return _parse_list(value)
        if value == Kind.PROMPT:
            return cls(Kind.PROMPT, ())
        kind, colon, rest = value.partition(":")
        if not colon or kind not in (Kind.ENV, Kind.FILE, Kind.COMMAND, Kind.KEYRING):
            raise BadInputError(
                "A secret is never written here, only where it is kept.",
                advice=f"Use {_WAYS}.",
            )
        return cls(Kind(kind), _parse_words(Kind(kind), rest))

    def value(self) -> str | list[str]:
        """The form that `parse` reads and a configuration file holds."""
        if self.kind is Kind.PROMPT:
            return "prompt"
        if self.kind is Kind.COMMAND:
            if self.written_as_list:
                return [f"command:{self.words[0]}", *self.words[1:]]
            return f"command:{shlex.join(self.words)}"
        return f"{self.kind}:{'/'.join(self.words)}"

    def describe(self) -> str:
        """The reference in one line, shown instead of the secret. Of a command only the program is shown."""
        if self.kind is Kind.COMMAND:
            return one_line(f"command:{self.words[0]}{' …' if len(self.words) > 1 else ''}")
        return one_line(str(self.value()))

    def problem(self) -> str:
        """Why the place cannot give a secret now, without asking it for one; empty when nothing speaks against it."""
        match self.kind:
            case Kind.ENV if not os.environ.get(self.words[0]):
                return f"the environment variable {self.words[0]} is not set"
            case Kind.FILE:
                return _file_problem(self._path())
            case Kind.COMMAND if shutil.which(self._program()) is None:
                return f"the program {one_line(self.words[0])} is not found"
            case Kind.KEYRING if not _has_keyring():
                return "the keyring extra is not installed"
        return ""

    async def resolve(self, prompt: Prompt | None = None, *, label: str = "Password") -> Secret:
        """The secret itself. `label` is what a person is asked for.

        Raises SecretUnavailableError when the place gives none; RefusedError when a person must be asked and cannot
        be, or gives nothing.
        """
        match self.kind:
            case Kind.ENV:
                return self._from_environment()
            case Kind.FILE:
                import asyncio  # not at the top: most commands read references without resolving one

                return await asyncio.to_thread(self._from_file)
            case Kind.COMMAND:
                return await self._from_command()
            case Kind.KEYRING:
                import asyncio

                return await asyncio.to_thread(self._from_keyring)
            case Kind.PROMPT:
                return await _ask(prompt, label)

    def _from_environment(self) -> Secret:
        value = os.environ.get(self.words[0], "")
        if not value:
            raise self._unavailable(f"The environment variable {self.words[0]} is not set.", "Set it and start again.")
        return Secret(value)

    def _path(self) -> Path:
        return Path(os.path.expanduser(self.words[0]))

    def _program(self) -> str:
        return os.path.expanduser(self.words[0])

    def _from_file(self) -> Secret:
        path = self._path()
        shown = one_line(str(path))
        try:
            # Not blocking: a FIFO without a writer would never open.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise self._unavailable(
                f"The secret file {shown} cannot be read: {error.strerror}.", "Check the path and its owner."
            ) from error
        try:
            # Looked at through the open file, so that nobody can exchange it in between.
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._unavailable(f"The secret file {shown} is not a file.", "Name a regular file.")
            if wide := exposure(descriptor):
                raise RefusedError(
                    f"The secret file {shown} is {wide}.", advice=f"Close it: chmod 600 {shlex.quote(shown)}"
                )
            content = os.read(descriptor, LONGEST + 1)
        finally:
            os.close(descriptor)
        return self._from_bytes(content, f"The secret file {shown}")

    async def _from_command(self) -> Secret:
        import asyncio

        shown = f"The secret command {one_line(self.words[0])}"
        try:
            process = await asyncio.create_subprocess_exec(
                self._program(),
                *self.words[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                # What a program complains about may hold the secret itself.
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise self._unavailable(f"{shown} cannot be started: {error.strerror}.", "Check its path.") from error
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                content = await _read_output(process)
                status = await process.wait()
        except TimeoutError as error:
            raise self._unavailable(
                f"{shown} did not answer within {COMMAND_SECONDS:g} seconds.",
                "Run it by hand: it may be waiting for input.",
            ) from error
        finally:
            await _end(process)
        if status != 0 and len(content) <= LONGEST:
            raise self._unavailable(
                f"{shown} failed with status {status}.", "Run it by hand to see why; its messages are not kept."
            )
        return self._from_bytes(content, shown)

    def _from_keyring(self) -> Secret:
        service, name = self.words
        try:
            import keyring  # an extra; and slow to import
        except ImportError as error:
            raise self._unavailable(
                "The keyring is not available in this installation.", "Run: pip install 'housekeys[keyring]'"
            ) from error
        try:
            value = keyring.get_password(service, name)
        except Exception as error:  # every backend raises its own kinds
            raise self._unavailable(
                f"The keyring did not answer ({type(error).__name__}).", "Unlock it, or use env: or file:."
            ) from error
        if not value:
            raise self._unavailable(
                f"The keyring has no secret for {self.describe()}.",
                f"Run: keyring set {shlex.quote(one_line(service))} {shlex.quote(one_line(name))}",
            )
        return Secret(value)

    def _from_bytes(self, content: bytes, what: str) -> Secret:
        if len(content) > LONGEST:
            raise self._unavailable(f"{what} gives more than {LONGEST // 1024} KiB.", "Point it to the secret alone.")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            # Not chained: the decoding error carries the bytes.
            raise self._unavailable(f"{what} gives text that is not UTF-8.", "Store the secret as UTF-8.") from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise self._unavailable(f"{what} gives nothing.", "Put the secret there.")
        return Secret(text)

    def _unavailable(self, message: str, advice: str) -> SecretUnavailableError:
        return SecretUnavailableError(message, advice=advice)


def _parse_list(value: Sequence[str]) -> SecretReference:
    if value and all(isinstance(word, str) for word in value) and value[0].startswith("command:"):
        program = value[0].removeprefix("command:")
        words = (program, *value[1:])
        if program and not any("\0" in word for word in words):
            return SecretReference(Kind.COMMAND, words, written_as_list=True)
    raise BadInputError(
        "A list here is a command and its arguments.", advice='Write it as ["command:PROGRAM", "argument"].'
    )


def _parse_words(kind: Kind, rest: str) -> tuple[str, ...]:
    if "\0" in rest:
        raise BadInputError(f"A {kind}: reference cannot hold a null character.", advice=f"Use {_WAYS}.")
    match kind:
        case Kind.ENV:
            if _ENV_NAME.match(rest):
                return (rest,)
            raise BadInputError("env: must be followed by the name of an environment variable.", advice="As env:NAME.")
        case Kind.FILE:
            if rest.startswith(("/", "~")):
                return (rest,)
            raise BadInputError("file: must be followed by an absolute path.", advice="As file:/path or file:~/path.")
        case Kind.COMMAND:
            with contextlib.suppress(ValueError):  # an open quote
                if (words := shlex.split(rest)) and words[0]:
                    return tuple(words)
            raise BadInputError(
                "command: must be followed by a program and its arguments, quotes closed.",
                advice='As command:pass show clickhouse, or a list: ["command:pass", "show", "clickhouse"].',
            )
        case _:
            service, slash, name = rest.rpartition("/")
            if service and slash and name:
                return (service, name)
            raise BadInputError("keyring: must be followed by a service and a name.", advice="As keyring:service/name.")


def _file_problem(path: Path) -> str:
    try:
        if not path.is_file():
            return "the file is missing" if not path.exists() else "it is not a file"
        if wide := exposure(path):
            return f"the file is {wide}; run: chmod 600 {shlex.quote(one_line(str(path)))}"
        if not os.access(path, os.R_OK):
            return "the file cannot be read by this user"
    except OSError as error:
        return f"the file cannot be looked at: {error.strerror}"
    return ""


def _has_keyring() -> bool:
    import importlib.util

    return importlib.util.find_spec("keyring") is not None


async def _ask(prompt: Prompt | None, label: str) -> Secret:
    if prompt is None:
        raise RefusedError(
            f"{label} must be typed, and there is no terminal to ask on.",
            advice="Run it on a terminal, or keep the secret in env:, file:, command: or keyring:.",
        )
    secret = await prompt(label)
    if secret is None or secret.empty:
        raise RefusedError(f"{label}: nothing was typed.", advice="Try again.")
    return secret


async def _read_output(process: Process) -> bytes:
    """The output of a program, up to one byte more than the longest secret."""
    content = bytearray()
    if process.stdout is not None:
        while len(content) <= LONGEST and (piece := await process.stdout.read(LONGEST + 1 - len(content))):
            content += piece
    if len(content) > LONGEST:
        _kill(process)  # it may never end by itself
        await _drain(process)
    return bytes(content)


async def _end(process: Process) -> None:
    if process.returncode is None:
        _kill(process)
        await _drain(process)
        await process.wait()


async def _drain(process: Process) -> None:
    """Read what a killed program left in its pipe: asyncio waits for the end of the pipe as well, and stops reading
    it when much is unread."""
    if process.stdout is not None:
        while await process.stdout.read(LONGEST):
            pass


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
