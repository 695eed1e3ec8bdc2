"""The names under which entities stand in the projection to `users.xml`."""

from __future__ import annotations

import hashlib
import re

GENERATED = "housekeys-"  # the start of every name that the projection makes up
_ELEMENT_NAME = re.compile(r"(?!xml|housekeys-)[A-Za-z_][A-Za-z0-9_-]{0,99}", re.IGNORECASE)


def element_name(name: str) -> str:
    """The name under which an entity stands in the projection: its own where XML can hold it, else an alias."""
    if _ELEMENT_NAME.fullmatch(name):
        return name
    return f"{GENERATED}alias-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
