"""Key versions of both sides, folded from the journal.

A version is a number and a key. Yours (`partner`) go through generated -> submitted -> active -> retiring -> retired:
tokens are issued with the one that is active, and activating the next turns it to retiring. DataLens's (`datalens`)
are active until retired; tokens are encrypted to the newest. A number is never given to another key, for the receiver
finds keys by number alone. Only an import can be withdrawn (by undo). Yours then counts as retired, and no key is ever
generated under its number; a key may be imported under it if the first was not sent to DataLens. Theirs is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from core.errors import BadInputError, NotFoundError, RefusedError
from core.keys.rsa_keys import load_public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from core.journal.journal import Journal
    from core.journal.rows import Row

HIGHEST_VERSION = 2**31 - 1


class Side(StrEnum):
    """Whose private key it is."""

    PARTNER = "partner"
    DATALENS = "datalens"

    @property
    def subject_kind(self) -> str:
        """The kind of subject in the journal."""
        return f"{self.value}_key"

    @property
    def owner(self) -> str:
        """The side in a sentence."""
        return "partner" if self is Side.PARTNER else "DataLens"


class KeyState(StrEnum):
    """Where a version stands."""

    GENERATED = "generated"  # or imported; DataLens does not know it yet
    SUBMITTED = "submitted"  # sent to DataLens, not confirmed
    ACTIVE = "active"
    RETIRING = "retiring"  # DataLens still accepts tokens made with it; none is issued
    RETIRED = "retired"


WITHDRAWN = "withdrawn"  # the state in the event that takes an import back


@dataclass(frozen=True)
class KeyVersion:
    """One key of one side. `conflicts` are fingerprints of other keys recorded under the same number."""

    side: Side
    version: int
    state: KeyState
    fingerprint: str  # SHA-256 of the SubjectPublicKeyInfo, 64 hex digits
    public_pem: str
    created: datetime
    state_since: datetime
    imported: bool
    operator: str
    conflicts: tuple[str, ...] = ()
    sent: bool = False  # it was more than generated or imported at some time
    withdrawn: bool = False  # its import was undone

    @property
    def spent(self) -> bool:
        """Whether nothing but its number is left: its import was undone before anybody else knew of the key."""
        return self.withdrawn and not self.sent

    @cached_property
    def public_key(self) -> rsa.RSAPublicKey:
        """The public half. Raises KeyFormatError if the journal holds something else."""
        return load_public(self.public_pem.encode("ascii", "replace"))

    @property
    def label(self) -> str:
        """The version in a sentence: `partner key 3`, `DataLens key 1`."""
        return f"{self.side.owner} key {self.version}"


@dataclass(frozen=True, slots=True)
class IssuingKeys:
    """The pair that tokens are made with: yours signs, DataLens's encrypts."""

    partner: KeyVersion
    datalens: KeyVersion


async def key_versions(journal: Journal) -> list[KeyVersion]:
    """Every version of both sides, partner first, each side by number."""
    rows = [row for side in Side for row in await journal.events(side.subject_kind)]
    return fold(rows)


def fold(rows: Iterable[Row]) -> list[KeyVersion]:
    """The versions that the events in `rows` (done, oldest first per side) add up to."""
    versions: dict[tuple[Side, int], KeyVersion] = {}
    for row in rows:
        side = Side.PARTNER if row.subject_kind == Side.PARTNER.subject_kind else Side.DATALENS
        if row.subject.isascii() and row.subject.isdecimal():
            _apply(versions, (side, int(row.subject)), row)
    return [versions[key] for key in sorted(versions, key=lambda key: (key[0] is Side.DATALENS, key[1]))]


def _apply(versions: dict[tuple[Side, int], KeyVersion], key: tuple[Side, int], row: Row) -> None:
    known = versions.get(key)
    mark = row.details.get("fingerprint")
    if known is not None and known.spent and "public_pem" in row.details:
        known = None
    if known is not None and mark is not None and mark != known.fingerprint:
        # Two operators used the same number at once. The first stays; the other is shown, never mixed in.
        if row.details.get("state") != WITHDRAWN:
            versions[key] = replace(known, conflicts=tuple(sorted({*known.conflicts, str(mark)})))
        return
    state = row.details.get("state")
    if state == WITHDRAWN:
        if known is not None and known.side is Side.PARTNER:
            versions[key] = replace(known, state=KeyState.RETIRED, state_since=row.at, withdrawn=True)
        else:
            versions.pop(key, None)
        return
    if known is None:
        known = _first_seen(key, row)
        if known is None:
            return
    elif state is not None and state in set(KeyState):
        sent = known.sent or state != KeyState.GENERATED
        known = replace(known, state=KeyState(state), state_since=row.at, sent=sent, withdrawn=False)
    versions[key] = known
    if known.side is Side.PARTNER and state == KeyState.ACTIVE:
        for other_key, other in versions.items():
            if other_key != key and other.side is Side.PARTNER and other.state is KeyState.ACTIVE:
                versions[other_key] = replace(other, state=KeyState.RETIRING, state_since=row.at)


def _first_seen(key: tuple[Side, int], row: Row) -> KeyVersion | None:
    mark, pem, state = (row.details.get(name) for name in ("fingerprint", "public_pem", "state"))
    if not isinstance(mark, str) or not isinstance(pem, str) or state not in set(KeyState):
        return None  # an event about a version that was never introduced: there is no key to show
    return KeyVersion(*key, KeyState(state), mark, pem, row.at, row.at, row.action == "import", row.operator)


def of_side(versions: Sequence[KeyVersion], side: Side) -> list[KeyVersion]:
    """The versions of one side."""
    return [version for version in versions if version.side is side]


def find(versions: Sequence[KeyVersion], side: Side, number: int) -> KeyVersion:
    """The version `number` of `side`. Raises NotFoundError, naming those there are."""
    mine = of_side(versions, side)
    for version in mine:
        if version.version == number:
            return version
    known = ", ".join(str(version.version) for version in mine)
    raise NotFoundError(
        f"There is no {side.owner} key {number}.",
        advice=f"Known versions: {known}." if known else f"There is no {side.owner} key at all yet.",
    )


def active_partner(versions: Sequence[KeyVersion]) -> KeyVersion | None:
    """Your version that tokens are issued with; there is at most one."""
    return next((v for v in of_side(versions, Side.PARTNER) if v.state is KeyState.ACTIVE), None)


def current_datalens(versions: Sequence[KeyVersion]) -> KeyVersion | None:
    """DataLens's version that tokens are encrypted to: the newest that is not retired."""
    usable = [v for v in of_side(versions, Side.DATALENS) if v.state is KeyState.ACTIVE]
    return usable[-1] if usable else None


def issuing_keys(versions: Sequence[KeyVersion]) -> IssuingKeys:
    """The pair to issue with. Raises RefusedError, saying which step is missing on which side."""
    partner, datalens = active_partner(versions), current_datalens(versions)
    if partner is None:
        raise RefusedError("No partner key is active, so no token can be signed.", advice=_next_step(versions))
    if datalens is None:
        raise RefusedError(
            "There is no DataLens key, so no token can be encrypted.",
            advice="Import the public key that DataLens sent: housekeys key import FILE --side datalens --version N",
        )
    for version in (partner, datalens):
        if version.conflicts:
            raise RefusedError(
                f"Two different keys are recorded as {version.label}.",
                advice="Make the next version and retire this one: nobody can know which of them DataLens has.",
            )
    return IssuingKeys(partner, datalens)


def _next_step(versions: Sequence[KeyVersion]) -> str:
    """What brings a partner version closer to active."""
    waiting = [v for v in of_side(versions, Side.PARTNER) if v.state in (KeyState.SUBMITTED, KeyState.GENERATED)]
    if not waiting:
        return "Make one: housekeys key generate"
    number = waiting[-1].version
    if waiting[-1].state is KeyState.SUBMITTED:
        return f"When DataLens has confirmed version {number}: housekeys key activate {number}"
    return f"Send its public half to DataLens (housekeys key export {number}), then: housekeys key submit {number}"


def check_version(number: int) -> int:
    """`number` if it can be a key version. Raises BadInputError."""
    if not 0 <= number <= HIGHEST_VERSION:
        raise BadInputError(
            f"{number} cannot be a key version.", advice=f"A version is a whole number from 0 to {HIGHEST_VERSION}."
        )
    return number


def public_text(version: KeyVersion) -> str:
    """The public half, ready to send: version and fingerprint, then the PEM. PEM readers skip the lines before it."""
    whose = "Partner" if version.side is Side.PARTNER else "DataLens"
    return (
        f"{whose} key version: {version.version}\nSHA-256 fingerprint: {version.fingerprint}\n"
        f"{version.public_pem.rstrip()}\n"
    )
