"""`housekeys info`: where everything is, which versions run, and which profile would be used, from where."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from core.errors import HousekeysError
from tui.cli.profile_record import problem_record, profile_record

if TYPE_CHECKING:
    from core.profiles import Profile
    from tui.cli.context import Context

PACKAGES = ("textual", "clickhouse-connect", "chdb-core", "cryptography", "keyring")


async def show(context: Context) -> None:
    """`info`. A profile that cannot be used is told, with its exit code, beside all the rest."""
    record: dict[str, Any] = {
        "versions": versions(),
        "paths": {
            "config": context.paths.config_file,
            "config_exists": context.paths.config_file.exists(),
            "data": context.paths.data,
            "state": context.paths.state,
            "log": context.paths.log_file,
            "chosen_by": _paths_origin(context),
        },
        "profile": None,
        "profile_chosen_by": _profile_origin(context),
        "read_only": None,
        "problems": [problem_record(problem) for problem in context.profile_file.problems],
    }
    failure: HousekeysError | None = None
    try:
        profile = context.profile_file.profile(context.profile_name)
    except HousekeysError as error:
        failure = error
        record["profile_error"] = str(error)
    else:
        record["profile"] = profile_record(profile, context.profile_file, context.paths)
        record["read_only"] = _read_only(context, profile)
    if failure is not None:
        context.exit_code = failure.exit_code
    context.output.record(_fields(record), record)


def versions() -> dict[str, str | None]:
    """The version of Housekeys, Python and each package that matters; None for one that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    from core.version import VERSION

    found: dict[str, str | None] = {"housekeys": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _paths_origin(context: Context) -> str:
    home = "HOUSEKEYS_HOME" if context.environ.get("HOUSEKEYS_HOME") else "the platform"
    return f"{home}, configuration by --config" if context.arguments.config else home


def _profile_origin(context: Context) -> str:
    if context.arguments.profile:
        return "-p"
    if "default_profile" in context.profile_file.written:
        return f"default_profile in {context.profile_file.path}"
    return "built-in default"


def _read_only(context: Context, profile: Profile) -> dict[str, Any]:
    from core.read_only import resolve_read_only

    preferences = context.profile_file.preferences
    resolved = resolve_read_only(context.read_only_flag, profile, preferences)
    return {"active": resolved.active, "reason": resolved.reason or "nothing says otherwise"}


def _fields(record: dict[str, Any]) -> dict[str, str]:
    paths = record["paths"]
    fields = {name: found or "not installed" for name, found in record["versions"].items()}
    fields |= {
        "configuration": f"{paths['config']}{'' if paths['config_exists'] else ' (not there: built-in profile only)'}",
        "data": str(paths["data"]),
        "state": str(paths["state"]),
        "log": str(paths["log"]),
        "places by": paths["chosen_by"],
    }
    profile = record["profile"]
    if profile is None:
        fields["profile"] = record["profile_error"]
    else:
        mode = record["read_only"]
        fields |= {
            "profile": f"{profile['name']} (by {record['profile_chosen_by']}), defined: {profile['origin']}",
            "address": profile["url"] or profile["address"],
            "user": profile["user"] or "",
            "password": (profile["password"] or "none") if profile["user"] else "",
            "read-only": f"{'yes' if mode['active'] else 'no'} ({mode['reason']})",
            "badges": ", ".join(profile["badges"]),
            "keys": str(profile["datalens"]["key_folder"]),
        }
    fields["problems"] = "\n".join(
        f"{problem['file']}{':' + str(problem['line']) if problem['line'] else ''}: "
        f"{problem['key'] + ': ' if problem['key'] else ''}{problem['message']}"
        for problem in record["problems"]
    )
    return {label: text for label, text in fields.items() if text}
