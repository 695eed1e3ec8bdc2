"""The way of a user in headless Chromium, by keyboard alone: from the link to a password that lets in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.chromium import PROGRAM, Page, open_page
from tests.browser.served_pages import serving_pages

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Debian's chromium is not installed")

PASSWORD = "four quiet words together"
SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
PLAIN = {
    "sign-in": "Sign in from Databricks",
    "sign-up": "Sign up from Databricks",
    "purchase": "Your trial has ended",
    "contact-admin": "Ask your administrator",
}
ASKED_FOR = os.environ.get("HOUSEKEYS_PAGE_PICTURES", "")  # a folder that pictures are written to, for looking at them


async def picture(page: Page, name: str) -> None:
    """Nothing is cut off at any size; with a folder given, what it looks like."""
    for size, (width, height) in SIZES.items():
        for dark in (False, True):
            await page.look(width, height, dark=dark)
            too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await page.evaluate(too_wide), (name, size)
            if ASKED_FOR:
                (Path(ASKED_FOR) / f"{name}-{size}-{'dark' if dark else 'light'}.png").write_bytes(await page.picture())
    await page.look(*SIZES["desktop"])


async def test_the_way_of_a_user(tmp_path: Path) -> None:
    async with serving_pages(tmp_path / "home") as pages, open_page(tmp_path / "browser") as page:
        link = await pages.connect()
        await page.look(*SIZES["desktop"])
        await page.go(link)
        assert await page.focused() == "password"
        await picture(page, "set-password")

        await page.type("short and sweet!")
        await page.press("Tab")
        await page.type("something else, longer")
        await page.loading(lambda: page.press("Enter"))
        assert "The two passwords differ." in await page.text()
        assert await page.evaluate("document.querySelector('#password').value") == ""
        assert await page.evaluate("document.querySelector('#email').value") == "ann@acme.com"
        await picture(page, "passwords-differ")

        await page.type(PASSWORD)
        await page.press("Tab")
        await page.type(PASSWORD)
        await page.press("Tab")
        assert await page.focused() == "Set password"
        await page.loading(lambda: page.press("Space"))
        shown = await page.text()
        assert "You are all set, Ann" in shown
        for told in ("ch.acme.example", "8443", "jdbc:ch:https://ch.acme.example:8443/", "ODBC connection file"):
            assert told in shown
        await picture(page, "how-to-connect")
        found = await pages.session.engine.query(
            "SELECT auth_type FROM system.users WHERE startsWith(name, 'partner_')"
        )
        assert "sha256_password" in str(found.rows)

        await page.go(link)  # by now it tells only, as often as it is opened
        assert "You are all set" in await page.text()
        await page.go(f"{link[:-3]}abc")
        assert "not valid" in await page.text()
        await picture(page, "not-valid")
        for path, words in PLAIN.items():
            await page.go(f"{pages.url}/{path}")
            assert words in await page.text()
            await picture(page, path)

        complaints = [one for one in page.problems if "400 (Bad Request)" not in one and "410 (Gone)" not in one]
        assert complaints == []
        assert [url for url in page.asked if not url.startswith((pages.url, "data:"))] == []
