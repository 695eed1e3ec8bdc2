"""Row policies as filters under the users of a configuration.

A configuration has one filter for each user and table, which lets rows through. What is more than that is not
written; the users whom it would have limited are locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from core.access.access_model import AccessModel, EntityKey
from core.access.model import EntityKind, NameSet, User
from core.access.policies import PolicyName, RowPolicy
from core.access.tokenizer import AccessSyntaxError
from core.access.xml.coverage import Coverage, Targets
from core.access.xml.elements import fits
from core.access.xml.losses import Effect, Loss
from core.access.xml.names import is_entity_name
from core.access.xml.policies import NOTHING_PASSES, as_expression

Table = tuple[str, str]


@dataclass(slots=True)
class WrittenPolicies:
    """The filters of each user by database and table, why users are to be locked, and what is lost."""

    filters: dict[str, dict[Table, str]] = field(default_factory=dict)
    users: dict[PolicyName, set[str]] = field(default_factory=dict)  # whose filter comes from a policy
    locks: dict[str, str] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)


def write_policies(
    model: AccessModel, coverage: Coverage, users: Iterable[User], *, others_read_rows: bool
) -> WrittenPolicies:
    """The row policies of a model for the users that are written."""
    written = WrittenPolicies()
    users = list(users)
    targets = Targets(coverage, ((policy, policy.to) for policy in model.row_policies.values()))
    for user in users:
        _filter_user(user, [policy for policy, _ in targets.of(user)], written)
    for name, policy in sorted(model.row_policies.items(), key=lambda item: (item[0].database, item[0].table or "")):
        if (loss := _loss(name, policy, written)) is not None:
            written.losses.append(loss)
    if not others_read_rows:
        _shut_out_others(model, users, written)
    return written


def filter_lines(filters: dict[Table, str]) -> list[str]:
    """The `<databases>` of a user."""
    databases: dict[str, list[str]] = {}
    for (database, table), condition in sorted(filters.items()):
        inner = f"<filter>{escape(condition)}</filter>"
        databases.setdefault(database, []).append(f"        {_named('table', table, inner)}")
    lines = []
    for database, tables in databases.items():
        opening, closing = _tags("database", database)
        lines += [f"    {opening}", *tables, f"    {closing}"]
    return ["<databases>", *lines, "</databases>"] if lines else []


def _filter_user(user: User, policies: Iterable[RowPolicy], written: WrittenPolicies) -> None:
    reached: dict[Table, list[RowPolicy]] = {}
    for policy in policies:
        if policy.condition is None:
            continue
        if _problem(policy.name, policy):
            written.locks[user.name] = "a row policy that is not written would limit it"
        else:
            reached.setdefault((policy.name.database, policy.name.table or ""), []).append(policy)
    for table, found in reached.items():
        if len(found) > 1:
            written.locks[user.name] = "it has several row policies on one table"
        else:
            written.filters.setdefault(user.name, {})[table] = str(found[0].condition)
            written.users.setdefault(found[0].name, set()).add(user.name)


def _problem(name: PolicyName, policy: RowPolicy) -> str:
    """Why a policy cannot be a filter, in words, or the empty string."""
    if policy.restrictive:
        return "XML has permissive row policies only"
    if name.table is None:
        return "XML has no row policy for a whole database"
    if not _table_fits(name):
        return "the name of the table cannot stand in XML"
    try:
        as_expression(policy.condition or "")
    except AccessSyntaxError:
        return "its condition is no expression"
    return "" if fits(policy.condition or "") else "its condition cannot stand in XML"


def _table_fits(name: PolicyName) -> bool:
    return fits(name.database) and name.table is not None and fits(name.table)


def _loss(name: PolicyName, policy: RowPolicy, written: WrittenPolicies) -> Loss | None:
    key = EntityKey(EntityKind.ROW_POLICY, name)
    if policy.condition is None:
        return Loss(key, "the row policy", "it has no condition, so it filters nothing", Effect.IGNORED)
    if problem := _problem(name, policy):
        return Loss(key, "the row policy", f"{problem}; the users that it limits are locked", Effect.LEFT_OUT)
    holders = written.users.get(name, set())
    if policy.to == NameSet((name.short,)) and holders == {name.short}:
        return None
    if not holders:
        return Loss(key, "the row policy", "it is for no user that is written with a filter", Effect.LEFT_OUT)
    why = "XML has a filter for each user, named after the user, and none for roles or for users to come"
    return Loss(key, "its name and TO", why, Effect.CHANGED)


def _shut_out_others(model: AccessModel, users: list[User], written: WrittenPolicies) -> None:
    """For a server where a user without a row policy reads nothing: XML would let all others read everything."""
    for name in model.row_policies:
        for user in users:
            if _table_fits(name):
                filters = written.filters.setdefault(user.name, {})
                filters.setdefault((name.database, name.table or ""), NOTHING_PASSES)
            else:
                written.locks.setdefault(user.name, "a row policy that is not written would shut it out")


def _named(word: str, name: str, inner: str) -> str:
    opening, closing = _tags(word, name)
    return f"{opening}{inner}{closing}"


def _tags(word: str, name: str) -> tuple[str, str]:
    if is_entity_name(name):
        return f"<{name}>", f"</{name}>"
    return f"<{word} name={quoteattr(name)}>", f"</{word}>"
