"""`housekeys role`: rights and settings under a name, to be granted to users and other roles."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.cli.access_options import DROP_SETTING, SETTING, add_entity_verbs
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from tui.cli.context import Context

NOUN = "role"
CLAUSES = (SETTING, DROP_SETTING)


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verbs of this noun."""
    add_entity_verbs(
        verbs,
        frame,
        NOUN,
        CLAUSES,
        name="reader",
        new="auditor",
        create="--setting 'max_threads = 4 MAX 8'",
        alter="--setting 'max_threads = 8' --settings-profile careful",
    )
    console = frame.verb(
        verbs,
        "sql-console",
        let_into_console,
        "let somebody into ClickHouse Cloud's SQL console",
        description="Make the role that ClickHouse Cloud's SQL console finds by an e-mail address, and give it rights: "
        "by a general role, which is made with the rights when it is new, or of its own.",
        examples=(
            "housekeys role sql-console my.user@domain.com --role developer --grant 'SELECT, SHOW ON sales.*'",
            "housekeys role sql-console my.user@domain.com --role developer",
        ),
    )
    console.add_argument("email", metavar="EMAIL", help="the address, exactly as the Cloud console has it")
    console.add_argument("--role", default="", metavar="NAME", help="the general role")
    console.add_argument("--grant", default="", metavar="RIGHTS", help="rights as in SQL: 'PRIVILEGE, … ON db.table'")


async def let_into_console(context: Context) -> None:
    """Handle `role sql-console`."""
    from core.access.entity_options import read_grant
    from core.access.planning.sql_console import let_in
    from core.access.sql_console import no_member
    from core.errors import BadInputError
    from tui.cli.access_entities import carry_out_plan, known_members, present_access

    arguments = context.arguments
    given = read_grant(arguments.grant) if arguments.grant else None
    if given is not None and not given.rights:
        raise BadInputError("--grant takes rights.", advice="Roles go with --role.")
    session, present = await present_access(context)
    if noted := no_member(arguments.email, await known_members(context, session)):
        context.output.message(f"Note: {noted}")
    rights = () if given is None else given.rights
    plan = let_in(present.model, arguments.email, arguments.role, rights, cluster=present.cluster)
    await carry_out_plan(context, present, plan, f"{arguments.email}: may use the SQL console")
