"""What a profile says of Databricks Partner Connect: the table `partner` and those within it."""

from __future__ import annotations

import ipaddress
import re
from typing import TypeVar
from urllib.parse import urlsplit

from core.profiles.addresses import domain_problem, host_problem, host_with_port_problem, within_domain
from core.profiles.partner import (
    ACCOUNT_RULES,
    AUTH_OPTIONS,
    CALLBACK_PATH,
    CONNECTOR_TYPES,
    INTEGRATIONS,
    NEW_USER_ACTIONS,
    SERVED_PATHS,
    TRIAL_TYPES,
    AccountPolicy,
    AuthOption,
    ClickHouseAddress,
    EndpointPaths,
    OfferedConnector,
    PagePolicy,
    PartnerPolicy,
    ResourceTemplate,
    ServicePolicy,
    TrialPolicy,
)
from core.profiles.tables import Table, file_problem, key_problem, shown

Word = TypeVar("Word", bound=str)

USUAL = PartnerPolicy("")  # what need not be written, and what must
LONGEST_TRIAL = 3650  # days
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_PATTERN = re.compile(r"(?:[A-Za-z0-9_.-]|\{(?:account|user)\})+")
_APP_ID = re.compile(r"[\x21-\x7e]{1,200}")
_PRIVILEGE = re.compile(r"[A-Z]+(?: [A-Z]+)*")
_NOTHING = frozenset(("USAGE", "NONE", "NO PRIVILEGES"))  # ClickHouse takes them as privileges
# On a database ClickHouse gives with it, by their names: CREATE USER, ALTER USER, IMPERSONATE and the like on users and
# roles that are named as the database (which a role of the template is), beside CREATE ROW POLICY, BACKUP and SYSTEM.
_TOO_MUCH = frozenset(("ALL", "ALL PRIVILEGES", "ACCESS MANAGEMENT"))


def read_partner(table: Table) -> PartnerPolicy | None:
    """The table `partner` within that of a profile; None when there is none."""
    if not table.has("partner") or not isinstance(table.values["partner"], dict):
        table.table("partner")
        return None
    partner = table.table("partner")
    base_url, hostnames = _address(partner)
    options, published = _auth(partner)
    return PartnerPolicy(
        base_url,
        _word(partner, "integration", INTEGRATIONS, USUAL.integration),
        options,
        published,
        _redirect_uri(partner, options, published, hostnames),
        _app_id(partner, options, published),
        _word(partner, "new_user_action", NEW_USER_ACTIONS, USUAL.new_user_action),
        partner.flag("require_manual_signup", USUAL.require_manual_signup),
        partner.flag("supports_demo", USUAL.supports_demo),
        partner.flag("test_hooks", USUAL.test_hooks),
        hostnames,
        _trial(partner.table("trial")),
        _accounts(partner.table("accounts")),
        _pages(partner.table("pages"), hostnames),
        _endpoints(partner.table("endpoints"), _path_of(partner, "oauth_redirect_uri")),
        _resources(partner.table("resources")),
        _service(partner.table("service")),
        _clickhouse(partner.table("clickhouse")),
        partner.secret("sealing_keys"),
        _connectors(partner),
        partner.text("name") or None,
    )


def _word(table: Table, key: str, words: tuple[Word, ...], default: Word) -> Word:
    """One of a few words, of their own type."""
    chosen = table.choice(key, words, default)
    return next(word for word in words if word == chosen)


def _address(table: Table) -> tuple[str, tuple[str, ...]]:
    """The base URL and the hosts that users may be led to, of which its own is one."""
    if not table.has("base_url"):
        table.note(None, 'has no base_url; write base_url = "https://HOST", where users reach the service')
    base_url = _url(table, "base_url") or ""
    hostnames = table.texts("hostnames")
    for name in hostnames:
        if problem := host_problem(name):
            table.note("hostnames", f"{shown(name)} {_alone(problem)}")
    host = urlsplit(base_url).hostname or ""
    if urlsplit(base_url).path.strip("/"):
        table.note("base_url", "must end after its host: the pages of the service are at the root of it")
    if base_url and hostnames and not _is_allowed(host, hostnames):
        table.note("hostnames", f"must hold the host of base_url, {shown(host)}, for users are led there")
    return base_url.rstrip("/"), hostnames or ((host,) if host else ())


def _alone(problem: str) -> str:
    """What is wrong with a host, for a table that has no `url` or `port` to write the rest of it in."""
    what, more, _ = problem.partition(";")
    return f"{what}; write its host alone" if more else what


def _auth(table: Table) -> tuple[tuple[AuthOption, ...], bool]:
    chosen = table.texts("auth_options")
    for option in chosen:
        if option not in AUTH_OPTIONS:
            table.note("auth_options", f"{shown(option)} is none of {', '.join(AUTH_OPTIONS)}")
    options = tuple(option for option in AUTH_OPTIONS if option in chosen)
    if table.has("auth_options") and table.values["auth_options"] == []:
        table.note("auth_options", f"must name at least one of {', '.join(AUTH_OPTIONS)}")
    if {"AUTH_PAT", "AUTH_OAUTH_M2M"} <= set(options):
        table.note("auth_options", "AUTH_PAT and AUTH_OAUTH_M2M exclude each other; keep one of them")
    published = table.flag("is_published_app", USUAL.is_published_app)
    if published and "AUTH_OAUTH_U2M" not in options:
        table.note("is_published_app", "has no use without AUTH_OAUTH_U2M in auth_options")
    return options or USUAL.auth_options, published


def _redirect_uri(
    table: Table, options: tuple[AuthOption, ...], published: bool, hostnames: tuple[str, ...]
) -> str | None:
    """Where Databricks sends a user back to in OAuth: told to Databricks unless the app is a published one."""
    per_workspace = "AUTH_OAUTH_U2M" in options and not published
    uri = _url(table, "oauth_redirect_uri")
    if table.has("oauth_redirect_uri") and not per_workspace:
        table.note("oauth_redirect_uri", "has a use only with AUTH_OAUTH_U2M and an app that is not published")
    elif per_workspace and not table.has("oauth_redirect_uri"):
        table.note("auth_options", "AUTH_OAUTH_U2M with an app in each workspace needs oauth_redirect_uri too")
    elif uri:
        _check_allowed(table, "oauth_redirect_uri", uri, hostnames)
        path = urlsplit(uri).path or "/"
        if path in SERVED_PATHS and path != CALLBACK_PATH:
            table.note("oauth_redirect_uri", f"must not end in {shown(path)}, where the service has another page")
    return uri


def _app_id(table: Table, options: tuple[AuthOption, ...], published: bool) -> str | None:
    """By which id Databricks knows the published app; of an app in each workspace, connect tells it."""
    app_id = table.text("oauth_app_id")
    if not published:
        if table.has("oauth_app_id"):
            table.note("oauth_app_id", "has a use only with is_published_app")
    elif not app_id:
        if "AUTH_OAUTH_U2M" in options:
            table.note("is_published_app", "needs oauth_app_id too: without it no user can authorise", blocking=False)
    elif not _APP_ID.fullmatch(app_id):
        table.note("oauth_app_id", "must be the id that Databricks gave the app, without spaces")
    return app_id or None


def _trial(table: Table) -> TrialPolicy:
    usual = USUAL.trial
    kind = _word(table, "type", TRIAL_TYPES, usual.type)
    days, another = table.whole("days", usual.days, 1, LONGEST_TRIAL), table.flag("another", usual.another)
    for key in ("days", "another"):
        if kind == "none" and table.has(key):
            table.note(key, 'has no use without trials; write type = "user" or type = "account"')
    return TrialPolicy(kind, days, another)


def _accounts(table: Table) -> AccountPolicy:
    rule = _word(table, "by", ACCOUNT_RULES, USUAL.accounts.by)
    domains = table.texts("more_free_mail")
    for domain in domains:
        if problem := domain_problem(domain):
            table.note("more_free_mail", f"{shown(domain)} {problem}")
    if domains and rule != "domain":
        table.note("more_free_mail", 'has a use only with by = "domain"')
    return AccountPolicy(rule, tuple(domain.lower() for domain in domains))


def _pages(table: Table, hostnames: tuple[str, ...]) -> PagePolicy:
    pages = {}
    for key in ("sign_in", "sign_up", "purchase", "contact_admin"):
        pages[key] = url = _url(table, key)
        if url:
            _check_allowed(table, key, url, hostnames)
    return PagePolicy(**pages)


def _path_of(table: Table, key: str) -> str:
    """The path of a URL that was checked before; empty when there is none."""
    return urlsplit(table.text(key)).path if table.has(key) and not link_problem(table.text(key)) else ""


def _endpoints(table: Table, callback: str) -> EndpointPaths:
    """Where requests are answered. `callback` is where browsers come back to from an authorization."""
    paths: dict[str, str] = {}
    for key in EndpointPaths.__dataclass_fields__:
        path = table.text(key, getattr(USUAL.endpoints, key))
        if not _PATH.fullmatch(path):
            table.note(key, 'must be a plain path that begins with a slash and does not end with one, as "/connect"')
        elif path in SERVED_PATHS or path == callback:
            table.note(key, f"must not be {shown(path)}, where the service has a page of its own")
        elif other := next((name for name, taken in paths.items() if taken == path), None):
            table.note(key, f"is the path of {other} already")
        paths[key] = path
    return EndpointPaths(**paths)


def _resources(table: Table) -> ResourceTemplate:
    usual = USUAL.resources
    return ResourceTemplate(
        _pattern(table, "database", "{account}", usual.database),
        _pattern(table, "role", "{account}", usual.role),
        _pattern(table, "user", "{user}", usual.user),
        _privileges(table),
        table.text("quota") or None,
        table.text("settings_profile") or None,
    )


def _privileges(table: Table) -> tuple[str, ...]:
    """What the role of an account may do on its database: something, and not everything."""
    if not table.has("privileges"):
        return USUAL.resources.privileges
    if table.values["privileges"] == []:
        nothing = "the users of an account could do nothing, and not even see its database"
        table.note("privileges", f"must name at least one: {nothing}")
    privileges = table.texts("privileges")
    for privilege in privileges:
        if not _PRIVILEGE.fullmatch(privilege):
            table.note("privileges", f'{shown(privilege)} is not written as a privilege, as "CREATE TABLE"')
        elif privilege in _NOTHING:
            table.note("privileges", f"{shown(privilege)} gives nothing; leave it out")
        elif privilege in _TOO_MUCH:
            more = "row policies, backups, users and roles that are named as the database"
            advice = f"gives its users more than a tenant needs: {more}; name what they need"
            table.note("privileges", f"{shown(privilege)} {advice}")
    return privileges


def _pattern(table: Table, key: str, needed: str, default: str) -> str:
    """A name with placeholders: the one of whom it is for must be there, or two would get the same name."""
    pattern = table.text(key, default)
    other = "{user}" if needed == "{account}" else ""
    if not _PATTERN.fullmatch(pattern) or (other and other in pattern):
        table.note(key, f"must hold letters, digits, _ . - and {needed} only")
    elif needed not in pattern:
        table.note(key, f"must hold {needed}, or all of them would have one name")
    return pattern


def _service(table: Table) -> ServicePolicy:
    usual = USUAL.service
    listen = table.text("listen", usual.listen)
    host, _, port = listen.rpartition(":")
    if wrong := bool(host_with_port_problem(listen)) or not host or not port.isdigit():
        table.note("listen", f'must be a host and a port, as "{usual.listen}"')
    certificate, key = table.file("certificate"), table.file("private_key")
    if key is not None and certificate is None:
        table.note("private_key", "needs certificate beside it")
    for name, file in (("certificate", certificate), ("private_key", key)):
        if file is not None and (problem := file_problem(file)):
            table.note(name, problem, blocking=False)
    private = key or certificate
    if private is not None and (problem := key_problem(private)):
        table.note("private_key" if key else "certificate", problem)
    if certificate is None and not wrong and not _is_loopback(host):
        table.note("listen", "is plain HTTP in the network; give a certificate or listen on 127.0.0.1", blocking=False)
    return ServicePolicy(
        listen,
        certificate,
        key,
        table.whole("max_body", usual.max_body, 4096, 16_777_216),
        table.whole("requests_per_minute", usual.requests_per_minute, 1, 1_000_000),
        table.seconds("read_timeout", usual.read_timeout, 300),
        table.whole("link_minutes", usual.link_minutes, 1, 1440),
        table.flag("metrics", usual.metrics),
        _proxies(table),
    )


def _proxies(table: Table) -> tuple[str, ...]:
    proxies = table.texts("trusted_proxies")
    for proxy in proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            table.note("trusted_proxies", f'{shown(proxy)} is no address and no network, as "10.0.0.0/8"')
    return proxies


def _clickhouse(table: Table) -> ClickHouseAddress:
    """The address that users are told; without a host it is that of the profile."""
    usual = USUAL.clickhouse
    host = table.text("host") or None
    if host and (problem := host_problem(host)):
        table.note("host", _alone(problem) if "://" in host else problem)
    secure = table.flag("secure", usual.secure)
    port = table.whole("port", 0, 1, 65_535) or None
    if not table.has("host"):
        for key in ("port", "secure"):
            if table.has(key):
                table.note(key, "has no use without host; users are told the address of the profile")
        return usual
    return ClickHouseAddress(host, port, secure)


def _connectors(table: Table) -> tuple[OfferedConnector, ...]:
    found: list[OfferedConnector] = []
    for inner in table.tables("connectors"):
        for key in ("identifier", "name"):
            if not inner.has(key):
                inner.note(None, f"has no {key}")
        kind = _word(inner, "type", CONNECTOR_TYPES, "source")
        connector = OfferedConnector(inner.text("identifier"), inner.text("name"), kind, inner.text("description"))
        if connector.identifier and connector.identifier in {other.identifier for other in found}:
            inner.note("identifier", f"{shown(connector.identifier)} is said twice")
        found.append(connector)
    return tuple(found)


def _url(table: Table, key: str) -> str | None:
    url = table.text(key)
    if url and (problem := link_problem(url)):
        table.note(key, problem)
        return None
    return url or None


def link_problem(url: str) -> str:
    """Why users cannot be led to `url`, as the end of a sentence; empty when they can. It is never repeated there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read; write it as https://host/path"
    if parts.username is not None or parts.password is not None:
        return "holds a login; a link that users follow must have none"
    if parts.scheme not in ("http", "https") or not host or port == 0 or host_problem(host):
        return "must be a URL as https://host/path"
    if parts.scheme == "http" and not _is_loopback(host):
        return "must begin with https://, for a password is typed behind it; http:// is for this machine alone"
    if parts.query or parts.fragment or re.search(r"\s", url):
        return "must end after its path"
    return ""


def _check_allowed(table: Table, key: str, url: str, hostnames: tuple[str, ...]) -> None:
    host = urlsplit(url).hostname or ""
    if not _is_allowed(host, hostnames):
        table.note(key, f"leads to {shown(host)}, which is not in hostnames; Databricks would not lead a user there")


def _is_allowed(host: str, hostnames: tuple[str, ...]) -> bool:
    return any(within_domain(host, name) for name in hostnames)


def _is_loopback(host: str) -> bool:
    host = host.strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
