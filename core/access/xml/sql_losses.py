"""What of a configuration is lost when it is written as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.access.access_model import EntityKey
from core.access.model import Authentication, AuthKind, EntityKind, User
from core.access.passwords import kept_in_clear
from core.access.xml.losses import Effect, Loss
from core.access.xml.reading import Reading
from core.access.xml.users import user_name

_KINDS = {
    "users": EntityKind.USER,
    "roles": EntityKind.ROLE,
    "quotas": EntityKind.QUOTA,
    "profiles": EntityKind.SETTINGS_PROFILE,
}
_UNRESOLVED = {"from_zk": "comes from ZooKeeper", "from_env": "comes from the environment", "encrypted": "is encrypted"}
_SECRET = frozenset({AuthKind.PLAINTEXT, AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.SCRAM_SHA256})


def losses_to_sql(reading: Reading) -> tuple[Loss, ...]:
    """What SQL cannot say of what was read, or says differently. What a configuration has no word for is not lost."""
    return (*_secrets(reading), *_values(reading), *_limits(reading), *_policies(reading), *_without_effect(reading))


def _secrets(reading: Reading) -> Iterator[Loss]:
    for name, user in reading.model.users.items():
        key = EntityKey(EntityKind.USER, name)
        for method in user.methods:
            if method.kind in _SECRET and method.password is None and method.hash is None:
                yield Loss(key, "its password", "the secret is not known here", Effect.LEFT_OUT)
            elif kept_in_clear(method):
                why = "it is kept as a SHA-256 hash, with which clients of the MySQL protocol cannot log in"
                yield Loss(key, "its password in clear", why, Effect.CHANGED)
        yield from _certificates(reading, key, user)


def _certificates(reading: Reading, key: EntityKey, user: User) -> Iterator[Loss]:
    path = f"users.{user.name.replace('.', chr(92) + '.')}.ssl_certificates.common_name"
    if path in reading.values and any(map(_by_alternative_names, user.methods)):
        why = "SQL has common names or alternative names, not both"
        yield Loss(key, "the common names of its certificates", why, Effect.NARROWED)


def _by_alternative_names(method: Authentication) -> bool:
    return method.kind is AuthKind.SSL_CERTIFICATE and method.alternative


def _values(reading: Reading) -> Iterator[Loss]:
    for path, reason in reading.unresolved.items():
        if (key := _entity(path)) is not None:
            why = f"it {_UNRESOLVED[reason]} and is not known here"
            yield Loss(key, f"the value of {path}", why, Effect.LEFT_OUT)
    for path, how in reading.substituted.items():
        if (key := _entity(path)) is not None:
            why = f"SQL has no {how}: the value is what it is now, and stays so"
            yield Loss(key, f"where {path} comes from", why, Effect.CHANGED)


def _limits(reading: Reading) -> Iterator[Loss]:
    for profile, setting in reading.disallowed:
        key = EntityKey(EntityKind.SETTINGS_PROFILE, profile)
        yield Loss(key, f"the values that {setting} must not have", "SQL has no disallowed values", Effect.WIDENED)
    for name, quota in reading.model.quotas.items():
        lengths = [interval.seconds for interval in quota.intervals]
        for seconds in sorted({length for length in lengths if lengths.count(length) > 1}):
            why = "SQL has one interval of each length, and keeps the last"
            key = EntityKey(EntityKind.QUOTA, name)
            yield Loss(key, f"all but one of its intervals of {seconds} seconds", why, Effect.WIDENED)


def _policies(reading: Reading) -> Iterator[Loss]:
    for name in reading.model.row_policies:
        why = "in SQL the row policy is an entity of its own, which stays when the user goes or gets another name"
        yield Loss(EntityKey(EntityKind.ROW_POLICY, name), "that it belongs to its user", why, Effect.CHANGED)


def _without_effect(reading: Reading) -> Iterator[Loss]:
    for key, what in reading.ignored:
        yield Loss(key, what, "ClickHouse ignores it in the configuration", Effect.IGNORED)


def _entity(path: str) -> EntityKey | None:
    section, *names = re.split(r"(?<!\\)\.", path, maxsplit=2)
    kind = _KINDS.get(section)
    if kind is None or not names:
        return None
    return EntityKey(kind, user_name(names[0]) if kind is EntityKind.USER else names[0])
