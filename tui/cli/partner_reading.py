"""`housekeys partner` looking: list, show, accounts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.partner.accounts.state import PartnerUser, Trial
    from core.partner.partner_connections import PartnerAccountState, PartnerConnectionState
    from tui.cli.context import Context

CONNECTION_HELP = "the id of a partner connection, or its beginning"
ACCOUNT_HELP = "the id of an account, its beginning, or an e-mail domain"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    listing = frame.verb(
        verbs,
        "list",
        list_connections,
        "list the partner connections: whose, to which workspace, how they stand",
        examples=("housekeys partner list", "housekeys partner list --deleted --json"),
    )
    listing.add_argument("--account", metavar="ACCOUNT", help=f"only those of one account: {ACCOUNT_HELP}")
    _add_deleted(listing)
    show = frame.verb(
        verbs,
        "show",
        show_connection,
        "everything known about one partner connection, and its last requests",
        examples=("housekeys partner show pcq4x", "housekeys partner show pcq4x --json"),
    )
    show.add_argument("connection", metavar="CONNECTION", help=CONNECTION_HELP)
    accounts = frame.verb(
        verbs,
        "accounts",
        list_accounts,
        "list the partner accounts, or tell everything about one",
        examples=("housekeys partner accounts", "housekeys partner accounts acme.example"),
    )
    accounts.add_argument("account", nargs="?", metavar="ACCOUNT", help=ACCOUNT_HELP)
    _add_deleted(accounts)


def _add_deleted(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deleted", action="store_true", help="those that are deleted as well")


async def list_connections(context: Context) -> None:
    """Handle `partner list`."""
    from datetime import UTC, datetime

    from core.display import relative_time
    from tui.cli.output import Column

    connections = (await context.session()).partner_connections
    states = await connections.states(deleted=context.arguments.deleted)
    if context.arguments.account:
        account = (await connections.account(context.arguments.account)).account
        states = [state for state in states if state.account.id == account.id]
    now = datetime.now(UTC)
    columns = [
        Column("id", "CONNECTION", show=lambda id: str(id)[:12]),
        Column("domain", "ACCOUNT"),
        Column("email", "USER"),
        Column("cloud_provider", "CLOUD"),
        Column("workspace_id", "WORKSPACE", "right"),
        Column("integration", "KIND"),
        Column("auth_options", "AUTH", show=_short_options),
        Column("standing", "STATE"),
        Column("last_seen", "LAST SEEN", show=lambda moment: relative_time(moment, now)),
    ]
    empty = "There is no partner connection yet. Databricks makes them: housekeys partner serve --help"
    context.output.rows(columns, [connection_record(state) for state in states], empty=empty)
    if lacking := next((state.lacking for state in states), ""):
        context.output.message(f"Note: requests count for nothing in LAST SEEN, for you lack {lacking}.")


async def show_connection(context: Context) -> None:
    """Handle `partner show`."""
    from dataclasses import asdict

    from core.clickhouse.errors import NoRightError

    connections = (await context.session()).partner_connections
    state = await connections.state(context.arguments.connection)
    record = connection_record(state) | {"requests": None}
    try:
        found = await connections.requests(10, connection=state.connection.id)
    except NoRightError as error:  # all but they is in the journal
        context.output.message(f"Note: its last requests are not shown, for you lack {error.missing}.")
    else:
        record["requests"] = [asdict(request) for request in found]
    context.output.record(_fields(state) | _last_requests(record["requests"] or ()), record)


async def list_accounts(context: Context) -> None:
    """Handle `partner accounts`."""
    from tui.cli.output import Column

    connections = (await context.session()).partner_connections
    if context.arguments.account:
        await _show_account(context, await connections.account(context.arguments.account))
        return
    columns = [
        Column("id", "ACCOUNT"),
        Column("domain", "DOMAIN"),
        Column("kind", "BY"),
        Column("database", "DATABASE"),
        Column("users", "USERS", "right", lambda users: str(len(users))),
        Column("connections", "CONNECTIONS", "right", lambda connections: str(len(connections))),
        Column("trial", "TRIAL", show=_trial_words),
        Column("standing", "STATE"),
    ]
    rows = [account_record(state) for state in await connections.accounts(deleted=context.arguments.deleted)]
    context.output.rows(columns, rows, empty="There is no partner account yet. They come with the first connection.")


async def _show_account(context: Context, state: PartnerAccountState) -> None:
    from core.display import exact_time

    account, record = state.account, account_record(state)
    users = [f"{user.email}  {user.name}  {_sign_up(user)}" for user in state.users]
    fields = {
        "Account": account.id,
        "Domain": account.domain,
        "By": f"{account.key.kind.value} {account.key.value}",
        "State": state.standing.value,
        "Created": exact_time(account.created),
        "Trial": _trial_words(record["trial"]),
        "Bought": _when(account.purchased),
        "Deleted": _when(account.deleted),
        "Database": account.database,
        "Role": account.role,
        "Users": "\n".join(users),
        "Connections": "\n".join(connection.id for connection in state.connections),
    }
    context.output.record({label: text for label, text in fields.items() if text}, record)


def _sign_up(user: PartnerUser) -> str:
    if user.added is None:
        return "invited, has not come yet"
    return "password set" if user.signed_up else "no password set yet"


def connection_record(state: PartnerConnectionState) -> dict[str, Any]:
    """A partner connection as JSON values. No secret is known of it."""
    from dataclasses import asdict

    connection, user = state.connection, state.user
    return {
        "id": connection.id,
        "standing": state.standing,
        "account_id": state.account.id,
        "domain": state.account.domain,
        "demo": state.account.demo,
        "user_id": connection.user_id,
        "email": user.email if user else None,
        "clickhouse_user": user.name if user else None,
        "database": state.account.database,
        "cloud_provider": connection.workspace.cloud_provider,
        "workspace_id": connection.workspace.workspace_id,
        "integration": connection.integration,
        "auth_options": list(connection.auth_options),
        "scope": connection.scope,
        "coordinates": asdict(connection.coordinates) if connection.coordinates else None,
        "configured": connection.configured,
        "last_used": connection.last_used,
        "last_seen": state.last_seen,
        "deleted": connection.deleted,
    }


def account_record(state: PartnerAccountState) -> dict[str, Any]:
    """An account as JSON values, with its users and the ids of its partner connections."""
    account = state.account
    return {
        "id": account.id,
        "standing": state.standing,
        "kind": account.key.kind,
        "key": account.key.value,
        "domain": account.domain,
        "database": account.database,
        "role": account.role,
        "created": account.created,
        "trial": _trial(account.trial),
        "purchased": account.purchased,
        "deleted": account.deleted,
        "workspaces": sorted(f"{one.cloud_provider}:{one.workspace_id}" for one in account.workspaces),
        "users": [
            {
                "id": user.id,
                "email": user.email,
                "clickhouse_user": user.name,
                "invited": user.invited,
                "added": user.added,
                "signed_up": user.signed_up,
                "last_sign_in": user.last_sign_in,
                "trial": _trial(user.trial),
            }
            for user in state.users
        ],
        "connections": [connection.id for connection in state.connections],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {"until": trial.until, "expired": trial.expired, "count": trial.count}


def _trial_words(trial: dict[str, Any]) -> str:
    if trial["expired"]:
        return f"ended {_when(trial['expired'])}"
    return f"until {_when(trial['until'])}" if trial["until"] else "-"


def _fields(state: PartnerConnectionState) -> dict[str, str]:
    connection, user, account = state.connection, state.user, state.account
    there = connection.coordinates
    fields = {
        "Partner connection": connection.id,
        "State": state.standing.value,
        "Account": f"{account.domain} ({account.id}){', demo' if account.demo else ''}",
        "User": f"{user.email} ({user.name})" if user else connection.user_id,
        "Database": account.database,
        "Workspace": f"{connection.workspace.cloud_provider} {connection.workspace.workspace_id}",
        "Integration": f"{connection.integration}, by {', '.join(connection.auth_options)}",
        "Scope": connection.scope.value,
        "Configured": _when(connection.configured),
        "Last sign-in": _when(connection.last_used),
        "Deleted": _when(connection.deleted),
    }
    if there is not None:
        fields |= {
            "Host": f"{there.hostname}:{there.port}",
            "HTTP path": there.http_path or "",
            "Cluster": there.cluster_id or "",
            "Region": there.cloud_provider_region or "",
            "Catalog": there.catalog_name or "",
            "Destination": there.destination_location or "",
            "Service principal": there.service_principal_id or "",
            "OAuth app": there.oauth_u2m_app_id or "",
        }
    return {label: text for label, text in fields.items() if text}


def _last_requests(requests: Iterable[dict[str, Any]]) -> dict[str, str]:
    lines = [f"{_when(one['at'])}  {one['endpoint']}  {one['status']}  {one['word']}".rstrip() for one in requests]
    return {"Last requests": "\n".join(lines)} if lines else {}


def _short_options(options: list[str]) -> str:
    return ", ".join(option.removeprefix("AUTH_").removeprefix("OAUTH_") for option in options) or "-"


def _when(moment: datetime | None) -> str:
    from core.display import exact_time

    return "" if moment is None else exact_time(moment)
