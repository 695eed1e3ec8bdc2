"""Tokens per second against the signatures per second of `openssl speed`, on all cores, in turns."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time

from core.keys.rsa_keys import generate
from core.tokens.issuing import Issuer, usable_cores
from tests.bench.figures import Figure

ROUNDS = 7
SECONDS = 1  # of each measurement, theirs and about so long for ours
GOAL = 0.85
_SIGNS = re.compile(r"^rsa\s+2048 bits\s+\S+\s+\S+\s+([0-9.]+)\s+[0-9.]+", re.MULTILINE)


def measure() -> list[Figure]:
    """The round whose ratio is the median: neighbours in time, so that a busy machine weighs on both sides alike."""
    issuer = Issuer(generate(), 1, generate().public_key(), 1)
    _tokens(issuer, 200)  # threads and caches are warm
    rounds = []
    for _ in range(ROUNDS):
        theirs = _openssl_signs()
        rounds.append((_tokens(issuer, max(200, int(theirs * SECONDS))), theirs))
    ours, theirs = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    note = f"{usable_cores()} cores; median of {ROUNDS} rounds; a token is one encryption and one signature"
    return [Figure("tokens issued in bulk", ours, theirs, "per second", GOAL, "higher", note)]


def _tokens(issuer: Issuer, size: int) -> float:
    names = [f"tenant_{number}" for number in range(size)]
    begun = time.perf_counter()
    asyncio.run(issuer.issue_many(names))
    return size / (time.perf_counter() - begun)


def _openssl_signs() -> float:
    """Signatures per second by `openssl speed` with a process on each core."""
    # -elapsed: by the clock, as ours; openssl's own way, processor time, leaves out what others took meanwhile.
    clock = ["-elapsed", "-seconds", str(SECONDS)]
    command = ["openssl", "speed", *clock, "-multi", str(usable_cores()), "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = _SIGNS.search(done.stdout)
    if found is None:
        raise RuntimeError(f"openssl speed printed something unexpected:\n{done.stdout}")
    return float(found[1])
