"""A trust policy as an operator pastes it: from a cloud's console, or as the answer of the cloud's own tool.

`aws iam get-role`, `aliyun ram GetRole` and `tccli cam GetRole` answer with the role, which has the document in it, as
JSON or as a text of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from core.errors import BadInputError
from core.lakehouse.cloud_access import Document
from core.lakehouse.lint.found_in_text import documents_in
from core.lakehouse.policies.policy_reading import DocumentKind, read_document

_TRUST_KEYS = frozenset({"assumerolepolicydocument", "policydocument"})  # of a role in the answers of the tools
_DEEPEST = 6  # objects in objects that are looked through


def read_pasted_trust(text: str) -> Document:
    """The one trust policy in what was pasted. Raises BadInputError: there is none, another kind, or several."""
    found = [policy for each in documents_in(text) for policy in _policies(each.document, _DEEPEST)]
    if not found:
        raise BadInputError(
            "There is no trust policy in what was pasted.",
            advice="Paste the whole JSON document, from { to }, as the page of the role shows it.",
        )
    trusts = [policy for policy in found if read_document(policy).kind is DocumentKind.TRUST]
    if not trusts:
        raise BadInputError(
            "What was pasted is a permission policy, not a trust policy.",
            advice="Take the document that says who may assume the role.",
        )
    if any(trust != trusts[0] for trust in trusts[1:]):
        raise BadInputError("There are several trust policies in what was pasted.", advice="Paste that of one role.")
    return trusts[0]


def _policies(value: Mapping[str, Any], deeper: int) -> Iterator[Document]:
    """The policy documents in an answer, the value itself if it is one."""
    keys = {str(key).lower(): each for key, each in value.items()}
    if "statement" in keys:
        yield value
        return
    for key, inner in keys.items():
        if isinstance(inner, str) and key in _TRUST_KEYS:
            inner = _decoded(inner)
        if isinstance(inner, Mapping) and deeper:
            yield from _policies(inner, deeper - 1)


def _decoded(text: str) -> Any:
    """A document that an answer has as text, as it is or URL-encoded; None when it is none."""
    try:
        return json.loads(text if text.lstrip().startswith("{") else unquote(text))
    except (ValueError, RecursionError):
        return None
