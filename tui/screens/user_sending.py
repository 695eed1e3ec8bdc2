"""How what a form about a user asked for goes its way: what must be known before, and the password shown afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.access.access_model import Holder
from core.access.model import AuthKind, EntityKind, User
from core.access.users_xml import not_enforced, not_enforced_by_roles
from core.display import one_line
from core.errors import RefusedError
from core.secrets import Secret
from tui.screens.access_reading import with_consequences
from tui.screens.grant_forms import preview_text
from tui.screens.reveal import RevealScreen
from tui.screens.settings_profile_forms import setting_names, unknown_settings
from tui.screens.user_fields import own_settings
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.access.access_model import AccessModel, EntityKey
    from core.access.planning.plan import Plan
    from core.clickhouse.engine import Engine
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
    warnings = await _warnings(answering.session.engine, proposal.plan, user)
    if new is not None and new.lacks:
        warnings.append(f"The password is weak: it {', '.join(new.lacks)}.")
    return WithPassword(with_consequences(proposal, *warnings), user, None if new is None else new.to_show)


async def previewed(answering: Answering, access: Access, make: Planning, user: str, who: Holder | None = None) -> str:
    """What would come of it, in as few lines as can be: there is little room beside many fields."""
    proposal = answering.previewed(access, make)
    warnings = await _warnings(answering.session.engine, proposal.plan, user)
    consequences = (*(f"! {warning}" for warning in warnings), *proposal.change.consequences)
    shown = replace(proposal, change=replace(proposal.change, consequences=consequences))
    return "\n".join(filter(None, preview_text(shown, who).split("\n")))


async def _warnings(engine: Engine, plan: Plan, name: str) -> list[str]:
    """The settings of a user that the server does not know, and what an embedded engine does not enforce of it.

    Raises RefusedError for what an embedded engine cannot even keep.
    """
    before, after = plan.current.users.get(name), plan.target.users.get(name)
    if after is None:
        return []
    present = User(name) if before is None else before
    warnings = []
    if own_settings(after.settings) != own_settings(present.settings):
        unknown = unknown_settings(after.settings, await setting_names(engine))
        warnings += [sentence.removeprefix("! ") for sentence in unknown]
    if engine.home == "embedded":
        _refuse_ssh_keys(present, after)
        had = _kept_only(plan.current, present)
        kept = [word for word in _kept_only(plan.target, after) if word not in had]
        warnings += [f"This embedded engine will keep, and not enforce: {', '.join(kept)}."] * bool(kept)
    return warnings


def _kept_only(model: AccessModel, user: User) -> tuple[str, ...]:
    return (*not_enforced(user), *not_enforced_by_roles(model, Holder(EntityKind.USER, user.name)))


def _refuse_ssh_keys(before: User, after: User) -> None:
    """chDB is built without libssh, and refuses a statement with a key in it (error 344)."""
    if any(method.kind is AuthKind.SSH_KEY and method not in before.methods for method in after.methods):
        raise RefusedError(
            "The embedded engine knows no SSH keys: it is ClickHouse built without libssh.",
            advice="Choose another way to sign in here; a server takes them.",
        )


def send_with_password(screen: AccessScreen[Any], asked: WithPassword) -> None:
    """Carry out what a form about a password asked for, and show the password that was made up."""

    def finished(report: Report) -> None:
        if asked.to_show is not None and any(outcome.state == "done" for outcome in report.outcomes):
            screen.app.push_screen(password_page(asked.to_show, asked.user))

    screen.send(asked.proposal, finished)


def password_page(password: Secret, user: str) -> RevealScreen:
    """Hands over a made-up password."""
    name = one_line(user, 60)
    lines = [
        Line(f"Give it to whoever uses {name}, by a way that others do not read."),
        Line("It is kept nowhere: when this page closes, it cannot be shown again.", style="warning"),
    ]
    return RevealScreen(f"The password of {name}", password, f"the password of {name}", lines)
