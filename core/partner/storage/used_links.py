"""Which sign-in links were used: each works once, whichever process of the service is asked."""

from __future__ import annotations

import hashlib
from datetime import datetime

from core.partner.storage.claims import Claims


class UsedLinks:
    """Notes nonces of links; `record` is the `RecordNonce` of `core.partner.security.sign_in_links`."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    async def record(self, nonce: str, until: datetime) -> bool:
        """Note a nonce durably, at least until a moment; False when it had been noted before."""
        return await self._claims.claim_once(f"link/{hashlib.sha256(nonce.encode()).hexdigest()}", until)
