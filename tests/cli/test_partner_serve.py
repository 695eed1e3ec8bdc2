"""What `partner serve` refuses before it listens, and how it begins while something is missing that the profile names.

That it serves, tests/engine/test_partner_served.py shows.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from core.files import write_private
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from tests.cli.conftest import Housekeys

PROFILE = """
[profiles.p]
engine = "embedded"
[profiles.p.partner]
base_url = "https://partner.example"
sealing_keys = "file:{file}"
"""


@pytest.fixture
def configured(home: Path) -> Path:
    """The home, with a profile whose sealing keys are not there."""
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(PROFILE.format(file=home / "gone"), encoding="utf-8")
    return home


def test_what_it_would_listen_with_is_looked_at_first(housekeys: Housekeys, configured: Path) -> None:
    serve = ("-p", "p", "partner", "serve")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for words, code, told in (
            (("--listen", address), 5, f"{address} is in use by another program"),
            (("--listen", "8085"), 2, "is no address to listen on"),
            (("--private-key", "key.pem"), 2, "--private-key needs --certificate"),
            (("--certificate", "gone.pem"), 2, "certificate gone.pem cannot be used: the file is missing"),
            (("--unix", str(configured / "config.toml")), 2, "is no socket"),
        ):
            refused = housekeys(*serve, *words)
            assert (refused.code, told in refused.stderr, refused.stdout) == (code, True, ""), refused
    assert not (configured / "data").exists()  # nothing was connected to
    assert housekeys("partner", "serve").code == 2  # the built-in profile says nothing of Partner Connect


def test_a_library_that_is_missing_is_named(
    housekeys: Housekeys, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "core.partner.service.pages", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    missing = housekeys("-p", "p", "partner", "serve")
    assert missing.code == 1
    assert "needs jinja2, which is not installed" in missing.stderr
    assert "housekeys[partner]" in missing.stderr


def test_tables_are_made_after_a_yes_and_the_sealing_keys_are_needed(housekeys: Housekeys, configured: Path) -> None:
    serve = ("-p", "p", "partner", "serve", "--listen", "127.0.0.1:0")
    read_only = housekeys("--read-only", *serve, "--create-tables")
    assert (read_only.code, "a service makes databases and users" in read_only.stderr) == (3, True)
    unasked = housekeys(*serve)
    assert (unasked.code, "--yes" in unasked.stderr) == (3, True)
    planned = housekeys("--dry-run", *serve)
    assert (planned.code, "CREATE TABLE IF NOT EXISTS `housekeys`.partner_secrets" in planned.stdout) == (0, True)
    no_keys = housekeys(*serve, "--create-tables")
    assert (no_keys.code, str(configured / "gone") in no_keys.stderr, no_keys.stdout) == (2, True, ""), no_keys
    assert "nothing to do" in housekeys("--dry-run", *serve).stderr  # the tables are there


def test_a_service_begins_and_is_not_ready_until_what_the_profile_names_is_there(
    housekeys: Housekeys, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured / "config.toml"
    with config.open("a", encoding="utf-8") as file:
        file.write('[profiles.p.partner.resources]\nsettings_profile = "it is"\nquota = "partners"\n')
    write_private(configured / "gone", SealingKeys([new_sealing_key()]).to_text().reveal().encode("ascii"))
    tested = housekeys("-p", "p", "profile", "test", "--json")
    first, second = tested.json["partner"]["unmet"]
    assert (tested.code, tested.json["partner"]["ok"]) == (4, False)
    assert (first["key"], first["place"]) == ("profiles.p.partner.resources.quota", f"{config}:9")
    assert (second["error"], second["place"]) == ("There is no settings profile it is.", f"{config}:8")

    answers: list[tuple[int, str]] = []
    asking: list[threading.Thread] = []

    def asked_and_ended(_context: Any, url: str) -> None:
        """Ask it as soon as it listens, and end it."""

        def ask() -> None:
            try:
                for path in ("metrics", "health/ready"):
                    with urllib.request.urlopen(f"{url}/{path}") as answer:  # noqa: S310 - on this machine
                        answers.append((answer.status, answer.read().decode()))
            except urllib.error.HTTPError as error:
                answers.append((error.code, error.read().decode()))
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        asking.append(threading.Thread(target=ask))
        asking[0].start()

    monkeypatch.setattr("tui.cli.partner_serve._tell_where", asked_and_ended)
    served = housekeys("-p", "p", "partner", "serve", "--listen", "127.0.0.1:0", "--create-tables")
    asking[0].join()
    assert served.code == 0, served.stderr
    assert f"Not ready: {config}:9: profiles.p.partner.resources.quota: There is no quota partners." in served.stderr
    (_, figures), (status, reason) = answers
    assert "housekeys_partner_missing 2.0\n" in figures
    assert (status, "no quota partners" in reason, "no settings profile it is" in reason) == (503, True, True)

    for unmet in (first, second):
        made = housekeys(*shlex.split(unmet["advice"].removeprefix("Run: housekeys ")), "--yes")
        assert made.code == 0, made.stderr
    tested = housekeys("-p", "p", "profile", "test")
    assert (tested.code, tested.stdout.splitlines()[-1]) == (
        0,
        "Partner Connect  ok: all that the profile names is there",
    )
