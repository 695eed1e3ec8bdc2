"""Users and roles as a data partner has them, made by SQL in a real engine; and a console on their screens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.access.access_model import AccessModel
from core.access.render_grants import identifier
from core.clickhouse.access_survey import survey_access
from core.journal.rows import DONE, Row
from core.session import Session
from tests.console.ledger import ago
from tests.console.sessions import identifier as number
from tests.console.starting import connected, start_in
from tui.app import HousekeysApp
from tui.start import OpenSession

_DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
_SHA256 = f"IDENTIFIED WITH sha256_hash BY '{_DIGEST}'"

SAMPLE = (
    "CREATE DATABASE sales",
    "CREATE TABLE sales.orders (id UInt64, at DateTime, amount UInt32, card String) ENGINE = Memory",
    "CREATE ROLE reader",
    "CREATE ROLE analyst SETTINGS readonly = 2",
    "CREATE ROLE loader",
    "CREATE ROLE auditor",
    "CREATE ROLE unused",
    "GRANT SELECT ON sales.* TO reader",
    "REVOKE SELECT(card) ON sales.orders FROM reader",
    "GRANT reader TO analyst",
    "GRANT SELECT ON acme*.* TO analyst",
    "GRANT INSERT ON sales.orders TO loader",
    "GRANT SHOW ACCESS ON *.* TO auditor",
    f"CREATE USER anna {_SHA256} HOST IP '10.20.0.0/16', NAME 'bastion.example' DEFAULT DATABASE sales",
    f"CREATE USER boris {_SHA256} HOST IP '10.20.4.7'",
    f"CREATE USER contractor {_SHA256} HOST IP '198.51.100.0/24' VALID UNTIL '2026-10-31 18:00:00'",
    "CREATE USER datalens IDENTIFIED WITH double_sha1_hash BY '2470c0c06dee42fd1618bb99005adca2ec9d1e19' "
    "SETTINGS readonly = 2",
    f"CREATE USER etl_night {_SHA256} HOST IP '10.20.9.1' VALID UNTIL '2026-12-01 00:00:00'",
    "CREATE USER monitoring IDENTIFIED WITH no_password HOST LOCAL",
    f"CREATE USER former {_SHA256} HOST NONE",
    "GRANT analyst, auditor TO anna",
    "ALTER USER anna DEFAULT ROLE analyst",
    "GRANT analyst TO boris",
    "GRANT loader TO etl_night",
    "GRANT SELECT ON sales.* TO contractor",
    "GRANT SELECT ON sales.* TO datalens WITH GRANT OPTION",
    "GRANT SELECT ON system.metrics TO monitoring",
)
HISTORY = [
    Row(number(9_001 + place), at, "op", "bastion", "prod", number(3), "user", "anna", action, DONE, details)
    for place, (at, action, details) in enumerate(
        [(ago(days=200), "create", {}), (ago(days=30), "grant", {"roles": ["auditor"]})]
    )
]
HOSTILE_USERS = ("[bold]x[/bold]", "esc\x1b[31mred", "two\nlines", "\u202egnp.exe", "o'`\"brien", "数据库_客户")


def running(*statements: str) -> Callable[[Session], Awaitable[None]]:
    """Runs SQL when the session is opened."""

    async def prepare(session: Session) -> None:
        for statement in statements:
            await session.engine.command(statement)

    return prepare


def hostile() -> Sequence[str]:
    """Statements that make users whose names mean harm."""
    return [f"CREATE USER {identifier(name)} {_SHA256} HOST LOCAL" for name in HOSTILE_USERS]


def console(folder: Path, how: OpenSession, screen: str, *, read_only: bool | None = None) -> HousekeysApp:
    return HousekeysApp(replace(connected(start_in(folder, screen=screen), how), read_only=read_only))


async def model_of(app: HousekeysApp) -> AccessModel:
    """What the engine holds about access now."""
    session = app.connection.session
    assert session is not None
    return (await survey_access(session.engine)).model
