"""The front as tests see it: a process of its own, its ports, its faults and what it was asked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.clickhouse.server_options import ServerOptions
from core.secrets import Secret
from tests.http_front.certificates import Certificates, make_certificates
from tests.http_front.faults import Fault

ROOT = Path(__file__).parents[2]
USER = "operator"
COLON_USER = "team:operator"
PASSWORD = 'correct horse \\ battery\'s "staple" ü'
CERTIFICATE_USER = "certified"


@dataclass(slots=True)
class Front:
    """A running front. Closed with `close`."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    certificates: Certificates

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        grants: Sequence[str] | None = None,
        settings: dict[str, str] | None = None,
        setup: Sequence[str] = (),
    ) -> Front:
        """Start a front whose files are in `folder`, and wait until it listens."""
        certificates = make_certificates(folder, CERTIFICATE_USER)
        options = {
            "folder": str(folder / "engine"),
            "users": {USER: PASSWORD, COLON_USER: PASSWORD, "default": ""},
            "certificates": {CERTIFICATE_USER: CERTIFICATE_USER},
            "server_certificate": str(certificates.server),
            "client_ca": str(certificates.ca),
            "grants": list(grants) if grants is not None else None,
            "settings": settings or {},
            "setup": list(setup),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.http_front", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the front did not start; its stderr says why"
        return cls(process, json.loads(line), certificates)

    def options(self, entrance: str = "plain", **changes: Any) -> ServerOptions:
        """How to reach the front by one of its entrances: `plain`, `tls` or `mutual`."""
        secure = entrance != "plain"
        arguments: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.ports[entrance],
            "secure": secure,
            "ca_file": self.certificates.ca if secure else None,
            "user": USER,
            "password": Secret(PASSWORD),
        }
        return ServerOptions(**{**arguments, **changes})

    async def commit_faults(self, *faults: Fault) -> None:
        """Commit these faults from now on, and forget what was asked."""
        await asyncio.to_thread(self._control, "faults", json.dumps([asdict(fault) for fault in faults]).encode())

    async def log(self, match: str = "") -> list[dict[str, Any]]:
        """What was asked since the last `commit_faults`, in order, where `match` is in the statement."""
        entries = json.loads(await asyncio.to_thread(self._control, "log", None))
        return [entry for entry in entries if match in entry["sql"]]

    def _control(self, what: str, body: bytes | None) -> bytes:
        url = f"http://127.0.0.1:{self.ports['plain']}/front/{what}"
        with urllib.request.urlopen(url, body) as answer:
            return bytes(answer.read())

    def close(self) -> None:
        """Stop the process."""
        self.process.terminate()
        self.process.communicate()
