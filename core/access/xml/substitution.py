"""`incl`, `from_env`, `from_zk` and encrypted values: what ClickHouse puts into its configuration from elsewhere.

Source: ClickHouse's `ConfigProcessor.cpp`. What cannot be known here (ZooKeeper, an encrypted value, a variable of
another machine) is left as it is and marked, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.access.access_model import Origin
from core.access.xml.merging import SUBSTITUTIONS, merge_children
from core.access.xml.nodes import DEEPEST, Node, XmlError, parse_xml
from core.access.xml.problems import Problems, shown

_DEEPEST = 10  # includes within includes, which ClickHouse would follow until it falls
_MOST = 100_000  # elements and texts that are included altogether


@dataclass(slots=True)
class Substitution:
    """Fills in a merged configuration. `included` is the root of the file that `incl` takes elements from."""

    environment: Mapping[str, str]
    included: Node | None
    problems: Problems
    _included_parts: int = field(default=0, init=False)

    def resolve(self, root: Node) -> None:
        """Replace every reference in `root`, which is changed."""
        self._children(root, 0, 0)

    def _children(self, node: Node, level: int, depth: int) -> None:
        if level > DEEPEST:
            self.problems.error(node.origin, f"Elements are nested more than {DEEPEST} deep.", "Make it flatter.")
            node.children.clear()
        for child in node.elements():
            self._element(node, child, level + 1, depth)

    def _element(self, parent: Node, node: Node, level: int, depth: int) -> None:
        if "encrypted_by" in node.attributes:
            self._unresolved(node, "encrypted", "is encrypted, so its value is not known here")
        references = [name for name in SUBSTITUTIONS if name in node.attributes]
        if not references and node.name == "include":
            advice = "Give it incl, from_env or from_zk."
            self.problems.error(node.origin, "<include> says nothing of what it includes.", advice)
        elif len(references) > 1:
            message = f"<{node.name}> has {' and '.join(references)}."
            self.problems.error(node.origin, message, "Keep one of these attributes.")
        elif references and node.name == "include" and node.children:
            self.problems.error(node.origin, "<include> has something in it.", "Leave it empty.")
        elif references and self._filled(parent, node, references[0], level, depth):
            return
        self._children(node, level, depth)

    def _filled(self, parent: Node, node: Node, how: str, level: int, depth: int) -> bool:
        """Whether all there is to do with the element was done."""
        if how != "incl" and node.children and "replace" not in node.attributes:
            self.problems.error(
                node.origin, f"<{node.name}> has {how} and a value.", 'Empty it, or add replace="replace".'
            )
            return False
        if how == "from_zk":
            self._unresolved(node, how, "comes from ZooKeeper, so its value is not known here")
            return False
        source = self._from_env(node) if how == "from_env" else self._included(node)
        if source is None:
            return self._missing(parent, node, how)
        self._included_parts += source.size()
        if depth >= _DEEPEST or self._included_parts > _MOST:
            message = f"<{node.name}> includes itself, or there are too many references."
            self.problems.error(node.origin, message, "Take the reference out.")
            return True
        if node.name == "include":
            self._instead(parent, node, source)
            return True
        self._into(node, source)
        node.substituted = how
        self._element(parent, node, level, depth + 1)
        return True

    def _into(self, node: Node, source: Node) -> None:
        for name in SUBSTITUTIONS:
            node.attributes.pop(name, None)
        if node.attributes.pop("replace", None) is not None:
            node.children.clear()
        copied = source.copy()
        node.children += copied.children
        node.attributes |= copied.attributes
        node.unresolved = node.unresolved or copied.unresolved

    def _instead(self, parent: Node, node: Node, source: Node) -> None:
        if "merge" in node.attributes:
            merge_children(parent, source.copy(), self.problems)
            parent.children = [child for child in parent.children if child is not node]
        else:
            place = next(index for index, child in enumerate(parent.children) if child is node)
            parent.children[place : place + 1] = source.copy().children

    def _missing(self, parent: Node, node: Node, how: str) -> bool:
        name = node.attributes[how]
        if "optional" in node.attributes or node.name == "include":
            parent.children = [child for child in parent.children if child is not node]
        elif how == "from_env":
            node.unresolved = how
        if "optional" in node.attributes:
            return True
        if how == "from_env":
            self.problems.warning(
                node.origin,
                f"The environment variable {shown(name)} is not set here; ClickHouse leaves <{node.name}> as it is.",
                "Set it where the server runs. A password from it would be empty.",
            )
        else:
            self.problems.warning(
                node.origin,
                f"There is nothing called {shown(name)} to include; ClickHouse leaves <{node.name}> as it is.",
                "Check <include_from>, or take incl out.",
            )
        return node.name == "include"

    def _from_env(self, node: Node) -> Node | None:
        name = node.attributes["from_env"]
        value = self.environment.get(name)
        if value is None:
            return None
        try:
            found = parse_xml(f"<from_env>{value}</from_env>".encode(), node.origin.file, node.origin.line)
        except (XmlError, UnicodeEncodeError):
            message = f"The value of the environment variable {shown(name)} is no XML."
            self.problems.error(node.origin, message, "Write & as &amp; and < as &lt; in it.")
            return Node("from_env", node.origin, unresolved="from_env")
        for _, inner in found.walk():
            inner.origin = node.origin
        return found

    def _included(self, node: Node) -> Node | None:
        found = self.included
        for step in node.attributes["incl"].strip("/").split("/"):
            found = found.first(step) if found is not None else None
        return found

    def _unresolved(self, node: Node, reason: str, words: str) -> None:
        if not node.unresolved:
            node.unresolved = reason
            advice = "Read the server's preprocessed_configs/users.xml to know it."
            self.problems.warning(node.origin, f"<{node.name}> {words}.", advice)


def included_file(root: Node, environment: Mapping[str, str], problems: Problems) -> tuple[str, Origin] | None:
    """The file that `<include_from>` names, and where it does, or None without one that is known."""
    node = root.first("include_from")
    if node is None:
        return None
    if any(name in node.attributes for name in SUBSTITUTIONS):
        Substitution(environment, None, problems).resolve(Node("", node.origin, children=[node]))
    name = node.inner_text()
    return (name, node.origin) if name and not node.unresolved else None
