"""Plans one access model from another: every statement, in an order in which each finds what it names.

What is made comes before what names it, a limit before the right that it limits, what gives before what takes, and what
is dropped last, when nothing refers to it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference import Renamed, compare, holders
from core.access.difference_fields import DEFAULT_DATABASE, HOST, SETTINGS
from core.access.model import EntityKind
from core.access.model_changes import only, with_renamed, without_entities, without_names
from core.access.planning.defining import (
    alterations,
    creations,
    drop,
    dropping_order,
    late_parents,
    methods_steps,
    profile_names,
    renames,
)
from core.access.planning.definitions import ALL_FIELDS
from core.access.planning.granting import default_roles, grantees, rights_steps, role_grants, role_revokes
from core.access.planning.plan import Plan, Planned, with_cluster
from core.access.planning.references import references
from core.access.planning.targets import target

_LIMITS = (EntityKind.QUOTA, EntityKind.ROW_POLICY, EntityKind.MASKING_POLICY)


def plan(
    current: AccessModel,
    desired: AccessModel,
    *,
    exact: bool,
    cluster: str = "",
    renamed: Iterable[Renamed] = (),
    new_secrets: Collection[str] = (),
    storage_types: Mapping[str, str] | None = None,
) -> Plan:
    """The statements that make `desired` of `current`.

    Not `exact`, they take away nothing that `desired` does not name; exact, they drop it. `cluster` is for ON CLUSTER
    (see `cluster_clause`). `renamed` says what only has another name. `new_secrets` are the users whose passwords in
    `desired` are to be set although it cannot be told whether they are new. `storage_types` tells the types of access
    storages by name. Raises BadInputError for rights that cannot be compared and names that would not be there.
    """
    renamed = tuple(renamed)
    before = current
    for each in renamed:
        before = with_renamed(before, each.key, each.name)
    aim, refusals = target(before, desired, exact=exact, new_secrets=new_secrets, storage_types=storage_types)
    steps = (
        *(renames(each.key, each.name) for each in renamed),
        *_makings(before, aim, new_secrets),
        *_drops(before, aim),
    )
    if cluster:
        steps = tuple(with_cluster(steps, cluster))
    return Plan(current, aim, compare(current, aim, renamed), steps, refusals)


def _makings(current: AccessModel, aim: AccessModel, new_secrets: Collection[str]) -> Iterator[Planned]:
    yield from creations(current, aim, EntityKind.SETTINGS_PROFILE)
    yield from late_parents(current, aim)
    yield from alterations(current, aim, EntityKind.SETTINGS_PROFILE, (SETTINGS,))
    for kind in (EntityKind.ROLE, EntityKind.USER):
        yield from creations(current, aim, kind)
        yield from alterations(current, aim, kind, (HOST, DEFAULT_DATABASE, SETTINGS))
    yield from methods_steps(current, aim, new_secrets)
    for kind in _LIMITS:
        yield from creations(current, aim, kind)
        yield from alterations(current, aim, kind, ALL_FIELDS)
    yield from profile_names(current, aim)
    yield from _grants(current, aim)


def _drops(current: AccessModel, aim: AccessModel) -> Iterator[Planned]:
    """What is to be no more. By now only what is dropped as well refers to it; the inverse restores that too."""
    order = list(dropping_order(current, aim))
    doomed = only(current, order)
    named_by: dict[tuple[EntityKind | None, str], list[EntityKey]] = {}
    for reference in references(doomed):
        named_by.setdefault((reference.kind, reference.name), []).append(reference.source)
    gone: dict[EntityKey, None] = {}
    for key in order:
        naming = [*named_by.get((key.kind, str(key.name)), ()), *named_by.get((None, str(key.name)), ())]
        left = only(doomed, [key, *(source for source in naming if source not in gone)])
        named = {(reference.kind, reference.name) for reference in references(left)}
        left = without_names(left, [one for one in _meant(named) if one in gone])
        rest = without_entities(left, [key])
        yield drop(current, key, (step.statement for step in _makings(rest, left, ())))
        gone[key] = None


def _meant(named: Iterable[tuple[EntityKind | None, str]]) -> Iterator[EntityKey]:
    for kind, name in named:
        for each in (EntityKind.USER, EntityKind.ROLE) if kind is None else (kind,):
            yield EntityKey(each, name)


def _grants(current: AccessModel, aim: AccessModel) -> Iterator[Planned]:
    changed = [holder for holder in holders(aim) if _holds_otherwise(current, aim, holder)]
    for holder in changed:
        yield from role_grants(current, aim, holder)
    for holder in changed:
        yield from rights_steps(current, aim, holder)
    for name in sorted(aim.users):
        yield from default_roles(current, aim, name)
    for holder in changed:
        yield from role_revokes(current, aim, holder)
    for name in sorted(aim.users):
        yield from grantees(current, aim, name)


def _holds_otherwise(current: AccessModel, aim: AccessModel, holder: Holder) -> bool:
    rights = current.rights.get(holder, ()) != aim.rights.get(holder, ())
    return rights or current.granted_roles.get(holder, {}) != aim.granted_roles.get(holder, {})
