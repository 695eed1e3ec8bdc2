"""What is sent to run a statement, and how the Lakehouse's answers are read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from core.lakehouse.reaching.jobs import JobAnswer, State, new_job_id, read_answer, session_refused, submit_body
from core.profiles import LakehouseSettings
from core.secrets import SecretReference

SETTINGS = LakehouseSettings("s", "i", "w", "u", SecretReference.parse("prompt"), "v", "x", query_timeout=3.5)


def status(**values: str) -> dict[str, Any]:
    return {"requestId": "r", "status": values}


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (status(state="SUCCEED"), JobAnswer(State.DONE, request="r")),
        (status(state="RUNNING"), JobAnswer(State.RUNNING, request="r")),
        (status(state="RESUMING_CLUSTER", message="m"), JobAnswer(State.RUNNING, "", "m", "r")),
        ({**status(state="RUNNING"), "resultSet": {"data": {}}}, JobAnswer(State.DONE, "", "", "r", {"data": {}})),
        ({**status(state="RUNNING"), "resultSet": {}}, JobAnswer(State.RUNNING, "", "", "r")),
        (status(state="FAILED", errorCode="C", errorMessage="e", message="m"), JobAnswer(State.FAILED, "C", "e", "r")),
        (status(state="FAILED", message="m"), JobAnswer(State.FAILED, "", "m", "r")),
        (status(state="CANCELLING"), JobAnswer(State.FAILED, "CZLH-60006", "its state is CANCELLING", "r")),
        (status(state="NEW"), JobAnswer(State.FAILED, "", "its state is NEW", "r")),
        (status(state="FAILED", errorCode="CZLH-60005"), JobAnswer(State.MISSING, "CZLH-60005", "", "r")),
        (status(state="FAILED", errorCode="CZLH-60007"), JobAnswer(State.RUNNING, "CZLH-60007", "", "r")),
        (status(state="FAILED", errorCode="CZLH-60022"), JobAnswer(State.RUNNING, "CZLH-60022", "", "r")),
        ({"respStatus": {"errorCode": "C", "errorMsg": "e"}}, JobAnswer(State.FAILED, "C", "e")),
        ({"status": 500, "error": "Internal Server Error"}, None),
        ({"status": {}}, None),
        ({"code": 401}, None),
        ({}, None),
    ],
)
def test_an_answer_says_what_has_become_of_the_job(answer: dict[str, Any], read: JobAnswer | None) -> None:
    assert read_answer(answer) == read


@pytest.mark.parametrize(
    ("http", "answer", "refused"),
    [
        (401, None, True),
        (200, {"code": 401, "message": "Illegal authorization"}, True),
        (200, {"code": "401"}, True),
        (200, {"code": 0}, False),
        (403, {"code": 403}, False),
        (200, {"code": 401, "status": {"state": "SUCCEED"}}, False),
    ],
)
def test_what_means_that_the_session_is_refused(http: int, answer: dict[str, Any] | None, refused: bool) -> None:
    assert session_refused(http, answer) is refused


def test_one_statement_is_sent_with_its_place_and_its_time() -> None:
    job = new_job_id()
    assert re.fullmatch(r"20\d{18}[1-9]\d{4}", job)
    sent = submit_body(SETTINGS, job, " SHOW CONNECTIONS; \n", "TEXT")["jobDesc"]
    assert sent["sqlJob"]["query"] == ["SHOW CONNECTIONS\n;"]
    assert sent["sqlJob"]["defaultNamespace"] == ["w", "x"]
    assert sent["sqlJob"]["sqlConfig"]["hint"]["cz.sql.adhoc.default.format"] == "TEXT"
    assert (sent["virtualCluster"], sent["jobTimeoutMs"], sent["hybridPollingTimeout"]) == ("v", 3500, 3)
    assert json.loads(sent["clientContext"]["contextJson"])["instance"] == "i"
