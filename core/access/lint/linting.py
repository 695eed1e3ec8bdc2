"""Lint as a whole: every check on a model, the most severe findings first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from core.access.access_model import AccessModel
from core.access.lint import (
    authentication,
    hosts,
    names,
    quotas,
    references,
    revokes,
    rights,
    roles,
    row_policies,
    settings,
    validity,
)
from core.access.lint.findings import Finding, LintContext, Severity
from core.access.lint.subject import Subject

CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    authentication.check,
    hosts.check,
    validity.check,
    rights.check,
    revokes.check,
    roles.check,
    references.check,
    quotas.check,
    settings.check,
    row_policies.check,
    names.check,
)
_ORDER = tuple(Severity)


def lint(model: AccessModel, context: LintContext) -> tuple[Finding, ...]:
    """Everything that lint finds in `model`: errors, warnings, notes; within one severity, by id and entity."""
    subject = Subject(model, context)
    found = (finding for check in CHECKS for finding in check(subject))
    return tuple(sorted(dict.fromkeys(found), key=_order))


def fixed(model: AccessModel, findings: Iterable[Finding]) -> AccessModel:
    """`model` with the fixes of `findings` applied, one after the other; those without one are passed over."""
    for finding in findings:
        if finding.fix is not None:
            model = finding.fix.apply(model)
    return model


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    kind, name = finding.entity
    return _ORDER.index(finding.severity), finding.id, kind.value, str(name), finding.title
