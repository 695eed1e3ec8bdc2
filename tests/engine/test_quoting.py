"""Quoting, judged by ClickHouse: whatever the text, it comes back exactly."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.render_grants import identifier, string
from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier, quote_string
from tests.examples import examples
from tests.unit.access.strategies import texts

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOSTILE = [
    "'; DROP DATABASE d; --",
    "`; DROP DATABASE d; --",
    "\\",
    "\\'",
    "\\`",
    "a\0b",
    "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "😀漢é",
    "\u202eevil\u200b",
    "%s {x:String} ${HOME}",
    "[b]markup[/b]",
    "x" * 300,
]
any_text = st.one_of(texts, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(any_text, min_size=1, max_size=20))
async def test_strings_and_identifiers_come_back(shared_engine: EmbeddedEngine, found: list[str]) -> None:
    columns = ", ".join(f"{quote_string(text)} AS {quote_identifier(text)}" for text in dict.fromkeys(found))
    result = await shared_engine.query(f"SELECT {columns}")
    assert list(result.columns) == list(result.rows[0]) == list(dict.fromkeys(found))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_come_back(shared_engine: EmbeddedEngine, text: str) -> None:
    for as_string, as_identifier in ((quote_string, quote_identifier), (string, identifier)):
        result = await shared_engine.query(f"SELECT {as_string(text)} AS {as_identifier(text)}")
        assert (result.columns, result.rows[0]) == ((text,), (text,))


@pytest.mark.parametrize("name", [name for name in HOSTILE if len(name) < 50 and "\0" not in name])
async def test_hostile_names_of_databases_come_back(shared_engine: EmbeddedEngine, name: str) -> None:
    await shared_engine.command(f"CREATE DATABASE {quote_identifier(name)}")
    found = await shared_engine.query("SELECT name FROM system.databases WHERE name = {name:String}", {"name": name})
    assert found.first_cell() == name
    await shared_engine.command(f"DROP DATABASE {quote_identifier(name)}")
    found = await shared_engine.query("SELECT name FROM system.databases WHERE name = {name:String}", {"name": name})
    assert not found.rows


async def test_an_empty_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        quote_identifier("")
