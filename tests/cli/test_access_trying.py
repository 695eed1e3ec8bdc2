"""`housekeys access try`: the engine's own answers, and nothing carried out."""

from __future__ import annotations

from tests.cli.conftest import Housekeys


def test_statements_are_judged_by_the_engine(housekeys: Housekeys) -> None:
    assert housekeys("user", "create", "ann", "--identified-with", "no_password", "--host", "local").code == 0
    assert housekeys("grant", "add", "SELECT ON housekeys.*", "--to", "ann").code == 0
    found = housekeys("access", "try", "ann", "SELECT count() AS n FROM housekeys.journal", "--json")
    assert found.code == 0, found.stderr
    assert (found.json["allowed"], found.json["carried_out"], found.json["error"]) == (True, True, None)
    assert int(found.json["rows"][0]["n"]) > 0
    shown = housekeys("access", "try", "ann", "SELECT 1 AS one")
    assert shown.stdout == "one\n1\n"
    for sql in ("SELECT * FROM system.users", "DROP TABLE housekeys.journal"):
        refused = housekeys("access", "try", "ann", sql)
        assert (refused.code, refused.stdout) == (3, ""), refused.stderr
        assert "ann" in refused.stderr and "privileges" in refused.stderr
    assert housekeys("grant", "add", "DROP TABLE ON housekeys.*", "--to", "ann").code == 0
    allowed = housekeys("access", "try", "ann", "DROP TABLE housekeys.journal", "--json")
    assert (allowed.code, allowed.json["allowed"], allowed.json["carried_out"]) == (0, True, False)
    assert housekeys("journal", "list", "--json").json
    really = ("access", "try", "ann", "DROP TABLE housekeys.journal_copy", "--really")
    assert housekeys(*really).code == 4  # there is no such table
    assert housekeys("grant", "add", "CREATE TABLE ON housekeys.*", "--to", "ann").code == 0
    assert housekeys("grant", "add", "TABLE ENGINE ON *", "--to", "ann").code == 0
    create = "CREATE TABLE housekeys.journal_copy (a Int8) ENGINE = Memory"
    made = ("access", "try", "ann", create, "--really")
    assert housekeys(*made).code == 3  # the name is not confirmed
    assert housekeys("--dry-run", *made).code == 0
    assert housekeys(*made, "--confirm", "ann", "--json").json["carried_out"] is True
    assert housekeys(*really, "--confirm", "ann").code == 0
    tries = [row for row in housekeys("journal", "list", "--json").json if row["action"] == "try"]
    assert {row["details"]["statement"] for row in tries} == {create, "DROP TABLE housekeys.journal_copy"}
    assert housekeys("access", "try", "ann", "SELECT currentUser()").code == 2  # chDB would say default
    assert housekeys("access", "try", "nobody", "SELECT 1").code == 4
    assert housekeys("access", "try", "ann", "SELEC 1").code == 2
    assert housekeys("role", "create", "slow", "--setting", "max_threads = 1").code == 0
    assert housekeys("grant", "add", "slow", "--to", "ann").code == 0
    limited = housekeys("access", "try", "ann", "SELECT 1")
    assert (limited.code, "does not enforce what limits it: settings of its roles." in limited.stderr) == (3, True)
