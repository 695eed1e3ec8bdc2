"""What handling requests needs of what is kept and of what reaches workspaces: less than they can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.partner.accounts.state import Known, PartnerConnection
from core.partner.messages.responses import TestResult


class FollowsFacts(Protocol):
    """Knows what the journal says of partner accounts; `core.partner.storage.known_state` has it."""

    @property
    def known(self) -> Known:
        """What is known since it was last read."""
        ...

    async def fresh(self, seconds: float) -> None:
        """Read what was recorded since, if the last read is longer ago than that. Raises what the engine raises."""
        ...

    async def catch_up(self) -> bool:
        """Read what was recorded since, by whichever process; whether there was anything."""
        ...


class TestsConnections(Protocol):
    """Tests whether a partner connection works; `core.partner.workspaces` has it."""

    async def test(self, connection: PartnerConnection) -> Sequence[TestResult]:
        """The outcome of each test. What fails is a result and is not raised."""
        ...


class ForgetsTokens(Protocol):
    """Holds access tokens in memory, as `M2mTokens` and `U2mTokens` do."""

    async def forget(self, connection_id: str) -> None:
        """Forget those of a partner connection."""
        ...
