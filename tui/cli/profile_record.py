"""A profile as a script and a person read it: nothing secret, only where secrets are kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.paths import Paths
    from core.profiles import LakehouseSettings, Problem, Profile, ProfileFile
    from core.profiles.partner import PartnerPolicy


def profile_record(profile: Profile, file: ProfileFile, paths: Paths) -> dict[str, Any]:
    """All of a profile as JSON values; what belongs to the other home is null."""
    server = profile.engine == "server"
    return {
        "name": profile.name,
        "state": "ready",
        "default": profile.name == file.preferences.default_profile,
        "origin": file.profile_origin(profile.name),
        "engine": profile.engine,
        "address": profile.address if server else str(profile.data_folder(paths)),
        "url": profile.url if server else None,
        "user": profile.user if server else None,
        "password": profile.password.describe() if profile.password else None,
        "tls": _tls(profile) if server else None,
        "database": profile.database,
        "cluster": profile.cluster,
        "connect_timeout": profile.connect_timeout if server else None,
        "query_timeout": profile.query_timeout,
        "settings": dict(profile.settings),
        "read_only": profile.read_only,
        "production": profile.production,
        "folder": None if server else profile.data_folder(paths),
        "query_log": None if server else profile.query_log,
        "datalens": {
            "user": profile.datalens.user,
            "hosts": list(profile.datalens.hosts),
            "key_folder": profile.key_folder(paths),
        },
        "console_members": profile.console_members,
        "lakehouse": _lakehouse(profile.lakehouse) if profile.lakehouse else None,
        "clouds": {name: asdict(cloud) for name, cloud in profile.clouds.items()},
        "partner": _partner(profile.partner) if profile.partner else None,
        "badges": list(profile.badges),
        "problems": [problem_record(problem) for problem in file.problems_of(profile.name)],
    }


def broken_record(name: str, file: ProfileFile) -> dict[str, Any]:
    """What can be said of a profile that cannot be opened."""
    return {
        "name": name,
        "state": "broken",
        "default": name == file.preferences.default_profile,
        "origin": file.profile_origin(name),
        "problems": [problem_record(problem) for problem in file.problems_of(name)],
    }


def problem_record(problem: Problem) -> dict[str, Any]:
    """A problem as JSON values; `line` is null when it belongs to none."""
    return {
        "file": str(problem.file),
        "line": problem.line or None,
        "key": problem.key,
        "message": problem.message,
        "blocking": problem.blocking,
    }


def _lakehouse(settings: LakehouseSettings) -> dict[str, Any]:
    return {**asdict(settings), "password": settings.password.describe(), "url": settings.url}


def _partner(policy: PartnerPolicy) -> dict[str, Any]:
    return {**asdict(policy), "sealing_keys": policy.sealing_keys.describe() if policy.sealing_keys else None}


def connection_fields(profile: Profile) -> dict[str, str]:
    """What a profile says of a Lakehouse, of clouds and of Partner Connect, as labelled lines."""
    fields = dict(profile.lakehouse.facts) if profile.lakehouse else {}
    partner = dict(profile.partner.facts) if profile.partner else {}
    return {**fields, **{name: str(cloud) for name, cloud in profile.clouds.items()}, **partner}


def profile_fields(record: dict[str, Any], profile: Profile) -> dict[str, str]:
    """A ready profile and its record as labelled lines."""
    fields = {
        "name": record["name"],
        "defined": record["origin"],
        "engine": record["engine"],
        "address": record["url"] or record["address"],
        "user": record["user"],
        "password": record["password"] or ("none" if record["user"] else None),
        "tls": record["tls"] and _tls_words(record["tls"]),
        "cluster": record["cluster"],
        "journal": f"{record['database']}.journal",
        "timeouts": _timeouts(record),
        "settings": "\n".join(f"{name} = {value}" for name, value in record["settings"].items()),
        "read-only": {None: "as the preferences say", True: "yes", False: "no"}[record["read_only"]],
        "production": "yes" if record["production"] else "no",
        "query log": "yes" if record["query_log"] else None,
        "DataLens": f"user {record['datalens']['user']}",
        "hosts": "\n".join(record["datalens"]["hosts"]),
        "keys": str(record["datalens"]["key_folder"]),
        "Cloud members": str(record["console_members"] or ""),
        **connection_fields(profile),
        "badges": ", ".join(record["badges"]),
        "problems": "\n".join(_problem_words(problem) for problem in record["problems"]),
    }
    return {label: text for label, text in fields.items() if text}


def _tls(profile: Profile) -> dict[str, Any]:
    return {
        "enabled": profile.secure,
        "verify": profile.verify,
        "ca_file": profile.ca_file,
        "client_certificate": profile.client_certificate,
        "client_key": profile.client_key,
    }


def _tls_words(tls: dict[str, Any]) -> str:
    if not tls["enabled"]:
        return "off: passwords and data travel in the clear"
    words = ["on" if tls["verify"] else "on, but the server's certificate is NOT verified"]
    words += [f"{key} {tls[key]}" for key in ("ca_file", "client_certificate", "client_key") if tls[key]]
    return "\n".join(words)


def _timeouts(record: dict[str, Any]) -> str:
    query = f"query {record['query_timeout']:g} s"
    return query if record["connect_timeout"] is None else f"connect {record['connect_timeout']:g} s, {query}"


def _problem_words(problem: dict[str, Any]) -> str:
    return f"line {problem['line']}: {problem['key']}: {problem['message']}"
