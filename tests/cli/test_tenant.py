"""`housekeys tenant`, on the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Housekeys, Outcome, commands, copied


@pytest.fixture
def ready(made_with_datalens_user: Path, home: Path) -> Housekeys:
    """With a DataLens user."""
    return commands(copied(made_with_datalens_user, home))


def states(outcome: Outcome) -> dict[str, str]:
    assert outcome.code == 0
    return {row["name"]: row["state"] for row in outcome.json}


def test_a_tenant_from_beginning_to_end(ready: Housekeys) -> None:
    added = ready("tenant", "add", "acme_prod", "--owner", "data@acme.example", "--note", "two\nlines")
    assert (added.code, added.stdout) == (0, "")
    assert "acme_prod: created." in added.stderr
    assert "Every tenant exists already" in ready("tenant", "add", "acme_prod").stderr
    listed = ready("tenant", "list")
    titles = " ".join(listed.stdout.split("\n")[0].split())
    assert titles == "NAME STATE TABLES ROWS SIZE LAST READ TOKENS OWNER"
    assert listed.stdout.split("\n")[1].startswith("acme_prod  active")
    shown = ready("tenant", "show", "acme_prod")
    assert "data@acme.example" in shown.stdout
    assert ready("tenant", "show", "acme_prod", "--json").json["note"] == "two\nlines"
    assert ready("tenant", "describe", "acme_prod", "--ticket", "OPS-7").code == 0
    assert ready("tenant", "note", "acme_prod").code == 2
    assert ready("tenant", "suspend", "acme_prod").code == 3
    assert ready("tenant", "suspend", "acme_prod", typed="y\n").code == 0
    assert states(ready("tenant", "list", "--json")) == {"acme_prod": "suspended"}
    assert ready("tenant", "resume", "acme_prod").code == 0
    refused = ready("tenant", "remove", "acme_prod", typed="acme\n")
    assert refused.code == 3
    assert "It is empty." in refused.stderr
    assert ready("tenant", "remove", "acme_prod", typed="acme_prod\n").code == 0
    assert ready("tenant", "show", "acme_prod").code == 4


def test_many_from_a_file_and_again(ready: Housekeys, tmp_path: Path) -> None:
    clients = tmp_path / "clients.csv"
    clients.write_text('name,owner\r\nacme,Ann\r\n"it\'s `x`",Bob\r\n', newline="")
    dry = ready("--dry-run", "tenant", "add", "--from", str(clients))
    assert dry.stdout.count("CREATE DATABASE") == 2
    assert states(ready("tenant", "list", "--json")) == {}
    first = ready("tenant", "add", "--from", str(clients), "--json")
    assert first.json["created"] == ["acme", "it's `x`"]
    assert first.json["failed"] == []
    names = "acme\nit's `x`\nthird\n"
    again = ready("tenant", "add", "--from", "-", "--json", typed=names)
    assert again.json["created"] == ["third"]
    assert ready("tenant", "add", "--from", "-", "--json", typed=names).json["change"] is None
    found = ready("tenant", "list", "--filter", "BOB", "--json")
    assert states(found) == {"it's `x`": "active"}


def test_a_file_that_cannot_be_used_changes_nothing(ready: Housekeys, tmp_path: Path) -> None:
    clients = tmp_path / "clients.csv"
    clients.write_text("name,owner\nacme,Ann\nsystem,\nacme,Bob\n")
    refused = ready("tenant", "add", "--from", str(clients))
    assert refused.code == 2
    assert f"{clients}:3: system" in refused.stderr
    assert f"{clients}:4: acme" in refused.stderr
    assert ready("tenant", "add", "--from", str(tmp_path / "absent")).code == 2
    assert ready("tenant", "add").code == 2
    assert states(ready("tenant", "list", "--json")) == {}


def test_warnings_are_told_and_errors_have_their_codes(ready: Housekeys) -> None:
    assert "Managed" in ready("tenant", "add", "1acme").stderr
    assert ready("tenant", "add", "system").code == 2
    assert ready("tenant", "add", "x" * 300).code == 2
    assert ready("tenant", "add", "bad\udcffname").code == 2
    assert ready("tenant", "suspend", "nobody", "--yes").code == 4
    assert ready("tenant", "adopt", "nobody").code == 4
    assert ready("tenant", "list", "--state", "nowhere").code == 2
    assert ready("--read-only", "tenant", "add", "acme").code == 3


def test_revoking_only_and_adopting(ready: Housekeys) -> None:
    ready("tenant", "add", "acme")
    assert ready("tenant", "remove", "acme", "--only-revoke", "--yes").code == 0
    assert states(ready("tenant", "list", "--json")) == {}
    assert states(ready("tenant", "list", "--json", "--state", "unmanaged")) == {"acme": "unmanaged"}
    assert ready("tenant", "add", "acme").code == 2
    assert ready("tenant", "adopt", "acme", "--owner", "Ann").code == 0
    assert states(ready("tenant", "list", "--json", "--all", "--sort", "created")) == {"acme": "active"}


def test_without_a_user_the_way_is_shown(housekeys: Housekeys) -> None:
    refused = housekeys("tenant", "add", "acme")
    assert refused.code == 4
    assert "housekeys datalens setup" in refused.stderr
    empty = housekeys("tenant", "list")
    assert (empty.code, empty.stdout) == (0, "")
    assert "housekeys tenant add" in empty.stderr


@pytest.mark.parametrize("verb", ["list", "show", "add", "adopt", "suspend", "resume", "remove", "describe", "note"])
def test_every_verb_has_help_with_examples(housekeys: Housekeys, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert housekeys("tenant", verb, "--help").code == 0
    assert f"housekeys tenant {verb}" in capsys.readouterr().out.split("examples:")[1]


def test_a_database_is_dropped_only_when_its_name_is_typed(ready: Housekeys) -> None:
    assert ready("tenant", "add", "acme").code == 0
    refused = ready("tenant", "remove", "acme", "--yes")
    assert refused.code == 3
    assert "--confirm acme" in refused.stderr
    assert ready("tenant", "remove", "acme", "--yes", typed="acm\n").code == 3
    assert ready("tenant", "remove", "acme", "--confirm", "other").code == 3
    assert ready("tenant", "show", "acme").code == 0
    assert ready("tenant", "remove", "acme", typed="acme\n").code == 0
    assert ready("tenant", "show", "acme").code == 4
