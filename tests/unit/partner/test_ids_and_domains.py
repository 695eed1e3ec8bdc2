"""Ids of partner accounts and connections, and which domains stand for nobody."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from core.partner.accounts.domains import (
    free_mail_domains,
    is_free_mail,
    is_test_domain,
    plain_domain,
    plain_email,
)
from core.partner.accounts.ids import IdKind, new_id


@pytest.mark.parametrize("kind", list(IdKind))
def test_ids_are_opaque_never_the_same_and_safe_in_urls_and_names(kind: IdKind) -> None:
    ids = {new_id(kind) for _ in range(300)}
    assert len(ids) == 300
    assert all(re.fullmatch(rf"{kind}[a-z2-7]+", one) for one in ids)
    assert {len(one) for one in ids} == {2 + kind.random_bytes * 8 // 5}
    for place in range(2, 2 + kind.random_bytes * 8 // 5):
        assert len({one[place] for one in ids}) > 16  # every place of it is random


def test_the_id_of_a_connection_cannot_be_guessed() -> None:
    assert IdKind.CONNECTION.random_bytes * 8 >= 128


@pytest.mark.parametrize(
    ("email", "plain"),
    [
        ("Ann.Lee@ACME.com", "ann.lee@acme.com"),
        (" ann@acme.com ", "ann@acme.com"),
        ("a@b@acme.com", "a@b@acme.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--Bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@\uff47mail.com", "ann@gmail.com"),
        ("ann", ""),
        ("@acme.com", ""),
        ("ann@", ""),
        ("ann@acme", ""),
        ("ann@acme..com", ""),
        ("ann@acme.com.", ""),
        ("ann@ac me.com", ""),
        ("ann lee@acme.com", ""),
        ("ann\x1b[31m@acme.com", ""),
        ("ann@" + "a" * 64 + ".com", ""),
        ("ann@\ud800.com", ""),
    ],
)
def test_addresses_are_compared_in_one_form(email: str, plain: str) -> None:
    assert plain_email(email) == plain


def test_free_mail_is_known_with_what_is_below_it_and_by_whole_labels() -> None:
    assert is_free_mail("gmail.com")
    assert is_free_mail("x.mailinator.com")
    assert not is_free_mail("notgmail.com")
    assert not is_free_mail("gmail.com.acme.com")
    assert not is_free_mail("acme.com")
    assert is_free_mail("acme.com", ("acme.com",))
    assert is_free_mail("x.acme.com", ("acme.com",))


def test_the_file_of_free_mail_names_sources_a_date_and_each_domain_once() -> None:
    text = files("core.partner.accounts").joinpath("free_mail.toml").read_text(encoding="utf-8")
    file = tomllib.loads(text)
    listed = [domain for provider in file["providers"] for domain in provider["domains"]]
    assert len(listed) == len(set(listed)) == len(free_mail_domains()) > 300
    assert all(plain_domain(domain) == domain for domain in listed)
    assert all(provider["source"].startswith("https://") for provider in file["providers"])
    assert file["compiled"].year >= 2026


@pytest.mark.parametrize("domain", ["databricks-test.com", "A.Databricks-Demo.com"])
def test_the_domains_of_the_tests(domain: str) -> None:
    assert is_test_domain(domain)
    assert not is_test_domain(f"evil{domain[2:]}")
