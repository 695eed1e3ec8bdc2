"""What is typed about a partner account: how long another trial lasts, and whom to invite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.display import one_line
from tui.screens.form import Form
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.partner.accounts.state import PartnerAccount
    from core.partner.partner_connections import PartnerConnections

USUAL_DAYS: Final = 14  # of a trial, where the profile says nothing of it
LONGEST_TRIAL: Final = 3650  # days
FOR_DAYS, ENDLESS = "some days", "no end"


def renew_form(connections: PartnerConnections, account: PartnerAccount) -> Form[Change]:
    """Give an account another trial."""

    def limited(values: Values) -> bool:
        return values.get("length") == FOR_DAYS

    async def submit(values: Values) -> Change:
        until = datetime.now(UTC) + timedelta(days=int(values["days"])) if limited(values) else None
        return await connections.plan_renew(account.id, until)

    days = connections.policy.trial.days if connections.policy is not None else USUAL_DAYS
    return Form(
        f"Another trial for {one_line(account.domain, 60)}",
        (
            Field("length", "Length", FOR_DAYS, kind="choice", choices=(FOR_DAYS, ENDLESS)),
            Field("days", "Days", str(days), required=True, check=_days_problem, shown_if=limited, hint="From now on."),
        ),
        submit,
        intro="Its users can connect and sign in again; a trial that was ended begins anew.",
    )


def _days_problem(text: str) -> str:
    plain = text.strip()
    fits = plain.isascii() and plain.isdecimal() and len(plain) < 5 and 1 <= int(plain) <= LONGEST_TRIAL
    return "" if fits else f"A number of days from 1 to {LONGEST_TRIAL:,}."


def invite_form(connections: PartnerConnections, account: PartnerAccount) -> Form[Change]:
    """Let somebody join an account."""

    async def submit(values: Values) -> Change:
        return await connections.plan_invite(account.id, values["email"])

    return Form(
        f"Invite somebody to {one_line(account.domain, 60)}",
        (
            Field(
                "email", "E-mail", required=True, check=_email_problem, hint=f"As ann@{one_line(account.domain, 60)}."
            ),
        ),
        submit,
        intro="Nothing is sent. Whoever is invited joins this account on coming from Databricks, "
        "whatever the profile does with others who come new.",
    )


def _email_problem(text: str) -> str:
    from core.partner.accounts.domains import plain_email

    return "" if plain_email(text) else "This is not an e-mail address."
