"""The form that lets a person into ClickHouse Cloud's SQL console."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.planning.plan import Plan
from core.access.planning.sql_console import let_in
from core.access.sql_console import console_role, email_of, is_email, nearest_email, no_member
from tui.screens.form import Form
from tui.screens.grant_choosing import names_choice, right_choice
from tui.screens.grant_forms import preview_text, read_names, read_rights, wrong
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.access_changes.present import PresentAccess
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal

_SHOWN = 6  # roles in the hint


def let_in_form(answering: Answering, access: Access) -> Form[Proposal]:
    """Who, by which general role, which rights."""
    general_roles = sorted(name for name in access.model.roles if "@" not in name)  # those of one person have

    def making(values: Values) -> Planning:
        def plan(now: PresentAccess) -> Plan:
            rights = read_rights(values["rights"], access) if values["rights"].strip() else ()
            return let_in(now.model, values["email"].strip(), _general(values), rights, cluster=now.cluster)

        return plan

    def noting(values: Values, proposal: Proposal) -> Proposal:
        if not (noted := no_member(values["email"].strip(), access.members.emails)):
            return proposal
        change = replace(proposal.change, consequences=(noted, *proposal.change.consequences))
        return replace(proposal, change=change)

    async def submit(values: Values) -> Proposal:
        return noting(values, await answering.propose(making(values)))

    async def preview(values: Values) -> str:
        ready = is_email(values["email"].strip()) and (_general(values) or values["rights"].strip())
        return preview_text(noting(values, answering.previewed(access, making(values)))) if ready else ""

    return Form(
        "Let somebody into the SQL console",
        (
            Field("email", "E-mail", required=True, check=lambda text: email_problem(access, text),
                  hint="Exactly as the Cloud console has it: my.user@domain.com"),
            Field("general", "General role", check=lambda text: wrong(_one_name, text),
                  hint=f"{', '.join(general_roles[:_SHOWN])}, or a new one, which is made." if general_roles
                  else "A name for what several people may do; it is made.",
                  choose=names_choice(general_roles, "a role")),
            Field("rights", "Rights", check=lambda text: wrong(read_rights, text, access),
                  hint="Of the new general role, or of the person alone: SELECT, SHOW ON db.*",
                  choose=right_choice(answering.session, access.index.privileges)),
        ),
        submit,
        preview,
    )  # fmt: skip


def email_problem(access: Access, text: str) -> str:
    """Why an address cannot be meant: none at all, or nearly one that has a role already."""
    email = text.strip()
    problem = wrong(console_role, email)
    if problem:
        return problem
    known = {found for found in map(email_of, access.model.roles) if found is not None}
    for there, emails in (("role for", known), ("member", access.members.emails or frozenset())):
        near = "" if email in emails else nearest_email(email, emails)
        if near.casefold() == email.casefold():
            return f"There is a {there} {near}: capitals count."
    return ""


def _general(values: Values) -> str:
    return _one_name(values["general"]) if values["general"].strip() else ""


def _one_name(text: str) -> str:
    names = read_names(text)
    if len(names) != 1:
        from core.errors import BadInputError

        raise BadInputError("Name one role; more can be given later.")
    return names[0]
