"""Two models entity by entity, and what makes one like the other."""

from __future__ import annotations

from core.access.access_model import AccessModel, EntityKey
from core.access.difference import compare
from core.access.model import EntityKind
from core.access.script import model_of_script
from core.access_reports.comparing import Place, differing, entity_sql, making_alike, taken_over

HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
FIRST = f"""
CREATE ROLE reader; GRANT SELECT ON a.* TO reader;
CREATE USER anna IDENTIFIED WITH sha256_hash BY '{HASH}' HOST LOCAL; GRANT reader TO anna;
CREATE USER gone IDENTIFIED WITH no_password;
CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 10 TO anna;
"""
SECOND = """
CREATE ROLE reader; GRANT SELECT, INSERT ON a.* TO reader; CREATE ROLE fresh;
CREATE USER anna IDENTIFIED WITH sha256_password HOST ANY; GRANT reader, fresh TO anna;
CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 10 TO anna;
"""


def model(text: str) -> AccessModel:
    found, problems = model_of_script(text)
    assert not problems
    return found


def test_each_entity_that_differs_is_told_once_with_all_that_differs() -> None:
    first, second = model(FIRST), model(SECOND)
    found = {each.key.name: each for each in differing(first, second)}
    assert list(found) == ["anna", "gone", "fresh", "reader"]
    assert found["anna"].words == ("HOST", "roles")
    assert (found["gone"].place, found["fresh"].place) == (Place.FIRST, Place.SECOND)
    assert found["reader"].words == ("rights",)
    back = {each.key.name: each.place for each in differing(second, first)}
    assert back == {"anna": Place.BOTH, "gone": Place.SECOND, "fresh": Place.FIRST, "reader": Place.BOTH}
    assert not differing(first, first)


def test_what_is_taken_over_is_the_same_then_and_only_that() -> None:
    first, second = model(FIRST), model(SECOND)
    keys = [each.key for each in differing(first, second)]
    assert compare(taken_over(first, second, keys), second).nothing
    assert compare(taken_over(second, first, keys), first).nothing
    anna = EntityKey(EntityKind.USER, "anna")
    kept = taken_over(first, second, [anna])
    assert [each.key.name for each in differing(kept, second)] == ["gone", "fresh", "reader"]
    assert kept.users["anna"].methods == first.users["anna"].methods  # a password that is not told takes none away


def test_statements_make_one_like_the_other_and_what_cannot_be_is_said() -> None:
    first, second = model(FIRST), model(SECOND)
    reader = EntityKey(EntityKind.ROLE, "reader")
    assert making_alike(first, second, [reader]) == (["GRANT INSERT ON a.* TO reader"], [])
    assert making_alike(second, first, [reader]) == (["REVOKE INSERT ON a.* FROM reader"], [])
    statements, cannot = making_alike(first, second, [EntityKey(EntityKind.USER, "anna")])
    assert not statements
    assert "fresh" in cannot[0]
    assert HASH not in "".join(entity_sql(first, EntityKey(EntityKind.USER, "anna")))
    assert entity_sql(second, EntityKey(EntityKind.USER, "gone")) == []
