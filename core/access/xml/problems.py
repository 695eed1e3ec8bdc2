"""What is wrong with a configuration of users: where, how badly, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from core.access.access_model import EntityKey, Origin
from core.display import one_line


class Severity(StrEnum):
    """How bad a problem is."""

    ERROR = "error"  # ClickHouse refuses the whole configuration and keeps the one it had
    WARNING = "warning"  # ClickHouse loads it, but not as it looks


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, at a file and a line in it (0: the file as a whole). No secret is in it."""

    file: str
    line: int
    severity: Severity
    message: str
    advice: str = ""


@dataclass(slots=True)
class Problems:
    """Collects problems, each once, in the order in which they are found, and what of entities has no effect."""

    found: dict[Problem, None] = field(default_factory=dict)
    ignored: list[tuple[EntityKey, str]] = field(default_factory=list)

    def without_effect(self, origin: Origin, entity: EntityKey, what: str, message: str, advice: str) -> None:
        """ClickHouse would load this and take no notice of a part of `entity`, which `what` names."""
        self.ignored.append((entity, what))
        self.warning(origin, message, advice)

    def error(self, origin: Origin, message: str, advice: str = "") -> None:
        """ClickHouse would refuse to load this."""
        self._add(origin, Severity.ERROR, message, advice)

    def warning(self, origin: Origin, message: str, advice: str = "") -> None:
        """ClickHouse would load this, but not as it looks."""
        self._add(origin, Severity.WARNING, message, advice)

    def _add(self, origin: Origin, severity: Severity, message: str, advice: str) -> None:
        self.found[Problem(origin.file, origin.line, severity, message, advice)] = None


def shown(text: str, longest: int = 60) -> str:
    """Text from a file in quotes, for a message; never used for what can be a secret."""
    return f"'{one_line(text, longest)}'"
