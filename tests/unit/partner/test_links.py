"""Where answers lead: the partner's own pages, the service's, and sign-in links for the right purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.partner.handling.links import Links
from core.partner.messages.responses import RedirectValue
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import HostRefusedError
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.partner.security.sign_in_links import LinkPurpose, SignInLinkRefusedError
from core.profiles.partner import AuthOption, PagePolicy
from tests.unit.partner.account_examples import POLICY

KEYS = CurrentKeys(SealingKeys([SealingKey(bytes(range(32)))]))
SIGNER, LINKS = KEYS.signer, Links(POLICY, KEYS)


@pytest.mark.parametrize("value", [RedirectValue.CREATE_TRIAL, RedirectValue.SIGN_IN])
@pytest.mark.parametrize("signed_up", [False, True])
def test_a_user_gets_a_link_for_what_is_left_to_do(value: RedirectValue, signed_up: bool) -> None:
    page, _, token = LINKS.redirect_uri(value, "pa1", "pu1", signed_up=signed_up).partition("?link=")
    assert page == "https://connect.acme.example/welcome"
    purposes = (LinkPurpose.SET_PASSWORD, LinkPurpose.SIGN_IN)
    right, wrong = purposes[signed_up], purposes[not signed_up]
    link = SIGNER.look(token, right)
    assert (link.account_id, link.user_id) == ("pa1", "pu1")
    assert (link.expires - link.issued).total_seconds() == POLICY.service.link_minutes * 60
    with pytest.raises(SignInLinkRefusedError):
        SIGNER.look(token, wrong)


@pytest.mark.parametrize(
    ("value", "page"),
    [
        (RedirectValue.PURCHASE_PRODUCT, "purchase"),
        (RedirectValue.CONTACT_ADMIN, "contact-admin"),
        (RedirectValue.SIGN_IN, "sign-in"),
        (RedirectValue.NOT_APPLICABLE, "sign-in"),
    ],
)
def test_pages_for_everybody(value: RedirectValue, page: str) -> None:
    user = None if value is RedirectValue.SIGN_IN else "pu1"
    assert LINKS.redirect_uri(value, "pa1", user, signed_up=False) == f"https://connect.acme.example/{page}"


def test_pages_of_the_partner_get_no_link() -> None:
    pages = PagePolicy(*(f"https://www.acme.example/{page}" for page in ("in", "up", "buy", "ask")))
    links = Links(replace(POLICY, pages=pages), KEYS)
    values = ("sign_in", "create_trial", "purchase_product", "contact_admin")
    led = [links.redirect_uri(RedirectValue(value), "pa1", "pu1", signed_up=True) for value in values]
    assert led == [f"https://www.acme.example/{page}" for page in ("in", "up", "buy", "ask")]


def test_nobody_is_led_elsewhere() -> None:
    links = Links(replace(POLICY, hostnames=("other.example",)), KEYS)
    with pytest.raises(HostRefusedError):
        links.redirect_uri(RedirectValue.SIGN_IN, "pa1", "pu1", signed_up=True)


@pytest.mark.parametrize(
    ("options", "published", "told"),
    [(("AUTH_OAUTH_U2M",), False, True), (("AUTH_OAUTH_U2M",), True, False), (("AUTH_PAT",), False, False)],
)
def test_oauth_redirect_uri_only_for_apps_of_a_workspace(
    options: tuple[AuthOption, ...], published: bool, told: bool
) -> None:
    uri = "https://connect.acme.example/oauth/callback"
    policy = replace(POLICY, auth_options=options, is_published_app=published, oauth_redirect_uri=uri)
    assert Links(policy, KEYS).oauth_redirect_uri() == (uri if told else None)
