"""Where users are led: the partner's own pages, or the service's below `base_url`, some of them by a sign-in link."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.partner.accounts.policy import PartnerPolicy
from core.partner.messages.responses import RedirectValue
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.hosts import check_redirect
from core.partner.security.sign_in_links import PARAMETER, LinkPurpose

WELCOME_PATH: Final = "/welcome"
PURCHASE_PATH: Final = "/purchase"
CONTACT_ADMIN_PATH: Final = "/contact-admin"
SIGN_IN_PATH: Final = "/sign-in"

_PATHS = {
    RedirectValue.PURCHASE_PRODUCT: PURCHASE_PATH,
    RedirectValue.CONTACT_ADMIN: CONTACT_ADMIN_PATH,
    RedirectValue.SIGN_IN: SIGN_IN_PATH,
}


class Links:
    """Makes the URLs that answers lead to. No secret is in them but the link's own signature."""

    def __init__(self, policy: PartnerPolicy, keys: CurrentKeys) -> None:
        self._policy = policy
        self._keys = keys
        self._lifetime = timedelta(minutes=policy.service.link_minutes)
        pages = policy.pages
        self._own_pages = {
            RedirectValue.CREATE_TRIAL: pages.sign_up,
            RedirectValue.SIGN_IN: pages.sign_in,
            RedirectValue.PURCHASE_PRODUCT: pages.purchase,
            RedirectValue.CONTACT_ADMIN: pages.contact_admin,
        }

    def redirect_uri(
        self, value: RedirectValue, account_id: str | None, user_id: str | None, *, signed_up: bool
    ) -> str:
        """The page for a redirect value: of this user where it is the user's own, else one for everybody.

        Raises HostRefusedError when it is not below one of the hostnames of the policy.
        """
        uri = self._own_pages.get(value) or self._page(value, account_id, user_id, signed_up=signed_up)
        check_redirect(uri, self._policy.hostnames)
        return uri

    def oauth_redirect_uri(self) -> str | None:
        """Where the OAuth app that Partner Connect makes in a workspace sends users back to; None without such apps."""
        made = "AUTH_OAUTH_U2M" in self._policy.auth_options and not self._policy.is_published_app
        return self._policy.oauth_redirect_uri if made else None

    def _page(self, value: RedirectValue, account_id: str | None, user_id: str | None, *, signed_up: bool) -> str:
        own = value in (RedirectValue.CREATE_TRIAL, RedirectValue.SIGN_IN)
        if not own or account_id is None or user_id is None:
            return f"{self._policy.base_url}{_PATHS.get(value, SIGN_IN_PATH)}"
        purpose = LinkPurpose.SIGN_IN if signed_up else LinkPurpose.SET_PASSWORD
        token, _ = self._keys.signer.issue(account_id, user_id, purpose, self._lifetime)
        return f"{self._policy.base_url}{WELCOME_PATH}?{PARAMETER}={token}"
