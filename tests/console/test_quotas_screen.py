"""The quotas screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.access.access_model import Holder
from core.access.effective.limits import limits_of
from core.access.effective.rights import RightsIndex
from core.access.model import EntityKind, NameSet
from core.access.quotas import QuotaInterval, QuotaKey, QuotaLimit
from core.access.script import model_of_script
from core.access_reports import quota_usage
from core.access_reports.quota_usage import Fullness, QuotaUsage, Usage, Used
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.engine import Engine
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import console, model_of, running
from tests.console.sample_limits import LIVE, hostile_limits
from tests.console.starting import NARROW, NOW, REFUSED, WIDE, never, opening, text_of, told, until
from tests.console.walking import fill_in, run_change, run_named, see, type_in
from tui.screens.access_tabs import limit_lines
from tui.screens.quotas import QuotasScreen

PAGE = ("Quotas  4", "everyone", "hourly", "tracked")


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "quotas")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, *PAGE)
        await type_in(pilot, "<down>", "<down>")
        await take(pilot, "page", *PAGE)
        await type_in(pilot, "x")
        await take(pilot, "drop", "Exactly this runs", "It then no longer holds for anna, etl_night.")
        await type_in(pilot, "<escape>", "e")
        await take(pilot, "edit", "Edit quota hourly", "Nothing: it is so already.")
        await type_in(pilot, "<escape>", "d")
        await take(pilot, "summary", "10 GiB", "etl_night  by loader", sizes=("80x24",))
        await type_in(pilot, "<right>")
        await take(pilot, "usage-embedded", "[Usage]", "Nothing is counted here.", sizes=("80x24",))
        await type_in(pilot, "<right>")
        await take(pilot, "sql", "[SQL]", "CREATE QUOTA hourly", sizes=("80x24",))


def used(limit: QuotaLimit, amount: float, most: float | None = None) -> Used:
    return Used(limit, amount, most)


USAGE = QuotaUsage(
    (
        Usage("hourly", "anna", NOW, NOW + timedelta(minutes=20), 3600, (
            used(QuotaLimit.QUERIES, 1000, 1000), used(QuotaLimit.ERRORS, 3, 50),
            used(QuotaLimit.RESULT_ROWS, 1_204_331), used(QuotaLimit.READ_BYTES, 9 << 30, 10 << 30),
            used(QuotaLimit.EXECUTION_TIME, 12.25, 300),
        )),
        Usage("hourly", "anna", NOW, NOW + timedelta(hours=12), 86400, (used(QuotaLimit.QUERIES, 1712, 5000),)),
        Usage("hourly", "etl_night", NOW, NOW - timedelta(minutes=3), 3600, (used(QuotaLimit.QUERIES, 7, 1000),)),
    ),
    more=1204,
)  # fmt: skip


async def test_pictures_of_usage(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server has counted, in the form in which it is read from one (see the tests of the engine)."""

    async def fullness(_engine: Engine, _capabilities: Capabilities) -> dict[str, Fullness]:
        return {"hourly": Fullness(2, 1, 1.0), "everyone": Fullness(1, 0, 0.432)}

    async def usage(_engine: Engine, _capabilities: Capabilities, quota: str) -> QuotaUsage:
        return USAGE if quota == "hourly" else QuotaUsage((), own=True, denied="User op lacks SHOW QUOTAS ON *.*.")

    monkeypatch.setattr(quota_usage, "is_counted", lambda _engine: True)
    monkeypatch.setattr(quota_usage, "read_fullness", fullness)
    monkeypatch.setattr(quota_usage, "read_quota_usage", usage)
    app = console(tmp_path, LIVE, "quotas")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, *PAGE)
        await type_in(pilot, "<down>", "<down>", "d", "<right>")
        await take(pilot, "usage-wide", "1 at the limit", "QUOTA_EXCEEDED (201)", sizes=("160x48",))
        await pilot.resize_terminal(*NARROW)
        await type_in(pilot, "<escape>", "d", "<right>")
        await take(pilot, "usage", "[Usage]", "QUOTA_EXCEEDED (201)", sizes=("80x24",))
        await type_in(pilot, "<escape>", "<down>", "d", "<right>")
        await see(pilot, "Only your own usage may be seen.", "Nothing was counted for you since this server started.")


async def test_pictures_of_other_states(take: Take, tmp_path: Path) -> None:
    states = (
        ("loading", never, "Connecting"),
        ("error", opening(REFUSED), "Cannot connect"),
    )
    for name, how, word in states:
        app = console(tmp_path / name, how, "quotas")
        async with app.run_test(size=WIDE) as pilot:
            await take(pilot, name, word)
    app = console(tmp_path, opened_with(), "quotas", read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "READ-ONLY", "no interval")
        screen = app.screen
        assert isinstance(screen, QuotasScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only (--read-only)"), command.id
        await pilot.press("n")
        await until(pilot, lambda: "nothing can be changed" in told(app))


async def test_a_quota_is_moved_where_there_is_another_storage_and_a_missing_right_is_told(tmp_path: Path) -> None:
    """Only planned: an embedded engine has one storage."""
    app = console(tmp_path, LIVE, "quotas")
    async with app.run_test(size=(100, 30)) as pilot:
        await see(pilot, *PAGE)
        session = app.connection.session
        assert session is not None
        whole = session.capabilities
        directories = (("disk", "local_directory", 1), ("users_xml", "users_xml", 0), ("keeper", "replicated", 2))
        session.capabilities = replace(whole, user_directories=directories)
        await type_in(pilot, "<down>", "<down>", "v")
        await see(pilot, "Move quota hourly", "MOVE QUOTA hourly TO disk")
        await type_in(pilot, "<right>")
        await see(pilot, "MOVE QUOTA hourly TO keeper")
        await type_in(pilot, "<escape>", "t")
        await see(pilot, "Whom is it for: quota hourly", "ctrl+o choose")
        await type_in(pilot, "<ctrl+o>")
        await see(pilot, "+ a user or role")
        await type_in(pilot, "auditor", "<enter>")
        await see(pilot, "ALTER QUOTA hourly TO anna, auditor, loader")
        await type_in(pilot, "<escape>", "n")
        await see(pilot, "Storage", "(disk)")
        await type_in(pilot, "kept")
        await see(pilot, "CREATE QUOTA kept KEYED BY")
        await fill_in(pilot, "storage", "")
        await type_in(pilot, "<right>")
        await see(pilot, "CREATE QUOTA kept IN keeper KEYED BY")
        await type_in(pilot, "<escape>")
        lacking = "User op lacks the right ALTER QUOTA ON *.*."
        session.capabilities = replace(whole, may=whole.may - {"alter quota"}, _reasons={"alter quota": lacking})
        for key in ("e", "t", "m"):
            await pilot.press(key)
            await until(pilot, lambda: lacking in told(app))
            app.clear_notifications()
        assert isinstance(app.screen, QuotasScreen)


async def test_names_that_mean_harm_are_shown_and_told_as_what_they_are(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*hostile_limits())), "quotas")
    async with app.run_test(size=NARROW) as pilot:
        for screen, total in (("quotas", 7), ("settings-profiles", 7), ("row-policies", 6)):
            app.go(screen)
            await see(pilot, f"  {total}", "[bold]x[/bold]", "esc\\x1b[31mred", "two\\nlines", "\\u202egnp.exe")
            assert "\x1b" not in text_of(app)
            await type_in(pilot, "/", "two", "<enter>", "x")
            await see(pilot, "Exactly this runs", "two\\nlines")
            await pilot.press("escape")


def test_the_effective_rights_of_a_user_tell_a_quota_in_the_words_of_this_screen() -> None:
    model, _ = model_of_script(
        "CREATE USER anna; CREATE QUOTA hourly FOR INTERVAL 1 day MAX execution_time = 30, FOR INTERVAL 1 hour "
        "MAX queries = 1000, read_bytes = 10737418240 TO anna; CREATE QUOTA idle TO anna;"
    )
    who = Holder(EntityKind.USER, "anna")
    lines = limit_lines(limits_of(RightsIndex(model).effective(who), NOW), who)
    told = [line.text for line in lines]
    assert "hourly: 1 hour: 1k queries, 10 GiB read; 1 day: 30 s running" in told
    assert "idle: no interval" in told


async def test_a_quota_is_made_altered_and_dropped(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "quotas")
    async with app.run_test(size=(100, 24)) as pilot:
        await see(pilot, *PAGE)
        await pilot.press("n")
        await see(pilot, "New quota")
        await type_in(pilot, "a_small", "<tab>", "<right>")
        await see(pilot, "IPv4 bits")
        await fill_in(pilot, "ipv4_bits", "24")
        await fill_in(pilot, "to", "anna, analyst")
        await fill_in(pilot, "1.queries", "many")
        await see(pilot, "many is no amount. Write 1000, 1k, 5M or 2G.")
        await fill_in(pilot, "1.queries", "1.5k")
        await fill_in(pilot, "2.every", "1 day")
        await see(
            pilot,
            "CREATE QUOTA a_small KEYED BY ip_address IPV4_PREFIX_BITS 24 FOR INTERVAL 1 hour MAX queries =",
            "1500, FOR INTERVAL 1 day TRACKING ONLY TO anna, analyst",
            "It then holds for anna, boris.",
        )
        await pilot.press("enter")
        await run_change(pilot, "Quotas  5", "a_small")
        await type_in(pilot, "e")
        await see(pilot, "Edit quota a_small")
        await fill_in(pilot, "2.every", "")
        await fill_in(pilot, "1.read_bytes", "10 GiB")
        await fill_in(pilot, "to", "ALL EXCEPT anna")
        await see(pilot, "read_bytes = 10737418240", "INTERVAL 1 day NO LIMITS", "It then no longer holds for anna.")
        await pilot.press("enter")
        await run_change(pilot, "all but anna")
        quota = (await model_of(app)).quotas["a_small"]
        limits = ((QuotaLimit.QUERIES, 1500), (QuotaLimit.READ_BYTES, 10 << 30))
        assert quota.intervals == (QuotaInterval(3600, limits),)
        assert quota.to == NameSet(everyone=True, excepted=("anna",))
        assert (quota.key, quota.ipv4_prefix_bits) == (QuotaKey.IP_ADDRESS, 24)
        await type_in(pilot, "d", "<right>", "<right>", "<right>")
        await see(pilot, "create", "alter", "op@bastion")
        await type_in(pilot, "<escape>", "c")
        await see(pilot, "Clone quota a_small")
        await type_in(pilot, "a_twin")
        await see(pilot, "CREATE QUOTA a_twin KEYED BY ip_address", "It holds for no user.")
        await type_in(pilot, "<escape>", "m")
        await see(pilot, "Rename quota a_small")
        await type_in(pilot, "<ctrl+u>", "a_lesser")
        await see(pilot, "ALTER QUOTA a_small RENAME TO a_lesser")
        await type_in(pilot, "<escape>", "x")
        await run_named(pilot, "a_small", "Quotas  4")
        # What users.xml defines is not changed by SQL.
        await pilot.press("t")
        await see(pilot, "Whom is it for: quota default")
        await type_in(pilot, "<ctrl+u>", "anna", "<enter>")
        await see(pilot, "is in users_xml, which SQL cannot change")
        await type_in(pilot, "<escape>", "v")
        await until(pilot, lambda: "There is only one access storage" in told(app))
