"""The values of ClickHouse's access control: rights, grants, users, roles, and the statements about them.

Source: https://clickhouse.com/docs/operations/access-rights and the statements' pages under sql-reference. Names are
kept exactly; a database or table of None is written `*`. Nothing here is normalised: two values that mean the same
to ClickHouse may differ (it is ClickHouse that folds rights together).
"""

from __future__ import annotations

from dataclasses import dataclass

CURRENT_DATABASE = ""  # the database of a right written without one: `ON t`, or `ON *` of a table privilege


@dataclass(frozen=True, slots=True)
class Right:
    """One privilege on one object.

    `database` None is `*.*`, `table` None is `db.*`; the wildcards mean "every name that starts so" (`db*`, `t*`).
    A privilege that takes a parameter (`CREATE USER ON name`, `NAMED COLLECTION ON n*`, `READ ON S3('regexp')`) has
    it in `parameter`: "" for `ON *`, None for a privilege on databases and tables. `source_filter` is the pattern in
    the brackets of a source.
    """

    privilege: str
    columns: tuple[str, ...] = ()
    database: str | None = None
    table: str | None = None
    database_wildcard: bool = False
    table_wildcard: bool = False
    parameter: str | None = None
    parameter_wildcard: bool = False
    source_filter: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """`GRANT`: rights or roles (never both) to users and roles. `current` is `CURRENT GRANTS(…)`."""

    rights: tuple[Right, ...] = ()
    roles: tuple[str, ...] = ()
    grantees: tuple[str, ...] = ()
    grant_option: bool = False
    admin_option: bool = False
    replace_option: bool = False
    current: bool = False
    to_current_user: bool = False
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Revoke:
    """`REVOKE`: rights or roles from users and roles, or only their grant or admin option."""

    rights: tuple[Right, ...] = ()
    roles: tuple[str, ...] = ()
    grantees: tuple[str, ...] = ()
    grant_option: bool = False  # GRANT OPTION FOR
    admin_option: bool = False  # ADMIN OPTION FOR
    all_roles: bool = False  # REVOKE ALL [EXCEPT roles_except] FROM …
    roles_except: tuple[str, ...] = ()
    from_all: bool = False  # FROM ALL [EXCEPT grantees_except]
    grantees_except: tuple[str, ...] = ()
    from_current_user: bool = False
    cluster: str = ""
