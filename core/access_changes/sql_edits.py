"""A script edited to say something else: only the statements about what changes, all other text stays as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from core.access.access_model import AccessModel, EntityKey
from core.access.defining_statements import defined_by
from core.access.difference import Differences, compare
from core.access.difference_fields import entity
from core.access.model import (
    Drop,
    EntityKind,
    Grant,
    Move,
    Revoke,
    SetDefaultRole,
    Statement,
)
from core.access.model_changes import only
from core.access.parser import parse_statement
from core.access.policies import (
    DropPolicy,
)
from core.access.render import render
from core.access.script import model_of_script
from core.access.tokenizer import AccessSyntaxError, statement_spans
from core.access_reports.converting import sql_text


def edited_sql(text: str, before: AccessModel, desired: AccessModel) -> tuple[str, bool]:
    """The script that says `desired` in the place of `before`; and whether all of it had to be written anew.

    Then its comments are gone. The result is read again before it is taken.
    """
    touched = touched_by(compare(before, desired))
    spans = statement_spans(text)
    try:
        statements = [parse_statement(text[begin:end]) for begin, end in spans]
    except AccessSyntaxError:  # without semicolons the places are not known
        return sql_text(desired), True
    for at_end in (False, True):
        found = _exchanged(text, spans, statements, before, desired, touched, at_end=at_end)
        if _says(found, desired):
            return found, False
    return sql_text(desired), True


def touched_by(differences: Differences) -> set[EntityKey]:
    """The entities that differ in anything."""
    keys = {*differences.added, *differences.removed, *(each.key for each in differences.altered)}
    keys |= {EntityKey(*each.holder) for each in differences.rights}
    return keys | {EntityKey(*each.holder) for each in differences.roles}


def _exchanged(
    text: str,
    spans: list[tuple[int, int]],
    statements: list[Statement],
    before: AccessModel,
    desired: AccessModel,
    touched: set[EntityKey],
    *,
    at_end: bool,
) -> str:
    about = [_subjects(statement, before) for statement in statements]
    touched = _together(touched, about, statements)
    there = [key for key in sorted(touched, key=str) if entity(desired, key) is not None]
    new = sql_text(only(desired, there)) if there else ""
    parts: list[str] = []
    position, first = 0, True
    for (begin, end), statement, subjects in zip(spans, statements, about, strict=True):
        if not subjects & touched:
            continue
        parts.append(text[position:begin])
        if first and not at_end:
            parts.append(new)
        first = False
        position = _line_end(text, end)
        if rest := _for_others(statement, subjects - touched):
            parts.append(f"{render(rest)};\n")
    parts.append(text[position:])
    if first or at_end:  # nothing was there about it
        found = "".join(parts)
        return f"{found}{'' if not found or found.endswith(chr(10)) else chr(10)}{new}"
    return "".join(parts)


def _together(
    touched: set[EntityKey], about: list[set[EntityKey]], statements: list[Statement]
) -> set[EntityKey]:  # fmt: skip
    """What is touched, with all that is defined by the same statements: only a grant can be told apart by grantees."""
    while True:
        more = set(touched)
        for subjects, statement in zip(about, statements, strict=True):
            if subjects & touched and not isinstance(statement, Grant | Revoke):
                more |= subjects
        if more == touched:
            return touched
        touched = more


def _for_others(statement: Statement, others: set[EntityKey]) -> Statement | None:
    """A grant for those of its grantees who are not touched."""
    if not others or not isinstance(statement, Grant | Revoke):
        return None
    names = {str(key.name) for key in others}
    return replace(statement, grantees=tuple(name for name in statement.grantees if name in names))


def _subjects(statement: Statement, model: AccessModel) -> set[EntityKey]:
    """The entities that a statement defines or gives something to."""
    match statement:
        case Grant() | Revoke():
            return set(_holders(statement.grantees, model))
        case SetDefaultRole():
            return {EntityKey(EntityKind.USER, name) for name in statement.users.names}
        case Drop() | DropPolicy() | Move():
            return {EntityKey(statement.kind, name) for name in statement.names}
    return set(defined_by(statement))


def _holders(names: Iterable[str], model: AccessModel) -> Iterable[EntityKey]:
    for name in names:
        yield EntityKey(EntityKind.USER if name in model.users else EntityKind.ROLE, name)


def _line_end(text: str, position: int) -> int:
    """Behind the semicolon of a statement, and behind its line when nothing else stands there."""
    end = text.find(";", position)
    end = len(text) if end < 0 else end + 1
    line = text.find("\n", end)
    if line < 0:
        return len(text) if not text[end:].strip() else end
    return line + 1 if not text[end:line].strip() else end


def _says(text: str, desired: AccessModel) -> bool:
    model, problems = model_of_script(text)
    return not problems and compare(desired, model).nothing and compare(model, desired).nothing
