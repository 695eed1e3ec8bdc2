"""Who can do one thing with all that limits it, and the matrix of users and databases, judged by single questions."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.effective.questions import Extent, can
from core.access.effective.rights import RightsIndex
from core.access.model import EntityKind, Right
from core.access_reports.matrix import NOTHING, cell_rights, cell_words, matrix, matrix_sheet
from core.access_reports.sheets import Sheet, sheet_csv, sheet_html, sheet_json
from core.access_reports.who_can import able, askable, extent_text, limit_texts, right_on, way_statements, ways_text
from core.errors import BadInputError
from tests.examples import examples
from tests.unit.access.effective_examples import model_of, role, user
from tests.unit.access.effective_models import models

# A model takes long to make; the random ones are in `make thorough`.
FEW = settings(max_examples=examples(8), deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
NOW = datetime(2026, 11, 22, tzinfo=UTC)
INDEX = RightsIndex(
    model_of(
        "CREATE ROLE reader, writer, both, prefix",
        "CREATE USER ann, gone IDENTIFIED WITH sha256_password BY 'x' VALID UNTIL '2026-01-01'",
        "CREATE USER bob HOST NONE",
        "CREATE USER cid DEFAULT ROLE reader SETTINGS readonly = 1",
        "CREATE USER dan HOST LOCAL",
        "GRANT SELECT ON acme.* TO reader",
        "REVOKE SELECT(card) ON acme.orders FROM reader",
        "GRANT INSERT ON acme.* TO writer",
        "GRANT reader, writer TO both",
        "GRANT SELECT ON ac*.* TO prefix",
        "GRANT both TO ann WITH ADMIN OPTION",
        "GRANT reader, writer TO cid",
        "GRANT SELECT(card) ON acme.orders, SELECT ON other.t TO cid",
        "GRANT SELECT(id) ON acme.orders TO dan",
        "GRANT ALL ON acme.* TO bob WITH GRANT OPTION",
        "GRANT SHOW TABLES ON acme.* TO gone",
    )
)


def found(right: Right) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    return {
        each.who.name: (extent_text(each), ways_text(each), limit_texts(each, right, INDEX))
        for each in able(INDEX, right, NOW)
        if each.who.kind is EntityKind.USER
    }


def test_everybody_who_can_is_told_with_ways_and_limits() -> None:
    assert found(right_on("SELECT", "acme.orders")) == {
        "ann": ("all but card", "both > reader", ("expired",)),
        "bob": ("all", "itself", ("disabled",)),
        "cid": ("all", "itself +1", ("readonly",)),
        "dan": ("columns id", "itself", ("hosts",)),
    }
    inserting = found(right_on("INSERT", "acme.*"))
    assert inserting["cid"] == ("after SET ROLE", "writer", ("blocked by readonly",))
    assert "dan" not in inserting
    assert found(right_on("SELECT", "*.*"))["dan"][0] == "a part"


def test_the_statements_of_a_way() -> None:
    right = right_on("SELECT", "acme.orders(card)")
    assert right == Right("SELECT", ("card",), "acme", "orders")
    (cid,) = (each for each in able(INDEX, right, NOW) if each.who == user("cid"))
    (way,) = cid.ways
    assert way_statements(INDEX, cid.who, way.via, right) == ("GRANT SELECT(card) ON acme.orders TO cid",)
    wide = right_on("SELECT", "acme.*")
    (ann,) = (each for each in able(INDEX, wide, NOW) if each.who == user("ann"))
    assert way_statements(INDEX, ann.who, ann.ways[0].via, wide) == (
        "GRANT both TO ann WITH ADMIN OPTION",
        "GRANT reader TO both",
        "GRANT SELECT ON acme.* TO reader",
        "REVOKE SELECT(card) ON acme.orders FROM reader",
    )
    assert {each.who for each in able(INDEX, wide, NOW)} >= {role("reader"), role("both"), role("prefix")}


@pytest.mark.parametrize(
    ("privilege", "place"),
    [
        ("SELECT", ""),
        ("SELECT", "acme"),
        ("SELECT", "acme.orders("),
        ("SELECT(id)", "acme.orders(id)"),
        ("SELECT", "acme.*(id)"),
        ("CREATE DATABASE", "acme.orders"),
        ("NO SUCH", "acme.*"),
    ],
)
def test_what_cannot_be_asked(privilege: str, place: str) -> None:
    with pytest.raises(BadInputError):
        askable(privilege, place, INDEX.privileges)


def test_the_letters_of_the_matrix() -> None:
    shown = matrix(INDEX, ["acme", "acorn", "other"])
    assert {row.user: row.cells for row in shown.rows} == {
        "ann": ("rW", "·", "·"),
        "bob": ("A+", "·", "·"),
        "cid": ("R(RW)", "·", "r"),  # what the role has not its own right gives
        "dan": ("r", "·", "·"),
        "gone": ("o", "·", "·"),
    }
    assert cell_words("R(RW)") == "reads all; after SET ROLE: reads all, writes all"
    assert cell_words("(w)") == "writes a part, but only after SET ROLE"
    assert cell_words(NOTHING) == "nothing"
    cells = cell_rights(INDEX.effective(user("cid")), "other")
    assert [(each.right.table, each.right.database) for each in cells] == [("t", "other")]
    assert json.loads(sheet_json(matrix_sheet(shown, "prod")))[0] == {"user": "ann", "acme": "rW", "acorn": "",
                                                                       "other": ""}  # fmt: skip


@FEW
@given(st.booleans().flatmap(lambda options: models(options=options)), st.sampled_from(["SELECT", "INSERT"]))
def test_the_matrix_says_what_single_questions_say(model: AccessModel, privilege: str) -> None:
    index = RightsIndex(model)
    names = ("a", "ab", "abc", "b", "ba", "c")
    every, some = ("R", "r") if privilege == "SELECT" else ("W", "w")
    for row in matrix(index, names).rows:
        effective = index.effective(Holder(EntityKind.USER, row.user))
        for name, cell in zip(names, row.cells, strict=True):
            answer = can(effective, Right(privilege, database=name))
            at_login = cell.partition("(")[0]
            whole = every in at_login or "A" in at_login
            assert whole is (answer.active is Extent.ALL), (row.user, name, cell)
            if privilege == "SELECT":  # some may change what is not data
                assert (some in at_login) is (answer.active is Extent.PART), (row.user, name, cell)


def test_a_file_computes_nothing_and_runs_nothing() -> None:
    sheet = Sheet("<b>title", ("name", "@who"), [("=1+1", True), ("<script>", NOW), ("\x1b[31m", None)], ("a<b",))
    rows = list(csv.reader(io.StringIO(sheet_csv(sheet))))
    assert rows == [["name", "'@who"], ["'=1+1", "yes"], ["<script>", "2026-11-22 00:00:00+00:00"], ["\x1b[31m", ""]]
    page = sheet_html(sheet, NOW)
    assert "<script>" not in page and "&lt;script&gt;" in page and "\x1b" not in page
    assert "<h1>&lt;b&gt;title</h1>" in page and "<p>a&lt;b</p>" in page
    assert json.loads(sheet_json(sheet))[1] == {"name": "<script>", "@who": "2026-11-22T00:00:00+00:00"}
