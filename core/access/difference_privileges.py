"""Privileges as bits, with what a statement for one object can say about them.

Unlike in `effective`, a source of the old kind (`S3`, `SOURCES`) has no bit of its own, for it means READ and WRITE on
that source; and a privilege that is not known counts as one that can be granted anywhere, so that those of other
versions are compared by their names.
"""

from __future__ import annotations

from core.access.effective.privilege_tree import DEEPEST, OLD_SOURCES, Depth, Privilege, clickhouse_26_9
from core.access.privileges import PARAMETRISED, privilege_name

_ALL_SOURCES = "SOURCES"
# What ALL on everything holds beside READ and WRITE: FILE, URL and so on as they were before ClickHouse 25.7. Granted
# alone they are READ and WRITE, so only REVOKE ALL takes them away.
_FORMER_SOURCES = "(former sources)"
_GROUP_WITH_LEVEL = "NAMED COLLECTION ADMIN"  # which is no more than its members
SOURCE_NAMES = frozenset(OLD_SOURCES)
_SOURCE_SPELLINGS = {
    **{"ARROWFLIGHT": "ARROW FLIGHT", "ARROW_FLIGHT": "ARROW FLIGHT", "AZUREBLOBSTORAGE": "AZURE", "MONGODB": "MONGO"},
    **{"POSTGRESQL": "POSTGRES", "DISTRIBUTED": "REMOTE"},
}
# What TABLE ENGINE can be granted on: `system.table_engines`, and every kind of MergeTree.
TABLE_ENGINES = frozenset(
    """
    Alias ArrowStream AzureBlobStorage AzureQueue BigQuery Buffer COSN DeltaLake DeltaLakeAzure DeltaLakeLocal
    DeltaLakeS3 Dictionary Distributed EmbeddedRocksDB Executable ExecutablePool File FileLog FuzzJSON FuzzQuery GCS
    GenerateRandom HDFS Hudi Iceberg IcebergAzure IcebergHDFS IcebergLocal IcebergS3 JDBC Join Kafka KeeperMap Log Loop
    MaterializedPostgreSQL MaterializedView Memory Merge MongoDB MySQL NATS Null ODBC OSS Paimon PaimonAzure PaimonHDFS
    PaimonLocal PaimonS3 PostgreSQL QueryRunner RabbitMQ Redis Remote RemoteSecure S3 S3Queue SQLite Set StripeLog
    TimeSeries TinyLog URL View YTsaurus
    """.split()  # noqa: SIM905  (a list of its own lines would be 70 lines long)
)


def source_name(written: str) -> str:
    """The name of a source in whatever spelling."""
    upper = written.upper()
    return _SOURCE_SPELLINGS.get(upper, upper)


def is_table_engine(name: str) -> bool:
    """Whether `name` is one of a table engine."""
    return name in TABLE_ENGINES or name.endswith("MergeTree")


class PrivilegeBits:
    """The single privileges, a bit for each; those of unknown ones are added when they are met."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}
        self._members: dict[str, list[str]] = {}
        self._masks: dict[str, int] = {}
        self._other: dict[str, str] = {}
        self._named: dict[tuple[int, int, frozenset[str]], list[str]] = {}  # answers given before
        self._down_to = dict.fromkeys(Depth, 0)  # the bits that can be granted as deep as this
        self.named = 0  # the bits that take a parameter
        for privilege in clickhouse_26_9().privileges.values():
            self._read(privilege)
        self._members["ALL"].append(_FORMER_SOURCES)
        self.former_sources = self._add(_FORMER_SOURCES, Depth.GLOBAL)
        self._groups = {name: self._mask(name) for name in self._members}
        self.everything = self._groups["ALL"]
        self.sources = self._bits["READ"] | self._bits["WRITE"]
        self.engine = self._bits["TABLE ENGINE"]

    def _read(self, privilege: Privilege) -> None:
        name = privilege.name
        if name in SOURCE_NAMES or name == _ALL_SOURCES:
            return
        for alias in privilege.aliases:
            self._other.setdefault(alias.upper(), name)
        if privilege.group:
            self._members.setdefault(privilege.group, []).append(name)
        if not privilege.level or name == _GROUP_WITH_LEVEL:
            self._members.setdefault(name, [])
        else:
            self._add(name, Depth.DATABASE if name in PARAMETRISED else DEEPEST[privilege.level])

    def _add(self, name: str, deepest: Depth) -> int:
        bit = self._bits[name] = 1 << len(self._bits)
        for depth in Depth:
            if depth <= deepest:
                self._down_to[depth] |= bit
        if name in PARAMETRISED:
            self.named |= bit
        return bit

    def mask(self, privilege: str) -> int:
        """The single privileges that `privilege` stands for, in whatever spelling."""
        name = privilege_name(privilege)
        name = self._other.get(name.upper(), name) if name not in self._bits else name
        if name == _ALL_SOURCES:
            return self.sources
        if name in ("USAGE", "NONE"):
            return 0
        if name not in self._masks:
            known = name in self._members or name in self._bits
            self._masks[name] = self._whole(name) if known else self._add(name, Depth.COLUMN)
        return self._masks[name]

    def _whole(self, name: str) -> int:
        return self._groups.get(name) or self._bits.get(name, 0)

    def _mask(self, name: str) -> int:
        mask = self._bits.get(name, 0)
        for member in self._members.get(name, ()):
            mask |= self._mask(member)
        return mask

    def down_to(self, depth: Depth) -> int:
        """The single privileges that can be granted on an object so deep."""
        return self._down_to[depth]

    def names(self, mask: int, available: int, split: frozenset[str] = frozenset()) -> list[str]:
        """The fewest privileges that together are `mask`, none of the groups in `split`, in ClickHouse's order.

        A group counts as whole without what is not available.
        """
        asked = (mask, available, split)
        if asked not in self._named:
            self._named[asked] = self._find_names(mask & available, available, split)
        return self._named[asked]

    def _find_names(self, mask: int, available: int, split: frozenset[str]) -> list[str]:
        found: list[str] = []
        self._cover("ALL", mask, available, split, found)
        unknown = mask & ~self.everything
        return found + [name for name, bit in self._bits.items() if bit & unknown]

    def _cover(self, name: str, mask: int, available: int, split: frozenset[str], found: list[str]) -> None:
        members = self._members.get(name, ())
        whole = self._whole(name) & available
        if not whole & mask:
            return
        if name == _FORMER_SOURCES:
            return
        if whole & mask == whole and name not in split and (not members or whole & (whole - 1)):
            found.append(name)
            return
        for member in members:
            self._cover(member, mask, available, split, found)


BITS = PrivilegeBits()
