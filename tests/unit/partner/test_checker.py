"""The pure parts of the checker: requests it makes up, what it takes for right, and what its reports show."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from core.errors import BadInputError, NotFoundError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.checker import advice
from core.partner.checker.catalogue import CASES, chosen
from core.partner.checker.conversation import METHODS
from core.partner.checker.exchanges import Answer, Exchange
from core.partner.checker.judging import (
    UnmetError,
    check_answer,
    check_refusal,
    check_success,
    read_connection,
    read_connectors,
    read_deletion,
    read_test_results,
)
from core.partner.checker.reporting import as_junit, report_lines
from core.partner.checker.requesting import LARGEST_ID, RequestFactory, Workspace, random_id, user_of
from core.partner.checker.running import Outcome, Result, subject_url
from core.partner.checker.subject import Subject
from core.partner.messages import partner_config as config_fields
from core.partner.messages.reading import (
    read_account_info,
    read_account_user_info,
    read_connect_request,
    read_connection_info,
    read_delete_connection_request,
)
from core.partner.messages.requests import CloudProvider
from core.partner.messages.responses import ErrorReason
from core.partner.partner_configs import partner_config
from core.partner.security.hosts import check_workspace
from core.secrets import Secret
from tests.unit.partner.bodies import encoded

POLICY = PartnerPolicy("https://acme.example", hostnames=("acme.example",))
CONNECTION = {
    "redirect_uri": "https://acme.example/x",
    "redirect_value": "create_trial",
    "user_status": "new",
    "account_status": "new",
    "configured_resources": True,
    "connection_id": "pc1",
}
# What readers of JUnit's XML know, by the schema of Jenkins: an element's attributes, and what is in it.
JUNIT = {
    "testsuites": ("name time tests failures errors disabled", "testsuite"),
    "testsuite": ("name tests failures errors time disabled skipped timestamp hostname id package", "testcase"),
    "testcase": ("name classname time assertions status", "skipped error failure system-out system-err"),
    "failure": ("message type", ""),
    "skipped": ("message type", ""),
    "system-out": ("", ""),
    "system-err": ("", ""),
}


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else encoded(body)
    return Answer(status, {"content-type": "application/json"} | (headers or {}), content)


def test_ids_are_told_apart_and_cases_are_chosen_by_their_beginning() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert all(len(case.title) <= 55 for case in CASES)  # a row fits in 80 columns
    assert all(case.by_hand for case in CASES if case.steps is None)
    assert all(case.basis for case in CASES)
    assert all(case.advice for case in CASES if case.steps is not None)
    assert {case.advice for case in CASES} - {""} == {*advice.ADVICE.values()}  # none is for nobody
    assert [case.id for case in chosen(["p30", "H703"])] == [*(c.id for c in CASES if c.id.startswith("P30")), "H703"]
    assert len(chosen([])) == len(CASES)
    with pytest.raises(NotFoundError, match="no case 'X1'"):
        chosen(["P100", "X1"])


def test_each_endpoint_is_called_by_the_method_of_today() -> None:
    assert {endpoint: methods[0] for endpoint, methods in config_fields.METHODS.items()} == METHODS


@pytest.mark.parametrize("integration", ["read", "notebook", "desktop"])
@pytest.mark.parametrize("options", [("AUTH_PAT",), ("AUTH_OAUTH_M2M",), ("AUTH_OAUTH_U2M",)])
@pytest.mark.parametrize("cloud", CloudProvider)
def test_what_is_made_up_is_as_databricks_sends_it(integration: Any, options: Any, cloud: CloudProvider) -> None:
    config = partner_config(dataclasses.replace(POLICY, integration=integration, auth_options=options))
    requests = RequestFactory(Subject("https://acme.example", config))
    workspace = Workspace(cloud, LARGEST_ID)
    body = requests.connect(user_of("acme.com"), workspace)
    request = read_connect_request(encoded(body), config)
    urls = [request.jdbc_url, request.databricks_jdbc_url]
    assert check_workspace(request.hostname, request.workspace_url, urls, cloud).name == workspace.hostname
    assert (request.personal_access_token is not None) == ("AUTH_PAT" in options)
    assert (request.service_principal_oauth_secret is not None) == ("AUTH_OAUTH_M2M" in options)
    assert (request.oauth_u2m_app_id is not None) == ("AUTH_OAUTH_U2M" in options)
    assert len(requests.tokens) == (options != ("AUTH_OAUTH_U2M",))
    back = read_connect_request(encoded(requests.established(user_of("acme.com"), workspace, "pc1")), config)
    assert (back.connection_id, back.personal_access_token, back.service_principal_oauth_secret) == ("pc1", None, None)
    assert read_delete_connection_request(encoded(requests.of_connection("pc1", workspace))).workspace_key
    assert read_connection_info(encoded(requests.of_connection("pc1", workspace))).workspace_key
    assert read_account_info(encoded(requests.delete_account("databricks-test.com", workspace))).domain
    assert read_account_user_info(encoded(requests.expire_account(user_of("acme.com"), workspace))).email
    assert random_id() in range(1, LARGEST_ID + 1)


def test_a_workspace_of_the_config_is_called_by_its_name() -> None:
    detail = config_fields.TestWorkspaceDetail("own.cloud.databricks.com", 443, "jdbc:spark://own", "/p", "c1")
    config = dataclasses.replace(partner_config(POLICY), test_workspace_detail=detail)
    requests = RequestFactory(Subject("https://acme.example", config))
    own = requests.connect(user_of("acme.com"), Workspace(CloudProvider.AWS, 7))
    assert (own["hostname"], own["jdbc_url"], own["http_path"]) == (
        "own.cloud.databricks.com",
        "jdbc:spark://own",
        "/p",
    )
    other = requests.connect(user_of("acme.com"), Workspace(CloudProvider.GCP, 7))
    assert other["hostname"].endswith(".gcp.databricks.com")


WRONG_ANSWERS: list[tuple[Answer, str]] = [
    (answer(b"", 422), "422 Unprocessable"),
    (answer(b"", 299), "299"),
    (answer({}, 404), "error_reason is ''"),
    (answer({"error_reason": "unauthorized"}, 404), "error_reason is 'unauthorized'"),
    (answer({"error_reason": "bad_request", "display_message": None}, 400), "display_message is null"),
    (answer({"error_reason": "bad_request", "more": {"a": "b"}}, 400), "more is nested"),
    (answer({"error_reason": "bad_request", "code": 4}, 400), "code is a number"),
    (answer({"error_reason": "bad_request", "again": True}, 400), "again is true or false"),
    (
        answer(b'{"error_reason":"bad_request","error_reason":"bad_request"}', 400),
        "error_reason is there more than once",
    ),
    (answer(b"<html>", 500), "not JSON"),
    (answer(b"", 401), "the body is empty"),
    (answer(b"x" * 300_000, 500), "longer than"),
    (answer(CONNECTION, headers={"content-type": "text/html"}), "text/html"),
    (answer(CONNECTION, headers={"content-encoding": "br"}), "Content-Encoding is br"),
    (answer({**CONNECTION, "seen": "dapi00"}), "repeats one"),
    (answer(CONNECTION, headers={"location": "https://x/?token=dapi00"}), "repeats one"),
]


@pytest.mark.parametrize(("wrong", "came"), WRONG_ANSWERS)
def test_no_answer_may_be_so(wrong: Answer, came: str) -> None:
    with pytest.raises(UnmetError) as caught:
        check_answer(wrong, "connect_path", ["dapi00"])
    assert came in caught.value.came
    assert "dapi00" not in str(caught.value)


TO_DO: list[tuple[Answer, str]] = [
    (answer(b"<html>", 500, {"content-type": "text/html"}), "The service has failed: its log tells why."),
    (answer({"error_reason": "general_error"}, 500), "The service has failed: its log tells why."),
    (answer(b"<html>", 502), "A proxy has no answer of the service"),
    (answer(b"", 429), "Lift the limit of requests"),
    (answer(b"", 422), "Answer by a declared status"),
    (answer(b"<html>", 404, {"content-type": "text/html"}), "Check the URL"),
]


@pytest.mark.parametrize(("wrong", "to_do"), TO_DO, ids=[f"{each.status} {to_do}" for each, to_do in TO_DO])
def test_what_to_do_follows_from_the_status(wrong: Answer, to_do: str) -> None:
    with pytest.raises(UnmetError) as caught:
        check_answer(wrong, "connect_path", [])
        check_success(wrong, "connect_path")
    assert caught.value.demand.advice.startswith(to_do)


@pytest.mark.parametrize(
    "body",
    [
        {**CONNECTION, "redirect_uri": ""},
        {**CONNECTION, "user_status": "old"},
        {**CONNECTION, "configured_resources": "true"},
        {**CONNECTION, "connection_id": 5},
        {**CONNECTION, "connection_id": ""},
        {name: value for name, value in CONNECTION.items() if name != "account_status"},
        [CONNECTION],
    ],
)
def test_a_connection_is_read_strictly(body: Any) -> None:
    with pytest.raises(UnmetError, match="the body that is documented"):
        read_connection(answer(body))


def test_what_is_right_is_read() -> None:
    found = read_connection(answer({**CONNECTION, "oauth_redirect_uri": None, "a_new_field": []}, 201))
    assert (found.connection_id, found.oauth_redirect_uri) == ("pc1", None)
    check_answer(answer(b"done", headers={"content-type": "text/plain"}), "delete_account_path", [])
    unknown = answer({"error_reason": "account_not_found", "debugging_message": "x"}, 404)
    check_answer(unknown, "expire_account_path", [])
    assert check_refusal(unknown, ErrorReason.CONNECTION_NOT_FOUND, ErrorReason.ACCOUNT_NOT_FOUND)
    with pytest.raises(UnmetError, match="came: error_reason is account_not_found"):
        check_refusal(unknown, ErrorReason.CONNECTION_NOT_FOUND)
    with pytest.raises(UnmetError, match="404 Not Found"):
        check_refusal(unknown, ErrorReason.BAD_REQUEST)
    assert read_deletion(answer({"resource_status": "user_unauthorized"}), user_named=True)
    with pytest.raises(UnmetError, match="only where the request has user_info"):
        read_deletion(answer({"resource_status": "user_unauthorized"}), user_named=False)
    assert read_test_results(answer({"test_results": []})).test_results == ()
    for body in ({}, {"test_results": [1]}, {"test_results": [{"test_name": "a", "status": "SUCCESS"}]}):
        with pytest.raises(UnmetError):
            read_test_results(answer(body))
    page = read_connectors(answer({"connectors": [{"identifier": "a", "name": "A", "type": "source"}]}))
    assert (len(page.connectors), page.pagination_token) == (1, None)


def test_reports_show_no_secret_and_nothing_invisible() -> None:
    password = Secret("a-password-to-be-masked-7f3")
    sent = {"Authorization": f"Basic {password.reveal()}", "User-Agent": "databricks"}
    body = {"user_info": {"auth": {"personal_access_token": "dapi-not-of-the-form"}}, "x": "a\x1b[31m\x00b"}
    exchange = Exchange(
        "POST",
        "https://acme.example/connect?token=secret1&empty=",
        sent,
        encoded(body),
        Answer(500, {"set-cookie": "secret2", "date": "now"}, b'{"error":"\xff\x07 dose0123456789abcdef0123"}'),
    )
    silent = Exchange("GET", "https://acme.example/", {}, None, failure=f"it broke off {password.reveal()}")
    case = chosen(["P100"])[0]
    results = [
        Result(case, Outcome.FAILED, expected="a\x00b", came="\ud800", exchanges=(silent, exchange), left=("pc\x1b",)),
        Result(case, Outcome.FAILED, expected="an answer", came="none", exchanges=(silent,)),
        Result(case, Outcome.WARNING, note="odd \x1b"),
        Result(case, Outcome.MANUAL, note="by hand"),
    ]
    shown = json.dumps([exchange.shown(), silent.shown()])
    document = as_junit(Subject("https://acme.example"), results, datetime(2026, 11, 3, tzinfo=UTC))
    lines = "\n".join(report_lines(results))
    for text in (shown, document.decode(), lines):
        for secret in (password.reveal(), "secret1", "secret2", "dapi-not", "dose0123"):
            assert secret not in text
        assert not any(ord(character) < 32 and character != "\n" for character in text)
    (suite,) = root = ElementTree.fromstring(document)  # noqa: S314 - our own report
    for element in (root, suite, *suite.iter()):
        attributes, children = JUNIT[element.tag]
        assert set(element.keys()) <= set(attributes.split()), element.tag
        assert {child.tag for child in element} <= set(children.split())
    assert suite.get("failures") == "2"
    assert suite.findtext("testcase/system-out") == "warning: odd \\x1b"
    assert suite.findtext("testcase/system-err") == "left behind: pc\\x1b"
    assert "  by        OnboardingTestCases.md, the test case of this number" in lines
    assert "https://acme.example/connect?token=********&empty=" in lines
    assert "it broke off ********" in lines
    assert repr(exchange).count("acme") == 0


@pytest.mark.parametrize(
    "url", ["https://a.example/x/", "http://localhost:8085", "http://[::1]:80", "https://a.example:444"]
)
def test_a_url_to_call(url: str) -> None:
    assert subject_url(url, insecure_http=False) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["", "a.example", "file:///x", "https://", "https://a b", "https://a:0", "https://[", "https://\u00e4"]
)
def test_no_url_to_call(url: str) -> None:
    with pytest.raises(BadInputError, match="not the URL of a service"):
        subject_url(url, insecure_http=True)
    assert subject_url("http://a.example", insecure_http=True) == "http://a.example"
