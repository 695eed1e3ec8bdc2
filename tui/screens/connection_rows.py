"""What the screen of API connections shows of one: its row in the table, and the summary of its detail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from core.display import exact_time, one_line, relative_time
from core.errors import BadInputError, HousekeysError
from core.lakehouse.connections import ListedConnection
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope
from core.lakehouse.rules.arn import parse_role_arn
from core.lakehouse.state import Condition, ConnectionState, Mark, Stage
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.lakehouse.reach import Reach

NEXT: Final[Mapping[Stage, str]] = {
    Stage.GRANT: "create policies",
    Stage.TRUST: "create role",
    Stage.CREATE: "create connection",
    Stage.DESCRIBE: "read external id",
    Stage.TIGHTEN: "tighten trust",
    Stage.VERIFY: "read back",
    Stage.READY: "-",
}
SCOPES: Final[Mapping[PolicyScope, str]] = {
    PolicyScope.DOCUMENTED: "as documented",
    PolicyScope.LEAST: "least",
}
NOT_KNOWN: Final = "not known here"

_SIGNS: Final[Mapping[Condition, str]] = {
    Condition.OPEN: "!!",
    Condition.MISMATCH: "!!",
    Condition.DRIFTED: "! ",
    Condition.UNFINISHED: "- ",
    Condition.UNVERIFIED: "? ",
    Condition.READY: "✓ ",
}
_STYLES: Final[Mapping[Condition, str]] = {
    Condition.OPEN: "error",
    Condition.MISMATCH: "error",
    Condition.DRIFTED: "warning",
    Condition.UNFINISHED: "",
    Condition.UNVERIFIED: "muted",
    Condition.READY: "success",
}
_ADVICE: Final[Mapping[Condition, str]] = {
    Condition.OPEN: "Whoever may assume roles in the vendor's account can use this one, for any of its customers. "
    "Press s to go on until the trust policy asks for the external id.",
    Condition.MISMATCH: "No function can be called through it: the trust policy asks for another external id than the "
    "connection has. Press s to put the right one into it.",
    Condition.DRIFTED: "Somebody has changed it since. Press s to bring it back to what is wanted, or e where "
    "something else is wanted now.",
    Condition.UNFINISHED: "Press s to go on.",
    Condition.UNVERIFIED: "All was done and never read back. Press s or v to look.",
    Condition.READY: "Press v now and then to look again: roles drift.",
}
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
_WORST_FIRST: Final = tuple(Condition)


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection: one that is known here (`state`), or one that only the Lakehouse has (`listed`)."""

    name: str
    state: ConnectionState | None
    listed: ListedConnection | None
    by_hand: bool  # whether what is next is done by a person
    verified: str  # when it was last read back, in words of the moment it was listed
    definable: bool = True  # an API connection of another type is not looked after here

    @property
    def condition(self) -> str:
        """How it stands: a sign and a word, so that colour is not alone."""
        if self.state is None:
            return f"? {NOT_KNOWN}"
        return f"{_SIGNS[self.state.condition]} {self.state.condition.value}"

    @property
    def style(self) -> str:
        return "muted" if self.state is None else _STYLES[self.state.condition]

    @property
    def badness(self) -> int:
        """The lower, the worse."""
        return len(_WORST_FIRST) if self.state is None else _WORST_FIRST.index(self.state.condition)

    @property
    def next(self) -> str:
        if self.state is not None:
            return NEXT[self.state.stage]
        return "define it (s)" if self.definable else "-"

    @property
    def next_by(self) -> str:
        """What is next, and whether a hand is needed for it."""
        return f"{self.next}, by hand" if self.by_hand else self.next


def rows_of(
    states: Iterable[ConnectionState], others: Iterable[ListedConnection], reach: Reach, now: datetime
) -> list[ConnectionRow]:
    """A row for each connection that is known here, and for each that only the Lakehouse has."""
    from core.lakehouse.sql.statement_rendering import CLOUD_FUNCTION  # large; whoever has connections has loaded it

    known = [
        ConnectionRow(
            state.name,
            state,
            None,
            state.stage is not Stage.READY and not reach.carries_out(state),
            relative_time(state.verified.at, now) if state.verified else "never",
        )
        for state in states
    ]
    ours = ("", CLOUD_FUNCTION)
    return [*known, *(ConnectionRow(o.name, None, o, False, "-", o.type.upper() in ours) for o in others)]


def role_of(state: ConnectionState) -> str:
    """The name of the role; its ARN where that cannot be read."""
    try:
        return parse_role_arn(state.connection.role_arn).role
    except BadInputError:
        return state.connection.role_arn


COLUMNS: tuple[Column[ConnectionRow], ...] = (
    Column("name", "NAME", lambda r: r.name, flexible=True, least=16, letter="N"),
    Column("cloud", "CLOUD", lambda r: r.state.connection.provider.cloud if r.state else "-", minor=3, letter="C",
           brief=lambda r: r.state.connection.provider.value if r.state else "-"),
    Column("region", "REGION", lambda r: r.state.connection.region if r.state else "-", minor=2, letter="R"),
    Column("state", "STATE", lambda r: r.condition, sort=lambda r: r.badness, letter="S", style=lambda r: r.style),
    Column("next", "NEXT", lambda r: r.next_by, brief=lambda r: r.next),
    Column("verified", "VERIFIED", lambda r: r.verified, minor=4, letter="V",
           sort=lambda r: r.state.verified.at if r.state and r.state.verified else _LONG_AGO),
    Column("role", "ROLE", lambda r: role_of(r.state) if r.state else "-", flexible=True, least=12, minor=5),
)  # fmt: skip


# -- what stands above the table


def notice_lines(error: HousekeysError | None) -> list[Line]:
    """That the Lakehouse could not be asked, and why."""
    if error is None:
        return []
    return [
        Line(f"! {error.message}", style="warning"),
        Line(f"  Shown is what is known here. {error.advice}".rstrip(), style="muted"),
    ]


# -- the detail


def summary_lines(row: ConnectionRow, now: datetime) -> list[Line]:
    """What it is, how it stands, what was done by whom, and what to do now."""
    if row.state is None:
        return _unknown_lines(row)
    state = row.state
    lines = [fact("state", row.condition.strip(), row.style)]
    if state.stage is not Stage.READY:
        lines.append(fact("next", row.next_by))
    lines += [fact(" " if index else "found", words, "warning") for index, words in enumerate(state.differences)]
    lines += [Line(), Line(_ADVICE[state.condition], style="muted"), Line()]
    return [*lines, *_definition(state), Line(), *_way(state, now)]


def _unknown_lines(row: ConnectionRow) -> list[Line]:
    lines = [fact("state", row.condition, "muted")]
    if row.listed is not None:
        lines += [fact("type", row.listed.type or "-"), fact("created", row.listed.created or "-")]
        lines += [] if row.listed.enabled else [fact("enabled", "no", "warning")]
    if not row.definable:
        return [
            *lines,
            Line(),
            Line("It runs no functions of a cloud, so that Housekeys has no part in it.", style="muted"),
        ]
    return [
        *lines,
        Line(),
        Line("The Lakehouse has it, and Housekeys does not look after it: its role and policies cannot be told.",
             style="muted"),
        Line("Press s to define it here as it is, or i to take its definition from an SQL file.", style="muted"),
    ]  # fmt: skip


def _definition(state: ConnectionState) -> list[Line]:
    connection = state.connection
    lines = [
        fact("cloud", connection.provider.cloud),
        fact("region", connection.region),
        fact("role", connection.role_arn),
        fact("code bucket", connection.code_bucket),
    ]
    if state.more_buckets:
        lines.append(fact("further buckets", ", ".join(state.more_buckets)))
    if connection.namespace:
        lines.append(fact("namespace", connection.namespace))
    if connection.comment:
        lines.append(fact("comment", connection.comment))
    return [*lines, fact("scope", SCOPES[state.scope])]


def _way(state: ConnectionState, now: datetime) -> list[Line]:
    asked = "" if state.trusted is None else f", asks for {_asked(state)}"
    return [
        fact("defined", _told(state.defined, now)),
        fact("policies", _told(state.granted, now)),
        fact("trust policy", f"{_told(state.trusted, now)}{asked}"),
        fact("created", _told(state.created, now)),
        fact(
            "external id", f"{state.external_id}, {_told(state.described, now)}" if state.external_id else "not known"
        ),
        fact("read back", _told(state.verified, now)),
    ]


def _asked(state: ConnectionState) -> str:
    if not state.trusted_id:
        return "no external id"
    if state.trusted_id == PLACEHOLDER_EXTERNAL_ID:
        return f"{PLACEHOLDER_EXTERNAL_ID}, which nobody has"
    return "the external id" if state.tightened else f"the external id {state.trusted_id}"


def _told(mark: Mark | None, now: datetime) -> str:
    if mark is None:
        return "not yet"
    hand = ", by hand" if mark.by_hand else ""
    return f"{relative_time(mark.at, now)} ({exact_time(mark.at)}) by {one_line(mark.operator, 40)}{hand}"


# -- the way


def way_line(stage: Stage) -> str:
    """The stations of the way to a working connection, those that were passed with a tick."""
    stations = [each for each in Stage if each is not Stage.READY]
    at = len(stations) if stage is Stage.READY else stations.index(stage)
    words = ("policies", "role", "connection", "external id", "trust", "read back")
    signs = ["✓" if index < at else ">" if index == at else "·" for index in range(len(stations))]
    return "   ".join(f"{sign} {word}" for sign, word in zip(signs, words, strict=True))


def step_words(stage: Stage) -> str:
    """Where on the way it is: `step 3 of 6`."""
    stations: Sequence[Stage] = [each for each in Stage if each is not Stage.READY]
    return "" if stage is Stage.READY else f"step {stations.index(stage) + 1} of {len(stations)}"
