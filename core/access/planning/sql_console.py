"""Plans that let people into ClickHouse Cloud's SQL console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.access.access_model import AccessModel, Holder
from core.access.model import EntityKind, Grant, Right, Role
from core.access.model_changes import with_entity
from core.access.planning.plan import Plan
from core.access.planning.planner import plan
from core.access.sql_console import console_role
from core.errors import BadInputError, RefusedError


def let_in(
    current: AccessModel, email: str, general: str = "", rights: Sequence[Right] = (), *, cluster: str = ""
) -> Plan:
    """Make the console's role of a person and give it the role `general`, which is made with `rights` if it is new.

    Without `general` the role of the person gets the rights itself. Raises BadInputError for what is no e-mail address
    or says nothing, RefusedError where the role `general` exists and has rights of its own already, or nothing is new.
    """
    personal = console_role(email)
    if not general and not rights:
        raise BadInputError("It would give nothing.", advice="Name a general role, or rights.")
    if general in current.roles and rights:
        raise RefusedError(
            f"There is a role {general} already, which others may have.",
            advice="Leave the rights empty, or give them to that role itself.",
        )
    desired = current
    for name in (general, personal):
        if name and name not in desired.roles:
            desired = with_entity(desired, Role(name))
    if rights:
        desired = _given(desired, general or personal, rights)
    if general:
        who = Holder(EntityKind.ROLE, personal)
        held = {general: False, **desired.granted_roles.get(who, {})}
        desired = replace(desired, granted_roles={**desired.granted_roles, who: held})
    made = plan(current, desired, exact=True, cluster=cluster)
    if made.refusals:
        raise RefusedError(made.refusals[0].why)
    if not made.steps:
        raise RefusedError(f"{personal} has that already.")
    return made


def _given(model: AccessModel, role: str, rights: Sequence[Right]) -> AccessModel:
    who = Holder(EntityKind.ROLE, role)
    held = (*model.rights.get(who, ()), Grant(tuple(rights), grantees=(role,)))
    return replace(model, rights={**model.rights, who: held})
