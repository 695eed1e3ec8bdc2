"""`housekeys token`: DataLens access tokens."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError, ExitCode, NotFoundError, RefusedError
from tui.cli.unlocking import add_passphrase_option, read_pem, secret_from, store_of, unlocked_ring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from core.keys.versions import IssuingKeys
    from core.session import Session
    from core.tokens.issuing import Issuer
    from core.tokens.ledger import Reissue
    from core.tokens.planning import Issuing
    from tui.cli.arguments import Frame
    from tui.cli.context import Context

NOUN = "token"
STATES = ("delivered", "used", "void")
LONGEST_PASTED = 64 * 1024  # characters; a token has about 700


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """The verbs of `token`."""
    _add_issue(verbs, frame)
    _add_verify(verbs, frame)
    listing = frame.verb(
        verbs,
        "list",
        list_tokens,
        "list the tokens that were issued",
        examples=["housekeys token list", "housekeys token list --tenant acme_prod --json"],
    )
    listing.add_argument("--tenant", metavar="NAME", help="only those of one tenant")
    listing.add_argument("--state", choices=("issued", *STATES), help="only those in this state")
    mark = frame.verb(
        verbs,
        "mark",
        mark_token,
        "record that a token was delivered or used, or is void",
        description="Record that a token was delivered or used, or is void. This changes nothing at DataLens, which "
        "cannot revoke a single token: suspend the tenant to cut a client off, or retire the key version and ask "
        "DataLens to drop it.",
        examples=["housekeys token mark a41f09c2 delivered", "housekeys token mark a41f09c2 void --note 'sent twice'"],
    )
    mark.add_argument("fingerprint", metavar="FINGERPRINT", help="the token's fingerprint, or its first digits")
    mark.add_argument("state", metavar="STATE", choices=STATES, help="delivered, used or void")
    mark.add_argument("--note", default="", metavar="TEXT", help="a note for the journal")
    reissue = frame.verb(
        verbs,
        "reissue",
        reissue_tokens,
        "make tokens anew that a rotation of keys leaves behind",
        description="Make anew every token that is not known to be used and was made with other than the current key "
        "versions. The new ones go to a CSV file, the old ones are marked void. --dry-run lists what would be done.",
        examples=["housekeys token reissue --dry-run --out new.csv", "housekeys token reissue --out new.csv"],
    )
    reissue.add_argument("--out", type=Path, required=True, metavar="FILE", help="the CSV file to make (0600)")
    add_passphrase_option(reissue)


def _add_issue(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "issue",
        issue_tokens,
        "issue access tokens",
        description="Issue an access token for each TENANT and print it, one a line in the order of the names, and "
        "nothing else. With --out they go to a CSV file instead.",
        examples=[
            "housekeys token issue acme_prod",
            "housekeys token issue acme_prod --passphrase-file ~/.housekeys-passphrase | pbcopy",
            "housekeys token issue --all --out tokens.csv",
        ],
    )
    parser.add_argument("tenants", nargs="*", metavar="TENANT", help="the tenants")
    parser.add_argument("--all", action="store_true", help="every active tenant; needs --out")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a CSV file (0600), which must not exist")
    parser.add_argument("--note", default="", metavar="TEXT", help="a note for the journal")
    add_passphrase_option(parser)


def _add_verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    parser = frame.verb(
        verbs,
        "verify",
        verify_token,
        "check a token: structure, versions, signature, ledger",
        description="Check a token: its structure, its versions, its signature, and what the ledger says of it. The "
        "database in it can only be read with DataLens's private key; give one with --datalens-key for testing.",
        examples=["housekeys token verify token.txt", "housekeys token issue acme_prod | housekeys token verify -"],
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="a file with the token, - for stdin")
    parser.add_argument("--datalens-key", metavar="FILE", help="a private key of the DataLens side (PEM), for testing")
    parser.add_argument("--datalens-passphrase-file", type=Path, metavar="FILE", help="its passphrase, if it has one")


async def issue_tokens(context: Context) -> None:
    """Handle `token issue`."""
    from core.keys.versions import issuing_keys, key_versions
    from core.tokens.planning import plan_issue, require_tenants

    arguments = context.arguments
    _check_issue(arguments)
    session = await context.session()
    tenants = await _all_active(session) if arguments.all else list(arguments.tenants)
    keys = issuing_keys(await key_versions(session.journal))
    user = session.profile.datalens.user
    if arguments.dry_run:
        await require_tenants(session.engine, tenants, user)
        _show_issue_plan(context, keys, tenants)
        return
    issuer = await _issuer(context, session, keys)
    issuing = await plan_issue(
        session.engine,
        issuer,
        tenants,
        datalens_user=user,
        note=arguments.note,
        out=arguments.out,
        progress=_progress(context),
    )
    await context.carry_out(issuing.change)
    _hand_out(context, issuing)


def _check_issue(arguments: argparse.Namespace) -> None:
    if arguments.all == bool(arguments.tenants):
        raise BadInputError("Name tenants, or say --all.", advice="Example: housekeys token issue acme_prod")
    if arguments.all and arguments.out is None:
        raise BadInputError("--all needs a file for the tokens.", advice="Add --out FILE.")


async def _all_active(session: Session) -> list[str]:
    from core.tenants.listing import list_tenants
    from core.tenants.model import TenantState

    tenants = await list_tenants(
        session.engine,
        session.journal,
        datalens_user=session.profile.datalens.user,
        capabilities=session.capabilities,
    )
    return [tenant.name for tenant in tenants if tenant.state is TenantState.ACTIVE]


def _show_issue_plan(context: Context, keys: IssuingKeys, tenants: list[str]) -> None:
    from tui.cli.output import Column

    versions = {"datalens_key_version": keys.datalens.version, "partner_key_version": keys.partner.version}
    columns = (
        Column("tenant", "TENANT"),
        Column("datalens_key_version", "DATALENS KEY", "right"),
        Column("partner_key_version", "PARTNER KEY", "right"),
    )
    context.output.rows(columns, [{"tenant": tenant} | versions for tenant in tenants])
    context.output.message(f"{len(tenants):,} to be issued; nothing was (--dry-run).")


def _hand_out(context: Context, issuing: Issuing) -> None:
    """Give the tokens away, now that the ledger has them: to stdout, unless they are in a file."""
    out: Path | None = context.arguments.out
    tokens = issuing.tokens
    shown = [
        {
            "tenant": token.tenant,
            "fingerprint": token.fingerprint,
            "datalens_key_version": token.datalens_version,
            "partner_key_version": token.partner_version,
        }
        for token in tokens
    ]
    if out is not None:
        if context.output.json:
            context.output.data(shown)
        context.output.message(f"{len(tokens):,} in {out}, which only you can read. Remove it when they are delivered.")
    elif context.output.json:
        context.output.data([row | {"token": token.text} for row, token in zip(shown, tokens, strict=True)])
    else:
        for token in tokens:
            context.output.text(token.text)


async def _issuer(context: Context, session: Session, keys: IssuingKeys) -> Issuer:
    """What makes the tokens, its key unlocked. Refused in read-only mode before a passphrase is asked for."""
    import asyncio

    from core.keys.self_test import self_test
    from core.tokens.planning import issuer_for

    if session.read_only.active:
        reason = session.read_only.reason
        raise RefusedError(f"Read-only ({reason}): no token was issued.", advice="Use --write to override, if you may.")
    (await asyncio.to_thread(self_test)).require()
    ring = await unlocked_ring(context, store_of(context, session), keys.partner.version)
    return issuer_for(keys, ring)


def _progress(context: Context) -> Callable[[int, int], None] | None:
    """Progress on a terminal, for so many tokens that it can be seen."""
    if not context.interactive:
        return None
    stderr = context.output.stderr

    def show(done: int, total: int) -> None:
        if total >= 1000:
            stderr.write(f"\r\x1b[K{done:,} of {total:,} tokens" if done < total else "\r\x1b[K")
            stderr.flush()

    return show


async def verify_token(context: Context) -> ExitCode:
    """Handle `token verify`."""
    import asyncio

    from core.keys.versions import key_versions
    from core.tokens.ledger import find_token
    from core.tokens.verifying import verify

    session = await context.session()
    pasted = await asyncio.to_thread(_pasted, context)
    datalens_key = await _datalens_key(context)
    journal = session.journal
    found = await verify(
        pasted, await key_versions(journal), lambda fingerprint: find_token(journal, fingerprint), datalens_key
    )
    words = {True: "ok", False: "FAILED", None: "note"}
    fields = {finding.check: f"{words[finding.passed]}: {finding.message}" for finding in found.findings}
    value = {
        "valid": found.passed,
        "fingerprint": found.fingerprint,
        "tenant": found.issued.tenant if found.issued else None,
        "state": found.issued.state.value if found.issued else None,
        "database": found.database,
        "findings": [{"check": f.check, "passed": f.passed, "message": f.message} for f in found.findings],
    }
    context.output.record({"fingerprint": found.fingerprint} | fields, value)
    return ExitCode.DONE if found.passed else ExitCode.FAILED


def _pasted(context: Context) -> str:
    """The text to verify, from a file or standard input. Raises NotFoundError, BadInputError."""
    name: str = context.arguments.file
    try:
        if name == "-":
            text = context.stdin.read(LONGEST_PASTED + 1)
        else:
            with Path(name).open(encoding="utf-8", errors="replace") as file:
                text = file.read(LONGEST_PASTED + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {name}.") from error
    except OSError as error:
        raise BadInputError(f"{name} cannot be read: {error.strerror}.") from error
    if not text.strip():
        raise BadInputError("There is no token to verify.", advice="Give a file, or the token on standard input.")
    if len(text) > LONGEST_PASTED:
        raise BadInputError("This is too long for a token.")
    return text


async def _datalens_key(context: Context) -> rsa.RSAPrivateKey | None:
    import asyncio

    from core.keys.rsa_keys import is_encrypted, load_private

    arguments = context.arguments
    if arguments.datalens_key is None:
        return None
    if arguments.file == arguments.datalens_key == "-":
        raise BadInputError("Standard input cannot be both the token and the key.")
    pem = await read_pem(context, arguments.datalens_key)
    secret = None
    if is_encrypted(pem):
        file = arguments.datalens_passphrase_file
        secret = await secret_from(context, file, "Passphrase of the DataLens key", option="--datalens-passphrase-file")
    return await asyncio.to_thread(load_private, pem, secret)


async def list_tokens(context: Context) -> None:
    """Handle `token list`."""
    from datetime import UTC, datetime

    from core.display import relative_time
    from core.tokens.ledger import tokens_issued
    from tui.cli.output import Column

    session = await context.session()
    tokens = await tokens_issued(session.journal)
    arguments = context.arguments
    now = datetime.now(UTC)
    columns = (
        Column("fingerprint", "TOKEN", show=lambda mark: str(mark)[:12]),
        Column("tenant", "TENANT"),
        Column("state", "STATE"),
        Column("issued", "ISSUED", show=lambda moment: relative_time(moment, now)),
        Column("operator", "BY"),
        Column("datalens_key_version", "DATALENS KEY", "right"),
        Column("partner_key_version", "PARTNER KEY", "right"),
        Column("note", "NOTE", show=lambda note: note or "-"),
    )
    rows = [
        {
            "fingerprint": token.fingerprint,
            "tenant": token.tenant,
            "state": token.state.value,
            "state_since": token.state_since,
            "issued": token.issued,
            "operator": token.operator,
            "datalens_key_version": token.datalens_version,
            "partner_key_version": token.partner_version,
            "note": token.note,
        }
        for token in reversed(tokens)
        if arguments.tenant in (None, token.tenant) and arguments.state in (None, token.state.value)
    ]
    context.output.rows(columns, rows, empty="No tokens.")


async def mark_token(context: Context) -> None:
    """Handle `token mark`."""
    from core.display import one_line
    from core.tokens.ledger import TokenState, by_prefix, tokens_issued
    from core.tokens.planning import plan_mark

    session = await context.session()
    token = by_prefix(await tokens_issued(session.journal), context.arguments.fingerprint)
    change = plan_mark([token], TokenState(context.arguments.state), context.arguments.note)
    await context.carry_out(change)
    if context.output.json:
        state = context.arguments.state
        context.output.data({"fingerprint": token.fingerprint, "tenant": token.tenant, "state": state})
    shown = f"Token {token.fingerprint[:12]} for {one_line(token.tenant)} is marked {context.arguments.state}."
    context.output.message(f"{shown} {change.consequences[0]}")


async def reissue_tokens(context: Context) -> None:
    """Handle `token reissue`."""
    from core.display import one_line
    from core.keys.versions import issuing_keys, key_versions
    from core.tokens.ledger import to_reissue, tokens_issued
    from core.tokens.planning import plan_reissue

    session = await context.session()
    versions = await key_versions(session.journal)
    keys = issuing_keys(versions)
    wanted = to_reissue(await tokens_issued(session.journal), versions)
    if context.arguments.dry_run or not wanted:
        _show_reissue_plan(context, wanted)
        return
    issuer = await _issuer(context, session, keys)
    issuing = await plan_reissue(
        session.engine,
        issuer,
        wanted,
        datalens_user=session.profile.datalens.user,
        out=context.arguments.out,
        progress=_progress(context),
    )
    await context.carry_out(issuing.change)
    _hand_out(context, issuing)
    for tenant, reason in issuing.skipped.items():
        context.output.message(f"  skipped: {one_line(tenant)}: {reason}")
    if issuing.skipped:
        context.exit_code = ExitCode.FAILED


def _show_reissue_plan(context: Context, wanted: list[Reissue]) -> None:
    from tui.cli.output import Column

    columns = (
        Column("fingerprint", "TOKEN", show=lambda mark: str(mark)[:12]),
        Column("tenant", "TENANT"),
        Column("state", "STATE"),
        Column("reasons", "WHY", show="; ".join),
    )
    rows = [
        {
            "fingerprint": entry.token.fingerprint,
            "tenant": entry.token.tenant,
            "state": entry.token.state.value,
            "reasons": list(entry.reasons),
        }
        for entry in wanted
    ]
    context.output.rows(columns, rows, empty="There is no token to reissue.")
