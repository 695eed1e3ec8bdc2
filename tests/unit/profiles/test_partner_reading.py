"""What a profile says of Partner Connect is read: every key, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.profiles import Profile, load
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
)
from core.secrets import SecretReference
from tests.unit.profiles.partner_texts import URL, WHOLE, read, whole


def test_every_key_is_read(tmp_path: Path) -> None:
    file = read(tmp_path, whole(tmp_path))
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


def test_users_are_told_the_address_of_the_profile_unless_another_is_written(tmp_path: Path) -> None:
    server = Profile("x", host="ch.internal", partner=PartnerPolicy("https://c.example"))
    assert server.address_for_users == ClickHouseAddress("ch.internal", 8443, True)
    assert Profile("x", engine="embedded").address_for_users is None
    told = read(tmp_path, URL + "clickhouse = {host = 'ch.example', secure = false}").profile("x")
    assert told.address_for_users == ClickHouseAddress("ch.example", 8123, False)


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


def test_where_something_is_written_or_would_be(tmp_path: Path) -> None:
    file = read(tmp_path, URL + "resources = {\n  quota = 'q'\n}\n")
    resources = ("profiles", "x", "partner", "resources")
    for path, line in (((*resources, "quota"), 6), ((*resources, "settings_profile"), 5), (("profiles", "x"), 1)):
        assert file.place(path) == f"{tmp_path}/config.toml:{line}"
    assert file.place(("profiles", "y")) == f"{tmp_path}/config.toml:1"  # the first of all profiles
    assert load(tmp_path / "none.toml").place(("profiles", "embedded")) == f"{tmp_path}/none.toml"
