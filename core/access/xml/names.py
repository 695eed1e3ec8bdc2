"""Which names can stand in a configuration as the names of elements, as those of users, quotas and the like must."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from core.access.xml.elements import fits
from core.access.xml.nodes import XmlError, parse_xml

_LONGEST_FILE_NAME = 200  # bytes; file systems take 255, and ours has more in it than the name
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NEVER = re.compile(r"[\s<>&/\"'=:?!\[\]\\]")


@lru_cache(maxsize=10_000)
def is_element_name(name: str) -> bool:
    """Whether ClickHouse reads an element of this name, dots allowed, and leaves it what it is."""
    if name == "include":  # an instruction to ClickHouse, not an element
        return False
    if _PLAIN.fullmatch(name):
        return True
    if not fits(name) or _NEVER.search(name):
        return False
    try:
        return parse_xml(f"<{name}/>".encode(), name).name == name
    except (XmlError, UnicodeEncodeError):
        return False


def is_entity_name(name: str) -> bool:
    """Whether a role, quota or settings profile can be called so; with a dot, ClickHouse would call it otherwise."""
    return "." not in name and is_element_name(name)


def file_name(kind: str, name: str) -> str:
    """The name of the file for an entity whose name can be that of an element."""
    plain = f"{kind}-{name}"
    if len(plain.encode()) > _LONGEST_FILE_NAME:
        plain = f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return f"{plain}.xml"
