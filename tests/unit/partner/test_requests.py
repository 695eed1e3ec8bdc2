"""Requests of the Connect API: what is read, what is refused and how, and that no secret gets out."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import pytest

from core.partner.checker.requesting import ABSENT, changed
from core.partner.messages.partner_config import PartnerConfig
from core.partner.messages.partner_config_reading import read_partner_config
from core.partner.messages.reading import (
    BadRequestError,
    read_account_info,
    read_account_user_info,
    read_connect_request,
    read_connection_info,
    read_delete_connection_request,
    read_pagination_token,
)
from core.partner.messages.requests import (
    AccountInfo,
    AccountUserInfo,
    CloudProvider,
    ConnectionInfo,
    ConnectionScope,
    ConnectRequest,
    DeleteConnectionRequest,
    DeletingUserInfo,
    UserKey,
    WorkspaceKey,
)
from core.partner.messages.responses import ErrorReason
from core.partner.messages.writing import write_request
from core.secrets import revealed
from tests.unit.partner.bodies import (
    CLIENT_SECRET,
    CONFIG,
    CONNECT,
    DELETE_ACCOUNT,
    DELETE_CONNECTION,
    EXPIRE_ACCOUNT,
    LARGEST,
    TEST_CONNECTION,
    TOKEN,
    WAREHOUSE,
    Json,
    encoded,
)
from tests.unit.partner.request_readers import READERS


def connect(changes: dict[str, Any], config: PartnerConfig | None = None) -> ConnectRequest:
    return read_connect_request(encoded(changed(CONNECT, changes)), config)


def problems(changes: dict[str, Any], config: PartnerConfig | None = None) -> dict[str, str]:
    """What is wrong with connect's body after the changes: the problem of each field."""
    with pytest.raises(BadRequestError) as caught:
        connect(changes, config)
    assert caught.value.answer.error_reason is ErrorReason.BAD_REQUEST
    assert caught.value.answer.debugging_message == caught.value.message
    return {problem.field: f"{problem.problem}; {problem.advice}" for problem in caught.value.problems}


def configured(changes: dict[str, Any]) -> PartnerConfig:
    return read_partner_config(encoded(changed(CONFIG, changes)))


def resources(*names: str) -> list[Json]:
    return [{"resource_type": name} for name in names]


def test_a_connect_request_is_read_whole() -> None:
    request = connect({**WAREHOUSE, "connection_scope": "user", "catalog_name": "main", "something_new": {"a": [1.5]}})
    assert request.workspace_key == WorkspaceKey(CloudProvider.AWS, LARGEST - 1)
    assert request.user_key == UserKey(CloudProvider.AWS, LARGEST)
    assert request.connection_scope is ConnectionScope.USER
    assert (request.catalog_name, request.database_name, request.port) == ("main", None, 443)
    assert (request.demo, request.is_free_trial, request.is_sql_warehouse) == (False, True, True)
    assert (request.user_info.first_name, request.user_info.last_name) == ("Ada", "")
    assert request.personal_access_token is not None
    assert request.personal_access_token.reveal() == TOKEN
    assert request.service_principal_oauth_secret is not None
    assert request.service_principal_oauth_secret.reveal() == CLIENT_SECRET
    # A service sees them by the thousand, and must not keep them for good.
    assert not revealed() & {TOKEN, CLIENT_SECRET}


def test_the_other_requests_are_read_whole() -> None:
    user = {"email": "a@b.example", "databricks_user_id": 7, "is_connection_established": True}
    deleting = read_delete_connection_request(encoded({**DELETE_CONNECTION, "user_info": user}))
    assert deleting == DeleteConnectionRequest("pc_1", CloudProvider.AZURE, 0, DeletingUserInfo("a@b.example", 7))
    assert deleting.workspace_key == WorkspaceKey(CloudProvider.AZURE, 0)
    tested = read_connection_info(encoded(TEST_CONNECTION))
    assert tested == ConnectionInfo("pc_1", CloudProvider.AZURE, 0)
    assert tested.workspace_key == deleting.workspace_key
    alone = read_connection_info(b'{"connection_id": "pc_1", "cloud_provider": null}')
    assert (alone, alone.workspace_key) == (ConnectionInfo("pc_1"), None)
    account = read_account_info(encoded(DELETE_ACCOUNT))
    assert account == AccountInfo("databricks-test.com", CloudProvider.GCP, 1)
    assert account.workspace_key == WorkspaceKey(CloudProvider.GCP, 1)
    expired = read_account_user_info(encoded(EXPIRE_ACCOUNT))
    assert expired == AccountUserInfo("user1@databricks-test.com", 2, CloudProvider.AWS, 1)
    assert expired.user_key == UserKey(CloudProvider.AWS, 2)
    assert expired.workspace_key == WorkspaceKey(CloudProvider.AWS, 1)


def test_null_and_the_empty_text_mean_absent() -> None:
    optional = [each.name for each in dataclasses.fields(ConnectRequest) if each.default is None]
    flags = {"is_sql_endpoint", "is_sql_warehouse"}
    bare = connect(dict.fromkeys(optional, ABSENT))
    assert connect(dict.fromkeys(optional)).user_info.email == bare.user_info.email
    empty = connect({name: None if name in flags else "" for name in optional})
    for request in (bare, empty, connect(dict.fromkeys(optional))):
        assert all(getattr(request, name) is None for name in optional)
    assert connect({"user_info.auth": None}).personal_access_token is None
    assert connect({"user_info.auth": {"personal_access_token": None}}).personal_access_token is None


def test_the_misspelt_cloud_is_taken_for_google_s() -> None:
    assert connect({"cloud_provider": "gpc"}).cloud_provider is CloudProvider.GCP
    assert read_account_info(encoded({**DELETE_ACCOUNT, "cloud_provider": "gpc"})).cloud_provider is CloudProvider.GCP


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("user_info", ABSENT, "is required"),
        ("user_info", None, "is required"),
        ("user_info", "me", "must be an object"),
        ("user_info.email", ABSENT, "is required"),
        ("user_info.email", "", "must not be empty"),
        ("user_info.email", "nobody", "an e-mail address"),
        ("user_info.email", "a@b@c d", "an e-mail address"),
        ("user_info.email", "a@b\n", "control character"),
        ("user_info.email", "a" * 320 + "@b", "longer than 320"),
        ("user_info.first_name", None, "is required"),
        ("user_info.last_name", "\ud800", "half a character"),
        ("user_info.last_name", 5, "must be a text"),
        ("user_info.databricks_user_id", ABSENT, "is required"),
        ("user_info.is_connection_established", "false", "true or false"),
        ("user_info.is_connection_established", 0, "true or false"),
        ("user_info.auth", TOKEN, "must be an object"),
        ("user_info.auth.personal_access_token", 5, "must be a text"),
        ("hostname", "https://a.example", "without scheme"),
        ("hostname", "a.example:443", "without scheme, port"),
        ("hostname", "a" * 254, "longer than 253"),
        ("port", 0, "from 1 to 65535"),
        ("port", 65_536, "from 1 to 65535"),
        ("port", "443", "a whole number from 1 to 65535"),
        ("workspace_url", "acme.cloud.databricks.com", "begins with https://"),
        ("workspace_url", "https://", "and a host"),
        ("workspace_id", 1, "the same as user_info.databricks_organization_id"),
        ("demo", ABSENT, "is required"),
        ("demo", None, "is required"),
        ("cloud_provider", ABSENT, "aws, azure or gcp"),
        ("cloud_provider", "AWS", "aws, azure or gcp"),
        ("cloud_provider", "", "aws, azure or gcp"),
        ("is_free_trial", 1, "true or false"),
        ("jdbc_url", "spark://h", "begins with jdbc:"),
        ("databricks_jdbc_url", 5, "must be a text"),
        ("cluster_id", "x" * 4097, "longer than 4096"),
        ("catalog_name", "a\x00b", "control character"),
        ("service_principal_id", "123456789", "a UUID"),
        ("service_principal_oauth_secret", f"{CLIENT_SECRET}\n", "control character"),
        ("connection_scope", "WORKSPACE", "workspace or user"),
        ("is_sql_endpoint", "true", "true or false"),
    ],
)
def test_a_wrong_field_is_named(path: str, value: Any, words: str) -> None:
    found = problems({path: value})
    assert set(found) == {path}
    assert words in found[path]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert set(problems({"port": -1, "demo": None, "user_info.email": 5, "hostname": ABSENT})) == {
        "port",
        "demo",
        "user_info.email",
        "hostname",
    }


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2**53 + 1, LARGEST])
def test_ids_are_exact_to_the_last_bit(number: int) -> None:
    read = connect({"user_info.databricks_organization_id": number, "workspace_id": number})
    assert read.workspace_id == read.user_info.databricks_organization_id == number
    assert json.loads(write_request(read))["workspace_id"] == number
    assert (
        read_account_user_info(encoded({**EXPIRE_ACCOUNT, "databricks_user_id": number})).databricks_user_id == number
    )


@pytest.mark.parametrize(
    "number", ["-9223372036854775809", "9223372036854775808", "1" * 6000, "1.0", "1e3", "true", '"1"']
)
def test_what_is_no_int64_is_no_id(number: str) -> None:
    for read, body in READERS[1:]:
        text = json.dumps({**body, "databricks_organization_id": "?"}).replace('"?"', number)
        with pytest.raises(
            BadRequestError, match=r"^[^.]*databricks_organization_id must be a whole number of 64 bits"
        ):
            read(text.encode())


def test_an_established_connection_needs_its_id() -> None:
    established = {"user_info.is_connection_established": True}
    assert connect({**established, "connection_id": "pc_1"}).connection_id == "pc_1"
    for nothing in (ABSENT, None, ""):
        assert (
            "is required; user_info.is_connection_established"
            in problems({**established, "connection_id": nothing})["connection_id"]
        )
    assert "longer than 1024" in problems({**established, "connection_id": "x" * 1025})["connection_id"]


def test_what_an_established_connection_or_a_new_one_does_not_need_is_not_kept() -> None:
    for unneeded in ("pc_1", 5, {"a": 1}):
        assert connect({"connection_id": unneeded}).connection_id is None
    for auth in ({"personal_access_token": TOKEN}, "anything"):
        established = {"user_info.is_connection_established": True, "connection_id": "pc_1", "user_info.auth": auth}
        assert connect(established).personal_access_token is None


def test_only_the_credentials_of_the_configured_ways_are_kept() -> None:
    expected = {"AUTH_PAT": (True, False), "AUTH_OAUTH_M2M": (False, True), "AUTH_OAUTH_U2M": (False, False)}
    for option, kept in expected.items():
        request = connect(WAREHOUSE, configured({"auth_options": [option]}))
        found = (request.personal_access_token is not None, request.service_principal_oauth_secret is not None)
        assert found == kept, option


def test_a_warehouse_is_demanded_where_one_is_provisioned() -> None:
    config = configured({})
    assert connect(WAREHOUSE, config).is_sql_warehouse
    for name in WAREHOUSE:
        wrong = (False, None, ABSENT) if name.startswith("is_") else ("", None, ABSENT)
        for value in wrong:
            assert set(problems({**WAREHOUSE, name: value}, config)) == {name}
    assert "provisions SqlEndpoint" in problems({**WAREHOUSE, "cluster_id": ""}, config)["cluster_id"]
    # Without a config it is the flags that tell of a warehouse.
    assert set(problems({**WAREHOUSE, "jdbc_url": "", "is_sql_endpoint": None})) == {"jdbc_url", "is_sql_endpoint"}
    assert connect(dict.fromkeys(WAREHOUSE)).http_path is None


def test_no_warehouse_is_taken_where_none_is_provisioned() -> None:
    cluster = configured({"resources_to_provision": resources("InteractiveCluster")})
    assert connect({"is_sql_endpoint": False, "http_path": ""}, cluster).is_sql_endpoint is False
    for name, value in WAREHOUSE.items():
        assert "provisions no SqlEndpoint" in problems({name: value}, cluster)[name]
    assert "provisions InteractiveCluster" in problems({"cluster_id": ABSENT}, cluster)["cluster_id"]
    token_only = configured({"resources_to_provision": resources("PAT")})
    assert connect({"cluster_id": ABSENT}, token_only).cluster_id is None
    # Databricks' own tests send the id to everybody.
    assert connect({}, token_only).cluster_id == "0123456789abcdef"


def test_the_token_of_a_page_may_be_empty() -> None:
    assert read_pagination_token(None) is None
    assert read_pagination_token("") is None
    assert read_pagination_token("page-2") == "page-2"
    for wrong in ("x" * 1025, "a\nb", "\udcff"):
        with pytest.raises(BadRequestError, match="pagination_token"):
            read_pagination_token(wrong)


def secrets_shown(text: str) -> bool:
    return TOKEN in text or CLIENT_SECRET in text


def told_by(error: BaseException | None) -> str:
    """All that an error and those it came from tell, their attributes too."""
    if error is None:
        return ""
    return f"{error!r} {error} {error.args} {vars(error)} {told_by(error.__cause__)} {told_by(error.__context__)}"


def test_no_secret_is_shown() -> None:
    request = connect({})
    assert not secrets_shown(f"{request} {request!r} {request.user_info.auth!r} {request.personal_access_token}")
    with pytest.raises(TypeError):
        pickle.dumps(request)
    body = write_request(request)
    broken = [changed(CONNECT, {path: wrong}) for path in CONNECT for wrong in (TOKEN, [CLIENT_SECRET], {TOKEN: TOKEN})]
    bodies = [body[:-1], body[:60] + b"\xff" + body[60:], body + b"}", body.replace(b":", b"::", 30)]
    for wrong in [*bodies, *map(encoded, broken), encoded({"user_info": {"auth": TOKEN}, CLIENT_SECRET: TOKEN})]:
        try:
            read_connect_request(wrong)
        except BadRequestError as error:
            assert not secrets_shown(told_by(error))
            assert not secrets_shown(str(error.answer))
