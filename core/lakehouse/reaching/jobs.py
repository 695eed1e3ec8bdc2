"""Jobs: how the Lakehouse is asked to run a statement, and how its answers are read. Values and pure functions only.

The protocol is that of the vendor's Python connector: JSON over HTTP. A statement is submitted as a job under an id
that the client makes; the answer comes at once if the job is quick, and is asked for again (`getJob`) if it is not.
Source: the packages clickzetta-connector-python 0.8.109 and clickzetta-connector 1.0.31.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from core.profiles.model import LakehouseSettings

LOGIN_PATH = "/clickzetta-portal/user/loginSingle"
SUBMIT_PATH = "/lh/submitJob"
GET_PATH = "/lh/getJob"
CANCEL_PATH = "/lh/cancelJob"

NOT_EXISTING = "CZLH-60005"
_CANCELLED = "CZLH-60006"
_STILL_UNKNOWN = frozenset({"CZLH-60007", "CZLH-60022"})  # the job is there already; its state cannot be told now
_INSTANCE_ID = 100  # what the connector always sends; the header instanceName says which instance it is
_LONGEST_WAIT = 25  # seconds that the Lakehouse may keep the answer of a submission back
_RUNNING = frozenset({"QUEUEING", "SETUP", "RUNNING", "RESUMING_CLUSTER"})


class State(StrEnum):
    """What has become of a job."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    MISSING = "missing"  # the Lakehouse has no such job


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What the Lakehouse says of a job. `result` is its `resultSet`."""

    state: State
    code: str = ""
    text: str = ""
    request: str = ""
    result: Mapping[str, Any] | None = None


def new_job_id() -> str:
    """The time to the microsecond and five digits: ids of that form are what the Lakehouse expects."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S%f}{10_000 + secrets.randbelow(90_000)}"


def login_body(settings: LakehouseSettings, password: str) -> dict[str, Any]:
    """What is sent to log in."""
    return {"username": settings.username, "password": password, "instanceName": settings.instance}


def submit_body(settings: LakehouseSettings, job: str, sql: str, format: str) -> dict[str, Any]:
    """What is sent to run a statement whose result shall come in `format`, ARROW or TEXT."""
    hint = {
        "cz.sql.adhoc.result.type": "embedded",
        "cz.sql.adhoc.default.format": format,
        "cz.sql.job.result.file.presigned.url.enabled": "true",
        "cz.sql.job.result.file.presigned.url.ttl": "3600",
    }
    context = {
        "host": settings.service,
        "instance": settings.instance,
        "workspace": settings.workspace,
        "schema": settings.schema,
        "vc": settings.vcluster,
        "configs": hint,
    }
    return {
        "jobDesc": {
            "virtualCluster": settings.vcluster,
            "type": "SQL_JOB",
            "jobId": _job_id(settings, job),
            "jobName": "SQL_JOB",
            "requestMode": "HYBRID",
            "hybridPollingTimeout": max(1, min(_LONGEST_WAIT, int(settings.query_timeout))),
            "jobConfig": {},
            "sqlJob": {
                "query": [f"{sql.strip().removesuffix(';').rstrip()}\n;"],
                "defaultNamespace": [settings.workspace, settings.schema],
                "sqlConfig": {"timeout": 0, "adhocSizeLimit": "0", "adhocRowLimit": "0", "hint": hint},
            },
            "jobTimeoutMs": max(1, int(settings.query_timeout * 1000)),
            "priority": 0,
            "priorityString": "NORMAL",
            "clientContext": {"configStatements": [], "contextJson": json.dumps(context)},
        }
    }


def get_body(settings: LakehouseSettings, job: str) -> dict[str, Any]:
    """What is sent to ask for a job."""
    asked = {"account": {"user_id": 0}, "job_id": _job_id(settings, job), "offset": 0, "user_agent": ""}
    return {"get_result_request": asked, "user_agent": ""}


def cancel_body(settings: LakehouseSettings, job: str) -> dict[str, Any]:
    """What is sent to cancel a job."""
    return {"account": {"user_id": 0}, "job_id": _job_id(settings, job), "user_agent": "", "force": False}


def _job_id(settings: LakehouseSettings, job: str) -> dict[str, Any]:
    return {"id": job, "workspace": settings.workspace, "instance_id": _INSTANCE_ID}


def read_answer(answer: Mapping[str, Any]) -> JobAnswer | None:
    """What an answer says of its job; None when it says nothing of one."""
    status = answer.get("status")
    if not isinstance(status, Mapping):
        status = answer.get("respStatus")  # where a request itself is refused
    if not isinstance(status, Mapping):
        return None
    code, state = _text(status, "errorCode"), _text(status, "state")
    if not code and not state:
        return None
    text = _text(status, "errorMessage") or _text(status, "errorMsg") or _text(status, "message")
    request = _text(answer, "requestId")
    result = answer.get("resultSet")
    result = result if isinstance(result, Mapping) else None
    if code == NOT_EXISTING:
        return JobAnswer(State.MISSING, code, text, request)
    if code in _STILL_UNKNOWN:
        return JobAnswer(State.RUNNING, code, text, request)
    if code or state not in _RUNNING | {"SUCCEED"}:
        if state in ("CANCELLED", "CANCELLING"):
            code = code or _CANCELLED
        return JobAnswer(State.FAILED, code, text or f"its state is {state or 'not told'}", request)
    if state == "SUCCEED" or (result is not None and ("data" in result or "location" in result)):
        return JobAnswer(State.DONE, "", text, request, result)
    return JobAnswer(State.RUNNING, "", text, request)


def session_refused(status: int, answer: Mapping[str, Any] | None) -> bool:
    """Whether an answer means that the session is not, or no longer, accepted.

    The connector never looks; it logs in anew by the clock. HTTP 401, or 401 as the code in the answer, is what the
    gateway says to a token it does not know.
    """
    if status == 401:
        return True
    return answer is not None and read_answer(answer) is None and str(answer.get("code", "")) == "401"


def cancellation_missed(answer: Mapping[str, Any]) -> bool:
    """Whether the Lakehouse had no such job when it was to be cancelled: the submission may come later."""
    for name in ("respStatus", "status"):
        part = answer.get(name)
        if isinstance(part, Mapping) and part.get("errorCode") == NOT_EXISTING:
            return True
    return False


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""
