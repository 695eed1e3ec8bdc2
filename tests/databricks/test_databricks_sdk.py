"""databricks-sdk itself against the fake workspace: what the fake takes and gives is what Databricks' own client does.

The SDK is no dependency of Housekeys: it judges the fake that Housekeys' own flows are tested with.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.databricks_fake import (
    DISCOVERY,
    PAT,
    PRINCIPAL,
    PRINCIPAL_SECRET,
    PUBLISHED_APP,
    REDIRECT,
    USER,
    WAREHOUSE,
    DatabricksFake,
)


# Not by `import`, or mypy reads all of it for a minute; and when asked for, or every worker of a run reads it.
def sdk() -> Any:
    return import_module("databricks.sdk")


def oauth() -> Any:
    return import_module("databricks.sdk.oauth")


def sql() -> Any:
    return import_module("databricks.sdk.service.sql")


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile of the person who runs the tests, and none of their tokens."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))


@pytest.fixture
def fake() -> Iterator[DatabricksFake]:
    with DatabricksFake() as running:
        yield running


def workspace(fake: DatabricksFake, secret: str = PRINCIPAL_SECRET) -> Any:
    return sdk().WorkspaceClient(host=fake.url, client_id=PRINCIPAL, client_secret=secret, auth_type="oauth-m2m")


def consent(fake: DatabricksFake) -> Any:
    endpoints = oauth().get_workspace_endpoints(fake.url)
    client = oauth().OAuthClient(oidc_endpoints=endpoints, client_id=PUBLISHED_APP, redirect_url=REDIRECT)
    return client.initiate_consent()


def name_of(fake: DatabricksFake, token: Any) -> Any:
    return sdk().WorkspaceClient(host=fake.url, token=token.access_token, auth_type="pat").current_user.me().user_name


def test_a_service_principal_gets_a_token_and_keeps_it(fake: DatabricksFake) -> None:
    client = workspace(fake)
    assert client.current_user.me().user_name == PRINCIPAL
    assert client.current_user.me().user_name == PRINCIPAL
    assert fake.grants == ["client_credentials"]
    assert DISCOVERY[0] in fake.requests


def test_a_wrong_secret_is_refused(fake: DatabricksFake) -> None:
    with pytest.raises(Exception, match="invalid_client"):
        workspace(fake, "dosewrong").current_user.me()


def test_a_user_consents_and_the_token_is_refreshed(fake: DatabricksFake) -> None:
    begun = consent(fake)
    credentials = begun.exchange_callback_parameters(dict(fake.consent(begun.authorization_url)))
    first = credentials.token()
    assert name_of(fake, first) == USER
    used = first.refresh_token
    second = credentials.refresh()
    assert second.refresh_token not in ("", used)
    assert name_of(fake, second) == USER
    assert fake.grants == ["authorization_code", "refresh_token"]
    credentials._token = first  # a refresh token that was used before
    with pytest.raises(ValueError, match="invalid_grant"):
        credentials.refresh()


def test_a_state_or_a_verifier_of_another_consent_is_refused(fake: DatabricksFake) -> None:
    first, second = consent(fake), consent(fake)
    brought_back = dict(fake.consent(first.authorization_url))
    with pytest.raises(ValueError, match="state mismatch"):
        second.exchange_callback_parameters(brought_back)
    with pytest.raises(ValueError, match="invalid_grant"):
        second.exchange(brought_back["code"], second.as_dict()["state"])


def test_the_user_denies(fake: DatabricksFake) -> None:
    fake.denies = True
    begun = consent(fake)
    with pytest.raises(ValueError, match="said <no>"):
        begun.exchange_callback_parameters(dict(fake.consent(begun.authorization_url)))


def test_the_sdk_looks_where_the_fake_says(fake: DatabricksFake) -> None:
    endpoints = oauth().get_workspace_endpoints(fake.url)
    assert urlsplit(endpoints.authorization_endpoint).path == "/oidc/v1/authorize"
    assert urlsplit(endpoints.token_endpoint).path == "/oidc/v1/token"


def test_a_warehouse_answers_a_statement(fake: DatabricksFake) -> None:
    client = sdk().WorkspaceClient(host=fake.url, token=PAT, auth_type="pat")
    asked = {
        "statement": "SELECT 1",
        "wait_timeout": "10s",
        "on_wait_timeout": sql().ExecuteStatementRequestOnWaitTimeout.CANCEL,
    }
    answer = client.statement_execution.execute_statement(warehouse_id=WAREHOUSE, **asked)
    assert (answer.status.state, answer.result.data_array) == (sql().StatementState.SUCCEEDED, [["1"]])
    fake.warehouse = "STARTING"
    answer = client.statement_execution.execute_statement(warehouse_id=WAREHOUSE, **asked)
    assert answer.status.state is sql().StatementState.CANCELED
    with pytest.raises(Exception, match="no such SQL warehouse"):
        client.statement_execution.execute_statement(warehouse_id="other", **asked)
    fake.warehouse = "DENIED"
    with pytest.raises(Exception, match="You may not use"):
        client.statement_execution.execute_statement(warehouse_id=WAREHOUSE, **asked)
