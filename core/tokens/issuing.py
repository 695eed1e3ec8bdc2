"""Making tokens: one, or many on all cores.

RSA in `cryptography` lets go of Python's lock, so threads use every core, and the private key stays in this process.
Measured against `openssl speed -multi` by tests/bench/tokens.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

from core.errors import BadInputError
from core.keys.rsa_keys import MODULUS_BYTES
from core.tokens.delivery import NewToken
from core.tokens.text_format import Token, fingerprint_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

LONGEST_PLAINTEXT = MODULUS_BYTES - 11  # RFC 8017, 7.2.1: 245 bytes
PROGRESS_SECONDS = 0.1  # between two reports of progress
SURELY_SHORT = 38  # ASCII characters that fit in a token even if JSON needs six bytes for each

_PADDING = PKCS1v15()
_SHA1 = SHA1()  # noqa: S303 - the protocol of DataLens demands it; what is signed is our own random-looking ciphertext


def plaintext(database: str) -> bytes:
    """What is encrypted: `{"db_name": "acme"}`.

    As `json.dumps` writes it by default, which is what DataLens documents. A long name of non-ASCII letters takes six
    bytes a letter that way; where that is too long, the letters are written as themselves and the blank is left out,
    which the receiver (UTF-8, then JSON) reads just the same.
    Raises BadInputError for an empty name, one that is not Unicode text, or one that is too long either way.
    """
    if not database:
        raise BadInputError("A token needs the name of a database; this one is empty.")
    usual = json.dumps({"db_name": database}).encode("ascii")
    try:
        name_bytes = len(database.encode("utf-8"))
    except UnicodeEncodeError:
        raise BadInputError("A database name in a token must be Unicode text; this one is not.") from None
    if len(usual) <= LONGEST_PLAINTEXT:
        return usual
    shortest = json.dumps({"db_name": database}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    if len(shortest) > LONGEST_PLAINTEXT:
        over = len(shortest) - LONGEST_PLAINTEXT
        room = LONGEST_PLAINTEXT - len(b'{"db_name":""}')
        raise BadInputError(
            f"The database name is {over} {'byte' if over == 1 else 'bytes'} too long for a token.",
            advice=f"It has {name_bytes} bytes; a token has room for {room}, less where JSON needs escapes.",
        )
    return shortest


class Issuer:
    """One pair of keys that tokens are made with. Safe to use from many threads."""

    def __init__(
        self,
        partner_key: rsa.RSAPrivateKey,
        partner_version: int,
        datalens_key: rsa.RSAPublicKey,
        datalens_version: int,
    ) -> None:
        self._partner_key = partner_key
        self._datalens_key = datalens_key
        self.partner_version = partner_version
        self.datalens_version = datalens_version

    def issue(self, database: str) -> Token:
        """A new token for `database`; two for the same one differ. Raises BadInputError as `plaintext`."""
        ciphertext = self._datalens_key.encrypt(plaintext(database), _PADDING)
        signature = self._partner_key.sign(ciphertext, _PADDING, _SHA1)
        return Token(self.datalens_version, self.partner_version, ciphertext, signature)

    async def issue_many(
        self, databases: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> list[NewToken]:
        """A token for each of `databases`, in their order, on all cores; the event loop stays free.

        `progress(done, total)` is called in the event loop. Cancelling stops the threads after the token at hand.
        Raises BadInputError for the first name that no token can hold, before any is made.
        """
        await asyncio.to_thread(_check_all, databases)
        made: list[NewToken | None] = [None] * len(databases)
        numbers = iter(range(len(databases)))  # shared: each thread takes the next one, so that all end together
        stop = threading.Event()

        def make() -> None:
            for number in numbers:
                if stop.is_set():
                    return
                made[number] = self._new(databases[number])

        def tell() -> None:
            if progress is not None:
                progress(len(made) - made.count(None), len(made))

        pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="issuing")
        try:
            loop = asyncio.get_running_loop()
            working = {loop.run_in_executor(pool, make) for _ in range(usable_cores())}
            while working:
                over, working = await asyncio.wait(
                    working, timeout=PROGRESS_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                )
                for ended in over:
                    ended.result()
                tell()
        finally:
            stop.set()
            pool.shutdown(wait=False)
        return [token for token in made if token is not None]

    def _new(self, database: str) -> NewToken:
        text = self.issue(database).text
        return NewToken(database, text, fingerprint_of(text), self.datalens_version, self.partner_version)


def _check_all(databases: Sequence[str]) -> None:
    for database in databases:
        if not (database.isascii() and 0 < len(database) <= SURELY_SHORT):
            plaintext(database)


def usable_cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
