"""The listing pack: a folder to hand over to DataLens's manager, each thing they ask for as a file of its own.

It holds the texts, the icon, the hosts and the public half of the partner key with its version. Never the password,
which goes another way, and never a private key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.changes import Change, Event, FileStep
from core.datalens.listing import FIELDS, KEYS, Listing
from core.display import one_line
from core.errors import BadInputError
from core.keys.versions import KeyState, KeyVersion, Side, of_side

FILES = {
    "name.en": "en/name.txt",
    "description.en": "en/description.md",
    "use_cases.en": "en/use-cases.md",
    "manual.en": "en/manual.md",
    "name.ru": "ru/name.txt",
    "description.ru": "ru/description.md",
    "use_cases.ru": "ru/use-cases.md",
    "manual.ru": "ru/manual.md",
    "icon": "icon.svg",
    "price": "price.txt",
    "payment": "payment.txt",
    "contacts": "contacts.txt",
}
HOSTS_FILE = "hosts.txt"


def public_key(versions: Sequence[KeyVersion]) -> KeyVersion | None:
    """The partner key whose public half DataLens should have: the newest that is not on its way out."""
    usable = [
        version
        for version in of_side(versions, Side.PARTNER)
        if version.state in (KeyState.GENERATED, KeyState.SUBMITTED, KeyState.ACTIVE) and not version.conflicts
    ]
    return usable[-1] if usable else None


def missing_parts(listing: Listing, hosts: Sequence[str], key: KeyVersion | None) -> tuple[str, ...]:
    """What the pack still lacks, each with where it is to be had; empty when the pack is complete."""
    parts = [f"{entry.title}: set {entry.key} of the listing" for entry in listing.missing()]
    if not hosts:
        parts.append("Hosts: set datalens.hosts of the profile")
    if key is None:
        parts.append("Public key: generate a partner key version (housekeys key generate)")
    return tuple(parts)


def plan_pack(
    listing: Listing,
    hosts: Sequence[str],
    key: KeyVersion | None,
    folder: Path,
    *,
    product: str,
    allow_incomplete: bool = False,
) -> Change:
    """The change that writes the pack into `folder`; files of an earlier pack there are written over.

    Raises BadInputError when something is missing, unless `allow_incomplete`. `product` names it in the journal.
    """
    missing = missing_parts(listing, hosts, key)
    if missing and not allow_incomplete:
        raise BadInputError(
            f"The listing pack is not complete: {len(missing)} parts are missing.", advice="\n".join(missing)
        )
    contents: dict[str, str] = {"README.md": _index(listing, hosts, key, missing)}
    for entry in FIELDS:
        if text := listing.get(entry.key):
            contents[FILES[entry.key]] = text if text.endswith("\n") else text + "\n"
    if hosts:
        contents[HOSTS_FILE] = "".join(f"{host}\n" for host in hosts)
    if key is not None:
        contents[_key_file(key)] = key.public_pem
    steps = [_write(folder / name, text) for name, text in contents.items()]
    event = Event(
        "listing",
        product,
        "pack",
        {"folder": str(folder), "partner_key_version": key.version if key else None, "missing": list(missing)},
    )
    steps[-1] = replace(steps[-1], events=(event,))
    consequences = tuple(f"Missing: {part}." for part in missing)
    return Change(f"Write the listing pack to {folder}", tuple(steps), consequences=consequences)


def _key_file(key: KeyVersion) -> str:
    return f"partner-key-{key.version}.pem"


def _write(path: Path, text: str) -> FileStep:
    content = text.encode("utf-8")
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise BadInputError(f"{path} cannot be written over: {error.strerror}.") from error
    word = "Remove" if before is None else "Bring back"
    undo = FileStep(f"{word} {path.name}", path, before, replace_existing=True)
    return FileStep(f"Write {path.name}", path, content, replace_existing=True, undo=undo)


def _index(listing: Listing, hosts: Sequence[str], key: KeyVersion | None, missing: Sequence[str]) -> str:
    title = one_line(listing.get("name.en") or listing.get("name.ru")) or "(no name yet)"
    lines = ["# Listing pack for DataLens", "", f"Product: {title}", "", "| what | file |", "|---|---|"]
    for name, file in FILES.items():
        if listing.get(name):
            lines.append(f"| {KEYS[name].title} | `{file}` |")
    if hosts:
        lines.append(f"| Hosts of the ClickHouse cluster | `{HOSTS_FILE}` |")
    if key is not None:
        lines.append(f"| Public key (RSA-2048), **version {key.version}** | `{_key_file(key)}` |")
        lines += ["", f"SHA-256 of the public key: `{key.fingerprint}`"]
    lines += ["", "The password of the DataLens user is not in this folder. It is handed over another way."]
    if missing:
        lines += ["", "## Still missing", "", *(f"- {part}" for part in missing)]
    return "\n".join(lines) + "\n"
