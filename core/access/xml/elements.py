"""Access as elements of a configuration: the texts that the embedded engine's projection and exported files share.

Source: ClickHouse's `UsersConfigParser.cpp`, read the other way round.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from core.access.model import Authentication, AuthKind, Grant, Revoke
from core.access.render import render
from core.access.render_grants import identifier

# A hash of which nobody knows a password.
LOCKED = f"<!-- locked --><password_sha256_hex>{'0' * 64}</password_sha256_hex>"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSAFE = re.compile(rf"{_NOT_XML.pattern}|\r|\$\{{")


def fits(text: str) -> bool:
    """Whether `text` comes back unchanged from ClickHouse's configuration.

    XML has no control characters and no CR, blanks at the ends do not survive every editor, and `${…}` is expanded.
    """
    return bool(text) and text == text.strip() and not _UNSAFE.search(text)


def is_kept(text: str) -> bool:
    """Whether ClickHouse itself reads `text` back unchanged; blanks at the ends it keeps."""
    return not _UNSAFE.search(text)


def identification(method: Authentication) -> str | None:
    """The element for a method, or None where XML has none for it."""
    secret = method.hash or ""
    match method.kind:
        case AuthKind.NO_PASSWORD:
            return "<no_password/>"
        case AuthKind.PLAINTEXT if method.password is not None and fits(method.password):
            return f"<password>{escape(method.password)}</password>"
        case AuthKind.SHA256 if secret:
            return f"<password_sha256_hex>{secret.lower()}</password_sha256_hex>"
        case AuthKind.DOUBLE_SHA1 if secret:
            return f"<password_double_sha1_hex>{secret.lower()}</password_double_sha1_hex>"
        case AuthKind.SCRAM_SHA256 if secret:
            return f"<password_scram_sha256_hex>{secret.lower()}</password_scram_sha256_hex>"
        case AuthKind.LDAP if fits(method.server):
            return f"<ldap><server>{escape(method.server)}</server></ldap>"
        case AuthKind.KERBEROS if not method.realm:
            return "<kerberos/>"
        case AuthKind.KERBEROS if fits(method.realm):
            return f"<kerberos><realm>{escape(method.realm)}</realm></kerberos>"
        case AuthKind.SSL_CERTIFICATE if all(map(fits, method.names)):
            tag = "subject_alt_name" if method.alternative else "common_name"
            names = "".join(f"<{tag}>{escape(name)}</{tag}>" for name in method.names)
            return f"<ssl_certificates>{names}</ssl_certificates>"
        case AuthKind.HTTP if fits(method.server) and (not method.scheme or fits(method.scheme)):
            scheme = f"<scheme>{escape(method.scheme or 'basic')}</scheme>"
            return f"<http_authentication><server>{escape(method.server)}</server>{scheme}</http_authentication>"
    return None


def like_as_regexp(like: str) -> str:
    """A LIKE pattern as the regular expression that matches the same names."""
    parts = []
    position = 0
    while position < len(like):
        character = like[position]
        if character == "\\" and position + 1 < len(like):
            position += 1
            parts.append(re.escape(like[position]))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
        position += 1
    return f"^{''.join(parts)}$"


def grant_query(statement: Grant | Revoke, holder: str) -> str:
    """The `<query>` for a statement about `holder` alone, who is not named in it."""
    if isinstance(statement, Grant):
        text = render(Grant(statement.rights, statement.roles, (holder,)))
        text = text.removesuffix(f" TO {identifier(holder)}")
        text += " WITH GRANT OPTION" * statement.grant_option + " WITH ADMIN OPTION" * statement.admin_option
    else:
        text = render(Revoke(statement.rights, grantees=(holder,), grant_option=statement.grant_option))
        text = text.removesuffix(f" FROM {identifier(holder)}")
    return f"<query>{escape(kept_sql(text))}</query>"


def kept_sql(sql: str) -> str:
    """SQL in which what XML or ClickHouse's configuration would not keep is the escape that SQL has for it.

    Such characters stand only inside quotes.
    """
    return re.sub("[\x00-\x1f\x7f$\ufffe\uffff]", _byte_escapes, sql)


def _byte_escapes(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02X}" for byte in match.group().encode())
