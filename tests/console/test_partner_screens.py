"""The screens of Partner Connect by keys, on a real engine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.clickhouse.errors import ServerError
from core.partner.storage.request_log import DayCount
from tests.console.album import Take
from tests.console.ledger import PASSPHRASE
from tests.console.sample_partner import PROFILE, partner_rows, partner_session, request, requests, with_sealing_key
from tests.console.starting import NARROW, NOW, REFUSED, connected, never, opening, start_in, text_of, told, until
from tests.console.walking import Seen, copies, fill_in, reconnect, run_change, run_named, see, type_in
from tests.engine.denying_engine import DenyingEngine
from tui.app import HousekeysApp
from tui.screens.partner_statistics import Day, day_lines

NARROW_ONLY = ("80x24",)
NAMED = 'resources = { quota = "partners", settings_profile = "partner_limits" }\n'


def console(folder: Path, how: object = never, *, screen: str = "partner", profile: str = "partnered") -> HousekeysApp:
    start = start_in(folder, PROFILE.format(name="partnered"), screen=screen, profile=profile)
    return HousekeysApp(connected(start, how))  # type: ignore[arg-type]


def test_a_connection_that_leads_to_the_sign_in_page_is_a_connect() -> None:
    today = NOW.date()
    day = Day(today, (DayCount(today, "connect", 200, "sign_in", 7, 2, 0, 0.1),))
    assert (day.connects, day.sign_ins) == (2, 5)
    nowhere = Day(today, (DayCount(today, "", 401, "unauthorized", 7, 0, 0, 0.1),))
    assert day_lines(nowhere)[3].text == "-  401  unauthorized"  # as one-shot commands say it


async def test_partner_connections(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "loading", "Connecting", sizes=NARROW_ONLY)
        await reconnect(pilot, opening(REFUSED))
        await take(pilot, "error", "Cannot connect", "Press r", sizes=NARROW_ONLY)
        await reconnect(pilot, partner_session())
        await take(pilot, "empty", "No partner connections yet.", "housekeys partner serve")
        await reconnect(pilot, partner_session(partner_rows(), list(requests())))
        await take(pilot, "list", "Partner connections  3", "acme.example", "! expired", "✓ active")

        # the detail of one
        await type_in(pilot, "d")
        await take(pilot, "summary", "[Summary]", "pcaaaaaaaa", "6051921418418893", sizes=NARROW_ONLY)
        await type_in(pilot, "<right>", Seen("sign_in"), "<right>")
        await take(pilot, "account", "bob@acme.example", "has not come yet", sizes=NARROW_ONLY)
        await type_in(pilot, "<right>", Seen("configure"), "<escape>", Seen("ACCOUNT"))

        # the account of one
        await type_in(pilot, "i", Seen("Invite somebody to acme.example"), "nobody")
        await see(pilot, "This is not an e-mail address.")
        await fill_in(pilot, "email", "Eve@Acme.example")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "Partner connections  3")
        await type_in(pilot, "p")
        await run_change(pilot, "Partner connections  3")
        await type_in(pilot, "d", "<right>", "<right>", Seen("eve@acme.example"), Seen("bought"), "<escape>", "p")
        await until(pilot, lambda: "has bought the product already" in told(app))
        await type_in(pilot, "<end>", "n", Seen("Another trial for initech.example"), "<tab>", "<ctrl+u>", "0")
        await see(pilot, "A number of days from 1 to 3,650.")
        await type_in(pilot, "<shift+tab>", "<right>", "<enter>")
        await run_change(pilot, "Partner connections  3")
        await until(pilot, lambda: "expired" not in str(app.screen.query_one("#table").current.state.standing))  # type: ignore[attr-defined]
        await type_in(pilot, "e")
        await run_change(pilot, "! expired")

        # what is gone is shown on demand, and cannot be done away with again
        await type_in(pilot, "v", Seen("- deleted"), "<slash>", "umbrella", "<enter>", Seen("1 of 4"), "t")
        await until(pilot, lambda: "It is deleted." in told(app))
        await type_in(pilot, "x")
        await until(pilot, lambda: "pcdddddddd is deleted already" in told(app))
        await type_in(pilot, "<escape>", "v", Seen("Partner connections  3"))

        # several at once, and the one account
        await type_in(pilot, "<home>", "<space>", "<space>", Seen("2 marked"), "x")
        await see(pilot, "Exactly this runs", "Delete 2 partner connections")
        await run_change(pilot, "Partner connections  1")
        await type_in(pilot, "X")
        await run_named(pilot, "partner_pacccccccc", "No partner connections yet.")


async def test_tests_and_read_only(take: Take, tmp_path: Path) -> None:
    config = PROFILE.format(name="partnered") + 'sealing_keys = "prompt"\n[profiles.bare]\nengine = "embedded"\n'
    config += PROFILE.format(name="demanding") + NAMED
    app = HousekeysApp(
        connected(
            start_in(tmp_path, config, screen="partner", profile="partnered"),
            partner_session(partner_rows(), more=with_sealing_key),
        )
    )
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Partner connections  3")
        await type_in(pilot, "t", Seen("A secret is needed"), "wrong", "<enter>")
        await see(pilot, "passphrase", "Press r to test again.")
        await type_in(pilot, "r", Seen("A secret is needed"), PASSPHRASE, "<enter>")
        await take(pilot, "tests", "PASS", "The database partner_paaaaaaaaa is there.", "FAIL", "is not kept here")
        await type_in(pilot, "<escape>", "<space>", "<space>", Seen("2 marked"), "t", Seen("A secret is needed"))
        await type_in(pilot, PASSPHRASE, "<enter>", Seen("0 of 2 pass every test."), "<escape>")

        # a profile that names what is not there; one that says nothing of it; and one that may change nothing
        app.connection.profile_name = "demanding"
        await reconnect(pilot, partner_session(partner_rows()))
        await take(pilot, "missing", "! There is no quota partners.", "settings-profile create partner_limits")
        session = app.connection.session
        assert session is not None
        session.engine = DenyingEngine(session.engine, "SHOW CREATE", ServerError("Too many queries.", code=202))
        await type_in(pilot, "r")
        await until(pilot, lambda: "There is no quota" not in text_of(app))
        assert "Partner connections  3" in text_of(app) and "Too many queries" not in text_of(app)
        app.connection.profile_name = "bare"
        await reconnect(pilot, partner_session())
        await take(
            pilot, "nothing-said", "[profiles.NAME.partner]", "housekeys partner sealing-key new", sizes=NARROW_ONLY
        )
        await reconnect(pilot, partner_session(partner_rows()), read_only=True)
        await take(pilot, "read-only", "READ-ONLY", "Partner connections  3")
        await type_in(pilot, "t", Seen("says nothing of Partner Connect"), "<escape>", "x")
        await until(pilot, lambda: "Read-only" in told(app))

        await reconnect(pilot, partner_session(partner_rows()))
        await until(pilot, lambda: "READ-ONLY" not in text_of(app) and "Partner connections  3" in text_of(app))
        await type_in(pilot, "i")
        await until(pilot, lambda: "would have no name" in told(app))

        # who may not read the log of requests is shown the rest
        session = app.connection.session
        assert session is not None
        log = session.partner_connections.request_log
        log._engine = DenyingEngine(session.engine, "partner_requests")
        await type_in(pilot, "r")
        await until(pilot, lambda: app.screen.query_one("#table").current.state.lacking != "")  # type: ignore[attr-defined]
        await type_in(pilot, "d", Seen("SELECT ON housekeys.partner_requests"), Seen("acme.example"))
        await type_in(pilot, "<right>", Seen("lacks a right"), "<right>", Seen("bob@acme.example"))


async def test_requests_credentials_and_statistics(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(tmp_path, partner_session(log=False))
    sent = copies(monkeypatch)
    async with app.run_test(size=NARROW) as pilot:
        # nothing there
        await see(pilot, "No partner connections yet.")
        await type_in(pilot, "l")
        await take(pilot, "requests-no-table", "There is no log of requests yet.", sizes=NARROW_ONLY)
        await type_in(pilot, "<escape>", Seen("Partner connections"), "s")
        await take(pilot, "statistics-empty", "No request was answered", sizes=NARROW_ONLY)
        await type_in(pilot, "<escape>", Seen("Partner connections"), "c")
        await take(pilot, "credentials-empty", "No credential: Databricks cannot call.", sizes=NARROW_ONLY)

        # requests, as they come
        await reconnect(pilot, partner_session(partner_rows(), list(requests())))
        await see(pilot, "Partner credentials  2")
        await type_in(pilot, "<escape>", Seen("acme.example"), "l")
        await see(pilot, "live", "unauthorized")
        await type_in(pilot, "p")
        await take(pilot, "requests", "paused (p)", "unauthorized", "acme.example")
        session = app.connection.session
        assert session is not None
        await session.partner_connections.request_log.append([request(NOW, "expire-account", 500, "general_error")])
        await type_in(pilot, "p", Seen("expire-account"), "e", Seen("errors only"), "<end>", "<home>", "d")
        await see(pilot, "general_error", "process", "request id")
        await type_in(pilot, "<escape>", "e", "<escape>", Seen("Partner connections"))

        # by day
        await type_in(pilot, "s")
        await take(pilot, "statistics", "the last 30 days", "connects", "sign-ins", "errors")
        await type_in(pilot, "v")
        await take(pilot, "statistics-90", "the last 90 days", "a bar is 2 days", sizes=NARROW_ONLY)
        await type_in(pilot, "d", Seen("99 of 100 within"), "<escape>", "<escape>", Seen("Partner connections"))

        # a rotation of credentials
        await type_in(pilot, "c")
        await take(pilot, "credentials", "Partner credentials  2", "databricks-2027", "3 h ago", "never")
        await type_in(pilot, "n", Seen("New credential"), "<enter>")
        await run_change(pilot, "The credential of databricks", "Space shows them")
        await type_in(pilot, "y", "p")
        assert sent[0].startswith("Basic ") and len(sent[1]) == 43
        text = await see(pilot, "Give the header to Databricks")
        assert sent[0] not in text and sent[1] not in text
        await type_in(pilot, "<space>", Seen(sent[1]), "<escape>")
        text = await see(pilot, "Partner credentials  3")
        assert sent[1] not in text
        await type_in(pilot, "x")
        await run_change(pilot, "Partner credentials  2")
        await type_in(pilot, "x")
        await run_change(pilot, "Partner credentials  1")
        await type_in(pilot, "x")
        await until(pilot, lambda: "It is the last one" in told(app))


async def test_a_partner_config(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "partner.json"
    app = console(tmp_path, screen="partner-config")
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "config-empty", "No PartnerConfig is open.", sizes=NARROW_ONLY)

        # a new one, of the profile
        await type_in(pilot, "n", Seen("New PartnerConfig"), "<ctrl+u>", str(path), "<enter>")
        await take(pilot, "config", "not saved (w)", "api_version", "connect.acme.example")
        await type_in(pilot, "e")
        await take(pilot, "config-form", "How it stands:", "it agrees with the profile", "api_version")
        await fill_in(pilot, "base_url", "connect.acme.example")
        await see(pilot, "It must be a URL that begins with https://")
        await type_in(pilot, "<escape>")
        await see(pilot, "1 wrong", "connect.acme.example")  # what was typed is kept
        await type_in(pilot, "w")
        await until(pilot, lambda: "base_url" in told(app))
        await type_in(pilot, "x")  # a new file can be taken back to what the profile comes to as well
        await until(pilot, lambda: "1 wrong" not in text_of(app))
        await type_in(pilot, "e")
        await fill_in(pilot, "base_url", "https://elsewhere.example")
        await see(pilot, "! base_url: the profile says https://connect.acme.example")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "? the profile says", "1 otherwise than the profile")
        assert json.loads(path.read_bytes())["base_url"] == "https://elsewhere.example"

        # one that is there, with what cannot be right
        other = {**json.loads(path.read_bytes()), "colour": "red", "category": "GAMES", "supports_demo": "perhaps"}
        other["endpoints"] = {**other["endpoints"], "conect_path": "/x"}
        path.write_text(f"{json.dumps(other, indent=2)}\n")
        await type_in(pilot, "o", Seen("Open a PartnerConfig"), "<enter>")
        await take(
            pilot, "config-wrong", "No PartnerConfig knows colour, endpoints.conect_path", "2 wrong", sizes=NARROW_ONLY
        )
        await type_in(pilot, "e")
        await fill_in(pilot, "category", "<left>")
        await fill_in(pilot, "supports_demo", "<right>")
        await type_in(pilot, "<enter>")
        await see(pilot, "Exactly this runs", "GAMES")
        other["name"] = "somebody else wrote this"
        path.write_text(f"{json.dumps(other, indent=2)}\n")
        await type_in(pilot, "R")
        await see(pilot, "Changed by someone else", "somebody else wrote this")
        await type_in(pilot, "<escape>", "w")
        await see(pilot, "Exactly this runs")
        app.start = replace(app.start, read_only=True)
        await type_in(pilot, "<escape>", "w")
        await until(pilot, lambda: "no file can be written" in told(app))
        await type_in(pilot, "x", Seen("2 wrong"))  # what was edited is forgotten
