"""What goes after a connect that was answered with an error: what was made with it, unless somebody uses it."""

from __future__ import annotations

from datetime import timedelta

from core.partner.accounts import facts
from core.partner.accounts.decision import Provision, Removal
from core.partner.handling.leftovers import leftovers
from core.partner.provisioning.joining import Joining, joining_of
from tests.unit.partner.account_examples import POLICY, START, Partner, asked


def test_user_and_account_go_with_the_connection_that_made_them() -> None:
    partner = Partner()
    connection = partner.connected("ann@acme.com")
    assert leftovers(partner.known, connection).events == ()  # it is there yet
    assert leftovers(partner.known, "unknown").events == ()
    partner.delete(connection)
    (account,), (user,) = partner.known.accounts.values(), partner.known.users.values()
    ending = leftovers(partner.known, connection)
    assert ending.removal == Removal((), (user.name,), (account.role,), (account.database,))
    partner.tell(*ending.events)
    assert leftovers(partner.known, connection).events == ()
    assert not list(partner.known.users_of(account)) and partner.known.accounts[account.id].deleted == START


def test_others_keep_the_account() -> None:
    partner = Partner()
    connection = partner.connected("ann@acme.com")
    partner.now += timedelta(seconds=1)
    partner.connected("bea@acme.com")
    partner.delete(connection)
    removal = leftovers(partner.known, connection).removal
    assert (len(removal.users), removal.roles, removal.databases) == (1, (), ())


def test_who_was_there_before_or_has_signed_up_stays() -> None:
    partner = Partner()
    first = partner.connected("ann@acme.com")
    partner.now += timedelta(seconds=1)
    second = partner.connected("ann@acme.com")
    partner.delete(second)
    assert leftovers(partner.known, second).events == ()
    partner.tell(facts.user_signed_up(next(iter(partner.known.users))))
    partner.delete(first)
    assert leftovers(partner.known, first).events == ()


def twice(*, same_email: bool) -> tuple[Partner, Provision]:
    """Two services have decided by the same knowledge; the facts of the second come last."""
    partner, other = Partner(), Partner()
    other.new_id = lambda kind: f"{kind}9"  # type: ignore[method-assign]
    decision = other.ask(asked("ann@acme.com" if same_email else "bea@acme.com"))
    partner.ask(asked("ann@acme.com"))
    partner.tell(*decision.events)
    assert decision.provision is not None
    return partner, decision.provision


def test_what_comes_second_gives_way() -> None:
    partner, provision = twice(same_email=True)
    first = partner.known.accounts["pa1"]
    expected = Joining(first.role, first.database, (), ("partner_pu9",), "partner_pa9", "partner_pa9")
    assert joining_of(provision, partner.known) == expected


def test_another_person_keeps_the_user() -> None:
    partner, provision = twice(same_email=False)
    first = partner.known.accounts["pa1"]
    expected = Joining(first.role, first.database, ("partner_pu9",), (), "partner_pa9", "partner_pa9")
    assert joining_of(provision, partner.known) == expected


def test_what_counts_does_not_give_way() -> None:
    partner = Partner(POLICY)
    decision = partner.ask(asked())
    assert decision.provision is not None and joining_of(decision.provision, partner.known) is None
