"""What a plan is: statements in order, their inverses, and what could not be planned. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import Differences, differing_fields
from core.access.difference_fields import entity
from core.access.difference_rights import folded, same_rights
from core.access.model import EntityKind, SetDefaultRole, Statement
from core.access.model_changes import name_text

Details = Mapping[str, str | bool | tuple[str, ...]]


class Action(StrEnum):
    """What a statement does, by the word that the journal has for it."""

    CREATE = "create"
    ALTER = "alter"
    RENAME = "rename"
    MOVE = "move"
    GRANT = "grant"
    REVOKE = "revoke"
    DROP = "drop"
    DISABLE = "disable"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True)
class Planned:
    """One statement of a plan, about one entity.

    `inverse` restores what was there just before it; where that cannot be, `no_inverse` says why. `takes` says in words
    what somebody loses by it, and is empty when it only adds. `details` are facts for the journal, without secrets.
    """

    key: EntityKey
    action: Action
    statement: Statement
    inverse: tuple[Statement, ...] = ()
    no_inverse: str = ""
    takes: str = ""
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entity that stays as it is although another was desired, and why. A sentence."""

    key: EntityKey
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered statements that make `target` of `current`.

    `target` is what was desired, with what `current` has beyond that when the plan was not exact, and without what is
    in `refusals`. `differences` are between the two.
    """

    current: AccessModel
    target: AccessModel
    differences: Differences
    steps: tuple[Planned, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def touched(self) -> tuple[EntityKey, ...]:
        """The entities that the plan alters, as they are called in `current`, and those it creates."""
        return tuple(dict.fromkeys(step.key for step in self.steps))


def stale(plan: Plan, fresh: AccessModel) -> tuple[EntityKey, ...]:
    """The entities of a plan that are no longer as they were when it was made. Pure: `fresh` was read just now."""
    return tuple(key for key in plan.touched if not same(plan.current, fresh, key))


def same(first: AccessModel, second: AccessModel, key: EntityKey) -> bool:
    """Whether an entity, its rights and its roles mean the same in two models (or are in neither)."""
    before, after = entity(first, key), entity(second, key)
    if before is None or after is None:
        return before is after
    if before is not after and differing_fields(before, after, granted(first, key), granted(second, key)):
        return False
    if key.kind not in (EntityKind.USER, EntityKind.ROLE):
        return True
    if dict(granted(first, key)) != dict(granted(second, key)):
        return False
    old, new = (model.rights.get(Holder(key.kind, str(key.name)), ()) for model in (first, second))
    return old == new or same_rights(folded(old), folded(new))


def granted(model: AccessModel, key: EntityKey) -> Mapping[str, bool]:
    """The roles granted to a user or role; nothing for other kinds."""
    return model.granted_roles.get(Holder(key.kind, str(key.name)), {})


def title(key: EntityKey) -> str:
    """An entity in words: `user u`, `row policy p ON d.t`."""
    return f"{key.kind.lower()} {name_text(key.name)}"


def who(key: EntityKey) -> str:
    """An entity at the beginning of a sentence: `User u`."""
    words = title(key)
    return words[0].upper() + words[1:]


def with_cluster(steps: Iterable[Planned], cluster: str) -> Iterator[Planned]:
    """The same steps ON CLUSTER, inverses too. Every access statement but SET DEFAULT ROLE takes it."""
    for step in steps:
        statement, *inverse = (_on_cluster(each, cluster) for each in (step.statement, *step.inverse))
        yield replace(step, statement=statement, inverse=tuple(inverse))


def _on_cluster(statement: Statement, cluster: str) -> Statement:
    return statement if isinstance(statement, SetDefaultRole) else replace(statement, cluster=cluster)
