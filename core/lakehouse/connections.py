"""An API connection of a Singdata (ClickZetta) Lakehouse, and what the Lakehouse answers about its connections.

Values only. The statements are in `core.lakehouse.sql`, the rules of each cloud in `core.lakehouse.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EXTERNAL_ID_KEYS = frozenset({"externalid", "external_id"})  # as DESC CONNECTION has been seen to write it


class Provider(StrEnum):
    """The cloud whose functions a connection calls; the value is what PROVIDER='…' says."""

    ALIYUN = "aliyun"
    TENCENT = "tencent"
    AWS = "aws"

    @property
    def cloud(self) -> str:
        """The cloud's name for people."""
        return {"aliyun": "Alibaba Cloud", "tencent": "Tencent Cloud", "aws": "AWS"}[self.value]


@dataclass(frozen=True, slots=True)
class ApiConnection:
    """The definition of a connection of `TYPE CLOUD_FUNCTION`: all that CREATE API CONNECTION says of it."""

    name: str
    provider: Provider
    region: str
    role_arn: str
    code_bucket: str
    namespace: str = ""  # empty: not written; Tencent Cloud needs one
    comment: str = ""  # only the properties form of the statement can hold it


@dataclass(frozen=True, slots=True)
class ListedConnection:
    """A row of SHOW CONNECTIONS, of any category (STORAGE, CATALOG, API). Times as the Lakehouse writes them."""

    name: str
    category: str
    type: str
    enabled: bool
    created: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionDescription:
    """The rows of DESC CONNECTION, info_name to info_value, in their order."""

    info: Mapping[str, str] = field(default_factory=dict)

    @property
    def external_id(self) -> str:
        """The id that the role's trust policy must ask for; empty when the answer has none."""
        return next((value for name, value in self.info.items() if name.lower() in EXTERNAL_ID_KEYS), "")


@dataclass(frozen=True, slots=True)
class ExternalFunction:
    """A function that runs in the cloud through an API connection."""

    name: str  # with its schema if that is known: `public.f`
    connection: str
    handler: str = ""  # AS 'module.Class'
    resources: tuple[tuple[str, str], ...] = ()  # (FILE, JAR or ARCHIVE, URI)
    properties: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
