"""Policy documents of the three clouds read into one form: whose they are, of which kind, and what they allow.

Keys are read in any case (Tencent Cloud writes them lower), a text is a list of one, and the names by which a cloud
calls the same thing become one. Order and `Sid` mean nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import Provider
from core.lakehouse.rules.vendor_principals import VENDOR_PRINCIPALS

_SERVICES = {
    "acs": Provider.ALIYUN,
    "fc": Provider.ALIYUN,
    "oss": Provider.ALIYUN,
    "ram": Provider.ALIYUN,
    "qcs": Provider.TENCENT,
    "scf": Provider.TENCENT,
    "cos": Provider.TENCENT,
    "arn": Provider.AWS,
    "lambda": Provider.AWS,
    "s3": Provider.AWS,
    "iam": Provider.AWS,
    "logs": Provider.AWS,
}
_PRINCIPAL_KINDS = {"ram": Provider.ALIYUN, "qcs": Provider.TENCENT, "aws": Provider.AWS}
_VERSIONS = {"1": Provider.ALIYUN, "2.0": Provider.TENCENT, "2012-10-17": Provider.AWS}
_SERVICE_PRINCIPALS = {
    ".aliyuncs.com": Provider.ALIYUN,
    ".qcloud.com": Provider.TENCENT,
    ".amazonaws.com": Provider.AWS,
}
_NEGATED = ("NotAction", "NotResource", "NotPrincipal")
_ACCOUNT = re.compile(r"[0-9]{12}")
_RAM_ROLE = re.compile(r"acs:ram:[^:]*:[^:]*:role/.*", re.IGNORECASE)


class DocumentKind(StrEnum):
    """What a document is for."""

    PERMISSIONS = "permissions"  # what a role may do
    TRUST = "trust"  # who may assume a role


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a statement: it holds when one of the values does."""

    operator: str
    key: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class PolicyStatement:
    """One statement. `excepted` is what it writes the other way round (NotAction and the like), as it stands."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()  # (kind in lower case, who): ("aws", "arn:aws:iam::…:root")
    conditions: frozenset[Condition] = frozenset()
    excepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A document, read. `provider` is None where nothing in it tells the cloud."""

    provider: Provider | None
    kind: DocumentKind
    version: str
    statements: tuple[PolicyStatement, ...]


def read_document(document: Mapping[str, Any]) -> PolicyDocument:
    """Read a document. Raises BadInputError when it is no policy document, and says why."""
    parts = _lower(document, "The document")
    if "statement" not in parts:
        raise BadInputError("The document is no policy: it has no Statement.", advice="Paste the whole JSON document.")
    written = parts["statement"]
    statements = tuple(
        _statement(each, f"Statement {number}")
        for number, each in enumerate(written if isinstance(written, list) else [written], 1)
    )
    kind = DocumentKind.TRUST if any(each.principals for each in statements) else DocumentKind.PERMISSIONS
    version = str(parts.get("version", ""))
    return PolicyDocument(_provider(version, statements), kind, version, statements)


def service_of(action: str) -> str:
    """The service of an action: `s3` of `s3:GetObject`; the empty string for `*`."""
    return action.partition(":")[0] if ":" in action else ""


def wildcard_covers(pattern: str, text: str) -> bool:
    """Whether a name with `*` and `?` stands for all that another one stands for (letters in any case)."""
    if not ("*" in pattern or "?" in pattern):
        return pattern.lower() == text.lower()
    expression = "".join(".*" if each == "*" else "[^*]" if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInputError(f"{one_line(what)} is no JSON object.", advice="Paste the whole document, from { to }.")
    return {str(key): each for key, each in value.items()}


def _lower(value: object, what: str) -> dict[str, Any]:
    return {key.lower(): each for key, each in _object(value, what).items()}


def _statement(value: object, what: str) -> PolicyStatement:
    parts = _lower(value, what)
    effect = str(parts.get("effect", "")).lower()
    if effect not in ("allow", "deny"):
        raise BadInputError(f"{what} has no Effect.", advice='Write "Effect": "Allow".')
    actions = _texts(parts.get("action", []), f"{what}, Action")
    return PolicyStatement(
        effect == "allow",
        tuple(each.removeprefix("name/") for each in actions),  # Tencent Cloud takes both
        tuple(_resource(each) for each in _texts(parts.get("resource", []), f"{what}, Resource")),
        tuple(_principals(parts.get("principal", {}), what)),
        frozenset(_conditions(parts.get("condition", {}), what)),
        tuple(
            f"{name} {json.dumps(parts[name.lower()], sort_keys=True)}" for name in _NEGATED if name.lower() in parts
        ),
    )


def _texts(value: object, what: str) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in texts):
        raise BadInputError(f"{what} is neither a text nor a list of texts.", advice="Write it in double quotes.")
    return tuple(texts)


def _resource(text: str) -> str:
    """RAM keeps the case of a role's name and compares without it."""
    return text.lower() if _RAM_ROLE.fullmatch(text) else text


def _principals(value: object, what: str) -> Iterator[tuple[str, str]]:
    if value == "*":
        yield "*", "*"
        return
    for kind, names in _lower(value, f"{what}, Principal").items():
        for name in _texts(names, f"{what}, Principal"):
            yield kind, _root(name) if kind == "aws" and _ACCOUNT.fullmatch(name) else _resource(name)


def _root(account: str) -> str:
    """AWS takes the bare id of an account for its root; the partition is told by whose account it is."""
    vendors = (each.principal for each in VENDOR_PRINCIPALS if each.account == account)
    return next(vendors, f"arn:aws:iam::{account}:root")


def _conditions(value: object, what: str) -> Iterator[Condition]:
    for operator, tests in _object(value, f"{what}, Condition").items():
        for key, values in _object(tests, f"{what}, Condition {operator}").items():
            every = values if isinstance(values, list) else [values]
            # A cloud gives back true and 1 as texts.
            texts = frozenset(each if isinstance(each, str) else json.dumps(each) for each in every)
            yield Condition(operator, key, texts)


def _provider(version: str, statements: tuple[PolicyStatement, ...]) -> Provider | None:
    votes = dict.fromkeys(Provider, 0)
    for found in (_VERSIONS.get(version), *(each for statement in statements for each in _signs(statement))):
        if found is not None:
            votes[found] += 1
    best = max(votes, key=lambda provider: votes[provider])
    return best if votes[best] else None


def _signs(statement: PolicyStatement) -> Iterator[Provider | None]:
    for text in (*statement.actions, *statement.resources):
        yield _SERVICES.get(service_of(text).lower())
    for kind, name in statement.principals:
        yield _PRINCIPAL_KINDS.get(kind)
        yield next((each for ending, each in _SERVICE_PRINCIPALS.items() if name.endswith(ending)), None)
