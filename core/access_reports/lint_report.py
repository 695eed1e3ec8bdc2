"""Findings of lint as rows, together with what is wrong with a file, and the statements of the safe fixes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from core.access.access_model import AccessModel
from core.access.effective.privilege_tree import PrivilegeTree, clickhouse_26_9
from core.access.lint.findings import Finding, LintContext, Severity
from core.access.lint.linting import fixed
from core.access.model import AlterUser, CreateUser, Statement
from core.access.passwords import kept_in_clear, without_passwords
from core.access.planning.plan import title
from core.access.planning.planner import plan
from core.access.render import render
from core.access.secret_texts import without_secrets
from core.access.xml.problems import Problem
from core.errors import HousekeysError


def lint_context(now: datetime, privileges: PrivilegeTree | None = None, **more: Any) -> LintContext:
    """The context of a lint, with the privileges of the server or of ClickHouse 26.9."""
    tree = privileges or clickhouse_26_9()
    names = {name for each in tree.privileges.values() for name in (each.name, *each.aliases)}
    groups = {each.name: each.group for each in tree.privileges.values()}
    return LintContext(now, known_privileges=frozenset(names), privilege_groups=groups, **more)


def finding_rows(findings: Iterable[Finding], problems: Iterable[Problem] = ()) -> list[dict[str, Any]]:
    """What is wrong with a file first, then the findings, each as a row."""
    rows = [
        {
            "id": "file",
            "severity": str(problem.severity),
            "entity": "",
            "title": problem.message,
            "explanation": "",
            "advice": problem.advice,
            "fix": None,
            "file": problem.file,
            "line": problem.line or None,
        }
        for problem in problems
    ]
    return rows + [_row(finding) for finding in findings]


def _row(finding: Finding) -> dict[str, Any]:
    origin = finding.origin
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "entity": title(finding.entity),
        "title": finding.title,
        "explanation": finding.explanation,
        "advice": finding.advice,
        "fix": None if finding.fix is None else finding.fix.title,
        "file": None if origin is None else origin.file,
        "line": None if origin is None else origin.line,
    }


def has_errors(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether one of the rows is an error."""
    return any(row["severity"] == Severity.ERROR for row in rows)


def fixing_statements(model: AccessModel, findings: Iterable[Finding]) -> list[str]:
    """The statements that carry out the safe fixes, as SQL that can be run: with hashes, but no password in clear."""
    made = plan(model, fixed(model, findings), exact=True)
    return [render(_hashed(step.statement)) for step in made.steps]


def _hashed(statement: Statement) -> Statement:
    """`statement` with hashes only; `[HIDDEN]` where a password would still be in it, or cannot be hashed here."""
    try:
        without = without_passwords(statement)
    except HousekeysError:
        return without_secrets(statement)
    methods = without.methods if isinstance(without, CreateUser | AlterUser) else ()
    return without_secrets(without) if any(map(kept_in_clear, methods or ())) else without
