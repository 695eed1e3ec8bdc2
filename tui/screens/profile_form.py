"""A profile as a form: its fields, and the profile that comes of what was typed."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import BadInputError
from core.profiles import DataLens, Profile, ProfileFile
from core.profiles.addresses import read_url
from core.profiles.model import name_problem
from core.profiles.tables import setting_problem
from core.secrets import SecretReference
from tui.screens.profile_lakehouse_fields import clouds_from, lakehouse_fields, lakehouse_from
from tui.widgets.fields import YES, Field, Values

AS_PREFERRED, LOOK, CHANGE = "as preferred", "look only", "changes allowed"
_MODES: dict[bool | None, str] = {None: AS_PREFERRED, True: LOOK, False: CHANGE}


def fields_for(profile: Profile, file: ProfileFile, *, new: bool) -> Sequence[Field]:
    """The questions, answered as `profile` has it. The name is asked for a new profile only."""

    def name_check(name: str) -> str:
        if problem := name_problem(name):
            return f"The name {problem}."
        return "There is a profile of that name." if name in file.lines else ""

    def server(values: Values) -> bool:
        return values.get("engine") != "embedded"

    def embedded(values: Values) -> bool:
        return not server(values)

    lens = profile.datalens
    name = [Field("name", "Name", profile.name, check=name_check, required=True)] if new else []
    return [
        *name,
        Field("engine", "Engine", profile.engine, "choice", choices=("server", "embedded")),
        Field("url", "URL", profile.url if profile.host else "", hint="https://host:8443", check=_url_problem,
              required=True, shown_if=server),
        Field("user", "User", profile.user, required=True, shown_if=server),
        Field("password", "Password from", _reference(profile.password), check=_reference_problem, shown_if=server,
              hint="prompt, env:NAME, file:/path, command:program words, keyring:service/name; never the password"),
        Field("verify", "Check the certificate", YES if profile.verify else "", "flag", shown_if=server),
        Field("ca_file", "CA file", _path(profile.ca_file), shown_if=server, check=_path_problem),
        Field("client_certificate", "Client certificate", _path(profile.client_certificate), shown_if=server,
              check=_path_problem),
        Field("client_key", "Client key", _path(profile.client_key), shown_if=server, check=_path_problem),
        Field("folder", "Data folder", _path(profile.folder), shown_if=embedded, check=_path_problem,
              hint="empty: below the data folder of Housekeys"),
        Field("query_log", "Keep a query log", YES if profile.query_log else "", "flag", shown_if=embedded),
        Field("database", "Journal database", profile.database, required=True),
        Field("cluster", "Cluster", profile.cluster or "", hint="statements then run ON CLUSTER", shown_if=server),
        Field("connect_timeout", "Connect timeout", f"{profile.connect_timeout:g}", check=_seconds_problem,
              required=True, hint="seconds", shown_if=server),
        Field("query_timeout", "Query timeout", f"{profile.query_timeout:g}", check=_seconds_problem, required=True,
              hint="seconds", shown_if=server),
        Field("settings", "Settings", settings_text(profile.settings), "lines", check=_settings_problem,
              hint="ClickHouse settings sent with every query, one a line: max_threads = 4"),
        Field("mode", "Changes", _MODES[profile.read_only], "choice", choices=(AS_PREFERRED, LOOK, CHANGE)),
        Field("production", "Production", YES if profile.production else "", "flag",
              hint="a red badge, and one question more before anything runs"),
        Field("lens_user", "DataLens user", lens.user, required=True),
        Field("lens_hosts", "DataLens hosts", ", ".join(lens.hosts), hint="hosts of the cluster, separated by commas"),
        Field("lens_keys", "Key folder", _path(lens.key_folder), check=_path_problem,
              hint="empty: below the data folder of Housekeys"),
        *lakehouse_fields(profile, _reference, _reference_problem),
    ]  # fmt: skip


def profile_from(values: Values, before: Profile) -> Profile:
    """The profile that `values` say, where a field was not asked as `before` has it. Raises BadInputError."""
    lens = DataLens(
        values["lens_user"].strip(),
        tuple(host.strip() for host in values["lens_hosts"].split(",") if host.strip()),
        _to_path(values["lens_keys"]),
    )
    profile = replace(
        before,
        name=values.get("name", before.name),
        database=values["database"].strip(),
        settings=settings_from(values["settings"]),
        read_only=next(mode for mode, word in _MODES.items() if word == values["mode"]),
        production=values["production"] == YES,
        datalens=lens,
        lakehouse=lakehouse_from(values, before),
        clouds=clouds_from(values, before),
    )
    if values["engine"] == "embedded":
        plain = Profile(profile.name)
        return replace(
            profile,
            engine="embedded",
            host=plain.host,
            port=plain.port,
            secure=plain.secure,
            verify=True,
            ca_file=None,
            client_certificate=None,
            client_key=None,
            user=plain.user,
            password=None,
            cluster=None,
            connect_timeout=plain.connect_timeout,
            query_timeout=plain.query_timeout,
            folder=_to_path(values["folder"]),
            query_log=values["query_log"] == YES,
        )
    address = read_url(values["url"].strip())
    return replace(
        profile,
        engine="server",
        host=address.host,
        port=address.port,
        secure=address.secure,
        verify=values["verify"] == YES,
        ca_file=_to_path(values["ca_file"]),
        client_certificate=_to_path(values["client_certificate"]),
        client_key=_to_path(values["client_key"]),
        user=values["user"].strip(),
        password=SecretReference.parse(values["password"].strip()) if values["password"].strip() else None,
        cluster=values["cluster"].strip() or None,
        connect_timeout=float(values["connect_timeout"]),
        query_timeout=float(values["query_timeout"]),
        folder=None,
        query_log=False,
    )


def settings_text(settings: Any) -> str:
    """Settings as they are typed: one a line, values as TOML writes them."""
    import json

    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())


def settings_from(text: str) -> dict[str, Any]:
    """What was typed as settings. Raises BadInputError with the reason."""
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"A setting cannot be read: {error}", advice='Write name = 4, or name = "text".') from error
    for name, value in settings.items():
        if problem := setting_problem(name, value):
            raise BadInputError(f"{name} {problem}.")
    return settings


def _reference(password: SecretReference | None) -> str:
    if password is None:
        return ""
    value = password.value()
    if isinstance(value, str):
        return value
    import shlex

    return f"command:{shlex.join([value[0].removeprefix('command:'), *value[1:]])}"


def _path(path: Path | None) -> str:
    return "" if path is None else str(path)


def _to_path(text: str) -> Path | None:
    return Path(text.strip()).expanduser() if text.strip() else None


def _path_problem(text: str) -> str:
    return "" if Path(text.strip()).expanduser().is_absolute() else "Write the whole path, from / or ~."


def _url_problem(url: str) -> str:
    return _said(lambda: read_url(url.strip()))


def _reference_problem(text: str) -> str:
    return _said(lambda: SecretReference.parse(text.strip()))


def _settings_problem(text: str) -> str:
    return _said(lambda: settings_from(text))


def _seconds_problem(text: str) -> str:
    try:
        return "" if 0 < float(text) <= 86_400 else "A number of seconds, more than 0 and at most 86400."
    except ValueError:
        return "A number of seconds."


def _said(read: Any) -> str:
    """What a reader that raises BadInputError finds wrong."""
    try:
        read()
    except BadInputError as error:
        return error.message[:1].upper() + error.message[1:].rstrip(".") + "."
    return ""
