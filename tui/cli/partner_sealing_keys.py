"""`housekeys partner sealing-key`: the keys under which the secrets of partner connections are sealed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, ExitCode, HousekeysError, RefusedError
from tui.cli.arguments import Frame
from tui.cli.unlocking import secret_from

if TYPE_CHECKING:
    from core.partner.security.sealing_keys import SealingKeyStore
    from core.secrets import Secret
    from tui.cli.context import Context

LABEL = "Passphrase of the sealing keys"


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verb `sealing-key` with its own."""
    frame.group(verbs, "sealing-key", "keys that seal the secrets of partner connections", _add_inner_verbs)


def _add_inner_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    new = frame.verb(
        verbs,
        "new",
        new_key,
        "make a sealing key, or the next one",
        description="Make a sealing key, or the next one: a service that starts afterwards seals\n"
        "with it, and opens with all. The passphrase is read from --passphrase-file,\n"
        "else from where sealing_keys of the profile says, else asked for. What is\n"
        "sealed can be opened by nobody when the keys are lost: keep a copy of the\n"
        "file, and the passphrase elsewhere.",
        examples=("housekeys partner sealing-key new", "housekeys partner sealing-key new --passphrase-file /etc/pass"),
    )
    _add_passphrase_option(new)
    frame.verb(
        verbs,
        "list",
        list_keys,
        "list the sealing keys on this machine, and how many connections need each",
        examples=("housekeys partner sealing-key list", "housekeys partner sealing-key list --json"),
    )
    export = frame.verb(
        verbs,
        "export",
        export_keys,
        "write all keys as one text, for a vault that several hosts read",
        description="Write all sealing keys of this machine into a file that only you may read: one\n"
        "text, the newest key first. Put it into your vault and remove the file. A host\n"
        'whose profile says sealing_keys = "command:..." or "env:..." for that text\n'
        "needs no key of its own.",
        examples=("housekeys partner sealing-key export --output sealing-keys.txt",),
    )
    export.add_argument("--output", type=Path, required=True, metavar="FILE", help="a new file, made for you alone")
    _add_passphrase_option(export)


def _add_passphrase_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="read the passphrase from FILE, which only you may read",
    )


async def new_key(context: Context) -> None:
    """Handle `partner sealing-key new`."""
    from core.partner.security.sealing_keys import plan_sealing_key

    session = await context.session()
    if session.read_only.active and not context.arguments.dry_run:  # before a passphrase is typed in vain
        raise RefusedError(f"Read-only ({session.read_only.reason}): nothing was changed.", advice="Use --write.")
    store = await _store(context)
    change = await plan_sealing_key(store, await _passphrase(context, twice=not store.versions()))
    report = await context.carry_out(change)
    newest = _rows(store)[0]
    if context.output.json:
        context.output.data({"change": report.change_id, **newest})
    context.output.message(f"{newest['file']}: sealing key {newest['version']}, id {newest['id']}.")
    context.output.message("Keep a copy of the file, and reload the services (SIGHUP): they seal with it then.")


async def list_keys(context: Context) -> None:
    """Handle `partner sealing-key list`."""
    from core.display import count
    from tui.cli.output import Column

    sealed, lacking = await _connections_by_key(context)
    rows = [row | {"connections": len(sealed.pop(row["id"], ()))} for row in _rows(await _store(context))]
    if lacking:  # the files are worth seeing without it
        rows = [row | {"connections": None} for row in rows]
        context.output.message(f"Note: how many connections need each is not known, for you lack {lacking}.")
    columns = [
        Column("version", "VERSION", "right"),
        Column("id", "ID"),
        Column("use", "USE"),
        Column("connections", "CONNECTIONS", "right", count),
        Column("file", "FILE"),
    ]
    empty = "There is no sealing key yet. Make one: housekeys partner sealing-key new"
    context.output.rows(columns, rows, empty=empty)
    if any(row["use"] == "unreadable" for row in rows):
        context.exit_code = ExitCode.FAILED
    for row in rows:
        if row["problem"]:
            context.output.message(f"Warning: {row['problem']}")
    for id, connections in sealed.items():  # that of another host, or one that is lost
        needed = "1 connection needs" if len(connections) == 1 else f"{len(connections):,} connections need"
        context.output.message(f"Note: {needed} sealing key {id}, which is not here.")


async def _connections_by_key(context: Context) -> tuple[dict[str, Any], str]:
    """Which partner connections need each key; or none, and the right that is lacking to read it."""
    from core.clickhouse.errors import NoRightError

    try:
        return dict(await (await context.session()).partner_connections.sealed_table.by_key()), ""
    except NoRightError as error:
        return {}, error.missing


async def export_keys(context: Context) -> None:
    """Handle `partner sealing-key export`."""
    import asyncio

    from core.partner.security.sealing_keys import plan_export

    store = await _store(context)
    keys = await asyncio.to_thread(store.open, await _passphrase(context))
    file = context.arguments.output
    report = await context.carry_out(plan_export(keys, file))
    if context.output.json:
        context.output.data({"change": report.change_id, "file": file, "ids": list(keys.ids)})
    keys_told = "1 sealing key" if len(keys.ids) == 1 else f"{len(keys.ids)} sealing keys"
    context.output.message(f"{file}: {keys_told}. Whoever has it can open what is sealed.")


async def _store(context: Context) -> SealingKeyStore:
    from core.partner.security.sealing_keys import SealingKeyStore

    profile = (await context.session()).profile
    return SealingKeyStore(profile.key_folder(context.paths))


async def _passphrase(context: Context, *, twice: bool = False) -> Secret:
    """The passphrase from the option, from where the profile says, or asked for. Nobody need type one for a dry run."""
    from core.partner.security.sealing_keys import SealingKeys
    from core.secrets import Kind

    policy = (await context.session()).profile.partner
    reference = policy.sealing_keys if policy else None
    file = context.arguments.passphrase_file
    if file is None and reference is not None and reference.kind is not Kind.PROMPT:
        secret = await reference.resolve(None, label=LABEL)
        if SealingKeys.is_text(secret):
            raise BadInputError(
                "The profile takes the keys as a text, not those of this machine.",
                advice="Name the passphrase of those here: --passphrase-file FILE",
            )
        return secret
    return await secret_from(context, file, LABEL, option="--passphrase-file", twice=twice)


def _rows(store: SealingKeyStore) -> list[dict[str, Any]]:
    """The keys, the newest first, as their files say without a passphrase."""
    rows: list[dict[str, Any]] = []
    for version in store.versions():
        use = "opens" if rows else "seals"
        try:
            id, problem = store.id(version), ""
        except HousekeysError as error:
            id, use, problem = None, "unreadable", str(error)
        rows.append({"version": version, "id": id, "use": use, "file": str(store.path(version)), "problem": problem})
    return rows
