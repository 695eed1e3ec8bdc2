"""The listing: what DataLens asks about a product before it appears in the Marketplace, in Russian and English.

Kept as one TOML file in the data directory, written through a Change. What DataLens asks for is in its manual,
"Creating a partner connector": name, description, use cases and user manual in both languages, an SVG icon, price and
payment method of a product that is not free, contacts of the developers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.changes import Change, Event, FileStep
from core.datalens.icon import icon_problem
from core.display import one_line
from core.errors import BadInputError
from core.paths import Paths, file_name
from core.tenants.naming import text_problem

if TYPE_CHECKING:
    from tomlkit.items import Table

LONGEST_FILE = 4 * 1024 * 1024  # bytes
FREE = frozenset({"free", "0", "бесплатно"})


@dataclass(frozen=True, slots=True)
class Field:
    """One thing DataLens asks for. `key` is its place in the TOML file and in `--set`: `name.en`, `price` …"""

    key: str
    title: str
    longest: int  # characters
    multiline: bool = False
    hint: str = ""


FIELDS = (
    Field("name.en", "Name, English", 100),
    Field("name.ru", "Name, Russian", 100),
    Field("description.en", "Description, English", 10_000, True),
    Field("description.ru", "Description, Russian", 10_000, True),
    Field("use_cases.en", "Use cases, English", 20_000, True),
    Field("use_cases.ru", "Use cases, Russian", 20_000, True),
    Field("manual.en", "User manual, English", 200_000, True, "Markdown"),
    Field("manual.ru", "User manual, Russian", 200_000, True, "Markdown"),
    Field("price", "Price", 1_000, True, "`free`, or the price and what it buys"),
    Field("payment", "Payment method", 1_000, True, "needed unless the price is `free`"),
    Field("contacts", "Developer contacts", 2_000, True, "name, e-mail, phone"),
    Field("icon", "Icon (SVG)", 256 * 1024, True, "vector, drawn only: no script, nothing from elsewhere"),
)
KEYS = {entry.key: entry for entry in FIELDS}


@dataclass(frozen=True, slots=True)
class Listing:
    """The texts by the keys of `FIELDS`; what is not given yet is absent. Values are exact, lines end with LF."""

    texts: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str) -> str:
        """The text under `key`, or the empty string."""
        return self.texts.get(key, "")

    def with_texts(self, texts: Mapping[str, str]) -> Listing:
        """This listing with other texts; an empty one takes the field out. Raises BadInputError for any it refuses."""
        for key, text in texts.items():
            check_field(key, text)
        merged = {**self.texts, **texts}
        return replace(self, texts={key: merged[key] for key in KEYS if merged.get(key)})

    def missing(self) -> tuple[Field, ...]:
        """The fields that DataLens still needs, in the order of `FIELDS`."""
        free = self.get("price").strip().lower() in FREE
        return tuple(
            entry for entry in FIELDS if not self.get(entry.key).strip() and not (entry.key == "payment" and free)
        )


def listing_file(paths: Paths, profile: str) -> Path:
    """Where the listing of a profile is kept."""
    return paths.data / "listings" / f"{file_name(profile)}.toml"


def check_field(key: str, text: str) -> None:
    """Raise BadInputError when there is no field `key`, or `text` cannot be its value."""
    entry = KEYS.get(key)
    if entry is None:
        raise BadInputError(f"A listing has no field {one_line(key, 60)!r}.", advice=f"Fields: {', '.join(KEYS)}.")
    problem = text_problem(text, multiline=entry.multiline)
    if not problem and len(text) > entry.longest:
        problem = f"it has {len(text):,} characters, and {entry.longest:,} is the most"
    if not problem and key == "icon" and text:
        problem = icon_problem(text)
    if problem:
        raise BadInputError(f"{entry.title}: {problem}.")


def read_listing(path: Path) -> Listing:
    """The listing kept at `path`; an empty one when there is no file. Raises BadInputError for a file it cannot use."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Listing()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    return parse_listing(content, str(path))


def parse_listing(content: bytes, source: str) -> Listing:
    """The listing that `content` (TOML) holds. Raises BadInputError with all that is wrong in it."""
    name = one_line(source)
    if len(content) > LONGEST_FILE:
        raise BadInputError(f"{name} has {len(content):,} bytes; a listing has {LONGEST_FILE:,} at most.")
    try:
        document = tomllib.loads(content.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is not UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{name} is not TOML: {error}.") from error
    texts, problems = _texts(document)
    for key, text in texts.items():
        try:
            check_field(key, text)
        except BadInputError as error:
            problems.append(error.message)
    if problems:
        many = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise BadInputError(f"The listing {name} has {many}.", advice="\n".join(problems), detail="\n".join(problems))
    return Listing().with_texts(texts)


def _texts(document: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    texts: dict[str, str] = {}
    problems: list[str] = []
    for key, value in document.items():
        inner = {f"{key}.{language}": text for language, text in value.items()} if isinstance(value, dict) else None
        for place, text in (inner if inner is not None else {key: value}).items():
            if place not in KEYS:
                problems.append(f"There is no field {one_line(place, 60)!r}; fields are {', '.join(KEYS)}.")
            elif not isinstance(text, str):
                problems.append(f"{place} is not text.")
            else:
                texts[place] = text
    return texts, problems


def render_listing(listing: Listing) -> bytes:
    """The TOML that `parse_listing` reads back to the same listing."""
    import tomlkit  # only where a listing is written

    document = tomlkit.document()
    document.add(tomlkit.comment("The listing of this product in DataLens. Edited by Housekeys, or by hand."))
    tables: dict[str, Table] = {}
    for key, text in listing.texts.items():
        value = tomlkit.string(text, multiline="\n" in text)
        name, _, language = key.partition(".")
        if language:
            tables.setdefault(name, tomlkit.table()).add(language, value)
        else:
            document.add(name, value)
    for name, table in tables.items():  # after the keys of the top level: in TOML nothing returns from a table
        document.add(name, table)
    return tomlkit.dumps(document).encode("utf-8")


def plan_edit(path: Path, current: Listing, desired: Listing, *, profile: str) -> Change:
    """The change that keeps `desired` at `path`, where `current` was read; no step when they are equal."""
    changed = sorted(key for key in KEYS if current.get(key) != desired.get(key))
    if not changed:
        return Change("The listing stays as it is", ())
    content = render_listing(desired)
    event = Event("listing", profile, "edit", {"fields": changed})
    title = f"Edit the listing: {', '.join(KEYS[key].title for key in changed)}"
    before = render_listing(current) if current.texts else None
    undo = FileStep("Bring back the listing as it was", path, before, replace_existing=True, events=(event,))
    return Change(
        title,
        (FileStep("Write the listing", path, content, replace_existing=True, undo=undo, events=(event,)),),
    )
