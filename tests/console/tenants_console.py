"""The console on the tenants screen, and what its engine holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.session import Session
from tests.console.sample_tenants import USER
from tests.console.starting import connected, start_in
from tui.app import HousekeysApp
from tui.screens.tenants import TenantsScreen
from tui.start import OpenSession


def console(folder: Path, how: OpenSession, *, read_only: bool | None = None) -> HousekeysApp:
    start = connected(start_in(folder, screen="tenants"), how)
    return HousekeysApp(replace(start, read_only=read_only))


def screen(app: HousekeysApp) -> TenantsScreen:
    assert isinstance(app.screen, TenantsScreen)
    return app.screen


def cursor(app: HousekeysApp) -> str:
    """The name of the tenant under the cursor."""
    row = screen(app).current
    return "" if row is None else row.name


def session_of(app: HousekeysApp) -> Session:
    assert app.connection.session is not None
    return app.connection.session


async def names(app: HousekeysApp, like: str = "%") -> set[str]:
    """The databases there are."""
    found = await session_of(app).engine.query(
        "SELECT name FROM system.databases WHERE name LIKE {like:String} AND name NOT IN "
        "('default', 'system', 'information_schema', 'INFORMATION_SCHEMA', 'housekeys')",
        {"like": like},
    )
    return {name for (name,) in found.rows}


async def readable(app: HousekeysApp) -> set[str]:
    """The databases that the DataLens user was given."""
    from core.tenants.reading import read_rights

    return set((await read_rights(session_of(app).engine, USER)).own.names)
