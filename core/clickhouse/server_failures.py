"""What went wrong between here and a server, told from the exceptions of the driver and its HTTP client.

Everything that is not ClickHouse's own answer ends here: the name cannot be resolved, nobody listens, TLS fails, the
port speaks another protocol, a proxy answers instead, the answer breaks off. The driver is not imported here: its
exceptions are told by their names, so that this module costs nothing at the start.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl

from core.clickhouse.errors import explain, redact
from core.clickhouse.server_options import ServerOptions
from core.display import one_line
from core.error_causes import causes
from core.errors import HousekeysError, UnreachableError

_NATIVE_PORTS = frozenset({9000, 9440})
_TLS_PORTS = frozenset({443, 8443, 9440})
_PORTS = "ClickHouse's HTTP interface is usually on port 8443 (TLS) or 8123 (no TLS)."
_BODY_LIMIT = 2000  # characters of a foreign answer kept for the detail view

# The driver's wording, clickhouse_connect/driver/_backend/httpcommon.py: build_http_error.
_ANSWER = re.compile(r"server response: (.*?)(?: \(for url [^()]*\))?\Z", re.DOTALL)
_STATUS = re.compile(r"HTTP driver received HTTP status (\d+)")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
_CLICKHOUSE = re.compile(r"\bCode: \d+\. DB::Exception")
_PLAIN_TO_TLS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server", re.IGNORECASE)
_NO_CERTIFICATE = re.compile(r"No required SSL certificate was sent|SSL certificate error", re.IGNORECASE)

# OpenSSL reasons, https://docs.openssl.org/master/man3/ERR_GET_REASON and `ssl.SSLError.reason`.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
_CERTIFICATE_WANTED = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"}
    | {"TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_ACCESS_DENIED"}
    | {"SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_NO_CERTIFICATE"}
)
_OLD_TLS = frozenset({"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION"})
_VERIFY_HOST = 62  # X509_V_ERR_HOSTNAME_MISMATCH
_VERIFY_IP = 64  # X509_V_ERR_IP_ADDRESS_MISMATCH
_VERIFY_TIME = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED

_LOST = frozenset({"ServerDisconnectedError", "ClientOSError", "ClientPayloadError", "ClientConnectionResetError"})
_SLOW = frozenset({"ConnectionTimeoutError", "SocketTimeoutError", "ServerTimeoutError"})


class ConnectionLostError(UnreachableError):
    """The connection broke while a statement was under way: it may have been carried out or not."""


def explain_failure(error: BaseException, options: ServerOptions) -> HousekeysError:
    """The error an operator gets for `error`, raised by the driver while talking to the server of `options`."""
    if isinstance(error, HousekeysError):
        return error
    text = str(error)
    code = getattr(error, "code", None)
    found = _ANSWER.search(text)
    answer = found.group(1) if found else text
    if isinstance(code, int) and type(error).__module__.startswith("clickhouse_connect."):
        return explain(code, answer)
    if status := _STATUS.search(text):
        return _foreign_answer(int(status.group(1)), answer if found else "", options)
    for cause in causes(error):
        if failure := _network_failure(cause, options):
            return failure
    if type(error).__name__ in {"StreamFailureError", "OperationalError"}:
        return _lost(options, text)
    return UnreachableError(
        f"{options.address} answered with something that is not ClickHouse's, or the answer was damaged on its way.",
        advice=f"Check host and port of the profile. {_PORTS}",
        detail=redact(f"{type(error).__name__}: {text}")[:_BODY_LIMIT],
    )


def _network_failure(error: BaseException, options: ServerOptions) -> HousekeysError | None:
    """The failure told by one exception of the HTTP client, the socket or TLS; None when it tells nothing."""
    kind = type(error).__name__
    # aiohttp's own kinds of SSLError hold the real one, and have no reason.
    if isinstance(error, ssl.SSLError) and hasattr(error, "reason"):
        return _tls_failure(error, options)
    if kind == "ClientConnectorDNSError" or isinstance(error, socket.gaierror):
        return UnreachableError(
            f"The name {options.host} cannot be resolved.",
            advice="Check host in the profile, and the name servers of this computer.",
            detail=str(error),
        )
    if kind in _SLOW or isinstance(error, TimeoutError):
        return no_answer(options)
    if isinstance(error, OSError) and (failure := _socket_failure(error, options)):
        return failure
    if kind in _LOST or isinstance(error, ConnectionError):
        return _lost(options, str(error))
    if kind == "ClientResponseError":
        return _not_http(options, str(getattr(error, "message", "")))
    return None


def no_answer(options: ServerOptions) -> UnreachableError:
    """Nothing came within the time for connecting."""
    return UnreachableError(
        f"{options.address} did not answer in time.",
        advice="Check host and port, the firewall on the way, and connect_timeout in the profile.",
    )


def _socket_failure(error: OSError, options: ServerOptions) -> HousekeysError | None:
    if error.errno == errno.ECONNREFUSED:
        return UnreachableError(
            f"Nothing listens on {options.address}: the connection was refused.",
            advice=f"Check that ClickHouse runs there, and the port. {_PORTS}",
            detail=str(error),
        )
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL}:
        return UnreachableError(
            f"There is no way to {options.address} from here: {error.strerror or 'unreachable'}.",
            advice="Check the network, a VPN, and host in the profile.",
            detail=str(error),
        )
    return None


def _lost(options: ServerOptions, detail: str) -> HousekeysError:
    if options.port in _NATIVE_PORTS or (not options.secure and options.port in _TLS_PORTS):
        return wrong_protocol(options, detail)
    return ConnectionLostError(
        f"The connection to {options.address} broke while a statement was under way.",
        advice="Try again. If it stays, look at the server's log and at proxies on the way.",
        detail=redact(detail),
    )


def wrong_protocol(options: ServerOptions, detail: str) -> UnreachableError:
    """The port speaks, but not what the options say."""
    if options.port in _NATIVE_PORTS:
        return UnreachableError(
            f"{options.address} is ClickHouse's native port, which Housekeys does not speak.",
            advice=f"Set the HTTP port in the profile. {_PORTS}",
            detail=detail,
        )
    if options.secure:
        return UnreachableError(
            f"{options.address} does not speak TLS.",
            advice=f"Set the TLS port in the profile, or https to http where the network is trusted. {_PORTS}",
            detail=detail,
        )
    return UnreachableError(
        f"{options.address} does not answer plain HTTP; it seems to expect TLS.",
        advice=f"Set the url of the profile to https. {_PORTS}",
        detail=detail,
    )


def _tls_failure(error: ssl.SSLError, options: ServerOptions) -> HousekeysError:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(error, options)
    if reason in _NOT_TLS:
        return wrong_protocol(options, str(error))
    if reason in _CERTIFICATE_WANTED:
        ours = "did not accept the client certificate" if options.client_certificate else "wants a client certificate"
        return UnreachableError(
            f"{options.address} {ours}.",
            advice="Set client_certificate and client_key in the tls part of the profile to a pair the server trusts.",
            detail=str(error),
        )
    if reason in _OLD_TLS:
        return UnreachableError(
            f"{options.address} offers only TLS versions that this computer no longer accepts.",
            advice="Have TLS 1.2 or newer enabled on the server.",
            detail=str(error),
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _lost(options, str(error))
    return UnreachableError(f"TLS with {options.address} failed: {one_line(reason or str(error))}.", detail=str(error))


def _not_trusted(error: ssl.SSLCertVerificationError, options: ServerOptions) -> UnreachableError:
    why = one_line(error.verify_message.rstrip("."))
    if error.verify_code in {_VERIFY_HOST, _VERIFY_IP}:
        advice = "Set host in the profile to a name the certificate is for, or have the certificate issued for it."
    elif error.verify_code in _VERIFY_TIME:
        advice = "Have the server's certificate renewed, and check the clock of this computer."
    elif options.ca_file:
        advice = (
            f"{options.ca_file} does not hold the CA that signed it; set ca_file in the profile to the one that did."
        )
    else:
        advice = (
            "The CAs of this computer did not sign it; set ca_file in the tls part of the profile to the one that did."
        )
    return UnreachableError(
        f"The certificate of {options.address} is not trusted: {why}.", advice=advice, detail=str(error)
    )


def _not_http(options: ServerOptions, detail: str) -> UnreachableError:
    if options.port in _NATIVE_PORTS or options.port in _TLS_PORTS or "\\x15\\x03" in detail:
        return wrong_protocol(options, redact(detail))
    return UnreachableError(
        f"{options.address} does not answer as an HTTP server.",
        advice=f"Check host and port of the profile. {_PORTS}",
        detail=redact(detail)[:_BODY_LIMIT],
    )


def _foreign_answer(status: int, body: str, options: ServerOptions) -> HousekeysError:
    """An HTTP error that carries no ClickHouse code: a proxy, another program, or a wrong port."""
    if _CLICKHOUSE.search(body):
        return explain(None, body)
    detail = redact(body)[:_BODY_LIMIT]
    if "clickhouse-client program" in body:
        return UnreachableError(
            f"{options.address} is ClickHouse's native port, which Housekeys does not speak.",
            advice=f"Set the HTTP port in the profile. {_PORTS}",
            detail=detail,
        )
    if _PLAIN_TO_TLS.search(body):
        return wrong_protocol(options, detail)
    if _NO_CERTIFICATE.search(body):
        return UnreachableError(
            f"{options.address} wants a client certificate.",
            advice="Set client_certificate and client_key in the tls part of the profile to a pair the server trusts.",
            detail=detail,
        )
    title = _TITLE.search(body)
    said = f" ({one_line(title.group(1).strip(), 100)})" if title else ""
    if status in {502, 503, 504}:
        return UnreachableError(
            f"A proxy at {options.address} answered HTTP {status}{said}: ClickHouse behind it does not answer.",
            advice="Look at the server and at the proxy; try again in a moment.",
            detail=detail,
        )
    if status in {401, 403, 407}:
        return UnreachableError(
            f"{options.address} let nobody through to ClickHouse: HTTP {status}{said}.",
            advice="A proxy asks for a login or refuses this address; ClickHouse itself was not reached.",
            detail=detail,
        )
    if status == 429:
        return UnreachableError(f"{options.address} is too busy: HTTP 429{said}.", advice="Try again in a moment.")
    return UnreachableError(
        f"{options.address} answered HTTP {status}{said}, and not as ClickHouse does.",
        advice=f"Check host and port of the profile. {_PORTS}",
        detail=detail,
    )
