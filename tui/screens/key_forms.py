"""The forms of the keys screen. They ask; `core.keys.planning` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError
from core.secrets import Secret
from tui.screens.form import Form
from tui.widgets.fields import YES, Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.keys.key_ring import KeyRing
    from core.keys.key_store import KeyStore
    from core.keys.planning import AtRest
    from core.session import Session

SAME, NEW, NONE = "as my other keys", "a new one", "none"
PARTNER, DATALENS = "yours", "DataLens"


def number_problem(text: str) -> str:
    """What is wrong with the number of a version; empty when nothing is."""
    if not (text.strip().isascii() and text.strip().isdecimal()):
        return "A version is a whole number, such as 2."
    return ""


def read_number(text: str) -> int:
    """The number of a version. Raises BadInputError."""
    problem = number_problem(text)
    if problem or len(text.strip()) > 10:
        raise BadInputError(problem or "This number is too high for a version.")
    return int(text)


def twice(values: Values, what: str = "passphrase") -> Secret:
    """The secret that was typed twice. Raises BadInputError when the entries differ."""
    first, second = Secret(values[what]), Secret(values["again"])
    if not first.matches(second):
        raise BadInputError("The two passphrases differ.", advice="Type the same one twice.")
    return first


def protection_fields(store: KeyStore, asked: Callable[[Values], bool] = lambda _values: True) -> list[Field]:
    """How a private key will lie on disk; the questions that depend on another are asked when it is their turn."""

    def when(*answers: str) -> Callable[[Values], bool]:
        return lambda values: asked(values) and values.get("protection") in answers

    choices = (SAME, NEW, NONE) if newest_encrypted(store) is not None else (NEW, NONE)
    return [
        Field("protection", "Passphrase", choices[0], kind="choice", choices=choices, shown_if=asked,
              hint="It protects the private key on this machine."),
        Field("existing", "The passphrase", kind="secret", required=True, shown_if=when(SAME)),
        Field("passphrase", "New passphrase", kind="secret", required=True, shown_if=when(NEW),
              hint="Several words. It cannot be recovered."),
        Field("again", "The same again", kind="secret", required=True, shown_if=when(NEW)),
        Field("insist", "Leave it open", kind="flag", shown_if=when(NONE),
              hint="Whoever reads the file can issue tokens for every tenant."),
    ]  # fmt: skip


def newest_encrypted(store: KeyStore) -> int | None:
    """The newest version here that is kept under a passphrase."""
    from core.errors import HousekeysError

    for version in reversed(store.versions()):
        try:
            if store.read(version).encrypted:
                return version
        except HousekeysError:
            continue  # shown in the table as damaged
    return None


async def at_rest(store: KeyStore, values: Values) -> AtRest:
    """What the protection fields say. Raises WrongPassphraseError when the other keys have another passphrase."""
    from core.keys.planning import AtRest

    if values["protection"] == NONE:
        if values["insist"] != YES:
            raise BadInputError(
                "A private key without a passphrase is open to whoever reads the file.",
                advice="Choose a passphrase, or insist: turn the last answer to yes.",
            )
        return AtRest(None, insist_unprotected=True)
    if values["protection"] == NEW:
        return AtRest(twice(values))
    passphrase = Secret(values["existing"])
    version = await asyncio.to_thread(newest_encrypted, store)
    if version is not None:
        await asyncio.to_thread(lambda: store.read(version).open(passphrase))
    return AtRest(passphrase)


async def generate_form(session: Session, ring: KeyRing) -> Form[Change]:
    """Make the next version of the partner key."""
    from core.keys.planning import next_version, plan_generate
    from core.keys.versions import key_versions

    store = ring.store
    proposed = next_version(store, await key_versions(session.journal))

    async def submit(values: Values) -> Change:
        versions = await key_versions(session.journal)
        protection = await at_rest(store, values)
        return await plan_generate(store, versions, protection, number=read_number(values["version"]))

    return Form(
        "Make a partner key",
        (
            Field("version", "Version", str(proposed), required=True, check=number_problem,
                  hint="DataLens finds a key by its number. Numbers only grow."),
            *await asyncio.to_thread(protection_fields, store),
        ),
        submit,
        intro="An RSA key of 2048 bits, as DataLens wants it. The private half stays on this machine.",
    )  # fmt: skip


async def import_form(session: Session, ring: KeyRing) -> Form[Change]:
    """Take over a key of either side."""
    from core.keys.pem_files import read_pem
    from core.keys.planning import plan_import_datalens, plan_import_partner
    from core.keys.versions import key_versions

    store = ring.store

    def of_datalens(values: Values) -> bool:
        return values.get("side") == DATALENS

    def of_partner(values: Values) -> bool:
        return values.get("side") == PARTNER

    async def submit(values: Values) -> Change:
        number = read_number(values["version"])
        path, pasted = values["file"].strip(), values.get("pem", "").strip()
        if path and pasted:
            raise BadInputError("There is a file and a pasted key.", advice="Give one of them.")
        if not path and not pasted:
            raise BadInputError("No key was given.", advice="Name its file, or paste it.")
        pem = await read_pem(Path(path)) if path else pasted.encode()
        versions = await key_versions(session.journal)
        if of_datalens(values):
            return plan_import_datalens(versions, number, pem)
        passphrase = Secret(values["pem_passphrase"]) if values["pem_passphrase"] else None
        return await plan_import_partner(store, versions, number, pem, passphrase, await at_rest(store, values))

    return Form(
        "Import a key",
        (
            Field("side", "Whose key", DATALENS, kind="choice", choices=(DATALENS, PARTNER)),
            Field("version", "Version", required=True, check=number_problem, hint="The number both sides know it by."),
            Field("file", "File", hint="The path of a PEM file."),
            Field("pem", "or pasted", kind="lines", shown_if=of_datalens, hint="From BEGIN PUBLIC KEY to END."),
            Field("pem_passphrase", "Its passphrase", kind="secret", shown_if=of_partner,
                  hint="Of the PEM file, if it has one. A private key is not pasted: terminals remember."),
            *await asyncio.to_thread(protection_fields, store, of_partner),
        ),
        submit,
    )  # fmt: skip


async def passphrase_form(session: Session, ring: KeyRing) -> Form[Change]:
    """Another passphrase for every private key on this machine."""
    from core.keys.planning import AtRest, plan_change_passphrase
    from core.keys.versions import key_versions

    async def submit(values: Values) -> Change:
        new = twice(values)
        old = Secret(values["old"]) if values["old"] else None
        return await plan_change_passphrase(ring.store, await key_versions(session.journal), old, AtRest(new))

    protected = await asyncio.to_thread(newest_encrypted, ring.store) is not None

    return Form(
        "Change the passphrase of the partner keys",
        (
            Field("old", "Present passphrase", kind="secret", required=protected),
            Field("passphrase", "New passphrase", kind="secret", required=True),
            Field("again", "The same again", kind="secret", required=True),
        ),
        submit,
        intro="It holds for every private key on this machine. Copies made earlier keep the old one.",
    )


def export_private_form(ring: KeyRing, number: int) -> Form[Change]:
    """The private half as an encrypted PKCS#8 file."""
    from core.keys.planning import plan_export_private

    async def submit(values: Values) -> Change:
        path = await asyncio.to_thread(Path(values["path"]).expanduser)
        return await plan_export_private(ring.key(number), path, twice(values))

    return Form(
        f"Export the private half of partner key {number}",
        (
            Field("path", "File", f"partner-key-{number}-private.pem", required=True),
            Field("passphrase", "Passphrase", kind="secret", required=True, hint="Of the file; 12 characters or more."),
            Field("again", "The same again", kind="secret", required=True),
        ),
        submit,
        intro="Whoever has this file and its passphrase can issue tokens for every tenant.",
    )
