"""Connect where no partner connection is established: who gets one, and with it a trial, an account or neither.

The rows of the API's table of scenarios, in the order in which they are asked. Two calls with the same body make two
partner connections: Databricks asks again only after it has removed its side.
"""

from __future__ import annotations

from core.changes import Event
from core.partner.accounts import facts
from core.partner.accounts.asking import Asking
from core.partner.accounts.decision import Answer, Decision, Scenario, refused
from core.partner.accounts.policy import trial_end
from core.partner.accounts.state import PartnerAccount, PartnerUser
from core.partner.messages.responses import AccountStatus, ErrorReason, RedirectValue, UserStatus


def connect(asking: Asking) -> Decision:
    """Decide a connect request without an established partner connection."""
    if asking.request.demo and asking.policy.supports_demo:
        return _new_account(asking, demo=True)
    account, user = asking.find()
    if account is None:
        return _new_account(asking, demo=False)
    if asking.over(account, user):
        return _over(asking, account, user)
    if user is None or user.added is None:
        return _new_user(asking, account, user)
    return _existing(asking, account, user)


def _new_account(asking: Asking, *, demo: bool) -> Decision:
    names = asking.names(None, None)
    return asking.made(
        Scenario.DEMO if demo else Scenario.NEW_ACCOUNT,
        names,
        (asking.created(names, demo=demo), asking.added(names, demo=demo)),
        RedirectValue.CREATE_TRIAL,
        UserStatus.NEW,
        AccountStatus.NEW,
    )


def _over(asking: Asking, account: PartnerAccount, user: PartnerUser | None) -> Decision:
    """The trial has ended. Another one is no way around an invitation: who may not be added begins none."""
    status = UserStatus.NEW if user is None or user.added is None else UserStatus.EXISTING
    trial = asking.policy.trial
    if trial.type == "none" or not trial.another:
        answer = Answer(RedirectValue.PURCHASE_PRODUCT, status, AccountStatus.EXPIRED)
        return Decision(Scenario.MUST_BUY, answer, account.id, user.id if user else None)
    if not asking.may_join(account, user):
        return _not_added(asking, account, AccountStatus.EXPIRED)
    names = asking.names(account, user)
    return asking.made(
        Scenario.ANOTHER_TRIAL,
        names,
        (*_renewed(asking, account, user), *((asking.added(names),) if names.new_user else ())),
        RedirectValue.CREATE_TRIAL,
        status,
        AccountStatus.EXPIRED,
    )


def _renewed(asking: Asking, account: PartnerAccount, user: PartnerUser | None) -> tuple[Event, ...]:
    """Another trial for whatever has ended: the account's, the user's own, or both."""
    events: tuple[Event, ...] = ()
    if account.trial.over(asking.now):
        events += (facts.account_renewed(account.id, trial_end(asking.policy, asking.now, of_user=False)),)
    if user is not None and user.added is not None:
        if user.trial.over(asking.now):
            events += (facts.user_renewed(user.id, trial_end(asking.policy, asking.now, of_user=True)),)
        events += asking.identified(user)
    return events


def _new_user(asking: Asking, account: PartnerAccount, invited: PartnerUser | None) -> Decision:
    if not asking.may_join(account, invited):
        return _not_added(asking, account, AccountStatus.ACTIVE)
    own_trial = asking.policy.trial.type == "user" and account.purchased is None
    names = asking.names(account, invited)
    return asking.made(
        Scenario.OWN_TRIAL if own_trial else Scenario.ADDED,
        names,
        (asking.added(names),),
        RedirectValue.CREATE_TRIAL if own_trial else RedirectValue.SIGN_IN,
        UserStatus.NEW,
        AccountStatus.ACTIVE,
    )


def _not_added(asking: Asking, account: PartnerAccount, status: AccountStatus) -> Decision:
    """404 is an answer to established partner connections only, so `not_found` is told as `invite` is."""
    if asking.policy.new_user_action == "error":
        return refused(Scenario.REFUSED, ErrorReason.GENERAL_ERROR, "the policy refuses new users of an account")
    answer = Answer(RedirectValue.CONTACT_ADMIN, UserStatus.NEW, status)
    return Decision(Scenario.NOT_ADDED, answer, account.id)


def _existing(asking: Asking, account: PartnerAccount, user: PartnerUser) -> Decision:
    unfinished = asking.policy.require_manual_signup and user.signed_up is None
    return asking.made(
        Scenario.UNFINISHED if unfinished else Scenario.EXISTING,
        asking.names(account, user),
        asking.identified(user),
        RedirectValue.CREATE_TRIAL if unfinished else RedirectValue.SIGN_IN,
        UserStatus.NEW if unfinished else UserStatus.EXISTING,
        AccountStatus.ACTIVE,
    )
