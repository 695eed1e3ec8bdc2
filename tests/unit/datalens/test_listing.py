"""The listing: texts kept exactly, checked for completeness, and written as a pack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.changes import Change, FileStep
from core.datalens.listing import (
    FIELDS,
    KEYS,
    Listing,
    listing_file,
    parse_listing,
    plan_edit,
    read_listing,
    render_listing,
)
from core.datalens.pack import missing_parts, plan_pack, public_key
from core.errors import BadInputError
from core.keys.versions import KeyState, KeyVersion, Side
from core.paths import Paths
from core.tenants.naming import text_problem

ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'
PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
NOW = datetime(2026, 11, 3, tzinfo=UTC)
KEY = KeyVersion(Side.PARTNER, 3, KeyState.ACTIVE, "ab" * 32, PEM, NOW, NOW, False, "op")


def complete() -> Listing:
    texts = {entry.key: f"text of {entry.key}" for entry in FIELDS if entry.key != "icon"}
    return Listing().with_texts({**texts, "icon": ICON})


def write(change: Change) -> None:
    for step in change.steps:
        assert isinstance(step, FileStep)
        assert step.content is not None
        step.path.parent.mkdir(parents=True, exist_ok=True)
        step.path.write_bytes(step.content)


def test_fields_are_checked() -> None:
    with pytest.raises(BadInputError, match="no field"):
        Listing().with_texts({"colour": "red"})
    for key, text in {"name.en": "two\nlines", "manual.en": "bell\x07", "icon": "<svg/>", "name.ru": "x" * 101}.items():
        with pytest.raises(BadInputError):
            Listing().with_texts({key: text})
    emptied = complete().with_texts({"price": ""})
    assert "price" not in emptied.texts


def test_missing_fields() -> None:
    assert len(Listing().missing()) == len(FIELDS)
    assert not complete().missing()
    paid = complete().with_texts({"payment": ""})
    assert [entry.key for entry in paid.missing()] == ["payment"]
    assert not paid.with_texts({"price": "Free"}).missing()
    assert [entry.key for entry in complete().with_texts({"name.ru": "   "}).missing()] == ["name.ru"]


@given(st.dictionaries(st.sampled_from([key for key in KEYS if key != "icon"]), st.text(max_size=60)))
def test_every_text_is_kept_exactly(texts: dict[str, str]) -> None:
    usable = {key: text for key, text in texts.items() if not text_problem(text, multiline=KEYS[key].multiline)}
    listing = Listing().with_texts(usable)
    assert parse_listing(render_listing(listing), "listing.toml") == listing


@pytest.mark.parametrize("text", ['"""', "ends with \\", "\n\nleading", "'''\\\"\"\"\n", "a\\\n  b", '"\n"'])
def test_texts_that_toml_could_take_for_its_own(text: str) -> None:
    listing = Listing().with_texts({"manual.ru": text})
    assert parse_listing(render_listing(listing), "x").get("manual.ru") == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name = 1", "no field 'name'"),
        (b"[name]\nfr = 'x'", "name.fr"),
        (b"[name.en]\nx = 'y'", "not text"),
        (b"colour = 'red'\nprice = 5", "2 problems"),
        (b"price = ", "not TOML"),
        (b"\xff", "not UTF-8"),
        (b"icon = '<svg'", "Icon"),
    ],
)
def test_files_that_cannot_be_used(content: bytes, said: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_listing(content, "listing.toml")
    assert said in f"{caught.value.message} {caught.value.advice}"


def test_a_listing_is_edited_by_a_change_with_an_inverse(tmp_path: Path) -> None:
    path = listing_file(Paths(tmp_path / "c", tmp_path / "d", tmp_path / "s"), "pro/d")
    assert path.parent == tmp_path / "d" / "listings"
    assert read_listing(path) == Listing()
    first = plan_edit(path, Listing(), complete(), profile="pro/d")
    assert first.reversible
    write(first)
    assert read_listing(path) == complete()
    second = plan_edit(path, complete(), complete().with_texts({"price": "free"}), profile="pro/d")
    undo = second.steps[0].undo
    assert isinstance(undo, FileStep)
    assert parse_listing(undo.content or b"", "x") == complete()
    assert not plan_edit(path, complete(), complete(), profile="pro/d").steps
    undo = first.steps[0].undo
    assert isinstance(undo, FileStep)
    assert undo.content is None


def test_a_complete_pack_holds_everything_but_secrets(tmp_path: Path) -> None:
    change = plan_pack(complete(), ("ch-1.example", "ch-2.example:9440"), KEY, tmp_path / "pack", product="prod")
    write(change)
    assert change.reversible
    found = {str(path.relative_to(tmp_path / "pack")) for path in (tmp_path / "pack").rglob("*") if path.is_file()}
    assert {"README.md", "icon.svg", "hosts.txt", "partner-key-3.pem", "en/manual.md", "ru/name.txt"} <= found
    readme = (tmp_path / "pack/README.md").read_text()
    assert "version 3" in readme
    assert all(f"`{name}`" in readme for name in found - {"README.md"})
    assert (tmp_path / "pack/icon.svg").read_text() == ICON + "\n"
    assert change.steps[-1].events[0].details["partner_key_version"] == 3


def test_an_incomplete_pack_says_what_is_missing(tmp_path: Path) -> None:
    listing = complete().with_texts({"contacts": ""})
    assert len(missing_parts(listing, (), None)) == 3
    with pytest.raises(BadInputError) as caught:
        plan_pack(listing, (), None, tmp_path, product="p")
    assert "contacts" in caught.value.advice
    change = plan_pack(listing, (), None, tmp_path, product="p", allow_incomplete=True)
    assert len(change.consequences) == 3
    write(change)
    assert "Still missing" in (tmp_path / "README.md").read_text()


def test_a_pack_written_again_can_be_taken_back(tmp_path: Path) -> None:
    write(plan_pack(complete(), ("h",), KEY, tmp_path, product="p"))
    again = plan_pack(complete().with_texts({"price": "free"}), ("h",), KEY, tmp_path, product="p")
    undo = next(step.undo for step in again.steps if isinstance(step, FileStep) and step.path.name == "price.txt")
    assert isinstance(undo, FileStep)
    assert undo.content == b"text of price\n"


def test_the_newest_key_that_datalens_should_have_is_chosen() -> None:
    newer = replace(KEY, version=4, state=KeyState.GENERATED)
    retired = replace(KEY, version=5, state=KeyState.RETIRED)
    theirs = replace(KEY, side=Side.DATALENS, version=9)
    assert public_key([KEY, newer, retired, theirs]) == newer
    assert public_key([KEY, replace(newer, conflicts=("cd" * 32,))]) == KEY
    assert public_key([retired, theirs]) is None
