"""A PartnerConfig as the texts of a form: from the JSON of a file, right or wrong, to texts, and back to JSON.

What a file says wrongly is shown as it is, so that it can be put right; what no field of the form can hold is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any, Final

from core.errors import BadInputError
from core.partner.messages.json_fields import FieldProblem, read_object
from core.partner.messages.partner_config import (
    AuthOption,
    Category,
    Endpoints,
    NewUserAction,
    ObjectName,
    PartnerConfig,
    Permission,
    PermissionLevel,
    ResourceType,
    TestWorkspaceDetail,
    TrialType,
)
from core.partner.messages.partner_config_reading import PartnerConfigError, read_partner_config
from core.partner.messages.requests import CloudProvider
from tui.widgets.fields import Choose, Field, Remark, Values

NOT_SAID: Final = "not said"
_ENDPOINTS: Final = "endpoints"
_WORKSPACE: Final = "test_workspace_detail"
_FLAGS: Final = {"yes": True, "no": False}
_DROPPED: Final = ("allow_editable_email",)  # a key of old descriptions: the reader drops it without a word

_HINTS: Final[Mapping[str, str]] = {
    "api_version": "As 2.1.0.",
    "name": "Of the partner, as on the tile.",
    "description_blurb": "One sentence for the tile.",
    "base_url": "Where the endpoints are.",
    "sign_up_page": "A URL.",
    "logo_file": "A .png or .svg, 4.4 times as wide as high.",
    "icon_file": "A .png or .svg, square, 128 pixels or more.",
    "hostnames": "The hosts that users may be led to.",
    "object_permissions": "Pairs, as Cluster CAN_RESTART, Notebook CAN_EDIT.",
    f"{_ENDPOINTS}.connect_path": "As /connect.",
    f"{_WORKSPACE}.hostname": "Of a workspace that tests name; empty with all below.",
}


@dataclass(frozen=True, slots=True)
class FileTexts:
    """What a file says, as texts by field, and the keys that no field can hold."""

    texts: Mapping[str, str]
    unknown: Sequence[str] = ()


class ListKind(StrEnum):
    """What the members of a list look like in JSON."""

    TEXT = "text"
    RESOURCE = "resource_type"
    PERMISSION = "permission"
    OBJECT = "object"


_LISTS: Final[Mapping[str, tuple[ListKind, Sequence[str]]]] = {
    "resources_to_provision": (ListKind.RESOURCE, tuple(ResourceType)),
    "supported_clouds": (ListKind.TEXT, tuple(CloudProvider)),
    "hostnames": (ListKind.TEXT, ()),
    "data_permissions": (ListKind.PERMISSION, tuple(Permission)),
    "object_permissions": (
        ListKind.OBJECT,
        tuple(f"{name} {level}" for name in ObjectName for level in PermissionLevel),
    ),
    "auth_options": (ListKind.TEXT, tuple(AuthOption)),
}
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "category": tuple(Category),
    "new_user_action": tuple(NewUserAction),
    "trial_type": (NOT_SAID, *TrialType),
    "require_manual_signup": (NOT_SAID, *_FLAGS),
    "supports_demo": (NOT_SAID, *_FLAGS),
    "is_published_app": (NOT_SAID, *_FLAGS),
}
_OPTIONAL: Final = ("data_permissions", "object_permissions", "auth_options")


def _names() -> tuple[str, ...]:
    names: list[str] = []
    inner = {_ENDPOINTS: fields(Endpoints), _WORKSPACE: fields(TestWorkspaceDetail)}
    for each in fields(PartnerConfig):
        names += [f"{each.name}.{one.name}" for one in inner[each.name]] if each.name in inner else [each.name]
    return tuple(names)


_REQUIRED: Final = frozenset(
    (
        f"{_ENDPOINTS}.connect_path",
        *(each.name for each in fields(PartnerConfig) if each.default is MISSING and each.name != _ENDPOINTS),
    )
)
NAMES: Final = _names()
"""The fields in the order of the file, those of an inner object as `endpoints.connect_path`."""


# -- from a file


def texts_of(content: bytes) -> FileTexts:
    """What a file says, field by field. Raises BadInputError when it is no JSON object."""
    values = read_object(content, "the file")
    if isinstance(values, FieldProblem):
        raise BadInputError(f"This is no PartnerConfig: {values}.", advice="Open another, or press n for a new one.")
    texts: dict[str, str] = {}
    unknown = [key for key in values if key not in PartnerConfig.__dataclass_fields__ and key not in _DROPPED]
    for name in NAMES:
        outer, _, inner = name.partition(".")
        value = values.get(outer)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        texts[name] = _text(name, value)
    for outer in (_ENDPOINTS, _WORKSPACE):
        inside = values.get(outer)
        if isinstance(inside, dict):
            unknown += [f"{outer}.{key}" for key in inside if f"{outer}.{key}" not in NAMES]
        elif inside is not None:
            unknown.append(outer)
    return FileTexts(texts, tuple(unknown))


def _text(name: str, value: Any) -> str:
    if name in _CHOICES and value is None:
        return NOT_SAID if NOT_SAID in _CHOICES[name] else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_member(member) for member in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(str(value).split("\n")) if isinstance(value, str | int) else ""


def _member(member: Any) -> str:
    if isinstance(member, dict):
        return " ".join(str(value) for value in member.values())
    return str(member)


# -- to a file


def content_of(texts: Values) -> bytes:
    """The JSON that the texts of a form come to, whether or not it is right."""
    values: dict[str, Any] = {}
    for name in NAMES:
        value = _value(name, texts.get(name, "").strip())
        if value is None:
            continue
        outer, _, inner = name.partition(".")
        if inner:
            values.setdefault(outer, {})[inner] = value
        else:
            values[outer] = value
    return (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        members = [member for each in text.split(",") if (member := each.strip())]
        return [_written(_LISTS[name][0], member) for member in members] if members or name not in _OPTIONAL else None
    if not text or (name in _CHOICES and text == NOT_SAID):
        return None
    if name in _CHOICES and NOT_SAID in _CHOICES[name]:
        return _FLAGS.get(text, text)
    if name == f"{_WORKSPACE}.port" and text.isascii() and text.isdecimal() and len(text) < 7:
        return int(text)
    return text


def _written(kind: ListKind, member: str) -> Any:
    match kind:
        case ListKind.RESOURCE | ListKind.PERMISSION:
            return {kind.value: member}
        case ListKind.OBJECT:
            name, _, level = member.partition(" ")
            return {"name": name, "level": level.strip()}
    return member


# -- judging


def problems_of(texts: Values) -> tuple[FieldProblem, ...]:
    """Every problem of what the texts come to."""
    try:
        read_partner_config(content_of(texts))
    except PartnerConfigError as error:
        return error.problems
    return ()


def field_of(problem: FieldProblem) -> str:
    """The field of the form that a problem is about; empty when it is about none of them."""
    place = problem.field.partition("[")[0]
    if place in NAMES:
        return place
    return next((name for name in NAMES if name.startswith(f"{place}.")), "") if place else ""


class Judgement:
    """What is wrong with texts, found once for all fields that ask. Remembers what it was asked of last."""

    def __init__(self, texts: Values) -> None:
        self.texts: Values = dict(texts)
        self._problems = problems_of(texts)

    def of(self, texts: Values) -> tuple[FieldProblem, ...]:
        """The problems of `texts`."""
        if dict(texts) != self.texts:
            self.texts = dict(texts)
            self._problems = problems_of(texts)
        return self._problems

    def remark(self, name: str) -> Callable[[Values], Remark | None]:
        """What is to be said of one field, for its `judge`."""

        def judge(texts: Values) -> Remark | None:
            told = [f"{problem.problem}{f'; {problem.advice}' if problem.advice else ''}"
                    for problem in self.of(texts) if field_of(problem) == name]  # fmt: skip
            return Remark(f"It {told[0]}.") if told else None

        return judge


# -- the form


def form_fields(texts: Values, judgement: Judgement) -> list[Field]:
    """A field for everything a PartnerConfig says."""
    return [_field(name, texts.get(name, ""), judgement) for name in NAMES]


def short_name(name: str) -> str:
    """A field's name where there is little room."""
    inner = name.partition(".")[2] or name
    return f"test {inner}" if name.startswith(f"{_WORKSPACE}.") else inner


def _field(name: str, text: str, judgement: Judgement) -> Field:
    judge, hint, label = judgement.remark(name), _HINTS.get(name, ""), short_name(name)
    if name in _CHOICES:
        choices = _CHOICES[name]
        kept = text if text in choices else choices[0]
        wrong = [text] if text and text not in choices else []  # what a file says wrongly is there until it is changed
        return Field(name, label, text if wrong else kept, kind="choice", choices=(*choices, *wrong), judge=judge)
    if name in _LISTS:
        choices = _LISTS[name][1]
        hint = hint or (f"One or more of: {', '.join(choices)}." if len(choices) <= 4 else "ctrl+o chooses.")
        required = name not in _OPTIONAL
        return Field(name, label, text, judge=judge, hint=hint, choose=_choose(choices), required=required)
    return Field(name, label, text, judge=judge, hint=hint, required=name in _REQUIRED)


def _choose(choices: Sequence[str]) -> Choose | None:
    """Choose one more member of a list; None where it holds anything."""
    if not choices:
        return None

    def choose(form: Any, put: Callable[[str], None]) -> None:
        from tui.screens.chooser import ChooserScreen, Option

        options = [Option(choice, choice) for choice in choices]
        form.app.push_screen(ChooserScreen("add", "type a word of it", options), lambda one: put(one) if one else None)

    return choose
