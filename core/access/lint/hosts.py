"""Lint of where users may come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from core.access.access_model import EntityKey
from core.access.lint.authentication import PASSWORD_KINDS
from core.access.lint.findings import Finding, Severity
from core.access.lint.subject import Subject, disabled, named, sentence
from core.access.model import AuthKind, EntityKind, Hosts


def check(subject: Subject) -> Iterator[Finding]:
    """Findings about the hosts of each user."""
    for user in subject.model.users.values():
        key = EntityKey(EntityKind.USER, user.name)
        if disabled(user.hosts):
            yield subject.finding(
                "user-disabled",
                Severity.NOTE,
                key,
                f"{sentence(named(key))} is disabled: it may come from nowhere.",
                "HOST NONE is the usual way to disable a user and keep its grants. Its rights still count for whoever "
                "may IMPERSONATE it, and for views that run as it.",
                advice="Drop it when it is not to come back.",
            )
        elif anywhere(user.hosts) and any(method.kind is not AuthKind.NO_AUTHENTICATION for method in user.methods):
            by_password = any(
                method.kind in PASSWORD_KINDS or method.kind is AuthKind.NO_PASSWORD for method in user.methods
            )
            yield subject.finding(
                "host-any",
                Severity.WARNING if by_password else Severity.NOTE,
                key,
                f"{sentence(named(key))} may come from anywhere.",
                "HOST ANY, ::/0 and 0.0.0.0/0 let every address that reaches the server try to log in. A password that "
                "leaks is then enough; with a list of networks it is not.",
                advice="Name the networks it comes from: ALTER USER … HOST IP '10.0.0.0/8'",
            )


def anywhere(hosts: Hosts) -> bool:
    """Whether the hosts are every host, in whatever form that is written."""
    return (
        hosts.any
        or any(pattern in (".*", "^.*$") for pattern in hosts.patterns)
        or "%" in hosts.likes
        or any(_whole_network(address) for address in hosts.addresses)
    )


def _whole_network(address: str) -> bool:
    try:
        return ipaddress.ip_network(address, strict=False).prefixlen == 0
    except ValueError:
        return False
