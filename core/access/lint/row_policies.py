"""Lint of row policies: which name nobody, and who is visible to none of a table's."""

from __future__ import annotations

from collections.abc import Iterator

from core.access.access_model import EntityKey, Holder
from core.access.lint.findings import Finding, Severity
from core.access.lint.scope import covers, touches
from core.access.lint.subject import SetsOfUsers, Subject, listed, named, sentence, table_text
from core.access.model import NOBODY, EntityKind, Grant, Revoke
from core.access.policies import PolicyName, RowPolicy

_READING = frozenset(("SELECT", "ALL"))
Table = tuple[str, str | None]


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the row policies of a model."""
    tables: dict[Table, list[RowPolicy]] = {}
    for policy in subject.model.row_policies.values():
        yield from _nobody(subject, policy)
        tables.setdefault((policy.name.database, policy.name.table), []).append(policy)
    if tables:
        readers = _Readers(subject)
        for table, policies in tables.items():
            everywhere = tables.get((table[0], None), []) if table[1] is not None else []
            yield from _unmatched(subject, readers, table, policies, everywhere)


def _nobody(subject: Subject, policy: RowPolicy) -> Iterator[Finding]:
    if policy.to != NOBODY:
        return
    open_mode = subject.context.users_without_row_policies_can_read_rows
    key = EntityKey(EntityKind.ROW_POLICY, policy.name)
    yield subject.finding(
        "row-policy-nobody",
        Severity.NOTE if open_mode else Severity.WARNING,
        key,
        f"{sentence(named(key))} names nobody.",
        "A row policy filters only for the users and roles behind its TO."
        + (
            " Everybody else sees all rows, as if it were not there."
            if open_mode
            else " With users_without_row_policies_can_read_rows off it hides the table from everybody else."
        ),
        advice="Give it whom it is for: ALTER ROW POLICY … TO …",
    )


class _Readers:
    """Who may read something of a table, without looking at every user for every table."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._by_database: dict[str, set[Holder]] = {}
        self._wide: set[Holder] = set()
        self.administrators: set[str] = set()
        for holder in subject.model.rights:
            self._add(holder)

    def _add(self, holder: Holder) -> None:
        for _, right in self._subject.in_force(holder):
            if right.privilege in ("ALL", "ACCESS MANAGEMENT") and right.database is None:
                self.administrators.update(self._users_of(holder))
            if right.privilege not in _READING or right.parameter is not None:
                continue
            if right.database is None or right.database_wildcard:
                self._wide.add(holder)
            else:
                self._by_database.setdefault(right.database, set()).add(holder)

    def _users_of(self, holder: Holder) -> list[str]:
        if holder.kind is EntityKind.ROLE:
            return self._subject.active_members.get(holder.name, [])
        return [holder.name] if holder.name in self._subject.model.users else []

    def of(self, table: Table) -> set[str]:
        """The users that may read something of `table` when they log in."""
        candidates = self._wide | self._by_database.get(table[0], set())
        return {
            user
            for holder in candidates
            if _may_read(self._subject.statements(holder), table)
            for user in self._users_of(holder)
        }


def _may_read(statements: tuple[Grant | Revoke, ...], table: Table) -> bool:
    reads = False
    for statement in statements:
        for right in statement.rights:
            if right.privilege not in _READING:
                continue
            if isinstance(statement, Grant):
                reads = reads or touches(right, *table)
            elif not statement.grant_option and covers(right, *table):
                reads = False
    return reads


def _unmatched(
    subject: Subject, readers: _Readers, table: Table, policies: list[RowPolicy], everywhere: list[RowPolicy]
) -> Iterator[Finding]:
    """Users that no policy shows rows to. `everywhere` are the policies on the whole database."""
    open_mode = subject.context.users_without_row_policies_can_read_rows
    # In the open mode a restrictive policy limits by itself; in the other, only a permissive one shows anything.
    shown = [policy for policy in (*policies, *everywhere) if open_mode or not policy.restrictive]
    sets = SetsOfUsers(subject, ((policy.name, policy.to) for policy in shown))
    users = readers.of(table) - (readers.administrators if open_mode else set())
    unmatched = sorted(name for name in users if not sets.holding_for(subject.model.users[name]))
    if not unmatched:
        return
    name = min(policies, key=_order).name
    where = table_text(name)
    yield subject.finding(
        "row-policy-all-rows" if open_mode else "row-policy-no-rows",
        Severity.WARNING,
        EntityKey(EntityKind.ROW_POLICY, name),
        f"No row policy on {where} holds for {listed(unmatched)}, "
        + ("who may read it and so see all its rows." if open_mode else "who may read it and yet see no rows."),
        "users_without_row_policies_can_read_rows is on, as it is by default: to whom no policy applies, the table is "
        "not filtered. Administrators are left out here: they can lift policies anyway."
        if open_mode
        else "users_without_row_policies_can_read_rows is off: a table with policies shows rows only to those whom a "
        "permissive policy names.",
        advice="Name them in a policy: one with USING 1 for those who are meant to see everything"
        + (", one with USING 0 TO ALL EXCEPT … for the rest." if open_mode else "."),
    )


def _order(policy: RowPolicy) -> tuple[str, str, str]:
    name: PolicyName = policy.name
    return name.short, name.database, name.table or ""
