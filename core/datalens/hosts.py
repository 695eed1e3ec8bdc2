"""Do the hosts that DataLens will be told answer? A TCP connection to each, from this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

DATALENS_PORT = 8443  # what DataLens connects to when a host names no port: HTTPS
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A host as it is listed, and why it did not answer; empty when it did."""

    host: str
    problem: str = ""


def host_and_port(listed: str) -> tuple[str, int]:
    """`ch-1.example`, `ch-1.example:9440` or `[::1]:8443` taken apart; profiles hold nothing else."""
    name, colon, port = listed.rpartition(":")
    if colon and listed.startswith("[") and name.endswith("]"):
        return name[1:-1], int(port)
    if colon and ":" not in name:
        return name, int(port)
    return listed.strip("[]"), DATALENS_PORT


async def ask_hosts(hosts: Sequence[str], timeout: float) -> list[HostAnswer]:  # noqa: ASYNC109 - one for each host
    """Connect to all, a few at once, each for at most `timeout` seconds. In the order of `hosts`; never raises."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def ask(listed: str) -> HostAnswer:
        async with room:
            return HostAnswer(listed, await _connect(*host_and_port(listed), timeout))

    return list(await asyncio.gather(*map(ask, hosts)))


async def _connect(host: str, port: int, seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no answer on port {port} within {seconds:g} seconds"
    except socket.gaierror:
        return "the name is not known"
    except OSError as error:
        return f"port {port}: {error.strerror or 'cannot be reached'}"
    except UnicodeError:
        return "this is no name of a host"
    writer.close()
    return ""
