"""The users screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.access.access_model import Holder
from core.access.model import (
    AuthKind,
    EntityKind,
    Hosts,
    NameSet,
    Right,
    SettingElement,
)
from core.clickhouse.errors import ServerError
from tests.console.album import Take, take_start
from tests.console.ledger import opened_with
from tests.console.sample_access import HISTORY, SAMPLE, console, hostile, model_of, running
from tests.console.sample_tenants import holding
from tests.console.starting import NARROW, WIDE, never, text_of, told, until
from tests.console.walking import Seen, fill_in, run_change, see, type_in
from tui.screens.form import FormScreen
from tui.screens.password_fields import GENERATED, TYPED
from tui.screens.user_method_fields import HASH
from tui.screens.user_methods import ADD, END, LIMIT, NEWEST
from tui.screens.users import UsersScreen
from tui.widgets.fields import FieldRow

SALES = (Right("SELECT", database="sales"),)
JANUARY = "2027-01-31 00:00:00"
STRONG = "Correct-Horse-2"
SSH_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIIh0D5QPzn0kR+bJEZkVTnb0LKsNQcGMnoIdB7h7vDbS"
TABS = (
    ("Summary", "Findings"),
    ("Grants", "auditor"),
    ("Effective", "analyst > reader"),
    ("SQL", "CREATE USER anna"),
    ("History", "by op@bastion"),
)
LIVE = opened_with(HISTORY, prepare=running(*SAMPLE))
TWO_HOPS = (
    "CREATE ROLE reader",
    "CREATE ROLE analyst",
    "GRANT SELECT ON sales.* TO reader",
    "REVOKE SELECT ON sales.secret FROM reader",
    "GRANT reader TO analyst",
)


async def choose(pilot: Pilot[None], field: str, word: str) -> None:
    """Go to a field of the form that is open, and on to one of its choices."""
    row = next(row for row in pilot.app.screen.query(FieldRow) if row.field.name == field)
    row.input.focus()
    await pilot.pause()
    choices = row.field.choices
    steps = (choices.index(word) - choices.index(row.value)) % len(choices)
    await pilot.press(*["right"] * steps)


# -- pictures


async def test_pictures_until_there_are_users(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never, "users")
    async with app.run_test(size=NARROW) as pilot:
        await take_start(take, pilot, opened_with())
        await take(pilot, "only-default", "Users  1", "default")


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "users")
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "page", "anna", "monitoring", "LINT")
        await type_in(pilot, "n", Seen("New user"), "igor")
        await take(pilot, "new", "CREATE USER igor")
        await type_in(pilot, "<escape>", "<plus>", Seen("Grant to"), "SELECT, INSERT ON sales.*")
        await take(pilot, "grant", "was taken back")
        await type_in(pilot, "<escape>", "p", Seen("Sign-in of user anna"), "<right>")
        await take(pilot, "sign-in", "ADD IDENTIFIED WITH")
        await type_in(pilot, "<escape>", "x")
        await take(pilot, "drop", "Exactly this runs")
        await type_in(pilot, "<escape>", Seen("monitoring"), "d")
        for tab, word in TABS:
            await take(pilot, tab.lower(), f"[{tab}]", word, sizes=("80x24",))
            await pilot.press("right")
        for tab, word in TABS:  # after the last comes the first
            await take(pilot, tab.lower(), f"[{tab}]", word, sizes=("160x48",))
            await pilot.press("right")


# -- what its keys do


async def test_passwords_of_new_users(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*TWO_HOPS)), "users")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Users  1")
        await type_in(pilot, "n", "weak", "<tab>", "<right>", "<tab>", "short", "<tab>", "short", "<enter>")
        await see(pilot, "The password is too weak")
        await type_in(pilot, "er", "<enter>")
        await see(pilot, "The two entries differ.")
        assert "short" not in text_of(app)
        await type_in(pilot, "<backspace>", "<backspace>", "<tab>", "<space>", "<enter>")
        await see(pilot, "Exactly this runs", "The password is weak: it has fewer than 12 characters")
        await type_in(pilot, "<escape>", "n", "open", "<tab>", "<left>", "<enter>")
        await see(pilot, "lets in whoever knows its name")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        await run_change(pilot, "Users  2")
        await type_in(pilot, "n", "igor")
        await see(pilot, "CREATE USER igor IDENTIFIED WITH sha256_hash BY '[HIDDEN]'")
        await fill_in(pilot, "length", "8")
        await see(pilot, "A password has 12 to 256 characters.")
        await fill_in(pilot, "length", "31")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "The password of igor")
        await pilot.press("space")
        await see(pilot, "Space hides it.")
        page = text_of(app)
        password = next(
            line.strip() for line in page.splitlines() if len(line.strip()) == 31 and " " not in line.strip()
        )
        await pilot.press("escape")
        await see(pilot, "Users  3", "igor")
        users = (await model_of(app)).users
        assert users["open"].methods[0].kind is AuthKind.NO_PASSWORD
        assert users["igor"].methods[0].kind is AuthKind.SHA256
        assert "weak" not in users
        assert holding(tmp_path, password) == []


WAYS = (  # what is chosen and typed, and what is behind IDENTIFIED WITH then
    (GENERATED, {"kind": "scram"}, "scram_sha256_hash BY '[HIDDEN]'"),
    (TYPED, {"kind": "bcrypt", "password": STRONG, "again": STRONG}, "bcrypt_hash BY '[HIDDEN]'"),
    (HASH, {"kind": "double sha1", "hash": "ab" * 20}, "double_sha1_hash BY '[HIDDEN]'"),
    ("certificate", {"names": "DNS:job.example", "subject": "SAN"}, "ssl_certificate SAN 'DNS:job.example'"),
    ("ssh key", {"keys": f"ssh-ed25519 {SSH_KEY} me@host"}, "The embedded engine knows no SSH keys"),
    ("ldap", {"server": "corp"}, "ldap SERVER 'corp'"),
    ("kerberos", {"realm": "EXAMPLE.COM"}, "kerberos REALM 'EXAMPLE.COM'"),
    ("http", {"server": "gate"}, "http SERVER 'gate' SCHEME 'BASIC'"),
)


async def test_a_user_signs_in_in_several_ways_and_grants_to_some(tmp_path: Path) -> None:
    kate = f"CREATE USER kate IDENTIFIED WITH ldap SERVER 'old', sha256_password BY '{STRONG}' HOST LOCAL"
    vera = "CREATE USER vera IDENTIFIED WITH ssl_certificate CN 'vera' GRANTS (SHOW TABLES ON *.*)"
    app = console(tmp_path, opened_with(prepare=running(*TWO_HOPS, kate, vera)), "users")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Users  3")
        await type_in(pilot, "<down>", "p")
        await see(pilot, "Sign-in of user kate", "It has: 1 ldap; 2 sha256.")
        await choose(pilot, "do", END)
        await fill_in(pilot, "until", "2027-01-31")
        await see(pilot, "That writes every way to sign in anew, and the sha256_password of kate is not known here.")
        await choose(pilot, "do", NEWEST)
        await see(pilot, "RESET AUTHENTICATION METHODS TO NEW")
        await choose(pilot, "do", ADD)
        for how, typed, shown in WAYS:
            await choose(pilot, "how", how)
            for name, text in typed.items():
                await (choose if name in ("kind", "subject") else fill_in)(pilot, name, text)
            await see(pilot, shown if how == "ssh key" else f"ADD IDENTIFIED WITH {shown}")
            assert STRONG not in text_of(app)
        assert "Grants" not in await see(pilot, "SCHEME 'BASIC' VALID UNTIL", "will keep, and not enforce: validity")
        await choose(pilot, "how", "certificate")  # which is not checked elsewhere, so that its sessions can be limited
        await fill_in(pilot, "grants", "SELECT sales.*")
        await see(pilot, "at line 1, column 13: expected ON, found '.'")
        await fill_in(pilot, "grants", "SELCT ON sales.*")
        await see(pilot, "There is no privilege SELCT. Did you mean SELECT?")
        await fill_in(pilot, "grants", "SELECT ON sales.*")
        await see(
            pilot, f"'{JANUARY}' GRANTS (SELECT ON sales.*)", "not enforce: validity, the grants of a credential."
        )
        await type_in(pilot, "<enter>")
        await run_change(pilot, "ldap +2 !")
        methods = (await model_of(app)).users["kate"].methods
        assert [(method.valid_until, method.grants) for method in methods] == [("", None)] * 2 + [(JANUARY, SALES)]
        await type_in(pilot, "p", Seen("2 sha256; 3 certificate until 2027-01-31, limited."), "<escape>")

        await type_in(pilot, "<end>", "p", Seen("Sign-in of user vera"))
        await choose(pilot, "do", LIMIT)
        await see(pilot, "(1 certificate, limited)", "SHOW TABLES ON *.*", "Nothing: it is so already.")
        await fill_in(pilot, "grants.1", "SELECT ON sales.*")
        await see(pilot, "ALTER USER vera IDENTIFIED WITH ssl_certificate CN 'vera' GRANTS (SELECT ON sales.*)")
        await type_in(pilot, "<enter>")
        await run_change(pilot, "Users  3")
        assert (await model_of(app)).users["vera"].methods[0].grants == SALES
        session = app.connection.session
        assert session is not None
        session.capabilities = replace(session.capabilities, version_tuple=(26, 3))
        await pilot.press("p")
        assert "grants" not in (await see(pilot, "Sign-in of user vera", "change an end")).lower()
        for clause in ("ldap SERVER 'corp'", "kerberos", "http SERVER 'gate' SCHEME 'BASIC'"):  # as the form has it
            with pytest.raises(ServerError, match="GRANTS clause is not supported"):
                await session.engine.command(f"ALTER USER kate ADD IDENTIFIED WITH {clause} GRANTS (SELECT ON sales.*)")
        await type_in(pilot, "<escape>", "<up>")

        await pilot.press("e")
        await see(pilot, "Edit user kate")
        await fill_in(pilot, "grantees", "any EXCEPT nobody")
        await see(pilot, "There is no user or role nobody.")
        await fill_in(pilot, "grantees", "any EXCEPT analyst")
        await type_in(pilot, "<tab>", "max_treads = 4")
        await see(
            pilot, "GRANTEES ANY EXCEPT analyst", "The server knows no setting max_treads. Did you mean max_threads?"
        )
        await type_in(pilot, "<ctrl+u>", "max_threads = 4 MAX 8 CONST")
        await see(pilot, "SETTING max_threads = 4 MAX 8 CONST", "will keep, and not enforce: grantees")
        await type_in(pilot, "<tab>", "<tab>", "<enter>")
        await run_change(pilot, "Users  3")
        user = (await model_of(app)).users["kate"]
        assert user.grantees == NameSet(everyone=True, excepted=("analyst",))
        assert user.settings == (SettingElement("max_threads", "4", max="8", writability="CONST"),)


async def test_rights_come_by_the_path_of_roles_and_are_given_and_taken_with_what_becomes_of_them(
    tmp_path: Path,
) -> None:
    user = "CREATE USER igor IDENTIFIED WITH sha256_password BY 'Correct-Horse-1' HOST LOCAL"
    app = console(tmp_path, opened_with(prepare=running(*TWO_HOPS, user)), "users")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Users  2")
        await type_in(pilot, "<down>", "a")
        await see(pilot, "Roles of user igor")
        await type_in(pilot, "analyst")
        await see(pilot, "GRANT analyst TO igor", "+ SELECT ON sales.*")
        await pilot.press("enter")
        await run_change(pilot, "Users  2", "analyst")
        await type_in(pilot, "d", "<right>", "<right>")
        await see(pilot, "Rights at login", "SELECT ON sales.*", "by analyst > reader", "SELECT ON sales.secret  taken")
        await type_in(pilot, "<escape>", "<plus>")
        await see(pilot, "Grant to user igor")
        await type_in(pilot, "SELCT ON sales.*", "<enter>")
        await see(pilot, "There is no privilege SELCT. Did you mean SELECT?")
        await pilot.press("ctrl+u")
        await type_in(pilot, "INSERT ON sales.* TO other", "<enter>")
        await see(pilot, "found 'TO'")
        await pilot.press("ctrl+u")
        await type_in(pilot, "SELECT, INSERT ON sales.*", "<tab>", "<space>")
        await see(pilot, "WITH GRANT OPTION", "+ INSERT ON sales.*", "+ SELECT ON sales.secret (was taken back)")
        await pilot.press("enter")
        await run_change(pilot, "Users  2")
        await pilot.press("minus")
        await see(pilot, "Revoke from user igor")
        await type_in(pilot, "ALL ON sales.*")
        await see(
            pilot,
            "REVOKE SELECT, INSERT ON sales.* FROM igor",
            "- INSERT ON sales.*",
            "- SELECT ON sales.secret",
            "- grant option for SELECT ON sales.*",
        )
        assert "- SELECT ON sales.*" not in text_of(app)  # the role still gives it
        await pilot.press("enter")
        await run_change(pilot, "Users  2")
        assert not (await model_of(app)).rights.get(Holder(EntityKind.USER, "igor"))


async def test_a_user_is_disabled_let_in_again_from_where_it_came_and_not_changed_when_another_was_quicker(
    tmp_path: Path,
) -> None:
    app = console(tmp_path, LIVE, "users")
    async with app.run_test(size=(110, 40)) as pilot:
        await see(pilot, "anna", "monitoring")
        await type_in(pilot, "s")
        await see(pilot, "ALTER USER anna HOST NONE")
        await run_change(pilot, "none: disabled")
        await pilot.press("s")
        await until(pilot, lambda: "disabled already" in told(app))
        await pilot.press("R")
        await see(pilot, "Enable user anna", "10.20.0.0/16, bastion.example", "HOST IP '10.20.0.0/16'")
        await pilot.press("enter")
        await run_change(pilot, "Users  8")
        hosts = (await model_of(app)).users["anna"].hosts
        assert hosts == Hosts(addresses=("10.20.0.0/16",), names=("bastion.example",))
        await pilot.press("e")
        await see(pilot, "Edit user anna", "Nothing: it is so already.")
        session = app.connection.session
        assert session is not None
        await session.engine.command("ALTER USER anna HOST LOCAL")
        await type_in(pilot, ", 192.0.2.7", "<enter>")
        await see(pilot, "was altered by somebody since this form was opened")
        assert isinstance(app.screen, FormScreen)
        assert (await model_of(app)).users["anna"].hosts == Hosts(local=True)


async def test_clone_rename_and_drop_with_what_depends_on_it(tmp_path: Path) -> None:
    more = ("CREATE USER boss IDENTIFIED WITH no_password GRANTEES anna",)
    app = console(tmp_path, opened_with(prepare=running(*SAMPLE, *more)), "users")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "anna", "monitoring")
        await pilot.press("c")
        await see(pilot, "Clone user anna")
        await type_in(pilot, "anna2", "<enter>")
        await run_change(pilot, "The password of anna2")
        await type_in(pilot, "y", "<escape>")
        await see(pilot, "Users  10")
        found = await model_of(app)
        assert found.granted_roles[Holder(EntityKind.USER, "anna2")] == {"analyst": False, "auditor": False}
        assert found.users["anna2"].hosts == found.users["anna"].hosts
        await pilot.press("m")  # the cursor is on the new one
        await see(pilot, "Rename user anna2")
        await pilot.press("ctrl+u")
        await type_in(pilot, "zoe", "<enter>")
        await run_change(pilot, "Users  10", "> zoe")  # and goes with it when it is called otherwise
        await type_in(pilot, "/", "anna", "<enter>", "m", Seen("Rename user anna"), "<ctrl+u>", "beate", "<enter>")
        await see(pilot, "Exactly this runs")
        await pilot.press("R")
        await until(pilot, lambda: "hidden by the filter (esc clears it): beate." in told(app))
        await pilot.press("escape", "slash")
        await type_in(pilot, "beate", "<enter>", "x")
        await see(pilot, "User boss names it among those it may grant to.", "Type beate to run this")
        await type_in(pilot, "beate", "<enter>", "<enter>")
        await until(pilot, lambda: isinstance(app.screen, UsersScreen) and app.screen.table.total == 9)
        assert "beate" not in (await model_of(app)).users


async def test_read_only_refuses_what_changes_and_shows_the_rest(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "users", read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "READ-ONLY", "monitoring")
        screen = app.screen
        assert isinstance(screen, UsersScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only (--read-only)"), command.id
        await pilot.press("plus")
        await until(pilot, lambda: "nothing can be changed" in told(app))
        await pilot.press("d")
        await see(pilot, "Findings")


async def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*hostile())), "users")
    async with app.run_test(size=(120, 40)) as pilot:
        page = await see(pilot, "Users  7", "[bold]x[/bold]", r"esc\x1b[31mred", r"two\nlines", r"\u202egnp.exe")
        assert "\x1b" not in page
        await pilot.press("slash")
        await type_in(pilot, "brien", "<enter>", "<plus>")
        await see(pilot, "Grant to user o'`\"brien")
        await type_in(pilot, "SELECT ON d.*", "<enter>")
        await run_change(pilot, "Users")
        assert (await model_of(app)).rights[Holder(EntityKind.USER, "o'`\"brien")]


async def test_the_access_screens_share_one_reading(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "users")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "anna", "monitoring", "HOSTS", "10.20.4.7")  # there is room for all that matters
        await pilot.resize_terminal(*NARROW)
        await see(pilot, "198.51.100.0/24", "none: disabled", "sha256 !")  # nor do these give way first
        await pilot.resize_terminal(100, 40)
        shared = app.shared["access"]
        await pilot.press("9")
        await see(pilot, "Roles  5")
        assert app.shared["access"] is shared
        await pilot.press("r")
        await until(pilot, lambda: app.shared["access"] is not shared)
        await pilot.press("8")
        await see(pilot, "anna", "monitoring")
        screen = app.screen
        assert isinstance(screen, UsersScreen)
        await until(pilot, lambda: screen.access is app.shared["access"])


async def test_what_is_done_with_many(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "users")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "anna", "monitoring")
        await pilot.press("space", "space", "space", "e")
        await until(pilot, lambda: "one user at a time" in told(app))
        await pilot.press("plus")
        await see(pilot, "Grant to 3 users")
        await type_in(pilot, "SELECT ON shop.*", "<enter>")
        await run_change(pilot, "Users  8")
        model = await model_of(app)
        for name in ("anna", "boris", "contractor"):
            given = [right for each in model.rights[Holder(EntityKind.USER, name)] for right in each.rights]
            assert "shop" in {right.database for right in given}
        marking = ("home", "space", "space", "space")  # a change that is done takes the marks away
        await pilot.press(*marking, "a")
        await see(pilot, "Roles of 3 users", "They have: analyst, auditor")
        await type_in(pilot, "analyst")  # which two of them have already
        await see(pilot, "! This embedded engine will keep, and not enforce: by role analyst: settings.")
        await type_in(pilot, "<ctrl+u>", "unused")
        await until(pilot, lambda: "GRANT unused TO contractor" in text_of(app) and "not enforce" not in text_of(app))
        await pilot.press("enter")
        await run_change(pilot, "Users  8")
        await pilot.press(*marking, "s")
        await see(pilot, "Disable: 3 users")
        await pilot.press("R")
        await see(pilot, "Users  8")
        assert {name for name, user in (await model_of(app)).users.items() if user.hosts == Hosts()} == {
            *("anna", "boris", "contractor", "former"),
        }
        await pilot.press(*marking, "x")
        await see(pilot, "Drop 3 users", "anna is dropped.", "Type 3 users to run this")
        await type_in(pilot, "3 users", "<enter>", "<enter>")
        await see(pilot, "Users  5")
        assert {"anna", "boris", "contractor"}.isdisjoint((await model_of(app)).users)
