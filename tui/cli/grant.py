"""`housekeys grant`: rights and roles given to users and roles, and taken away."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, NotFoundError
from tui.cli.access_entities import carry_out_plan, present_access
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.access.access_model import AccessModel, Holder
    from core.access.model import Right
    from core.session import Session
    from tui.cli.context import Context

NOUN = "grant"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add = frame.verb(
        verbs,
        "add",
        add_grant,
        "give rights or roles",
        description="Give rights or roles: what stands between GRANT and TO in SQL.",
        examples=(
            "housekeys grant add 'SELECT ON acme.*' --to reader",
            "housekeys grant add 'SELECT(id, day), INSERT ON acme.orders' --to ann --with-grant-option",
            "housekeys grant add 'reader, writer' --to ann --with-admin-option",
            "housekeys grant add 'ALL ON *.*' --to ann --current-grants",
        ),
    )
    add.add_argument("what", metavar="WHAT", help="'PRIVILEGE, … ON db.table', or 'ROLE, …', as in SQL")
    add.add_argument("--to", required=True, metavar="NAME", help="the user or role; of one name the user")
    add.add_argument("--with-grant-option", action="store_true", help="the rights may be passed on")
    add.add_argument("--with-admin-option", action="store_true", help="the roles may be passed on")
    add.add_argument(
        "--current-grants", action="store_true", help="what you can pass on of the rights: for Cloud, which refuses ALL"
    )
    take = frame.verb(
        verbs,
        "revoke",
        revoke_grant,
        "take rights or roles away",
        description="Take rights or roles away: what stands between REVOKE and FROM in SQL. What a role gives stays.",
        examples=(
            "housekeys grant revoke 'SELECT ON acme.secret' --from reader --yes",
            "housekeys grant revoke 'GRANT OPTION FOR SELECT ON acme.*' --from ann",
            "housekeys grant revoke 'ALL EXCEPT reader' --from ann",
        ),
    )
    take.add_argument("what", metavar="WHAT", help="rights or roles, as in SQL")
    take.add_argument("--from", dest="holder", required=True, metavar="NAME", help="the user or role")


async def add_grant(context: Context) -> None:
    """Handle `grant add`."""
    from core.access.entity_options import read_grant
    from core.access.planning.entities import grant, grant_current, grant_roles

    arguments = context.arguments
    given = read_grant(arguments.what)
    if arguments.with_grant_option and not given.rights:
        raise BadInputError("--with-grant-option is for rights.", advice="Roles take --with-admin-option.")
    if arguments.with_admin_option and given.rights:
        raise BadInputError("--with-admin-option is for roles.", advice="Rights take --with-grant-option.")
    if arguments.current_grants and not given.rights:
        raise BadInputError("--current-grants is for rights.")
    session, present = await present_access(context)
    await _need_known(session, given.rights)
    holder = _holder(present.model, arguments.to)
    where: dict[str, Any] = {"cluster": present.cluster, "storage_types": present.storage_types}
    if given.rights:
        give = grant_current if arguments.current_grants else grant
        plan = give(present.model, holder, given.rights, grant_option=arguments.with_grant_option, **where)
    else:
        plan = grant_roles(present.model, holder, given.roles, admin_option=arguments.with_admin_option, **where)
    await carry_out_plan(context, present, plan, f"Granted to {holder.name}")


async def revoke_grant(context: Context) -> None:
    """Handle `grant revoke`."""
    from core.access.entity_options import read_revoke
    from core.access.planning.entities import revoke, revoke_roles

    taken = read_revoke(context.arguments.what)
    session, present = await present_access(context)
    await _need_known(session, taken.rights)
    holder = _holder(present.model, context.arguments.holder)
    where: dict[str, Any] = {"cluster": present.cluster, "storage_types": present.storage_types}
    if taken.rights:
        plan = revoke(present.model, holder, taken.rights, option_only=taken.grant_option, **where)
    else:
        roles = taken.roles
        if taken.all_roles:
            held = present.model.granted_roles.get(holder, {})
            roles = tuple(role for role in held if role not in taken.roles_except)
        plan = revoke_roles(present.model, holder, roles, option_only=taken.admin_option, **where)
    await carry_out_plan(context, present, plan, f"Revoked from {holder.name}")


async def _need_known(session: Session, rights: Iterable[Right]) -> None:
    """Raise BadInputError for a privilege that the server does not have, with the one that was meant."""
    from core.access.effective.privilege_tree import clickhouse_26_9
    from core.access_changes.present import read_privileges

    privileges = await read_privileges(session.engine) or clickhouse_26_9()
    for right in rights:
        privileges.mask(right.privilege)


def _holder(model: AccessModel, name: str) -> Holder:
    from core.access.access_model import Holder
    from core.access.model import EntityKind
    from core.display import one_line

    if name in model.users:
        return Holder(EntityKind.USER, name)
    if name in model.roles:
        return Holder(EntityKind.ROLE, name)
    raise NotFoundError(
        f"There is no user or role {one_line(name)}.", advice="See `housekeys user list` and `housekeys role list`."
    )
