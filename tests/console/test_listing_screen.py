"""The listing: every part of the pack, edited, checked and written to a folder, on a real engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from core.datalens.listing import FIELDS, Listing, listing_file, read_listing, render_listing
from core.files import write_private
from core.profiles import Profile
from core.session import Session
from tests.console.album import Take, take_start
from tests.console.ledger import ago, key_row, mark, opened_with
from tests.console.starting import NARROW, WIDE, connected, never, start_in, told, until
from tests.console.walking import Walk, reconnect, run_change, see, type_in
from tui.app import HousekeysApp
from tui.screens.listing import ListingScreen
from tui.start import OpenSession

ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3"/></svg>'
KEYS = [key_row("partner", 1, "generate", "generated", ago(days=9), "1")]
HALF = Listing(
    {
        "name.en": "Acme Analytics",
        "name.ru": "Акме Аналитика",
        "description.en": "Sales of every shop, by the hour.\n\nRefreshed at night.",
        "description.ru": "Продажи каждого магазина по часам.\n\n— Обновляется ночью.",
        "price": "free",
        "contacts": "[bold]Anna[/bold] \u202evogeL\nanna@acme.example",
        "icon": ICON,
    }
)
FULL = Listing({entry.key: HALF.get(entry.key) or f"{entry.title}\nsecond line" for entry in FIELDS})
FULL = FULL.with_texts({"name.en": "Acme Analytics"})


def keep(session: Session, listing: Listing) -> None:
    write_private(listing_file(session.paths, session.profile.name), render_listing(listing))


def kept(listing: Listing, *, hosts: bool = True) -> OpenSession:
    """Opens a session with this listing, hosts and a partner key."""

    async def prepare(session: Session) -> None:
        keep(session, listing)
        if hosts:
            named = ("rc1a-ch-1.example", "rc1b-ch-2.example:8443")
            profile: Profile = session.profile
            session.profile = replace(profile, datalens=replace(profile.datalens, hosts=named))

    return opened_with(KEYS if hosts else [], prepare=prepare)


def console(folder: Path, how: OpenSession, *, read_only: bool | None = None) -> HousekeysApp:
    return HousekeysApp(replace(connected(start_in(folder, screen="listing"), how), read_only=read_only))


def at(part: str, *keys: str, see_last: str) -> Walk:
    async def walk(pilot: Pilot[None]) -> None:
        await see(pilot, " parts")
        await go_to(pilot, part)
        await type_in(pilot, *keys[:1])
        await see(pilot)  # a form that opens takes its time
        await until(pilot, lambda: len(pilot.app.screen_stack) > 1 or keys[0] == "d")
        await type_in(pilot, *keys[1:])
        await see(pilot, see_last)

    return walk


async def go_to(pilot: Pilot[None], part: str) -> None:
    screen = pilot.app.screen
    assert isinstance(screen, ListingScreen)
    await pilot.press("home")
    while screen.current is not None and screen.current.key != part:
        await pilot.press("down")


def session_of(app: HousekeysApp) -> Session:
    assert app.connection.session is not None
    return app.connection.session


def listing_of(app: HousekeysApp) -> Listing:
    session = session_of(app)
    return read_listing(listing_file(session.paths, session.profile.name))


# -- pictures


async def test_pictures_of_states(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take_start(take, pilot, opened_with())
        await take(pilot, "empty", "0 of 14 parts", "Still missing")
        await reconnect(pilot, kept(HALF), read_only=True)
        await take(pilot, "read-only", "READ-ONLY", "Acme Analytics")


async def test_pictures_of_a_listing(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, kept(HALF))
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "half", "9 of 13 parts", "Acme Analytics")
        for name, part, keys, words in (
            ("edit-line", "name.en", ("e",), "Save"),
            ("edit-text", "description.ru", ("e",), "or a file"),
            ("icon", "icon", ("e", "/etc/passwd"), "passwd cannot be the icon"),
            ("pack", "name.en", ("W",), "Missing (4)"),
        ):
            await at(part, *keys, see_last=words)(pilot)
            await take(pilot, name, words)
            await pilot.press("escape")
        await at("contacts", "d", see_last="characters at most")(pilot)
        await take(pilot, "detail", "characters at most", sizes=("80x24", "160x48"))
        keep(session_of(app), FULL)
        await pilot.press("escape", "home", "r")
        await take(pilot, "complete", "The pack is complete")


# -- what the keys do


async def test_texts_are_typed_in_both_languages_and_what_is_kept_elsewhere_is_edited_there(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await at("name.ru", "e", "Акме", "<enter>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "1 of 14 parts")
        await at("description.en", "e", "One [b]line", "<enter>", "<enter>", "two", see_last="write file")(pilot)
        await type_in(pilot, "<tab>", "<tab>", "<enter>")
        await run_change(pilot, "2 of 14 parts")
        assert listing_of(app).texts == {"name.ru": "Акме", "description.en": "One [b]line\n\ntwo"}
        await at("name.ru", "e", *["<end>"], *["<backspace>"] * 4, "<enter>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "1 of 14 parts")
        await pilot.press("U")
        await run_change(pilot, "2 of 14 parts")
        assert listing_of(app).get("name.ru") == "Акме"
        for part, words in (("hosts", "Profiles"), ("key", "No keys yet.")):
            await go_to(pilot, part)
            await pilot.press("enter")
            await see(pilot, words)
            app.go("listing")
            await see(pilot, " parts")


async def test_a_text_is_taken_from_a_file_and_only_an_icon_that_draws(tmp_path: Path) -> None:
    manual = tmp_path / "manual.md"
    manual.write_bytes("\ufeff# Руководство\r\n\r\n1. Откройте …\r\n".encode())
    bad, good = tmp_path / "bad.svg", tmp_path / "good.svg"
    bad.write_text(ICON.replace("<circle", "<script>alert(1)</script><circle"))
    good.write_text(ICON)
    app = console(tmp_path / "home", opened_with())
    async with app.run_test(size=WIDE) as pilot:
        await at("manual.ru", "e", "<tab>", str(manual), "<enter>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "1 of 14 parts")
        assert listing_of(app).get("manual.ru") == "# Руководство\n\n1. Откройте …"
        await at("icon", "e", str(tmp_path / "none.svg"), "<enter>", see_last="No such file")(pilot)
        await pilot.press("escape")
        await at("icon", "e", str(bad), "<enter>", see_last="script is not allowed")(pilot)
        await pilot.press("escape")
        await at("icon", "e", str(good), "<enter>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "2 of 14 parts")
        assert listing_of(app).get("icon") == ICON


async def test_a_pack_is_written_and_one_that_is_not_complete_only_when_it_is_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    app = console(tmp_path / "home", kept(HALF))
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Still missing: Use cases, English, and 3 more")
        await pilot.press("W")
        await see(pilot, "Missing (4)")
        await type_in(pilot, *["<backspace>"] * len("listing-pack"), str(folder), "<enter>")
        await see(pilot, "The listing pack is not complete")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        preview = await see(pilot, "Exactly this runs")
        assert "Missing: User manual, Russian" in preview
        await run_change(pilot, "Still missing")
        assert (folder / "README.md").is_file()
        keep(session_of(app), FULL)
        folder = tmp_path / "whole"
        await pilot.press("r")
        await see(pilot, "The pack is complete")
        await pilot.press("W")
        await see(pilot, "Write the listing pack", "password of the DataLens user is not part of it")
        await type_in(pilot, *["<backspace>"] * len("listing-pack"), str(folder), "<enter>")
        await run_change(pilot, "The pack is complete")
        written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {"README.md", "icon.svg", "hosts.txt", "partner-key-1.pem", "ru/manual.md", "en/name.txt"} <= written
        assert (folder / "hosts.txt").read_text() == "rc1a-ch-1.example\nrc1b-ch-2.example:8443\n"
        assert mark("1") in (folder / "README.md").read_text()


async def test_a_file_that_is_no_listing_is_told(tmp_path: Path) -> None:
    async def prepare(session: Session) -> None:
        write_private(listing_file(session.paths, session.profile.name), b"title = 'x'\n")

    app = console(tmp_path, opened_with(prepare=prepare))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "has a problem", "title", "Press r to try again")
        await pilot.press("W")
        await until(pilot, lambda: "Nothing has been read yet" in told(app))
