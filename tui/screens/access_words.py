"""Users, roles and their limits in words, for columns and summaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from core.access.effective.roles import contains
from core.access.lint.findings import Finding, Severity
from core.access.lint.moments import end_of, expired
from core.access.model import EVERYONE, NOBODY, Authentication, AuthKind, Hosts, NameSet, SettingElement, User
from core.access.planning.entities import hosts_text
from core.access.render import setting_element
from core.access.render_grants import identifier
from core.display import exact_time, one_line, relative_time
from tui.widgets.lines import Line, fact

SEVERITY_STYLES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "muted"}
_KINDS = {
    AuthKind.DEFAULT: "password",
    AuthKind.NO_PASSWORD: "no password",
    AuthKind.NO_AUTHENTICATION: "none at all",
    AuthKind.PLAINTEXT: "plaintext",
    AuthKind.SHA256: "sha256",
    AuthKind.DOUBLE_SHA1: "double sha1",
    AuthKind.BCRYPT: "bcrypt",
    AuthKind.SCRAM_SHA256: "scram",
    AuthKind.SSL_CERTIFICATE: "certificate",
    AuthKind.SSH_KEY: "ssh key",
}
_SHORTEST_LISTED = 3
BELOW = " "  # the label of a line that goes on with the one above: it keeps the place of a label


def kind_word(kind: AuthKind) -> str:
    """An authentication method in a word or two."""
    return _KINDS.get(kind, kind.value)


def kinds_text(user: User) -> str:
    """How a user proves who it is, each kind once."""
    return ", ".join(dict.fromkeys(kind_word(method.kind) for method in user.methods)) or "none"


def hosts_brief(hosts: Hosts) -> str:
    """Hosts for a column."""
    if hosts.any:
        return "any"
    found = ["local"] * hosts.local + list(hosts.addresses + hosts.names + hosts.likes)
    found += [f"/{pattern}/" for pattern in hosts.patterns]
    if not found:
        return "none: disabled"
    more = len(found) - _SHORTEST_LISTED
    return ", ".join(found[:_SHORTEST_LISTED]) + (f" +{more}" if more > 0 else "")


def hosts_line(hosts: Hosts) -> Line:
    """Hosts for a summary."""
    if hosts == Hosts():
        return fact("hosts", "none: it is disabled and comes in from nowhere", "warning")
    return fact("hosts", "any" if hosts.any else hosts_text(hosts), "warning" if hosts.any else "")


def names_text(names: NameSet, *, everyone: str, nobody: str = "none") -> str:
    """A set of users or roles in words."""
    if names.everyone:
        excepted = ", ".join(names.excepted)
        return f"{everyone} but {excepted}" if excepted else everyone
    return ", ".join(names.names) or nobody


def roles_brief(roles: Iterable[str], default: NameSet) -> str:
    """The roles granted to a user; in brackets those that are not in force at login."""
    return ", ".join(name if contains(default, name) else f"({name})" for name in sorted(roles)) or "-"


def profiles_of(settings: Iterable[SettingElement]) -> str:
    """The settings profiles among settings."""
    return ", ".join(element.profile for element in settings if element.profile)


def ends_of(user: User, now: datetime) -> tuple[datetime, ...]:
    """The moments at which its methods end."""
    return tuple(end for method in user.methods if (end := end_of(method, now)) is not None)


def until_text(user: User, now: datetime) -> str:
    """When a user ends, for a column: the last of its methods counts."""
    ends = ends_of(user, now)
    if not user.methods or len(ends) < len(user.methods):
        return "-"
    last = max(ends)
    return "expired" if last <= now else f"{last.astimezone(UTC):%Y-%m-%d}"


def method_lines(user: User, now: datetime) -> list[Line]:
    """One line for each way in."""
    if not user.methods:
        return [fact("authentication", "none", "error")]
    return [
        fact("authentication" if number == 0 else BELOW, *_method(method, now))
        for number, method in enumerate(user.methods)
    ]


def _method(method: Authentication, now: datetime) -> tuple[str, str]:
    words = [kind_word(method.kind)]
    words += [f"of {', '.join(method.names)}"] if method.names else []
    words += [f"by the server {method.server}"] if method.server else []
    words += [f"of the realm {method.realm}"] if method.realm else []
    words += [f"{len(method.keys)} keys"] if method.keys else []
    end = end_of(method, now)
    over = expired(method, now)
    if end is not None:
        words.append(f"{'expired' if over else 'valid until'} {moment(end, now)}")
    if method.grants is not None:
        words.append("limited to some grants")
    weak = method.kind in (AuthKind.NO_PASSWORD, AuthKind.NO_AUTHENTICATION, AuthKind.PLAINTEXT)
    return ", ".join(words), "error" if over else "warning" if weak else ""


def moment(at: datetime, now: datetime) -> str:
    """A moment, and how far away it is where that says more."""
    exact, relative = exact_time(at), relative_time(at, now)
    return exact if relative.endswith(f"{at.year}") else f"{exact} ({relative})"


def grantees_text(names: NameSet) -> str:
    """To whom a user may grant."""
    if names == EVERYONE:
        return "anybody"
    return "nobody" if names == NOBODY else names_text(names, everyone="anybody")


def settings_lines(settings: Sequence[SettingElement]) -> list[Line]:
    """Settings one by one, as SQL."""
    shown = [setting_element(element) for element in settings]
    return [fact("settings" if number == 0 else BELOW, text) for number, text in enumerate(shown)] or [
        fact("settings", "-")
    ]


def findings_text(findings: Sequence[Finding]) -> str:
    """How much lint finds, for a column: notes do not count."""
    grave = sum(finding.severity is not Severity.NOTE for finding in findings)
    return str(grave) if grave else "-"


def findings_style(findings: Sequence[Finding]) -> str:
    """The style of the most severe finding."""
    return SEVERITY_STYLES[findings[0].severity] if findings else "muted"


def finding_lines(findings: Sequence[Finding]) -> list[Line]:
    """Each finding with its explanation and what to do."""
    lines: list[Line] = []
    for finding in findings:
        lines += [
            Line(),
            Line(f"{finding.severity.value}: {finding.title}", style=SEVERITY_STYLES[finding.severity]),
            Line(finding.explanation),
        ]
        advice = finding.advice or (finding.fix.title if finding.fix is not None else "")
        if advice:
            lines.append(Line(f"-> {advice}", style="muted"))
    return [Line(), Line("Findings", style="heading"), *lines[1:]] if lines else []


def storage_line(storage: str) -> Line:
    """Where an entity is kept, and what that means for changing it."""
    fixed = storage.replace(".", "_").replace(" ", "_").lower() == "users_xml"
    words = f"{storage}: changed in a file, not by SQL" if fixed else storage
    return fact("storage", words or "not told by the server", "muted" if fixed or not storage else "")


def kept_lines(kept_only: Sequence[str]) -> list[Line]:
    """What an embedded engine keeps and does not enforce."""
    if not kept_only:
        return []
    return [Line(f"Kept, not enforced by this embedded engine: {', '.join(kept_only)}.", style="warning"), Line()]


def identifiers(names: Iterable[str]) -> str:
    """Names as they are written in SQL, comma-separated: what forms show and read."""
    return ", ".join(map(identifier, names))


def shown_names(names: Sequence[str], most: int = 6) -> str:
    """Names for a sentence."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(one_line(name, 40) for name in names[:most]) + more
