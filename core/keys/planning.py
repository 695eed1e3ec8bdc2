"""Changes of keys. Every function here only plans: it raises BadInputError, NotFoundError or RefusedError, or returns a
Change whose steps write the key file and record the facts. Private halves go nowhere but into envelopes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.changes import Change, Danger, Event, FileStep, JsonValue, PermissionsStep, RecordStep
from core.display import one_line
from core.errors import BadInputError, NotFoundError, RefusedError
from core.files import PRIVATE_FILE, PRIVATE_FOLDER
from core.keys import rsa_keys
from core.keys.envelope import Envelope, leave_open, seal
from core.keys.key_store import KeyStore
from core.keys.rsa_keys import WrongPassphraseError
from core.keys.versions import (
    WITHDRAWN,
    KeyState,
    KeyVersion,
    Side,
    active_partner,
    check_version,
    find,
    of_side,
    public_text,
)
from core.secrets import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from core.keys.key_ring import UnlockedKey

SHORTEST_EXPORT_PASSPHRASE = 12  # characters
_NEVER_AGAIN = "A version number is never used again: retire the key instead."


@dataclass(frozen=True, slots=True)
class AtRest:
    """How a private key will lie on disk: under `passphrase`, or in the open, which takes insisting."""

    passphrase: Secret | None
    insist_unprotected: bool = False

    def envelope(self, key: rsa.RSAPrivateKey, version: int) -> Envelope:
        """`key` made ready for its file. Slow (key derivation). Raises NotProtectedError."""
        if self.passphrase is None:
            return leave_open(key, Side.PARTNER, version, insist=self.insist_unprotected)
        return seal(key, Side.PARTNER, version, self.passphrase)

    def opens(self, envelope: Envelope) -> bool:
        """Whether `envelope` is under this passphrase. Slow (key derivation)."""
        if self.passphrase is None:
            return not envelope.encrypted
        try:
            envelope.open(self.passphrase)
        except WrongPassphraseError:
            return False
        return envelope.encrypted


def next_version(store: KeyStore, versions: Sequence[KeyVersion]) -> int:
    """The number of the next partner key: one above every number known here or in the journal."""
    return max([0, *store.versions(), *(v.version for v in of_side(versions, Side.PARTNER))]) + 1


async def plan_generate(
    store: KeyStore, versions: Sequence[KeyVersion], at_rest: AtRest, *, number: int | None = None
) -> Change:
    """Make the next version of your key, or the one with `number`, which must be higher than every one before."""
    lowest = next_version(store, versions)
    if number is None:
        number = lowest
    elif check_version(number) < lowest:
        raise RefusedError(
            f"Version {number} cannot be generated: numbers only grow, and are never used again.",
            advice=f"The next free number is {lowest}.",
        )

    def make() -> tuple[rsa.RSAPrivateKey, Envelope]:
        key = rsa_keys.generate()
        return key, at_rest.envelope(key, number)

    key, envelope = await asyncio.to_thread(make)
    event = _introduced(Side.PARTNER, number, "generate", key.public_key(), KeyState.GENERATED, envelope.encrypted)
    step = _write(store, envelope, f"Generate partner key {number}", (event,))
    return Change(f"Generate partner key {number}", (step,), consequences=_exposed(envelope))


async def plan_import_partner(
    store: KeyStore,
    versions: Sequence[KeyVersion],
    number: int,
    pem: bytes,
    pem_passphrase: Secret | None,
    at_rest: AtRest,
) -> Change:
    """Take over a private key made elsewhere, or bring one that the journal knows to this machine.

    Raises KeyFormatError, PassphraseMissingError, WrongPassphraseError as well.
    """
    check_version(number)
    key = await asyncio.to_thread(rsa_keys.load_private, pem, pem_passphrase)
    public = key.public_key()
    known = _check_number(versions, Side.PARTNER, number, rsa_keys.fingerprint(public))
    if store.has(number):
        raise RefusedError(f"The private half of partner key {number} is on this machine already.")
    envelope = await asyncio.to_thread(at_rest.envelope, key, number)
    title = f"Import partner key {number}"
    if known is not None and not known.withdrawn:
        title += " to this machine"
        event = _noted(known, "place", {"protected": envelope.encrypted})
        undo = None
    else:
        event = _introduced(Side.PARTNER, number, "import", public, KeyState.GENERATED, envelope.encrypted)
        taken_back = _withdrawn(Side.PARTNER, number, rsa_keys.fingerprint(public))
        undo = FileStep(f"Remove partner key {number}", store.path(number), None, events=(taken_back,))
    return Change(title, (_write(store, envelope, title, (event,), undo),), consequences=_exposed(envelope))


def plan_import_datalens(versions: Sequence[KeyVersion], number: int, pem: bytes) -> Change:
    """Record the public key that DataLens sent under its number. Raises KeyFormatError as well."""
    check_version(number)
    key = rsa_keys.load_public(pem)
    mark = rsa_keys.fingerprint(key)
    if _check_number(versions, Side.DATALENS, number, mark) is not None:
        raise RefusedError(f"DataLens key {number} is imported already.", advice=f"Its fingerprint is {mark}.")
    title = f"Import DataLens key {number}"
    event = _introduced(Side.DATALENS, number, "import", key, KeyState.ACTIVE)
    undo = RecordStep(f"Withdraw DataLens key {number}", (_withdrawn(Side.DATALENS, number, mark),))
    consequences = [f"Compare the fingerprint with DataLens over another channel: {mark}"]
    older = [v for v in of_side(versions, Side.DATALENS) if v.state is KeyState.ACTIVE]
    if older and max(v.version for v in older) > number:
        consequences.append(f"Tokens are still encrypted to version {older[-1].version}, which is newer.")
    elif older:
        consequences.append("New tokens are encrypted to it from now on. Tokens not used yet may have to be reissued.")
    return Change(title, (RecordStep(title, (event,), undo=undo),), consequences=tuple(consequences))


def plan_submit(versions: Sequence[KeyVersion], number: int) -> Change:
    """Record that the public half was sent to DataLens."""
    version = find(versions, Side.PARTNER, number)
    _require(version, {KeyState.GENERATED}, "submitted")
    return _state_change(
        f"Mark partner key {number} as submitted to DataLens",
        version,
        "submit",
        KeyState.SUBMITTED,
        consequences=("This only records it: DataLens must have been sent the public half and its version.",),
    )


def plan_activate(versions: Sequence[KeyVersion], number: int) -> Change:
    """Issue with this version from now on; the one active until now retires step by step."""
    version = find(versions, Side.PARTNER, number)
    if version.state is KeyState.GENERATED:
        raise RefusedError(
            f"Partner key {number} was not submitted: DataLens would not know the tokens made with it.",
            advice=f"Send its public half (housekeys key export {number}), then: housekeys key submit {number}",
        )
    _require(version, {KeyState.SUBMITTED, KeyState.RETIRING}, "active")
    title = f"Issue with partner key {number}"
    events, undo = [_stated(version, "activate", KeyState.ACTIVE)], [_stated(version, "undo activate", version.state)]
    consequences = [f"DataLens must have confirmed version {number}, or every token issued from now on is refused."]
    old = active_partner(versions)
    if old is not None:
        events.append(_stated(old, "supersede", KeyState.RETIRING))
        undo.append(_stated(old, "undo supersede", KeyState.ACTIVE))
        consequences.append(f"Version {old.version} is no longer issued with; tokens made with it stay good.")
    step = RecordStep(title, tuple(events), undo=RecordStep(f"Undo: {title}", tuple(undo)))
    return Change(title, (step,), consequences=tuple(consequences))


def plan_retire(versions: Sequence[KeyVersion], side: Side, number: int, unused_tokens: int = 0) -> Change:
    """Stop using a version for good. `unused_tokens` were made with it and not used yet (see core.tokens.ledger)."""
    version = find(versions, side, number)
    _require(version, set(KeyState) - {KeyState.RETIRED}, "retired")
    consequences = ["Connections that were made with its tokens go on working; they hold no token any more."]
    if unused_tokens:
        many = "1 token" if unused_tokens == 1 else f"{unused_tokens:,} tokens"
        consequences.append(f"{many} made with it not known to be used: reissue before DataLens drops the key.")
    if version.state is KeyState.ACTIVE and side is Side.PARTNER:
        consequences.append("It is the active version: nothing can be issued until another is activated.")
    if side is Side.PARTNER:
        consequences.append(f"Ask DataLens to remove version {number} on its side; only that makes its tokens useless.")
    elif not [v for v in of_side(versions, side) if v.state is KeyState.ACTIVE and v.version != number]:
        consequences.append("It is the only DataLens key: nothing can be issued until another is imported.")
    title = f"Retire {version.label}"
    return _state_change(title, version, "retire", KeyState.RETIRED, Danger.DISRUPTIVE, tuple(consequences))


async def plan_change_passphrase(
    store: KeyStore, versions: Sequence[KeyVersion], old: Secret | None, at_rest: AtRest
) -> Change:
    """Put every private key on this machine under another passphrase.

    Keys that are under the new one already are left alone: a change that broke off can simply be made again.
    Raises WrongPassphraseError, naming the version that neither opens; NotFoundError when there is no key;
    RefusedError when there is nothing to change.
    """
    numbers = store.versions()
    if not numbers:
        raise NotFoundError("There is no private key on this machine.", advice="Make one: housekeys key generate")
    known = {version.version: version for version in of_side(versions, Side.PARTNER)}

    def renew(number: int) -> tuple[Envelope, FileStep] | None:
        kept = store.read(number)
        try:
            key = kept.open(old)
        except WrongPassphraseError as error:
            if at_rest.opens(kept):
                return None
            raise WrongPassphraseError(f"Partner key {number}: {error.message}", advice=error.advice) from None
        envelope = at_rest.envelope(key, number)
        mark = rsa_keys.fingerprint(key.public_key())
        details: dict[str, JsonValue] = {"fingerprint": mark, "protected": envelope.encrypted}
        events = (Event(Side.PARTNER.subject_kind, str(number), "change passphrase", details),)
        step = _write(store, envelope, f"Protect partner key {number} anew", events if number in known else ())
        return envelope, step

    renewed = [found for number in numbers if (found := await asyncio.to_thread(renew, number)) is not None]
    if not renewed:
        raise RefusedError("Every private key on this machine is under this passphrase already.")
    return Change(
        "Change the passphrase of the partner keys" if at_rest.passphrase else "Remove the passphrase of partner keys",
        tuple(step for _, step in renewed),
        Danger.DISRUPTIVE,
        consequences=(
            "Copies of the key files made earlier still open with the old passphrase.",
            *_exposed(renewed[0][0]),
        ),
    )


def plan_export_public(version: KeyVersion, path: Path) -> Change:
    """Write the public half to a new file, ready to send. Raises BadInputError when the file exists."""
    path = unused_path(path)
    title = f"Export the public half of {version.label}"
    step = FileStep(
        title,
        path,
        public_text(version).encode("ascii"),
        undo=FileStep(f"Remove {one_line(str(path))}", path, None),
        events=(_noted(version, "export", {}),),
    )
    return Change(title, (step,))


async def plan_export_private(key: UnlockedKey, path: Path, passphrase: Secret) -> Change:
    """Write your private key to a file that other programs read: PKCS#8 PEM, encrypted.

    Raises BadInputError when the file exists or the passphrase is short.
    """
    if len(passphrase.reveal()) < SHORTEST_EXPORT_PASSPHRASE:
        raise BadInputError(
            f"The passphrase of an export must have at least {SHORTEST_EXPORT_PASSPHRASE} characters.",
            advice="The file may lie about for years; a short one is guessed sooner or later.",
        )
    path = await asyncio.to_thread(unused_path, path)
    content = await asyncio.to_thread(rsa_keys.encrypted_pem, key.private, passphrase)
    details: dict[str, JsonValue] = {"fingerprint": key.fingerprint}
    event = Event(Side.PARTNER.subject_kind, str(key.version), "export private", details)
    step = FileStep(
        f"Export the private half of partner key {key.version}",
        path,
        content,
        secret=True,
        no_undo="A copy may have been made of the file: rotate to a new key if it should not have been exported.",
        events=(event,),
    )
    return Change(
        step.title,
        (step,),
        Danger.DESTRUCTIVE,
        consequences=(
            "Whoever has this file and its passphrase can issue tokens for every tenant.",
            "The file is protected by its passphrase alone: keep the two apart.",
        ),
        confirm_name=f"partner-{key.version}",
    )


def unused_path(path: Path) -> Path:
    """`path` made absolute, if nothing is there and its folder is. Raises BadInputError."""
    if path.exists() or path.is_symlink():
        raise BadInputError(f"{one_line(str(path))} exists already.", advice="Choose another name or remove it.")
    path = path.absolute()
    if not path.parent.is_dir():  # a mistyped folder must not be made: the file would be looked for elsewhere
        raise BadInputError(f"There is no folder {one_line(str(path.parent))}.", advice="Make it, or choose another.")
    return path


def _check_number(versions: Sequence[KeyVersion], side: Side, number: int, mark: str) -> KeyVersion | None:
    """The version if this very key is known under this number. Raises RefusedError if number or key are taken."""
    versions = [version for version in versions if not version.spent]
    for version in versions:
        same_number = version.side is side and version.version == number
        if version.fingerprint == mark and not same_number:
            raise RefusedError(
                f"This is {version.label}; it cannot be {side.owner} key {number} as well.",
                advice="Check which file belongs to which side and version.",
            )
        if same_number and version.fingerprint != mark:
            raise RefusedError(
                f"{version.label[:1].upper()}{version.label[1:]} is another key (fingerprint {version.fingerprint}).",
                advice="A version number is never given to a second key.",
            )
    return next((v for v in of_side(versions, side) if v.version == number), None)


def _require(version: KeyVersion, allowed: Collection[KeyState], wanted: str) -> None:
    if version.state not in allowed:
        already = " already" if version.state.value == wanted else ""
        label = f"{version.label[:1].upper()}{version.label[1:]}"
        raise RefusedError(
            f"{label} is {version.state}{already}.",
            advice="" if already else f"It cannot become {wanted} from there.",
        )


def plan_repair(store: KeyStore) -> Change:
    """Close to others what only the owner may touch: a Change without steps when nothing is open."""
    steps = tuple(
        PermissionsStep(
            f"Close {one_line(str(problem.path))} to others",
            problem.path,
            PRIVATE_FOLDER if problem.path == store.folder else PRIVATE_FILE,
            no_undo="Nobody wants it open again.",
            events=(Event("key_store", one_line(str(problem.path)), "close", {"was": problem.what}),),
        )
        for problem in store.problems()
        if problem.repairable
    )
    return Change("Close the key folder and its files to others" if steps else "There is nothing to repair", steps)


def _write(
    store: KeyStore, envelope: Envelope, title: str, events: tuple[Event, ...], undo: FileStep | None = None
) -> FileStep:
    number = envelope.version
    return FileStep(
        title,
        store.path(number).absolute(),
        envelope.to_bytes(),
        secret=not envelope.encrypted,
        replace_existing=store.has(number),
        undo=undo,
        no_undo="" if undo is not None else _NEVER_AGAIN if not store.has(number) else "Change it again instead.",
        events=events,
    )


def _introduced(
    side: Side, number: int, action: str, key: rsa.RSAPublicKey, state: KeyState, protected: bool | None = None
) -> Event:
    details: dict[str, JsonValue] = {
        "state": state.value,
        "fingerprint": rsa_keys.fingerprint(key),
        "public_pem": rsa_keys.public_pem(key),
    }
    if protected is not None:
        details["protected"] = protected
    return Event(side.subject_kind, str(number), action, details)


def _withdrawn(side: Side, number: int, mark: str) -> Event:
    return Event(side.subject_kind, str(number), "withdraw", {"state": WITHDRAWN, "fingerprint": mark})


def _stated(version: KeyVersion, action: str, state: KeyState) -> Event:
    return _noted(version, action, {"state": state.value})


def _noted(version: KeyVersion, action: str, details: Mapping[str, JsonValue]) -> Event:
    return Event(
        version.side.subject_kind, str(version.version), action, {**details, "fingerprint": version.fingerprint}
    )


def _state_change(
    title: str,
    version: KeyVersion,
    action: str,
    state: KeyState,
    danger: Danger = Danger.ROUTINE,
    consequences: tuple[str, ...] = (),
) -> Change:
    undo = RecordStep(f"Undo: {title}", (_stated(version, f"undo {action}", version.state),))
    step = RecordStep(title, (_stated(version, action, state),), undo=undo)
    return Change(title, (step,), danger, consequences=consequences)


def _exposed(envelope: Envelope) -> tuple[str, ...]:
    if envelope.encrypted:
        return ()
    return ("The key file has no passphrase: whoever reads it can issue tokens for every tenant.",)
