"""Statements as SQL, in the form in which ClickHouse itself shows them."""

from __future__ import annotations

from collections.abc import Sequence

from core.access.model import (
    AlterRole,
    AlterUser,
    Authentication,
    AuthKind,
    CreateRole,
    CreateUser,
    Drop,
    Grant,
    Hosts,
    Interval,
    Revoke,
    SetDefaultRole,
    SettingElement,
    SettingsChange,
    Statement,
)
from core.access.render_grants import (
    identifier,
    name_set,
    quoted_identifier,
    render_grant,
    render_revoke,
    render_rights,
    string,
)

_HASH_WORDS = {
    AuthKind.SHA256: "sha256_hash",
    AuthKind.DOUBLE_SHA1: "double_sha1_hash",
    AuthKind.BCRYPT: "bcrypt_hash",
    AuthKind.SCRAM_SHA256: "scram_sha256_hash",
}


def render(statement: Statement) -> str:
    """The SQL of a statement; `parse_statement` reads it back to a value that renders the same."""
    match statement:
        case Grant():
            return render_grant(statement)
        case Revoke():
            return render_revoke(statement)
        case CreateUser():
            return _create_user(statement)
        case AlterUser():
            return _alter_user(statement)
        case CreateRole():
            return _words(*_create_head("ROLE", statement), _settings(statement.settings))
        case AlterRole():
            return _words(*_alter_head("ROLE", statement), _settings_change(statement.settings))
        case Drop():
            exists = "IF EXISTS" if statement.if_exists else ""
            storage = f"FROM {identifier(statement.storage)}" if statement.storage else ""
            head = _words(f"DROP {statement.kind}", exists, _names(statement.names), storage)
            return _words(head, _cluster(statement.cluster))
        case SetDefaultRole():
            return f"SET DEFAULT ROLE {name_set(statement.roles)} TO {name_set(statement.users)}"


def _create_user(statement: CreateUser) -> str:
    return _words(
        *_create_head("USER", statement, statement.at_hosts),
        _validity(statement.valid_until, statement.valid_for),
        _identified(statement.methods),
        _hosts("HOST", statement.hosts),
        _default_database(statement.default_database),
        f"ROLE {_names(statement.roles)}" if statement.roles else "",
        f"DEFAULT ROLE {name_set(statement.default_roles)}" if statement.default_roles is not None else "",
        _settings(statement.settings),
        f"GRANTEES {name_set(statement.grantees, 'ANY')}" if statement.grantees is not None else "",
    )


def _alter_user(statement: AlterUser) -> str:
    add = "ADD " if statement.add_methods else ""
    return _words(
        *_alter_head("USER", statement),
        _validity(statement.valid_until, statement.valid_for),
        add + _identified(statement.methods) if statement.methods else "",
        _hosts("HOST", statement.hosts),
        _hosts("ADD HOST", statement.add_hosts),
        _hosts("DROP HOST", statement.drop_hosts),
        "RESET AUTHENTICATION METHODS TO NEW" if statement.reset_methods else "",
        _default_database(statement.default_database),
        f"DEFAULT ROLE {name_set(statement.default_roles)}" if statement.default_roles is not None else "",
        _settings_change(statement.settings),
        f"GRANTEES {name_set(statement.grantees, 'ANY')}" if statement.grantees is not None else "",
    )


def _create_head(kind: str, statement: CreateUser | CreateRole, at_hosts: Sequence[str] = ()) -> Sequence[str]:
    names = [identifier(name) for name in statement.names]
    for index, host in enumerate(at_hosts):
        if host:
            names[index] = f"{identifier(statement.names[index].removesuffix(f'@{host}'))}@{string(host)}"
    return (
        f"CREATE {kind}",
        "IF NOT EXISTS" if statement.if_not_exists else "",
        "OR REPLACE" if statement.or_replace else "",
        ", ".join(names),
        f"IN {identifier(statement.storage)}" if statement.storage else "",
        _cluster(statement.cluster),
    )


def _alter_head(kind: str, statement: AlterUser | AlterRole) -> Sequence[str]:
    return (
        f"ALTER {kind}",
        "IF EXISTS" if statement.if_exists else "",
        _names(statement.names),
        _cluster(statement.cluster),
        f"RENAME TO {string(statement.rename_to)}" if statement.rename_to else "",
    )


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))


def _cluster(name: str) -> str:
    return f"ON CLUSTER {identifier(name)}" if name else ""


def _default_database(name: str | None) -> str:
    if name is None:
        return ""
    return f"DEFAULT DATABASE {identifier(name) if name else 'NONE'}"


def _validity(until: str, span: Interval | None) -> str:
    if span is not None:
        return f"VALID FOR toInterval{span.unit.capitalize()}({span.amount})"
    return f"VALID UNTIL {string(until)}" if until else ""


def _identified(methods: Sequence[Authentication] | None) -> str:
    if not methods:
        return ""
    if methods[0].kind is AuthKind.DEFAULT:
        return f"IDENTIFIED {', '.join(map(_method, methods))}"
    return f"IDENTIFIED WITH {', '.join(map(_method, methods))}"


def _method(method: Authentication) -> str:
    word: str = method.kind
    if method.hash is not None:
        word = f"{_HASH_WORDS[method.kind]} BY {string(method.hash)}"
        word += f" SALT {string(method.salt)}" if method.salt else ""
    elif method.password is not None:
        word = f"{method.kind} BY {string(method.password)}".lstrip()
    elif method.keys:
        keys = (f"KEY {identifier(key.key)} TYPE {identifier(key.type)}" for key in method.keys)
        word += f" BY {', '.join(keys)}"
    elif method.names:
        word += f" {'SAN' if method.alternative else 'CN'} {', '.join(map(string, method.names))}"
    word += f" SERVER {string(method.server)}" if method.server else ""
    word += f" REALM {string(method.realm)}" if method.realm else ""
    word += f" SCHEME {string(method.scheme)}" if method.scheme else ""
    grants = f"GRANTS ({render_rights(method.grants)})" if method.grants is not None else ""
    return _words(word, _validity(method.valid_until, method.valid_for), grants)


def _hosts(word: str, hosts: Hosts | None) -> str:
    if hosts is None:
        return ""
    if hosts.any:
        return f"{word} ANY"
    parts = ["LOCAL"] if hosts.local else []
    listed = (("IP", hosts.addresses), ("NAME", hosts.names), ("REGEXP", hosts.patterns), ("LIKE", hosts.likes))
    parts += [f"{kind} {', '.join(map(string, values))}" for kind, values in listed if values]
    return f"{word} {', '.join(parts) or 'NONE'}"


def _settings(elements: Sequence[SettingElement]) -> str:
    return f"SETTINGS {', '.join(map(setting_element, elements))}" if elements else ""


def setting_element(element: SettingElement) -> str:
    """One element of SETTINGS."""
    if element.profile:
        return f"PROFILE {quoted_identifier(element.profile)}"
    return _words(
        _setting_name(element.name),
        f"= {element.value}" if element.value is not None else "",
        f"MIN {element.min}" if element.min is not None else "",
        f"MAX {element.max}" if element.max is not None else "",
        element.writability,
    )


def _settings_change(change: SettingsChange | None) -> str:
    if change is None:
        return ""
    clauses = ["DROP ALL SETTINGS"] if change.drop_all_settings else []
    clauses += ["DROP ALL PROFILES"] if change.drop_all_profiles else []
    if change.drop_settings:
        clauses.append(
            f"DROP {_counted('SETTING', change.drop_settings)} {', '.join(map(_setting_name, change.drop_settings))}"
        )
    if change.drop_profiles:
        profiles = ", ".join(map(quoted_identifier, change.drop_profiles))
        clauses.append(f"DROP {_counted('PROFILE', change.drop_profiles)} {profiles}")
    for word, elements in (("ADD", change.add), ("MODIFY", change.modify)):
        settings = [setting_element(element) for element in elements if not element.profile]
        clauses += [f"{word} {setting_element(element)}" for element in elements if element.profile]
        clauses += [f"{word} {_counted('SETTING', settings)} {', '.join(settings)}"] if settings else []
    return ", ".join(clauses)


def _setting_name(name: str) -> str:
    return ".".join(map(identifier, name.split(".")))


def _counted(word: str, items: Sequence[str]) -> str:
    return word if len(items) == 1 else f"{word}S"
