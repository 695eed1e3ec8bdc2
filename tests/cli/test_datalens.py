"""`housekeys datalens`, on the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datalens.passwords import check_password
from core.secrets import Secret
from tests.cli.conftest import Housekeys, Outcome

ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'


def items(outcome: Outcome) -> dict[str, str]:
    return {item["id"]: item["state"] for item in outcome.json}


def test_the_checklist_and_the_user(housekeys: Housekeys) -> None:
    before = housekeys("datalens", "check")
    assert before.code == 1
    assert "housekeys datalens setup" in before.stdout
    assert housekeys("datalens", "setup").code == 2
    made = housekeys("datalens", "setup", "--generate-password")
    assert made.code == 0
    password = made.stdout.removesuffix("\n")
    check_password(Secret(password), user="datalens")
    assert password not in made.stderr
    found = items(housekeys("datalens", "check", "--json"))
    assert [found[key] for key in ("user", "readonly", "password", "grants", "signing")] == ["ok"] * 5
    assert "set up already" in housekeys("datalens", "setup").stderr
    assert housekeys("datalens", "tick", "sent-to-datalens", "--note", "by phone").code == 0
    assert items(housekeys("datalens", "check", "--json"))["sent-to-datalens"] == "ticked"
    assert housekeys("datalens", "untick", "sent-to-datalens").code == 0
    assert housekeys("datalens", "tick", "user").code == 2


def test_passwords_come_from_where_they_are_kept(housekeys: Housekeys, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a-good-long-password-1\n")
    file.chmod(0o600)
    assert housekeys("datalens", "setup", "--password-ref", f"file:{file}").code == 0
    assert housekeys("datalens", "setup", "--password-ref", "a-good-long-password-2").code == 2
    refused = housekeys("datalens", "setup", "--generate-password")
    assert refused.code == 3  # another password for an existing user is confirmed
    assert refused.stdout == ""
    out = tmp_path / "new"
    changed = housekeys("datalens", "setup", "--generate-password", "--password-out", str(out), "--yes")
    assert (changed.code, changed.stdout) == (0, "")
    assert out.stat().st_mode & 0o777 == 0o600
    check_password(Secret(out.read_text().removesuffix("\n")), user="datalens")
    assert housekeys("datalens", "setup", "--password-out", str(tmp_path / "x")).code == 2
    dry = housekeys("--dry-run", "datalens", "setup", "--generate-password", "--json")
    assert "********" in dry.stdout


def test_the_listing_is_edited_and_written_as_a_pack(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    (tmp_path / "manual.md").write_text("# Manual\r\n\r\nText.\r\n", newline="")
    (tmp_path / "logo.svg").write_text(ICON)
    pack = tmp_path / "pack"
    first = housekeys(
        *("datalens", "listing", "--set", "name.en=Acme = Analytics", "--set", "price=free"),
        *("--set-file", f"manual.en={tmp_path / 'manual.md'}", "--icon", str(tmp_path / "logo.svg"), "--json"),
    )
    assert first.code == 0
    assert first.json["texts"]["name.en"] == "Acme = Analytics"
    assert first.json["texts"]["manual.en"] == "# Manual\n\nText."
    assert housekeys("datalens", "listing", "--out", str(pack)).code == 2
    assert not pack.exists()
    written = housekeys("datalens", "listing", "--out", str(pack), "--allow-incomplete")
    assert (written.code, written.stdout) == (0, f"{pack}\n")
    assert (pack / "icon.svg").read_text() == ICON + "\n"
    assert (pack / "en" / "name.txt").read_text() == "Acme = Analytics\n"
    saved = next((home / "data" / "listings").iterdir())
    again = housekeys("datalens", "listing", "--from", str(saved))
    assert "Acme = Analytics" in again.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "colour=red"),
        ("--set", "name.en"),
        ("--set", "name.en=two\nlines"),
        ("--set-file", "manual.en=/no/such/file"),
        ("--icon", "/dev/null"),
        ("--from", "/no/such/file"),
    ],
)
def test_what_a_listing_does_not_take(housekeys: Housekeys, words: tuple[str, str]) -> None:
    refused = housekeys("datalens", "listing", *words)
    assert (refused.code, refused.stdout) == (2, "")


@pytest.mark.parametrize("verb", ["check", "tick", "untick", "setup", "listing"])
def test_every_verb_has_help_with_examples(housekeys: Housekeys, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert housekeys("datalens", verb, "--help").code == 0
    assert f"housekeys datalens {verb}" in capsys.readouterr().out.split("examples:")[1]
