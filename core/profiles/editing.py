"""Changing the text of a configuration file: only what must change, comments and layout as they were.

Values are set through tomlkit; renaming and removing cut the text itself, because tomlkit takes the comments above
the next table away with a removed one. `ProfileFile` proves every result by reading it again.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Item

from core.display import one_line
from core.errors import BadInputError, HousekeysError
from core.profiles import partner
from core.profiles.lakehouse_reading import USUAL
from core.profiles.model import CLOUDS, PLAIN_PORT, TLS_PORT, Preferences, Profile, name_problem
from core.profiles.positions import KeyPath, Statement, positions
from core.profiles.tables import dotted, quoted_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.profiles.file import ProfileFile

Value = partner.Written
Keys = tuple[str, ...]

_EMPTY_LINE = re.compile(r"[ \t]*\r?\n")
_EMPTY_LAST_LINE = re.compile(r"(?<=\n)[ \t]*\r?\n\Z")


def with_profile(file: ProfileFile, profile: Profile) -> str:
    """The text of `file` with `profile` in it."""
    _check_readable(file)
    if problem := name_problem(profile.name):
        raise BadInputError(f"The name of a profile {problem}.", advice="Choose another name.")
    if profile.name not in file.lines:
        return _appended(file.text, profile)
    return _changed(file, profile)


def without(file: ProfileFile, name: str) -> str:
    """The text of `file` without the profile `name` and the comment right above it."""
    _check_readable(file)
    text = file.text
    spans: list[tuple[int, int]] = []
    kept = 0  # the end of the last statement that stays
    for statement in positions(text).statements:
        if statement.path[:2] != ("profiles", name):
            kept = statement.end
            continue
        end = _line_end(text, statement.end)
        if spans and spans[-1][1] > kept:
            spans[-1] = (spans[-1][0], end)  # what stands between two removed statements goes with them
        else:
            begin = text.rfind("\n", 0, statement.begin) + 1
            spans.append((_with_comment_above(text, begin) if statement.header else begin, end))
    for begin, end in reversed(spans):
        empty = _EMPTY_LINE.match(text, end)
        if empty and (not begin or text[:begin].replace("\r", "").endswith("\n\n")):
            end = empty.end()  # one empty line between the rest, not two
        if end == len(text) and (above := _EMPTY_LAST_LINE.search(text, 0, begin)):
            begin = above.start()  # and none at the end that came with what is removed
        text = text[:begin] + text[end:]
    if file.preferences.default_profile == name:
        text = _set(text, {("default_profile",): None})
    return text


def renamed(file: ProfileFile, old: str, new: str) -> str:
    """The text of `file` with every mention of the profile `old` as `new`."""
    _check_readable(file)
    if problem := name_problem(new):
        raise BadInputError(f"The name of a profile {problem}.", advice="Choose another name.")
    if new in file.names:
        raise BadInputError(f"There is a profile {one_line(new)} already.", advice="Choose another name.")
    text = file.text
    for path, begin, end in reversed(positions(text).mentions):
        if path == ("profiles", old):
            text = text[:begin] + quoted_key(new) + text[end:]
    if file.preferences.default_profile == old:
        text = _set(text, {("default_profile",): new})
    return text


def with_preferences(file: ProfileFile, preferences: Preferences) -> str:
    """The text of `file` with `preferences`."""
    _check_readable(file)
    changed: dict[Keys, Value] = {}
    for field in dataclasses.fields(Preferences):
        value = getattr(preferences, field.name)
        if value != getattr(file.preferences, field.name):
            changed[(field.name,)] = value
    return _set(file.text, changed)


def _check_readable(file: ProfileFile) -> None:
    if file.unread:
        raise BadInputError(
            f"{one_line(str(file.path))} cannot be edited before it can be read.",
            advice=one_line(str(file.unread)),
        )


def _appended(text: str, profile: Profile) -> str:
    usual = _usual(profile)
    table = tomlkit.table()
    for path, value in (*_address(profile, {}), *_values(profile)):
        if value is not None and value != usual.get(path):
            _put(table, path, value)
    document = tomlkit.document()
    profiles = tomlkit.table(is_super_table=True)
    profiles.append(tomlkit.key(profile.name), table)
    document.append("profiles", profiles)
    end = _newline(text)
    rendered = tomlkit.dumps(document).replace("\n", end)
    if text and not text.endswith("\n"):
        text += end
    return f"{text}{end if text else ''}{rendered}"


def _changed(file: ProfileFile, profile: Profile) -> str:
    written = tomlkit.parse(file.text).unwrap()["profiles"][profile.name]
    written = written if isinstance(written, dict) else {}
    before = file.profiles.get(profile.name)
    prefix = ("profiles", profile.name)
    changed: dict[Keys, Value] = {}
    if before is None:  # broken: what is wrong goes, everything else is written anew
        for path in _broken_keys(file, profile.name):
            changed[prefix + path] = None
        old: dict[Keys, Value] = {}
    else:
        old = dict(_values(before))
    if before is None or (before.engine, before.host, before.port, before.secure) != (
        profile.engine,
        profile.host,
        profile.port,
        profile.secure,
    ):
        changed |= {prefix + path: value for path, value in _address(profile, written)}
    usual = _usual(profile)
    for path, value in _values(profile):
        there = _at(written, path)
        same = old[path] == value if path in old else there == value
        if not same and (there is not None or value != usual.get(path)):
            changed[prefix + path] = value
    for path in old.keys() - dict(_values(profile)).keys():
        changed[prefix + path] = None  # a setting that is not sent any more
    if profile.engine == "embedded":
        changed[*prefix, "tls"] = None
    if profile.lakehouse is None:
        changed[*prefix, "lakehouse"] = None
    for name in CLOUDS:
        if name not in profile.clouds:
            changed[*prefix, "clouds", name] = None
    if profile.partner is None:
        changed[*prefix, "partner"] = None
    return _set(file.text, changed)


def _broken_keys(file: ProfileFile, name: str) -> Iterator[Keys]:
    """The keys of a broken profile that hold a problem, as paths within the profile."""
    lines = positions(file.text).lines
    wrong = {problem.key for problem in file.problems_of(name) if problem.blocking}
    for path in lines:
        inner = path[2:]
        if path[:2] == ("profiles", name) and inner and dotted(path) in wrong:
            yield tuple(str(part) for part in inner if isinstance(part, str))


def _usual(profile: Profile) -> dict[Keys, Value]:
    """What a file need not say of a profile, because it holds anyway."""
    usual = dict(_values(Profile(profile.name, engine=profile.engine)))
    for key in ("vcluster", "schema", "secure", "verify"):
        usual["lakehouse", key] = getattr(USUAL, key)
    for key in ("connect_timeout", "query_timeout"):
        usual["lakehouse", key] = _number(getattr(USUAL, key))
    usual |= {("partner", *path): value for path, value in partner.written(partner.PartnerPolicy(""))}
    return {**usual, ("engine",): "server"}


def _values(profile: Profile) -> Iterator[tuple[Keys, Value]]:
    """What a file says of a profile, except its address; None for what must not be there."""
    server = profile.engine == "server"
    yield ("engine",), profile.engine
    yield ("user",), profile.user if server else None
    yield ("password",), profile.password.value() if server and profile.password else None
    yield ("database",), profile.database
    yield ("cluster",), profile.cluster if server else None
    yield ("connect_timeout",), _number(profile.connect_timeout) if server else None
    yield ("query_timeout",), _number(profile.query_timeout)
    yield ("read_only",), profile.read_only
    yield ("production",), profile.production
    yield ("console_members",), _text(profile.console_members)
    yield ("folder",), _text(profile.folder) if not server else None
    yield ("query_log",), profile.query_log if not server else None
    yield ("tls", "ca_file"), _text(profile.ca_file) if server else None
    yield ("tls", "client_certificate"), _text(profile.client_certificate) if server else None
    yield ("tls", "client_key"), _text(profile.client_key) if server else None
    yield ("tls", "verify"), profile.verify if server else None
    for name, value in profile.settings.items():
        yield ("settings", name), value
    yield ("datalens", "user"), profile.datalens.user
    yield ("datalens", "hosts"), list(profile.datalens.hosts)
    yield ("datalens", "key_folder"), _text(profile.datalens.key_folder)
    yield from _connection_values(profile)


def _connection_values(profile: Profile) -> Iterator[tuple[Keys, Value]]:
    """What a file says of the Lakehouse, of the clouds of its API connections, and of Partner Connect."""
    if (lakehouse := profile.lakehouse) is not None:
        for key in ("service", "instance", "workspace", "username"):
            yield ("lakehouse", key), getattr(lakehouse, key)
        yield ("lakehouse", "password"), lakehouse.password.value()
        for key in ("vcluster", "schema", "secure", "verify"):
            yield ("lakehouse", key), getattr(lakehouse, key)
        yield ("lakehouse", "ca_file"), _text(lakehouse.ca_file)
        for key in ("connect_timeout", "query_timeout"):
            yield ("lakehouse", key), _number(getattr(lakehouse, key))
    for name, cloud in profile.clouds.items():
        for key in ("provision", "endpoint", "sts_endpoint", "credentials_profile", "region"):
            yield ("clouds", name, key), getattr(cloud, key)
    if profile.partner is not None:
        for path, value in partner.written(profile.partner):
            yield ("partner", *path), value


def _address(profile: Profile, written: Mapping[str, Any]) -> Iterator[tuple[Keys, Value]]:
    """The address in the way the file writes it already: a URL, or host and port."""
    server = profile.engine == "server"
    by_host = server and "host" in written and "url" not in written
    usual = TLS_PORT if profile.secure else PLAIN_PORT
    yield ("url",), profile.url if server and not by_host else None
    yield ("host",), profile.host if by_host else None
    yield ("port",), profile.port if by_host and ("port" in written or profile.port != usual) else None
    enabled = by_host and (not profile.secure or _at(written, ("tls", "enabled")) is not None)
    yield ("tls", "enabled"), profile.secure if enabled else None


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _text(path: object | None) -> str | None:
    return None if path is None else str(path)


def _at(values: Any, path: Keys) -> Any:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def _set(text: str, changed: Mapping[Keys, Value]) -> str:
    """The text with values set, or taken out where None."""
    end = _newline(text)  # before anything is taken out
    try:
        for path, value in changed.items():
            document = tomlkit.parse(text)
            if _at(document.unwrap(), path) is None:
                text = text if value is None else _inserted(text, path, value, end)
                continue
            container: Any = document
            for key in path[:-1]:
                container = container[key]
            tables = isinstance(container[path[-1]], AoT)  # which stay tables, and go when none is left
            if value is None or (tables and not value):
                del container[path[-1]]
            else:
                container[path[-1]] = value if tables else _item(value)
            text = tomlkit.dumps(document)
    except (TOMLKitError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise HousekeysError(
            "The configuration is written in a way that cannot be edited here.",
            advice="Edit it by hand; nothing was changed.",
            detail=f"{type(error).__name__}: {error}",
        ) from error
    return text


def _inserted(text: str, path: Keys, value: Value, end: str) -> str:
    """The text with a new key, below its neighbours in its table: above the comments of the next table."""
    table: KeyPath = ()  # of the header that rules where we are
    ruling: KeyPath = ()  # of the deepest one that the key can stand under
    above: Statement | None = None  # the statement below which the key goes
    for statement in positions(text).statements:
        if statement.header:
            table = statement.path
            if _shared(table, path) == len(table) >= len(ruling):
                ruling, above = table, statement
        elif _shared(statement.path, path) == len(statement.path):
            return _inside_inline(text, path, value)
        elif table == ruling and (
            above is None or above.header or _shared(statement.path, path) >= _shared(above.path, path)
        ):
            above = statement
    line = f"{dotted(path[len(ruling) :])} = {_item(value).as_string()}{end}"
    if above is None:
        at = _top(text)
        return f"{text[:at]}{line}{end if _EMPTY_LINE.match(text, at) is None and text[at:] else ''}{text[at:]}"
    first, at = text.rfind("\n", 0, above.begin) + 1, _line_end(text, above.end)
    before = text[:at] if text[:at].endswith("\n") else f"{text}{end}"
    return f"{before}{text[first : above.begin]}{line}{text[at:]}"


def _inside_inline(text: str, path: Keys, value: Value) -> str:
    document = tomlkit.parse(text)
    container: Any = document
    for key in path[:-1]:
        if key not in container:
            container[key] = tomlkit.inline_table()
        container = container[key]
    container[path[-1]] = _item(value)
    return tomlkit.dumps(document)


def _top(text: str) -> int:
    """Where the first key of a file that has none goes: below the comment at its top, if that stands alone."""
    at = 0
    while text.startswith("#", at):
        at = _line_end(text, at)
    empty = _EMPTY_LINE.match(text, at)
    return empty.end() if empty else 0


def _shared(first: KeyPath, second: KeyPath) -> int:
    """How many keys two paths begin with alike."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _put(container: Any, path: Keys, value: Value) -> None:
    for key in path[:-1]:
        if key not in container:
            container[key] = tomlkit.table()
        container = container[key]
    container[path[-1]] = _item(value)


def _item(value: Value) -> Item:
    """A value as it is written: of tables a list with one on each line, for it goes where any other value does."""
    tables = [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
    if not tables:
        return tomlkit.item(value)
    array = tomlkit.array().multiline(True)
    for values in tables:
        table = tomlkit.inline_table()
        table.update(values)
        array.append(table)
    return array


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _with_comment_above(text: str, begin: int) -> int:
    """Where the comment lines right above a header begin; those at the top of the file belong to the file."""
    at = begin
    while at > 0:
        above = text.rfind("\n", 0, at - 1) + 1
        if not text[above:at].lstrip().startswith("#"):
            return at
        at = above
    return begin
