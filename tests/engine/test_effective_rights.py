"""Effective rights, judged by ClickHouse: its privileges, its SHOW GRANTS FINAL, its CHECK GRANT."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.effective.privilege_tree import SOURCE_NAMES, Privilege, clickhouse_26_9
from core.access.effective.rights import RightsIndex
from core.access.effective.rights_tree import Path as Place
from core.access.effective.rights_tree import Rights, Step, places
from core.access.model import EntityKind, Grant, Revoke
from core.access.parser import parse_statement
from core.access.render import render
from core.access.render_grants import identifier
from core.clickhouse.embedded_handle import Handle, HandleOptions
from tests.unit.access import effective_models

# Every model takes an engine of its own: few of them, and no search for a smaller one.
ENGINE = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TREE = clickhouse_26_9()


@contextmanager
def loaded(model: AccessModel) -> Iterator[Handle]:
    """chDB with the users and roles of a model, every statement as it stands in it."""
    root = ElementTree.Element("clickhouse")
    for part in ("profiles", "quotas"):
        ElementTree.SubElement(ElementTree.SubElement(root, part), "default")
    users = ElementTree.SubElement(root, "users")
    default = ElementTree.SubElement(users, "default")
    for tag in ("access_management", "named_collection_control"):
        ElementTree.SubElement(default, tag).text = "1"
    ElementTree.SubElement(default, "no_password")
    for name in model.users:
        element = ElementTree.SubElement(users, name)
        ElementTree.SubElement(element, "no_password")
        _grants(element, model, Holder(EntityKind.USER, name))
    roles = ElementTree.SubElement(root, "roles")
    for name in model.roles:
        _grants(ElementTree.SubElement(roles, name), model, Holder(EntityKind.ROLE, name))
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "config.xml").write_text(f"<clickhouse><users_config>{home}/users.xml</users_config></clickhouse>")
        (home / "users.xml").write_text(ElementTree.tostring(root, encoding="unicode"))
        handle = Handle(HandleOptions(home / "data", home / "config.xml", {}, comment="test"))
        try:
            yield handle
        finally:
            handle.close()


def _grants(parent: ElementTree.Element, model: AccessModel, holder: Holder) -> None:
    grants = ElementTree.SubElement(parent, "grants")
    given_roles = [
        Grant(roles=(role,), grantees=(holder.name,), admin_option=admin)
        for role, admin in model.granted_roles.get(holder, {}).items()
    ]
    for statement in (*model.rights.get(holder, ()), *given_roles):
        word = "TO" if isinstance(statement, Grant) else "FROM"
        text = render(statement).replace(f" {word} {identifier(holder.name)}", "")
        ElementTree.SubElement(grants, "query").text = text


def lines(handle: Handle, sql: str) -> list[str]:
    return [row[0] for row in handle.query(sql).rows]


# What ClickHouse shows, one by one: what is done, with the option or not, the privilege, the object.
Atom = tuple[bool, bool, str, Place]


def shown_atoms(statements: Sequence[str]) -> set[Atom]:
    """The atoms of what SHOW GRANTS answered."""
    found: set[Atom] = set()
    for statement in map(parse_statement, statements):
        assert isinstance(statement, Grant | Revoke)
        for right in statement.rights:
            for path, mask in places(right, TREE):
                found |= _atoms(isinstance(statement, Revoke), statement.grant_option, path, mask)
    return found


def atoms(rights: Rights) -> set[Atom]:
    """The atoms of folded rights, those included that mean nothing and are shown all the same."""
    found: set[Atom] = set()
    for path, granted, with_option, revoked, option_revoked in rights.elements:
        found |= _atoms(False, False, path, granted) | _atoms(False, True, path, with_option)
        found |= _atoms(True, False, path, revoked) | _atoms(True, True, path, option_revoked)
    return found


def _atoms(revoked: bool, option: bool, path: Place, mask: int) -> set[Atom]:
    found: set[Atom] = set()
    for name in TREE.single_names(mask & TREE.grantable[len(path)]):
        place = path
        if TREE.mask(name) & TREE.parametrised:
            # SHOW GRANTS leaves out the pattern of a source, but has the wildcard of a table.
            place = (Step(path[0].name, path[-1].wildcard),) if path else ()
        if name in ("READ", "WRITE"):
            # SHOW GRANTS writes them in the old way, in which one cannot be told from both.
            if not place:
                name = "SOURCES"
            elif place[0].name in SOURCE_NAMES:
                name, place = place[0].name, ()
        found.add((revoked, option, name, place))
    return found


def test_the_built_in_privileges_are_those_of_the_engine() -> None:
    with loaded(AccessModel()) as handle:
        rows = handle.query("SELECT privilege, aliases, level, parent_group FROM system.privileges").rows
    theirs = [Privilege(name, tuple(aliases), level or "", group or "") for name, aliases, level, group in rows]
    assert theirs == list(TREE.privileges.values())


@ENGINE
@given(st.booleans().flatmap(lambda options: effective_models.models(default_roles=False, options=options)))
def test_all_rights_are_what_show_grants_final_says(model: AccessModel) -> None:
    index = RightsIndex(model)
    with loaded(model) as handle:
        for holder in index.holders():
            theirs = lines(handle, f"SHOW GRANTS FOR {holder.name} FINAL")
            assert atoms(index.effective(holder).granted) == shown_atoms(theirs), (holder, theirs)
