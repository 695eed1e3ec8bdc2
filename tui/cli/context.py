"""What a one-shot command works with: its arguments, the profile, the session on demand, prompts and output."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.display import one_line
from core.errors import BadInputError, ExitCode, NotFoundError, RefusedError
from core.paths import Paths
from tui.cli.output import Output

if TYPE_CHECKING:
    from core.changes import Change
    from core.profiles import ProfileFile
    from core.running.runner import Report
    from core.secrets import Secret
    from core.session import Session

ENVIRONMENT_NAME = "HOUSEKEYS_PASSPHRASE"


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends what is being typed.

    asyncio's own handler would only cancel the task and leave the reading, here or in a thread, waiting for Enter.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Context:
    """One run of a one-shot command. The profile file is read and the session opened on first use."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        environ: Mapping[str, str],
        *,
        stdin: TextIO = sys.stdin,
        stdout: TextIO = sys.stdout,
        stderr: TextIO = sys.stderr,
    ) -> None:
        self.arguments = arguments
        self.environ = environ
        self.stdin = stdin
        self.output = Output(stdout, stderr, json=arguments.json)
        self.paths = Paths.locate(environ, arguments.config)
        self.exit_code: int = ExitCode.DONE  # a verdict is said before it is printed: a reader may go away
        self._profile_file: ProfileFile | None = None
        self._session: Session | None = None

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: standard input and standard error are a terminal."""
        return self.stdin.isatty() and self.output.stderr.isatty()

    @property
    def read_only_flag(self) -> bool | None:
        """True for --read-only, False for --write, None for neither."""
        flag: bool | None = self.arguments.read_only
        return flag

    @property
    def profile_file(self) -> ProfileFile:
        """The profiles, read once; problems of other profiles are not repeated by every command."""
        if self._profile_file is None:
            from core.profiles import load

            self._profile_file = load(self.paths.config_file)
        return self._profile_file

    @property
    def profile_name(self) -> str:
        """The profile this run works on: -p, or the default of the profile file."""
        name: str | None = self.arguments.profile
        return name or self.profile_file.preferences.default_profile

    async def session(self) -> Session:
        """The session on the profile, opened on first use. Says on stderr when a change is unfinished."""
        if self._session is None:
            from core.session import Session

            self._refuse_unmeant_profile()
            self._session = await Session.open(
                self.profile_file,
                self.profile_name,
                self.paths,
                read_only=self.read_only_flag,
                prompt=self.prompt_secret if self.interactive else None,
                catch_up=not self.arguments.dry_run,  # a dry run writes nothing, not even what is overdue
            )
            self._tell_problems()
            unfinished = sum(not change.running for change in self._session.runner.unfinished())
            if unfinished and self.arguments.noun != "journal":
                changes = "1 change is" if unfinished == 1 else f"{unfinished} changes are"
                self.output.message(f"Note: {changes} unfinished. See `housekeys journal unfinished`.")
        return self._session

    def _refuse_unmeant_profile(self) -> None:
        """Raise rather than fall back to the built-in profile when the file means another, or is not there."""
        if self.arguments.profile is not None:
            return
        file = self.profile_file
        named = "or name a profile: -p NAME."
        if self.arguments.config is not None and not self.paths.config_file.exists():
            where = one_line(str(self.paths.config_file))
            raise NotFoundError(f"There is no configuration file {where}.", advice=f"Check --config, {named}")
        wrong = file.unread or next((problem for problem in file.problems if problem.key == "default_profile"), None)
        if wrong is not None:
            raise BadInputError(one_line(str(wrong)), advice=f"Correct the file, {named}")

    def _tell_problems(self) -> None:
        for problem in self.profile_file.problems:
            if problem.profile in (None, self.profile_name):
                self.output.message(f"Note: {problem}")

    async def close(self) -> None:
        """Close the session if one was opened."""
        if self._session is not None:
            await self._session.close()

    def read_stdin(self, limit: int) -> bytes:
        """At most `limit` bytes of standard input, as they are: what they mean is for their reader to say."""
        binary = getattr(self.stdin, "buffer", None)
        content = self.stdin.read(limit).encode("utf-8", "surrogateescape") if binary is None else binary.read(limit)
        return bytes(content)

    async def prompt_secret(self, label: str) -> Secret | None:
        """Ask for a secret without echo. None when it is left empty. Raises RefusedError without a terminal."""
        if not self.interactive:
            raise RefusedError(f"{label} is needed, and there is no terminal to ask at.")
        import getpass

        from core.secrets import Secret

        with _interruptible():
            try:
                typed = getpass.getpass(f"{label}: ", self.output.stderr)
            except EOFError:  # Ctrl-D
                return None
        return Secret(typed) if typed else None

    async def ask_line(self, question: str) -> str:
        """Ask for a line of text on stderr. Raises RefusedError without a terminal."""
        if not self.interactive:
            raise RefusedError("This has to be confirmed, and there is no terminal to ask at.", advice="Use --yes.")
        with _interruptible():
            self.output.stderr.write(question)
            self.output.stderr.flush()
            return self.stdin.readline().rstrip("\n")

    async def passphrase(self, label: str = "Passphrase of the partner keys", *, twice: bool = False) -> Secret:
        """The passphrase: --passphrase-file, else HOUSEKEYS_PASSPHRASE, else the prompt (typed `twice` when new).

        Raises BadInputError when the file cannot be used or the two entries differ, RefusedError without a terminal.
        """
        from core.secrets import Kind, Secret, SecretReference

        file: Path | None = getattr(self.arguments, "passphrase_file", None)
        if file is not None:
            return await SecretReference(Kind.FILE, (str(file),)).resolve(None)
        if self.environ.get(ENVIRONMENT_NAME):
            return Secret(self.environ[ENVIRONMENT_NAME])
        if not self.interactive:
            raise RefusedError(
                f"{label} is needed, and there is no terminal to ask at.",
                advice=f"Set {ENVIRONMENT_NAME} or use --passphrase-file FILE.",
            )
        first = await self.prompt_secret(label)
        if first is None:
            raise BadInputError("An empty passphrase protects nothing.")
        if twice:
            second = await self.prompt_secret(f"{label}, again")
            if second is None or not first.matches(second):
                raise BadInputError("The two entries differ. Nothing was changed.")
        return first

    async def carry_out(self, change: Change, *, allow_partial: bool = False, always_ask: bool = False) -> Report:
        """Take `change` down the one road: dry run, preview, confirmation, journal, run, report.

        With `always_ask` even a routine change is asked for: one that reaches beyond ClickHouse. With `allow_partial`
        failed steps set the exit code but are not raised, so that what succeeded can be printed. Raises
        DryRunFinished with --dry-run, RefusedError when not confirmed, HousekeysError on failure.
        """
        from tui.cli.carrying_out import carry_out

        return await carry_out(self, change, allow_partial=allow_partial, always_ask=always_ask)
