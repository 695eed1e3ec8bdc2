"""What the console shows of a request that a service has answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.display import exact_time
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.partner.storage.requests_seen import AnsweredRequest

FIRST_ERROR: Final = 400  # the first status that is one
FIRST_FAILURE: Final = 500  # the first that is the service's own fault
SLOW: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request, with the domain of the account that it was about as far as that is known."""

    request: AnsweredRequest
    domain: str = ""

    @property
    def id(self) -> str:
        return str(self.request.id)


def status_style(status: int) -> str:
    """An answer that is no error has no colour."""
    return "" if status < FIRST_ERROR else "warning" if status < FIRST_FAILURE else "error"


COLUMNS: tuple[Column[RequestRow], ...] = (
    Column("at", "TIME (UTC)", lambda r: f"{r.request.at:%d %b %H:%M:%S}", width=15, letter="T",
           brief=lambda r: f"{r.request.at:%d %b %H:%M}", sort=lambda r: (r.request.at, r.id)),
    Column("endpoint", "ENDPOINT", lambda r: r.request.endpoint or r.request.method, letter="E"),
    Column("status", "STATUS", lambda r: str(r.request.status), numeric=True, letter="S",
           sort=lambda r: r.request.status, style=lambda r: status_style(r.request.status)),
    Column("word", "ANSWER", lambda r: r.request.word or "-", flexible=True, least=14, letter="A",
           style=lambda r: status_style(r.request.status)),
    Column("ms", "MS", lambda r: milliseconds(r.request.seconds), numeric=True, letter="M",
           sort=lambda r: r.request.seconds, style=lambda r: "warning" if r.request.seconds > SLOW else ""),
    Column("account", "ACCOUNT", lambda r: r.domain or r.request.account_id or "-", flexible=True, least=12, letter="C",
           minor=2),
    Column("workspace", "WORKSPACE", lambda r: workspace(r.request), flexible=True, least=10, letter="W", minor=3),
    Column("process", "PROCESS", lambda r: r.request.process, flexible=True, least=14, letter="P", minor=4),
)  # fmt: skip


def milliseconds(seconds: float) -> str:
    """How long an answer took, in a number of milliseconds."""
    return f"{seconds * 1000:,.0f}"


def workspace(request: AnsweredRequest) -> str:
    """The workspace it was about, with its cloud."""
    return f"{request.cloud} {request.workspace_id}".strip() if request.workspace_id else "-"


def request_line(request: AnsweredRequest) -> list[Line]:
    """A request in a line, and what was wrong with it in another."""
    word = f"  {request.word}" if request.word else ""
    text = f"{exact_time(request.at)}  {request.endpoint}  {request.status}{word}  {milliseconds(request.seconds)} ms"
    problem = [Line(f"  {request.problem}", style="muted")] if request.problem else []
    return [Line(text, style=status_style(request.status)), *problem]


def summary_lines(row: RequestRow) -> list[Line]:
    """Everything that is kept of a request."""
    request = row.request
    told: Mapping[str, str] = {
        "time": exact_time(request.at),
        "endpoint": request.endpoint,
        "method": request.method,
        "status": str(request.status),
        "answer": request.word,
        "scenario": request.scenario,
        "took": f"{milliseconds(request.seconds)} ms",
        "problem": request.problem,
        "account": f"{row.domain} ({request.account_id})" if row.domain else request.account_id,
        "connection": request.connection_id,
        "workspace": workspace(request),
        "caller": request.caller,
        "credential": request.credential,
        "process": request.process,
        "request id": row.id,
    }
    style = status_style(request.status)
    return [
        fact(label, value, style if label in ("status", "answer", "problem") else "")
        for label, value in told.items()
        if value not in ("", "-")
    ]
