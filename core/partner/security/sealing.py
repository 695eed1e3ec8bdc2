"""Sealed values: secrets of a partner connection as text that can be stored anywhere, openable for that one place only.

The text is `sealed1.KEY ID.PAYLOAD`; the payload is base64url of a random nonce of 96 bits and AES-256-GCM of the
secret. Associated data are the form, the key id and the place, so that a value moved to another partner connection or
another field does not open. One key seals 2^32 values at most with random nonces (NIST SP 800-38D): more than there
will be.
"""

from __future__ import annotations

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import HousekeysError
from core.partner.security.sealing_keys import SealingKeys
from core.secrets import Secret

_FORM = "sealed1"
_TEXT = re.compile(rf"{_FORM}\.(?P<key>[0-9a-f]{{16}})\.(?P<payload>[A-Za-z0-9_-]{{38,}})", re.ASCII)
_PURPOSE = b"housekeys partner sealing 1"
_NONCE_BYTES = 12


class SealedValueError(HousekeysError):
    """A sealed value does not open: altered, moved from another place, or its key is not here."""


class SecretName(StrEnum):
    """What a sealed secret is."""

    PERSONAL_ACCESS_TOKEN = "personal_access_token"  # noqa: S105 - names of the API, no secrets
    SERVICE_PRINCIPAL_OAUTH_SECRET = "service_principal_oauth_secret"  # noqa: S105
    U2M_REFRESH_TOKEN = "u2m_refresh_token"  # noqa: S105
    U2M_AUTHORIZATION = "u2m_authorization"
    """An authorization under way: what the callback of the user's browser is checked against."""

    @property
    def short_lived(self) -> bool:
        """Whether use replaces it soon, under the newest key."""
        return self in (SecretName.U2M_REFRESH_TOKEN, SecretName.U2M_AUTHORIZATION)


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """Where a secret belongs: to one partner connection, as one of its secrets."""

    connection_id: str
    name: SecretName


class Sealer:
    """Seals with the newest key and opens with any."""

    def __init__(self, keys: SealingKeys) -> None:
        self._keys = keys
        self._ciphers = {id: AESGCM(key.derive(_PURPOSE)) for id in keys.ids if (key := keys.get(id)) is not None}

    def seal(self, secret: Secret, place: SealedPlace) -> str:
        """`secret` as text for `place`; never the same text twice."""
        key_id = self._keys.newest.id
        nonce = os.urandom(_NONCE_BYTES)
        plain = secret.reveal().encode("utf-8", "surrogatepass")
        payload = nonce + self._ciphers[key_id].encrypt(nonce, plain, _associated(key_id, place))
        return f"{_FORM}.{key_id}.{urlsafe_b64encode(payload).decode('ascii').rstrip('=')}"

    def open(self, text: str, place: SealedPlace) -> Secret:
        """The secret that was sealed for `place`. Raises SealedValueError."""
        key_id, payload = _parse(text, place)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise _does_not_open(place, f"its key {key_id} is not here", "Bring that sealing key to this machine.")
        try:
            plain = cipher.decrypt(payload[:_NONCE_BYTES], payload[_NONCE_BYTES:], _associated(key_id, place))
        except InvalidTag:
            raise _does_not_open(place, "it was altered, or sealed for another place") from None
        return Secret(plain.decode("utf-8", "surrogatepass"), passing=True)

    def outdated(self, text: str) -> bool:
        """Whether `text` is sealed with an older key than the newest one: it should be sealed anew."""
        return not text.startswith(f"{_FORM}.{self._keys.newest.id}.")

    def reseal(self, text: str, place: SealedPlace) -> str:
        """The same secret under the newest key. Raises SealedValueError."""
        return self.seal(self.open(text, place), place)


def sealed_with(text: str) -> str | None:
    """The id of the key that a sealed value names; None where it is not in the form that this program writes."""
    match = _TEXT.fullmatch(text)
    return match["key"] if match else None


def _associated(key_id: str, place: SealedPlace) -> bytes:
    # JSON parts the fields without doubt: ("ab", "c") is never ("a", "bc").
    return json.dumps([_FORM, key_id, place.connection_id, place.name]).encode("ascii")


def _parse(text: str, place: SealedPlace) -> tuple[str, bytes]:
    match = _TEXT.fullmatch(text)
    padded = f"{match['payload']}{'=' * (-len(match['payload']) % 4)}" if match else ""
    if match is None or len(match["payload"]) % 4 == 1:
        raise _does_not_open(place, "it is not in the form this program writes")
    payload = urlsafe_b64decode(padded)
    if urlsafe_b64encode(payload).decode("ascii") != padded:  # one form only: no spare bits at the end
        raise _does_not_open(place, "it is not in the form this program writes")
    return match["key"], payload


def _does_not_open(place: SealedPlace, why: str, advice: str = "Let the user connect again.") -> SealedValueError:
    return SealedValueError(
        f"The {place.name} of partner connection {place.connection_id!r} does not open: {why}.", advice=advice
    )
