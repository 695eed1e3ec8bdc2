"""What the verbs of `housekeys key` do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, RefusedError
from tui.cli.unlocking import PARTNER_KEYS, at_rest, read_pem, secret_from, store_of, unlocked_ring

if TYPE_CHECKING:
    from core.keys.versions import KeyVersion, Side
    from core.session import Session
    from tui.cli.context import Context


def _side(context: Context) -> Side:
    from core.keys.versions import Side

    return Side(context.arguments.side)


async def list_keys(context: Context) -> None:
    """Handle `key list`."""
    from datetime import UTC, datetime

    from core.display import count, relative_time
    from core.keys.versions import key_versions
    from core.tokens.ledger import by_version, pending_by_version, tokens_issued
    from tui.cli.output import Column

    session = await context.session()
    here = set(store_of(context, session).versions())
    versions = await key_versions(session.journal)
    tokens = await tokens_issued(session.journal)
    ever, pending = by_version(tokens), pending_by_version(tokens)
    now = datetime.now(UTC)
    columns = (
        Column("side", "SIDE"),
        Column("version", "VERSION", "right"),
        Column("state", "STATE"),
        Column("fingerprint", "SHA-256", show=lambda mark: f"{mark[:16]}…"),
        Column("created", "MADE", show=lambda moment: relative_time(moment, now)),
        Column("tokens", "TOKENS", "right", count),
        Column("unused_tokens", "NOT USED", "right", count),
        Column("private_half", "PRIVATE HALF"),
    )
    rows = [
        _described(version)
        | {
            "tokens": ever[version.side, version.version],
            "unused_tokens": pending[version.side, version.version],
            "private_half": _private_half(version, here),
        }
        for version in versions
    ]
    context.output.rows(columns, rows, empty="There are no keys yet. Make one: housekeys key generate")
    for version in versions:
        if version.conflicts:
            context.output.message(f"Warning: two different keys are recorded as {version.label}. Do not use it.")


def _described(version: KeyVersion) -> dict[str, Any]:
    return {
        "side": version.side.value,
        "version": version.version,
        "state": version.state.value,
        "fingerprint": version.fingerprint,
        "created": version.created,
        "state_since": version.state_since,
        "imported": version.imported,
        "operator": version.operator,
        "conflicts": list(version.conflicts),
    }


def _private_half(version: KeyVersion, here: set[int]) -> str:
    if version.side.value == "datalens":
        return "with DataLens"
    return "on this machine" if version.version in here else "not on this machine"


async def generate_key(context: Context) -> None:
    """Handle `key generate`."""
    from core.keys.planning import plan_generate
    from core.keys.versions import key_versions

    session = await context.session()
    store = store_of(context, session)
    _refuse_when_read_only(context, session)
    versions = await key_versions(session.journal)
    rest = await at_rest(context)
    change = await plan_generate(store, versions, rest, number=context.arguments.number)
    await context.carry_out(change)
    number = int(change.steps[0].events[0].subject)
    await _show_new(context, session, number)
    context.output.message(f"Next: send the public half to DataLens (housekeys key export {number}).")


async def import_key(context: Context) -> None:
    """Handle `key import`."""
    from core.keys.planning import plan_import_datalens
    from core.keys.versions import Side, key_versions

    session = await context.session()
    pem = await read_pem(context, context.arguments.file)
    versions = await key_versions(session.journal)
    side, number = _side(context), context.arguments.number
    if side is Side.DATALENS:
        change = plan_import_datalens(versions, number, pem)
        await context.carry_out(change)
        await _show_new(context, session, number)
        for sentence in change.consequences:
            context.output.message(sentence)
        return
    await _import_partner(context, session, versions, number, pem)
    await _show_new(context, session, number)
    context.output.message("The PEM file is still there: keep it as a backup in a safe place, or remove it.")


async def _import_partner(
    context: Context, session: Session, versions: list[KeyVersion], number: int, pem: bytes
) -> None:
    import asyncio

    from core.keys.planning import plan_import_partner
    from core.keys.rsa_keys import is_encrypted, load_private

    store = store_of(context, session)
    _refuse_when_read_only(context, session)
    arguments = context.arguments
    opening = None
    if is_encrypted(pem):
        file = arguments.pem_passphrase_file
        opening = await secret_from(context, file, "Passphrase of the PEM file", option="--pem-passphrase-file")
    await asyncio.to_thread(load_private, pem, opening)  # before anything else is asked for
    change = await plan_import_partner(store, versions, number, pem, opening, await at_rest(context))
    await context.carry_out(change)


async def _show_new(context: Context, session: Session, number: int) -> None:
    from core.keys.versions import Side, find, key_versions

    side = Side(getattr(context.arguments, "side", "partner"))
    version = find(await key_versions(session.journal), side, number)
    fields = {
        f"{side.owner} key version": str(version.version),
        "State": version.state.value,
        "SHA-256 fingerprint": version.fingerprint,
    }
    context.output.record(fields, _described(version))


def _tell_version(context: Context, version: KeyVersion, **more: str) -> None:
    """With --json: the version a change was about."""
    if context.output.json:
        context.output.data(_described(version) | more)


async def _tell_state(context: Context, session: Session, side: Side, number: int) -> None:
    """With --json: a version as it is now."""
    from core.keys.versions import find, key_versions

    if context.output.json:
        _tell_version(context, find(await key_versions(session.journal), side, number))


async def export_key(context: Context) -> None:
    """Handle `key export`."""
    import asyncio

    from core.keys.versions import find, key_versions, public_text

    session = await context.session()
    version = find(await key_versions(session.journal), _side(context), context.arguments.number)
    out: Path | None = context.arguments.out
    if context.arguments.private:
        await _export_private(context, session, version)
    elif out is not None:
        from core.keys.planning import plan_export_public

        await context.carry_out(await asyncio.to_thread(plan_export_public, version, out))
        _tell_version(context, version, out=str(out))
        context.output.message(f"The public half of {version.label} is in {out}.")
    elif context.output.json:
        context.output.data(_described(version) | {"public_pem": version.public_pem})
    else:
        context.output.text(public_text(version).rstrip("\n"))


async def _export_private(context: Context, session: Session, version: KeyVersion) -> None:
    from core.keys.planning import plan_export_private
    from core.keys.versions import Side

    arguments = context.arguments
    if version.side is not Side.PARTNER:
        raise RefusedError("The private half of a DataLens key is with DataLens.")
    if arguments.out is None:
        raise BadInputError("The private half is never printed.", advice="Name a file: --out FILE")
    _refuse_when_read_only(context, session)
    ring = await unlocked_ring(context, store_of(context, session), version.version)
    secret = await secret_from(
        context,
        arguments.export_passphrase_file,
        "Passphrase of the export",
        option="--export-passphrase-file",
        twice=True,
    )
    await context.carry_out(await plan_export_private(ring.key(version.version), arguments.out, secret))
    _tell_version(context, version, out=str(arguments.out))
    context.output.message(f"The private half of {version.label} is in {arguments.out}, encrypted.")


async def submit_key(context: Context) -> None:
    """Handle `key submit`."""
    from core.keys.planning import plan_submit
    from core.keys.versions import Side, key_versions

    session = await context.session()
    number = context.arguments.number
    await context.carry_out(plan_submit(await key_versions(session.journal), number))
    await _tell_state(context, session, Side.PARTNER, number)
    context.output.message(
        f"Partner key {number} is submitted. When DataLens has confirmed it: housekeys key activate {number}"
    )


async def activate_key(context: Context) -> None:
    """Handle `key activate`."""
    from core.keys.planning import plan_activate
    from core.keys.versions import Side, key_versions

    session = await context.session()
    number = context.arguments.number
    change = plan_activate(await key_versions(session.journal), number)
    await context.carry_out(change)
    await _tell_state(context, session, Side.PARTNER, number)
    context.output.message(f"Tokens are signed with partner key {number} from now on.")
    for sentence in change.consequences:
        context.output.message(f"  ! {sentence}")


async def retire_key(context: Context) -> None:
    """Handle `key retire`."""
    from core.keys.planning import plan_retire
    from core.keys.versions import find, key_versions
    from core.tokens.ledger import pending_by_version, tokens_issued

    session = await context.session()
    side, number = _side(context), context.arguments.number
    versions = await key_versions(session.journal)
    unused = pending_by_version(await tokens_issued(session.journal))[side, number]
    change = plan_retire(versions, side, number, unused)
    await context.carry_out(change)
    await _tell_state(context, session, side, number)
    context.output.message(f"{find(versions, side, number).label} is retired.")


async def change_passphrase(context: Context) -> None:
    """Handle `key passphrase`."""
    from core.keys.planning import plan_change_passphrase
    from core.keys.versions import key_versions

    session = await context.session()
    store = store_of(context, session)
    _refuse_when_read_only(context, session)
    arguments = context.arguments
    encrypted = any(store.read(number).encrypted for number in store.versions())
    old = await context.passphrase(f"{PARTNER_KEYS}, as it is now") if encrypted else None
    new = None
    if not arguments.no_passphrase:
        file = arguments.new_passphrase_file
        new = await secret_from(context, file, "New passphrase", option="--new-passphrase-file", twice=True)
    change = await plan_change_passphrase(
        store, await key_versions(session.journal), old, await at_rest(context, secret=new)
    )
    await context.carry_out(change)
    context.output.message("Done. Copies of the key files made earlier still open with the old passphrase.")


async def repair_store(context: Context) -> None:
    """Handle `key repair`."""
    from core.keys.planning import plan_repair

    change = plan_repair(store_of(context, await context.session()))
    if not change.steps:
        context.output.message(f"{change.title}.")
        return
    report = await context.carry_out(change)
    for step in report.change.steps:
        context.output.message(f"Done: {step.title}.")


def _refuse_when_read_only(context: Context, session: Session) -> None:
    """Before a passphrase is asked for: it would be typed in vain."""
    if session.read_only.active and not context.arguments.dry_run:
        raise RefusedError(f"Read-only ({session.read_only.reason}): nothing was changed.", advice="Use --write.")
