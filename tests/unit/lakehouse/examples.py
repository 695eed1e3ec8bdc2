"""Connections for tests, one per cloud, and a journal that believes every step of a change was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.changes import Change, Event, Step, undo_steps
from core.journal.rows import DONE, Row
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.state import ConnectionState, fold

ALIYUN = ApiConnection(
    "in_hangzhou",
    Provider.ALIYUN,
    "cn-hangzhou",
    "acs:ram::1757168149572678:role/czudfrole",
    "function-compute-my1",
)
TENCENT = ApiConnection(
    "in_shanghai",
    Provider.TENCENT,
    "ap-shanghai",
    "qcs::cam::uin/100012345678:roleName/LakehouseRole",
    "myfunction-1310000000",
    "default",
)
AWS = ApiConnection(
    "in_beijing",
    Provider.AWS,
    "cn-north-1",
    "arn:aws-cn:iam::123456789012:role/LakehouseUdf",
    "cz-udf-code",
)
EVERY_CLOUD = (ALIYUN, TENCENT, AWS)
EXTERNAL_ID = "VW9UaGwYENBQ7cFp"

_START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


class Memory:
    """The rows of changes as if each step had been done, in order; `found` is what its calls return, by operation."""

    def __init__(self, found: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.rows: list[Row] = []
        self.found = found or {"describe_connection": {"external_id": EXTERNAL_ID}}

    def run(self, change: Change) -> None:
        for step in change.steps:
            self._do(step)

    def undo(self, change: Change) -> None:
        """As if the whole change were taken back."""
        for step in reversed(change.steps):
            for undo in undo_steps(step):
                self._do(undo)

    def state(self, name: str) -> ConnectionState:
        return fold(self.rows)[name]

    def _do(self, step: Step) -> None:
        found = dict(self.found.get(getattr(step, "operation", ""), {}))
        if getattr(step, "operation", "") == "update_trust":
            known = (
                getattr(step, "arguments", {}).get("external_id") or self.found["describe_connection"]["external_id"]
            )
            found = {"external_id": known}
        self.tell(*step.events, found=found)

    def tell(self, *events: Event, found: Mapping[str, str] | None = None) -> None:
        for event in events:
            at = _START + timedelta(minutes=len(self.rows))
            details = {**event.details, **(found or {})}
            number = UUID(int=len(self.rows) + 1)
            self.rows.append(
                Row(
                    number,
                    at,
                    "ann",
                    "bastion",
                    "prod",
                    number,
                    event.subject_kind,
                    event.subject,
                    event.action,
                    DONE,
                    details,
                )
            )
