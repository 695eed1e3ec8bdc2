"""What the screen of partner connections shows of one: its row in the table, and the lines of its detail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core.display import count, exact_time, relative_time
from tui.screens.partner_request_rows import request_line
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.partner.accounts.state import PartnerAccount, PartnerConnection, PartnerUser, Trial
    from core.partner.messages.requests import WorkspaceKey
    from core.partner.partner_connections import PartnerAccountState, PartnerConnectionState
    from core.partner.provisioning.prerequisites import Unmet
    from core.partner.storage.requests_seen import AnsweredRequest

REQUESTS_SHOWN: Final = 50  # of one partner connection

_SIGNS: Final[Mapping[str, str]] = {"active": "✓", "expired": "!", "deleted": "-"}
_STYLES: Final[Mapping[str, str]] = {"active": "success", "expired": "warning", "deleted": "muted"}


def standing_words(state: PartnerConnectionState) -> str:
    """How it stands: a sign and a word, so that colour is not alone."""
    return f"{_SIGNS[state.standing]} {state.standing.value}"


def auth_words(connection: PartnerConnection) -> str:
    """The ways to authenticate, without what all of their names begin with."""
    return ", ".join(option.removeprefix("AUTH_").removeprefix("OAUTH_") for option in connection.auth_options) or "-"


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A partner connection, with when it was last seen in words of the moment it was listed."""

    state: PartnerConnectionState
    seen: str

    @property
    def id(self) -> str:
        return self.state.connection.id

    @property
    def account(self) -> str:
        """The domain of its account."""
        return self.state.account.domain

    @property
    def email(self) -> str:
        """Who made it."""
        return self.state.user.email if self.state.user is not None else "-"

    @property
    def workspace(self) -> WorkspaceKey:
        return self.state.connection.workspace

    @property
    def place(self) -> str:
        """The workspace after its cloud, so that all numbers begin below each other: one means nothing without it."""
        return f"{self.workspace.cloud_provider.value:<5} {self.workspace.workspace_id}"

    @property
    def brief_email(self) -> str:
        """Who made it; the name alone where the domain is that of the account."""
        return self.email.removesuffix(f"@{self.account}")

    @property
    def brief_seen(self) -> str:
        """When it was last seen, without `ago`, and of a date without the day."""
        return self.seen.removesuffix(" ago")[-8:]


def row_of(state: PartnerConnectionState, now: datetime) -> PartnerRow:
    """The row of a partner connection."""
    return PartnerRow(state, relative_time(state.last_seen, now))


COLUMNS: tuple[Column[PartnerRow], ...] = (
    Column("account", "ACCOUNT", lambda r: r.account, flexible=True, least=13, letter="A"),
    Column("user", "USER", lambda r: r.email, brief=lambda r: r.brief_email, flexible=True, least=10, letter="E",
           minor=2),
    Column("workspace", "CLOUD WORKSPACE", lambda r: r.place, letter="W",
           sort=lambda r: (r.workspace.cloud_provider, r.workspace.workspace_id), minor=1),
    Column("kind", "KIND", lambda r: r.state.connection.integration, letter="K", minor=4),
    Column("auth", "AUTH", lambda r: auth_words(r.state.connection), letter="H", minor=3),
    Column("state", "STATE", lambda r: standing_words(r.state), letter="S", style=lambda r: _STYLES[r.state.standing]),
    Column("seen", "SEEN", lambda r: r.seen, brief=lambda r: r.brief_seen, letter="T",
           sort=lambda r: r.state.last_seen),
)  # fmt: skip


# -- the detail


def summary_lines(state: PartnerConnectionState, now: datetime) -> list[Line]:
    """All that is known of it, but for its account's others."""
    connection, account = state.connection, state.account
    lines = [
        fact("state", standing_words(state), _STYLES[state.standing]),
        fact("id", connection.id),
        fact("account", f"{account.domain} ({account.id})"),
        fact("user", _user_words(state.user)),
        Line(),
        fact("cloud", _cloud_words(connection)),
        fact("workspace", str(connection.workspace.workspace_id)),
        *_coordinates(connection),
        Line(),
        fact("kind", connection.integration),
        fact("auth", ", ".join(connection.auth_options) or "-"),
        fact("scope", f"{connection.scope.value}: {_SCOPES[connection.scope.value]}"),
        fact("configured", _moment(connection.configured, now)),
        fact("last used", _moment(connection.last_used, now)),
        fact("last request", _last_request(state, now)),
    ]
    if connection.deleted is not None:
        lines.append(fact("deleted", _moment(connection.deleted, now)))
    return [*lines, Line(), *_account_facts(account, now), *_own_trial(state.user, now)]


_SCOPES: Final = {"workspace": "everybody in the workspace", "user": "the one who made it"}


def _user_words(user: PartnerUser | None) -> str:
    if user is None:
        return "not known"
    name = f"{user.first_name} {user.last_name}".strip()
    gone = ", deleted" if user.deleted is not None else ""
    return f"{user.email}{f', {name}' if name else ''} ({user.id}{gone})"


def _cloud_words(connection: PartnerConnection) -> str:
    region = connection.coordinates.cloud_provider_region if connection.coordinates is not None else None
    return f"{connection.workspace.cloud_provider.value}{f', {region}' if region else ''}"


def _coordinates(connection: PartnerConnection) -> list[Line]:
    there = connection.coordinates
    if there is None:
        return [fact("hostname", "erased", "muted")]
    told = {
        "hostname": f"{there.hostname}:{there.port}",
        "http path": there.http_path,
        "cluster id": there.cluster_id,
        "catalog": there.catalog_name,
        "destination": there.destination_location,
        "principal": there.service_principal_id,
        "OAuth app": there.oauth_u2m_app_id,
    }
    return [fact(label, value) for label, value in told.items() if value]


def _account_facts(account: PartnerAccount, now: datetime) -> list[Line]:
    bought = f"bought, {_moment(account.purchased, now)}" if account.purchased else "not bought"
    return [
        fact("trial", trial_words(account.trial, now)),
        fact("product", bought),
        fact("database", account.database),
        fact("role", account.role),
    ]


def _own_trial(user: PartnerUser | None, now: datetime) -> list[Line]:
    if user is None:
        return []
    own = [fact("own trial", trial_words(user.trial, now))] if user.trial.count else []
    return [fact("ClickHouse user", user.name), fact("signed up", _moment(user.signed_up, now)), *own]


def trial_words(trial: Trial, now: datetime) -> str:
    """How a trial stands."""
    if trial.expired is not None:
        return f"ended, {_moment(trial.expired, now)}"
    if trial.until is None:
        return "no time ends it" if trial.count else "none"
    word = "ended" if trial.until <= now else "ends"
    return f"{word} {_moment(trial.until, now)}"


def _last_request(state: PartnerConnectionState, now: datetime) -> str:
    last = state.last_request
    if state.lacking:
        return f"not known: you lack {state.lacking}"
    return "none in the log" if last is None else f"{last.endpoint} {last.status}, {_moment(last.at, now)}"


def _moment(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else f"{relative_time(moment, now)} ({exact_time(moment)})"


def request_lines(requests: Sequence[AnsweredRequest]) -> list[Line]:
    """Its last requests, the newest first."""
    if not requests:
        return [
            Line("No request about it is in the log.", style="muted"),
            Line("Running services note each; the log goes back 90 days.", style="muted"),
        ]
    return [line for request in requests for line in request_line(request)]


def account_lines(state: PartnerAccountState, now: datetime) -> list[Line]:
    """The account, its users and its partner connections."""
    account = state.account
    lines = [
        fact("account", account.id),
        fact("found by", f"{account.key.kind.value}: {account.key.value}"),
        fact("state", state.standing.value, _STYLES[state.standing]),
        fact("created", _moment(account.created, now)),
        *_account_facts(account, now),
        Line(),
        Line(_numbered(len(state.users), "user", "users"), style="heading"),
    ]
    for user in state.users:
        lines.append(Line(user.email))
        lines.append(Line(f"  {_came(user, now)}, {user.name}", style="muted"))
    connections = _numbered(len(state.connections), "partner connection", "partner connections")
    lines += [Line(), Line(connections, style="heading")]
    return [*lines, *_connections(state.connections, now)]


def _came(user: PartnerUser, now: datetime) -> str:
    if user.added is None:
        return f"invited {relative_time(user.invited, now)}, has not come yet"
    password = f"password set {relative_time(user.signed_up, now)}" if user.signed_up else "no password set yet"
    return f"came {relative_time(user.added, now)}, {password}"


def _connections(connections: Iterable[PartnerConnection], now: datetime) -> list[Line]:
    lines: list[Line] = []
    for one in connections:
        workspace = one.workspace
        lines.append(Line(f"{workspace.cloud_provider.value} {workspace.workspace_id}, {one.integration}"))
        lines.append(Line(f"  {one.id}, configured {relative_time(one.configured, now)}", style="muted"))
    return lines


def _numbered(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{count(number)} {many}"


# -- what is missing


def notice_lines(found: Iterable[Unmet]) -> list[Line]:
    """What a service would not find of what the profile names, and what to do; what may not be seen is not told."""
    lines: list[Line] = []
    for unmet in found:
        if unmet.seen:
            lines.append(Line(f"! {unmet.error.message} Nobody new can be let in.", style="warning"))
            lines.append(Line(unmet.error.advice))
    return lines


# -- nothing there


def empty_lines(named: bool) -> tuple[str, str]:
    """What an empty list says; `named` is whether the profile says something of Partner Connect."""
    if named:
        return "No partner connections yet.", (
            "They are made by Databricks, which calls a service of yours when a customer chooses your tile.\n\n"
            "Start one: housekeys partner serve. Press c to make the credential that Databricks calls with, "
            "f for the PartnerConfig, l to see requests come in."
        )
    return "No partner connections, and the profile says nothing of Partner Connect.", (
        "Add a table to the profile, in the file config.toml:\n\n"
        "  [profiles.NAME.partner]\n"
        '  base_url = "https://HOST"       # where users reach the service\n'
        '  sealing_keys = "file:/PATH"     # their passphrase\n\n'
        "Then make a sealing key and start: housekeys partner sealing-key new, housekeys partner serve."
    )
