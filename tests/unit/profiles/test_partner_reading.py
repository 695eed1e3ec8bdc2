"""What a profile says of Partner Connect: every key is read and written again, and each problem has its line."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.profiles import Profile, ProfileFile, load
from core.profiles.addresses import within_domain
from core.profiles.partner import (
    AccountPolicy,
    ClickHouseAddress,
    EndpointPaths,
    OfferedConnector,
    PagePolicy,
    PartnerPolicy,
    ResourceTemplate,
    ServicePolicy,
    TrialPolicy,
    written,
)
from core.secrets import SecretReference

WHOLE = """\
[profiles.prod]
engine = "embedded"

[profiles.prod.partner]  # of Databricks
base_url = "https://connect.acme.example/"
name = "Acme Data"
integration = "read-write"
auth_options = ["AUTH_OAUTH_U2M", "AUTH_OAUTH_M2M"]
oauth_redirect_uri = "https://acme.example/oauth"
new_user_action = "invite"
require_manual_signup = true
supports_demo = false
test_hooks = true
hostnames = ["acme.example", "other.example"]
sealing_keys = ["command:cat", "a b"]

[profiles.prod.partner.trial]
type = "user"
days = 30
another = true

[profiles.prod.partner.accounts]
more_free_mail = ["Campus.example"]

[profiles.prod.partner.pages]
sign_in = "https://app.acme.example/in"
sign_up = "https://other.example/up"
purchase = "https://acme.example/buy"
contact_admin = "https://acme.example/help"

[profiles.prod.partner.endpoints]
connect_path = "/v1/connect"
delete_connection_path = "/v1/connection"
test_connection_path = "/v1/test"
delete_account_path = "/v1/account"
expire_account_path = "/v1/user"
get_connectors_path = "/v1/sources"

[profiles.prod.partner.resources]
database = "{account}"
role = "r_{account}"
user = "u_{account}_{user}"
privileges = ["SELECT"]
quota = "partners"
settings_profile = "partner limits"

[profiles.prod.partner.service]
listen = "[::]:443"
certificate = "{certificate}"
private_key = "{key}"
max_body = 8192
requests_per_minute = 60
read_timeout = 2.5
link_minutes = 5
metrics = false
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]

[profiles.prod.partner.clickhouse]
host = "ch.acme.example"
port = 443
secure = false

[[profiles.prod.partner.connectors]]
identifier = "amazon_s3"
name = "Amazon S3"

[[profiles.prod.partner.connectors]]
identifier = "zuora"
name = "Zuora"
type = "target"
description = "Bills"
"""
START = "[profiles.x]\nengine = 'embedded'\n[profiles.x.partner]\n"
URL = START + "base_url = 'https://c.example'\n"


def read(tmp_path: Path, text: str) -> ProfileFile:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.fixture
def whole(tmp_path: Path) -> str:
    text = WHOLE
    for name in ("certificate", "key"):
        file = tmp_path / f"{name}.pem"
        file.touch(0o600)
        text = text.replace(f'"{{{name}}}"', f'"{file}"')
    return text


def test_every_key_is_read(tmp_path: Path, whole: str) -> None:
    file = read(tmp_path, whole)
    assert file.problems == ()
    policy = file.profile("prod").partner
    assert policy == PartnerPolicy(
        "https://connect.acme.example",
        "read-write",
        ("AUTH_OAUTH_M2M", "AUTH_OAUTH_U2M"),
        False,
        "https://acme.example/oauth",
        new_user_action="invite",
        require_manual_signup=True,
        supports_demo=False,
        test_hooks=True,
        hostnames=("acme.example", "other.example"),
        trial=TrialPolicy("user", 30, another=True),
        accounts=AccountPolicy(more_free_mail=("campus.example",)),
        pages=PagePolicy(
            "https://app.acme.example/in",
            "https://other.example/up",
            "https://acme.example/buy",
            "https://acme.example/help",
        ),
        endpoints=EndpointPaths("/v1/connect", "/v1/connection", "/v1/test", "/v1/account", "/v1/user", "/v1/sources"),
        resources=ResourceTemplate(
            "{account}", "r_{account}", "u_{account}_{user}", ("SELECT",), "partners", "partner limits"
        ),
        service=ServicePolicy(
            "[::]:443",
            tmp_path / "certificate.pem",
            tmp_path / "key.pem",
            8192,
            60,
            2.5,
            5,
            False,
            ("127.0.0.1", "10.0.0.0/8"),
        ),
        clickhouse=ClickHouseAddress("ch.acme.example", 443, False),
        sealing_keys=SecretReference.parse(["command:cat", "a b"]),
        connectors=(OfferedConnector("amazon_s3", "Amazon S3"), OfferedConnector("zuora", "Zuora", "target", "Bills")),
        name="Acme Data",
    )
    assert "published" not in WHOLE  # excluded by oauth_redirect_uri
    assert 'by = "' not in WHOLE  # excludes more_free_mail
    text = URL + "auth_options = ['AUTH_OAUTH_U2M']\nis_published_app = true\naccounts.by = 'workspace'\n"
    (doubt,) = read(tmp_path, text).problems
    assert (doubt.blocking, "needs oauth_app_id too" in doubt.message) == (False, True)
    policy = read(tmp_path, text + "oauth_app_id = 'acme-app'\n").profile("x").partner
    assert policy is not None
    assert (policy.is_published_app, policy.oauth_app_id, policy.accounts.by) == (True, "acme-app", "workspace")
    assert policy.hostnames == ("c.example",)


def _unlike_usual(values: Any, usual: Any) -> set[str]:
    """The keys whose value is not the usual one."""
    found = set()
    for field in fields(values):
        one, other = getattr(values, field.name), getattr(usual, field.name)
        if is_dataclass(one) and type(one) is type(other):
            found |= _unlike_usual(one, other)
        elif one != other:
            found.add(field.name)
    return found


def test_a_policy_is_written_as_it_was_read(tmp_path: Path, whole: str) -> None:
    profile = read(tmp_path, whole).profile("prod")
    assert profile.partner is not None
    told = {path[-1] for path, _ in written(profile.partner)}
    assert told - _unlike_usual(profile.partner, PartnerPolicy("")) == {"is_published_app", "oauth_app_id", "by"}
    (tmp_path / "new").mkdir()
    again = read(tmp_path / "new", "# empty\n").with_profile(profile)
    assert (again.problems, again.profile("prod")) == ((), profile)


def test_an_edit_changes_its_keys_and_keeps_comments_and_no_partner_takes_the_table_away(
    tmp_path: Path, whole: str
) -> None:
    file = read(tmp_path, whole)
    profile = file.profile("prod")
    assert profile.partner is not None
    changed = replace(profile, partner=replace(profile.partner, supports_demo=True, trial=TrialPolicy()))
    edited = file.with_profile(changed)
    assert (edited.problems, edited.profile("prod")) == ((), changed)
    assert "[profiles.prod.partner]  # of Databricks\n" in edited.text
    assert "partner" not in file.with_profile(replace(profile, partner=None)).text.replace("[profiles", "")
    assert file.with_profile(profile).text == file.text


def test_connectors_stay_tables_where_they_are_tables(tmp_path: Path, whole: str) -> None:
    file = read(tmp_path, whole)
    profile = file.profile("prod")
    assert profile.partner is not None
    for connectors in (profile.partner.connectors[1:], ()):
        changed = replace(profile, partner=replace(profile.partner, connectors=connectors))
        edited = file.with_profile(changed)
        assert (edited.problems, edited.profile("prod")) == ((), changed)
        assert edited.text.count("[[profiles.prod.partner.connectors]]") == len(connectors)
        again = edited.with_profile(profile)  # from tables, or from nothing
        assert again.profile("prod") == profile


def test_users_are_told_the_address_of_the_profile_unless_another_is_written(tmp_path: Path) -> None:
    server = Profile("x", host="ch.internal", partner=PartnerPolicy("https://c.example"))
    assert server.address_for_users == ClickHouseAddress("ch.internal", 8443, True)
    assert Profile("x", engine="embedded").address_for_users is None
    told = read(tmp_path, URL + "clickhouse = {host = 'ch.example', secure = false}").profile("x")
    assert told.address_for_users == ClickHouseAddress("ch.example", 8123, False)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        (START, 3, "", 'has no base_url; write base_url = "https://HOST", where users reach the service'),
        (START + "base_url = 'ftp://h.example'", 4, "base_url", "must be a URL as https://host/path"),
        (START + "base_url = 'https://h:x'", 4, "base_url", "cannot be read; write it as https://host/path"),
        (
            START + "base_url = 'http://c.example'",
            4,
            "base_url",
            "must begin with https://, for a password is typed behind it; http:// is for this machine alone",
        ),
        (
            START + "base_url = 'https://me:hunter2@h.example'",
            4,
            "base_url",
            "holds a login; a link that users follow must have none",
        ),
        (START + "base_url = 'https://h.example/?a=b'", 4, "base_url", "must end after its path"),
        (URL + "integraton = 'read'", 5, "integraton", "is not a known key; did you mean integration?"),
        (URL + "trial.day = 3", 5, "trial.day", "is not a known key; did you mean days?"),
        (
            URL + "integration = 'all'",
            5,
            "integration",
            'must be "read" or "write" or "read-write" or "notebook" or "desktop", not "all"',
        ),
        (
            URL + "new_user_action = 'add'",
            5,
            "new_user_action",
            'must be "auto_add" or "invite" or "not_found" or "error", not "add"',
        ),
        (
            URL + "auth_options = ['PAT']",
            5,
            "auth_options",
            '"PAT" is none of AUTH_PAT, AUTH_OAUTH_M2M, AUTH_OAUTH_U2M',
        ),
        (
            URL + "auth_options = []",
            5,
            "auth_options",
            "must name at least one of AUTH_PAT, AUTH_OAUTH_M2M, AUTH_OAUTH_U2M",
        ),
        (
            URL + "auth_options = ['AUTH_PAT', 'AUTH_OAUTH_M2M']",
            5,
            "auth_options",
            "AUTH_PAT and AUTH_OAUTH_M2M exclude each other; keep one of them",
        ),
        (
            URL + "is_published_app = true",
            5,
            "is_published_app",
            "has no use without AUTH_OAUTH_U2M in auth_options",
        ),
        (
            URL + "auth_options = ['AUTH_OAUTH_U2M']",
            5,
            "auth_options",
            "AUTH_OAUTH_U2M with an app in each workspace needs oauth_redirect_uri too",
        ),
        (URL + "oauth_app_id = 'a'", 5, "oauth_app_id", "has a use only with is_published_app"),
        (
            URL + "auth_options = ['AUTH_OAUTH_U2M']\nis_published_app = true\noauth_app_id = 'a b'",
            7,
            "oauth_app_id",
            "must be the id that Databricks gave the app, without spaces",
        ),
        (
            URL + "oauth_redirect_uri = 'https://c.example/o'",
            5,
            "oauth_redirect_uri",
            "has a use only with AUTH_OAUTH_U2M and an app that is not published",
        ),
        (
            URL + "hostnames = ['d.example']",
            5,
            "hostnames",
            'must hold the host of base_url, "c.example", for users are led there',
        ),
        (URL + "hostnames = ['c.example', 'https://d']", 5, "hostnames", '"https://d" is a URL; write its host alone'),
        (URL + "hostnames = ['c.example', 'd:443']", 5, "hostnames", '"d:443" holds a port; write its host alone'),
        (
            URL + "pages.purchase = 'https://evilc.example/buy'",
            5,
            "pages.purchase",
            'leads to "evilc.example", which is not in hostnames; Databricks would not lead a user there',
        ),
        (URL + "trial.days = 3", 5, "trial.days", 'has no use without trials; write type = "user" or type = "account"'),
        (URL + "trial.type = 'user'\ntrial.days = 0", 6, "trial.days", "must be from 1 to 3650, not 0"),
        (
            URL + "accounts.more_free_mail = ['campus']",
            5,
            "accounts.more_free_mail",
            '"campus" is not the name of a domain, as example.com',
        ),
        (
            URL + "accounts.by = 'workspace'\naccounts.more_free_mail = ['a.example']",
            6,
            "accounts.more_free_mail",
            'has a use only with by = "domain"',
        ),
        (
            URL + "endpoints.connect_path = 'connect'",
            5,
            "endpoints.connect_path",
            'must be a plain path that begins with a slash and does not end with one, as "/connect"',
        ),
        (
            URL + "endpoints.get_connectors_path = '/connect'",
            5,
            "endpoints.get_connectors_path",
            "is the path of connect_path already",
        ),
        (
            URL + "endpoints.connect_path = '/health/live'",
            5,
            "endpoints.connect_path",
            'must not be "/health/live", where the service has a page of its own',
        ),
        (
            START + "base_url = 'https://c.example/db'",
            4,
            "base_url",
            "must end after its host: the pages of the service are at the root of it",
        ),
        (
            URL + "resources.database = 'partner'",
            5,
            "resources.database",
            "must hold {account}, or all of them would have one name",
        ),
        (
            URL + "resources.role = '{account}{user}'",
            5,
            "resources.role",
            "must hold letters, digits, _ . - and {account} only",
        ),
        (
            URL + "resources.privileges = []",
            5,
            "resources.privileges",
            "must name at least one: the users of an account could do nothing, and not even see its database",
        ),
        (
            URL + "resources.privileges = ['SELECT', 'USAGE']",
            5,
            "resources.privileges",
            '"USAGE" gives nothing; leave it out',
        ),
        (
            URL + "resources.privileges = ['ALL PRIVILEGES']",
            5,
            "resources.privileges",
            '"ALL PRIVILEGES" gives its users more than a tenant needs: row policies, backups, users and roles that are'
            " named as the database; name what they need",
        ),
        (
            URL + "resources.privileges = ['SELECT; DROP']",
            5,
            "resources.privileges",
            '"SELECT; DROP" is not written as a privilege, as "CREATE TABLE"',
        ),
        (
            URL + "service.listen = '127.0.0.1'",
            5,
            "service.listen",
            'must be a host and a port, as "127.0.0.1:8085"',
        ),
        (URL + "service.listen = '8085'", 5, "service.listen", 'must be a host and a port, as "127.0.0.1:8085"'),
        (URL + "service.listen = ':8085'", 5, "service.listen", 'must be a host and a port, as "127.0.0.1:8085"'),
        (
            URL + "service.trusted_proxies = ['10.0.0.1/8']",
            5,
            "service.trusted_proxies",
            '"10.0.0.1/8" is no address and no network, as "10.0.0.0/8"',
        ),
        (URL + "clickhouse.host = 'https://c'", 5, "clickhouse.host", "is a URL; write its host alone"),
        (URL + "clickhouse.host = 'c:443'", 5, "clickhouse.host", "holds a port; write port = instead"),
        (
            URL + "clickhouse.secure = false",
            5,
            "clickhouse.secure",
            "has no use without host; users are told the address of the profile",
        ),
        (URL + "sealing_keys = 'hunter2'", 5, "sealing_keys", "A secret is never written here, only where it is kept."),
        (URL + "name = ''", 5, "name", "must not be empty"),
        (URL + "connectors = ['a']", 5, "connectors[0]", "must be a table"),
        (URL + "[[profiles.x.partner.connectors]]\nname = 'A'", 5, "connectors[0]", "has no identifier"),
        (
            URL + "connectors = [{identifier = 'a', name = 'A'},\n{identifier = 'a', name = 'B'}]",
            6,
            "connectors[1].identifier",
            '"a" is said twice',
        ),
        (
            URL + "connectors = [{identifier = 'a', name = 'A', type = 'both'}]",
            5,
            "connectors[0].type",
            'must be "source" or "target", not "both"',
        ),
        (
            URL + "connectors = [{identifier = 'a', name = 'A', kind = 'source'}]",
            5,
            "connectors[0].kind",
            "is not a known key",
        ),
        (URL + "service.read_timeout = 0", 5, "service.read_timeout", "must be above 0, to 300 seconds, not 0"),
    ],
)
def test_a_problem_blocks_its_profile_and_has_its_line(
    tmp_path: Path, text: str, line: int, key: str, message: str
) -> None:
    file = read(tmp_path, text)
    expected = (line, f"profiles.x.partner{'.' if key else ''}{key}", message, True)
    assert expected in [
        (problem.line, problem.key, problem.message.split(" Use ")[0], problem.blocking) for problem in file.problems
    ]
    assert len(file.problems) == 1, "what is said of one mistake misleads by a second one"
    assert file.broken == ("x",)
    assert "hunter2" not in str(file.problems)


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, "[profiles.x]\nengine = 'embedded'\npartner = true").problems
    assert (problem.line, problem.message) == (3, "must be a table, as [profiles.x.partner]")


def test_a_key_that_others_may_read_blocks_and_plain_http_in_the_network_is_only_told(tmp_path: Path) -> None:
    pem = tmp_path / "own.pem"
    pem.touch()
    pem.chmod(0o640)
    (problem,) = read(tmp_path, URL + f"service.certificate = '{pem}'").problems
    assert (problem.line, problem.blocking) == (5, True)
    assert "open to its group" in problem.message
    pem.chmod(0o600)
    (alone,) = read(tmp_path, URL + f"service.private_key = '{pem}'").problems
    assert (alone.key, alone.message) == ("profiles.x.partner.service.private_key", "needs certificate beside it")
    (plain,) = read(tmp_path, URL + "service.listen = '0.0.0.0:80'").problems
    assert (plain.blocking, plain.message.split(";")[0]) == (False, "is plain HTTP in the network")
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert read(tmp_path, URL + f"service.listen = '{host}:80'").problems == ()


def test_a_profile_without_the_table_has_no_policy(tmp_path: Path) -> None:
    assert read(tmp_path, "[profiles.x]\nengine = 'embedded'").profile("x") == Profile("x", engine="embedded")


def test_a_policy_is_told_in_words() -> None:
    policy = PartnerPolicy("https://c.example", trial=TrialPolicy("user", 30), test_hooks=True, name="Acme")
    assert policy.facts == (
        ("partner", "Acme"),
        ("Partner Connect", "https://c.example, listens on 127.0.0.1:8085 (plain HTTP)"),
        ("integration", "read, by AUTH_PAT"),
        ("partner accounts", "by domain, new users auto_add, trials 30 days by user"),
        ("sealing keys", "not said: nothing can be served"),
        ("test hooks", "on: tests of Databricks may delete accounts and expire trials"),
    )


@pytest.mark.parametrize(
    ("host", "domain", "within"),
    [
        ("example.com", "example.com", True),
        ("A.Example.COM", "example.com", True),
        ("xexample.com", "example.com", False),
        ("example.com.evil", "example.com", False),
        ("example.com", "a.example.com", False),
        ("", "", False),
        ("x", "", False),
    ],
)
def test_a_host_is_within_its_own_domain_and_those_above(host: str, domain: str, within: bool) -> None:
    assert within_domain(host, domain) is within
