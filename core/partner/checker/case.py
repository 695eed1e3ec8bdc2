"""One case: what is shown by it, what it needs, and its steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.partner.checker.advice import advice_for
from core.partner.checker.conversation import Conversation
from core.partner.checker.subject import CREDENTIALS, Need, Subject

_BASES: Final = {
    "P": "OnboardingTestCases.md, the test case of this number",
    "E": "the certification suite, PartnerConnectErrorTest",
    "R": "the certification suite, PartnerResourcesTests",
    "D": "the certification suite, PermissionTests",
    "H1": "ApiSpecifications.md: the fields of requests, and the failure responses 400 and 500",
    "H2": "ApiSpecifications.md: Headers, and the failure response 401 unauthorized",
    "H3": "ApiSpecifications.md: the data model, ids that are longs, and the failure response 404",
    "H4": "ApiSpecifications.md: delete-connection and test-connection",
    "H5": "ApiSpecifications.md: delete-account and expire-account",
    "H6": "ApiSpecifications.md: redirect_uri of connect, which is opened to be validated",
    "H7": "OnboardingDoc.md: what authentication options should be configured and used",
    "H8": "ApiSpecifications.md: Headers, optional fields, and fields that are not known",
    "H9": "ApiSpecifications.md: Get Connectors List API",
}
"""By what a case goes, in Databricks' documents, by the beginning of its id."""

Steps = Callable[[Conversation], Awaitable[None]]


class Origin(StrEnum):
    """Where a case comes from."""

    SUITE = "suite"  # of Databricks' certification suite
    REMOVED = "removed"  # from the suite in 2024, and still in its documentation
    MANUAL = "manual"  # documented, and done by hand in a real workspace
    HOUSEKEYS = "housekeys"  # what the suite never tested


@dataclass(frozen=True, slots=True)
class Case:
    """A case. Without steps, or where they cannot be gone, `by_hand` says what a person does instead."""

    id: str
    title: str
    origin: Origin
    steps: Steps | None
    needs: tuple[Need, ...] = ()
    by_hand: str = ""
    anonymous: bool = False  # needs no credentials

    @property
    def basis(self) -> str:
        """Where it is documented what the case expects."""
        return _BASES.get(self.id[:2]) or _BASES[self.id[0]]

    @property
    def advice(self) -> str:
        """What a partner does so that it passes."""
        return advice_for(self.id)

    @property
    def all_needs(self) -> tuple[Need, ...]:
        """What the steps need, the credentials first."""
        credentials = () if self.anonymous or self.steps is None else (CREDENTIALS,)
        return (*credentials, *self.needs)

    def why_not(self, subject: Subject) -> str:
        """Why the steps cannot be gone with a subject; empty when they can."""
        return next((reason for need in self.all_needs if (reason := need.why_not(subject))), "")

    def is_named(self, name: str) -> bool:
        """Whether a name means this case: its id or the beginning of it, in any case."""
        return bool(name) and self.id.lower().startswith(name.lower())
