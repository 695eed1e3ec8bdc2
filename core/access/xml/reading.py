"""Reads configuration files of users into an access model, with the origin of every value and all problems.

What ClickHouse would refuse is read as far as it can be, so that all that is wrong is told at once; such a reading has
problems that are errors, and must not be taken for what a server holds. Source: ClickHouse's `UsersConfigParser.cpp`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from core.access.access_model import AccessModel, EntityKey, Holder, Origin
from core.access.effective.privilege_tree import PrivilegeTree, clickhouse_26_9
from core.access.model import EntityKind, Role, User
from core.access.quotas import Quota
from core.access.settings_profiles import SettingsProfile
from core.access.xml.configuration import Configuration
from core.access.xml.merging import merge
from core.access.xml.nodes import Node, parse_xml
from core.access.xml.policies import read_row_policies
from core.access.xml.problems import Problem, Problems, Severity, shown
from core.access.xml.quotas import read_quota
from core.access.xml.rights import Rights
from core.access.xml.settings_profiles import ProfileReader
from core.access.xml.substitution import Substitution, included_file
from core.access.xml.users import read_role, read_user, user_name

STORAGE = "users_xml"  # ClickHouse's name of the storage that a configuration is
_SECTIONS = frozenset({"users", "roles", "quotas", "profiles", "include_from"})
_NO_DOT = "Create what has a dot in its name with SQL."

Load = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class XmlFile:
    """A file of a configuration, read. `shared` are files that hold other configuration too (`conf.d`)."""

    path: str
    content: bytes
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What of the server decides how its files are read.

    `environment` is for `from_env`; `include_from` is the file to include from in place of the one that is named.
    The next two are settings of `access_control_improvements` in config.xml, with the values that ClickHouse's own
    file has. `settings` are the names that the server knows; without them names of settings are not checked.
    `privileges` are the server's; without them, those of ClickHouse 26.9.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    include_from: str = ""
    users_without_row_policies_can_read_rows: bool = True
    settings_constraints_replace_previous: bool = True
    settings: Collection[str] | None = None
    privileges: PrivilegeTree | None = None


DEFAULT_OPTIONS = ReadingOptions()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `values` has the place of every element by its path (`users.bob.networks.ip[1]`).

    `unresolved` are the paths whose values are not known here, with the reason (`from_zk`); `substituted` those whose
    content was taken from elsewhere (`from_env`, `incl`). `disallowed` are the values that settings profiles disallow,
    by profile and setting; `ignored` is what of entities has no effect.
    """

    model: AccessModel
    problems: tuple[Problem, ...]
    values: Mapping[str, Origin]
    files: tuple[str, ...]
    unresolved: Mapping[str, str]
    substituted: Mapping[str, str]
    disallowed: Mapping[tuple[str, str], tuple[str, ...]]
    ignored: tuple[tuple[EntityKey, str], ...]

    @property
    def loads(self) -> bool:
        """Whether ClickHouse would load these files."""
        return all(problem.severity is not Severity.ERROR for problem in self.problems)


def read_files(
    files: Sequence[XmlFile], options: ReadingOptions = DEFAULT_OPTIONS, load: Load = lambda path: None
) -> Reading:
    """Read configuration files, the first of which the others are merged into, in their order.

    `load` gives the content of the file to include from, or None. Raises XmlError for a file that is no XML.
    """
    problems = Problems()
    root = parse_xml(files[0].content, files[0].path)
    _check_sections(root, problems)
    for file in files[1:]:
        other = parse_xml(file.content, file.path)
        if not file.shared:
            _check_sections(other, problems)
        merge(root, other, problems)
    named = included_file(root, options.environment, problems)
    included = _included(root, named, options, load, problems)
    Substitution(options.environment, included, problems).resolve(root)
    reader = _Reader(Configuration(root, problems, options.privileges or clickhouse_26_9()), options)
    model = reader.model()
    paths = [file.path for file in files] + ([included.origin.file] if included is not None else [])
    return Reading(
        model,
        tuple(problems.found),
        {path: node.origin for path, node in root.walk()},
        tuple(paths),
        {path: node.unresolved for path, node in root.walk() if node.unresolved},
        {path: node.substituted for path, node in root.walk() if node.substituted},
        reader.disallowed,
        tuple(problems.ignored),
    )


def _check_sections(root: Node, problems: Problems) -> None:
    seen: set[str] = set()
    for node in root.elements():
        if node.name in seen and node.name in _SECTIONS:
            message = f"There is a second <{node.name}> section; ClickHouse reads the first only."
            problems.warning(node.origin, message, "Move what is in it into the first.")
        elif node.name not in _SECTIONS and node.name != "include":
            message = f"<{node.name}> is no section about access, so ClickHouse ignores it here."
            problems.warning(node.origin, message, "The sections are users, roles, profiles and quotas.")
        seen.add(node.name)


def _included(
    root: Node, named: tuple[str, Origin] | None, options: ReadingOptions, load: Load, problems: Problems
) -> Node | None:
    path = options.include_from or (named[0] if named is not None else "")
    if not path:
        return None
    content = load(path)
    if content is not None:
        return parse_xml(content, path)
    origin = named[1] if named is not None else root.origin
    message = f"The file {shown(path, 200)} to include from cannot be read."
    problems.error(origin, message, "Give the path to a copy of it, or correct <include_from>.")
    return None


class _Reader:
    """Puts the sections of one configuration together into a model."""

    def __init__(self, configuration: Configuration, options: ReadingOptions) -> None:
        self._configuration = configuration
        self._options = options
        self._origins: dict[EntityKey, Origin] = {}
        self._rights: dict[Holder, Rights] = {}
        self._assigned: dict[str, list[str]] = {}  # the users of each quota
        self.disallowed: dict[tuple[str, str], tuple[str, ...]] = {}
        self._profiles = frozenset(key for key, _ in configuration.section("profiles"))
        self._roles = frozenset(key for key, _ in configuration.section("roles"))
        self._quota_keys = frozenset(key for key, _ in configuration.section("quotas"))

    def model(self) -> AccessModel:
        """The access model of the configuration."""
        profiles = self._settings_profiles()
        users = self._users()
        roles = self._read_roles()
        quotas = self._quotas()
        policies = read_row_policies(
            self._configuration,
            [(key, user_name(key), node) for key, node in self._configuration.section("users")],
            others_read_rows=self._options.users_without_row_policies_can_read_rows,
        )
        for found in policies:
            self._origins[EntityKey(EntityKind.ROW_POLICY, found.policy.name)] = found.origin
        return AccessModel(
            users,
            roles,
            {holder: tuple(rights.statements) for holder, rights in self._rights.items() if rights.statements},
            {holder: dict(rights.roles) for holder, rights in self._rights.items() if rights.roles},
            quotas,
            profiles,
            {found.policy.name: found.policy for found in policies},
            storages=dict.fromkeys(self._origins, STORAGE),
            origins=self._origins,
        )

    def _settings_profiles(self) -> dict[str, SettingsProfile]:
        options = self._options
        reader = ProfileReader(
            self._configuration, self._profiles, options.settings, options.settings_constraints_replace_previous
        )
        found = {}
        for key, node in self._entities("profiles", EntityKind.SETTINGS_PROFILE):
            read = reader.read(key, node)
            found[key] = read.profile
            self.disallowed |= {(key, setting): values for setting, values in read.disallowed.items()}
        if "default" not in found:
            message = "There is no settings profile called default, which a server needs unless told otherwise."
            self._problems.warning(self._configuration.root.origin, message, "Add <default/> under <profiles>.")
        return found

    def _users(self) -> dict[str, User]:
        found = {}
        for key, node in self._entities("users", EntityKind.USER):
            read = read_user(self._configuration, key, node, self._profiles, self._roles)
            name = read.user.name
            found[name] = read.user
            self._rights[Holder(EntityKind.USER, name)] = read.rights
            if read.quota:
                self._assign(key, name, node, read.quota)
        return found

    def _assign(self, key: str, name: str, node: Node, quota: str) -> None:
        origin = (node.first("quota") or node).origin
        user = EntityKey(EntityKind.USER, name)
        if quota not in self._quota_keys:
            message = f"There is no quota {shown(quota)}, so {shown(name)} has none."
            advice = "Define it under <quotas>; without blanks around the name."
            self._problems.without_effect(origin, user, f"the quota {shown(quota)}", message, advice)
        elif key != name:
            # ClickHouse finds the user by the key, in which the dot is escaped, and so finds nobody.
            message = f"The quota does not hold for {shown(name)}, because the user's name has a dot."
            advice = "Create the user and its quota with SQL."
            self._problems.without_effect(origin, user, f"the quota {shown(quota)}", message, advice)
        else:
            self._assigned.setdefault(quota, []).append(name)

    def _read_roles(self) -> dict[str, Role]:
        found = {}
        for key, node in self._entities("roles", EntityKind.ROLE):
            found[key], self._rights[Holder(EntityKind.ROLE, key)] = read_role(
                self._configuration, key, node, self._roles
            )
        return found

    def _quotas(self) -> dict[str, Quota]:
        found = {}
        for key, node in self._entities("quotas", EntityKind.QUOTA):
            # ClickHouse shows the users of a quota by their names in order.
            users = tuple(sorted(self._assigned.get(key, ()), key=str.encode))
            found[key] = read_quota(self._configuration, key, node, users)
        return found

    def _entities(self, section: str, kind: EntityKind) -> list[tuple[str, Node]]:
        """The entities of a section under the names that ClickHouse gives them, which are told when they surprise."""
        found = self._configuration.section(section)
        for key, node in found:
            name = user_name(key) if kind is EntityKind.USER else key
            self._origins[EntityKey(kind, name)] = node.origin
            if key.endswith("]"):
                message = f"<{node.name}> stands more than once: ClickHouse calls this {kind.lower()} {shown(name)}."
                self._problems.warning(node.origin, message, "Give it a name of its own, or join the two.")
            elif "\\." in name:
                message = f"ClickHouse calls this {kind.lower()} {shown(name)}, with a backslash."
                self._problems.warning(node.origin, message, _NO_DOT)
        return found

    @property
    def _problems(self) -> Problems:
        return self._configuration.problems
