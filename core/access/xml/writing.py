"""Writes an access model as the configuration of users that ClickHouse reads, and tells what is lost.

Nothing is written that gives more than the model does. Where XML cannot hold what limits a user (an end of validity, a
quota of a kind that XML does not have, a restrictive row policy …) the user is locked, with a hash of which nobody
knows a password; what XML cannot hold at all is left out. Source: ClickHouse's `UsersConfigParser.cpp`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar
from xml.sax.saxutils import escape

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.model import EntityKind, NameSet, Role, SettingElement, User
from core.access.policies import PolicyName
from core.access.settings_profiles import SettingsProfile
from core.access.xml.coverage import Coverage, Reach, Targets
from core.access.xml.elements import LOCKED
from core.access.xml.losses import Effect, Loss
from core.access.xml.names import file_name, is_element_name, is_entity_name
from core.access.xml.writing_policies import WrittenPolicies, filter_lines, write_policies
from core.access.xml.writing_profiles import write_settings
from core.access.xml.writing_quotas import quota_lines
from core.access.xml.writing_users import Notes, default_database, grants, networks, user_grants, way_in

MAIN_FILE = "users.xml"
FOLDER = "users.d"
_NO_NAME = "an XML element cannot be called so"
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- Written by Housekeys. -->\n'
_SECTIONS = {  # in the order in which they are written, with the start of the names of their files
    "profiles": "profile",
    "quotas": "quota",
    "roles": "role",
    "users": "user",
}


Name = TypeVar("Name", str, PolicyName)


class HasTo(Protocol):
    """An entity that is for some users."""

    @property
    def to(self) -> NameSet: ...


class Layout(StrEnum):
    """How the configuration is divided into files."""

    ONE_FILE = "one file"
    FILE_PER_ENTITY = "one file for each entity"


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How and for which server to write. The last two are settings of `access_control_improvements` in config.xml."""

    layout: Layout = Layout.ONE_FILE
    users_without_row_policies_can_read_rows: bool = True
    settings_constraints_replace_previous: bool = True


DEFAULT_WRITING = WritingOptions()


@dataclass(frozen=True, slots=True)
class Written:
    """Files by their path within the folder of the configuration, and what is lost. The files hold secrets."""

    files: Mapping[str, str] = field(repr=False)
    losses: tuple[Loss, ...]


def write(model: AccessModel, options: WritingOptions = DEFAULT_WRITING) -> Written:
    """The files that hold what of `model` a configuration can hold."""
    writer = _Writer(model, options)
    writer.run()
    return Written(_files(writer.entities, options.layout), tuple(writer.losses))


def _files(entities: Mapping[str, Mapping[str, Sequence[str]]], layout: Layout) -> dict[str, str]:
    if layout is Layout.ONE_FILE:
        sections = {section: dict(entities[section]) for section in _SECTIONS}
        sections["profiles"].setdefault("default", ())  # without it a server does not start
        return {MAIN_FILE: _document(sections)}
    return {
        f"{FOLDER}/{file_name(kind, name)}": _document({section: {name: lines}})
        for section, kind in _SECTIONS.items()
        for name, lines in sorted(entities[section].items())
    }


def _document(sections: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    lines = []
    for section, entities in sections.items():
        lines.append(f"    <{section}>")
        for name, inner in sorted(entities.items()):
            if inner:
                lines += [f"        <{name}>", *(f"            {line}" for line in inner), f"        </{name}>"]
            else:
                lines.append(f"        <{name}/>")
        lines.append(f"    </{section}>")
    return f"{_HEADER}<clickhouse>\n" + "\n".join(lines) + "\n</clickhouse>\n"


class _Writer:
    """Writes the entities of one model, profiles and roles before the users that need them."""

    def __init__(self, model: AccessModel, options: WritingOptions) -> None:
        self._model = model
        self._options = options
        self._coverage = Coverage(model)
        self._profiles = self._targets(model.settings_profiles)
        self._quotas_to = self._targets(model.quotas)
        self._policies_to = self._targets(model.row_policies)
        self._masking_to = self._targets(model.masking_policies)
        self.entities: dict[str, dict[str, Sequence[str]]] = {section: {} for section in _SECTIONS}
        self.losses: list[Loss] = []

    def _targets(self, entities: Mapping[Name, HasTo]) -> Targets[Name]:
        return Targets(self._coverage, ((name, entities[name].to) for name in sorted(entities, key=str)))

    def run(self) -> None:
        """Write everything."""
        self._settings_profiles()
        self._roles()
        users = [user for _, user in sorted(self._model.users.items())]
        named = [user for user in users if self._has_name(user)]
        self._quotas(named)
        policies = write_policies(
            self._model,
            self._coverage,
            named,
            others_read_rows=self._options.users_without_row_policies_can_read_rows,
        )
        self.losses += policies.losses
        self._masking_policies()
        for user in named:
            self._user(user, policies)

    # -- settings profiles --------------------------------------------------------------------------------------

    def _settings_profiles(self) -> None:
        waiting = dict(sorted(self._model.settings_profiles.items()))
        problems = {name: problem for name, profile in waiting.items() if (problem := self._profile(profile))}
        while spoilt := {
            name: f"it inherits from {parent}, which is not written"
            for name in self.entities["profiles"]
            if (parent := self._missing_parent(waiting[name].settings))
        }:
            problems |= spoilt
            for name in spoilt:
                del self.entities["profiles"][name]
        for name, problem in sorted(problems.items()):
            why = f"{problem}; the users who have it are locked"
            self._lose(EntityKind.SETTINGS_PROFILE, name, "the settings profile", why, Effect.LEFT_OUT)

    def _profile(self, profile: SettingsProfile) -> str:
        """Write a profile, or say why not."""
        if not is_entity_name(profile.name):
            return _NO_NAME
        written = write_settings(
            profile.settings, constraints_replace_previous=self._options.settings_constraints_replace_previous
        )
        if written.problem:
            return written.problem
        self.entities["profiles"][profile.name] = written.lines
        kind = EntityKind.SETTINGS_PROFILE
        if written.lost:
            self._lose(kind, profile.name, ", ".join(written.lost), "this XML cannot say it", Effect.NARROWED)
        if profile.to != NameSet():
            self._lose(kind, profile.name, "TO", "in XML each user names its own profile", Effect.CHANGED)
        return ""

    def _missing_parent(self, settings: Sequence[SettingElement]) -> str:
        profiles = (element.profile for element in settings if element.profile)
        return next((profile for profile in profiles if profile not in self.entities["profiles"]), "")

    # -- roles, quotas, masking policies ------------------------------------------------------------------------

    def _roles(self) -> None:
        written = {name for name in self._model.roles if is_entity_name(name)}
        while True:
            notes = {name: Notes(EntityKey(EntityKind.ROLE, name)) for name in sorted(written)}
            lines = {name: self._role(self._model.roles[name], written, notes[name]) for name in sorted(written)}
            # A role that cannot be written without a revoke would have more than it has.
            wider = {name for name in written if notes[name].locked}
            if not wider:
                break
            written -= wider
        for name in sorted(set(self._model.roles) - written):
            why = _NO_NAME if not is_entity_name(name) else "without a revoke that XML cannot hold it would have more"
            self._lose(EntityKind.ROLE, name, "the role", why, Effect.LEFT_OUT)
        self.losses += [loss for name in sorted(written) for loss in notes[name].losses]
        self.entities["roles"] |= lines

    def _role(self, role: Role, written: set[str], notes: Notes) -> list[str]:
        holder = Holder(EntityKind.ROLE, role.name)
        if role.settings:
            why = "XML has no settings of roles; the users who have the role are locked"
            notes.lose("its settings", why, Effect.NARROWED)
        return [grants(self._model, holder, dict(self._model.granted_roles.get(holder, {})), written, notes)]

    def _quotas(self, users: Sequence[User]) -> None:
        reached: dict[object, set[str]] = {}
        for user in users:
            for name, _ in self._quotas_to.of(user):
                reached.setdefault(name, set()).add(user.name)
        for name, quota in sorted(self._model.quotas.items()):
            lines, problem = quota_lines(quota)
            if not is_entity_name(name):
                problem = _NO_NAME
            if problem:
                why = f"{problem}; the users whom it limits are locked"
                self._lose(EntityKind.QUOTA, name, "the quota", why, Effect.LEFT_OUT)
                continue
            self.entities["quotas"][name] = lines
            if quota.to != NameSet(quota.to.names) or set(quota.to.names) != reached.get(name, set()):
                why = "XML has a quota for each user by name, none for roles or for users to come"
                self._lose(EntityKind.QUOTA, name, "TO", why, Effect.CHANGED)

    def _masking_policies(self) -> None:
        for name in sorted(self._model.masking_policies, key=lambda name: (name.database, name.short)):
            why = "XML has none; the users whom it holds for are locked"
            key = EntityKey(EntityKind.MASKING_POLICY, name)
            self.losses.append(Loss(key, "the masking policy", why, Effect.LEFT_OUT))

    # -- users --------------------------------------------------------------------------------------------------

    def _has_name(self, user: User) -> bool:
        if is_element_name(user.name) and (is_entity_name(user.name) or self._is_alone(user)):
            return True
        why = _NO_NAME
        if is_element_name(user.name):
            why = "ClickHouse finds neither quota nor row policies of a user in XML whose name has a dot"
        self._lose(EntityKind.USER, user.name, "the user", why, Effect.LEFT_OUT)
        return False

    def _is_alone(self, user: User) -> bool:
        """Whether no quota and no row policy is for the user."""
        return not self._quotas_to.of(user) and not self._policies_to.of(user)

    def _user(self, user: User, policies: WrittenPolicies) -> None:
        notes = Notes(EntityKey(EntityKind.USER, user.name))
        parts = [
            networks(user.hosts, notes),
            default_database(user, notes),
            self._users_profile(user, notes),
            self._users_quota(user, notes),
            user_grants(self._model, self._coverage, user, set(self.entities["roles"]), notes),
        ]
        if why := policies.locks.get(user.name):
            notes.lose("row policies", why, Effect.LOCKED)
        if self._masking_to.of(user):
            notes.lose("masking policies", "XML has none", Effect.LOCKED)
        identified = way_in(user, notes)
        lines = [LOCKED if notes.locked else identified, *(part for part in parts if part)]
        self.entities["users"][user.name] = [*lines, *filter_lines(policies.filters.get(user.name, {}))]
        self.losses += notes.losses

    def _users_profile(self, user: User, notes: Notes) -> str:
        """The `<profile>` of a user: its own one, or one made of all that it has."""
        if "default" in self._model.settings_profiles and "default" not in self.entities["profiles"]:
            notes.lose("the settings profile default", "it holds for everybody and is not written", Effect.LOCKED)
        assigned = []
        for name, reach in self._profiles.of(user):
            if reach is Reach.BY_ROLE:
                notes.lose(f"the settings profile {name} of its role", "XML has none of roles", Effect.LOCKED)
            else:
                assigned.append(SettingElement(profile=name))
        settings = [*assigned, *user.settings]
        if missing := self._missing_parent(settings):
            notes.lose("its settings", f"the settings profile {missing} is not written", Effect.LOCKED)
            return ""
        if not settings:
            return ""
        if len(settings) == 1 and settings[0].profile:
            return f"<profile>{escape(settings[0].profile)}</profile>"
        return self._made_profile(user, settings, notes)

    def _made_profile(self, user: User, settings: Sequence[SettingElement], notes: Notes) -> str:
        written = write_settings(
            settings, constraints_replace_previous=self._options.settings_constraints_replace_previous
        )
        if written.problem or "." in user.name:
            why = written.problem or "a settings profile cannot have a dot in its name"
            notes.lose("its settings", why, Effect.LOCKED)
            return ""
        name = f"{user.name}-settings"
        while name in self.entities["profiles"] or name in self._model.settings_profiles:
            name += "-"
        self.entities["profiles"][name] = written.lines
        notes.lose("SETTINGS", f"a user in XML has one profile, so its settings are in {name}", Effect.CHANGED)
        if written.lost:
            notes.lose(", ".join(written.lost), "this XML cannot say it", Effect.NARROWED)
        return f"<profile>{escape(name)}</profile>"

    def _users_quota(self, user: User, notes: Notes) -> str:
        reached = [name for name, _ in self._quotas_to.of(user)]
        if len(reached) > 1:
            notes.lose(f"the quotas {', '.join(reached)}", "a user in XML has one quota", Effect.LOCKED)
        elif reached and reached[0] not in self.entities["quotas"]:
            notes.lose(f"the quota {reached[0]}", "it is not written", Effect.LOCKED)
        elif reached:
            return f"<quota>{escape(reached[0])}</quota>"
        return ""

    def _lose(self, kind: EntityKind, name: str, what: str, why: str, effect: Effect) -> None:
        self.losses.append(Loss(EntityKey(kind, name), what, why, effect))
