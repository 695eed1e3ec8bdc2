"""Tokens per second against the signatures per second of `openssl speed`, on all cores, in turns."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time

from core.keys.rsa_keys import generate
from core.tokens.issuing import Issuer, usable_cores
from tests.bench.figures import Figure

ROUNDS = 6
SECONDS = 1  # of each measurement, theirs and about so long for ours
GOAL = 0.85
_SIGNS = re.compile(r"^rsa\s+2048 bits\s+\S+\s+\S+\s+([0-9.]+)\s+[0-9.]+", re.MULTILINE)


def measure() -> list[Figure]:
    """The best of some rounds on either side, so that a busy moment of the machine weighs on neither."""
    issuer = Issuer(generate(), 1, generate().public_key(), 1)
    size = 2_000
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(_openssl_signs())
        size = max(size, int(theirs[-1] * SECONDS))
        ours.append(_tokens(issuer, size))
    cores = usable_cores()
    note = f"{cores} cores; best of {ROUNDS} rounds each; a token is one encryption and one signature"
    return [Figure("tokens issued in bulk", max(ours), max(theirs), "per second", GOAL, "higher", note)]


def _tokens(issuer: Issuer, size: int) -> float:
    names = [f"tenant_{number}" for number in range(size)]
    begun = time.perf_counter()
    asyncio.run(issuer.issue_many(names))
    return size / (time.perf_counter() - begun)


def _openssl_signs() -> float:
    """Signatures per second by `openssl speed` with a process on each core."""
    command = ["openssl", "speed", "-seconds", str(SECONDS), "-multi", str(usable_cores()), "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = _SIGNS.search(done.stdout)
    if found is None:
        raise RuntimeError(f"openssl speed printed something unexpected:\n{done.stdout}")
    return float(found[1])
