"""What is to be done next with the keys, from the first version to the end of a rotation. Decides; words are elsewhere.

A rotation overlaps: the next version is made, sent to DataLens and confirmed before it is issued with, and the former
one stays good until its tokens are used or reissued. Source: "Creating a partner connector" of DataLens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.keys.versions import KeyState, KeyVersion, Side, active_partner, current_datalens, of_side


class Action(StrEnum):
    """What an operator does next."""

    GENERATE = "generate"  # make the next partner version
    SUBMIT = "submit"  # send its public half to DataLens, and say so
    ACTIVATE = "activate"  # once DataLens has confirmed it
    IMPORT_DATALENS = "import"  # the public key that DataLens sent
    REISSUE = "reissue"  # the tokens made with a version that is on its way out
    RETIRE = "retire"  # that version, when nothing depends on it any more
    REPLACE = "replace"  # a version under whose number two keys are recorded


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step. `version` is the one it is done with; None where there is none yet. `tokens` wait for a REISSUE."""

    action: Action
    side: Side
    version: int | None = None
    tokens: int = 0


def next_steps(versions: Sequence[KeyVersion], pending: Mapping[tuple[Side, int], int]) -> list[NextStep]:
    """The steps that can be done now, the most pressing first; empty when everything is in its place.

    `pending` says how many tokens that may still be used depend on a version (`core.tokens.ledger`).
    """
    return [*_conflicts(versions), *_partner(versions), *_datalens(versions), *_overlap(versions, pending)]


def _conflicts(versions: Sequence[KeyVersion]) -> list[NextStep]:
    return [
        NextStep(Action.REPLACE, version.side, version.version)
        for version in versions
        if version.conflicts and version.state is not KeyState.RETIRED
    ]


def _partner(versions: Sequence[KeyVersion]) -> list[NextStep]:
    """Towards the newest version of yours that is not issued with yet, or towards a first one."""
    mine = of_side(versions, Side.PARTNER)
    active = active_partner(versions)
    waiting = [
        version
        for version in mine
        if version.state in (KeyState.GENERATED, KeyState.SUBMITTED)
        and (active is None or version.version > active.version)
    ]
    if waiting:
        newest = waiting[-1]
        action = Action.SUBMIT if newest.state is KeyState.GENERATED else Action.ACTIVATE
        return [NextStep(action, Side.PARTNER, newest.version)]
    return [] if active is not None else [NextStep(Action.GENERATE, Side.PARTNER)]


def _datalens(versions: Sequence[KeyVersion]) -> list[NextStep]:
    return [] if current_datalens(versions) is not None else [NextStep(Action.IMPORT_DATALENS, Side.DATALENS)]


def _overlap(versions: Sequence[KeyVersion], pending: Mapping[tuple[Side, int], int]) -> list[NextStep]:
    """Versions that are no longer issued with and not retired yet."""
    current = {active_partner(versions), current_datalens(versions)}
    steps = []
    for version in versions:
        passed = version.state is KeyState.RETIRING or (
            version.side is Side.DATALENS and version.state is KeyState.ACTIVE and version not in current
        )
        if not passed:
            continue
        tokens = pending.get((version.side, version.version), 0)
        action = Action.REISSUE if tokens else Action.RETIRE
        steps.append(NextStep(action, version.side, version.version, tokens))
    return steps
