"""The log file: details of errors for the person who looks into them later, never a secret.

0600, rotated, opened with the first record, so that a start that logs nothing pays nothing.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import time
from collections.abc import Iterator
from functools import cache, lru_cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from core.display import plain_lines
from core.errors import HousekeysError
from core.files import PRIVATE_FILE, private_folder
from core.paths import Paths
from core.secrets import MASK, revealed

LARGEST = 1_000_000  # bytes, before the file is rotated
KEPT = 2  # rotated files
# A shorter secret would turn the log into stars, and the stars would tell it.
_SHORTEST = 4
_LOGGERS = ("core", "tui", "uvicorn")


def redact(text: str) -> str:
    """`text` with every secret revealed so far as `********`, also URL-encoded, in Base64, escaped or in hex."""
    found = sorted(span for form in _all_forms(revealed()) if form in text for span in _places(form, text))
    parts: list[str] = []
    masked_to = 0
    for start, end in found:
        if start >= masked_to:
            parts += (text[masked_to:start], MASK)
        masked_to = max(masked_to, end)  # where one begins before another ends both are masked as a whole
    return "".join((*parts, text[masked_to:]))


def _places(form: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


@lru_cache(maxsize=1)
def _all_forms(secrets: frozenset[str]) -> frozenset[str]:
    parts = (part for secret in secrets for part in (secret, *secret.splitlines()) if len(part) >= _SHORTEST)
    return frozenset(form for part in parts for form in secret_forms(part))


@cache  # what was revealed is kept for the rest of the process in any case
def secret_forms(secret: str) -> frozenset[str]:
    """The texts in which a secret may stand in another one: itself, and as `redact` tells."""
    data = secret.encode("utf-8", "surrogatepass")
    forms = {
        secret,
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        data.hex(),
        data.hex().upper(),
    }
    return frozenset(forms | _base64_forms(data))


def _base64_forms(data: bytes) -> set[str]:
    """The characters of Base64 that `data` alone decides, wherever in a longer text it begins (as in user:password)."""
    forms = set()
    for shift in range(3):
        padded = bytes(shift) + data
        encoded = base64.b64encode(padded).decode("ascii").rstrip("=")
        first = -(-shift * 8 // 6)  # the first character with no bit of what stands before
        last = len(padded) * 8 // 6  # and the last one with no bit of what follows
        if last - first >= _SHORTEST:
            form = encoded[first:last]
            forms |= {form, form.replace("+", "-").replace("/", "_")}
    return forms


class RedactingFormatter(logging.Formatter):
    """Formats a record, takes the secrets out of the whole, and marks every line but the first as a continuation.

    So a name with a line break in it cannot pass for a record of its own. Times are UTC.
    """

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
        )

    def converter(self, timestamp: float | None) -> time.struct_time:
        return time.gmtime(timestamp)

    def format(self, record: logging.LogRecord) -> str:
        return plain_lines(redact(super().format(record))).replace("\n", "\n  | ")

    def formatException(self, ei: Any) -> str:
        """The traceback, and the original text that one of our errors keeps."""
        text = super().formatException(ei)
        detail = ei[1].detail if isinstance(ei[1], HousekeysError) else ""
        return f"{text}\n{detail}" if detail else text


class PrivateLog(RotatingFileHandler):
    """A rotating log file, 0600 in a 0700 folder, created with the first record."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(RedactingFormatter())

    def _open(self) -> Any:
        private_folder(Path(self.baseFilename).parent)
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_private_opener)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written (a full disk) must not write over the screen instead."""


def _private_opener(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_CLOEXEC, PRIVATE_FILE)
    os.fchmod(descriptor, PRIVATE_FILE)  # one that was there already may have been wider
    return descriptor


def start_logging(paths: Paths, level: int = logging.INFO) -> PrivateLog:
    """Send what `core`, `tui` and uvicorn log to the log file, and nothing of it anywhere else. Returns the handler."""
    handler = PrivateLog(paths.log_file)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        for old in logger.handlers[:]:
            if isinstance(old, PrivateLog):
                logger.removeHandler(old)
                old.close()
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    return handler
