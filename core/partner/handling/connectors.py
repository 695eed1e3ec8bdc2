"""The connectors that an ingestion partner offers, page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.partner.messages.responses import Connector, ConnectorResponse, ConnectorType, ErrorAnswer, ErrorReason
from core.profiles.partner import OfferedConnector

PAGE: Final = 100
_TOKEN = re.compile(r"[0-9]{1,6}", re.ASCII)


def connectors_page(
    offered: Sequence[OfferedConnector], pagination_token: str | None
) -> ConnectorResponse | ErrorAnswer:
    """The page of a token, the first one without. A token is the place of the first connector of its page."""
    start = int(pagination_token) if _TOKEN.fullmatch(pagination_token or "0") and pagination_token else 0
    known = not pagination_token or (0 < start < len(offered) and start % PAGE == 0 and pagination_token == str(start))
    if not known:
        why = "pagination_token is none that was given out here"
        return ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=why)
    end = start + PAGE
    page = tuple(
        Connector(one.identifier, one.name, ConnectorType(one.type), one.description or None)
        for one in offered[start:end]
    )
    return ConnectorResponse(page, str(end) if end < len(offered) else None)
