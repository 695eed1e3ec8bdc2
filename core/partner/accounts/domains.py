"""Domains: of an e-mail address, of free-mail providers, and of Databricks' tests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from core.partner.messages.json_fields import EMAIL
from core.profiles.addresses import domain_problem, within_domain

_FREE_MAIL = "free_mail.toml"
TEST_DOMAINS: Final = ("databricks-test.com", "databricks-demo.com")
"""The domains of Databricks' own test users: nothing that is deleted or expired by a request is outside of them."""


@lru_cache(maxsize=4096)
def plain_domain(domain: str) -> str:
    """`domain` as it is compared: lower case, as DNS has it (a name in another script is `xn--…`); empty if it is none.

    What looks wide or composed becomes plain, so that nobody comes as another company or hides a free-mail provider.
    """
    try:
        plain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return "" if domain_problem(plain) else plain


def plain_email(email: str) -> str:
    """`email` as it is compared; empty when it is none that a request can have."""
    address = email.strip()
    local, _, domain = address.rpartition("@")
    plain = plain_domain(domain) if re.search(EMAIL.expression, address) else ""
    return f"{local.lower()}@{plain}" if plain else ""


def domain_of(email: str) -> str:
    """The domain of a plain e-mail address."""
    return email.rpartition("@")[2]


def is_free_mail(domain: str, more: Collection[str] = ()) -> bool:
    """Whether anybody can have an address under `domain`: it is one of a known provider or in `more`, or below it."""
    known, labels = free_mail_domains(), domain.split(".")
    return any(".".join(labels[start:]) in known or ".".join(labels[start:]) in more for start in range(len(labels)))


def is_test_domain(domain: str) -> bool:
    """Whether `domain` is one of Databricks' tests or a true subdomain: `evildatabricks-test.com` is not."""
    plain = plain_domain(domain)
    return any(within_domain(plain, test) for test in TEST_DOMAINS)


@cache
def free_mail_domains() -> frozenset[str]:
    """The domains of the providers in `free_mail.toml` beside this module."""
    providers = tomllib.loads(files(__package__).joinpath(_FREE_MAIL).read_text(encoding="utf-8"))["providers"]
    return frozenset(domain for provider in providers for domain in provider["domains"])
