"""A page of tenants as a data partner has them, with fixed sizes and times; and names that mean harm."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.access.readable import ReadableDatabases
from core.clickhouse.quoting import quote_identifier
from core.journal.rows import DONE, Row
from core.session import Session
from core.tenants.listing import Survey
from core.tenants.model import Tenant, TenantState
from core.tenants.reading import Reading
from tests.console.ledger import ago
from tests.console.sessions import identifier

USER = "datalens"
MIB = 1 << 20

# Markup, a link, a terminal escape, a line break, a right-to-left override, quotes, wide and four-byte characters.
HOSTILE_NAMES = (
    "[bold]acme[/bold]",
    "[link=https://evil.example]click[/link]",
    "esc\x1b[31mred\x07",
    "two\nlines\ttabbed",
    "\u202eemca\u202c",
    'it\'s `quoted` \\ "twice"',
    "数据库_客户",
    "fox 🦊 𐍈",
    "zero\u200bwidth",
    "$accent",
)

_PAGE = (
    ("acme_analytics", 12, 48_211_904, 4_403, 2 / 60, 3, "Anna Vogel", "OPS-1204"),
    ("acme_staging", 12, 310_220, 31, 26, 1, "Anna Vogel", "OPS-1205"),
    ("alpenmarkt", 7, 9_120_455, 812, 0.6, 1, "Retail desk", "OPS-1177"),
    ("baltic_ferries", 21, 128_440_010, 11_918, 0.1, 2, "Jonas Kalnins", "OPS-0981"),
    ("blumenwelt", 4, 88_120, 9, 90, 1, "Retail desk", ""),
    ("cargo_nord", 18, 77_004_211, 6_204, 1.4, 2, "Logistics", "OPS-1032"),
    ("city_transit_helsinki", 33, 410_998_120, 38_770, 0.02, 4, "Transit", "OPS-0877"),
    ("clinic_group_west", 9, 2_230_118, 240, 5, 1, "M. Okafor", "OPS-1210"),
    ("delta_insurance", 15, 31_775_902, 2_950, 12, 2, "Risk", "OPS-1066"),
    ("demo", 3, 1_000, 0.2, None, 0, "", ""),
    ("energie_sued", 26, 502_331_874, 47_120, 0.3, 3, "Energy", "OPS-0910"),
    ("festival_tickets", 6, 4_410_002, 390, 720, 1, "Retail desk", "OPS-1140"),
    ("globex", 11, 18_220_771, 1_733, 3, 2, "Hank S.", "OPS-1001"),
    ("hotel_chain_adria", 14, 25_918_004, 2_411, 7, 1, "Travel", "OPS-1188"),
    ("initech", 8, 6_002_190, 566, 49, 1, "Bill L.", "OPS-1002"),
    ("kiosk_network", 5, 940_118, 88, 2, 1, "Retail desk", "OPS-1159"),
    ("lumen_studios", 10, 13_337_000, 1_204, 30, 2, "Media", "OPS-1099"),
    ("meteo_archive", 41, 2_104_882_310, 196_344, 0.05, 5, "Science", "OPS-0801"),
    ("north_sea_wind", 19, 91_204_118, 8_420, 1.1, 2, "Energy", "OPS-0955"),
    ("pharma_trials", 13, 3_771_209, 352, None, 0, "M. Okafor", "OPS-1222"),
    ("rhein_logistik", 17, 66_120_774, 5_990, 0.9, 2, "Logistics", "OPS-1040"),
    ("skyline_air", 24, 205_771_340, 18_812, 0.2, 3, "Travel", "OPS-0899"),
    ("umbrella", 2, 12_004, 1, 400, 1, "Legal", "OPS-1215"),
    ("vinea_wines", 6, 510_440, 47, 16, 1, "Retail desk", "OPS-1128"),
    ("zirkus_roncallo", 3, 70_118, 6, 200, 1, "Media", "OPS-1133"),
)
_STATES = {
    "demo": (TenantState.NOT_READABLE, f"The user {USER} has no grant on it; resume gives it one."),
    "festival_tickets": (TenantState.SUSPENDED, ""),
    "umbrella": (TenantState.MISSING, "The database does not exist, or the connected user cannot see it."),
}


def page() -> Survey:
    """Twenty-five tenants in every state, and two databases that could be adopted."""
    tenants = tuple(_tenant(*row) for row in _PAGE)
    readable = frozenset(tenant.name for tenant in tenants if tenant.state is TenantState.ACTIVE)
    others = tuple(Tenant(name, TenantState.UNMANAGED, tables=2, rows=7, bytes=MIB) for name in ("dwh", "scratch"))
    return Survey(tenants, others, Reading(USER, True, own=ReadableDatabases(names=readable)))


def _tenant(
    name: str, tables: int, rows: int, mib: float, hours: float | None, tokens: int, owner: str, ticket: str
) -> Tenant:
    state, remark = _STATES.get(name, (TenantState.ACTIVE, ""))
    return Tenant(
        name,
        state,
        tables=tables,
        rows=rows,
        bytes=int(mib * MIB),
        last_read=None if hours is None else ago(hours=hours),
        tokens=tokens,
        owner=owner,
        contact=f"{owner.split()[0].lower()}@{name.split('_')[0]}.example" if owner else "",
        ticket=ticket,
        note="Moves to the new cluster in May.\nAsk before any work at night." if name == "acme_analytics" else "",
        created=ago(days=200),
        engine="Atomic",
        remark=remark,
        since=ago(days=19) if name == "acme_analytics" else ago(days=200) if not remark else None,
    )


def unseen() -> Survey:
    """What is left when the grants of the DataLens user cannot be seen."""
    problem = f"The grants of {USER} cannot be seen: the right SHOW USERS is missing."
    reading = Reading(USER, None, problem=problem)
    known = [replace(t, state=TenantState.UNKNOWN, remark=problem, since=None) for t in page().tenants[:3]]
    return Survey(tuple(known), (), reading, last_read_problem="The query log cannot be read.")


def listed(monkeypatch: pytest.MonkeyPatch, found: Survey) -> None:
    """From now on the tenants screen reads `found`."""

    async def survey(_session: Session) -> Survey:
        return found

    monkeypatch.setattr("tui.screens.tenants.survey", survey)


_numbers = itertools.count(5_000)


def tenant_row(name: str, action: str, days: float, **details: str) -> Row:
    """The journal's row about a tenant."""
    number = identifier(next(_numbers))
    return Row(number, ago(days=days), "anna", "bastion", "prod", identifier(7), "tenant", name, action, DONE, details)


def databases(*names: str, user: bool = True, granted: bool = False) -> Callable[[Session], Awaitable[None]]:
    """Makes the DataLens user and databases; `granted`: opened to it."""

    async def prepare(session: Session) -> None:
        engine = session.engine
        if user:
            digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
            await engine.command(f"CREATE USER {USER} IDENTIFIED WITH sha256_hash BY '{digest}' SETTINGS readonly = 2")
        for name in names:
            await engine.command(f"CREATE DATABASE {quote_identifier(name)}")
            if granted:
                await engine.command(f"GRANT SELECT ON {quote_identifier(name)}.* TO {USER}")

    return prepare


def holding(folder: Path, secret: str) -> list[Path]:
    """The files that hold `secret`."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if secret.encode() in path.read_bytes()]
