"""Pages of connectors: each connector once, and no token but those that were given out."""

from __future__ import annotations

import pytest

from core.partner.handling.connectors import PAGE, connectors_page
from core.partner.messages.responses import ConnectorResponse, ConnectorType, ErrorAnswer, ErrorReason
from core.profiles.partner import OfferedConnector


def offered(number: int) -> list[OfferedConnector]:
    return [
        OfferedConnector(f"id{index}", f"Name {index}", "target" if index % 2 else "source") for index in range(number)
    ]


@pytest.mark.parametrize("number", [0, 1, PAGE, PAGE + 1, 3 * PAGE])
def test_following_the_tokens_gives_all_once(number: int) -> None:
    found: list[str] = []
    token: str | None = ""
    while token is not None:
        page = connectors_page(offered(number), token)
        assert isinstance(page, ConnectorResponse)
        assert len(page.connectors) <= PAGE
        found += [one.identifier for one in page.connectors]
        token = page.pagination_token
    assert found == [one.identifier for one in offered(number)]


def test_what_is_told_of_a_connector() -> None:
    page = connectors_page([OfferedConnector("s3", "Amazon S3"), OfferedConnector("x", "X", "target", "a thing")], None)
    assert isinstance(page, ConnectorResponse)
    assert [(one.type, one.description) for one in page.connectors] == [
        (ConnectorType.SOURCE, None),
        (ConnectorType.TARGET, "a thing"),
    ]


@pytest.mark.parametrize(
    "token", ["0", "1", "99", "200", "0100", "-100", "\u0661\u0660\u0660", "9" * 5000, " 100", "x"]
)
def test_other_tokens_are_refused(token: str) -> None:
    page = connectors_page(offered(150), token)
    assert isinstance(page, ErrorAnswer) and page.error_reason is ErrorReason.BAD_REQUEST
