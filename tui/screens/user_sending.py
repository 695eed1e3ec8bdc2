"""How what a form about a user asked for goes its way: what must be known before, and the password shown afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.access.access_model import Holder
from core.access.model import EntityKind
from core.display import one_line
from core.secrets import Secret
from tui.screens.access_reading import with_consequences
from tui.screens.holder_warnings import warnings_about
from tui.screens.reveal import password_page

if TYPE_CHECKING:
    from core.access.access_model import EntityKey
    from core.running.report import Report
    from tui.screens.access import AccessScreen
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning, Proposal
    from tui.screens.user_method_fields import NewMethod


@dataclass(frozen=True, slots=True)
class WithPassword:
    """A change, and the password that has to be shown once it has run."""

    proposal: Proposal
    user: str
    to_show: Secret | None = None


async def proposed(
    answering: Answering,
    make: Planning,
    user: str,
    new: NewMethod | None = None,
    since: tuple[Access, EntityKey] | None = None,
) -> WithPassword:
    """What a form asked for, planned from access as it is now, with what is to be known about it."""
    proposal = await answering.propose(make, since=since)
    warnings = await warnings_about(answering.session.engine, proposal.plan, Holder(EntityKind.USER, user))
    if new is not None and new.lacks:
        warnings.append(f"The password is weak: it {', '.join(new.lacks)}.")
    return WithPassword(with_consequences(proposal, *warnings), user, None if new is None else new.to_show)


def send_with_password(screen: AccessScreen[Any], asked: WithPassword) -> None:
    """Carry out what a form about a password asked for, and show the password that was made up."""

    def finished(report: Report) -> None:
        if asked.to_show is not None and any(outcome.state == "done" for outcome in report.outcomes):
            words = f"Give it to whoever uses {one_line(asked.user, 60)}, by a way that others do not read."
            screen.app.push_screen(password_page(asked.to_show, asked.user, words))

    screen.send(asked.proposal, finished)
