"""The OAuth app in whose name users authorise a partner connection: the published one, or the workspace's own."""

from __future__ import annotations

from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import PartnerConnection
from core.partner.oauth.authorization import OAuthApp, published_app, workspace_app
from core.profiles.partner import CALLBACK_PATH


def app_of(policy: PartnerPolicy, connection: PartnerConnection) -> OAuthApp:
    """The app for a partner connection that is not deleted.

    Raises BadInputError where its id is not known, or no redirect URI.
    """
    told = connection.coordinates.oauth_u2m_app_id if connection.coordinates is not None else None
    if policy.is_published_app:
        return published_app(policy.oauth_app_id or told or "", callback_uri(policy))
    return workspace_app(told, callback_uri(policy))


def callback_uri(policy: PartnerPolicy) -> str:
    """Where Databricks sends users back to."""
    return policy.oauth_redirect_uri or f"{policy.base_url}{CALLBACK_PATH}"
