"""From the bytes of a request to the request: strictly, with all that is wrong at once, and never with a secret in it.

What depends on what the partner has Databricks provision is judged by the PartnerConfig, where one is given. A field
that is unknown, or not needed in this case, is ignored: Databricks adds fields, and its tests send some needlessly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.errors import BadInputError
from core.partner.messages.json_fields import (
    EMAIL,
    HOSTNAME,
    HTTP_URL,
    JDBC_URL,
    PORTS,
    UUID,
    FieldProblem,
    Fields,
    JsonObject,
    read_object,
)
from core.partner.messages.partner_config import AuthOption, PartnerConfig, ResourceType
from core.partner.messages.requests import (
    WAREHOUSE_FLAGS,
    WAREHOUSE_TEXTS,
    AccountInfo,
    AccountUserInfo,
    Auth,
    CloudProvider,
    ConnectionInfo,
    ConnectionScope,
    ConnectRequest,
    DeleteConnectionRequest,
    DeletingUserInfo,
    UserInfo,
)
from core.partner.messages.responses import ErrorAnswer, ErrorReason

_MISSPELT_CLOUDS = {"gpc": CloudProvider.GCP}  # so the published description of the API has it
_LONGEST_EMAIL = 320
_LONGEST_HOST = 253
_LONGEST_ID = 1024
_LONGEST_TOKEN = 1024

Request = TypeVar("Request")


class BadRequestError(BadInputError):
    """A request that cannot be used. Its message names every field that is wrong, and repeats no value."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(f"The request cannot be used: {'. '.join(map(str, problems))}.")
        self.problems = problems

    @property
    def answer(self) -> ErrorAnswer:
        """What to answer: a 400 whose debugging message goes to Databricks' log."""
        return ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=self.message)


def read_connect_request(body: bytes, config: PartnerConfig | None = None) -> ConnectRequest:
    """The request in the body of connect. Raises BadRequestError."""
    return _read(body, lambda fields: _connect_request(fields, config))


def read_delete_connection_request(body: bytes) -> DeleteConnectionRequest:
    """The request in the body of delete-connection. Raises BadRequestError."""
    return _read(
        body,
        lambda fields: DeleteConnectionRequest(
            connection_id=fields.text("connection_id", longest=_LONGEST_ID),
            cloud_provider=fields.choice("cloud_provider", CloudProvider, _MISSPELT_CLOUDS),
            databricks_organization_id=fields.whole("databricks_organization_id"),
            user_info=_deleting_user_info(fields),
        ),
    )


def read_connection_info(body: bytes) -> ConnectionInfo:
    """The request in the body of test-connection. Raises BadRequestError."""
    return _read(
        body,
        lambda fields: ConnectionInfo(
            connection_id=fields.text("connection_id", longest=_LONGEST_ID),
            cloud_provider=fields.optional_choice("cloud_provider", CloudProvider, _MISSPELT_CLOUDS),
            databricks_organization_id=fields.optional_whole("databricks_organization_id"),
        ),
    )


def read_account_info(body: bytes) -> AccountInfo:
    """The request in the body of delete-account. Raises BadRequestError."""
    return _read(
        body,
        lambda fields: AccountInfo(
            domain=fields.text("domain", pattern=HOSTNAME, longest=_LONGEST_HOST),
            cloud_provider=fields.choice("cloud_provider", CloudProvider, _MISSPELT_CLOUDS),
            databricks_organization_id=fields.whole("databricks_organization_id"),
        ),
    )


def read_account_user_info(body: bytes) -> AccountUserInfo:
    """The request in the body of expire-account. Raises BadRequestError."""
    return _read(
        body,
        lambda fields: AccountUserInfo(
            email=fields.text("email", pattern=EMAIL, longest=_LONGEST_EMAIL),
            databricks_user_id=fields.whole("databricks_user_id"),
            cloud_provider=fields.choice("cloud_provider", CloudProvider, _MISSPELT_CLOUDS),
            databricks_organization_id=fields.whole("databricks_organization_id"),
        ),
    )


def read_pagination_token(value: str | None) -> str | None:
    """The token of the query of connectors; the first call's empty one counts as absent. Raises BadRequestError."""
    problems: list[FieldProblem] = []
    fields = Fields(JsonObject([("pagination_token", value)]), problems)
    token = fields.optional_text("pagination_token", longest=_LONGEST_TOKEN)
    if problems:
        raise BadRequestError(tuple(problems))
    return token


def _read(body: bytes, take: Callable[[Fields], Request]) -> Request:
    values = read_object(body)
    if isinstance(values, FieldProblem):
        raise BadRequestError((values,))
    problems: list[FieldProblem] = []
    request = take(Fields(values, problems))
    if problems:
        raise BadRequestError(tuple(problems))
    return request


def _connect_request(fields: Fields, config: PartnerConfig | None) -> ConnectRequest:
    options = tuple(AuthOption) if config is None else config.auth_options
    user_info = _user_info(fields.inner("user_info"), AuthOption.AUTH_PAT in options)
    m2m = AuthOption.AUTH_OAUTH_M2M in options
    request = ConnectRequest(
        user_info=user_info,
        hostname=fields.text("hostname", pattern=HOSTNAME, longest=_LONGEST_HOST),
        port=fields.whole("port", PORTS),
        workspace_url=fields.text("workspace_url", pattern=HTTP_URL),
        workspace_id=fields.whole("workspace_id"),
        demo=fields.flag("demo"),
        cloud_provider=fields.choice("cloud_provider", CloudProvider, _MISSPELT_CLOUDS),
        is_free_trial=fields.flag("is_free_trial"),
        connection_id=_connection_id(fields, user_info.is_connection_established),
        cloud_provider_region=fields.optional_text("cloud_provider_region"),
        http_path=fields.optional_text("http_path"),
        jdbc_url=fields.optional_text("jdbc_url", pattern=JDBC_URL),
        databricks_jdbc_url=fields.optional_text("databricks_jdbc_url", pattern=JDBC_URL),
        cluster_id=fields.optional_text("cluster_id"),
        is_sql_endpoint=fields.optional_flag("is_sql_endpoint"),
        is_sql_warehouse=fields.optional_flag("is_sql_warehouse"),
        destination_location=fields.optional_text("destination_location"),
        catalog_name=fields.optional_text("catalog_name"),
        database_name=fields.optional_text("database_name"),
        data_source_connector=fields.optional_text("data_source_connector"),
        service_principal_id=fields.optional_text("service_principal_id", pattern=UUID),
        service_principal_oauth_secret=fields.optional_secret("service_principal_oauth_secret") if m2m else None,
        oauth_u2m_app_id=fields.optional_text("oauth_u2m_app_id"),
        connection_scope=fields.optional_choice("connection_scope", ConnectionScope),
    )
    if not fields.problems:
        _judge_connect_request(request, config, fields)
    return request


def _user_info(fields: Fields, token_wanted: bool) -> UserInfo:
    established = fields.flag("is_connection_established")
    # A credential that is not needed is not kept: not when the connection is there already, nor one of another kind.
    auth = fields.optional_inner("auth") if token_wanted and not established else None
    return UserInfo(
        email=fields.text("email", pattern=EMAIL, longest=_LONGEST_EMAIL),
        first_name=fields.free_text("first_name"),
        last_name=fields.free_text("last_name"),
        databricks_user_id=fields.whole("databricks_user_id"),
        databricks_organization_id=fields.whole("databricks_organization_id"),
        is_connection_established=established,
        auth=None if auth is None else Auth(auth.optional_secret("personal_access_token")),
    )


def _connection_id(fields: Fields, established: bool) -> str | None:
    if not established:
        return None  # means nothing then, and must not be taken for the partner connection to make
    found = fields.optional_text("connection_id", longest=_LONGEST_ID)
    if found is None:
        fields.note_missing("connection_id", "user_info.is_connection_established is true")
    return found


def _deleting_user_info(fields: Fields) -> DeletingUserInfo | None:
    user = fields.optional_inner("user_info")
    if user is None:
        return None
    return DeletingUserInfo(
        email=user.optional_text("email", pattern=EMAIL, longest=_LONGEST_EMAIL),
        databricks_user_id=user.optional_whole("databricks_user_id"),
        databricks_organization_id=user.optional_whole("databricks_organization_id"),
    )


def _judge_connect_request(request: ConnectRequest, config: PartnerConfig | None, fields: Fields) -> None:
    """Note what is wrong between fields that are each right."""
    if request.user_info.databricks_organization_id != request.workspace_id:
        fields.note("workspace_id", "must be the same as user_info.databricks_organization_id")
    told = request.is_sql_warehouse or request.is_sql_endpoint or False
    warehouse = told if config is None else config.provisions(ResourceType.SQL_ENDPOINT)
    if warehouse:
        _judge_warehouse(request, fields)
    elif config is not None:
        _judge_no_warehouse(request, fields)
    if config is not None and request.cluster_id is None:
        # The other way round is no error: Databricks' tests send an id whatever is provisioned.
        for resource in (ResourceType.SQL_ENDPOINT, ResourceType.INTERACTIVE_CLUSTER):
            if config.provisions(resource):
                fields.note_missing("cluster_id", f"the PartnerConfig provisions {resource}")


def _judge_warehouse(request: ConnectRequest, fields: Fields) -> None:
    for name in WAREHOUSE_FLAGS:
        if not getattr(request, name):
            fields.note(name, "must be true for a SQL warehouse")
    for name in WAREHOUSE_TEXTS:
        if getattr(request, name) is None:
            fields.note_missing(name, "a SQL warehouse has one")


def _judge_no_warehouse(request: ConnectRequest, fields: Fields) -> None:
    for name in WAREHOUSE_FLAGS:
        if getattr(request, name):
            fields.note(name, "must be false or absent: the PartnerConfig provisions no SqlEndpoint")
    for name in WAREHOUSE_TEXTS:
        if getattr(request, name) is not None:
            fields.note(name, "must be absent: the PartnerConfig provisions no SqlEndpoint")
