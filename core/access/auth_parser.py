"""Reads how users are identified and from where. Source: https://clickhouse.com/docs/sql-reference/statements/create/user."""

from __future__ import annotations

from dataclasses import replace

from core.access.cursor import Cursor
from core.access.grant_parser import parse_rights
from core.access.model import Authentication, AuthKind, Hosts, Interval, SshKey
from core.access.tokenizer import Kind

_HASHED = {
    "SHA256_HASH": AuthKind.SHA256,
    "DOUBLE_SHA1_HASH": AuthKind.DOUBLE_SHA1,
    "BCRYPT_HASH": AuthKind.BCRYPT,
    "SCRAM_SHA256_HASH": AuthKind.SCRAM_SHA256,
}
_PASSWORDS = {
    "PLAINTEXT_PASSWORD": AuthKind.PLAINTEXT,
    "SHA256_PASSWORD": AuthKind.SHA256,
    "DOUBLE_SHA1_PASSWORD": AuthKind.DOUBLE_SHA1,
    "BCRYPT_PASSWORD": AuthKind.BCRYPT,
    "SCRAM_SHA256_PASSWORD": AuthKind.SCRAM_SHA256,
}
_OTHERS = {
    "NO_PASSWORD": AuthKind.NO_PASSWORD,
    "NO_AUTHENTICATION": AuthKind.NO_AUTHENTICATION,
    "LDAP": AuthKind.LDAP,
    "KERBEROS": AuthKind.KERBEROS,
    "SSL_CERTIFICATE": AuthKind.SSL_CERTIFICATE,
    "SSH_KEY": AuthKind.SSH_KEY,
    "HTTP": AuthKind.HTTP,
}
_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")


def parse_identified(cursor: Cursor) -> tuple[Authentication, ...] | None:
    """`NOT IDENTIFIED` or `IDENTIFIED …` with all its methods if it comes next, else None."""
    if cursor.words("NOT IDENTIFIED"):
        return (Authentication(),)
    if not cursor.words("IDENTIFIED"):
        return None
    if cursor.at_words("BY"):
        first = _with_limits(cursor, _password(cursor, AuthKind.DEFAULT))
    else:
        cursor.words("WITH")
        first = _method(cursor)
    methods = [first]
    while cursor.at_symbol(",") and cursor.peek().text.upper() in _HASHED | _PASSWORDS | _OTHERS:
        cursor.take()
        methods.append(_method(cursor))
    return tuple(methods)


def parse_validity(cursor: Cursor) -> tuple[str, Interval | None] | None:
    """`VALID UNTIL '…'` or `VALID FOR INTERVAL …` if it comes next, else None."""
    if cursor.words("VALID UNTIL"):
        return cursor.string("a moment in quotes"), None
    if not cursor.words("VALID FOR"):
        return None
    for unit in _UNITS:  # ClickHouse writes `INTERVAL 30 DAY` as toIntervalDay(30)
        if cursor.words(f"TOINTERVAL{unit}"):
            cursor.need_symbol("(")
            amount = _amount(cursor)
            cursor.need_symbol(")")
            return "", Interval(amount, unit)
    cursor.need_words("INTERVAL")
    amount = _amount(cursor)
    for unit in _UNITS:
        if cursor.words(unit) or cursor.words(f"{unit}S"):
            return "", Interval(amount, unit)
    cursor.fail("a unit of time")


def parse_hosts(cursor: Cursor) -> Hosts:
    """What follows HOST: one or more places, comma-separated; a bare string goes on with the kind before it."""
    hosts = Hosts()
    kind = ""
    while True:
        if cursor.words("ANY"):
            hosts = replace(hosts, any=True)
        elif cursor.words("LOCAL"):
            hosts = replace(hosts, local=True)
        elif not cursor.words("NONE"):
            kind = cursor.one_of("IP", "NAME", "REGEXP", "LIKE") or kind
            if not kind:
                cursor.fail("ANY, NONE, LOCAL, IP, NAME, REGEXP or LIKE")
            hosts = _with_host(hosts, kind, cursor.string("a host in quotes"))
        if not cursor.symbol(","):
            return hosts


def merge_hosts(first: Hosts | None, second: Hosts) -> Hosts:
    """Two HOST clauses of one statement as one."""
    if first is None:
        return second
    return Hosts(
        first.any or second.any,
        first.local or second.local,
        first.addresses + second.addresses,
        first.names + second.names,
        first.patterns + second.patterns,
        first.likes + second.likes,
    )


def _with_host(hosts: Hosts, kind: str, host: str) -> Hosts:
    if kind == "IP":
        return replace(hosts, addresses=(*hosts.addresses, host))
    if kind == "NAME":
        return replace(hosts, names=(*hosts.names, host))
    if kind == "REGEXP":
        return replace(hosts, patterns=(*hosts.patterns, host))
    return replace(hosts, any=True) if host == "%" else replace(hosts, likes=(*hosts.likes, host))


def _method(cursor: Cursor) -> Authentication:
    word = cursor.token.text.upper() if cursor.token.kind is Kind.WORD else ""
    if word in _HASHED:
        cursor.take()
        cursor.need_words("BY")
        secret = cursor.string("a hash in quotes")
        salt = cursor.string("a salt in quotes") if cursor.words("SALT") else ""
        method = Authentication(_HASHED[word], hash=secret, salt=salt)
    elif word in _PASSWORDS:
        cursor.take()
        method = _password(cursor, _PASSWORDS[word])
    elif word in _OTHERS:
        cursor.take()
        method = _external(cursor, _OTHERS[word])
    else:
        cursor.fail("a way to identify the user")
    return _with_limits(cursor, method)


def _password(cursor: Cursor, kind: AuthKind) -> Authentication:
    # Without BY it is how ClickHouse shows a user whose secret it keeps to itself.
    return Authentication(kind, password=cursor.string("a password in quotes") if cursor.words("BY") else None)


def _external(cursor: Cursor, kind: AuthKind) -> Authentication:
    if kind is AuthKind.LDAP:
        cursor.need_words("SERVER")
        return Authentication(kind, server=cursor.string("a server in quotes"))
    if kind is AuthKind.KERBEROS:
        return Authentication(kind, realm=cursor.string("a realm in quotes") if cursor.words("REALM") else "")
    if kind is AuthKind.SSL_CERTIFICATE:
        alternative = cursor.one_of("CN", "SAN") == "SAN"
        return Authentication(kind, names=_strings(cursor, "a name in quotes"), alternative=alternative)
    if kind is AuthKind.SSH_KEY:
        cursor.need_words("BY")
        return Authentication(kind, keys=_ssh_keys(cursor))
    if kind is AuthKind.HTTP:
        cursor.need_words("SERVER")
        server = cursor.string("a server in quotes")
        return Authentication(kind, server=server, scheme=cursor.string("a scheme") if cursor.words("SCHEME") else "")
    return Authentication(kind)


def _strings(cursor: Cursor, what: str) -> tuple[str, ...]:
    values = [cursor.string(what)]
    while cursor.at_symbol(",") and cursor.peek().kind is Kind.STRING:
        cursor.take()
        values.append(cursor.string(what))
    return tuple(values)


def _ssh_keys(cursor: Cursor) -> tuple[SshKey, ...]:
    keys: list[SshKey] = []
    while True:
        cursor.need_words("KEY")
        key = cursor.name("a public key")
        cursor.need_words("TYPE")
        keys.append(SshKey(key, cursor.name("the type of a key")))
        if not (cursor.at_symbol(",") and cursor.peek().text.upper() == "KEY"):
            return tuple(keys)
        cursor.take()


def _with_limits(cursor: Cursor, method: Authentication) -> Authentication:
    """The validity and GRANTS that follow a method hold for that method."""
    if validity := parse_validity(cursor):
        method = replace(method, valid_until=validity[0], valid_for=validity[1])
    if cursor.words("GRANTS"):
        cursor.need_symbol("(")
        method = replace(method, grants=parse_rights(cursor) if not cursor.at_symbol(")") else ())
        cursor.need_symbol(")")
    return method


def _amount(cursor: Cursor) -> int:
    token = cursor.take()
    if token.kind not in (Kind.NUMBER, Kind.STRING) or not token.text.isdigit():
        cursor.fail("a whole number")
    return int(token.text)
