"""What the tenants screen shows of a tenant: its row in the table, and the lines of its detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.display import byte_size, cell_width, count, exact_time, one_line, relative_time
from tui.widgets.columns import Column, fit
from tui.widgets.lines import Line, fact, text_lines

if TYPE_CHECKING:
    from core.tenants.inspection import TableSize
    from core.tenants.listing import Survey
    from core.tenants.model import Tenant
    from core.tokens.ledger import IssuedToken

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_STYLES = {"suspended": "warning", "not readable": "warning", "missing": "error", "unknown": "muted"}
_NAMES_UP_TO = 40  # cells of a table's name


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant, and when it was last read in words of the moment it was listed."""

    tenant: Tenant
    read: str

    @property
    def name(self) -> str:
        return self.tenant.name


def rows_of(found: Survey, now: datetime) -> list[TenantRow]:
    """A row for each tenant."""
    if found.last_read_problem:
        return [TenantRow(tenant, "-") for tenant in found.tenants]
    return [
        TenantRow(tenant, relative_time(tenant.last_read, now) if tenant.last_read else "not lately")
        for tenant in found.tenants
    ]


COLUMNS: tuple[Column[TenantRow], ...] = (
    Column("name", "NAME", lambda r: r.tenant.name, flexible=True, least=24, letter="N"),
    Column("state", "STATE", lambda r: r.tenant.state.value, style=lambda r: _STYLES.get(r.tenant.state.value, "")),
    Column("tables", "TABLES", lambda r: count(r.tenant.tables), sort=lambda r: r.tenant.tables or 0, numeric=True,
           minor=4),
    Column("rows", "ROWS", lambda r: count(r.tenant.rows), sort=lambda r: r.tenant.rows or 0, numeric=True, minor=5),
    Column("size", "SIZE", lambda r: byte_size(r.tenant.bytes), sort=lambda r: r.tenant.bytes or 0, numeric=True,
           minor=2, letter="S"),
    Column("read", "LAST READ", lambda r: r.read, sort=lambda r: r.tenant.last_read or _LONG_AGO, minor=3,
           letter="D"),
    Column("tokens", "TOKENS", lambda r: count(r.tenant.tokens), sort=lambda r: r.tenant.tokens, numeric=True,
           minor=1, letter="T"),
    Column("owner", "OWNER", lambda r: r.tenant.owner, flexible=True, minor=6),
    Column("ticket", "TICKET", lambda r: r.tenant.ticket, flexible=True, minor=7),
    Column("contact", "CONTACT", lambda r: r.tenant.contact, flexible=True, minor=8),
)  # fmt: skip


def notice_lines(found: Survey) -> list[Line]:
    """What has to be known before the list is believed."""
    user = one_line(found.reading.user, 60)
    if found.reading.exists is None:
        words = f"! What {user} may read cannot be seen, so that tenants may be missing here."
        return [Line(words, style="warning"), Line(found.reading.problem, style="muted")]
    if found.reading.exists is False and found.tenants:
        return [
            Line(f"! There is no user {user}: DataLens can read nothing. Press 1 for the checklist.", style="error")
        ]
    return [Line(f"! {found.reading.problem}", style="warning")] if found.reading.problem else []


# -- the detail


def summary_lines(tenant: Tenant, found: Survey, now: datetime) -> list[Line]:
    """Who it belongs to, who reads it, what it holds."""
    lines = [fact("state", tenant.state.value, _STYLES.get(tenant.state.value, "success"))]
    if tenant.remark:
        lines.append(fact("", tenant.remark, "warning"))
    lines.append(fact("readable", _readable(tenant, found, now)))
    lines += [fact(field, text or "-") for field, text in tenant.texts().items()]
    lines += [
        Line(),
        fact("tables", count(tenant.tables)),
        fact("rows", count(tenant.rows)),
        fact("size", f"{byte_size(tenant.bytes)} on this host" if tenant.bytes is not None else "-"),
        fact("last read", _last_read(tenant, found, now)),
        fact("tokens", f"{count(tenant.tokens)} issued" if tenant.tokens else "none issued"),
        Line(),
        fact("engine", tenant.engine or "-"),
        fact("tenant since", _moment(tenant.created, now) if tenant.created else "it was not made one by Housekeys"),
    ]
    return lines


def _readable(tenant: Tenant, found: Survey, now: datetime) -> str:
    reading, user = found.reading, one_line(found.reading.user, 60)
    since = f", since {_moment(tenant.since, now)}" if tenant.since else ""
    if not reading.known:
        return "not known"
    if not reading.covers(tenant.name):
        return f"not by {user}{since}"
    roles = reading.roles_covering(tenant.name)
    way = "" if reading.own.covers(tenant.name) else f", through the role {', '.join(map(one_line, roles))}"
    return f"by {user}{way}{since}"


def _last_read(tenant: Tenant, found: Survey, now: datetime) -> str:
    from core.tenants.listing import LAST_READ_DAYS

    if found.last_read_problem:
        return f"not known: {found.last_read_problem}"
    if tenant.last_read is None:
        return f"not within {LAST_READ_DAYS} days"
    return f"{_moment(tenant.last_read, now)} by {one_line(found.reading.user, 60)}"


def _moment(at: datetime, now: datetime) -> str:
    exact, relative = exact_time(at), relative_time(at, now)
    return exact if relative.endswith(f"{at.year}") else f"{exact} ({relative})"  # no date twice


def table_lines(tables: Sequence[TableSize], most: int) -> list[Line]:
    """The tables with rows and bytes, in columns."""
    if not tables:
        return [Line("It holds no table.", style="muted")]
    names = [one_line(table.name, _NAMES_UP_TO) for table in tables]
    width = max(map(cell_width, (*names, "TABLE")))
    lines = [Line(f"{'TABLE'.ljust(width)}  {'ROWS':>13}  {'SIZE':>8}  ENGINE", style="muted")]
    for name, table in zip(names, tables, strict=True):
        numbers = f"{count(table.rows):>13}  {byte_size(table.bytes):>8}"
        lines.append(Line(f"{fit(name, width)}  {numbers}  {one_line(table.engine, 30)}"))
    if len(tables) == most:
        lines.append(Line(f"Only the largest {count(most)} are shown.", style="muted"))
    return lines


def token_lines(tokens: Sequence[IssuedToken], now: datetime) -> list[Line]:
    """The tokens issued for a tenant, newest first."""
    if not tokens:
        return [Line("None issued. Press t to issue one.", style="muted")]
    lines = []
    for token in reversed(tokens):
        moved = "" if token.state.value == "issued" else f" {relative_time(token.state_since, now)}"
        lines.append(Line(f"{token.fingerprint[:12]}  {token.state.value}{moved}"))
        made = f"DataLens key {token.datalens_version}, partner key {token.partner_version}"
        lines.append(Line(f"  issued {exact_time(token.issued)} by {one_line(token.operator)}, {made}", style="muted"))
        if token.note:
            lines.append(Line(f"  {one_line(token.note)}", style="muted"))
    return [*lines, Line(), Line("Press 4 for the ledger of all tokens.", style="muted")]


def sql_lines(definition: str, statements: Sequence[str], user: str) -> list[Line]:
    """The statements that make the tenant what it is."""
    lines = [Line("The database", style="heading"), *text_lines(definition, "accent"), Line()]
    lines.append(Line(f"What {one_line(user, 60)} was granted on it", style="heading"))
    if not statements:
        return [*lines, Line("Nothing by a grant of its own.", style="muted")]
    return lines + [line for statement in statements for line in text_lines(statement, "accent")]
