"""A closer look at a server that hangs up on the first request: the HTTP client cannot say why, a bare socket can.

A server that wants TLS, or a client certificate, answers with a TLS alert that gets lost in the client's layers.
"""

from __future__ import annotations

import socket
import ssl

from core.clickhouse.server_failures import explain_failure, wrong_protocol
from core.clickhouse.server_options import ServerOptions
from core.errors import HousekeysError, UnreachableError

_REQUEST = b"GET /ping HTTP/1.0\r\n\r\n"
_LISTEN_SECONDS = 2.0  # an alert follows the handshake at once
_ALERT = b"\x15\x03"  # how a TLS record with an alert begins


def look_closer(options: ServerOptions) -> HousekeysError | None:
    """Why the server of `options` hangs up, or None when that cannot be seen. Blocks: run it in a thread."""
    try:
        answer = _ask(options)
    except ssl.SSLError as error:
        return explain_failure(error, options)
    except OSError:
        return None
    if options.secure and not answer and not options.client_certificate:
        return UnreachableError(
            f"{options.address} hung up right after TLS began; it seems to want a client certificate.",
            advice="Set client_certificate and client_key in the tls part of the profile to a pair the server trusts.",
        )
    if options.secure or (answer and not answer.startswith(_ALERT)):
        return None
    if answer or _speaks_tls(options):
        return wrong_protocol(options, "")
    return None


def _ask(options: ServerOptions) -> bytes:
    """The first bytes that come: without TLS in answer to a ping, with TLS after the handshake. Raises OSError."""
    with socket.create_connection((options.host, options.port), options.connect_timeout) as plain:
        if not options.secure:
            plain.sendall(_REQUEST)
            return plain.recv(64)
        with _context(options).wrap_socket(plain, server_hostname=options.host) as secured:
            # Nothing is sent: a request on its way would have the connection reset and the alert lost.
            secured.settimeout(min(options.connect_timeout, _LISTEN_SECONDS))
            return secured.recv(64)


def _context(options: ServerOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file)
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_certificate:
        context.load_cert_chain(options.client_certificate, options.client_key, password=lambda: "")
    return context


def _speaks_tls(options: ServerOptions) -> bool:
    """Whether a TLS handshake gets an answer there, whoever it is: nothing is sent and nothing believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((options.host, options.port), options.connect_timeout) as plain,
            context.wrap_socket(plain, server_hostname=options.host),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
