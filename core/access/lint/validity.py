"""Lint of when users and their methods end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from core.access.access_model import AccessModel, EntityKey
from core.access.lint.authentication import PASSWORD_KINDS
from core.access.lint.changes import with_user
from core.access.lint.findings import Finding, Fix, LintContext, Severity
from core.access.lint.moments import end_of, ends, expired, zoned
from core.access.lint.subject import Subject, disabled, named, sentence
from core.access.model import EntityKind, User


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the validity of each user."""
    for user in subject.model.users.values():
        if not disabled(user.hosts) and user.methods:
            yield from _check_user(subject, user)


def _check_user(subject: Subject, user: User) -> Iterator[Finding]:
    context = subject.context
    key = EntityKey(EntityKind.USER, user.name)
    over = [method for method in user.methods if expired(method, context.now)]
    if len(over) == len(user.methods):
        yield subject.finding(
            "user-expired",
            Severity.WARNING,
            key,
            f"{sentence(named(key))} has expired.",
            "None of its methods is valid any more, so it cannot log in; its name, grants and roles are still there.",
            advice="Drop it, or give it a later end: ALTER USER … VALID UNTIL '…'",
        )
        return
    if over:
        yield subject.finding(
            "method-expired",
            Severity.NOTE,
            key,
            f"{len(over)} of the {len(user.methods)} methods of {named(key)} {_have(len(over))} expired.",
            "An expired method lets nobody in; it only hides which ones still do.",
            fix=Fix("Remove the expired methods", lambda model: _without_expired(model, user.name, context)),
        )
    yield from _soon(subject, user, key)
    if any(method.kind in PASSWORD_KINDS and not ends(method) for method in user.methods):
        yield subject.finding(
            "password-never-expires",
            Severity.NOTE,
            key,
            f"A password of {named(key)} never expires.",
            "A password that is forgotten in a script or a notebook stays good until somebody thinks of it.",
            advice="Give it an end: ALTER USER … VALID UNTIL '…'",
        )


def _soon(subject: Subject, user: User, key: EntityKey) -> Iterator[Finding]:
    now = zoned(subject.context.now)
    last = now + timedelta(days=subject.context.expiring_days)
    moments = [end for method in user.methods if (end := end_of(method, now)) is not None and now < end <= last]
    if moments:
        first = min(moments).strftime("%Y-%m-%d %H:%M")
        yield subject.finding(
            "expires-soon",
            Severity.WARNING,
            key,
            f"A method of {named(key)} expires on {first}.",
            "After that moment it lets nobody in.",
            advice="Rotate it in time: add the new method, hand it over, then RESET AUTHENTICATION METHODS TO NEW.",
        )


def _without_expired(model: AccessModel, name: str, context: LintContext) -> AccessModel:
    def change(user: User) -> User:
        kept = tuple(method for method in user.methods if not expired(method, context.now))
        return replace(user, methods=kept) if kept else user

    return with_user(model, name, change)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
