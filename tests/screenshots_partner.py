"""The pictures of Partner Connect for `make screenshots`: the console's screens, and the pages in headless Chromium."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from core.changes import Event
from core.files import write_private
from core.journal.ids import new_ids
from core.journal.rows import DONE, Row
from core.partner.accounts import facts
from core.partner.accounts.ids import IdKind, new_id
from core.partner.accounts.state import AccountKey, AccountKind, Coordinates, PartnerConnection
from core.partner.messages.requests import CloudProvider, ConnectionScope, UserKey, WorkspaceKey
from core.partner.security.basic_credentials import generate
from core.partner.storage.credential_facts import credential_added, credential_used
from core.partner.storage.requests_seen import AnsweredRequest
from core.paths import Paths
from core.profiles import load
from core.session import Session
from tests.browser.chromium import PROGRAM, open_page
from tests.browser.served_pages import serving_pages
from tests.console.pictures import picture
from tests.console.walking import Seen, see, type_in
from tui.app import HousekeysApp
from tui.start import Start

PROFILE: Final = """\
[profiles.prod]
engine = "embedded"
[profiles.prod.partner]
base_url = "https://connect.acme.example"
integration = "read-write"
trial = { type = "account", days = 30 }
"""
COMPANIES = (
    ("borealis.example", "ida", "aws", "us-west-2", "AUTH_OAUTH_M2M", 41, True),
    ("cedar-retail.example", "leo", "azure", "westeurope", "AUTH_PAT", 26, False),
    ("evergreen.example", "mia", "aws", "eu-central-1", "AUTH_OAUTH_M2M", 12, False),
    ("fjord-energy.example", "nils", "azure", "norwayeast", "AUTH_OAUTH_M2M", 9, False),
    ("globex.example", "omar", "gcp", "us-central1", "AUTH_PAT", 5, False),
    ("lumen-health.example", "pia", "aws", "us-east-1", "AUTH_OAUTH_U2M", 1, False),
)
PASSWORD: Final = "four quiet words together"

Walk = Sequence[tuple[str, Sequence[str | Seen], Sequence[str]]]
WALK: Walk = (
    ("partner", (":", "partner connect", "<enter>"), ("Partner connections", "borealis", "! expired")),
    ("partner-delete", ("G", "x"), ("Delete", "Exactly this runs")),
    ("partner-requests", ("<escape>", "l"), ("Partner requests", "create_trial")),
    ("partner-statistics", ("<escape>", "s"), ("Partner statistics", "connects", "sign-ins")),
    ("partner-credentials", ("<escape>", "c"), ("databricks-2027",)),
    ("partner-config", ("<escape>", "f", "n", "partner.json", "<enter>", "e"), ("How it stands", "api_version")),
)


def _told(event: Event, at: datetime) -> Row:
    identifier = new_ids.next()
    kind, subject = event.subject_kind, event.subject
    return Row(
        identifier, at, "partner", "bastion", "prod", identifier, kind, subject, event.action, DONE, event.details
    )


def _rows(now: datetime) -> tuple[list[Row], list[PartnerConnection]]:
    """Six companies with a partner connection each, one of them with its trial over, and two credentials."""
    chance = random.Random(5)
    rows: list[Row] = []
    made: list[PartnerConnection] = []
    for domain, name, cloud, region, auth, days, over in COMPANIES:
        at = now - timedelta(days=days, minutes=chance.randint(1, 900))
        workspace = WorkspaceKey(CloudProvider(cloud), chance.randint(10**15, 8 * 10**15))
        account, user, identifier = (new_id(kind) for kind in (IdKind.ACCOUNT, IdKind.USER, IdKind.CONNECTION))
        host = f"dbc-{chance.getrandbits(32):08x}-2b1c.cloud.databricks.com"
        place = Coordinates(host, 443, cloud_provider_region=region, catalog_name="main",
                            http_path=f"/sql/1.0/warehouses/{chance.getrandbits(64):016x}")  # fmt: skip
        connection = PartnerConnection(
            identifier, account, user, workspace, "read-write", (auth,), ConnectionScope.WORKSPACE, at, place
        )
        key, names = AccountKey(AccountKind.DOMAIN, domain), f"partner_{account}"
        events = [
            facts.account_created(account, key, domain=domain, workspace=workspace, database=names, role=names,
                                  trial_until=at + timedelta(days=30)),
            facts.user_added(user, account, UserKey(workspace.cloud_provider, days), email=f"{name}@{domain}",
                             name=f"partner_{user}", first_name=name.title()),
            facts.connection_configured(connection),
        ]  # fmt: skip
        rows += [_told(event, at) for event in events]
        rows.append(_told(facts.user_signed_up(user), at + timedelta(minutes=3)))
        rows.append(_told(facts.user_signed_in(user, identifier), now - timedelta(hours=days)))
        if over:
            rows.append(_told(facts.account_expired(account), now - timedelta(days=2)))
        made.append(connection)
    for user, since, used in (("databricks", 200, 3), ("databricks-2027", 2, 1)):
        _, credential = generate(user, now - timedelta(days=since))
        rows.append(_told(credential_added(credential), credential.created))
        rows.append(_told(credential_used(credential.id), now - timedelta(hours=used)))
    return rows, made


def _requests(now: datetime, connections: Sequence[PartnerConnection]) -> Iterator[AnsweredRequest]:
    """What two services have answered in a month."""
    chance = random.Random(7)
    words = (("connect", 200, "sign_in", "existing user, existing account"), ("connect", 200, "create_trial",
             "new user, new account"), ("test-connection", 200, "", "passed"), ("connect", 401, "unauthorized", ""),
             ("delete-connection", 200, "", "resources_deleted"))  # fmt: skip
    for day in range(30):
        busy = 4 if (now - timedelta(days=day)).weekday() >= 5 else 24
        for _ in range(chance.randint(busy // 2, busy) + (30 - day) // 4):
            endpoint, status, word, scenario = chance.choices(words, (14, 6, 3, 1, 1))[0]
            one = chance.choice(connections)
            known = status == 200
            yield AnsweredRequest(
                uuid4(), now - timedelta(days=day, seconds=chance.randint(20, 40_000)),
                f"connect-{chance.randint(1, 2)}:8085/4711", "POST", endpoint, status, chance.uniform(0.03, 0.4), word,
                scenario, "203.0.113.7", *(("5e1c09aa", one.workspace.cloud_provider.value, one.workspace.workspace_id,
                                            one.account_id, one.id) if known else ()),
            )  # fmt: skip


async def _fill(paths: Paths) -> None:
    session = await Session.open(load(paths.config_file), "prod", paths)
    try:
        partner, now = session.partner_connections, datetime.now(UTC)
        await session.runner.run(await partner.plan_tables())
        rows, connections = _rows(now)
        await session.journal.append(rows)
        await partner.request_log.append(list(_requests(now, connections)))
    finally:
        await session.close()


async def _walk(paths: Paths, size: tuple[int, int], folder: Path) -> None:
    app = HousekeysApp(Start(paths, load(paths.config_file), "prod", operator="op@bastion"))
    async with app.run_test(size=size) as pilot:
        await see(pilot, "Tenants")
        for name, keys, words in WALK:
            await type_in(pilot, *keys)
            await see(pilot, *words)
            pilot.app.clear_notifications()
            await pilot.pause()
            picture(app, folder / f"{name}-{size[0]}x{size[1]}.png", zoom=1.0 if size[0] == 80 else 0.85)
            print(f"screenshots/{name}-{size[0]}x{size[1]}.png", flush=True)


async def _pages(home: Path, folder: Path) -> None:
    async with serving_pages(home / "pages") as pages, open_page(home / "browser") as page:
        await page.look(960, 720)
        await page.go(await pages.connect("ida@borealis.example"))
        (folder / "partner-page-password.png").write_bytes(await page.picture())
        await page.type(PASSWORD)
        await page.press("Tab")
        await page.type(PASSWORD)
        await page.loading(lambda: page.press("Enter"))
        await page.look(960, 1000)
        (folder / "partner-page-connect.png").write_bytes(await page.picture())
    print("screenshots/partner-page-*.png", flush=True)


def take_pictures(home: Path, sizes: Sequence[tuple[int, int]], folder: Path) -> None:
    """Take all of them into `folder`; those of the pages where Debian's chromium is installed."""
    paths = Paths.locate({"HOUSEKEYS_HOME": str(home)})
    write_private(paths.config_file, PROFILE.encode("ascii"))
    asyncio.run(_fill(paths))
    for size in sizes:
        asyncio.run(_walk(paths, size, folder))
    if PROGRAM is None:
        print("The pages need Debian's chromium: their pictures stay as they are.")
    else:
        asyncio.run(_pages(home, folder))
