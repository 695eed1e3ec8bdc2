"""From the text of a PartnerConfig file to the PartnerConfig, with every problem in it told at once.

A key that is not known is a problem: an optional one, misspelt, would be off without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import TypeVar

from core.display import one_line
from core.errors import BadInputError
from core.partner.messages.json_fields import (
    HOSTNAME,
    HTTP_URL,
    JDBC_URL,
    PORTS,
    FieldProblem,
    Fields,
    Pattern,
    read_object,
)
from core.partner.messages.partner_config import (
    AuthOption,
    Category,
    DataPermission,
    Endpoints,
    NewUserAction,
    ObjectName,
    ObjectPermission,
    PartnerConfig,
    Permission,
    PermissionLevel,
    ResourceToProvision,
    ResourceType,
    TestWorkspaceDetail,
    TrialType,
)
from core.partner.messages.partner_config_rules import partner_config_problems
from core.partner.messages.requests import CloudProvider
from core.profiles.tables import nearest

_VERSION = Pattern(r"^[0-9]{1,6}(\.[0-9]{1,6}){2}$", "of the form major.minor.patch, as 2.1.0")
_PATH = Pattern(
    r"^/([^\u0000-\u0020\u007f/?#][^\u0000-\u0020\u007f?#]*)?$", "a path that begins with one /, as /connect"
)
_PICTURE = Pattern(r"\.(png|svg|PNG|SVG)$", "the name of a .png or .svg file")
_DROPPED = ("allow_editable_email",)  # old descriptions of the API demand it, and say nothing of what it is
_AUTH_PAT_ONLY = (AuthOption.AUTH_PAT,)

Choice = TypeVar("Choice", bound=StrEnum)


class PartnerConfigError(BadInputError):
    """A PartnerConfig that cannot be used, with all that is wrong with it."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(f"The PartnerConfig cannot be used: {'. '.join(map(str, problems))}.")
        self.problems = problems


def read_partner_config(content: bytes) -> PartnerConfig:
    """The PartnerConfig in the bytes of a file. Raises PartnerConfigError."""
    values = read_object(content, "the file")
    if isinstance(values, FieldProblem):
        raise PartnerConfigError((values,))
    problems: list[FieldProblem] = []
    fields = Fields(values, problems)
    if "partner" in values and "base_url" not in values:
        fields.note("partner", "belongs to the Self-Testing Partner CLI", "open the PartnerConfig of the test suite")
        raise PartnerConfigError(tuple(problems))
    config = _partner_config(fields)
    problems.extend(partner_config_problems(config, [problem.field for problem in problems]))
    if problems:
        raise PartnerConfigError(tuple(problems))
    return config


def _partner_config(fields: Fields) -> PartnerConfig:
    config = PartnerConfig(
        api_version=fields.text("api_version", pattern=_VERSION),
        name=fields.text("name"),
        description_blurb=fields.text("description_blurb"),
        category=fields.choice("category", Category),
        base_url=fields.text("base_url", pattern=HTTP_URL),
        endpoints=_endpoints(fields.inner("endpoints")),
        sign_up_page=fields.text("sign_up_page", pattern=HTTP_URL),
        privacy_policy=fields.text("privacy_policy", pattern=HTTP_URL),
        terms_of_service=fields.text("terms_of_service", pattern=HTTP_URL),
        logo_file=fields.text("logo_file", pattern=_PICTURE),
        icon_file=fields.text("icon_file", pattern=_PICTURE),
        resources_to_provision=_resources(fields),
        supported_clouds=_choices(fields, "supported_clouds", CloudProvider),
        hostnames=_hostnames(fields),
        new_user_action=fields.choice("new_user_action", NewUserAction),
        data_permissions=_data_permissions(fields),
        object_permissions=_object_permissions(fields),
        require_manual_signup=fields.optional_flag("require_manual_signup"),
        trial_type=fields.optional_choice("trial_type", TrialType),
        supports_demo=fields.optional_flag("supports_demo"),
        auth_options=_choices(fields, "auth_options", AuthOption, optional=True) or _AUTH_PAT_ONLY,
        is_published_app=fields.optional_flag("is_published_app"),
        test_workspace_detail=_workspace(fields.optional_inner("test_workspace_detail")),
    )
    _close(fields)
    return config


def _endpoints(fields: Fields) -> Endpoints:
    others = {
        each.name: fields.optional_text(each.name, pattern=_PATH)
        for each in fields_of(Endpoints)
        if each.name != "connect_path"
    }
    endpoints = Endpoints(fields.text("connect_path", pattern=_PATH), **others)
    _close(fields)
    return endpoints


def _resources(fields: Fields) -> tuple[ResourceToProvision, ...]:
    found = []
    for member in _objects(fields, "resources_to_provision", required=True):
        found.append(ResourceToProvision(member.choice("resource_type", ResourceType)))
        _close(member)
    return tuple(found)


def _data_permissions(fields: Fields) -> tuple[DataPermission, ...] | None:
    found = []
    for member in _objects(fields, "data_permissions"):
        found.append(DataPermission(member.choice("permission", Permission)))
        _close(member)
    return tuple(found) or None


def _object_permissions(fields: Fields) -> tuple[ObjectPermission, ...] | None:
    found = []
    for member in _objects(fields, "object_permissions"):
        found.append(ObjectPermission(member.choice("name", ObjectName), member.choice("level", PermissionLevel)))
        _close(member)
    return tuple(found) or None


def _workspace(fields: Fields | None) -> TestWorkspaceDetail | None:
    if fields is None:
        return None
    detail = TestWorkspaceDetail(
        hostname=fields.text("hostname", pattern=HOSTNAME),
        port=fields.whole("port", PORTS),
        jdbc_url=fields.text("jdbc_url", pattern=JDBC_URL),
        http_path=fields.text("http_path"),
        cluster_id=fields.text("cluster_id"),
        databricks_jdbc_url=fields.optional_text("databricks_jdbc_url", pattern=JDBC_URL),
    )
    _close(fields)
    return detail


def _hostnames(fields: Fields) -> tuple[str, ...]:
    members = _members(fields, "hostnames", required=True)
    return tuple(members.text(name, pattern=HOSTNAME) for name in members.values) if members else ()


def _choices(fields: Fields, name: str, choices: type[Choice], *, optional: bool = False) -> tuple[Choice, ...]:
    members = _members(fields, name, required=not optional)
    return tuple(members.choice(each, choices) for each in members.values) if members else ()


def _objects(fields: Fields, name: str, *, required: bool = False) -> Iterator[Fields]:
    members = _members(fields, name, required=required)
    if members is not None:
        yield from (members.inner(each) for each in members.values)


def _members(fields: Fields, name: str, *, required: bool) -> Fields | None:
    members = fields.optional_members(name)
    if members is None and required:
        fields.note_missing(name, "it is a list")
    return members


def _close(fields: Fields) -> None:
    """Note the keys that nobody asked for."""
    for name in fields.values:
        if name in fields.known or name in _DROPPED:
            continue
        near = nearest(name, fields.known)
        shown = one_line(name, 40)
        fields.note(shown, "is not a known key", f"did you mean {near}?" if near else "remove it")
