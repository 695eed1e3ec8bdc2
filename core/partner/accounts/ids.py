"""Ids of partner accounts, users and partner connections: opaque, and safe in a URL and in a name of ClickHouse."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from enum import StrEnum


class IdKind(StrEnum):
    """What an id is of; the value begins the id, so that no two kinds are mistaken for each other."""

    ACCOUNT = "pa"
    USER = "pu"
    CONNECTION = "pc"

    @property
    def random_bytes(self) -> int:
        """80 bits never meet by chance; 160 cannot be guessed, and a partner connection is found by its id."""
        return 20 if self is IdKind.CONNECTION else 10


NewId = Callable[[IdKind], str]


def new_id(kind: IdKind) -> str:
    """A new id: the kind, and random lower-case letters and digits that are not mistaken for each other."""
    return f"{kind}{base64.b32encode(secrets.token_bytes(kind.random_bytes)).decode('ascii').lower()}"
