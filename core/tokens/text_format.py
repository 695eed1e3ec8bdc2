"""The text of an access token: `<datalens_key_version>:<partner_key_version>:<base64 ciphertext>:<base64 signature>`.

One line, versions in canonical decimal, standard base64 with padding, 256 bytes on each side (RSA-2048). The receiver
is lax in places (it drops characters outside the base64 alphabet, it takes versions as they are written and then does
not find them); here a text is a token only in the one form that this program writes.
Source: "Creating a partner connector" of DataLens; RFC 4648, section 4 (base64).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field

from core.display import one_line
from core.errors import BadInputError
from core.keys.rsa_keys import MODULUS_BYTES
from core.keys.versions import HIGHEST_VERSION

_CANONICAL = re.compile(r"(?:0|[1-9][0-9]*)\Z", re.ASCII)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
_ENCODED_LENGTH = (MODULUS_BYTES + 2) // 3 * 4


class TokenFormatError(BadInputError):
    """A text that is not a token; the message names the part and what is wrong with it, never its content."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token in its parts. Its text is a secret: repr shows the versions only."""

    datalens_version: int
    partner_version: int
    ciphertext: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The token as it is handed to a client."""
        return ":".join(
            (
                str(self.datalens_version),
                str(self.partner_version),
                b64encode(self.ciphertext).decode("ascii"),
                b64encode(self.signature).decode("ascii"),
            )
        )

    @property
    def fingerprint(self) -> str:
        """What the ledger knows the token by; see `fingerprint_of`."""
        return fingerprint_of(self.text)


def fingerprint_of(text: str) -> str:
    """SHA-256 of the token's text: 64 lower-case hex digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def parse(text: str) -> Token:
    """The token that `text` is, exactly: nothing is trimmed. Raises TokenFormatError."""
    if text != text.strip():
        raise TokenFormatError("There are blanks or line breaks around the token.", advice="Remove them.")
    parts = text.split(":")
    if len(parts) != 4:
        many = "1 part" if len(parts) == 1 else f"{len(parts)} parts"
        raise TokenFormatError(
            f"A token has four parts with colons between them; this has {many}.",
            advice="Check that it was copied whole, on one line.",
        )
    versions = (_version(parts[0], "DataLens key version"), _version(parts[1], "partner key version"))
    return Token(*versions, _bytes(parts[2], "encrypted data"), _bytes(parts[3], "signature"))


def _version(part: str, name: str) -> int:
    if not part:
        raise TokenFormatError(f"The {name} is empty.")
    if not _CANONICAL.match(part):
        raise TokenFormatError(
            f"The {name} is written {one_line(part, 24)!r}, not as a plain whole number.",
            advice="The receiver looks a version up as it is written: no sign, no blank, no leading zero.",
        )
    # The length first: a long run of digits is not even converted.
    if len(part) > len(str(HIGHEST_VERSION)) or int(part) > HIGHEST_VERSION:
        raise TokenFormatError(f"The {name} is higher than any version can be.")
    return int(part)


def _bytes(part: str, name: str) -> bytes:
    if foreign := _NOT_BASE64.search(part):
        character, place = foreign.group(), foreign.start() + 1
        url_safe = " This is the URL-safe alphabet, which the receiver does not read." if character in "-_" else ""
        raise TokenFormatError(
            f"The {name} has {one_line(character)!r} at position {place}, which is not base64.{url_safe}",
            advice="Check that the token was copied whole, on one line.",
        )
    if len(part) != _ENCODED_LENGTH:
        raise TokenFormatError(
            f"The {name} has {len(part)} characters instead of {_ENCODED_LENGTH}.",
            advice="Check that the token was copied whole, with the = at the ends.",
        )
    try:
        content = b64decode(part, validate=True)
    except Base64Error:
        raise TokenFormatError(f"The {name} has its padding (=) in the wrong place.") from None
    if len(content) != MODULUS_BYTES:
        raise TokenFormatError(f"The {name} has {len(content)} bytes instead of {MODULUS_BYTES}.")
    if b64encode(content).decode("ascii") != part:
        raise TokenFormatError(f"The {name} ends in stray bits: it was altered.")
    return content
