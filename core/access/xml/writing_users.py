"""Users and roles as elements of a configuration, never with more than they have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import CURRENT_DATABASE, Authentication, AuthKind, EntityKind, Grant, Hosts, Revoke, User
from core.access.passwords import hashed
from core.access.xml.addresses import subnet
from core.access.xml.coverage import Coverage
from core.access.xml.elements import LOCKED, fits, grant_query, identification, is_kept, like_as_regexp
from core.access.xml.losses import Effect, Loss

_SECRET = frozenset({AuthKind.PLAINTEXT, AuthKind.SHA256, AuthKind.DOUBLE_SHA1, AuthKind.SCRAM_SHA256})
_NO_SETTINGS_OF_ROLES = "XML has no settings of roles"
_IP_PATTERN = re.compile(r"[0-9]+\.")  # such a LIKE is about addresses, not about names
_IPV6_PATTERN = re.compile(r"[0-9A-Fa-f]{4}:|::")


@dataclass(slots=True)
class Notes:
    """What is lost of one entity, and whether it must be locked for that."""

    entity: EntityKey
    losses: list[Loss] = field(default_factory=list)
    locked: bool = False

    def lose(self, what: str, why: str, effect: Effect) -> None:
        """Note a loss; LOCKED locks the user."""
        self.losses.append(Loss(self.entity, what, why, effect))
        self.locked = self.locked or effect is Effect.LOCKED


def way_in(user: User, notes: Notes) -> str:
    """The element for the first of the user's methods that XML can hold whole, or the lock."""
    reasons = []
    for method in user.methods:
        element, reason = _whole_method(method)
        if element is None:
            reasons.append(reason)
            continue
        if len(user.methods) > 1:
            notes.lose("the other ways to identify it", "XML has one for each user", Effect.NARROWED)
        return element
    notes.lose("the way to identify it", "; ".join(dict.fromkeys(reasons)) or "it has none", Effect.LOCKED)
    return LOCKED


def _whole_method(method: Authentication) -> tuple[str | None, str]:
    """The element for a method, or None and the reason."""
    if method.valid_until or method.valid_for is not None:
        return None, "XML has no end of validity"
    if method.grants is not None:
        return None, "XML has no grants of a credential"
    if method.kind is AuthKind.SSH_KEY:
        return _ssh_keys(method), "XML cannot hold its key"
    if method.kind in (AuthKind.DEFAULT, AuthKind.SHA256, AuthKind.DOUBLE_SHA1) and method.password is not None:
        method = hashed(method, salted=False)
    if method.salt:
        return None, "XML has no salt of a password hash"
    if method.kind in (AuthKind.BCRYPT, AuthKind.NO_AUTHENTICATION, AuthKind.DEFAULT):
        return None, f"XML has no {method.kind or 'password of the default type'}"
    if method.kind in _SECRET and method.password is None and method.hash is None:
        return None, "its password or hash is not known"
    if method.kind is AuthKind.PLAINTEXT and is_kept(method.password or ""):
        return f"<password>{escape(method.password or '')}</password>", ""
    if method.kind is AuthKind.SSL_CERTIFICATE and not method.names:
        return None, "it names no certificate"
    return identification(method), f"XML cannot hold its {method.kind}"


def _ssh_keys(method: Authentication) -> str | None:
    if not all(fits(key.key) and fits(key.type) for key in method.keys):
        return None
    keys = (
        f"<ssh_key><type>{escape(key.type)}</type><base64_key>{escape(key.key)}</base64_key></ssh_key>"
        for key in method.keys
    )
    return f"<ssh_keys>{''.join(keys)}</ssh_keys>"


def networks(hosts: Hosts, notes: Notes) -> str:
    """The `<networks>` of a user: where it may come from, or less."""
    if hosts.any:
        return "<networks><ip>::/0</ip></networks>"
    places = [("ip", "::1"), ("ip", "127.0.0.1")] if hosts.local else []
    places += [("ip" if subnet(address) else "", address) for address in hosts.addresses]
    places += [("host", name) for name in hosts.names]
    places += [("host_regexp", pattern) for pattern in hosts.patterns]
    places += [_like(like) for like in hosts.likes]
    written = [(tag, text) for tag, text in places if tag and is_kept(text)]
    if len(written) < len(places):
        notes.lose("some of its hosts", "XML cannot hold them", Effect.NARROWED)
    if hosts.likes:
        notes.lose("HOST LIKE", "XML has addresses, names and regular expressions, which say the same", Effect.CHANGED)
    return f"<networks>{''.join(f'<{tag}>{escape(text)}</{tag}>' for tag, text in written)}</networks>"


def _like(like: str) -> tuple[str, str]:
    """The element for a LIKE pattern; one without a tag is none.

    A pattern of addresses must not become one of names, which whoever owns a domain can choose.
    """
    if _IP_PATTERN.match(like):
        octets = like.split(".")
        if len(octets) != 4 or not all(octet == "%" or octet.isdigit() for octet in octets):
            return "", like
        prefix = ".".join("0" if octet == "%" else octet for octet in octets)
        mask = ".".join("0" if octet == "%" else "255" for octet in octets)
        return ("ip" if subnet(f"{prefix}/{mask}") else ""), f"{prefix}/{mask}"
    if _IPV6_PATTERN.match(like):
        return ("ip" if subnet(like) and not set(like) & set("%_") else ""), like
    if not set(like) & set("%_\\"):
        return "host", like
    return "host_regexp", like_as_regexp(like)


def user_grants(model: AccessModel, coverage: Coverage, user: User, written_roles: set[str], notes: Notes) -> str:
    """The `<grants>` of a user: its rights, and those of its roles that are active when it comes in."""
    holder = Holder(EntityKind.USER, user.name)
    granted = model.granted_roles.get(holder, {})
    roles = coverage.default_roles(user)
    if set(granted) - set(roles):
        notes.lose("the roles that are not its default roles", "in XML every role is a default role", Effect.NARROWED)
    if any(name in model.roles and model.roles[name].settings for name in coverage.active_roles(user)):
        notes.lose("the settings of its roles", _NO_SETTINGS_OF_ROLES, Effect.LOCKED)
    if not user.grantees.everyone or user.grantees.excepted:
        if _may_pass_on(model, coverage, user):
            notes.lose("GRANTEES", "in XML it could grant to anyone", Effect.LOCKED)
        else:
            notes.lose("GRANTEES", "XML has none; the user has nothing to grant", Effect.NARROWED)
    return grants(model, holder, {role: roles[role] for role in granted if role in roles}, written_roles, notes)


def _may_pass_on(model: AccessModel, coverage: Coverage, user: User) -> bool:
    """Whether the user has anything, by itself or by a role, that it may grant to others."""
    holders = [Holder(EntityKind.USER, user.name)]
    holders += [Holder(EntityKind.ROLE, role) for role in coverage.active_roles(user)]
    return any(
        any(isinstance(statement, Grant) and statement.grant_option for statement in model.rights.get(holder, ()))
        or any(model.granted_roles.get(holder, {}).values())
        for holder in holders
    )


def grants(model: AccessModel, holder: Holder, roles: dict[str, bool], written_roles: set[str], notes: Notes) -> str:
    """The `<grants>` of a user or role. Without the element a user would have nearly every right."""
    queries: list[str] = []
    for statement in model.rights.get(holder, ()):
        if problem := _unwritable(statement):
            # A grant that is not there gives nothing; a revoke that is not there leaves something.
            effect = Effect.NARROWED if isinstance(statement, Grant) else Effect.LOCKED
            notes.lose("some of its rights", problem, effect)
            continue
        if isinstance(statement, Grant) and statement.replace_option:
            queries.clear()
        queries.append(grant_query(statement, holder.name))
    if missing := sorted(set(roles) - written_roles):
        notes.lose(f"its role {', '.join(missing)}", "that role is not written", Effect.NARROWED)
    for admin in (False, True):
        names = tuple(role for role, option in sorted(roles.items()) if option is admin and role in written_roles)
        if names:
            queries.append(grant_query(Grant(roles=names, admin_option=admin), holder.name))
    return f"<grants>{''.join(queries)}</grants>"


def _unwritable(statement: Grant | Revoke) -> str:
    if isinstance(statement, Grant) and statement.current:
        return "XML takes CURRENT GRANTS for all that is named in it"
    if any(right.parameter is None and right.database == CURRENT_DATABASE for right in statement.rights):
        return "XML has no current database"
    return "" if statement.rights else "it names no rights"


def default_database(user: User, notes: Notes) -> str:
    """The `<default_database>` of a user, if it has one that XML can hold."""
    if not user.default_database:
        return ""
    if not is_kept(user.default_database):
        notes.lose("DEFAULT DATABASE", "XML cannot hold its name", Effect.NARROWED)
        return ""
    return f"<default_database>{escape(user.default_database)}</default_database>"
