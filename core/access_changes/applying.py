"""What makes a server hold what a file or another server says: the plan, and what is refused before there is one."""

from __future__ import annotations

from collections.abc import Iterable

from core.access.access_model import AccessModel, EntityKey
from core.access.model import EntityKind
from core.access.planning.plan import Plan
from core.access.planning.planner import plan
from core.access.secret_texts import PASSWORD_KINDS, secret_known
from core.access_changes.present import PresentAccess, with_fixed_kept
from core.access_reports.comparing import taken_over
from core.display import one_line
from core.errors import RefusedError


def plan_for(
    present: PresentAccess, desired: AccessModel, *, exact: bool, set_passwords: bool = False, own_user: str = ""
) -> Plan:
    """The plan that makes the server hold at least `desired`, or exactly that.

    What SQL cannot change stays and is among the refusals. `set_passwords`: also those of which it cannot be told
    whether they are new. Raises RefusedError when not everything can be seen that would be dropped, and when the user
    of the connection would be.
    """
    desired = present.clear_as_kept(desired)
    if exact:
        refuse_unseen(present)
        desired = with_fixed_kept(present, desired)
    made = plan(
        present.model,
        desired,
        exact=exact,
        cluster=present.cluster,
        new_secrets=told_secrets(desired) if set_passwords else (),
        storage_types=present.storage_types,
    )
    refuse_own_user(own_user, made.differences.removed)
    return made


def plan_alike(present: PresentAccess, other: AccessModel, keys: Iterable[EntityKey], own_user: str = "") -> Plan:
    """The plan that makes some entities of the server what they are in `other`; those that it has not are dropped."""
    desired = taken_over(present.model, other, keys)
    made = plan(present.model, desired, exact=True, cluster=present.cluster, storage_types=present.storage_types)
    refuse_own_user(own_user, made.differences.removed)
    return made


def told_secrets(desired: AccessModel) -> frozenset[str]:
    """The users whose passwords `desired` tells."""
    return frozenset(
        user.name
        for user in desired.users.values()
        if all(map(secret_known, user.methods)) and any(method.kind in PASSWORD_KINDS for method in user.methods)
    )


def refuse_unseen(present: PresentAccess) -> None:
    """Raise RefusedError when there may be more than what was read."""
    if present.survey.hidden or present.survey.unread:
        raise RefusedError(
            "Not everything on the server can be seen, so it cannot be made exactly what the file says.",
            advice="Connect as a user with SHOW ACCESS ON *.*, or ask for at least what it says (without exact).",
        )


def refuse_own_user(own: str, dropped: Iterable[EntityKey]) -> None:
    """Raise RefusedError when `own`, the user of the connection, would be dropped."""
    if any(key == (EntityKind.USER, own) for key in dropped):
        raise RefusedError(
            f"The user {one_line(own)} is the one that this connection is; it is not dropped.",
            advice="Connect as another user to drop it.",
        )
