"""The values of lint: a finding, its fix, and what has to be known beside the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from core.access.access_model import AccessModel, EntityKey, Origin


class Severity(StrEnum):
    """How much a finding matters: it opens something or does not work, it is risky, or it is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the model that removes a finding. `title` says what it does, and what it takes away.

    `apply` takes any model: it leaves one alone that has not (or no longer) what is to be changed.
    """

    title: str
    apply: Callable[[AccessModel], AccessModel]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint found. `id` is stable, for scripts and for ignoring; together with `entity` and `title` it is
    unique. A finding without a `fix` has advice: more than one change would do, or it takes what only a person knows.
    """

    id: str
    severity: Severity
    entity: EntityKey
    title: str
    explanation: str
    advice: str = ""
    fix: Fix | None = field(default=None, compare=False)
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LintContext:
    """What is not in the model.

    A moment without a zone is meant in the zone of `now`. `version` is that of the server (`(26, 9)`), empty when not
    known. `tenants` are the databases given to clients. `known_privileges` has every spelling that the server knows,
    and `privilege_groups` the group that holds each privilege (`system.privileges`); what is empty is not checked.
    `console_emails` are the members of a ClickHouse Cloud organization, None when not known.
    """

    now: datetime
    version: tuple[int, ...] = ()
    tenants: frozenset[str] = frozenset()
    users_without_row_policies_can_read_rows: bool = True
    datalens_user: str = ""
    known_privileges: frozenset[str] = frozenset()
    privilege_groups: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    console_emails: frozenset[str] | None = None
    for_users_xml: bool = False  # whether names that users.xml cannot hold are worth a note
    expiring_days: int = 14
    many_users: int = 5  # from so many on, a right to pass rights on is widespread
