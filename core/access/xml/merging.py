"""Several configuration files as one, the way ClickHouse puts `users.xml`, `users.d` and `conf.d` together.

Source: ClickHouse's `ConfigProcessor.cpp`. An element of a later file joins the first one left of the same name and
attributes. `replace` and `remove` count by being there, whatever their value, and only in a file that is merged in.
"""

from __future__ import annotations

from core.access.xml.nodes import Node
from core.access.xml.problems import Problems, shown

SUBSTITUTIONS = ("incl", "from_zk", "from_env")
_ROOTS = ("clickhouse", "yandex")  # the same to ClickHouse
_NO_IDENTITY = frozenset({"replace", "remove", *SUBSTITUTIONS})
_BLANKS = " \t\n\r"


def merge(root: Node, other: Node, problems: Problems) -> None:
    """Put the root element of a further file into `root`, which is changed; `other` is used up."""
    if root.name != other.name and not (root.name in _ROOTS and other.name in _ROOTS):
        problems.error(
            other.origin,
            f"The root element is {shown(other.name)}, but that of the first file is {shown(root.name)}.",
            f"Call it <{root.name}>.",
        )
        return
    merge_children(root, other, problems)


def merge_children(node: Node, other: Node, problems: Problems) -> None:
    """Put what is in `other` into `node`, element by element."""
    node.children = [child for child in node.children if isinstance(child, Node) or not child.strip(_BLANKS)]
    waiting: dict[tuple[object, ...], list[Node]] = {}
    for child in node.elements():
        waiting.setdefault(_identity(child), []).append(child)
    for incoming in other.children:
        if isinstance(incoming, str):
            node.children.append(incoming)
            continue
        remove, replace = "remove" in incoming.attributes, "replace" in incoming.attributes
        if remove and replace:
            message = f"<{incoming.name}> has both remove and replace."
            problems.error(incoming.origin, message, "Keep one of the two attributes.")
            continue
        same = waiting.get(_identity(incoming))
        if same:
            _join(node, same.pop(0), incoming, problems)
        elif remove:
            problems.warning(
                incoming.origin,
                f"<{incoming.name}> is to be removed, but nothing with this name and these attributes is there.",
                "Compare the spelling, and the attributes other than remove.",
            )
        else:
            _clean(incoming)
            node.children.append(incoming)


def _join(parent: Node, present: Node, incoming: Node, problems: Problems) -> None:
    place = next(index for index, child in enumerate(parent.children) if child is present)
    if "remove" in incoming.attributes:
        del parent.children[place]
    elif "replace" in incoming.attributes:
        parent.children[place] = incoming
    else:
        if incoming.children:
            for name in SUBSTITUTIONS:
                present.attributes.pop(name, None)
        present.attributes |= incoming.attributes
        if _says_something(incoming):
            present.origin = incoming.origin
        merge_children(present, incoming, problems)


def _says_something(node: Node) -> bool:
    """Whether it has a text of its own: then it is where the value comes from."""
    return not node.elements() and bool(node.children)


def _identity(node: Node) -> tuple[object, ...]:
    attributes = ((name, value) for name, value in node.attributes.items() if name not in _NO_IDENTITY)
    return (node.name, *sorted(attributes))


def _clean(node: Node) -> None:
    """Take out what `remove` and `replace` mean for elements that have nothing to remove or replace."""
    node.children = [child for child in node.children if not (isinstance(child, Node) and "remove" in child.attributes)]
    for child in node.elements():
        child.attributes.pop("replace", None)
        _clean(child)
