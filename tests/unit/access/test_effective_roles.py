"""The graph of roles: paths, circles, what is active at login."""

from __future__ import annotations

import pytest

from core.access.access_model import AccessModel
from core.access.effective.roles import roles_of
from core.access.model import User
from tests.unit.access.effective_examples import model_of, role, user


def test_circles_end_and_every_role_has_its_shortest_path() -> None:
    model = model_of(
        "CREATE USER u",
        "CREATE ROLE rc, rd, far",
        "GRANT rc TO u, rd",
        "GRANT rd TO rc WITH ADMIN OPTION",
        "GRANT far TO rd, u",
    )
    found = {held.name: held for held in roles_of(model, user("u"))}
    assert {name: held.path for name, held in found.items()} == {"rc": ("rc",), "rd": ("rc", "rd"), "far": ("far",)}
    assert [edge.holder for edge in found["far"].edges] == [user("u"), role("rd")]
    assert found["rd"].admin_option and not found["rc"].admin_option
    assert [held.name for held in roles_of(model, role("rd"))] == ["far", "rc", "rd"]


@pytest.mark.parametrize(
    ("default_roles", "active"),
    [
        ("", {"a", "b", "below"}),
        ("DEFAULT ROLE ALL", {"a", "b", "below"}),
        ("DEFAULT ROLE NONE", set()),
        ("DEFAULT ROLE b", {"b", "below"}),
        ("DEFAULT ROLE ALL EXCEPT b", {"a"}),
        ("DEFAULT ROLE below", set()),  # it is not granted to the user itself
    ],
)
def test_default_roles_and_all_below_them_are_active(default_roles: str, active: set[str]) -> None:
    model = model_of(f"CREATE USER u {default_roles}", "CREATE ROLE a, b, below", "GRANT a, b TO u", "GRANT below TO b")
    found = roles_of(model, user("u"))
    assert {held.name for held in found} == {"a", "b", "below"}
    assert {held.name for held in found if held.active} == active


def test_the_path_of_an_active_role_is_active() -> None:
    model = model_of("CREATE USER u DEFAULT ROLE long", "CREATE ROLE long, x", "GRANT long, x TO u", "GRANT x TO long")
    found = {held.name: held for held in roles_of(model, user("u"))}
    assert found["x"].active and found["x"].path == ("long", "x")
    assert [edge.active for edge in found["x"].edges] == [False, True]


def test_a_role_that_was_dropped_leads_nowhere() -> None:
    model = AccessModel({"u": User("u")}, {}, {}, {user("u"): {"gone": False}, role("gone"): {"more": False}})
    (gone,) = roles_of(model, user("u"))
    assert gone.name == "gone" and not gone.exists
