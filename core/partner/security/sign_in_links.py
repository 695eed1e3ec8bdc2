"""Sign-in links: signed, short-lived tokens that lead a user from Databricks to one page, and nobody else anywhere.

A token names an account, a user and a purpose; no secret is in it. A GET may look at it as often as it likes
(Databricks and mail scanners follow links); only a POST consumes it, once. The form is `link1.KEY ID.PAYLOAD.MAC`,
HMAC-SHA256 under a key derived from the sealing keys, so that there is one set of keys to look after. Whatever is
wrong with a token, the refusal reads the same: nothing is told about accounts, keys or clocks.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from core.errors import RefusedError
from core.partner.security.sealing_keys import SealingKeys

LIFETIME = timedelta(hours=1)  # Databricks opens the link at once; the user may be called away before typing
LONGEST_LIFETIME = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=1)  # between the processes behind a balancer
LONGEST_TOKEN = 2048  # characters
PARAMETER = "link"  # the parameter of the URL; see redaction.py
_FORM = "link1"
_TOKEN = re.compile(rf"{_FORM}\.([0-9a-f]{{16}})\.([A-Za-z0-9_-]{{20,1800}})\.([A-Za-z0-9_-]{{43}})", re.ASCII)
_PURPOSE = b"housekeys partner sign-in links 1"
_ID = re.compile(r"[\x21-\x7e]{1,200}")

RecordNonce = Callable[[str, datetime], Awaitable[bool]]
"""Durably notes a nonce, to be kept until the moment given; False when it had been noted before."""


class LinkPurpose(StrEnum):
    """What a link is for. It opens nothing else."""

    SET_PASSWORD = "set_password"  # noqa: S105 - a purpose, no password
    SIGN_IN = "sign_in"


class SignInLinkRefusedError(RefusedError):
    """The link is not valid: one message for every reason."""

    def __init__(self) -> None:
        super().__init__(
            "This link is not valid, was used before, or has expired.",
            advice="Open the partner connection in Databricks again to get a new one.",
        )


@dataclass(frozen=True, slots=True)
class SignInLink:
    """What a valid token says."""

    account_id: str
    user_id: str
    purpose: LinkPurpose
    issued: datetime
    expires: datetime
    nonce: str = field(repr=False)


class LinkSigner:
    """Issues tokens with the newest key, and checks those of any key."""

    def __init__(self, keys: SealingKeys, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._newest = keys.newest.id
        self._keys = {id: key.derive(_PURPOSE) for id in keys.ids if (key := keys.get(id)) is not None}
        self._clock = clock

    def issue(
        self, account_id: str, user_id: str, purpose: LinkPurpose, lifetime: timedelta = LIFETIME
    ) -> tuple[str, SignInLink]:
        """A new token, and what it says."""
        if not (_ID.fullmatch(account_id) and _ID.fullmatch(user_id)):
            raise ValueError("an id of an account or user is 1 to 200 visible ASCII characters")
        if not timedelta() < lifetime <= LONGEST_LIFETIME:
            raise ValueError(f"a sign-in link lives at most {LONGEST_LIFETIME}")
        issued = self._clock().replace(microsecond=0)
        link = SignInLink(account_id, user_id, purpose, issued, issued + lifetime, secrets.token_urlsafe(16))
        signed = f"{_FORM}.{self._newest}.{_encode(_payload(link))}"
        return f"{signed}.{_encode(self._mac(self._newest, signed))}", link

    def look(self, token: str, purpose: LinkPurpose, account_id: str | None = None) -> SignInLink:
        """What `token` says, without using it up: for a GET. With `account_id` it must be of that account.

        Whether it was used before is not known here. Raises SignInLinkRefusedError.
        """
        link = self._verified(token)
        now = self._clock()
        if (
            link is None
            or link.purpose is not purpose
            or (account_id is not None and link.account_id != account_id)
            or not link.issued - CLOCK_SKEW <= now < link.expires + CLOCK_SKEW
        ):
            raise SignInLinkRefusedError
        return link

    async def consume(
        self, token: str, purpose: LinkPurpose, record: RecordNonce, account_id: str | None = None
    ) -> SignInLink:
        """What `token` says, once: for a POST. `record` notes its nonce before anything is done in its name.

        Raises SignInLinkRefusedError.
        """
        link = self.look(token, purpose, account_id)
        if not await record(link.nonce, link.expires + CLOCK_SKEW):
            raise SignInLinkRefusedError
        return link

    def _verified(self, token: str) -> SignInLink | None:
        match = _matched(token)
        if match is None or match[1] not in self._keys:
            return None
        signed, given = token.rpartition(".")[0], match[3]
        if not hmac.compare_digest(_encode(self._mac(match[1], signed)), given):
            return None
        return _link(match[2])

    def _mac(self, key_id: str, signed: str) -> bytes:
        return hmac.digest(self._keys[key_id], signed.encode("ascii"), "sha256")


def signed_with(token: str) -> str | None:
    """The id of the key that a token names, whoever has signed it; None where it is no token."""
    match = _matched(token)
    return match[1] if match else None


def _matched(token: str) -> re.Match[str] | None:
    return _TOKEN.fullmatch(token) if len(token) <= LONGEST_TOKEN else None


def _payload(link: SignInLink) -> bytes:
    fields = [
        link.account_id,
        link.user_id,
        link.purpose.value,
        int(link.issued.timestamp()),
        int(link.expires.timestamp()),
        link.nonce,
    ]
    return json.dumps(fields, separators=(",", ":")).encode("ascii")


def _link(payload: str) -> SignInLink | None:
    """What a payload says whose signature is good. None for one that a later version of this program has signed."""
    try:
        fields: list[Any] = json.loads(urlsafe_b64decode(f"{payload}{'=' * (-len(payload) % 4)}"))
        account_id, user_id, purpose, issued, expires, nonce = fields
        begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in (issued, expires))
        return SignInLink(account_id, user_id, LinkPurpose(purpose), begin, end, nonce)
    except (ValueError, TypeError, OverflowError):
        return None


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")
