"""What the nouns `key` and `token` share: the key store of a profile, passphrases, PEM files, unlocking."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError

if TYPE_CHECKING:
    from core.keys.key_ring import KeyRing
    from core.keys.key_store import KeyStore
    from core.keys.planning import AtRest
    from core.secrets import Secret
    from core.session import Session
    from tui.cli.context import Context

PARTNER_KEYS = "Passphrase of the partner keys"


def add_passphrase_option(parser: argparse.ArgumentParser) -> None:
    """--passphrase-file; without it the passphrase is HOUSEKEYS_PASSPHRASE, or asked for."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="read the passphrase of the partner keys from FILE, which only you may read "
        "(otherwise HOUSEKEYS_PASSPHRASE, or a prompt)",
    )


def add_unprotected_options(parser: argparse.ArgumentParser) -> None:
    """--no-passphrase, which takes --insecure as well."""
    parser.add_argument("--no-passphrase", action="store_true", help="keep the key without a passphrase")
    parser.add_argument("--insecure", action="store_true", help="insist on --no-passphrase")


def store_of(context: Context, session: Session) -> KeyStore:
    """The key store of the profile. Says on stderr what is wrong with it."""
    from core.display import one_line
    from core.keys.key_store import KeyStore

    store = KeyStore(session.profile.key_folder(context.paths))
    for problem in store.problems():
        advice = " Close it: housekeys key repair" if problem.repairable else ""
        context.output.message(f"Warning: {one_line(str(problem.path))}: {problem.what.rstrip('.')}.{advice}")
    return store


async def at_rest(context: Context, secret: Secret | None = None) -> AtRest:
    """How a key will lie on disk: in the open where the options insist on it, else under `secret` or the passphrase
    that is asked for (twice)."""
    from core.keys.planning import AtRest

    if context.arguments.no_passphrase:
        return AtRest(None, insist_unprotected=context.arguments.insecure)
    if context.arguments.insecure:
        raise BadInputError("--insecure means nothing without --no-passphrase.")
    if secret is None and context.arguments.dry_run:
        import secrets

        from core.secrets import Secret

        secret = Secret(secrets.token_urlsafe())  # for a file that is never written: nobody need type one
    return AtRest(secret or await context.passphrase(PARTNER_KEYS, twice=True))


async def unlocked_ring(context: Context, store: KeyStore, version: int) -> KeyRing:
    """A ring in which `version` is unlocked; the passphrase is asked for only if the key has one."""
    from core.keys.key_ring import KeyRing

    ring = KeyRing(store, idle_seconds=0)
    secret = await context.passphrase(PARTNER_KEYS) if await ring.needs_passphrase(version) else None
    await ring.unlock([version], secret)
    return ring


async def secret_from(context: Context, file: Path | None, label: str, *, option: str, twice: bool = False) -> Secret:
    """A passphrase from `file`, or asked for. Raises BadInputError, RefusedError (nobody to ask: names `option`)."""
    from core.errors import RefusedError
    from core.secrets import Kind, SecretReference

    if file is not None:
        return await SecretReference(Kind.FILE, (str(file),)).resolve()
    if not context.interactive:
        raise RefusedError(f"{label} is needed, and there is no terminal to ask at.", advice=f"Use {option} FILE.")
    first = await context.prompt_secret(label)
    if first is None:
        raise BadInputError("An empty passphrase protects nothing.")
    if twice:
        second = await context.prompt_secret(f"{label}, again")
        if second is None or not first.matches(second):
            raise BadInputError("The two entries differ. Nothing was changed.")
    return first


async def read_pem(context: Context, name: str) -> bytes:
    """The content of a key file, `-` for standard input. Raises NotFoundError, BadInputError."""
    import asyncio

    from core.keys import pem_files

    if name == "-":
        return (await asyncio.to_thread(context.stdin.read)).encode("utf-8", "surrogateescape")
    return await pem_files.read_pem(Path(name))
