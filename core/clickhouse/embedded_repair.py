"""What chDB itself cannot get over at a start, put right before it starts."""

from __future__ import annotations

import logging
from pathlib import Path

from core.files import remove_file

log = logging.getLogger(__name__)


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
