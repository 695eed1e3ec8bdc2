"""The values of settings as text, the only form that a configuration file has for them."""

from __future__ import annotations

from dataclasses import replace

from core.access.model import AlterRole, AlterUser, CreateRole, CreateUser, SettingElement, Statement
from core.access.render_grants import string
from core.access.settings_profiles import AlterSettingsProfile, CreateSettingsProfile
from core.access.tokenizer import Kind, tokenize


def plain_value(literal: str) -> str:
    """The text that a SQL literal stands for: that of a string itself, of anything else as it is written."""
    token = tokenize(literal)[0]
    return token.text if token.kind is Kind.STRING else literal


def with_quoted_values(statement: Statement) -> Statement:
    """`statement` with every value of a setting as a string; ClickHouse reads those as it reads its configuration."""
    if isinstance(statement, CreateUser | CreateRole | CreateSettingsProfile):
        return replace(statement, settings=tuple(map(_quoted, statement.settings)))
    if isinstance(statement, AlterUser | AlterRole | AlterSettingsProfile) and statement.settings is not None:
        change = statement.settings
        added, modified = (tuple(map(_quoted, elements)) for elements in (change.add, change.modify))
        return replace(statement, settings=replace(change, add=added, modify=modified))
    return statement


def _quoted(element: SettingElement) -> SettingElement:
    value, low, high = (
        None if literal is None else string(plain_value(literal))
        for literal in (element.value, element.min, element.max)
    )
    return replace(element, value=value, min=low, max=high)
