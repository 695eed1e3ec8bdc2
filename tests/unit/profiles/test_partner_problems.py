"""What is wrong with what a profile says of Partner Connect: each problem is told once, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.profiles.partner_texts import START, URL, read


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
