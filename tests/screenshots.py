"""`make screenshots`: the pictures in screenshots/, taken from the real console on a real embedded engine.

A small data partner is made by the one-shot commands, then the console is walked by keys. Needs `rsvg-convert`
(Debian: librsvg2-bin). Nothing outside of a temporary folder is touched but screenshots/ itself.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from textual.pilot import Pilot

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.quoting import quote_identifier
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.provisioning.plan import Wanted
from core.paths import Paths
from core.profiles import load
from tests.console.pictures import picture
from tests.console.sample_access import SAMPLE
from tests.console.sample_limits import POLICIES, PROFILES, QUOTAS
from tests.console.walking import Seen, see, type_in
from tests.screenshots_partner import take_pictures
from tests.unit.keys.sample_keys import public_pem
from tui.app import HousekeysApp
from tui.cli.running import run
from tui.start import Start

FOLDER = Path(__file__).parent.parent / "screenshots"
SIZES = ((80, 24), (160, 48))
PASSPHRASE = "correct horse battery staple"

CLIENTS = """\
name,owner,contact,ticket,note
acme_prod,data@acme.example,+44 20 5550 0101,OPS-1204,monthly invoice data
acme_test,data@acme.example,,OPS-1204,
borealis,bi@borealis.example,,OPS-1220,pilot until March
cedar_retail,analytics@cedar.example,,OPS-1231,
delta_freight,ops@delta.example,+49 30 5550 0102,OPS-1238,
evergreen,data@evergreen.example,,OPS-1240,
fjord_energy,bi@fjord.example,,OPS-1241,two regions
globex,reports@globex.example,,OPS-1247,
hooli_mail,bi@hooli.example,,OPS-1250,
initech,peter@initech.example,,OPS-1262,
kiosk24,data@kiosk24.example,,OPS-1266,
lumen_health,bi@lumen.example,,OPS-1270,reviewed by security
"""

PEOPLE = (
    "CREATE ROLE `sql-console-role:ann@company.example`",
    "CREATE ROLE `sql_console_role:bo@company.example`",
    "GRANT analyst TO `sql-console-role:ann@company.example`",
)
USERS_XML = """\
<clickhouse>
    <profiles><default><max_memory_usage>10000000000</max_memory_usage></default></profiles>
    <quotas><hourly><interval><duration>3600</duration><queries>1000</queries></interval></hourly></quotas>
    <users>
        <legacy>
            <password>qwerty</password>
            <networks><ip>::/0</ip></networks>
            <quota>hourly</quota>
        </legacy>
        <reporting>
            <password_sha256_hex>65e84be33532fb784c48129675f9eff3a682b27168c0ea744b2cf58ee02337c5</password_sha256_hex>
            <networks><ip>10.20.0.0/16</ip></networks>
            <grants><query>GRANT SELECT ON sales.*</query></grants>
        </reporting>
    </users>
</clickhouse>
"""

# Access as it was some weeks ago, to compare with.
OLD_ACCESS = """\
CREATE ROLE analyst;
CREATE USER anna IDENTIFIED WITH no_password HOST IP '10.0.0.0/8' DEFAULT ROLE analyst;
CREATE USER emil IDENTIFIED WITH no_password HOST ANY;
GRANT SELECT ON sales.* TO analyst;
GRANT analyst TO anna;
GRANT SELECT ON *.* TO emil;
"""
# What a Lakehouse and a cloud would have answered to whoever did their part by hand.
DESCRIPTION = "info_name,info_value\nname,quickstart_ws.{name}\ntype,CLOUD_FUNCTION\nexternalId,VW9UaGwYENBQ7cFp\n"
CONNECTIONS = (
    ("udf_beijing", "aws", "cn-north-1", "arn:aws-cn:iam::123456789012:role/LakehouseUdf", "cz-udf-code"),
    ("udf_hangzhou", "aliyun", "cn-hangzhou", "acs:ram::1757168149572678:role/LakehouseUdf", "function-code"),
    ("udf_shanghai", "tencent", "ap-shanghai", "qcs::cam::uin/100012345678:roleName/LakehouseRole", "code-1310000000"),
)
FILES = {"FILE": "users.xml", "OLD": "old.sql"}

NEW_CONNECTION = ("udf_qingdao", "<tab>", "<tab>", "cn-qingdoa", "<tab>", "acs:ram::1757168149572678:role/UdfQingdao",
                  "<tab>", "code-in-qingdao")  # fmt: skip

# The name of a picture, the keys that lead to it from the screen before, and words that are on it.
Walk = Sequence[tuple[str, Sequence[str | Seen], Sequence[str]]]
WALK: Walk = (
    ("checklist", ("1",), ("Checklist", "datalens")),
    ("tenants", ("2",), ("acme_prod", "lumen_health")),
    ("tenant-new", ("n", "meridian"), ("CREATE DATABASE", "meridian")),
    ("tenant-suspend", ("<escape>", "s"), ("REVOKE",)),
    ("keys", ("<escape>", "3"), ("partner", "DataLens")),
    ("tokens", ("4",), ("acme_prod",)),
    ("journal", ("5",), ("Journal", "api_connection")),
    ("profiles", ("6",), ("embedded",)),
    ("listing", ("7",), ("Listing",)),
    ("users", ("8",), ("anna", "LINT")),
    ("user-new", ("n", "meridian_bi"), ("New user", "CREATE USER meridian_bi")),
    ("user-sign-in", ("<escape>", "p", "<right>"), ("Sign-in of user", "ADD IDENTIFIED")),
    ("user-grant", ("<escape>", "<plus>"), ("Grant to",)),
    ("roles", ("<escape>", "9"), ("MEMBERS", "analyst")),
    ("quotas", ("0",), ("Quotas", "hourly")),
    ("settings-profiles", (":", "settings", "<enter>"), ("Settings profiles", "careful")),
    ("row-policies", (":", "row", "<enter>"), ("Row policies", "recent")),
    ("sql-console", (":", "sql", "<enter>"), ("SQL console", "E-MAIL")),
    ("who-can", (":", "who", "<enter>", "n", "select", "<enter>", "sales.*", "<enter>"), ("Who can", "anna")),
    ("matrix", ("v", "t"), ("Matrix", "acme_prod")),
    ("review", ("<escape>", ":", "review", "<enter>"), ("Review", "contractor")),
    ("access-files", (":", "access f", "<enter>", "o", "FILE", "<enter>"), ("Access files", "users.xml", "legacy")),
    ("compare", (":", "compare", "<enter>", "p", "OLD", "<enter>"), ("Compare", "differs")),
    ("connections", (":", "api", "<enter>", Seen("udf_beijing"), "S"), ("API connections", "!! id mismatch", "✓")),
    ("connection-step", ("G", "<up>", "s"), ("step 3 of 6", "CREATE API CONNECTION udf_shanghai")),
    ("connection-new", ("<escape>", "n", *NEW_CONNECTION), ("Did you mean", "CREATE API CONNECTION udf_qingdao")),
    ("help", ("<escape>", "2", "<question_mark>"), ("Make", "Tenants")),
    ("unlock", ("<escape>", "t"), ("Passphrase",)),
    ("token-form", (PASSPHRASE, "<enter>"), ("Encrypted to DataLens key 1",)),
    ("token-preview", ("<enter>",), ("Exactly this runs",)),
    ("token-issued", ("R",), ("The token is hidden",)),
)


def housekeys(home: Path, *words: str) -> None:
    """Run a one-shot command in this process. Raises RuntimeError with what it said when it fails."""
    environ = {"HOUSEKEYS_HOME": str(home), "HOUSEKEYS_PASSPHRASE": PASSPHRASE}
    said = io.StringIO()
    if run(list(words), environ, stdin=io.StringIO(), stdout=said, stderr=said) not in (0, 1):
        raise RuntimeError(f"housekeys {' '.join(words)}: {said.getvalue()}")


async def fill_tables(home: Path, names: Sequence[str]) -> None:
    """Give the tenants tables with rows, always the same."""
    engine = await EmbeddedEngine.open(Paths.locate({"HOUSEKEYS_HOME": str(home)}).embedded_data("embedded"))
    chance = random.Random(11)
    try:
        for name in names:
            for table in ("orders", "clients", "visits", "stock")[: chance.randint(1, 4)]:
                where = f"{quote_identifier(name)}.{table}"
                await engine.command(
                    f"CREATE TABLE {where} (at DateTime, id UInt64, amount Decimal(12, 2))"
                    " ENGINE = MergeTree ORDER BY id"
                )
                rows = chance.randint(1_000, 400_000)
                await engine.command(
                    f"INSERT INTO {where} SELECT toDateTime('2026-01-01') + number, cityHash64(number), number % 997"
                    f" FROM numbers({rows})"
                )
    finally:
        await engine.close()


async def make_people(home: Path) -> None:
    """Users and roles beside the DataLens user."""
    engine = await EmbeddedEngine.open(Paths.locate({"HOUSEKEYS_HOME": str(home)}).embedded_data("embedded"))
    try:
        for statement in (*SAMPLE, *QUOTAS, *PROFILES, *POLICIES, *PEOPLE):
            if "datalens" not in statement:
                await engine.command(statement)
    finally:
        await engine.close()


def make_partner(home: Path) -> None:
    """A data partner in the middle of its work: tenants, two versions of its key, DataLens's key, tokens."""
    files = home / "files"
    files.mkdir(parents=True)
    (files / "clients.csv").write_text(CLIENTS)
    (files / "datalens.pub").write_bytes(public_pem(3))
    (files / "users.xml").write_text(USERS_XML)
    (files / "old.sql").write_text(OLD_ACCESS)
    housekeys(home, "datalens", "setup", "--generate-password")
    housekeys(home, "tenant", "add", "--from", str(files / "clients.csv"))
    asyncio.run(fill_tables(home, [line.split(",")[0] for line in CLIENTS.splitlines()[1:]]))
    asyncio.run(make_people(home))
    housekeys(home, "key", "generate")
    housekeys(home, "key", "submit", "1")
    housekeys(home, "key", "activate", "1")
    housekeys(home, "key", "generate")
    housekeys(home, "key", "import", str(files / "datalens.pub"), "--side", "datalens", "--version", "1")
    housekeys(home, "token", "issue", "acme_prod", "borealis", "cedar_retail", "globex")
    housekeys(home, "token", "issue", "initech", "--note", "handed over by phone")
    housekeys(home, "tenant", "suspend", "kiosk24", "--yes")
    make_connections(home, files)


def make_connections(home: Path, files: Path) -> None:
    """API connections that are made by hand: one is ready, one asks for a wrong external id, one is on its way."""
    for name, provider, region, role, bucket in CONNECTIONS:
        definition = ("--provider", provider, "--region", region, "--role-arn", role, "--bucket", bucket)
        namespace = ("--namespace", "default") if provider == "tencent" else ()
        housekeys(home, "connection", "create", name, *definition, *namespace, "--yes")
        for step in ("grant", "trust"):
            housekeys(home, "connection", "resume", name, "--done", step, "--yes")
        if provider == "tencent":
            continue
        housekeys(home, "connection", "resume", name, "--done", "create", "--yes")
        answer, trust = files / f"{name}.csv", files / f"{name}.json"
        answer.write_text(DESCRIPTION.format(name=name))
        housekeys(home, "connection", "desc", name, "--from", str(answer), "--yes")
        housekeys(home, "connection", "resume", name, "--done", "tighten", "--yes")
        external_id = "O0lQbGVkZ2VyMTIz" if provider == "aws" else "VW9UaGwYENBQ7cFp"
        wanted = Wanted(ApiConnection(name, Provider(provider), region, role, bucket)).documents(external_id)
        trust.write_text(json.dumps(wanted.trust))
        housekeys(home, "connection", "verify", name, "--from", str(trust), "--yes")


async def still(pilot: Pilot[None]) -> None:
    pilot.app.clear_notifications()
    await pilot.pause()


async def walk(home: Path, size: tuple[int, int], environ: Mapping[str, str]) -> None:
    """Take every picture of the walk in one size."""
    paths = Paths.locate(environ)
    start = Start(paths, load(paths.config_file), "embedded", operator="op@bastion")
    app = HousekeysApp(start)
    async with app.run_test(size=size) as pilot:
        await see(pilot, "acme_prod")
        for name, keys, words in WALK:
            await type_in(
                pilot,
                *(str(home / "files" / FILES[key]) if isinstance(key, str) and key in FILES else key for key in keys),
            )
            await see(pilot, *words)
            await still(pilot)
            picture(app, FOLDER / f"{name}-{size[0]}x{size[1]}.png", zoom=1.0 if size[0] == 80 else 0.85)
            print(f"screenshots/{name}-{size[0]}x{size[1]}.png", flush=True)


def main() -> int:
    if shutil.which("rsvg-convert") is None:
        print("rsvg-convert is missing. On Debian: apt-get install librsvg2-bin", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_partner(home)
        for size in SIZES:
            asyncio.run(walk(home, size, {"HOUSEKEYS_HOME": str(home)}))
        take_pictures(home / "partner", SIZES, FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
