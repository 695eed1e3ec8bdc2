"""Folded rights as GRANT and REVOKE statements, in one canonical form.

The form is that of ClickHouse's `SHOW GRANTS`, with two differences that make it shorter and mean the same: a group
stands for those of its members that can be granted on the object (`ALL ON db.*`), and what means nothing on its
object (a user named like the database of a table) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from core.access.effective.privilege_tree import SOURCE_NAMES, Depth, PrivilegeTree
from core.access.effective.rights_tree import Element, Path, Rights, Step
from core.access.model import Grant, Revoke, Right


def statements(rights: Rights, grantee: str) -> tuple[Grant | Revoke, ...]:
    """The statements that give `grantee` these rights and no others."""
    found: list[Grant | Revoke] = []
    for kind, parts in grouped(rights):
        statement = Revoke if kind.revoked else Grant
        found.append(statement(parts, grantees=(grantee,), grant_option=kind.option))
    return tuple(found)


class Kind(NamedTuple):
    """What is done: a right given or taken back, with the option to pass it on, or only that option taken back."""

    revoked: bool = False
    option: bool = False


# In the order of the fields of an element and of ClickHouse: grants before revokes, the option after the right.
_KINDS = (Kind(), Kind(option=True), Kind(revoked=True), Kind(revoked=True, option=True))


def grouped(rights: Rights) -> Iterator[tuple[Kind, tuple[Right, ...]]]:
    """The rights on each object (the columns of a table are one), apart by what is done to them."""
    for elements in _by_object(rights.elements):
        for number, kind in enumerate(_KINDS):
            masks = [(element.path, mask) for element in elements if (mask := element[1:][number])]
            if masks and (parts := _rights(masks, rights.privileges)):
                yield kind, parts


def _by_object(elements: Iterable[Element]) -> Iterator[list[Element]]:
    columns: list[Element] = []
    for element in elements:
        if columns and (len(element.path) != Depth.COLUMN or element.path[:2] != columns[0].path[:2]):
            yield columns
            columns = []
        if len(element.path) == Depth.COLUMN:
            columns.append(element)
        else:
            yield [element]
    if columns:
        yield columns


def _rights(places: list[tuple[Path, int]], privileges: PrivilegeTree) -> tuple[Right, ...]:
    depth = Depth(len(places[0][0]))
    if depth is not Depth.COLUMN:
        path, mask = places[0]
        return rights_on(path, mask, privileges)
    columns_by_privilege: dict[int, tuple[str, ...]] = {}
    for path, mask in places:
        mask &= privileges.meaningful[depth]
        while mask:
            bit = mask & -mask
            columns_by_privilege[bit] = (*columns_by_privilege.get(bit, ()), path[2].name)
            mask ^= bit
    masks: dict[tuple[str, ...], int] = {}
    for bit, columns in columns_by_privilege.items():
        masks[columns] = masks.get(columns, 0) | bit
    table = places[0][0]
    return tuple(
        Right(name, columns, table[0].name, table[1].name)
        for columns, mask in masks.items()
        for name in privileges.names(mask, depth)
    )


def rights_on(path: Path, mask: int, privileges: PrivilegeTree) -> tuple[Right, ...]:
    """Single privileges on one object that is no column."""
    depth = Depth(len(path))
    named = privileges.names(mask & privileges.meaningful[depth], depth)
    if named == ("ALL",):
        return (_right("ALL", path),)
    plain = mask & privileges.meaningful[depth] & ~privileges.parametrised
    found = [_right(name, path) for name in privileges.names(plain, depth)]
    if depth is Depth.TABLE:
        return (*found, *_pattern_rights(path, mask & privileges.sources, privileges))
    parameter, wildcard = path[0] if path else Step("")
    named = privileges.names(mask & privileges.parametrised, depth)
    return (*found, *(Right(name, parameter=parameter, parameter_wildcard=wildcard) for name in named))


def _pattern_rights(path: Path, mask: int, privileges: PrivilegeTree) -> tuple[Right, ...]:
    """READ and WRITE on what fits a pattern; ClickHouse keeps them on every table on which ALL is granted, in vain."""
    source, pattern = path
    if source.name not in SOURCE_NAMES:
        return ()
    return tuple(
        Right(name, parameter=source.name, source_filter=pattern.name) for name in privileges.single_names(mask)
    )


def _right(privilege: str, path: Path) -> Right:
    if not path:
        return Right(privilege)
    database, wildcard = path[0]
    if len(path) == 1:
        return Right(privilege, (), database, None, wildcard)
    table, table_wildcard = path[1]
    return Right(privilege, (), database, table, wildcard, table_wildcard)
