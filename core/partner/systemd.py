"""Telling the service manager how a service stands: the datagrams of sd_notify(3). Without one nothing is told."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

from core.display import one_line

log = logging.getLogger(__name__)

VARIABLE: Final = "NOTIFY_SOCKET"


class ServiceManager:
    """The service manager that has started this process, if one has (`Type=notify`)."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get(VARIABLE, "")
        # A name that begins with @ is in the abstract namespace, which the kernel writes with a zero byte.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, status: str) -> None:
        """Requests are answered from now on."""
        self._tell("READY=1", f"STATUS={one_line(status)}")

    def stopping(self) -> None:
        """No new requests are taken any more."""
        self._tell("STOPPING=1", "STATUS=answering what is under way")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.connect(self._address)
                sender.sendall("\n".join(lines).encode("utf-8"))
        except OSError as error:  # a service that answers is of more use than one that gives up over its manager
            log.warning("the service manager cannot be told: %s", error.strerror)
