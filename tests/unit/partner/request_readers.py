"""What reads requests of the Connect API, each with a body that it takes."""

from __future__ import annotations

from collections.abc import Callable

from core.partner.messages.reading import (
    read_account_info,
    read_account_user_info,
    read_connect_request,
    read_connection_info,
    read_delete_connection_request,
)
from core.partner.messages.writing import Request
from tests.unit.partner.bodies import (
    CONNECT,
    DELETE_ACCOUNT,
    DELETE_CONNECTION,
    EXPIRE_ACCOUNT,
    TEST_CONNECTION,
    Json,
)

READERS: tuple[tuple[Callable[[bytes], Request], Json], ...] = (
    (read_connect_request, CONNECT),
    (read_delete_connection_request, DELETE_CONNECTION),
    (read_connection_info, TEST_CONNECTION),
    (read_account_info, DELETE_ACCOUNT),
    (read_account_user_info, EXPIRE_ACCOUNT),
)
