"""Only hosts of workspaces are called, and links lead only to the partner's own hosts, however a URL is spelled."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.partner.messages.requests import CloudProvider
from core.partner.security.hosts import (
    ZONES,
    HostRefusedError,
    check_redirect,
    check_workspace,
    host_name,
    workspace_host,
)

HOST = "dbc-a1b2345c-d6e7.cloud.databricks.com"
HOSTNAMES = ["partner.example", "app.other.example"]


@pytest.mark.parametrize(
    ("text", "cloud", "name"),
    [
        (HOST, CloudProvider.AWS, HOST),
        (HOST, None, HOST),
        (HOST.upper(), CloudProvider.AWS, HOST),
        ("gov.cloud.databricks.us", CloudProvider.AWS, "gov.cloud.databricks.us"),
        ("adb-1.2.azuredatabricks.net", CloudProvider.AZURE, "adb-1.2.azuredatabricks.net"),
        ("adb-1.2.databricks.azure.cn", CloudProvider.AZURE, "adb-1.2.databricks.azure.cn"),
        ("1.2.gcp.databricks.com", CloudProvider.GCP, "1.2.gcp.databricks.com"),
    ],
)
def test_hosts_of_workspaces(text: str, cloud: CloudProvider | None, name: str) -> None:
    assert workspace_host(text, cloud).name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cloud.databricks.com",
        ".cloud.databricks.com",
        "-.cloud.databricks.com",
        "a..cloud.databricks.com",
        "evilcloud.databricks.com.",
        f"{HOST}.",
        f"{HOST}.evil.example",
        "evil-cloud.databricks.com",
        "acloud.databricks.com",
        "databricks.com",
        f"{HOST}:443",
        f"{HOST}:80",
        f"user@{HOST}",
        f"https://{HOST}",
        f"{HOST}/path",
        f"evil.example#.{HOST}",
        f"evil.example?.{HOST}",
        f"evil.example\\.{HOST}",
        f"evil.example%2f.{HOST}",
        f"{HOST}\n",
        f" {HOST}",
        f"{HOST}\0",
        "dbc\uff3fa.cloud.databricks.com",
        "a.cloud\u3002databricks.com",
        "a.cloud.databric\u212as.com",  # KELVIN SIGN, whose lower case is k
        "xn--80ak6aa92e.com",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.1",
        "[::1]",
        "::1",
        "localhost",
        "169.254.169.254",
        "metadata.google.internal",
        f"{'a' * 64}.cloud.databricks.com",
        f"{'a.' * 130}cloud.databricks.com",
    ],
)
def test_hosts_that_are_never_called(text: str) -> None:
    with pytest.raises(HostRefusedError):
        workspace_host(text)


@given(
    st.text(st.sampled_from("ab-.0:/@#?\\%[] \t\n\u3002\u212a") | st.characters(), max_size=30),
    st.sampled_from([*ZONES]),
)
def test_whatever_is_allowed_lies_in_a_zone_for_every_reader_of_urls(text: str, cloud: CloudProvider) -> None:
    for candidate in (text, f"{text}{ZONES[cloud][0]}", f"{HOST}{text}"):
        try:
            host = workspace_host(candidate, cloud)
        except HostRefusedError:
            continue
        assert urlsplit(f"https://{host}/oidc").hostname == host.name == candidate.lower()
        assert host.name.endswith(ZONES[cloud])


def test_a_host_of_another_cloud_is_refused() -> None:
    with pytest.raises(HostRefusedError, match="in the cloud azure"):
        workspace_host(HOST, CloudProvider.AZURE)


@pytest.mark.parametrize(
    ("url", "jdbc"),
    [
        (f"https://{HOST}", None),
        (f"https://{HOST}/", f"jdbc:spark://{HOST}:443/default;transportMode=http;ssl=1;httpPath=sql/1"),
        (f"https://{HOST}:443/?o=123", f"jdbc:databricks://{HOST}:443/default;AuthMech=3;httpPath=/sql/1.0/x"),
        (f"HTTPS://{HOST.upper()}/?o=123", f"jdbc:databricks://{HOST};httpPath=/sql/1.0/x"),
        (f"https://{HOST}/?o=123", f"JDBC:databricks://{HOST.upper()}"),
    ],
)
def test_all_ways_to_a_workspace_name_one_host(url: str, jdbc: str | None) -> None:
    assert check_workspace(HOST, url, (None, jdbc), CloudProvider.AWS).name == HOST


def test_what_is_no_host_is_told_with_where_it_was_said() -> None:
    with pytest.raises(HostRefusedError, match=r"^hostname: 'x' is not the name of a host"):
        check_workspace("x", f"https://{HOST}")
    with pytest.raises(HostRefusedError, match=r"^the JDBC URL: 'x' is not the name of a host"):
        check_workspace(HOST, f"https://{HOST}", ("jdbc:spark://x:443/default",))


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}",
        f"https://{HOST}:8443",
        f"https://{HOST}@evil.example",
        f"https://evil.example@{HOST}",
        f"https://evil.example\\@{HOST}",
        f"https://{HOST}/path",
        f"https://{HOST}#x",
        f"https://{HOST}\t/",
        f"https://other.{HOST}",
        "https://dbc-other.cloud.databricks.com/?o=1",
        "https://[::1]/",
        "https://[::1/",
        "https:///",
        f"https://{HOST}:99999",
        f"https://{HOST}:0",
        f"//{HOST}",
        HOST,
        "",
    ],
)
def test_another_workspace_url_is_refused(url: str) -> None:
    with pytest.raises(HostRefusedError):
        check_workspace(HOST, url)


@pytest.mark.parametrize(
    "jdbc",
    [
        "",
        f"jdbc:postgresql://{HOST}:443/",
        "jdbc:spark://dbc-other.cloud.databricks.com:443/default",
        f"jdbc:spark://{HOST}:8443/default",
        f"jdbc:spark://token:dapi123@{HOST}:443/default",
        f"jdbc:spark://evil.example#{HOST}:443/default",
        f"jdbc:spark://{HOST}:443?PWD=dapi123",
        f"jdbc:spark://{HOST}:443/default PWD=dapi123",
        f"jdbc:spark://{HOST},evil.example:443/",
        "jdbc:spark://127.0.0.1:443/default;PWD=dapi123",
        "jdbc:spark:///default",
    ],
)
def test_another_jdbc_url_is_refused_and_no_token_in_it_repeated(jdbc: str) -> None:
    good = f"jdbc:spark://{HOST}:443/default"
    for urls in ((jdbc, good), (good, jdbc)):
        with pytest.raises(HostRefusedError) as caught:
            check_workspace(HOST, f"https://{HOST}", urls)
        assert "dapi123" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://partner.example/sign-in?link=x", True),
        ("https://eu.partner.example/sign-in", True),
        ("https://PARTNER.example:8443/", True),
        ("https://app.other.example", True),
        ("https://other.example", False),
        ("https://evilpartner.example/", False),
        ("https://partner.example.evil.example/", False),
        ("https://evil.example/partner.example", False),
        ("https://evil.example?partner.example", False),
        ("https://partner.example@evil.example/", False),
        ("https://evil.example\\.partner.example/", False),
        ("https://partner.example./", False),
        ("https://evil.example@partner.example/", False),
        ("https://@partner.example/", False),
        ("https://partner.example:0/", False),
        ("https://partner.example/a b", False),
        ("https://partner.example/\\evil.example", False),
        ("http://partner.example/", False),
        ("javascript:alert(1)//partner.example", False),
        ("//partner.example/", False),
        ("/sign-in", False),
        ("https://127.0.0.1/", False),
    ],
)
def test_redirects_lead_to_the_partners_hosts_only(url: str, allowed: bool) -> None:
    if allowed:
        check_redirect(url, HOSTNAMES)
    else:
        with pytest.raises(HostRefusedError):
            check_redirect(url, HOSTNAMES)


def test_a_redirect_to_this_machine_is_for_those_who_name_it() -> None:
    check_redirect("http://localhost:8080/sign-in", ["localhost"])
    check_redirect("http://127.0.0.1:8080/sign-in", ["127.0.0.1"])
    for url, hostnames in (("http://localhost/", HOSTNAMES), ("http://127.0.0.1/", ["0.0.1"]), ("https://a.b", ["."])):
        with pytest.raises(HostRefusedError):
            check_redirect(url, hostnames)


def test_a_name_is_compared_in_lower_case_and_is_no_address() -> None:
    assert host_name("App.Example.COM") == "app.example.com"
    for address in ("10.0.0.1", "a.127", "a.0x7f", "a.0x"):
        with pytest.raises(HostRefusedError):
            host_name(address)
