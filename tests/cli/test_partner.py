"""One-shot commands of Partner Connect, against the embedded engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.keys import envelope
from tests.cli.conftest import Housekeys


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "STRONG", envelope.ScryptCost(2**10))


def configured(home: Path, *lines: str) -> None:
    """A profile file whose default profile has a table `partner` with these lines."""
    home.mkdir(exist_ok=True)
    text = 'default_profile = "p"\n[profiles.p]\nengine = "embedded"\n[profiles.p.partner]\n'
    text += "\n".join(('base_url = "http://127.0.0.1:8085"', *lines))
    (home / "config.toml").write_text(text, encoding="utf-8")


def test_the_life_of_sealing_keys(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple")
    passphrase.chmod(0o600)
    configured(home, f'sealing_keys = "file:{passphrase}"')
    nothing = housekeys("partner", "sealing-key", "list")
    assert "housekeys partner sealing-key new" in nothing.stderr
    assert housekeys("--read-only", "partner", "sealing-key", "new").code == 3
    first = housekeys("partner", "sealing-key", "new", "--json")
    assert first.code == 0, first.stderr
    second = housekeys("partner", "sealing-key", "new", "--passphrase-file", str(passphrase), "--json").json
    rows = housekeys("partner", "sealing-key", "list", "--json").json
    assert [(row["version"], row["id"], row["use"]) for row in rows] == [
        (2, second["id"], "seals"),
        (1, first.json["id"], "opens"),
    ]
    assert "Keep a copy" in first.stderr
    assert Path(first.json["file"]).stat().st_mode & 0o777 == 0o600

    text = tmp_path / "keys.txt"
    exported = housekeys("partner", "sealing-key", "export", "--output", str(text), "--yes", "--json")
    assert exported.json["ids"] == [second["id"], first.json["id"]]
    assert text.stat().st_mode & 0o777 == 0o600
    configured(home, f'sealing_keys = "file:{text}"')  # a host that reads them from a vault has none to open
    refused = housekeys("partner", "sealing-key", "new")
    assert (refused.code, "as a text" in refused.stderr) == (2, True)

    Path(first.json["file"]).write_text("damaged")
    damaged = housekeys("partner", "sealing-key", "list")
    assert (damaged.code, "unreadable" in damaged.stdout) == (1, True)


def test_the_config_of_the_profile_is_made_and_any_is_checked(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    assert housekeys("partner", "config", "new").code == 2  # the built-in profile says nothing of it
    configured(home, 'integration = "write"', "test_hooks = true")
    made = housekeys("partner", "config", "new", "--name", "Acme", "--cloud", "gcp")
    assert (made.json["name"], made.json["supported_clouds"]) == ("Acme", ["gcp"])
    file = tmp_path / "partner.json"
    file.write_text(made.stdout)
    good = housekeys("partner", "config", "check", str(file))
    assert (good.code, "agrees with profile p" in good.stderr) == (0, True)
    wrong = housekeys("partner", "config", "new", "--privacy-policy", "acme")
    assert (wrong.code, wrong.stdout) == (2, "")

    configured(home, 'integration = "read"')
    differs = housekeys("partner", "config", "check", str(file), "--json")
    assert (differs.code, {one["field"] for one in differs.json["differences"]}) == (
        1,
        {"endpoints.delete_account_path", "endpoints.expire_account_path"},
    )
    file.write_text('{"name": "Acme", "categroy": "ML"}')
    bad = housekeys("partner", "config", "check", str(file))
    assert bad.code == 2
    assert "category is required" in bad.stdout
    assert "categroy is not a known key; did you mean category?" in bad.stdout


def test_the_openapi_document_is_that_of_the_profile(housekeys: Housekeys, home: Path) -> None:
    assert "/delete-account" in housekeys("partner", "openapi").json["paths"]
    configured(home, 'endpoints.connect_path = "/v1/connect"')
    document = housekeys("partner", "openapi").json
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {"/v1/connect", "/delete-connection", "/test-connection"}
