"""What the DataLens user may read, with its roles followed, and why that cannot be told when it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.access.model import Grant, Revoke
from core.access.readable import ReadableDatabases, readable_databases
from core.clickhouse.access_reading import grants_of
from core.clickhouse.engine import Engine
from core.errors import ExitCode, HousekeysError, NotFoundError
from core.tenants.naming import shown

NOTHING = ReadableDatabases()


@dataclass(frozen=True, slots=True)
class Reading:
    """The databases open to a user: by its own grants, and by each role it has, at any depth.

    `exists` is None, and `problem` says why, when the grants cannot be seen.
    """

    user: str
    exists: bool | None
    grants: tuple[Grant | Revoke, ...] = ()
    own: ReadableDatabases = NOTHING
    roles: Mapping[str, ReadableDatabases] = field(default_factory=dict)
    problem: str = ""

    @property
    def known(self) -> bool:
        """Whether what the user may read is known; it is, too, when there is no such user."""
        return self.exists is not None

    def covers(self, database: str) -> bool:
        """Whether the user may read every table of `database`."""
        return self.own.covers(database) or any(role.covers(database) for role in self.roles.values())

    def names(self, database: str) -> bool:
        """Whether a grant names `database`, or the start of its name, rather than everything there is."""
        return any(
            database in opening.names or any(database.startswith(start) for start in opening.prefixes)
            for opening in (self.own, *self.roles.values())
        )

    def touches(self, database: str) -> bool:
        """Whether the user itself has any right that names `database`, be it on one column."""
        return any(
            right.database == database for grant in self.grants if isinstance(grant, Grant) for right in grant.rights
        )

    def roles_covering(self, database: str) -> list[str]:
        """The roles that open `database`, whatever is revoked from the user itself."""
        return sorted(name for name, role in self.roles.items() if role.covers(database))


async def read_rights(engine: Engine, user: str) -> Reading:
    """What `user` may read. A missing user and missing rights are answers, not errors; UnreachableError is raised."""
    try:
        grants = await grants_of(engine, user)
    except NotFoundError:
        return Reading(user, exists=False)
    except HousekeysError as error:
        if error.exit_code is ExitCode.UNREACHABLE:
            raise
        return Reading(user, exists=None, problem=f"The grants of {shown(user)} cannot be seen: {error.message}")
    roles: dict[str, ReadableDatabases] = {}
    problem = ""
    waiting = _granted_roles(grants)
    while waiting:
        role = waiting.pop()
        if role in roles:
            continue
        try:
            of_role = await grants_of(engine, role)
        except HousekeysError as error:
            if error.exit_code is ExitCode.UNREACHABLE:
                raise
            roles[role] = NOTHING
            problem = f"The grants of the role {shown(role)} cannot be seen: {error.message}"
            continue
        roles[role] = readable_databases(of_role)
        waiting |= _granted_roles(of_role)
    return Reading(user, True, grants, readable_databases(grants), roles, problem)


def _granted_roles(grants: tuple[Grant | Revoke, ...]) -> set[str]:
    return {role for grant in grants if isinstance(grant, Grant) for role in grant.roles}
