"""Whether access statements name the cluster, and which storages can be written."""

from __future__ import annotations

from collections.abc import Iterable

WRITABLE = frozenset({"local_directory", "replicated", "memory"})


def directory_type(written: str) -> str:
    """The type of a user directory, as `system.user_directories` has it or as older servers wrote it."""
    return written.strip().lower().replace(" ", "_")


def cluster_clause(directories: Iterable[str], cluster: str) -> str:
    """The cluster for ON CLUSTER, or "" where it must be left out.

    `directories` are the types of the server's user directories, first the one that CREATE writes to. A replicated
    storage is the same on every host already: there a statement ON CLUSTER fails for all hosts but one, because what it
    creates exists by then.
    """
    written = (directory_type(each) for each in directories)
    first = next((each for each in written if each in WRITABLE), "")
    return "" if first == "replicated" else cluster


def is_writable(storage: str, types: dict[str, str] | None = None) -> bool:
    """Whether entities of the storage `storage` can be changed by SQL; `types` tells the types of storages by name.

    Without it the name counts as the type, which it is unless it was configured otherwise. Not known ("") is writable.
    """
    kind = directory_type((types or {}).get(storage, storage))
    return not storage or kind in WRITABLE or (types is None and kind not in _READ_ONLY)


_READ_ONLY = frozenset({"users_xml", "users.xml", "ldap", "tokens", "jwt"})
