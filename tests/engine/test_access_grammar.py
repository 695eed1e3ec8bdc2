"""The grammar of quotas, settings profiles and policies, judged by ClickHouse: texts as people type them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel
from core.access.disassembling import statements_of
from core.access.model import EVERYONE, NOBODY, Grant, Revoke, Statement
from core.access.parser import parse_statement
from core.access.render import render
from core.access.tokenizer import AccessSyntaxError
from core.clickhouse.embedded import EmbeddedEngine
from tests.examples import examples
from tests.unit.access.plan_models import whole_models

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMAT = "SELECT arrayMap(sql -> formatQuerySingleLineOrNull(sql), {statements:Array(String)})"

# Words that mean something elsewhere in the statement, and things that hide them.
_OPERANDS = st.sampled_from(
    [
        "a",
        "1",
        "-1.5",
        "'x TO y'",
        "`k USING`",
        "to",
        "using",
        "for",
        "as",
        "with",
        "t.c",
        "t.to",
        "t.*",
        "NULL",
        "[1, 2]",
        "(1, to)",
        "x[1]",
        "f(a, 'a)b')",
        "interval",
        "like",
        "where",
        "update",
        "priority",
        "date",
        "count(*)",
        "{p:UInt8}",
        "'it''s'",
        "a::UInt8",
        "tuple(a, b).1",
        "INTERVAL 1 DAY",
        "CASE WHEN a THEN to ELSE 0 END",
        "x IN (SELECT to FROM t WHERE a AS b)",
        "a /* TO x */",
        "$$TO x$$",
        "trim(BOTH ' ' FROM a)",
        "sum(a) OVER (PARTITION BY b ORDER BY for)",
        "a -- to\n",
    ]
)
_OPERATORS = ("=", "!=", "<", "AND", "OR", "+", "*", "||", "LIKE", "NOT LIKE", "IN", "NOT IN", "DIV", "IS NOT NULL AND")
_NAMES = (
    "a",
    "`x y`",
    "'s t'",
    "to",
    "using",
    "`none`",
    "policy",
    "where",
    "priority",
    "`it\\'s`",
    "`ON CLUSTER`",
    "in1",
)


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


_name = st.sampled_from(_NAMES)
_expression = st.lists(st.tuples(_OPERANDS, st.sampled_from(_OPERATORS)), min_size=1, max_size=3).map(
    lambda found: " ".join(part for pair in found for part in pair)[: -len(found[-1][1]) - 1]
)
_names = st.lists(_name, min_size=1, max_size=2).map(", ".join)
_to = st.one_of(
    _names.map(lambda names: f"TO {names}"),
    st.sampled_from(["", "TO ALL", "TO NONE", "TO CURRENT_USER, a", "TO ALL EXCEPT a, `b c`", "TO ALL EXCEPT NONE"]),
)
_place = st.sampled_from(["", "", "IN st", "ON CLUSTER c", "IN `s t` ON CLUSTER c", "ON CLUSTER 'c' IN st"])
_options = st.sampled_from(["", "", "IF NOT EXISTS", "OR REPLACE"])
_tables = st.sampled_from(["t", "db.t", "db.*", "`d b`.`t t`", "*", "db.t, db.u", "db.t, u, *"])


def _clauses(*clauses: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Some of the clauses, in any order."""
    return st.tuples(*clauses).flatmap(st.permutations).map(lambda found: _joined(list(found)))


def _statement(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    found = (st.just(part) if isinstance(part, str) else part for part in parts)
    return st.tuples(*found).map(lambda words: _joined(list(words)))


def _maybe(clause: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), clause)


_keys = st.sampled_from(
    ["NOT KEYED", "KEYED BY client_key,user_name", "KEY BY `ip_address`", "KEYED BY 'user name'", "KEYED BY none"]
)
_bits = st.sampled_from(["IPV4_PREFIX_BITS 24", "IPV6_PREFIX_BITS 64", "IPV4_PREFIX_BITS 33"])
_amounts = st.tuples(
    st.sampled_from(["queries", "errors", "read bytes", "`read_rows`", "execution_time", "written_bytes"]),
    st.sampled_from([" = ", " ", "="]),
    st.sampled_from(["0", "10", "1.5", "'10G'", "'1Ki'", "0x10", "1e3", "18446744073709551615", "0.25"]),
).map("".join)
_limits = st.one_of(
    st.lists(_amounts, min_size=1, max_size=3).map(lambda found: "MAX " + ", ".join(found)),
    st.lists(_amounts, min_size=1, max_size=2).map(lambda found: "MAX " + ", MAX ".join(found)),
    st.sampled_from(["NO LIMITS", "tracking only"]),
)
_units = st.sampled_from(
    ["second", "MINUTE", "hours", "DAY", "week", "MONTHS", "quarter", "year", "SQL_TSI_DAY", "hh", "mm"]
)
_interval = _statement(
    "FOR",
    st.sampled_from(["", "RANDOMIZED"]),
    st.sampled_from(["", "INTERVAL"]),
    st.sampled_from(["1", "28", "1.5", "90", "0"]),
    _units,
    _limits,
)
_intervals = st.lists(_interval, min_size=1, max_size=2).flatmap(
    lambda found: st.sampled_from([", ", " "]).map(lambda between: between.join(found))
)
_setting = st.sampled_from(
    [
        "max_threads = 5",
        "a.b = 'x'",
        "c MIN 1 MAX = 2",
        "d CONST",
        "e = 1 READONLY",
        "f = -1.5 WRITABLE",
        "PROFILE p",
        "g = NULL CHANGEABLE_IN_READONLY",
        "PROFILE 'a', b",
        "PROFILE NONE",
        "h = true",
        "NONE",
    ]
)
_settings = st.lists(_setting, min_size=1, max_size=3).map(lambda found: "SETTINGS " + ", ".join(found))
_rename = _name.map(lambda name: f"RENAME TO {name}")
_kind = st.sampled_from(["AS PERMISSIVE", "as restrictive"])
_using = _statement(
    st.sampled_from(["USING", "FOR SELECT USING", "FOR ALL USING"]), st.one_of(_expression, st.just("NONE"))
)
_update = st.lists(_expression, min_size=1, max_size=2).map(
    lambda found: (
        "UPDATE " + ", ".join(f"{column} = {value}" for column, value in zip(("a", "to"), found, strict=False))
    )
)
_where = _expression.map(lambda condition: f"WHERE {condition}")
_priority = st.sampled_from(["PRIORITY 5", "PRIORITY 0x10"])
typed = st.one_of(
    _statement(
        "CREATE QUOTA", _options, _names, _place, _clauses(_maybe(_keys), _maybe(_bits), _maybe(_intervals)), _to
    ),
    _statement("ALTER QUOTA", _name, _place, _clauses(_keys, _maybe(_rename), _maybe(_intervals)), _to),
    _statement("CREATE PROFILE", _options, _names, _clauses(_place, _maybe(_settings)), _to),
    _statement("ALTER SETTINGS PROFILE", _name, _clauses(_place, _maybe(_rename), _settings), _to),
    _statement("CREATE POLICY", _options, _name, "ON", _tables, _clauses(_place, _maybe(_kind), _maybe(_using)), _to),
    _statement("CREATE ROW POLICY", _names, "ON CLUSTER c ON db.t", _clauses(_maybe(_kind), _using), _to),
    _statement("ALTER POLICY IF EXISTS", _name, "ON db.t", _clauses(_place, _maybe(_rename), _kind, _using), _to),
    _statement(
        "CREATE MASKING POLICY", _options, _name, "ON db.t", _place, _clauses(_update, _maybe(_where), _priority, _to)
    ),
    _statement("ALTER MASKING POLICY", _name, "ON t", _place, _clauses(_update, _maybe(_where), _maybe(_rename), _to)),
    _statement("DROP ROW POLICY", _names, "ON db.t", st.sampled_from(["", "FROM st", "ON CLUSTER c FROM st"])),
    _statement("MOVE", st.sampled_from(["USER", "QUOTA", "PROFILE", "ROLE"]), _names, "TO", _name),
)


async def formatted(engine: EmbeddedEngine, sql: list[str]) -> list[str | None]:
    return list((await engine.query(FORMAT, {"statements": sql})).first_cell())


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(typed, min_size=10, max_size=30))
async def test_a_typed_statement_means_what_clickhouse_takes_it_for(
    shared_engine: EmbeddedEngine, texts: list[str]
) -> None:
    read = [(text, parsed) for text in texts if (parsed := _parsed(text)) is not None]
    theirs = await formatted(shared_engine, [text for text, _ in read])
    ours = await formatted(shared_engine, [render(statement) for _, statement in read])
    for (text, _), their, our in zip(read, theirs, ours, strict=True):
        if their is not None:
            # To ClickHouse too, a CREATE with no settings is one without the clause.
            assert our == their.replace(" SETTINGS NONE", ""), text


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(typed, min_size=10, max_size=30))
async def test_what_clickhouse_takes_we_take(shared_engine: EmbeddedEngine, texts: list[str]) -> None:
    for text, theirs in zip(texts, await formatted(shared_engine, texts), strict=True):
        if theirs is not None:
            assert _parsed(text) is not None, text
            assert render(parse_statement(theirs)), text


def _parsed(text: str) -> Statement | None:
    try:
        return parse_statement(text)
    except AccessSyntaxError:
        return None


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(whole_models())
async def test_the_statements_of_a_model_are_clickhouse_s_own_text(
    shared_engine: EmbeddedEngine, model: AccessModel
) -> None:
    # ClickHouse writes no TO NONE for a masking policy, and reads what it wrote as TO ALL.
    masks = {
        name: replace(mask, to=EVERYONE) if mask.to == NOBODY else mask for name, mask in model.masking_policies.items()
    }
    statements = statements_of(replace(model, masking_policies=masks))
    ours = [render(one) for one in statements if not isinstance(one, Grant | Revoke)]  # whose rights it folds
    assert await formatted(shared_engine, ours) == ours
