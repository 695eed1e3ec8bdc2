"""The values of ClickHouse's access control: rights, grants, users, roles, and the statements about them.

Quotas, settings profiles and policies have modules of their own; `Statement` has the statements about those as well.

Source: https://clickhouse.com/docs/operations/access-rights and the statements' pages under sql-reference. Names are
kept exactly; a database or table of None is written `*`. Nothing here is normalised: two values that mean the same
to ClickHouse may differ (it is ClickHouse that folds rights together).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.access.entity_parts import EVERYONE as EVERYONE
from core.access.entity_parts import NOBODY as NOBODY
from core.access.entity_parts import EntityKind as EntityKind
from core.access.entity_parts import NameSet as NameSet
from core.access.entity_parts import SettingElement as SettingElement
from core.access.entity_parts import SettingsChange as SettingsChange
from core.access.policies import (
    AlterMaskingPolicy,
    AlterRowPolicy,
    CreateMaskingPolicy,
    CreateRowPolicy,
    DropPolicy,
    PolicyName,
)
from core.access.quotas import AlterQuota, CreateQuota
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile

CURRENT_DATABASE = ""  # the database of a right written without one: `ON t`, or `ON *` of a table privilege


class Right(NamedTuple):
    """One privilege on one object. A named tuple, as a server has so many of them that making and hashing them counts.

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


class AuthKind(StrEnum):
    """The authentication methods of ClickHouse, by the word they have in SQL."""

    DEFAULT = ""  # IDENTIFIED BY: the server's default_password_type
    NO_PASSWORD = "no_password"  # noqa: S105  (ClickHouse's word, no secret)
    NO_AUTHENTICATION = "no_authentication"
    PLAINTEXT = "plaintext_password"
    SHA256 = "sha256_password"
    DOUBLE_SHA1 = "double_sha1_password"
    BCRYPT = "bcrypt_password"
    SCRAM_SHA256 = "scram_sha256_password"
    LDAP = "ldap"
    KERBEROS = "kerberos"
    SSL_CERTIFICATE = "ssl_certificate"
    SSH_KEY = "ssh_key"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class SshKey:
    """One public key of an `ssh_key` method: its base64 part and its type (`ssh-ed25519`)."""

    key: str
    type: str


@dataclass(frozen=True, slots=True)
class Interval:
    """`INTERVAL 30 DAY`: a whole number of units from second to year."""

    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """One way in which a user proves who it is.

    A password kind has a `password` (plaintext, as typed), a `hash` (hexadecimal, or the bcrypt text) with or without
    `salt`, or neither where ClickHouse showed the user without secrets. `names` are the certificate's common names, or
    its alternative names when `alternative` is true. `valid_until` is the text of the moment; `grants` limit a session.
    """

    kind: AuthKind = AuthKind.NO_PASSWORD
    password: str | None = field(default=None, repr=False)
    hash: str | None = field(default=None, repr=False)
    salt: str = field(default="", repr=False)
    server: str = ""
    realm: str = ""
    scheme: str = ""
    names: tuple[str, ...] = ()
    alternative: bool = False
    keys: tuple[SshKey, ...] = ()
    valid_until: str = ""
    valid_for: Interval | None = None
    grants: tuple[Right, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a user may come from. `any` makes the rest meaningless; nothing at all is HOST NONE."""

    any: bool = False
    local: bool = False
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()  # HOST REGEXP
    likes: tuple[str, ...] = ()


ANY_HOST = Hosts(any=True)


@dataclass(frozen=True, slots=True)
class User:
    """A user as it is defined, without its grants."""

    name: str
    methods: tuple[Authentication, ...] = (Authentication(),)
    hosts: Hosts = ANY_HOST
    default_roles: NameSet = EVERYONE
    default_database: str = ""
    grantees: NameSet = EVERYONE
    settings: tuple[SettingElement, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it is defined, without its grants."""

    name: str
    settings: tuple[SettingElement, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateUser:
    """`CREATE USER`. What is None was not written; ClickHouse's defaults hold for it.

    `at_hosts` has the host of each name that was written as `user@'host'` (its name is all of that), else "".
    """

    names: tuple[str, ...]
    at_hosts: tuple[str, ...] = ()
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    methods: tuple[Authentication, ...] | None = None
    valid_until: str = ""
    valid_for: Interval | None = None
    hosts: Hosts | None = None
    default_database: str | None = None
    roles: tuple[str, ...] = ()
    default_roles: NameSet | None = None
    settings: tuple[SettingElement, ...] = ()
    grantees: NameSet | None = None


@dataclass(frozen=True, slots=True)
class AlterUser:
    """`ALTER USER`. What is None or empty stays as it is; a `default_database` of "" takes it away."""

    names: tuple[str, ...]
    if_exists: bool = False
    cluster: str = ""
    rename_to: str = ""
    methods: tuple[Authentication, ...] | None = None
    add_methods: bool = False  # ADD IDENTIFIED: beside those that are there
    reset_methods: bool = False  # RESET AUTHENTICATION METHODS TO NEW: only the newest stays
    valid_until: str = ""
    valid_for: Interval | None = None
    hosts: Hosts | None = None
    add_hosts: Hosts | None = None
    drop_hosts: Hosts | None = None
    default_database: str | None = None
    default_roles: NameSet | None = None
    settings: SettingsChange | None = None
    grantees: NameSet | None = None


@dataclass(frozen=True, slots=True)
class CreateRole:
    """`CREATE ROLE`."""

    names: tuple[str, ...]
    if_not_exists: bool = False
    or_replace: bool = False
    storage: str = ""
    cluster: str = ""
    settings: tuple[SettingElement, ...] = ()


@dataclass(frozen=True, slots=True)
class AlterRole:
    """`ALTER ROLE`."""

    names: tuple[str, ...]
    if_exists: bool = False
    cluster: str = ""
    rename_to: str = ""
    settings: SettingsChange | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """`DROP` of users, roles, quotas or settings profiles; policies have DropPolicy."""

    kind: EntityKind
    names: tuple[str, ...]
    if_exists: bool = False
    storage: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class SetDefaultRole:
    """`SET DEFAULT ROLE … TO …`."""

    roles: NameSet
    users: NameSet


@dataclass(frozen=True, slots=True)
class Move:
    """`MOVE … TO storage`. Names of row policies are PolicyNames."""

    kind: EntityKind
    names: tuple[str | PolicyName, ...]
    storage: str
    cluster: str = ""


Statement = (
    Grant
    | Revoke
    | CreateUser
    | AlterUser
    | CreateRole
    | AlterRole
    | CreateQuota
    | AlterQuota
    | CreateSettingsProfile
    | AlterSettingsProfile
    | CreateRowPolicy
    | AlterRowPolicy
    | CreateMaskingPolicy
    | AlterMaskingPolicy
    | Drop
    | DropPolicy
    | Move
    | SetDefaultRole
)
