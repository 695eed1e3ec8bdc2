"""`housekeys key`: the life of keys by one-shot commands, their exit codes, and what they never print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Housekeys
from tests.unit.keys.sample_keys import fingerprint, make_cheap_keys, openssl, private_pem, public_pem

PASSPHRASE = "correct horse battery staple"
UNLOCKED = {"HOUSEKEYS_PASSPHRASE": PASSPHRASE}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap_keys(monkeypatch)


def private_file(path: Path, content: bytes | str, mode: int = 0o600) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def test_the_life_of_a_key(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    empty = housekeys("key", "list")
    assert (empty.code, empty.stdout) == (0, "")
    assert "housekeys key generate" in empty.stderr
    made = housekeys("key", "generate", "--json", environ=UNLOCKED)
    assert made.code == 0, made.stderr
    assert (made.json["version"], made.json["state"]) == (1, "generated")
    assert housekeys("key", "activate", "1").code == 3
    exported = housekeys("key", "export", "1")
    assert openssl("pkey", "-pubin", "-pubout", stdin=exported.stdout.encode()) in exported.stdout.encode()
    assert "Partner key version: 1" in exported.stdout
    assert housekeys("key", "submit", "1").code == 0
    assert housekeys("key", "activate", "1").code == 0
    assert housekeys("key", "generate", environ=UNLOCKED).code == 0
    assert housekeys("key", "submit", "2").code == 0
    activated = housekeys("key", "activate", "2")
    assert "Version 1 is no longer issued with" in activated.stderr
    assert housekeys("key", "retire", "1").code == 3
    assert housekeys("key", "retire", "1", "--yes").code == 0
    listed = housekeys("key", "list", "--json").json
    assert [(row["version"], row["state"]) for row in listed] == [(1, "retired"), (2, "active")]
    assert listed[0]["fingerprint"] == made.json["fingerprint"]
    table = housekeys("key", "list").stdout
    assert "on this machine" in table
    assert made.json["fingerprint"][:16] in table
    for path in home.rglob("partner-*.key"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_datalens_keys(housekeys: Housekeys, tmp_path: Path) -> None:
    pem = tmp_path / "dl.pem"
    pem.write_bytes(public_pem(1))
    words = ("key", "import", str(pem), "--side", "datalens", "--version")
    imported = housekeys(*words, "4")
    assert imported.code == 0
    assert fingerprint(1) in imported.stdout
    assert "another channel" in imported.stderr
    assert housekeys(*words, "5").code == 3
    assert housekeys("key", "retire", "4", "--side", "datalens", "--yes").code == 0
    assert housekeys("key", "export", "4", "--side", "datalens", "--json").json["public_pem"] == public_pem(1).decode()
    small = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    pem.write_bytes(openssl("pkey", "-pubout", stdin=small))
    refused = housekeys(*words, "6")
    assert refused.code == 2
    assert "1024 bits" in refused.stderr
    pem.write_bytes(private_pem(2))
    assert housekeys(*words, "6").code == 2
    assert housekeys("key", "import", str(tmp_path / "none.pem"), "--version", "6").code == 4
    assert housekeys("key", "import", str(tmp_path), "--version", "6").code == 2


def test_import_of_an_encrypted_private_key(housekeys: Housekeys, tmp_path: Path) -> None:
    encrypted = openssl("pkcs8", "-topk8", "-passout", "pass:old", stdin=private_pem(1))
    pem = private_file(tmp_path / "old.pem", encrypted)
    words = ("key", "import", str(pem), "--version", "9")
    unasked = housekeys(*words, environ=UNLOCKED)
    assert unasked.code == 3
    assert "--pem-passphrase-file" in unasked.stderr
    wrong = private_file(tmp_path / "wrong", "wrong")
    assert housekeys(*words, "--pem-passphrase-file", str(wrong), environ=UNLOCKED).code == 3
    right = private_file(tmp_path / "right", "old\n")
    done = housekeys(*words, "--pem-passphrase-file", str(right), environ=UNLOCKED)
    assert done.code == 0, done.stderr
    assert fingerprint(1) in done.stdout
    assert housekeys("key", "list", "--json").json[0]["imported"] is True


def test_the_passphrase_comes_from_a_closed_file_or_not_at_all(housekeys: Housekeys, tmp_path: Path) -> None:
    unasked = housekeys("key", "generate")
    assert unasked.code == 3
    assert "HOUSEKEYS_PASSPHRASE" in unasked.stderr
    file = private_file(tmp_path / "passphrase", PASSPHRASE, 0o644)
    opened = housekeys("key", "generate", "--passphrase-file", str(file))
    assert opened.code == 3
    assert "open to" in opened.stderr
    file.chmod(0o600)
    assert housekeys("key", "generate", "--passphrase-file", str(file)).code == 0


def test_a_relative_passphrase_file(housekeys: Housekeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_file(tmp_path / "passphrase", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    assert housekeys("key", "generate", "--passphrase-file", "passphrase").code == 0


def test_no_passphrase_takes_the_second_flag(housekeys: Housekeys) -> None:
    refused = housekeys("key", "generate", "--no-passphrase")
    assert refused.code == 3
    assert "--insecure" in refused.stderr
    assert housekeys("key", "generate", "--insecure", environ=UNLOCKED).code == 2
    assert housekeys("key", "generate", "--no-passphrase", "--insecure").code == 0


def test_the_passphrase_is_changed(housekeys: Housekeys, tmp_path: Path) -> None:
    assert housekeys("key", "passphrase", environ=UNLOCKED).code == 3
    assert housekeys("key", "generate", environ=UNLOCKED).code == 0
    new = private_file(tmp_path / "new", "another long passphrase")
    change = ("key", "passphrase", "--new-passphrase-file", str(new), "--yes")
    assert housekeys(*change, environ={"HOUSEKEYS_PASSPHRASE": "wrong"}).code == 3
    assert housekeys(*change, environ=UNLOCKED).code == 0
    out = tmp_path / "out.pem"
    export = ["key", "export", "1", "--private", "--out", str(out), "--confirm", "partner-1"]
    export += ["--export-passphrase-file", str(private_file(tmp_path / "export", "a long export passphrase"))]
    assert housekeys(*export, environ=UNLOCKED).code == 3
    done = housekeys(*export, environ={"HOUSEKEYS_PASSPHRASE": "another long passphrase"})
    assert done.code == 0, done.stderr
    assert openssl("pkey", "-in", str(out), "-passin", "pass:a long export passphrase", "-pubout")
    assert housekeys(*export[:3], "--private").code == 2
    assert housekeys("key", "export", "1", "--private", "--out", str(out), environ=UNLOCKED).code == 3


def test_dry_run_and_read_only_change_nothing(housekeys: Housekeys, home: Path) -> None:
    shown = housekeys("--dry-run", "key", "generate")
    assert shown.code == 0
    assert "write file" in shown.stdout
    assert housekeys("--read-only", "key", "generate", environ=UNLOCKED).code == 3
    assert list(home.rglob("partner-*.key")) == []
    assert housekeys("key", "list", "--json").json == []


def test_open_key_files_are_told_refused_and_repaired(housekeys: Housekeys, home: Path, tmp_path: Path) -> None:
    assert housekeys("key", "generate", environ=UNLOCKED).code == 0
    (path,) = home.rglob("partner-1.key")
    path.chmod(0o644)
    warned = housekeys("key", "list")
    assert "open to its group and everybody" in warned.stderr
    assert "key repair" in warned.stderr
    words = ("key", "export", "1", "--private", "--out", str(tmp_path / "x"))
    assert housekeys(*words, environ=UNLOCKED).code == 3
    assert housekeys("--read-only", "key", "repair").code == 3
    assert path.stat().st_mode & 0o777 == 0o644
    assert housekeys("key", "repair").code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert "nothing to repair" in housekeys("key", "repair").stderr


def test_unknown_versions_and_bad_usage(housekeys: Housekeys) -> None:
    assert housekeys("key", "submit", "7").code == 4
    assert housekeys("key", "export", "7").code == 4
    assert housekeys("key", "submit", "x").code == 2
    assert housekeys("key", "import", "x.pem").code == 2
    assert housekeys("key", "generate", "--version", "-1", environ=UNLOCKED).code == 2
    assert housekeys("key").code == 2


@pytest.mark.parametrize("verb", ["list", "generate", "import", "export", "submit", "activate", "retire", "passphrase"])
def test_help_has_examples(housekeys: Housekeys, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert housekeys("key", verb, "--help").code == 0
    assert f"housekeys key {verb}" in capsys.readouterr().out


def test_every_change_of_a_key_has_its_json(housekeys: Housekeys, tmp_path: Path) -> None:
    assert housekeys("key", "generate", "--json", environ=UNLOCKED).json["state"] == "generated"
    assert housekeys("key", "submit", "1", "--json").json["state"] == "submitted"
    assert housekeys("key", "activate", "1", "--json").json["state"] == "active"
    out = tmp_path / "1.pub"
    assert housekeys("key", "export", "1", "--out", str(out), "--json").json["out"] == str(out)
    assert housekeys("key", "retire", "1", "--yes", "--json").json["state"] == "retired"
