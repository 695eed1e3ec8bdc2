"""Clusters of the one node that an embedded engine can be; it can ask no other by the native protocol."""

from __future__ import annotations

import pytest

from core.clickhouse import embedded_worker

# ClickHouse takes a replica for itself when the port is its own and the address one of this machine. Nothing listens.
_NODE = "<replica><host>127.0.0.1</host><port>9000</port></replica>"
_AGAIN = _NODE.replace("127.0.0.1", "localhost")
_DEAD = _NODE.replace("9000", "9")
_DEAD_TOO = _NODE.replace("9000", "11")
_CLUSTERS = f"""<tcp_port>9000</tcp_port><remote_servers>
<main><shard>{_NODE}</shard></main>
<twice><shard>{_NODE}</shard><shard>{_AGAIN}</shard></twice>
<broken><shard>{_DEAD}{_NODE}</shard><shard>{_DEAD_TOO}</shard></broken>
</remote_servers></clickhouse>"""


def be_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines opened from now on have the clusters `main`, `twice` (by two addresses), and `broken` (two are dead)."""
    configuration = embedded_worker._CONFIG.replace("</clickhouse>", _CLUSTERS)
    monkeypatch.setattr(embedded_worker, "_CONFIG", configuration)
