"""Full disks, with which chDB does not get along by itself: prevented, and put right before a start."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from core.display import byte_size, one_line
from core.errors import HousekeysError
from core.files import remove_file

LEAST_ROOM: Final = 32 * 1024 * 1024  # bytes; a batch of statements takes a few MiB

log = logging.getLogger(__name__)


def require_room(folder: Path) -> None:
    """Refuse to change anything on a disk that is nearly full.

    On a full one chDB 26.9 says that a database is created and leaves its definition empty: it is gone with the next
    start. Raises HousekeysError.
    """
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < LEAST_ROOM:
        raise HousekeysError(
            f"The disk of the embedded engine is nearly full: {byte_size(free)} are left in {one_line(str(folder))}.",
            advice=f"Make room; Housekeys keeps {byte_size(LEAST_ROOM)} free, as ClickHouse loses data on a full disk.",
        )


def remove_unborn_databases(data: Path) -> None:
    """Remove the empty definitions of databases that a full disk or a hard end leaves below `data`.

    The statement that made such a file has failed or was never answered, and a database without a definition has no
    tables. ClickHouse removes empty definitions of tables itself (`DatabaseOnDisk::parseQueryFromMetadata`), but with
    one of a database it does not start at all: "Empty query (in file metadata/NAME.sql)".
    The data folder must be locked and no engine be open on it.
    """
    for definition in (data / "metadata").glob("*.sql"):
        if definition.is_file() and not definition.is_symlink() and definition.stat().st_size == 0:
            log.warning("removing the empty definition of a database: %s", definition)
            remove_file(definition)
