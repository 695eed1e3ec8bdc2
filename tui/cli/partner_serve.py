"""`housekeys partner serve`: the Connect API for Databricks, and the pages that it leads users to."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError, HousekeysError, RefusedError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    from core.partner.partner_connections import PartnerConnections
    from core.partner.provisioning.prerequisites import Unmet
    from core.partner.service.listening import Listener
    from core.partner.service.tls import ServerCertificate
    from core.profiles.partner import ServicePolicy
    from tui.cli.context import Context


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verb."""
    serve = frame.verb(
        verbs,
        "serve",
        serve_partner,
        "answer Databricks, until SIGTERM or Ctrl-C",
        description="Answer the Connect API for Databricks, and show users its pages, as the profile\n"
        "says in [profiles.NAME.partner]. On SIGTERM /health/ready says 503 for three\n"
        "seconds while balancers turn away; then nothing new is taken, and what is under\n"
        "way is finished. SIGHUP loads a renewed certificate, and takes up new sealing\n"
        "keys. Until the quota and the settings profile that the profile names are there,\n"
        "/health/ready says 503 and what is missing.",
        examples=(
            "housekeys -p prod partner serve --create-tables",
            "housekeys -p prod partner serve --listen 0.0.0.0:443 --certificate chain.pem --private-key key.pem",
            "housekeys -p prod partner serve --unix /run/housekeys/partner.sock",
        ),
    )
    where = serve.add_mutually_exclusive_group()
    where.add_argument("--listen", metavar="HOST:PORT", help="instead of service.listen; port 0: any that is free")
    where.add_argument("--unix", type=Path, metavar="PATH", help="listen on a socket file, for a proxy beside it")
    serve.add_argument("--certificate", type=Path, metavar="FILE", help="PEM, with its chain; speak TLS")
    serve.add_argument("--private-key", type=Path, metavar="FILE", help="PEM (default: in the same file)")
    serve.add_argument("--create-tables", action="store_true", help="create missing tables without asking")


async def serve_partner(context: Context) -> None:
    """Handle `partner serve`."""
    try:
        import core.partner.service.pages
        import core.partner.service.serving  # noqa: F401  # are the libraries there? Before anything is begun
    except ModuleNotFoundError as error:
        raise HousekeysError(
            f"The service needs {error.name}, which is not installed.", advice="Run: pip install 'housekeys[partner]'"
        ) from error
    from core.partner.serving_parts import policy_of

    policy = _service_policy(context, policy_of(context.profile_file.profile(context.profile_name)).service)
    certificate, listener = _entrance(context, policy)
    try:
        await _serve(context, listener, certificate)
    finally:
        listener.close()


def _service_policy(context: Context, policy: ServicePolicy) -> ServicePolicy:
    """How the service listens by the profile, and by what was given instead."""
    arguments = context.arguments
    if arguments.private_key is not None and arguments.certificate is None:
        raise BadInputError("--private-key needs --certificate beside it.")
    if arguments.certificate is not None:
        policy = replace(policy, certificate=arguments.certificate, private_key=arguments.private_key)
    return replace(policy, listen=arguments.listen) if arguments.listen else policy


def _entrance(context: Context, policy: ServicePolicy) -> tuple[ServerCertificate | None, Listener]:
    """The certificate and the bound socket: what is wrong with them is told before a secret is asked for."""
    from core.partner.service.listening import Listener
    from core.partner.service.tls import ServerCertificate

    certificate = ServerCertificate(policy.certificate, policy.private_key) if policy.certificate else None
    unix: Path | None = context.arguments.unix
    return certificate, Listener.unix(unix) if unix is not None else Listener.tcp(policy.listen)


async def _serve(context: Context, listener: Listener, certificate: ServerCertificate | None) -> None:
    from core.partner.service.metrics import Metrics
    from core.partner.service.pages import page_routes
    from core.partner.service.serving import serve
    from core.partner.serving_parts import ServingParts, open_sealing_keys, sealing_keys_again

    session = await context.session()
    if session.read_only.active and not context.arguments.dry_run:
        raise RefusedError(
            f"Read-only ({session.read_only.reason}): a service makes databases and users.",
            advice="Use --write to override, if you may.",
        )
    connections = session.partner_connections
    await _ensure_tables(context, connections)
    keys = await open_sealing_keys(
        session.profile, context.paths, context.prompt_secret if context.interactive else None
    )
    if not await connections.credentials():
        context.output.message(
            "Note: there is no credential yet, so every call is answered 401: housekeys partner credential add"
        )
    parts = await ServingParts.open(
        session.partner_ground, keys, read_keys=sealing_keys_again(session.profile, context.paths)
    )
    try:
        await parts.start()
        _tell_unmet(context, parts.prerequisites.unmet)
        writer = parts.requests
        metrics = Metrics(
            lambda: float(writer.waiting), lambda: float(writer.dropped), lambda: float(len(parts.missing()))
        )
        await serve(
            parts,
            listener,
            certificate=certificate,
            pages=page_routes(parts.policy, parts.reception, parts.config.name),
            metrics=metrics,
            tell=lambda url: _tell_where(context, url),
            renew=parts.renew_keys,
        )
    finally:
        await parts.aclose()


async def _ensure_tables(context: Context, connections: PartnerConnections) -> None:
    """Create what is missing of the tables, down the one road; a dry run ends here."""
    change = await connections.plan_tables()
    if context.arguments.create_tables:
        context.arguments.yes = True
    if change.steps or context.arguments.dry_run:
        await context.carry_out(change, always_ask=True)  # who starts a service need not expect it


def _tell_unmet(context: Context, found: Sequence[Unmet]) -> None:
    """A service begins all the same: it is ready as soon as what is missing has been made."""
    for unmet in found:
        state = "Not ready" if unmet.seen else "Note"
        context.output.message(f"{state}: {context.profile_file.place(unmet.path)}: {unmet}")


def _tell_where(context: Context, url: str) -> None:
    import json

    context.output.text(json.dumps({"url": url}) if context.output.json else f"Listening on {url}")
    context.output.stdout.flush()
