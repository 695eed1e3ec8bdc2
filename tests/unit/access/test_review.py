"""What a reviewer of access has to look at: ends, who was not here, who has too much, what changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.access.access_model import AccessModel, EntityKey
from core.access.lint import rights
from core.access.lint.findings import LintContext, Severity
from core.access.lint.subject import Subject
from core.access.model import EntityKind
from core.access_reports.activity import Activity
from core.access_reports.review import Changed, Kind, ReviewItem, review, review_sheet
from tests.unit.access.effective_examples import model_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=300)
_PASSWORD = "IDENTIFIED WITH sha256_password BY 'x'"


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def told(items: tuple[ReviewItem, ...]) -> set[tuple[str, str, str, str]]:
    return {(str(item.kind), str(item.entity.name), item.why, str(item.severity)) for item in items}


def test_ends_are_told_for_users_and_for_each_method() -> None:
    model = model_of(
        f"CREATE USER over {_PASSWORD} VALID UNTIL '2026-11-01'",
        f"CREATE USER off {_PASSWORD} HOST NONE VALID UNTIL '2026-11-01'",
        f"CREATE USER soon {_PASSWORD} VALID UNTIL '2026-11-30 12:00:00'",
        f"CREATE USER later {_PASSWORD} VALID UNTIL '2026-12-15'",
        f"CREATE USER far {_PASSWORD} VALID UNTIL '2027-12-15'",
        f"CREATE USER never {_PASSWORD}",
        "CREATE USER several IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL '2026-11-01', "
        "plaintext_password BY 'y' VALID UNTIL '2026-11-23', bcrypt_password BY 'z'",
    )
    items = review(model, NOW)
    assert told(items) == {
        ("expired", "over", "no way in is valid", "warning"),
        ("expiring", "soon", "ends in 8 days: sha256_password", "warning"),
        ("expiring", "later", "ends in 22 days: sha256_password", "note"),
        ("expired", "several", "ended: sha256_password, method 1 of 3", "note"),
        ("expiring", "several", "ends within a day: plaintext_password, method 2 of 3", "warning"),
    }
    by_name = {item.entity.name: item for item in items if item.kind is Kind.EXPIRING}
    assert by_name["soon"].until == datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert "no other way in" in by_name["soon"].explanation
    assert "another way in" in by_name["several"].explanation
    assert len({item.key for item in items}) == len(items)


def dormant(activity: Activity, created: dict[str, datetime] | None = None) -> set[tuple[str, str, str]]:
    model = model_of(
        "CREATE USER here, gone, absent, fresh",
        "CREATE USER off HOST NONE",
        f"CREATE USER over {_PASSWORD} VALID UNTIL '2026-11-01'",
    )
    items = review(model, NOW, activity=activity, created=created)
    found = (item for item in items if item.kind is Kind.DORMANT)
    return {(str(item.entity.name), item.why, str(item.severity)) for item in found}


def test_who_was_not_here_is_told_as_far_as_the_log_goes() -> None:
    last = {"here": ago(2), "gone": ago(120)}
    old = Activity("login", last, LONG_AGO)
    assert dormant(old, {"fresh": ago(5), "absent": ago(200)}) == {
        ("gone", "last login 2026-07-25", "warning"),
        ("absent", "no login for 90 days", "warning"),
    }
    young = Activity("query", {"here": ago(1)}, ago(20))  # it cannot tell of ninety days
    assert {(name, severity) for name, _, severity in dormant(young)} == {
        ("gone", "note"),
        ("absent", "note"),
        ("fresh", "note"),
    }
    assert dormant(Activity(problem="No log.")) == set()


def test_too_wide_rights_and_nothing_else_of_lint() -> None:
    model = model_of(
        "CREATE USER own, tenant, wide, admin HOST LOCAL",
        "CREATE ROLE team",
        "GRANT ALL ON acme.* TO own",
        "GRANT SELECT ON acme.* TO tenant",
        "GRANT SELECT ON *.*, SELECT ON acme.* TO wide",
        "GRANT ALL ON *.* TO admin",
        "GRANT ALL ON logs*.* TO team",
        "REVOKE DROP ROW POLICY ON logs_old.* FROM team",
    )
    context = LintContext(NOW, tenants=frozenset({"acme"}))
    found = tuple(rights.check(Subject(model, context)))
    items = review(model, NOW, findings=found)
    assert {(item.entity.name, item.severity) for item in items} == {
        ("own", Severity.ERROR),
        ("wide", Severity.ERROR),
        ("admin", Severity.NOTE),
        ("team", Severity.WARNING),
    }
    assert {item.why for item in items} == {
        "has ALL on acme.*",
        "has ALL on logs*.*",
        "user of a tenant, has SELECT on every database",
        "administers access",
    }
    assert all(item.kind is Kind.OVER_GRANTED and item.explanation and item.advice for item in items)


def test_changes_are_told_once_for_each_entity() -> None:
    anna, role = EntityKey(EntityKind.USER, "anna"), EntityKey(EntityKind.ROLE, "reader")
    changes = (
        Changed(anna, ago(1), "op@bastion", "grant auditor"),
        Changed(role, ago(9), "eve@laptop", "drop"),
        Changed(anna, ago(3), "eve@laptop", "create"),
    )
    first, second = sorted(review(AccessModel(), NOW, changes=changes), key=lambda item: str(item.entity.name))
    assert (first.why, first.since) == ("grant auditor by op@bastion, 1 before", ago(1))
    assert first.more == ("2026-11-21 12:00 grant auditor by op@bastion", "2026-11-19 12:00 create by eve@laptop")
    assert (second.why, second.entity) == ("drop by eve@laptop", role)
    sheet = review_sheet([first, second], "prod", ["a note"])
    assert sheet.rows[1][:4] == ("changed", "role", "reader", "drop by eve@laptop")
    assert sheet.notes == ("a note",)
