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
    Move,
    Revoke,
    SetDefaultRole,
    Statement,
)
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota
from core.access.render_grants import (
    identifier,
    name_set,
    render_grant,
    render_revoke,
    render_rights,
    string,
)
from core.access.render_parts import (
    alter_head,
    create_head,
    names,
    on_cluster,
    render_drop,
    settings,
    settings_change,
    words,
)
from core.access.render_parts import setting_element as setting_element
from core.access.render_policies import (
    policy_names,
    render_alter_masking_policy,
    render_alter_row_policy,
    render_create_masking_policy,
    render_create_row_policy,
)
from core.access.render_profiles import render_alter_profile, render_create_profile
from core.access.render_quotas import render_alter_quota, render_create_quota
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile

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
            return words(create_head("ROLE", statement, names(statement.names)), settings(statement.settings))
        case AlterRole():
            return words(_alter_head("ROLE", statement), settings_change(statement.settings))
        case CreateQuota():
            return render_create_quota(statement)
        case AlterQuota():
            return render_alter_quota(statement)
        case CreateSettingsProfile():
            return render_create_profile(statement)
        case AlterSettingsProfile():
            return render_alter_profile(statement)
        case CreateRowPolicy():
            return render_create_row_policy(statement)
        case AlterRowPolicy():
            return render_alter_row_policy(statement)
        case CreateMaskingPolicy():
            return render_create_masking_policy(statement)
        case AlterMaskingPolicy():
            return render_alter_masking_policy(statement)
        case Drop():
            return render_drop(statement, names(statement.names))
        case DropPolicy():
            return render_drop(statement, policy_names(statement.names))
        case Move():
            return _move(statement)
        case SetDefaultRole():
            return f"SET DEFAULT ROLE {name_set(statement.roles)} TO {name_set(statement.users)}"


def _move(statement: Move) -> str:
    policies = [name for name in statement.names if isinstance(name, PolicyName)]
    listed = policy_names(policies) if policies else names([str(name) for name in statement.names])
    return words(f"MOVE {statement.kind} {listed} TO {identifier(statement.storage)}", on_cluster(statement.cluster))


def _create_user(statement: CreateUser) -> str:
    return words(
        create_head("USER", statement, _names_at_hosts(statement.names, statement.at_hosts)),
        _validity(statement.valid_until, statement.valid_for),
        _identified(statement.methods),
        _hosts("HOST", statement.hosts),
        _default_database(statement.default_database),
        f"ROLE {names(statement.roles)}" if statement.roles else "",
        f"DEFAULT ROLE {name_set(statement.default_roles)}" if statement.default_roles is not None else "",
        settings(statement.settings),
        f"GRANTEES {name_set(statement.grantees, 'ANY')}" if statement.grantees is not None else "",
    )


def _alter_user(statement: AlterUser) -> str:
    add = "ADD " if statement.add_methods else ""
    return words(
        _alter_head("USER", statement),
        _validity(statement.valid_until, statement.valid_for),
        add + _identified(statement.methods) if statement.methods else "",
        _hosts("HOST", statement.hosts),
        _hosts("ADD HOST", statement.add_hosts),
        _hosts("DROP HOST", statement.drop_hosts),
        "RESET AUTHENTICATION METHODS TO NEW" if statement.reset_methods else "",
        _default_database(statement.default_database),
        f"DEFAULT ROLE {name_set(statement.default_roles)}" if statement.default_roles is not None else "",
        settings_change(statement.settings),
        f"GRANTEES {name_set(statement.grantees, 'ANY')}" if statement.grantees is not None else "",
    )


def _names_at_hosts(names: Sequence[str], at_hosts: Sequence[str]) -> str:
    found = [identifier(name) for name in names]
    for index, host in enumerate(at_hosts):
        if host:
            found[index] = f"{identifier(names[index].removesuffix(f'@{host}'))}@{string(host)}"
    return ", ".join(found)


def _alter_head(kind: str, statement: AlterUser | AlterRole) -> str:
    renaming = f"RENAME TO {string(statement.rename_to)}" if statement.rename_to else ""
    head = alter_head(kind, names(statement.names), if_exists=statement.if_exists, cluster=statement.cluster)
    return words(head, renaming)


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
    return words(word, _validity(method.valid_until, method.valid_for), grants)


def _hosts(word: str, hosts: Hosts | None) -> str:
    if hosts is None:
        return ""
    if hosts.any:
        return f"{word} ANY"
    parts = ["LOCAL"] if hosts.local else []
    listed = (("IP", hosts.addresses), ("NAME", hosts.names), ("REGEXP", hosts.patterns), ("LIKE", hosts.likes))
    parts += [f"{kind} {', '.join(map(string, values))}" for kind, values in listed if values]
    return f"{word} {', '.join(parts) or 'NONE'}"
