"""ClickHouse itself as the judge of configuration files: it loads them and shows what it made of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from core.access.xml.files import read_configuration
from core.access.xml.reading import Reading, ReadingOptions
from core.access.xml.writing import WritingOptions
from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.errors import UnreachableError

ROOT = "{root}"  # stands in a test's file for the folder that it is in
# The user that chDB connects as, who must see everything.
DEFAULT = (
    "<default><no_password/><access_management>1</access_management>"
    "<named_collection_control>1</named_collection_control></default>"
)
# chDB has these two as ClickHouse had them before 22.x, whatever its config.xml says.
CHDB = ReadingOptions(users_without_row_policies_can_read_rows=False, settings_constraints_replace_previous=False)
# What is written for it has a row policy for everybody already where that matters.
FOR_CHDB = WritingOptions(settings_constraints_replace_previous=False)
_SOURCES = re.compile(
    ", (?:FILE|URL|REMOTE|MONGO|REDIS|MYSQL|POSTGRES|SQLITE|ODBC|JDBC|HDFS|S3|HIVE|AZURE|KAFKA|NATS|RABBITMQ|YTSAURUS"
    "|ARROW FLIGHT|BIGQUERY|DISK|SOURCES)(?=[, ])"
)


def document(users: str = "", *, profiles: str = "", quotas: str = "", roles: str = "") -> str:
    """A whole configuration with the user that chDB needs."""
    return (
        f"<clickhouse><profiles><default/>{profiles}</profiles><quotas>{quotas}</quotas>"
        f"<users>{DEFAULT}{users}</users><roles>{roles}</roles></clickhouse>"
    )


@contextmanager
def laid_out(files: Mapping[str, str | bytes]) -> Iterator[Path]:
    """A folder with the files in it."""
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.replace(ROOT, str(root)).encode())
        yield root


@contextmanager
def loaded(root: Path) -> Iterator[Handle]:
    """chDB that has loaded the `users.xml` of a folder."""
    config = root / "config-of-chdb.xml"
    config.write_text(f"<clickhouse><users_config>{root}/users.xml</users_config></clickhouse>")
    handle = Handle(HandleOptions(root / "data", config, {}, comment="test"))
    try:
        yield handle
    finally:
        handle.close()


def show_access(root: Path) -> list[str] | None:
    """What SHOW ACCESS of a ClickHouse says that has loaded a folder, or None when it refuses to load it."""
    try:
        with loaded(root) as handle:
            return [str(row[0]) for row in handle.query("SHOW ACCESS").rows]
    except UnreachableError:
        return None


def without_sources(lines: list[str] | None) -> list[str] | None:
    """The same in order, without the old names of sources, which <allow_databases> shows and which give nothing."""
    return None if lines is None else sorted(_SOURCES.sub("", line) for line in lines)


def read_for_chdb(root: Path) -> Reading:
    """Our reading of the folder, for the server that chDB is."""
    return read_configuration(root / "users.xml", CHDB)
