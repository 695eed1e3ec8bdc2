"""What a tenant is: a database that the DataLens user may read, and what the journal knows about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.changes import Event
from core.tenants.requests import TEXT_FIELDS

SUBJECT_KIND = "tenant"

# Actions of the journal's events. The newest of LIFECYCLE says what the tenant should be; what it is, ClickHouse says.
CREATE = "create"
ADOPT = "adopt"
SUSPEND = "suspend"
RESUME = "resume"
REMOVE = "remove"
DESCRIBE = "describe"
LIFECYCLE = (CREATE, ADOPT, SUSPEND, RESUME, REMOVE)
BEGINNINGS = (CREATE, ADOPT)
# The newest of these holds owner, contact, ticket and note, all four of them.
DESCRIBING = (CREATE, ADOPT, DESCRIBE)


class TenantState(StrEnum):
    """How a tenant stands, in the word that is shown."""

    ACTIVE = "active"  # the DataLens user may read the database
    SUSPENDED = "suspended"  # taken from it by Housekeys
    NOT_READABLE = "not readable"  # a tenant that the DataLens user may not read, for another reason
    MISSING = "missing"  # a tenant without its database
    UNKNOWN = "unknown"  # the grants of the DataLens user cannot be seen
    UNMANAGED = "unmanaged"  # no tenant: a database that can be adopted


@dataclass(frozen=True, slots=True)
class Tenant:
    """One row of the list. None stands for what is not known."""

    name: str
    state: TenantState
    tables: int | None = None
    rows: int | None = None
    bytes: int | None = None  # compressed, on the disks of the connected host
    last_read: datetime | None = None  # by the DataLens user, within the days that `LAST_READ_DAYS` says
    tokens: int = 0  # ever issued
    owner: str = ""
    contact: str = ""
    ticket: str = ""
    note: str = ""
    created: datetime | None = None  # or adopted; None when Housekeys did neither
    engine: str = ""  # of the database: Atomic, Replicated …
    remark: str = ""  # a sentence, when the journal and ClickHouse do not agree
    since: datetime | None = None  # of the state; None when it did not come about through Housekeys

    def texts(self) -> dict[str, str]:
        """Owner, contact, ticket and note."""
        return {field: getattr(self, field) for field in TEXT_FIELDS}


def texts_of(details: Mapping[str, object]) -> dict[str, str]:
    """Owner, contact, ticket and note from the details of an event; what is absent is empty."""
    return {field: value if isinstance(value := details.get(field), str) else "" for field in TEXT_FIELDS}


def event(name: str, action: str, **details: str | bool | int | None) -> Event:
    """A fact about the tenant `name`."""
    return Event(SUBJECT_KIND, name, action, details)
