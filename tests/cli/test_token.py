"""`housekeys token`: issued, verified, marked and reissued by one-shot commands."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Housekeys, commands, copied
from tests.unit.keys.sample_keys import make_cheap_keys, openssl, private_pem, public_pem
from tests.unit.tokens.receiver import Receiver

UNLOCKED = {"HOUSEKEYS_PASSPHRASE": "correct horse battery staple"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_cheap_keys(monkeypatch)


def must(housekeys: Housekeys, *words: str) -> None:
    done = housekeys(*words, environ=UNLOCKED)
    assert done.code == 0, f"{words}: {done.stderr}"


@pytest.fixture(scope="module")
def made(made_with_datalens_user: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the DataLens user, two tenants and a key on each side."""
    folder = tmp_path_factory.mktemp("token")
    home, pem = copied(made_with_datalens_user, folder / "home"), folder / "datalens.pem"
    pem.write_bytes(public_pem(1))
    housekeys = commands(home)
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_cheap_keys(monkeypatch)
        must(housekeys, "tenant", "add", "acme", "globex")
        must(housekeys, "key", "generate")
        must(housekeys, "key", "submit", "1")
        must(housekeys, "key", "activate", "1")
        must(housekeys, "key", "import", str(pem), "--side", "datalens", "--version", "1")
    return home


@pytest.fixture
def ready(made: Path, home: Path) -> Housekeys:
    return commands(copied(made, home))


def receiver(housekeys: Housekeys) -> Receiver:
    keys = [row["version"] for row in housekeys("key", "list", "--json").json if row["side"] == "partner"]
    partner = {str(n): housekeys("key", "export", str(n), "--json").json["public_pem"].encode() for n in keys}
    return Receiver({"1": private_pem(1), "2": private_pem(2)}, partner)


def test_a_token_and_nothing_else_goes_to_stdout(ready: Housekeys, tmp_path: Path) -> None:
    issued = ready("token", "issue", "acme", environ=UNLOCKED)
    assert issued.code == 0, issued.stderr
    assert len(issued.stdout.splitlines()) == 1
    token = issued.stdout.rstrip("\n")
    assert len(token) == 693
    assert receiver(ready).accept(token) == "acme"
    file = tmp_path / "token"
    file.write_text(issued.stdout)
    verified = ready("token", "verify", str(file), "--json")
    assert verified.code == 0
    assert (verified.json["valid"], verified.json["tenant"], verified.json["database"]) == (True, "acme", None)
    key = tmp_path / "dl-private.pem"
    key.write_bytes(private_pem(1))
    assert ready("token", "verify", str(file), "--datalens-key", str(key), "--json").json["database"] == "acme"
    altered = token[:100] + ("A" if token[100] != "A" else "B") + token[101:]
    refused = ready("token", "verify", "-", typed=altered)
    assert refused.code == 1
    assert "FAILED" in refused.stdout
    assert ready("token", "verify", "-", typed="").code == 2
    assert ready("token", "verify", str(tmp_path / "none")).code == 4


def test_openssl_verifies_what_was_printed(ready: Housekeys, tmp_path: Path) -> None:
    from base64 import b64decode

    parts = ready("token", "issue", "acme", environ=UNLOCKED).stdout.strip().split(":")
    for name, content in (("data", b64decode(parts[2])), ("signature", b64decode(parts[3]))):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "public.pem").write_text(ready("key", "export", "1").stdout)
    words = ("-verify", str(tmp_path / "public.pem"), "-signature", str(tmp_path / "signature"))
    assert openssl("dgst", "-sha1", *words, str(tmp_path / "data")).strip() == b"Verified OK"


def test_several_and_all_tenants(ready: Housekeys, tmp_path: Path) -> None:
    several = ready("token", "issue", "globex", "acme", environ=UNLOCKED).stdout.splitlines()
    accept = receiver(ready).accept
    assert [accept(line) for line in several] == ["globex", "acme"]
    out = tmp_path / "tokens.csv"
    assert ready("token", "issue", "--all", environ=UNLOCKED).code == 2
    assert ready("token", "issue", environ=UNLOCKED).code == 2
    assert ready("token", "issue", "acme", "--all", "--out", str(out), environ=UNLOCKED).code == 2
    must(ready, "tenant", "suspend", "globex", "--yes")
    done = ready("token", "issue", "--all", "--out", str(out), environ=UNLOCKED)
    assert (done.code, done.stdout) == (0, "")
    assert out.stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(out.open(newline=""))
    assert accept(row["token"]) == row["tenant"] == "acme"
    again = ready("token", "issue", "--all", "--out", str(out), environ=UNLOCKED)
    assert again.code == 2
    assert "exists already" in again.stderr


def test_what_cannot_be_issued(ready: Housekeys) -> None:
    missing = ready("token", "issue", "nobody", environ=UNLOCKED)
    assert (missing.code, missing.stdout) == (4, "")
    assert "tenant add nobody" in missing.stderr
    must(ready, "tenant", "suspend", "globex", "--yes")
    assert ready("token", "issue", "globex", environ=UNLOCKED).code == 3
    assert ready("--read-only", "token", "issue", "acme", environ=UNLOCKED).code == 3
    assert ready("token", "issue", "acme", environ={"HOUSEKEYS_PASSPHRASE": "wrong"}).code == 3
    unasked = ready("token", "issue", "acme")
    assert unasked.code == 3
    assert "HOUSEKEYS_PASSPHRASE" in unasked.stderr
    planned = ready("token", "issue", "acme", "--dry-run", "--json")  # no passphrase for what is not done
    assert planned.json == [{"tenant": "acme", "datalens_key_version": 1, "partner_key_version": 1}]
    must(ready, "key", "retire", "1", "--yes")
    assert "key generate" in ready("token", "issue", "acme", environ=UNLOCKED).stderr
    assert ready("token", "list", "--json").json == []


def test_marks(ready: Housekeys) -> None:
    must(ready, "token", "issue", "acme")
    (row,) = ready("token", "list", "--json").json
    mark = row["fingerprint"]
    delivered = ready("token", "mark", mark[:8], "delivered")
    assert delivered.code == 0
    assert ready("token", "mark", mark[:8], "delivered").code == 3
    assert ready("token", "mark", mark, "used", "--note", "by phone").code == 0
    void = ready("token", "mark", mark, "void")
    assert void.code == 3
    assert "cannot be revoked" in void.stderr
    assert ready("token", "mark", "ffffffff", "void").code == 4
    assert ready("token", "mark", mark[:2], "void").code == 2
    assert ready("token", "mark", mark, "dancing").code == 2
    assert [row["state"] for row in ready("token", "list", "--state", "used", "--json").json] == ["used"]
    assert ready("token", "list", "--tenant", "globex", "--json").json == []
    assert mark[:12] in ready("token", "list").stdout


def test_reissue_after_both_sides_rotated(ready: Housekeys, tmp_path: Path) -> None:
    out = tmp_path / "new.csv"
    must(ready, "token", "issue", "acme", "globex")
    nothing = ready("token", "reissue", "--out", str(out))
    assert nothing.code == 0
    assert "no token to reissue" in nothing.stderr
    pem = tmp_path / "datalens2.pem"
    pem.write_bytes(public_pem(2))
    must(ready, "key", "import", str(pem), "--side", "datalens", "--version", "2")
    planned = ready("token", "reissue", "--dry-run", "--out", str(out), "--json").json
    assert [row["tenant"] for row in planned] == ["acme", "globex"]
    assert planned[0]["reasons"] == ["DataLens key 1 is active, 2 is current"]
    assert not out.exists()
    must(ready, "token", "reissue", "--out", str(out))
    accept = receiver(ready).accept
    rows = list(csv.DictReader(out.open(newline="")))
    assert [accept(row["token"]) for row in rows] == [row["tenant"] for row in rows] == ["acme", "globex"]
    states = [row["state"] for row in ready("token", "list", "--json").json]
    assert sorted(states) == ["issued", "issued", "void", "void"]


def test_no_secret_is_left_behind(ready: Housekeys, home: Path) -> None:
    token = ready("token", "issue", "acme", environ=UNLOCKED).stdout.strip()
    must(ready, "token", "issue", "acme", "--note", "second")
    needles = [part.encode() for part in token.split(":")[2:]] + [UNLOCKED["HOUSEKEYS_PASSPHRASE"].encode()]
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(needle in content for needle in needles), path
            assert b"PRIVATE KEY" not in content, path
    journal = ready("journal", "list", "--json").stdout
    assert not any(needle.decode() in journal for needle in needles)


def test_a_pipe_of_real_processes(ready: Housekeys, home: Path) -> None:
    environ = {**os.environ, "HOUSEKEYS_HOME": str(home), **UNLOCKED}
    housekeys = [sys.executable, "-m", "tui"]
    issued = subprocess.run(
        [*housekeys, "token", "issue", "acme"], env=environ, capture_output=True, text=True, check=False
    )
    assert issued.returncode == 0, issued.stderr
    verified = subprocess.run(
        [*housekeys, "token", "verify"], env=environ, input=issued.stdout, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stderr
    assert "Issued for acme" in verified.stdout


@pytest.mark.parametrize("verb", ["issue", "verify", "list", "mark", "reissue"])
def test_help_has_examples(housekeys: Housekeys, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert housekeys("token", verb, "--help").code == 0
    assert f"housekeys token {verb}" in capsys.readouterr().out


def test_a_mistyped_folder_is_not_made(ready: Housekeys, tmp_path: Path) -> None:
    outcome = ready("token", "issue", "acme", "--out", str(tmp_path / "typo" / "tokens.csv"), environ=UNLOCKED)
    assert outcome.code == 2
    assert "There is no folder" in outcome.stderr
    assert not (tmp_path / "typo").exists()
    assert ready("token", "list", "--json").json == []
