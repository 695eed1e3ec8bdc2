"""What a connect that was answered with an error leaves, once its facts are in the journal all the same. Pure."""

from __future__ import annotations

from core.changes import Event
from core.partner.accounts import facts
from core.partner.accounts.decision import Ending, Removal
from core.partner.accounts.state import Known, PartnerAccount, PartnerUser


def leftovers(known: Known, connection_id: str) -> Ending:
    """The user and the account that were made together with a partner connection which is deleted by now.

    Only as far as nobody uses them: others may have come to the account since, or the user has signed up.
    """
    connection = known.connections.get(connection_id)
    if connection is None or connection.deleted is None:
        return Ending()
    user = known.users.get(connection.user_id)
    account = known.accounts.get(connection.account_id)
    if user is None or account is None or account.deleted is not None:
        return Ending()
    events: list[Event] = []
    if goes := user.deleted is None and _unused(known, account, user) and user.added == connection.configured:
        events.append(facts.user_deleted(user.id))
    empty = not any(other.id != user.id or not goes for other in known.users_of(account))
    whole = empty and account.created == connection.configured and not any(known.connections_of(account))
    if whole:
        events.append(facts.account_deleted(account.id))
    return Ending(
        events=tuple(events),
        removal=Removal(
            users=(user.name,) if goes else (),
            roles=(account.role,) if whole else (),
            databases=(account.database,) if whole else (),
        ),
    )


def _unused(known: Known, account: PartnerAccount, user: PartnerUser) -> bool:
    came = user.signed_up is not None or user.last_sign_in is not None or user.invited is not None
    return not came and not any(one.user_id == user.id for one in known.connections_of(account))
