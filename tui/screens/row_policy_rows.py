"""What the row policies screen shows of a policy: its row in the table, and who sees which rows by it.

Masking policies stand in the same list, to be read only.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.access.access_model import AccessModel, EntityKey
from core.access.effective.row_policies import NO_ROWS, Seeing, TableRows, seen_of
from core.access.effective.subjects import Subject, subjects_of
from core.access.model import EntityKind
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access.render_policies import policy_names
from core.display import one_line
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.limit_rows import (
    LimitRow,
    common,
    findings_column,
    storage_column,
    subjects_in,
    to_column,
    to_lines,
)
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

MODE = "users_without_row_policies_can_read_rows"
PERMISSIVE, RESTRICTIVE, MASKING = "permissive", "restrictive", "masking"
_MEANS = {
    PERMISSIVE: "permissive: rows are seen that fit any of the permissive policies",
    RESTRICTIVE: "restrictive: only rows are seen that fit every restrictive policy",
    MASKING: "masking: it alters what is seen of some columns",
}


@dataclass(frozen=True, slots=True)
class PolicyRow(LimitRow):
    """A row policy or a masking policy. `seeing` are the users of all policies on its table, by what they see."""

    policy: RowPolicy | MaskingPolicy
    seeing: tuple[Seeing, ...] = ()

    @property
    def place(self) -> PolicyName:
        return self.policy.name

    @property
    def sql_name(self) -> str:
        """Its name as SQL has it, which is unique."""
        name = policy_names([self.place])
        return name if isinstance(self.policy, RowPolicy) else f"MASKING POLICY {name}"

    @property
    def kind(self) -> str:
        if isinstance(self.policy, MaskingPolicy):
            return MASKING
        return RESTRICTIVE if self.policy.restrictive else PERMISSIVE

    @property
    def filter(self) -> str:
        """The condition of the rows, or what is put in the place of columns."""
        if isinstance(self.policy, MaskingPolicy):
            return self.policy.updates
        return "none" if self.policy.condition is None else self.policy.condition


def rows_of(access: Access) -> list[PolicyRow]:
    """A row for each row policy and masking policy."""
    model = access.model
    subjects = subjects_in(model, EntityKind.ROW_POLICY)
    by_name = {key.name: found for key, found in subjects.items() if isinstance(key.name, PolicyName)}
    on: dict[tuple[str, str | None], list[RowPolicy]] = {}
    for policy in model.row_policies.values():
        on.setdefault((policy.name.database, policy.name.table), []).append(policy)
    seen: dict[tuple[str, str | None], tuple[Seeing, ...]] = {}
    rows = []
    for name, policy in model.row_policies.items():
        place = (name.database, name.table)
        if place not in seen:
            everywhere = on.get((name.database, None), []) if name.table is not None else []
            seen[place] = seen_of([*everywhere, *on[place]], *place, by_name)
        key = EntityKey(EntityKind.ROW_POLICY, name)
        rows.append(PolicyRow(**common(access, key, policy.to, subjects[key]), policy=policy, seeing=seen[place]))
    masked = subjects_in(model, EntityKind.MASKING_POLICY)
    for name, masking in model.masking_policies.items():
        key = EntityKey(EntityKind.MASKING_POLICY, name)
        rows.append(PolicyRow(**common(access, key, masking.to, masked[key]), policy=masking))
    return rows


def table_text(name: PolicyName) -> str:
    """The table that a policy is on."""
    return f"{name.database}.{'*' if name.table is None else name.table}"


COLUMNS: tuple[Column[PolicyRow], ...] = (
    Column("name", "NAME", lambda r: r.place.short, flexible=True, least=12, letter="N"),
    Column("table", "TABLE", lambda r: table_text(r.place), flexible=True, least=14, letter="A"),
    Column("kind", "KIND", lambda r: r.kind, minor=3, letter="K",
           style=lambda r: "warning" if r.kind is RESTRICTIVE else "muted" if r.kind is MASKING else ""),
    Column("filter", "FILTER", lambda r: r.filter, flexible=True, least=14, minor=2),
    to_column(4),
    storage_column(5),
    findings_column(1),
)  # fmt: skip


# -- the summary


def summary_lines(row: PolicyRow) -> list[Line]:
    """What it filters, for whom, and who sees which rows of the table by all of its policies."""
    policy = row.policy
    lines = [*words.kept_lines(row.kept_only), fact("table", _whole(row.place)), fact("kind", _MEANS[row.kind])]
    if isinstance(policy, MaskingPolicy):
        lines += [fact("update", policy.updates), fact("where", policy.condition or "every row")]
        lines.append(fact("priority", str(policy.priority)))
    else:
        lines.append(fact("filter", row.filter if policy.condition is not None else "none: it filters nothing"))
    lines += [Line(), *to_lines(row, "none")]
    if isinstance(policy, RowPolicy):
        lines += [Line(), *seeing_lines(row)]
    return [*lines, Line(), words.storage_line(row.storage), *words.finding_lines(row.findings)]


def _whole(name: PolicyName) -> str:
    if name.table is not None:
        return table_text(name)
    return f"every table of {name.database}; where a table has policies of its own, these count as well"


def seeing_lines(row: PolicyRow) -> list[Line]:
    """Who sees which rows, in both modes of the server."""
    place = row.place
    groups = (*row.seeing, Seeing((), TableRows(place.database, place.table, ())))
    on, off = ([_sees(each, on=mode) for each in groups] for mode in (True, False))
    lines = [Line(f"Who sees which rows of {table_text(place)}, of those who may read it", style="heading")]
    lines += [Line(f"Where {MODE} is on, as it is by default:", style="muted")]
    lines += [line for each, rows in zip(groups, on, strict=True) for line in _seeing(each, rows, alone=not row.seeing)]
    other = [(each, rows) for each, rows, before in zip(groups, off, on, strict=True) if rows != before]
    lines.append(
        Line("Where it is off:" if len(other) == len(groups) else "Where it is off, the same but:", style="muted")
    )
    return lines + [line for each, rows in other for line in _seeing(each, rows, alone=not row.seeing)]


def _sees(seeing: Seeing, *, on: bool) -> str | None:
    return seeing.rows.condition(users_without_row_policies_can_read_rows=on)


def _seeing(seeing: Seeing, condition: str | None, *, alone: bool) -> list[Line]:
    who = words.shown_names(seeing.users) or ("everybody" if alone else "everybody else")
    style = "warning" if condition is None and not seeing.users else ""
    return [Line(f"  {who}", style="accent"), fact(words.BELOW, rows_text(condition), style)]


def rows_text(condition: str | None) -> str:
    """The rows that are seen."""
    if condition is None:
        return "every row"
    return "no row" if condition == NO_ROWS else f"rows where {one_line(condition)}"


# -- what a plan does to it


def seen_lines(before: AccessModel, after: AccessModel, name: PolicyName) -> list[str]:
    """Who sees other rows of the table of a policy than before, as sentences, and who else sees none in one mode."""
    old, new = _conditions(before, name), _conditions(after, name)
    changes: dict[tuple[str, str], list[str]] = {}
    for user in sorted({*old, *new}):
        was, becomes = rows_text(old.get(user)), rows_text(new.get(user))
        if was != becomes:
            changes.setdefault((was, becomes), []).append(user)
    lines = [f"{words.shown_names(users)}: {becomes} (before: {was})." for (was, becomes), users in changes.items()]
    if lines and name.table is None:
        lines.append("Where a table has policies of its own, these count as well.")
    if _filtered(after, name) and not _filtered(before, name):
        lines.append(f"Everybody else sees no row where {MODE} is off; it is on by default.")
    if _filtered(before, name) and not _filtered(after, name):
        lines.append("No policy is left on it: everybody who may read it sees every row.")
    return lines or ["Nobody sees other rows than before."]


def _conditions(model: AccessModel, name: PolicyName) -> dict[str, str | None]:
    """What the users see for whom policies on the table hold, in the mode that is the default."""
    places = {(name.database, name.table), (name.database, None)}
    here = {each: policy for each, policy in model.row_policies.items() if (each.database, each.table) in places}
    subjects: dict[PolicyName, tuple[Subject, ...]] = subjects_of(model, {each: here[each].to for each in here})
    seen = seen_of(here.values(), name.database, name.table, subjects)
    return {user: seeing.rows.condition() for seeing in seen for user in seeing.users}


def _filtered(model: AccessModel, name: PolicyName) -> bool:
    return any(_counts(each, name, policy) for each, policy in model.row_policies.items())


def _counts(each: PolicyName, name: PolicyName, policy: RowPolicy) -> bool:
    return each.database == name.database and each.table in (name.table, None) and policy.condition is not None
