"""What is lost when access goes from SQL to a configuration file, or the other way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.access.access_model import EntityKey


class Effect(StrEnum):
    """What became of an entity that could not be taken over as it is."""

    CHANGED = "written in another form"
    NARROWED = "written with less than it had"
    WIDENED = "written without something that limited it"
    LOCKED = "written, but nobody can be this user"
    LEFT_OUT = "not written"
    IGNORED = "without effect where it comes from, so nothing is written for it"


@dataclass(frozen=True, slots=True)
class Loss:
    """What of an entity is lost, why, and what became of the entity. No secret is in it."""

    entity: EntityKey
    what: str
    why: str
    effect: Effect
