"""The keys under which the secrets of partner connections are sealed: 256 random bits each, the newest one seals.

They are kept as partner keys are, one envelope per key (0600, under a passphrase), or as one text in a vault that all
processes behind a balancer read. A service opens either without a person: by a secret reference that gives the
passphrase, or the text itself. A key's id is derived from the key, so that two machines never give one id twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from core.changes import Change, Danger, Event, FileStep
from core.display import one_line
from core.errors import BadInputError, HousekeysError, NotFoundError
from core.keys.envelope import DamagedKeyFileError, Envelope, ScryptCost, seal_payload
from core.keys.key_store import read_envelope
from core.keys.planning import unused_path
from core.secrets import Prompt, Secret, SecretReference

KEY_BYTES = 32
_ID_DIGITS = 16
_SIDE = "sealing"
_PREFIX = "housekeys-sealing-key"
_LINE = re.compile(rf"{_PREFIX}:(?P<id>[0-9a-f]{{{_ID_DIGITS}}}):(?P<key>[A-Za-z0-9_-]{{43}})")
_FILE = re.compile(r"sealing-([1-9][0-9]{0,9})\.key")


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One key. Nothing is encrypted under it directly, see `derive`. Its repr shows its id only."""

    value: bytes = field(repr=False)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes")
        object.__setattr__(self, "id", self.mark[:_ID_DIGITS])

    @property
    def mark(self) -> str:
        """The fingerprint: the SHA-256 of the key, which tells nothing of 256 random bits."""
        return hashlib.sha256(b"housekeys sealing key\0" + self.value).hexdigest()

    def derive(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose (HKDF-Expand, RFC 5869): one never serves two."""
        return HKDFExpand(SHA256(), KEY_BYTES, purpose).derive(self.value)


def new_sealing_key() -> SealingKey:
    """A new random key."""
    return SealingKey(os.urandom(KEY_BYTES))


class SealingKeys:
    """The keys in use, the newest first. Never empty."""

    def __init__(self, newest_first: Iterable[SealingKey]) -> None:
        self._keys = {key.id: key for key in newest_first}
        if not self._keys:
            raise NotFoundError("There is no sealing key.", advice="Make one before secrets are to be kept.")

    @property
    def newest(self) -> SealingKey:
        """The key that seals."""
        return next(iter(self._keys.values()))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, of the newest key first."""
        return tuple(self._keys)

    def get(self, id: str) -> SealingKey | None:
        """The key with this id, if it is here."""
        return self._keys.get(id)

    def with_newest(self, key: SealingKey) -> SealingKeys:
        """These keys after a rotation: `key` seals, the others still open."""
        return SealingKeys((key, *self._keys.values()))

    def to_text(self) -> Secret:
        """One line per key, the newest first: what a vault keeps and `from_text` reads."""
        encoded = ((key.id, urlsafe_b64encode(key.value).decode("ascii").rstrip("=")) for key in self._keys.values())
        return Secret("".join(f"{_PREFIX}:{id}:{value}\n" for id, value in encoded))

    @staticmethod
    def is_text(secret: Secret) -> bool:
        """Whether a secret is the text of keys, and not the passphrase of some."""
        return secret.reveal().startswith(f"{_PREFIX}:")

    @classmethod
    def from_text(cls, text: Secret) -> SealingKeys:
        """Read what `to_text` wrote. Raises BadInputError, which names the line and nothing of its content."""
        keys: list[SealingKey] = []
        for number, line in enumerate(text.reveal().split(), 1):
            match = _LINE.fullmatch(line)
            key = SealingKey(urlsafe_b64decode(f"{match['key']}=")) if match else None
            if match is None or key is None or key.id != match["id"]:
                raise BadInputError(
                    f"Sealing key {number} of the text is not one, or damaged.",
                    advice=f"Each line reads {_PREFIX}:ID:KEY, the newest key first.",
                )
            keys.append(key)
        return cls(keys)


class SealingKeyStore:
    """A folder of sealing keys: `sealing-N.key`, the highest N is the newest. Written by steps of a Change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, version: int) -> Path:
        """The file of a version, whether or not it exists."""
        return self.folder / f"sealing-{version}.key"

    def versions(self) -> list[int]:
        """The versions on this machine, the newest first."""
        if not self.folder.is_dir():
            return []
        found = (int(match[1]) for entry in os.listdir(self.folder) if (match := _FILE.fullmatch(entry)))
        return sorted(found, reverse=True)

    def open(self, passphrase: Secret, known: SealingKeys | None = None) -> SealingKeys:
        """Every key of the folder. Takes a key derivation for each that is not `known`: call it in a thread.

        Raises NotFoundError, WrongPassphraseError, RefusedError when others may touch a file, DamagedKeyFileError,
        HousekeysError when a file cannot be read.
        """
        return SealingKeys([self._open(version, passphrase, known) for version in self.versions()])

    def id(self, version: int) -> str:
        """The id of a key, which its file tells without the passphrase. Raises as `open`."""
        return self._envelope(version).fingerprint[:_ID_DIGITS]

    def _envelope(self, version: int) -> Envelope:
        path = self.path(version)
        try:
            envelope = read_envelope(path, "Close it (chmod 600), or rotate to a new sealing key.")
        except OSError as error:
            raise HousekeysError(f"The key file {path} cannot be read: {error.strerror}.") from error
        if envelope.side != _SIDE or envelope.version != version:
            raise DamagedKeyFileError(
                f"The file {path} holds {envelope.side} key {envelope.version}.", advice="It was renamed: name it back."
            )
        if not envelope.encrypted:
            raise DamagedKeyFileError(f"The file {path} is not under a passphrase: this program has not written it.")
        return envelope

    def _open(self, version: int, passphrase: Secret, known: SealingKeys | None) -> SealingKey:
        envelope = self._envelope(version)
        open_already = known.get(envelope.fingerprint[:_ID_DIGITS]) if known is not None else None
        if open_already is not None and open_already.mark == envelope.fingerprint:
            return open_already
        payload = envelope.open_payload(passphrase)
        key = SealingKey(bytes(payload)) if len(payload) == KEY_BYTES else None
        payload[:] = bytes(len(payload))
        if key is None or key.mark != envelope.fingerprint:
            raise DamagedKeyFileError(f"The file {self.path(version)} holds another key than its header says.")
        return key


def envelope_of(key: SealingKey, version: int, passphrase: Secret, cost: ScryptCost | None = None) -> Envelope:
    """`key` made ready for its file. Takes a key derivation: call it in a thread. Raises NotProtectedError."""
    return seal_payload(key.value, _SIDE, version, key.mark, passphrase, cost)


async def plan_sealing_key(store: SealingKeyStore, passphrase: Secret, cost: ScryptCost | None = None) -> Change:
    """Make a sealing key, or the next one: a service that takes it up seals with it and opens with all.

    Raises NotProtectedError; and WrongPassphraseError when the keys there are under another passphrase, since the
    service has one for all.
    """
    versions = await asyncio.to_thread(store.versions)
    if versions:
        await asyncio.to_thread(store.open, passphrase)
    version = max(versions, default=0) + 1
    envelope = await asyncio.to_thread(envelope_of, new_sealing_key(), version, passphrase, cost)
    title = f"Make sealing key {version}"
    path = store.path(version).absolute()
    # No undo: a service may have sealed with it since.
    step = FileStep(title, path, envelope.to_bytes(), no_undo="What was sealed with it could be opened by nobody.")
    return Change(
        title,
        (step,),
        consequences=("What is sealed with it can be opened by nobody when it is lost: keep a copy of the file.",),
    )


def plan_export(keys: SealingKeys, path: Path) -> Change:
    """Write the text of all keys to a new file, for a vault. Raises BadInputError when the file exists."""
    step = FileStep(
        f"Export the sealing keys to {one_line(str(path))}",
        unused_path(path),
        keys.to_text().reveal().encode("ascii"),
        secret=True,
        no_undo="A copy may have been made of the file: make a new sealing key if it should not have been exported.",
        events=(Event("sealing_key", keys.newest.id, "export", {"ids": list(keys.ids)}),),
    )
    return Change(
        step.title,
        (step,),
        Danger.DISRUPTIVE,
        consequences=("Whoever has this file can open every secret that is sealed: no passphrase is on it.",),
    )


async def load_sealing_keys(
    reference: SecretReference,
    store: SealingKeyStore,
    prompt: Prompt | None = None,
    known: SealingKeys | None = None,
) -> SealingKeys:
    """The keys that a service works with. `reference` gives their text, or the passphrase of those in `store`.

    What is `known` already is not opened again.
    Raises as `SecretReference.resolve`, `SealingKeys.from_text` and `SealingKeyStore.open`.
    """
    secret = await reference.resolve(prompt, label="Passphrase of the sealing keys")
    if SealingKeys.is_text(secret):
        return SealingKeys.from_text(secret)
    return await asyncio.to_thread(store.open, secret, known)
