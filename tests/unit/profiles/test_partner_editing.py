"""What a profile says of Partner Connect is written as it was read, and edited key by key."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from core.profiles.partner import PartnerPolicy, TrialPolicy, written
from tests.unit.profiles.partner_texts import read, whole


def _unlike_usual(values: Any, usual: Any) -> set[str]:
    """The keys whose value is not the usual one."""
    found = set()
    for field in fields(values):
        one, other = getattr(values, field.name), getattr(usual, field.name)
        if is_dataclass(one) and type(one) is type(other):
            found |= _unlike_usual(one, other)
        elif one != other:
            found.add(field.name)
    return found


def test_a_policy_is_written_as_it_was_read(tmp_path: Path) -> None:
    profile = read(tmp_path, whole(tmp_path)).profile("prod")
    assert profile.partner is not None
    told = {path[-1] for path, _ in written(profile.partner)}
    assert told - _unlike_usual(profile.partner, PartnerPolicy("")) == {"is_published_app", "oauth_app_id", "by"}
    (tmp_path / "new").mkdir()
    again = read(tmp_path / "new", "# empty\n").with_profile(profile)
    assert (again.problems, again.profile("prod")) == ((), profile)


def test_an_edit_changes_its_keys_and_keeps_comments_and_no_partner_takes_the_table_away(tmp_path: Path) -> None:
    file = read(tmp_path, whole(tmp_path))
    profile = file.profile("prod")
    assert profile.partner is not None
    changed = replace(profile, partner=replace(profile.partner, supports_demo=True, trial=TrialPolicy()))
    edited = file.with_profile(changed)
    assert (edited.problems, edited.profile("prod")) == ((), changed)
    assert "[profiles.prod.partner]  # of Databricks\n" in edited.text
    assert "partner" not in file.with_profile(replace(profile, partner=None)).text.replace("[profiles", "")
    assert file.with_profile(profile).text == file.text


def test_connectors_stay_tables_where_they_are_tables(tmp_path: Path) -> None:
    file = read(tmp_path, whole(tmp_path))
    profile = file.profile("prod")
    assert profile.partner is not None
    for connectors in (profile.partner.connectors[1:], ()):
        changed = replace(profile, partner=replace(profile.partner, connectors=connectors))
        edited = file.with_profile(changed)
        assert (edited.problems, edited.profile("prod")) == ((), changed)
        assert edited.text.count("[[profiles.prod.partner.connectors]]") == len(connectors)
        again = edited.with_profile(profile)  # from tables, or from nothing
        assert again.profile("prod") == profile
