"""Lint of names: those that ClickHouse Cloud goes by, those that deceive, and those that XML cannot hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from core.access.access_model import EntityKey
from core.access.lint.changes import with_role_renamed
from core.access.lint.findings import Finding, Fix, Severity
from core.access.lint.subject import Subject, named, sentence
from core.access.model import EntityKind
from core.access.sql_console import CONSOLE_ROLE, is_email, nearest_email

_NEARLY = re.compile(r"sql[\s_-]*console[\s_-]*role\s*[:;._ -]\s*(.*)", re.IGNORECASE | re.DOTALL)
_XML_NAME = re.compile(r"[^\W\d][\w.-]*")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the names of users and roles."""
    for role in subject.model.roles:
        yield from _console_role(subject, role)
    for kind, names in ((EntityKind.USER, subject.model.users), (EntityKind.ROLE, subject.model.roles)):
        for name in names:
            yield from _unseen(subject, EntityKey(kind, name), name)
            if subject.context.for_users_xml and not _XML_NAME.fullmatch(name):
                yield _not_xml(subject, EntityKey(kind, name))


def _console_role(subject: Subject, role: str) -> Iterator[Finding]:
    key = EntityKey(EntityKind.ROLE, role)
    if not role.startswith(CONSOLE_ROLE):
        if (match := _NEARLY.fullmatch(role)) is not None:
            yield _mistyped(subject, key, role, match[1].strip())
        return
    email = role.removeprefix(CONSOLE_ROLE)
    members = subject.context.console_emails
    if not is_email(email):
        yield subject.finding(
            "sql-console-role-email",
            Severity.WARNING,
            key,
            f"What follows the colon in {named(key)} is no e-mail address.",
            "The SQL console looks for a role called sql-console-role: and the e-mail address of the user, exactly as "
            "the console has it. This one is found for nobody.",
            advice="Create a role with the address as it stands in the console.",
        )
    elif members is not None and email not in members:
        yield subject.finding(
            "sql-console-role-orphan",
            Severity.WARNING,
            key,
            f"No member of the organization belongs to {named(key)}.",
            "The SQL console gives this role to the member with that e-mail address. There is none now; whoever is "
            "invited under that address later has its rights at once.",
            advice=_advice(email, members),
        )


def _advice(email: str, members: frozenset[str]) -> str:
    near = nearest_email(email, members)
    if not near:
        return "Drop the role, or correct the address in it."
    return f"Rename it to {CONSOLE_ROLE}{near} if that member is meant: it must be exact, capitals too. Else drop it."


def _mistyped(subject: Subject, key: EntityKey, role: str, email: str) -> Finding:
    right = f"{CONSOLE_ROLE}{email}"
    taken = not email or right in subject.model.roles or right in subject.model.users
    return subject.finding(
        "sql-console-role-typo",
        Severity.WARNING,
        key,
        f"{sentence(named(key))} is nearly, but not exactly, a role of the SQL console.",
        "The SQL console looks for sql-console-role: with hyphens and a colon. A role that is called otherwise is an "
        "ordinary one: it silently does nothing there.",
        advice=f"Move its grants to {CONSOLE_ROLE}… and drop it." if taken else "",
        fix=None if taken else Fix(f"Rename it to {right}", lambda model: with_role_renamed(model, role, right)),
    )


def _unseen(subject: Subject, key: EntityKey, name: str) -> Iterator[Finding]:
    odd = any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name)
    if odd or name != name.strip():
        yield subject.finding(
            "name-unseen-characters",
            Severity.WARNING,
            key,
            f"The name of {named(key)} has characters that are not seen.",
            "Blanks at its ends, control characters and marks of direction make two names look like one.",
            advice="Rename it.",
        )


def _not_xml(subject: Subject, key: EntityKey) -> Finding:
    return subject.finding(
        "name-not-xml",
        Severity.NOTE,
        key,
        f"users.xml cannot hold {named(key)} under its name.",
        "An element there is an XML name: letters, digits, dots, hyphens and underscores, beginning with a letter or "
        "underscore. Any other fails the whole file.",
        advice="Keep it in a storage managed by SQL, or rename it.",
    )
