"""The Basic credentials in the journal: added and removed by changes, and a second later so for every service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from core.changes import Change, Danger, RecordStep
from core.errors import HousekeysError
from core.partner.security.basic_credentials import (
    BasicCredential,
    CredentialCheck,
    Presented,
    choose,
    generate,
    removed,
)
from core.partner.storage.credential_facts import credential_added, credential_removed, credential_used
from core.partner.storage.known_state import KnownState
from core.running.runner import Runner
from core.secrets import Secret

log = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 1.0


def listed(credentials: Mapping[str, BasicCredential]) -> tuple[BasicCredential, ...]:
    """Credentials as people see them: oldest first."""
    return tuple(sorted(credentials.values(), key=lambda credential: (credential.created, credential.id)))


def plan_add(user: str, now: datetime) -> tuple[Presented, Change]:
    """A new random credential: to be shown once, and the change that makes it valid. Raises BadInputError."""
    presented, credential = generate(user, now)
    return presented, _added(credential)


def plan_choose(user: str, password: Secret, now: datetime) -> Change:
    """The change that makes a password valid that a person chose. Takes a key derivation: call it in a thread.

    Raises BadInputError.
    """
    return _added(choose(user, password, now))


def plan_remove(credentials: Sequence[BasicCredential], identifier: str) -> Change:
    """The change that ends a credential. Raises NotFoundError; RefusedError for the last one."""
    left = removed(credentials, identifier)
    gone = next(credential for credential in credentials if credential.id == identifier)
    users = ", ".join(sorted({credential.user for credential in left}))
    return Change(
        f"Remove the Basic credential {gone.id} of {gone.user}",
        (
            RecordStep(
                f"Remove the credential {gone.id}",
                (credential_removed(gone.id),),
                undo=RecordStep(f"Add the credential {gone.id} again", (credential_added(gone),)),
            ),
        ),
        danger=Danger.DISRUPTIVE,
        consequences=(
            f"Whoever still calls with it is answered 401. Left: {users}.",
            *(("It was used within the last day.",) if _used_lately(gone) else ()),
        ),
    )


def _added(credential: BasicCredential) -> Change:
    return Change(
        f"Add the Basic credential {credential.id} of {credential.user}",
        (
            RecordStep(
                f"Add the credential {credential.id}",
                (credential_added(credential),),
                undo=RecordStep(f"Remove the credential {credential.id}", (credential_removed(credential.id),)),
            ),
        ),
        consequences=("Those before stay valid until they are removed.",),
    )


def _used_lately(credential: BasicCredential) -> bool:
    return credential.last_used is not None and (datetime.now(UTC) - credential.last_used).days < 1


class LiveCredentials:
    """Checks requests against the credentials of the journal, and records there once in a while that they are used."""

    def __init__(
        self, known_state: KnownState, runner: Runner, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._known_state = known_state
        self._runner = runner
        self._clock = clock
        self._checked: tuple[BasicCredential, ...] = ()
        self._check = CredentialCheck(())
        self._recording: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, BasicCredential] = {}  # as this process wanted to record them last

    async def check(self, authorization: Sequence[str], *, derive: bool = True) -> BasicCredential | None:
        """The credential that the Authorization headers of a request present; None when it is none.

        While ClickHouse is away those count that were valid before.
        """
        try:
            await self._known_state.fresh(_FRESH_SECONDS)
        except HousekeysError as error:
            log.warning("the Basic credentials cannot be read anew: %s", error)
        found = await self._of_now().check(authorization, derive=derive)
        if found is not None:
            self._record_use(self._known_state.credentials.get(found.id, found))
        return found

    async def aclose(self) -> None:
        """Wait for what is being recorded."""
        while self._recording:
            await asyncio.wait(set(self._recording.values()))

    def _of_now(self) -> CredentialCheck:
        now = tuple(self._known_state.credentials.values())
        if [_identity(one) for one in now] != [_identity(one) for one in self._checked]:
            self._check = CredentialCheck(now)
        self._checked = now
        return self._check

    def _record_use(self, credential: BasicCredential) -> None:
        now = self._clock()
        used = credential.use_to_record(now)
        if used is None or credential.id in self._recording or self._runner.read_only.active:
            return
        if (tried := self._tried.get(used.id)) is not None and tried.use_to_record(now) is None:
            return
        self._tried[used.id] = used  # whatever becomes of it, the next attempt is in an hour
        self._recording[used.id] = asyncio.create_task(self._run(used.id))

    async def _run(self, identifier: str) -> None:
        step = RecordStep(f"Record the use of the credential {identifier}", (credential_used(identifier),))
        try:
            await self._runner.run(Change(f"Record the use of the Basic credential {identifier}", (step,)))
        except HousekeysError as error:
            log.warning("the use of the Basic credential %s is not recorded: %s", identifier, error)
        finally:
            del self._recording[identifier]


def _identity(credential: BasicCredential) -> tuple[str, bytes]:
    return credential.id, credential.digest
