"""Connect where a partner connection is established: it is looked for, and who asks is led to it. None is made."""

from __future__ import annotations

from core.partner.accounts import facts
from core.partner.accounts.asking import Asking
from core.partner.accounts.decision import Answer, Decision, Scenario, refused
from core.partner.accounts.policy import belongs
from core.partner.accounts.state import PartnerAccount, PartnerConnection, PartnerUser
from core.partner.messages.requests import ConnectionScope
from core.partner.messages.responses import AccountStatus, ErrorReason, RedirectValue, UserStatus

_NO_CONNECTION = "This connection is no longer here. Delete it in Partner Connect and connect again."
_NO_USER = "You have no access to the account of this connection yet. Ask its administrator to invite you."
_NO_SIGN_UP = "Finish the sign-up first, then open this connection again."


def sign_in(asking: Asking) -> Decision:
    """Decide a connect request with an established partner connection."""
    connection = asking.known.connection(asking.request.connection_id or "", asking.request.workspace_key)
    if connection is None:
        return _not_found("no partner connection of this workspace has this connection_id")
    account = asking.known.accounts[connection.account_id]
    user = asking.user_in(account)
    if connection.scope is ConnectionScope.USER and (user is None or user.id != connection.user_id):
        return _not_found("the partner connection is for the one who made it")
    if asking.policy.require_manual_signup and (user is None or user.signed_up is None):
        return _unknown_user("the user has not finished the sign-up", _NO_SIGN_UP)
    if user is None and not belongs(asking.policy, asking.person, account):
        return _unknown_user("the user is not one of the account's own people")
    if asking.over(account, user):
        return _over(account, user)
    if user is None or user.added is None:
        return _new_user(asking, account, connection, user)
    events = (*asking.identified(user), facts.user_signed_in(user.id, connection.id))
    answer = Answer(RedirectValue.SIGN_IN, UserStatus.EXISTING, AccountStatus.ACTIVE)
    return Decision(Scenario.EXISTING, answer, account.id, user.id, events)


def _over(account: PartnerAccount, user: PartnerUser | None) -> Decision:
    status = UserStatus.NEW if user is None or user.added is None else UserStatus.EXISTING
    answer = Answer(RedirectValue.PURCHASE_PRODUCT, status, AccountStatus.EXPIRED)
    return Decision(Scenario.MUST_BUY, answer, account.id, user.id if user else None)


def _new_user(
    asking: Asking, account: PartnerAccount, connection: PartnerConnection, invited: PartnerUser | None
) -> Decision:
    """One of the account's own people, or one who was invited, comes for the first time."""
    action = "auto_add" if asking.may_join(account, invited) else asking.policy.new_user_action
    if action == "not_found":
        return _unknown_user("the user is not known, and the policy adds none")
    if action == "error":
        return refused(Scenario.REFUSED, ErrorReason.GENERAL_ERROR, "the policy refuses new users of an account")
    if action == "invite":
        answer = Answer(RedirectValue.CONTACT_ADMIN, UserStatus.NOT_APPLICABLE, AccountStatus.ACTIVE)
        return Decision(Scenario.NOT_ADDED, answer, account.id)
    own_trial = asking.policy.trial.type == "user" and account.purchased is None and not account.demo
    names = asking.names(account, invited)
    redirect = RedirectValue.CREATE_TRIAL if own_trial else RedirectValue.SIGN_IN
    return Decision(
        Scenario.OWN_TRIAL if own_trial else Scenario.ADDED,
        Answer(redirect, UserStatus.NEW, AccountStatus.ACTIVE),
        account.id,
        names.user_id,
        (asking.added(names, demo=account.demo), facts.user_signed_in(names.user_id, connection.id)),
        names.provision(None),
    )


def _not_found(why: str) -> Decision:
    return refused(Scenario.UNKNOWN_CONNECTION, ErrorReason.CONNECTION_NOT_FOUND, why, _NO_CONNECTION)


def _unknown_user(why: str, display_message: str = _NO_USER) -> Decision:
    return refused(Scenario.UNKNOWN_USER, ErrorReason.ACCOUNT_NOT_FOUND, why, display_message)
