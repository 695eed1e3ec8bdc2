"""How to reach a ClickHouse server over HTTP(S)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.clickhouse.engine import SettingValue
from core.secrets import Secret


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """One server and how to talk to it. Timeouts are in seconds.

    With a client certificate and no password the certificate is the login (`IDENTIFIED WITH ssl_certificate`); with a
    password it only opens the TLS connection. `settings` are sent with every statement, and `readonly = 2` too when
    `read_only` is set.
    """

    host: str
    port: int = 8443
    secure: bool = True
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    verify: bool = True
    user: str = "default"
    password: Secret | None = None
    connect_timeout: float = 10.0
    query_timeout: float = 60.0
    settings: Mapping[str, SettingValue] = field(default_factory=dict, hash=False)
    read_only: bool = False

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
