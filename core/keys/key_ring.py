"""Keys unlocked for this session, and locked again after a while without use.

Only key objects are held, never a passphrase. Locking drops them; OpenSSL clears its memory when the last reference
goes. Python cannot promise more: a passphrase typed, or a core dump, is beyond its reach.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import UnreachableError
from core.keys.key_store import KeyStore
from core.secrets import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa


def seconds() -> float:
    """A clock that is never set, and that goes on while the machine sleeps where the system has such a one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class KeyLockedError(UnreachableError):
    """The private key has to be unlocked first."""


@dataclass(frozen=True, slots=True)
class UnlockedKey:
    """A private key in use. Its repr says which, not what."""

    version: int
    fingerprint: str
    private: rsa.RSAPrivateKey = field(repr=False)


class KeyRing:
    """Unlocked keys of one store. `idle_seconds` without a use lock it; 0 means only `lock` does."""

    def __init__(self, store: KeyStore, idle_seconds: float, clock: Callable[[], float] = seconds) -> None:
        self.store = store
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._keys: dict[int, UnlockedKey] = {}
        self._last_use = 0.0

    async def unlock(self, versions: Iterable[int], passphrase: Secret | None) -> None:
        """Unlock `versions` (those already unlocked stay so), in threads: each costs a key derivation.

        Raises WrongPassphraseError, NotFoundError, RefusedError, DamagedKeyFileError; then those before stay unlocked.
        """
        for version in versions:
            if self.is_unlocked(version):
                continue
            envelope = await asyncio.to_thread(self.store.read, version)
            private = await asyncio.to_thread(envelope.open, passphrase)
            self._keys[version] = UnlockedKey(version, envelope.fingerprint, private)
            self._last_use = self._clock()

    async def needs_passphrase(self, version: int) -> bool:
        """Whether a passphrase has to be asked for before `version` can be used. Raises as `KeyStore.read`."""
        if self.is_unlocked(version):
            return False
        return (await asyncio.to_thread(self.store.read, version)).encrypted

    def key(self, version: int) -> UnlockedKey:
        """The unlocked key, which counts as a use. Raises KeyLockedError."""
        if not self.is_unlocked(version):
            raise KeyLockedError(f"Partner key {version} is locked.", advice="Unlock it with its passphrase.")
        self._last_use = self._clock()
        return self._keys[version]

    def is_unlocked(self, version: int) -> bool:
        """Whether `version` can be used now. Locks everything first when the time is up."""
        self.lock_if_idle()
        return version in self._keys

    @property
    def unlocked(self) -> list[int]:
        """The versions that can be used now, ascending."""
        self.lock_if_idle()
        return sorted(self._keys)

    def lock_if_idle(self) -> bool:
        """Lock when the time without use is up. Returns whether it locked now. Called by a timer of the console."""
        if not self._keys or not self._idle_seconds or self._clock() - self._last_use < self._idle_seconds:
            return False
        self.lock()
        return True

    def lock(self) -> None:
        """Forget every key."""
        self._keys.clear()
