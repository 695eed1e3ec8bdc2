"""What an operator is asked before a change runs: one rule for the console and for the one-shot commands.

A production profile asks one step more than others: a routine change is confirmed there too, and a disruptive one by
typing the name of the profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.changes import Change, Danger
from core.profiles import Profile


class Ask(Enum):
    """How much is asked."""

    NOTHING = "nothing"
    YES = "yes"
    TYPE_NAME = "type the name"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked; `name` is what must be typed for `Ask.TYPE_NAME`, else empty."""

    ask: Ask
    name: str = ""


def confirmation_for(change: Change, profile: Profile) -> Confirmation:
    """The confirmation that `change` needs on `profile`."""
    if change.danger is Danger.DESTRUCTIVE:
        return Confirmation(Ask.TYPE_NAME, change.confirm_name or profile.name)
    if change.danger is Danger.DISRUPTIVE:
        return Confirmation(Ask.TYPE_NAME, profile.name) if profile.production else Confirmation(Ask.YES)
    return Confirmation(Ask.YES) if profile.production else Confirmation(Ask.NOTHING)


def confirmation_on_this_machine(change: Change) -> Confirmation:
    """The confirmation that a change of files needs that concerns no ClickHouse, and can be taken back."""
    return Confirmation(Ask.NOTHING) if change.danger is Danger.ROUTINE else Confirmation(Ask.YES)
