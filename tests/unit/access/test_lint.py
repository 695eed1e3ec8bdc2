"""Lint on any model: it never raises, tells its findings apart, and its fixes remove them and break nothing."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings

from core.access.access_model import AccessModel, EntityKey, Origin
from core.access.lint.findings import Finding, LintContext, Severity
from core.access.lint.linting import fixed, lint
from core.access.model import Authentication, AuthKind, EntityKind
from tests.examples import examples
from tests.unit.access.lint_models import CONTEXT, contexts, found, model, models, user

thorough = settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(models(), contexts)
def test_lint_never_raises_and_tells_its_findings_apart(of: AccessModel, context: LintContext) -> None:
    findings = lint(of, context)
    counted = Counter((finding.id, finding.entity, finding.title) for finding in findings)
    assert not [key for key, number in counted.items() if number > 1]
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=list(Severity).index)
    for finding in findings:
        assert finding.title.endswith(".") and "\n" not in finding.title
        assert finding.explanation.endswith(".")
        assert finding.fix or finding.advice
        assert finding.origin == of.origins.get(finding.entity)


@thorough
@given(models(), contexts)
def test_each_fix_removes_its_finding_and_adds_no_error(of: AccessModel, context: LintContext) -> None:
    before = lint(of, context)
    for finding in before:
        if finding.fix is None:
            continue
        after = lint(finding.fix.apply(of), context)
        same = (finding.id, finding.entity, finding.title)
        assert same not in {(other.id, other.entity, other.title) for other in after}, finding
        assert _errors(after) <= _errors(before), finding


def _errors(findings: tuple[Finding, ...]) -> Counter[str]:
    return Counter(finding.id for finding in findings if finding.severity is Severity.ERROR)


@thorough
@given(models(), contexts)
def test_fixes_leave_a_model_alone_that_has_nothing_to_fix(of: AccessModel, context: LintContext) -> None:
    findings = lint(of, context)
    assert fixed(AccessModel(), findings) == AccessModel()
    once = fixed(of, findings)  # one after the other, though the first may have taken away what the next is about
    assert isinstance(lint(once, context), tuple)


def test_a_model_without_fault_has_no_finding_but_a_missing_quota() -> None:
    of = model([user()], grants=["GRANT SELECT ON acme.* TO alice"])
    assert [finding.id for finding in lint(of, CONTEXT)] == ["user-without-quota"]
    assert lint(AccessModel(), CONTEXT) == ()


def test_the_origin_goes_with_the_finding() -> None:
    key, origin = EntityKey(EntityKind.USER, "alice"), Origin("users.xml", 7)
    [finding] = found(model([user(methods=(Authentication(),))], origins={key: origin}), "password-empty")
    assert finding.origin == origin
    assert finding.entity == key


def test_no_secret_is_in_a_finding() -> None:
    secret = "Correct-horse1"
    plain = Authentication(AuthKind.PLAINTEXT, password=secret)
    hashed = Authentication(AuthKind.DOUBLE_SHA1, hash="DEADBEEF" * 5)
    of = model([user(methods=(plain, hashed))])
    findings = lint(of, CONTEXT)
    assert {"password-plaintext", "password-hash-weak"} <= {finding.id for finding in findings}
    for text in map(repr, findings):
        assert secret not in text
        assert "DEADBEEF" not in text
