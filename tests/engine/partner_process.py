"""`housekeys partner serve` as a process of its own, on a ClickHouse server: started, called, ended and killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from core.files import write_private
from core.partner.security.basic_credentials import header_value
from core.partner.security.sealing_keys import SealingKey, SealingKeys
from core.paths import Paths
from core.profiles import load
from core.session import Session
from tests.http_front.process import PASSWORD, USER, Front

HOUSEKEYS = Path(sys.executable).with_name("housekeys")
KEYS = SealingKeys([SealingKey(bytes(range(32)))])
PROFILE = """
[profiles.{name}]
url = "http://127.0.0.1:{port}"
user = "{user}"
password = "file:{folder}/password"
database = "{name}"

[profiles.{name}.partner]
base_url = "https://partner.example"
hostnames = ["partner.example"]
sealing_keys = "file:{folder}/sealing-keys"

[profiles.{name}.partner.resources]
database = "{name}_{{account}}"
role = "{name}_{{account}}"
user = "{name}_{{user}}"

[profiles.{name}.partner.service]
requests_per_minute = 1000000
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine with the profile on it. `name` is that of the profile and the database, and begins all that is made."""

    folder: Path
    name: str
    front: Front

    def prepare(self) -> Host:
        """Write what is there before a service starts."""
        write_private(self.folder / "password", PASSWORD.encode("utf-8"))
        self.bring(KEYS)
        values = {"name": self.name, "port": self.front.ports["plain"], "user": USER, "folder": self.folder}
        write_private(self._paths.config_file, PROFILE.format(**values).encode("utf-8"))
        return self

    def bring(self, keys: SealingKeys) -> None:
        """Bring sealing keys here, instead of those before."""
        write_private(self.folder / "sealing-keys", keys.to_text().reveal().encode("ascii"))

    @property
    def _paths(self) -> Paths:
        return Paths.locate({"HOUSEKEYS_HOME": str(self.folder)})

    async def session(self) -> Session:
        """A session of an operator there."""
        return await Session.open(load(self._paths.config_file), self.name, self._paths)

    async def start(self, authorization: str) -> ServiceProcess:
        """Start a service, and wait until it listens."""
        process = await asyncio.create_subprocess_exec(
            HOUSEKEYS,
            *("-p", self.name, "partner", "serve", "--listen", "127.0.0.1:0", "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "HOUSEKEYS_HOME": str(self.folder)},
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        assert line, "the service did not start; its stderr says why"
        return ServiceProcess(process, json.loads(line)["url"], authorization)


async def new_authorization(session: Session) -> str:
    """Make a credential, and what its header says; the tables too."""
    presented, credential = session.partner_connections.plan_add_credential("databricks")
    for change in (await session.partner_connections.plan_tables(), credential):
        assert (await session.runner.run(change)).succeeded
    return header_value(presented).reveal()


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """A service that listens."""

    process: asyncio.subprocess.Process
    url: str
    authorization: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def connect(self, client: aiohttp.ClientSession, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of one answer."""
        headers = {"Authorization": self.authorization, "User-Agent": "databricks"}
        async with client.post(f"{self.url}/connect", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ready(self, client: aiohttp.ClientSession) -> int:
        """The status of its readiness."""
        async with client.get(f"{self.url}/health/ready") as answer:
            return answer.status

    async def stop(self) -> None:
        """Hold it where it is, as by SIGSTOP; back when none of its threads runs any more."""
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitid, os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    async def kill(self) -> None:
        """Kill it in whatever it is doing."""
        self.process.kill()
        await self.process.wait()

    async def close(self) -> None:
        """End it at once, if it is still there."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
