"""Requests of the Connect API are read again as they were written, whatever is in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from core.partner.messages.reading import (
    read_account_info,
    read_account_user_info,
    read_connect_request,
    read_connection_info,
    read_delete_connection_request,
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
)
from core.partner.messages.writing import Request, write_request
from core.secrets import Secret
from tests.unit.partner.bodies import (
    CONNECT,
    LARGEST,
    WAREHOUSE,
    Json,
    encoded,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
INT64 = st.integers(-(2**63), LARGEST)


@st.composite
def requests(draw: st.DrawFn) -> ConnectRequest:
    """A request that says what it likes, as its own body would be read."""
    established = draw(st.booleans())
    place = draw(INT64)
    optional = {
        name: draw(st.none() | TEXT)
        for name in ("cloud_provider_region", "cluster_id", "destination_location", "catalog_name", "database_name")
    }
    body = {
        **CONNECT,
        **optional,
        "user_info": {
            **CONNECT["user_info"],
            "first_name": draw(st.text(st.characters(codec="utf-8"))),
            "databricks_user_id": draw(INT64),
            "databricks_organization_id": place,
            "is_connection_established": established,
            "auth": draw(st.none() | st.fixed_dictionaries({"personal_access_token": TEXT})),
        },
        "workspace_id": place,
        "demo": draw(st.booleans()),
        "cloud_provider": draw(st.sampled_from(CloudProvider)),
        "connection_id": draw(TEXT) if established else None,
        "service_principal_oauth_secret": draw(st.none() | TEXT),
        "service_principal_id": draw(st.none() | st.uuids().map(str)),
        "connection_scope": draw(st.none() | st.sampled_from(ConnectionScope)),
        **(draw(st.sampled_from([WAREHOUSE, {}]))),
    }
    return read_connect_request(encoded(body))


@given(requests())
def test_what_is_written_is_read_again_as_it_was(request: ConnectRequest) -> None:
    again = read_connect_request(write_request(request))
    assert without_secrets(again) == without_secrets(request)
    assert value_of(again.service_principal_oauth_secret) == value_of(request.service_principal_oauth_secret)
    assert value_of(again.personal_access_token) == value_of(request.personal_access_token)
    assert_no_null(json.loads(write_request(request)))


def assert_no_null(values: Json) -> None:
    assert None not in values.values()
    for inner in values.values():
        if isinstance(inner, dict):
            assert_no_null(inner)


def without_secrets(request: ConnectRequest) -> ConnectRequest:
    """Secrets are compared by identity, so that they are left out of a comparison of requests."""
    user_info = dataclasses.replace(request.user_info, auth=None)
    return dataclasses.replace(request, user_info=user_info, service_principal_oauth_secret=None)


def value_of(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


@given(TEXT, st.sampled_from(CloudProvider), INT64, INT64)
def test_the_other_requests_are_read_as_they_were_written(
    name: str, cloud: CloudProvider, workspace: int, user: int
) -> None:
    who = DeletingUserInfo("a@b.example", user, workspace)
    written: list[tuple[Request, Callable[[bytes], Request]]] = [
        (DeleteConnectionRequest(name, cloud, workspace, who), read_delete_connection_request),
        (DeleteConnectionRequest(name, cloud, workspace), read_delete_connection_request),
        (ConnectionInfo(name, cloud, workspace), read_connection_info),
        (ConnectionInfo(name), read_connection_info),
        (AccountInfo("databricks-demo.com", cloud, workspace), read_account_info),
        (AccountUserInfo("a@b.example", user, cloud, workspace), read_account_user_info),
    ]
    for request, read in written:
        assert read(write_request(request)) == request
