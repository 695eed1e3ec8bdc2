"""What a profile says of a Lakehouse, and of the clouds that its API connections lead to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from core.profiles.addresses import host_problem, host_with_port_problem
from core.profiles.model import CLOUDS, LONGEST_TIMEOUT, CloudSettings, LakehouseSettings
from core.profiles.tables import Table, file_problem
from core.secrets import Kind, SecretReference

USUAL = LakehouseSettings("", "", "", "", SecretReference(Kind.PROMPT, ()))  # what need not be written, and what must
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_NEEDED = {
    "service": 'service = "cn-shanghai-alicloud.api.clickzetta.com"',
    "instance": 'instance = "NAME"',
    "workspace": 'workspace = "NAME"',
    "username": 'username = "NAME"',
    "password": 'a reference such as password = "env:NAME"',
}


def read_lakehouse(table: Table) -> LakehouseSettings | None:
    """The table `lakehouse` within that of a profile; None when there is none."""
    if not table.has("lakehouse") or not isinstance(table.values["lakehouse"], dict):
        table.table("lakehouse")
        return None
    inner = table.table("lakehouse")
    for key, example in _NEEDED.items():
        if not inner.has(key):
            inner.note(None, f"has no {key}; write {example}")
    service = inner.text("service")
    if service and (problem := service_problem(service)):
        inner.note("service", problem)
    secure = inner.flag("secure", True)
    return replace(
        USUAL,
        service=service,
        instance=inner.text("instance"),
        workspace=inner.text("workspace"),
        username=inner.text("username"),
        password=inner.secret("password") or USUAL.password,
        vcluster=inner.text("vcluster", USUAL.vcluster),
        schema=inner.text("schema", USUAL.schema),
        secure=secure,
        ca_file=_authorities(inner, secure),
        verify=inner.flag("verify", True),
        connect_timeout=inner.seconds("connect_timeout", USUAL.connect_timeout, LONGEST_TIMEOUT),
        query_timeout=inner.seconds("query_timeout", USUAL.query_timeout, LONGEST_TIMEOUT),
    )


def _authorities(table: Table, secure: bool) -> Path | None:
    file = table.file("ca_file")
    if file is not None and not secure:
        table.note("ca_file", "has no use without TLS; write secure = true or remove it")
    elif file is not None and (problem := file_problem(file)):
        table.note("ca_file", problem, blocking=False)
    return file


def read_clouds(table: Table) -> dict[str, CloudSettings]:
    """The table `clouds` within that of a profile, by the name of the cloud."""
    clouds = table.table("clouds")
    found = {}
    for name in CLOUDS:
        if isinstance(clouds.raw(name), dict):
            found[name] = _cloud(clouds.table(name))
        elif clouds.has(name):
            clouds.table(name)  # which notes that it is none
    return found


def _cloud(table: Table) -> CloudSettings:
    return CloudSettings(
        provision=table.flag("provision", False),
        endpoint=_endpoint(table, "endpoint"),
        sts_endpoint=_endpoint(table, "sts_endpoint"),
        credentials_profile=table.text("credentials_profile") or None,
        region=table.text("region") or None,
    )


def _endpoint(table: Table, key: str) -> str | None:
    url = table.text(key)
    if url and (problem := endpoint_problem(url)):
        table.note(key, problem)
    return url or None


def service_problem(service: str) -> str:
    """Why `service` is not where a Lakehouse is reached, as the end of a sentence; empty when it is."""
    if "://" in service:
        return "is a URL; write the host alone (and secure = false for plain HTTP)"
    host, slash, path = service.partition("/")
    if not _PATH.fullmatch(slash + path):
        return "must be a host, a port if it is not the usual one, and no more than a plain path"
    return host_with_port_problem(host)


def endpoint_problem(url: str) -> str:
    """Why `url` is not the endpoint of a cloud's API, as the end of a sentence. It is never repeated there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read; write it as https://host"
    if parts.username is not None or parts.password is not None:
        return "holds a login; credentials come from the cloud's own SDK"
    if parts.scheme not in ("http", "https") or not host or port == 0 or host_problem(host):
        return "must be a URL as https://host or http://host:port"
    if parts.query or parts.fragment or not _PATH.fullmatch(parts.path.rstrip("/")):
        return "must end after the host, the port or a plain path"
    return ""
