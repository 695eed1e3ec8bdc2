"""The rights of one holder folded into a tree of objects, with ClickHouse's semantics (`AccessRights.cpp`).

A grant holds for its object and everything below it, a revoke takes from its object and everything below it, and the
option to pass a right on is kept apart. `*.*` is above `db*`, that above `db`, that above `t*`, `t` and the columns.
A parameter (a user, a source …) lies where others have their database, and the pattern of a source where others have
their table: so `GRANT ALL ON name.*` gives rights on a user of that name too, as it does in ClickHouse.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from core.access.effective.privilege_tree import OLD_SOURCES, Depth, PrivilegeTree
from core.access.model import Grant, Revoke, Right


class Step(NamedTuple):
    """A name on the way down to an object; a wildcard stands for every name that starts so."""

    name: str
    wildcard: bool = False


Path = tuple[Step, ...]  # empty for everything; at most database, table, column


class Held(NamedTuple):
    """Single privileges as bits: those held, and those of them that may be passed on."""

    granted: int = 0
    option: int = 0


class Element(NamedTuple):
    """What holds on an object otherwise than on what it lies in: given plainly, with the option, or taken back."""

    path: Path
    granted: int
    with_option: int
    revoked: int
    option_revoked: int


class _Names:
    """Nodes by name, and by how their names start."""

    __slots__ = ("_order", "nodes")

    def __init__(self) -> None:
        self.nodes: dict[str, _Node] = {}
        self._order: list[str] | None = None  # kept only once a wildcard has asked for it

    def add(self, name: str, node: _Node) -> None:
        self.nodes[name] = node
        if self._order is not None:
            insort(self._order, name)

    def starting(self, start: str) -> list[_Node]:
        if self._order is None:
            self._order = sorted(self.nodes)
        first = last = bisect_left(self._order, start)
        while last < len(self._order) and self._order[last].startswith(start):
            last += 1
        return [self.nodes[name] for name in self._order[first:last]]


class _Node:
    """An object with what is held on it; objects in it that were named, exactly and by the start of their names."""

    __slots__ = ("_lengths", "exact", "granted", "option", "prefixes")

    def __init__(self, granted: int = 0, option: int = 0) -> None:
        self.granted = granted
        self.option = option
        self.exact: _Names | None = None
        self.prefixes: _Names | None = None
        self._lengths: tuple[int, ...] = ()  # of the prefixes, the longest first

    def find(self, step: Step) -> _Node | None:
        names = self.prefixes if step.wildcard else self.exact
        return None if names is None else names.nodes.get(step.name)

    def nearest(self, step: Step) -> _Node:
        """The node that an unnamed object in this one takes after: that of the longest wildcard it fits, or this."""
        if self.prefixes is not None:
            longest = len(step.name) - step.wildcard
            for length in self._lengths:
                if length <= longest and (found := self.prefixes.nodes.get(step.name[:length])) is not None:
                    return found
        return self

    def add(self, step: Step, node: _Node) -> _Node:
        if step.wildcard:
            self.prefixes = self.prefixes or _Names()
            self.prefixes.add(step.name, node)
            if len(step.name) not in self._lengths:
                self._lengths = tuple(sorted((*self._lengths, len(step.name)), reverse=True))
        else:
            self.exact = self.exact or _Names()
            self.exact.add(step.name, node)
        return node

    def starting(self, start: str) -> list[_Node]:
        """The nodes of everything in this one that starts so."""
        exact = [] if self.exact is None else self.exact.starting(start)
        return exact if self.prefixes is None else exact + self.prefixes.starting(start)

    def children(self) -> Iterator[tuple[Step, _Node]]:
        """The named objects in this one, wildcards first and wider ones before narrower ones."""
        for names, wildcard in ((self.prefixes, True), (self.exact, False)):
            if names is not None:
                for name in sorted(names.nodes):
                    yield Step(name, wildcard), names.nodes[name]

    @property
    def is_leaf(self) -> bool:
        return self.exact is None and self.prefixes is None


class Rights:
    """Folded rights. Never changed once they are built, so that a role's are shared by all who hold it."""

    def __init__(self, privileges: PrivilegeTree, root: _Node | None = None) -> None:
        self.privileges = privileges
        self._root = root or _Node()

    @property
    def empty(self) -> bool:
        return not self._root.granted and self._root.is_leaf

    def at(self, path: Path) -> Held:
        """What is held on an object itself; something in it can be held otherwise."""
        node = self._root
        for step in path:
            child = node.find(step)
            if child is None:  # nothing in it was named, so that all of it takes after one node
                near = node.nearest(step)
                mask = self.privileges.grantable[len(path)]
                return Held(near.granted & mask, near.option & mask)
            node = child
        return Held(node.granted, node.option)

    def inside(self, path: Path) -> Iterator[Path]:
        """The objects in an object (and in its name's wildcard) that were named, without the object itself."""
        node = self._root
        for step in path[:-1]:
            child = node.find(step)
            if child is None:
                return
            node = child
        if path and path[-1].wildcard:
            for step, child in node.children():
                if step.name.startswith(path[-1].name) and step != path[-1]:
                    yield (*path[:-1], step)
                    yield from _below(child, (*path[:-1], step))
            return
        if path:
            last = node.find(path[-1])
            if last is None:
                return
            node = last
        yield from _below(node, path)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """What differs from object to object, from the outside inwards."""
        found: list[Element] = []
        self._collect(found, (), self._root, 0, 0)
        return tuple(found)

    def _collect(self, found: list[Element], path: Path, node: _Node, above: int, option_above: int) -> None:
        if node.granted != above or node.option != option_above:
            revoked = above & ~node.granted
            with_option = node.option & ~option_above
            granted = node.granted & ~above & ~with_option
            option_revoked = option_above & ~node.option & ~revoked
            found.append(Element(path, granted, with_option, revoked, option_revoked))
        if node.is_leaf:
            return
        mask = self.privileges.grantable[len(path) + 1]
        for step, child in node.children():
            near = node.nearest(step)
            self._collect(found, (*path, step), child, near.granted & mask, near.option & mask)


def _below(node: _Node, path: Path) -> Iterator[Path]:
    for step, child in node.children():
        yield (*path, step)
        yield from _below(child, (*path, step))


def fold(statements: Iterable[Grant | Revoke], privileges: PrivilegeTree) -> Rights:
    """The rights that statements about one holder add up to, in their order. Roles in them are passed over."""
    root = _Node()
    for statement in statements:
        gives = isinstance(statement, Grant)
        for right in statement.rights:
            for path, mask in places(right, privileges, revoke=not gives):
                _apply(root, path, mask, gives, statement.grant_option, privileges.grantable)
    return Rights(privileges, root)


def places(right: Right, privileges: PrivilegeTree, *, revoke: bool = False) -> list[tuple[Path, int]]:
    """The objects that a right is about, each with the single privileges on it."""
    mask = privileges.mask(right.privilege)
    if privileges.sources and right.parameter is None and right.database is None:
        if right.privilege == "SOURCES":
            return [((), privileges.sources)]
        if right.privilege in OLD_SOURCES:
            return [((Step(right.privilege),), privileges.sources)]
    path: Path = ()
    if right.parameter is not None:
        if right.parameter:
            path = (Step(right.parameter, right.parameter_wildcard),)
        if right.source_filter is not None and not revoke:  # ClickHouse takes the whole source back
            path = (*path, Step(right.source_filter))
        return [(path, mask)]
    if right.database is not None:
        path = (Step(right.database, right.database_wildcard),)
        if right.table is not None:
            path = (*path, Step(right.table, right.table_wildcard))
    if right.columns and right.table is not None:
        return [((*path, Step(column)), mask) for column in right.columns]
    return [(path, mask)]


def _apply(root: _Node, path: Path, mask: int, gives: bool, option: bool, grantable: Sequence[int]) -> None:
    """Give or take. Taking what is not there leaves no trace."""
    parent = node = root
    for depth, step in enumerate(path, 1):
        child = node.find(step)
        if child is None:
            near = node.nearest(step)
            if not gives and not near.granted & mask:
                if step.wildcard and depth == len(path):
                    for each in node.starting(step.name):
                        _change(each, depth, mask, gives, option, grantable)
                return
            child = node.add(step, _Node(near.granted & grantable[depth], near.option & grantable[depth]))
        parent, node = node, child
    if path and path[-1].wildcard:
        for each in parent.starting(path[-1].name):
            _change(each, len(path), mask, gives, option, grantable)
    else:
        _change(node, len(path), mask, gives, option, grantable)


def _change(node: _Node, depth: int, mask: int, gives: bool, option: bool, grantable: Sequence[int]) -> None:
    if gives:
        mask &= grantable[depth]
        if not mask:
            return
        node.granted |= mask
        if option:
            node.option |= mask
    else:
        node.option &= ~mask
        if not option:  # else GRANT OPTION FOR
            node.granted &= ~mask
    for names in (node.prefixes, node.exact):
        if names is not None:
            for child in names.nodes.values():
                _change(child, depth + 1, mask, gives, option, grantable)


_View = tuple[_Node | None, Held]  # an object in one of several trees: its node, or what it takes after


def union(rights: Sequence[Rights], privileges: PrivilegeTree) -> Rights:
    """What several holders have together. What one of them had taken back another can give."""
    views: list[_View] = [(each._root, Held(each._root.granted, each._root.option)) for each in rights]
    return Rights(privileges, _combined(views, 0, privileges.grantable, either=True))


def intersection(first: Rights, second: Rights) -> Rights:
    """What both have."""
    views: list[_View] = [(each._root, Held(each._root.granted, each._root.option)) for each in (first, second)]
    return Rights(first.privileges, _combined(views, 0, first.privileges.grantable, either=False))


def _combined(views: list[_View], depth: int, grantable: Sequence[int], *, either: bool) -> _Node:
    if either:
        views = [view for view in views if view[1].granted or (view[0] is not None and not view[0].is_leaf)]
        if len(views) == 1 and views[0][0] is not None:
            return views[0][0]
    granted, option = (0, 0) if either else (-1, -1)
    for _, held in views:
        granted = granted | held.granted if either else granted & held.granted
        option = option | held.option if either else option & held.option
    result = _Node(granted, option)
    steps = {step for node, _ in views if node is not None for step, _ in node.children()}
    if not steps:
        return result
    mask = grantable[depth + 1]
    for step in sorted(steps):
        inner: list[_View] = []
        for node, held in views:
            child = None if node is None else node.find(step)
            if child is not None:
                inner.append((child, Held(child.granted, child.option)))
            else:
                near = held if node is None else node.nearest(step)
                inner.append((None, Held(near.granted & mask, near.option & mask)))
        result.add(step, _combined(inner, depth + 1, grantable, either=either))
    return result


class Flags(NamedTuple):
    """Single privileges on an object: on it, on it or something in it, on it and everything in it."""

    here: int
    somewhere: int
    everywhere: int


def modified(rights: Rights, change: Callable[[Flags, Depth], int]) -> Rights:
    """The rights that `change` makes of those on each object, asked from the inside outwards; options likewise."""
    grantable = rights.privileges.grantable
    root = _Node()
    for path, granted, with_option, revoked, option_revoked in rights.elements:  # without what no longer matters
        for mask, gives, option in (
            (granted, True, False),
            (with_option, True, True),
            (revoked, False, False),
            (option_revoked, False, True),
        ):
            if mask:
                _apply(root, path, mask, gives, option, grantable)
    result, _ = _modified(root, 0, change, grantable, [])
    return Rights(rights.privileges, result)


_Change = Callable[[Flags, Depth], int]
_Both = tuple[Flags, Flags]  # of the rights, and of the options to pass them on


def _modified(
    node: _Node, depth: int, change: _Change, grantable: Sequence[int], inside: list[_Both]
) -> tuple[_Node, _Both]:
    """The new node and its flags; `inside` are those of what lies in the node without being a child of it."""
    result = _Node()
    inner: dict[Step, _Both] = {}
    # In a wildcard lie the names beside it that start so: they come first, and longer wildcards before shorter ones.
    for step, child in sorted(node.children(), key=lambda pair: (pair[0].wildcard, -len(pair[0].name))):
        beside = [flags for other, flags in inner.items() if step.wildcard and other.name.startswith(step.name)]
        changed, inner[step] = _modified(child, depth + 1, change, grantable, beside)
        result.add(step, changed)
    within = [*inner.values(), *inside]
    below = grantable[min(depth + 1, Depth.COLUMN)]
    both = []
    for number, here in enumerate((node.granted, node.option)):
        parts = [flags[number] for flags in within]
        here = change(_flags(here, parts, below), Depth(depth)) & grantable[depth]
        both.append(_flags(here, parts, below))
    result.granted, result.option = both[0].here | both[1].here, both[1].here
    return result, (both[0], both[1])


def _flags(here: int, parts: Iterable[Flags], below: int) -> Flags:
    somewhere = everywhere = here
    for part in parts:
        somewhere |= part.somewhere
        everywhere &= part.everywhere | ~below
    return Flags(here, somewhere, everywhere)
