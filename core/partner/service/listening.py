"""The socket that a service listens on: bound before anything else is begun, so that a taken address is told at once.

Until the service can answer nobody is let in: a balancer finds no one there, and turns to another.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

from core.display import one_line
from core.errors import BadInputError, HousekeysError, UnreachableError

UNIX_MODE: Final = 0o660  # for the service's user and group, to which the proxy's user is added
_EXAMPLE: Final = 'Give a host and a port, as "127.0.0.1:8085" or "[::1]:8085".'


class Listener:
    """A bound socket. Closed with `close`, which removes a socket file."""

    def __init__(self, bound: socket.socket, host: str, path: Path | None = None) -> None:
        self.socket = bound
        self._host = host
        self._path = path
        self._file = path.stat() if path else None

    @classmethod
    def tcp(cls, address: str) -> Listener:
        """Bind `HOST:PORT`; port 0 is any that is free. Raises BadInputError, UnreachableError."""
        host, _, port = address.rpartition(":")
        plain = host.removeprefix("[").removesuffix("]")
        if (
            not plain
            or not port.isascii()
            or not port.isdigit()
            or int(port) > 65_535
            or (":" in plain and host == plain)
        ):
            raise BadInputError(f"{one_line(address)} is no address to listen on.", advice=_EXAMPLE)
        try:
            family, kind, protocol, _, found = socket.getaddrinfo(
                plain, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
        except OSError as error:
            raise BadInputError(f"The host of {one_line(address)} is not known here.", detail=str(error)) from error
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.bind(found)
        except OSError as error:
            bound.close()
            raise cannot_listen(address, error) from error
        return cls(bound, host)

    @classmethod
    def unix(cls, path: Path) -> Listener:
        """Bind a socket file. One on which nobody listens any more is replaced. Raises as `tcp`."""
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_abandoned(path)
            before = os.umask(0o777 & ~UNIX_MODE)
            try:
                bound.bind(str(path))
            finally:
                os.umask(before)
        except OSError as error:
            bound.close()
            raise cannot_listen(str(path), error) from error
        except HousekeysError:
            bound.close()
            raise
        return cls(bound, "", path)

    @property
    def address(self) -> str:
        """`HOST:PORT` with the port that it has now, or the path of the socket file."""
        return str(self._path) if self._path else f"{self._host}:{self.socket.getsockname()[1]}"

    def url(self, *, secure: bool) -> str:
        """Where it is reached, for people."""
        return f"unix:{self._path}" if self._path else f"http{'s' if secure else ''}://{self.address}"

    def close(self) -> None:
        """Idempotent. A socket file that somebody else has put there meanwhile stays."""
        self.socket.close()
        if self._path and self._file:
            with contextlib.suppress(OSError):
                if os.path.samestat(self._path.stat(), self._file):
                    self._path.unlink()


def cannot_listen(address: str, error: OSError) -> HousekeysError:
    """Why it cannot be listened there."""
    where = one_line(address)
    if error.errno == errno.EADDRINUSE:
        return UnreachableError(
            f"{where} is in use by another program.",
            advice="Perhaps a service runs already; else listen elsewhere: --listen HOST:PORT.",
        )
    why = error.strerror or str(error)
    return BadInputError(f"It is not possible to listen on {where}: {why}.", detail=str(error))


def _remove_abandoned(path: Path) -> None:
    """Remove a socket file that a killed service has left. Raises UnreachableError, BadInputError, OSError."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise BadInputError(f"{one_line(str(path))} is there already, and is no socket.", advice="Give another path.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise cannot_listen(str(path), OSError(errno.EADDRINUSE, "in use"))
