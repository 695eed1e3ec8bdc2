"""Policy documents as the clouds take and give them: JSON text, sometimes URL-encoded."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from core.errors import HousekeysError
from core.lakehouse.cloud_access import Document


def write_policy(document: Document) -> str:
    """The text of a document, as short as it can be: clouds limit its length."""
    return json.dumps(document, separators=(",", ":"))


def read_policy(text: Any) -> Document:
    """The document in an answer. AWS's SDK has decoded it already."""
    if isinstance(text, dict):
        return text
    written = str(text).strip()
    try:
        document = json.loads(written if written.startswith("{") else unquote(written))
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise HousekeysError("The cloud answered with a policy document that is no JSON object.", detail=written)
    return document
