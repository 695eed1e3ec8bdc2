"""What the lists of quotas, settings profiles and row policies have in common: their rows, columns and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.access.access_model import AccessModel, EntityKey
from core.access.difference_fields import entities
from core.access.effective.subjects import Subject, subjects_of
from core.access.lint.findings import Finding
from core.access.model import NOBODY, EntityKind, NameSet
from core.access.model_changes import name_text
from core.display import count
from tui.screens import access_words as words
from tui.screens.access_reading import Access
from tui.screens.access_tabs import path_text
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

_LISTED = 12


@dataclass(frozen=True, slots=True)
class LimitRow:
    """An entity that holds for users and roles. `subjects` are the users for whom it holds at login."""

    key: EntityKey
    to: NameSet
    subjects: tuple[Subject, ...]
    storage: str
    findings: tuple[Finding, ...]
    kept_only: tuple[str, ...]

    @property
    def name(self) -> str:
        return name_text(self.key.name)

    @property
    def idle(self) -> bool:
        """Whether it holds for nobody."""
        return self.to == NOBODY


def subjects_in(model: AccessModel, kind: EntityKind) -> Mapping[EntityKey, tuple[Subject, ...]]:
    """The users for whom each entity of a kind holds."""
    found: Mapping[Any, Any] = entities(model, kind)
    return subjects_of(model, {EntityKey(kind, name): entity.to for name, entity in found.items()})


def common(access: Access, key: EntityKey, to: NameSet, subjects: Sequence[Subject]) -> dict[str, Any]:
    """The fields of a LimitRow."""
    return {
        "key": key,
        "to": to,
        "subjects": tuple(subjects),
        "storage": access.present.storage(key),
        "findings": access.found(key),
        "kept_only": access.kept(key),
    }


# -- columns


def to_text(to: NameSet) -> str:
    """A TO for a column."""
    return words.names_text(to, everyone="all", nobody="nobody")


def to_column(minor: int) -> Column[Any]:
    """To whom it is."""
    return Column("to", "TO", lambda r: to_text(r.to), flexible=True, least=12, minor=minor, letter="T",
                  style=lambda r: "warning" if r.idle else "muted" if r.to == NOBODY else "")  # fmt: skip


def storage_column(minor: int) -> Column[Any]:
    """Where it is kept, and whether an embedded engine only keeps it."""
    return Column("storage", "STORAGE", lambda r: f"{r.storage or '-'}{' !' if r.kept_only else ''}", minor=minor,
                  letter="S", style=lambda r: "muted")  # fmt: skip


def findings_column(minor: int) -> Column[Any]:
    """How much lint finds."""
    return Column("findings", "LINT", lambda r: words.findings_text(r.findings), sort=lambda r: len(r.findings),
                  numeric=True, minor=minor, letter="F", style=lambda r: words.findings_style(r.findings))  # fmt: skip


# -- lines of summaries


def to_lines(row: LimitRow, nobody: str) -> list[Line]:
    """To whom it is as it is written, and the users for whom that is so; `nobody` says what it means to have none."""
    style = "warning" if row.idle else "muted" if row.to == NOBODY else ""
    lines = [fact("to", to_text(row.to), style)]
    if not row.subjects:
        return [*lines, fact("users", nobody, "warning" if row.idle or row.to != NOBODY else "muted")]
    for number, subject in enumerate(row.subjects[:_LISTED]):
        lines.append(fact("users" if number == 0 else words.BELOW, subject_text(subject)))
    if len(row.subjects) > _LISTED:
        lines.append(fact(words.BELOW, f"and {count(len(row.subjects) - _LISTED)} more"))
    return lines


def subject_text(subject: Subject) -> str:
    """A user, and the role by which it is one of them."""
    return f"{subject.user}  {path_text(subject.via)}" if subject.via.path else subject.user
