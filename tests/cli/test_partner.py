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
