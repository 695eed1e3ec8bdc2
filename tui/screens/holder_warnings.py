"""What must be known before a user or a role becomes what a form asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.difference_fields import entity
from core.access.model import AuthKind, EntityKind, Role, User
from core.access.users_xml import not_enforced, not_enforced_by_roles
from core.errors import RefusedError
from tui.screens.grant_forms import alone, preview_text
from tui.screens.settings_fields import own_settings
from tui.screens.settings_profile_forms import setting_names, unknown_settings

if TYPE_CHECKING:
    from core.access.planning.plan import Plan
    from core.clickhouse.engine import Engine
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Planning


async def previewed(
    answering: Answering, access: Access, make: Planning, *who: Holder, with_rights: bool = False
) -> str:
    """What would come of it, in as few lines as can be: there is little room beside many fields.

    With rights: and what becomes of those of one alone.
    """
    proposal = answering.previewed(access, make)
    warnings = await warnings_about(answering.session.engine, proposal.plan, *who)
    consequences = (*(f"! {warning}" for warning in warnings), *proposal.change.consequences)
    shown = replace(proposal, change=replace(proposal.change, consequences=consequences))
    return "\n".join(filter(None, preview_text(shown, alone(who) if with_rights else None).split("\n")))


async def warnings_about(engine: Engine, plan: Plan, *who: Holder) -> list[str]:
    """The settings of users or roles that the server does not know, and what an embedded engine does not enforce.

    Raises RefusedError for what an embedded engine cannot even keep.
    """
    found = [warning for holder in who for warning in await _warnings(engine, plan, holder)]
    return list(dict.fromkeys(found))


async def _warnings(engine: Engine, plan: Plan, who: Holder) -> list[str]:
    before, after = _holder(plan.current, who), _holder(plan.target, who)
    if after is None:
        return []
    warnings = []
    if own_settings(after.settings) != own_settings(() if before is None else before.settings):
        unknown = unknown_settings(after.settings, await setting_names(engine))
        warnings += [sentence.removeprefix("! ") for sentence in unknown]
    if engine.home == "embedded":
        _refuse_ssh_keys(before, after)
        had = _kept_only(plan.current, before, who)
        kept = [words for words in _kept_only(plan.target, after, who) if words not in had]
        warnings += [f"This embedded engine will keep, and not enforce: {', '.join(kept)}."] * bool(kept)
    return warnings


def _holder(model: AccessModel, who: Holder) -> User | Role | None:
    found = entity(model, EntityKey(who.kind, who.name))
    return found if isinstance(found, User | Role) else None


def _kept_only(model: AccessModel, holder: User | Role | None, who: Holder) -> tuple[str, ...]:
    if holder is None:
        holder = User(who.name) if who.kind is EntityKind.USER else Role(who.name)
    return (*not_enforced(holder), *not_enforced_by_roles(model, who))


def _refuse_ssh_keys(before: User | Role | None, after: User | Role) -> None:
    """chDB is built without libssh, and refuses a statement with a key in it (error 344)."""
    if not isinstance(after, User):
        return
    had = before.methods if isinstance(before, User) else ()
    if any(method.kind is AuthKind.SSH_KEY and method not in had for method in after.methods):
        raise RefusedError(
            "The embedded engine knows no SSH keys: it is ClickHouse built without libssh.",
            advice="Choose another way to sign in here; a server takes them.",
        )
