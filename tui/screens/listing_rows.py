"""What the listing screen shows: a row for each part of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import count, one_line
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact, text_lines

if TYPE_CHECKING:
    from core.datalens.listing import Listing
    from core.keys.versions import KeyVersion

HOSTS, KEY = "hosts", "key"  # parts of the pack that are no fields of the listing
_SHOWN = 60  # characters of a value in the table


@dataclass(frozen=True, slots=True)
class ListingRow:
    """A part of the pack. `needed` is False for one that DataLens does not ask for in this case."""

    place: int
    key: str
    title: str
    text: str
    hint: str = ""
    longest: int = 0
    needed: bool = True
    several_lines: bool = False

    @property
    def there(self) -> bool:
        return bool(self.text.strip())

    @property
    def state(self) -> str:
        return "✓ there" if self.there else "- missing" if self.needed else "  not needed"


@dataclass(frozen=True, slots=True)
class ListingSurvey:
    """Everything a pack is made of, and the file that the texts are kept in."""

    rows: tuple[ListingRow, ...]
    listing: Listing
    path: Path
    hosts: tuple[str, ...]
    key: KeyVersion | None
    missing: tuple[str, ...]


COLUMNS: tuple[Column[ListingRow], ...] = (
    Column("state", "STATE", lambda r: r.state, sort=lambda r: r.place, width=12,
           style=lambda r: "success" if r.there else "warning" if r.needed else "muted"),
    Column("part", "PART", lambda r: r.title, sort=lambda r: r.place),
    Column("size", "CHARACTERS", lambda r: count(len(r.text)) if r.there and r.longest else "",
           sort=lambda r: len(r.text), numeric=True, minor=1),
    Column("text", "BEGINS", lambda r: beginning(r.text), flexible=True, minor=2),
)  # fmt: skip


def beginning(text: str) -> str:
    """The first line that says something."""
    return next((line.strip()[:_SHOWN] for line in text.split("\n") if line.strip()), "")


def rows_of(listing: Listing, hosts: Sequence[str], key: KeyVersion | None) -> tuple[ListingRow, ...]:
    """A row for each field, then the hosts and the key."""
    from core.datalens.listing import FIELDS

    missing = {entry.key for entry in listing.missing()}
    rows = [
        ListingRow(place, entry.key, entry.title, listing.get(entry.key), entry.hint, entry.longest,
                   needed=bool(listing.get(entry.key)) or entry.key in missing, several_lines=entry.multiline)
        for place, entry in enumerate(FIELDS)
    ]  # fmt: skip
    public = f"version {key.version} ({key.state.value}), {key.fingerprint}" if key is not None else ""
    rows.append(ListingRow(len(rows), HOSTS, "Hosts", "\n".join(hosts), "From the profile: 6, then e."))
    rows.append(ListingRow(len(rows), KEY, "Public key", public, "The newest partner key: 3, then n."))
    return tuple(rows)


def summary_lines(row: ListingRow) -> list[Line]:
    """The text in full."""
    lines = [fact("state", row.state.strip(), "success" if row.there else "warning" if row.needed else "muted")]
    if row.longest:
        lines.append(fact("length", f"{count(len(row.text))} of {count(row.longest)} characters at most"))
    if row.hint:
        lines.append(fact("what", row.hint, "muted"))
    return [*lines, Line(), *(text_lines(row.text) if row.there else [])]


def notice_lines(found: ListingSurvey) -> list[Line]:
    """What is left to do, in words."""
    if not found.missing:
        return [Line("The pack is complete: W writes it to a folder.", style="success")]
    first = one_line(found.missing[0].split(":")[0])
    more = f", and {count(len(found.missing) - 1)} more" if len(found.missing) > 1 else ""
    return [Line(f"Still missing: {first}{more}.", style="accent")]
