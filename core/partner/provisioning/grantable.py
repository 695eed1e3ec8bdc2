"""Whether ClickHouse can give the privileges of the template on a database: found out before a service answers."""

from __future__ import annotations

from typing import Final

from core.access.render_grants import render_rights
from core.clickhouse.engine import Engine
from core.clickhouse.errors import ServerError
from core.display import one_line
from core.errors import BadInputError
from core.partner.provisioning.accounts import database_rights
from core.profiles.partner import ResourceTemplate

_INVALID_GRANT: Final = 509  # ClickHouse's code for a privilege that is none of databases
_NO_ACCOUNT: Final = "check"  # stands for the id of an account in the name of a database that need not be there


async def refuse_ungrantable(engine: Engine, template: ResourceTemplate) -> None:
    """Raise BadInputError for a privilege that no database can have: every new account would be answered with a 500.

    A ClickHouse that knows no CHECK GRANT is not asked.
    """
    database = template.database.replace("{account}", _NO_ACCOUNT)
    if not await _can_be_given(engine, "SELECT", database):
        return
    for privilege in template.privileges:
        if not await _can_be_given(engine, privilege, database):
            raise BadInputError(
                f"ClickHouse can give no {one_line(privilege, 60)} on a database.",
                advice="Correct privileges in [profiles.NAME.partner.resources].",
            )


async def _can_be_given(engine: Engine, privilege: str, database: str) -> bool:
    try:
        right = render_rights(database_rights((privilege,), database))
        await engine.query(f"CHECK GRANT {right}")  # what it answers is about who asks
    except BadInputError:  # it cannot be read, by us or by ClickHouse
        return False
    except ServerError as error:
        if error.code != _INVALID_GRANT:
            raise
        return False
    return True
