"""Settings profiles as elements of a configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from core.access.model import SettingElement
from core.access.settings_values import plain_value
from core.access.tokenizer import Kind, tokenize
from core.access.xml.elements import fits, is_kept
from core.access.xml.settings_profiles import normalised

_SETTING = re.compile(r"(?!include$|profile$|constraints$)[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class WrittenSettings:
    """The lines in a profile's element. `problem` says why there are none; `lost` what of limits is not in them."""

    lines: tuple[str, ...] = ()
    problem: str = ""
    lost: tuple[str, ...] = ()


def write_settings(settings: Sequence[SettingElement], *, constraints_replace_previous: bool) -> WrittenSettings:
    """Settings as they can stand in a profile, in an order that ClickHouse reads as the same list."""
    lost = []
    elements = []
    for element in settings:
        kept, words = _without_writability(element, constraints_replace_previous)
        lost += words
        if kept.profile or kept != SettingElement(kept.name):
            elements.append(kept)
    if problem := next(filter(None, map(_unfit, elements)), ""):
        return WrittenSettings(problem=problem)
    # ClickHouse puts a list in order where it meets constraints; what comes after them stays as it is.
    end = max((index + 1 for index, element in enumerate(elements) if _is_limited(element)), default=0)
    names = [element.name for element in elements if element.value is not None]
    if len(set(names)) < len(names) or normalised(elements[:end]) != elements[:end]:
        return WrittenSettings(problem="a profile in XML has each setting once, behind what it inherits from")
    return WrittenSettings(tuple(_lines(elements)), lost=tuple(lost))


def _without_writability(element: SettingElement, replace_previous: bool) -> tuple[SettingElement, list[str]]:
    """An element without what XML, or this server's XML, cannot say; what is left limits at least as much."""
    if element.writability == "WRITABLE":
        return replace(element, writability=""), [f"WRITABLE of {element.name}"]
    if element.writability == "CHANGEABLE_IN_READONLY" and not replace_previous:
        return replace(element, writability=""), [f"CHANGEABLE_IN_READONLY of {element.name}"]
    return element, []


def _unfit(element: SettingElement) -> str:
    if element.profile:
        return "" if fits(element.profile) else "the name of an inherited profile cannot stand in XML"
    if not _SETTING.fullmatch(element.name):
        return "the name of a setting cannot be that of an XML element"
    for literal in (element.value, element.min, element.max):
        if literal is not None and not _fits_as_value(literal):
            return f"a value of {element.name} cannot stand in XML"
    return ""


def _fits_as_value(literal: str) -> bool:
    kind = tokenize(literal)[0].kind
    if kind is Kind.WORD:
        return literal.lower() in ("true", "false")
    text = plain_value(literal)
    # Digits are all that every number in a configuration may have; ClickHouse itself shows seconds as `60.`.
    return is_kept(text) if kind is Kind.STRING else re.fullmatch(r"-?[0-9]+(?:\.[0-9]*)?", text) is not None


def _is_limited(element: SettingElement) -> bool:
    return not element.profile and (
        element.value is None or replace(element, value=None) != SettingElement(element.name)
    )


def _lines(elements: Sequence[SettingElement]) -> list[str]:
    """Values and constraints, these together where that does not change the order of the settings."""
    lines: list[str] = []
    waiting: list[SettingElement] = []
    for element in elements:
        if element.profile or element.value is not None:
            if element.profile or any(limited.value is None for limited in waiting):
                lines += _constraints(waiting)
                waiting = []
            lines.append(_line(element))
        if _is_limited(element):
            waiting.append(element)
    return lines + _constraints(waiting)


def _line(element: SettingElement) -> str:
    if element.profile:
        return f"<profile>{escape(element.profile)}</profile>"
    return f"<{element.name}>{escape(plain_value(element.value or ''))}</{element.name}>"


def _constraints(elements: Sequence[SettingElement]) -> list[str]:
    lines = []
    for element in filter(_is_limited, elements):
        limits = ((tag, value) for tag, value in (("min", element.min), ("max", element.max)) if value is not None)
        inner = "".join(f"<{tag}>{escape(plain_value(value))}</{tag}>" for tag, value in limits)
        inner += f"<{element.writability.lower()}/>" if element.writability else ""
        lines.append(f"    <{element.name}>{inner}</{element.name}>")
    return ["<constraints>", *lines, "</constraints>"] if lines else []
