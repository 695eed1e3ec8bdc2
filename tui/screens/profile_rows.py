"""What the profiles screen shows: a row for each profile, all about one, and what a test found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.paths import Paths
from core.profiles import Problem, Profile, ProfileFile
from core.profiles.differences import difference
from tui.widgets.columns import Column
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.clickhouse.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile, or the name of one that cannot be opened, and what is known of it now."""

    name: str
    profile: Profile | None
    problems: tuple[Problem, ...]
    origin: str
    state: str  # "open", "connecting", "broken", "not connected", or empty
    tested: str  # what the last test said, in a few words


_STATE_STYLES = {"open": "success", "broken": "error", "not connected": "error", "connecting": "muted"}


def _engine(row: ProfileRow) -> str:
    return "-" if row.profile is None else row.profile.engine


def _address(row: ProfileRow) -> str:
    return "-" if row.profile is None else row.profile.address


def _user(row: ProfileRow) -> str:
    return row.profile.user if row.profile is not None and row.profile.engine == "server" else "-"


def _marks(row: ProfileRow) -> str:
    if row.profile is None:
        return ""
    words = [badge for badge in row.profile.badges if badge != "embedded"]
    return " ".join([*words, *(["READ-ONLY"] if row.profile.read_only else [])])


COLUMNS: tuple[Column[ProfileRow], ...] = (
    Column("name", "NAME", lambda row: row.name, flexible=True, letter="N"),
    Column("state", "STATE", lambda row: row.state, style=lambda row: _STATE_STYLES.get(row.state, "")),
    Column("address", "ADDRESS", _address, flexible=True, letter="A"),
    Column("user", "USER", _user, flexible=True, minor=2),
    Column("marks", "MARKS", _marks, minor=1, style=lambda row: "warning"),
    Column("test", "TEST", lambda row: row.tested or "-", minor=3, flexible=True),
    Column("engine", "ENGINE", _engine, minor=4),
)


def summary_lines(row: ProfileRow, general: Sequence[Problem], paths: Paths) -> list[Line]:
    """Everything about a profile; `general` are the problems of the file that belong to none."""
    problems = [*row.problems, *general]
    lines = [Line(short(str(problem)), style="error" if problem.blocking else "warning") for problem in problems]
    if lines:
        lines.append(Line())
    profile = row.profile
    if profile is None:
        return [*lines, Line("It cannot be opened before the file is corrected.")]
    lines += [fact("engine", profile.engine), fact("address", profile.address)]
    if profile.engine == "server":
        lines += [
            fact("user", profile.user),
            fact("password", profile.password.describe() if profile.password else "none"),
            fact("TLS", _tls(profile), "" if profile.secure and profile.verify else "warning"),
            fact("cluster", profile.cluster or "none"),
            fact("timeouts", f"{profile.connect_timeout:g} s connect, {profile.query_timeout:g} s query"),
        ]
    else:
        lines.append(fact("data", short(str(profile.data_folder(paths)))))
    mode = {None: "as the preferences say", True: "read-only", False: "changes allowed"}[profile.read_only]
    lines += [
        fact("journal", f"{profile.database}.journal"),
        fact("changes", mode),
        fact("production", "yes" if profile.production else "no", "warning" if profile.production else ""),
        fact("DataLens user", profile.datalens.user),
        fact("DataLens hosts", ", ".join(profile.datalens.hosts) or "none"),
        fact("keys", short(str(profile.key_folder(paths)))),
    ]
    if (lakehouse := profile.lakehouse) is not None:
        doubt = "" if lakehouse.secure and lakehouse.verify else "warning"
        lines += [fact(name, text, doubt if name.endswith("TLS") else "") for name, text in lakehouse.facts]
    lines += [fact(name, str(cloud)) for name, cloud in profile.clouds.items()]
    lines += [fact(name, text) for name, text in (profile.partner.facts if profile.partner else ())]
    lines += [fact(name, str(value)) for name, value in profile.settings.items()]
    return [*lines, fact("defined in", short(row.origin))]


def short(text: str) -> str:
    """`text` with the home folder of the operator as `~`."""
    home = str(Path.home())
    return f"~{text[len(home) :]}" if text.startswith(f"{home}/") else text


def _tls(profile: Profile) -> str:
    if not profile.secure:
        return "none: everything is readable on the way"
    words = ["certificate checked" if profile.verify else "certificate NOT checked"]
    if profile.ca_file is not None:
        words.append(f"CA {profile.ca_file}")
    if profile.client_certificate is not None:
        words.append(f"client certificate {profile.client_certificate}")
    return ", ".join(words)


def changed_lines(before: ProfileFile, after: ProfileFile) -> str:
    """The lines that come and go, without the lines around them."""
    lines = difference(before.text, after.text, around=0).split("\n")
    return "\n".join(line for line in lines if not line.startswith("@@"))


def diff_style(line: str) -> str:
    return {"+": "success", "-": "error", "@": "muted"}.get(line[:1], "")


def capability_lines(found: Capabilities, database: str) -> list[Line]:
    """What a test found out, for a journal kept in `database`."""
    from core.clickhouse.abilities import abilities

    lines = [
        Line("The connection works.", style="success"),
        Line(),
        fact("version", found.version),
        fact("host", found.host or "not told"),
        fact("user", found.user),
        fact("latency", f"{found.latency_seconds * 1000:.1f} ms"),
        fact("server mode", "read-only" if found.read_only else "changes possible"),
    ]
    if found.user_directories is not None:
        lines.append(fact("user storage", ", ".join(f"{name} ({kind})" for name, kind, _ in found.user_directories)))
    lines += [fact("cluster", f"{name}: {', '.join(hosts)}") for name, hosts in found.clusters.items()]
    lines += [Line(), fact("may", ", ".join(sorted(found.may)) or "nothing that is asked for")]
    missing = [ability.name for ability in abilities(database) if ability.name not in found.may]
    if missing:
        lines += [Line(), Line("It may not:", style="heading")]
        lines += [fact(ability, found.missing(ability), "warning") for ability in missing]
    return lines
