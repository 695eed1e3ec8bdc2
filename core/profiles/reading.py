"""From the text of a configuration file to preferences and profiles, with a problem for everything that is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.profiles.addresses import Address, host_problem, host_with_port_problem, read_url
from core.profiles.lakehouse_reading import read_clouds, read_lakehouse
from core.profiles.model import (
    BUILT_IN,
    LONGEST_TIMEOUT,
    PLAIN_PORT,
    TLS_PORT,
    DataLens,
    Preferences,
    Problem,
    Profile,
    built_in,
    name_problem,
)
from core.profiles.partner_reading import read_partner
from core.profiles.positions import Positions, positions
from core.profiles.tables import KeyPath, Table, dotted, file_problem, key_problem, nearest, setting_problem

_SERVER_ONLY = ("url", "host", "port", "user", "password", "cluster", "connect_timeout", "tls")
_EMBEDDED_ONLY = ("folder", "query_log")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a configuration file says.

    `lines` has the line of every profile in it, broken or not; `written` the preferences that it names.
    """

    preferences: Preferences
    profiles: Mapping[str, Profile]
    problems: tuple[Problem, ...]
    lines: Mapping[str, int]
    written: frozenset[str] = frozenset()


def read_bytes(content: bytes, path: Path) -> Contents:
    """Read a configuration file; `path` is its name in problems. Never raises: see `Contents.problems`."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return unread(Problem(path, line, "", "this is not UTF-8; save the file as UTF-8. No profile of it is read."))
    return read_text(text, path)


def read_text(text: str, path: Path) -> Contents:
    """As `read_bytes`, of text."""
    try:
        values = tomllib.loads(text)
        places = positions(text)
    except tomllib.TOMLDecodeError as error:
        return unread(_syntax_problem(str(error), text, path))
    except RecursionError:
        return unread(Problem(path, 0, "", "the values are nested too deeply. No profile of it is read."))
    return _Reading(values, places, path).contents()


def unread(problem: Problem) -> Contents:
    """What is left when nothing can be read: the built-in profile, read-only, for the file may have said so."""
    return Contents(Preferences(read_only=True), {BUILT_IN: built_in()}, (problem,), {})


def _syntax_problem(message: str, text: str, path: Path) -> Problem:
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    what = one_line(what[:1].lower() + what[1:], 200)
    advice = "Correct it and start again; until then no profile of this file is read"
    if place is None or place[1] is None:
        return Problem(path, text.count("\n") + 1, "", f"not TOML, at the end of the file: {what}. {advice}.")
    if text.startswith("\ufeff"):
        what = "the file begins with a byte order mark, which must go"
    return Problem(path, int(place[1]), "", f"not TOML, at column {place[2]}: {what}. {advice}.")


class _Reading:
    """The state of one reading: the problems so far, and which profile they belong to."""

    def __init__(self, values: Mapping[str, Any], places: Positions, path: Path) -> None:
        self.values = values
        self.places = places
        self.path = path
        self.problems: list[Problem] = []
        self.profile: str | None = None

    def note(self, key: KeyPath, message: str, blocking: bool) -> None:
        blocking = blocking and self.profile is not None  # a wrong preference keeps no profile from being opened
        self.problems.append(Problem(self.path, self.places.line(key), dotted(key), message, self.profile, blocking))

    def contents(self) -> Contents:
        root = Table(self.values, (), self.note)
        written = root.raw("profiles")
        if written is not None and not isinstance(written, dict):
            root.note("profiles", "must be tables, as [profiles.NAME]")
            written = None
        profiles: dict[str, Profile] = {}
        names: dict[str, int] = {}
        for name, values in (written or {}).items():
            names[name] = self.places.line(("profiles", name))
            if profile := self.read_profile(name, values):
                profiles[name] = profile
        if BUILT_IN not in names:
            profiles[BUILT_IN] = built_in()
        preferences = self.read_preferences(root, [*names, BUILT_IN])
        problems = tuple(sorted(self.problems, key=lambda problem: problem.line))
        return Contents(preferences, profiles, problems, names, frozenset(self.values) - {"profiles"})

    def read_preferences(self, root: Table, names: list[str]) -> Preferences:
        usual = Preferences()
        default = root.text("default_profile", usual.default_profile)
        if default not in names:
            near = nearest(default, names)
            root.note("default_profile", f"names no profile{f'; did you mean {dotted((near,))}?' if near else ''}")
            default = usual.default_profile
        count = len(self.problems)
        # When in doubt, nothing is changed.
        read_only = root.flag_or_none("read_only", True) or usual.read_only
        if len(self.problems) > count:
            root.note("read_only", "read-only is on until this is corrected")
        preferences = Preferences(
            default,
            read_only,
            root.whole("idle_lock", usual.idle_lock, 0, 1440),
            root.text("theme", usual.theme),
            root.flag("mouse", usual.mouse),
        )
        root.close()
        return preferences

    def read_profile(self, name: str, values: Any) -> Profile | None:
        self.profile = name
        count = len(self.problems)
        try:
            if problem := name_problem(name):
                self.note(("profiles", name), f"the name of a profile {problem}", True)
            if not isinstance(values, dict):
                self.note(("profiles", name), f"must be a table, as [{dotted(('profiles', name))}]", True)
                return None
            table = Table(values, ("profiles", name), self.note)
            profile = _profile(name, table)
            table.close()
        finally:
            self.profile = None
        return None if any(problem.blocking for problem in self.problems[count:]) else profile


def _profile(name: str, table: Table) -> Profile:
    usual = Profile(name)
    if table.choice("engine", ("server", "embedded"), "server") == "embedded":
        table.refuse(_SERVER_ONLY, "belongs to a server; an embedded engine runs in this process and has no address")
        return Profile(
            name,
            engine="embedded",
            folder=table.file("folder"),
            query_log=table.flag("query_log", False),
            **_common(table, usual),
        )
    table.refuse(_EMBEDDED_ONLY, 'belongs to an embedded engine; write engine = "embedded" or remove it')
    tls = table.table("tls")
    address = _address(table, tls)
    authorities, certificate, key = _tls_files(tls, address.secure)
    return Profile(
        name,
        host=address.host,
        port=address.port,
        secure=address.secure,
        ca_file=authorities,
        client_certificate=certificate,
        client_key=key,
        verify=tls.flag("verify", True),
        user=table.text("user", usual.user),
        password=table.secret("password"),
        cluster=table.text("cluster") or None,
        connect_timeout=table.seconds("connect_timeout", usual.connect_timeout, LONGEST_TIMEOUT),
        **_common(table, usual),
    )


def _common(table: Table, usual: Profile) -> dict[str, Any]:
    """The keys that a server and an embedded engine share."""
    return {
        "database": table.text("database", usual.database),
        "query_timeout": table.seconds("query_timeout", usual.query_timeout, LONGEST_TIMEOUT),
        "read_only": table.flag_or_none("read_only", True),
        "production": table.flag("production", False),
        "settings": _settings(table.table("settings")),
        "datalens": _datalens(table.table("datalens")),
        "console_members": _members_file(table),
        "lakehouse": read_lakehouse(table),
        "clouds": read_clouds(table),
        "partner": read_partner(table),
    }


def _address(table: Table, tls: Table) -> Address:
    enabled = tls.flag("enabled", True)
    if table.has("url"):
        table.refuse(("host", "port"), "is said by url already; keep one of them")
        try:
            address = read_url(table.text("url", "https://unreadable"))
        except BadInputError as error:
            table.note("url", f"{error.message}; {error.advice}")
            return Address("", TLS_PORT, enabled)
        if tls.has("enabled") and enabled != address.secure:
            tls.note("enabled", "contradicts url; keep one of them")
        return address
    host = table.text("host")
    if not table.has("host"):
        table.note(None, 'has no address; write url = "https://HOST:8443", or engine = "embedded"')
    elif host and (problem := host_problem(host)):
        table.note("host", problem)
    table.raw("url")
    return Address(host, table.whole("port", TLS_PORT if enabled else PLAIN_PORT, 1, 65_535), enabled)


def _tls_files(tls: Table, secure: bool) -> tuple[Path | None, Path | None, Path | None]:
    names = ("ca_file", "client_certificate", "client_key")
    files = tuple(tls.file(name) for name in names)
    for name, file in zip(names, files, strict=True):
        if file is None:
            continue
        if not secure:
            tls.note(name, "has no use without TLS; use https or remove it")
        elif problem := file_problem(file):
            tls.note(name, problem, blocking=False)
    authorities, certificate, key = files
    if key is not None and certificate is None:
        tls.note("client_key", "needs client_certificate beside it")
    private = key or certificate  # without a key of its own, the certificate file holds it
    if secure and private is not None and (problem := key_problem(private)):
        tls.note("client_key" if key else "client_certificate", problem)
    return authorities, certificate, key


def _members_file(table: Table) -> Path | None:
    file = table.file("console_members")
    if file is not None and (problem := file_problem(file)):
        table.note("console_members", problem, blocking=False)
    return file


def _settings(table: Table) -> dict[str, str | int | float | bool]:
    settings = {}
    for name, value in table.anything().items():
        if problem := setting_problem(name, value):
            table.note(name, problem)
        else:
            settings[name] = value
    return settings


def _datalens(table: Table) -> DataLens:
    usual = DataLens()
    hosts = table.texts("hosts")
    for host in hosts:
        if problem := host_with_port_problem(host):
            table.note("hosts", f"{one_line(host, 40)} {problem}")
    return DataLens(table.text("user", usual.user), hosts, table.file("key_folder"))
