"""What is typed about a user, and what is made of it: its password, hosts, end and settings profile."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from core.access.model import AlterUser, Authentication, AuthKind, Hosts, SettingElement
from core.access.parser import parse_statement
from core.access.passwords import check_strength, generate_password, hash_password
from core.access.planning.entities import hosts_text
from core.access.secret_texts import HIDDEN
from core.display import one_line
from core.errors import BadInputError, HousekeysError, RefusedError
from core.secrets import Secret
from tui.screens.access_words import kind_word
from tui.widgets.fields import Field, Values

GENERATED, TYPED, NONE, KEPT = "make one up", "type one", "no password", "as it is"
HASHES = {kind_word(kind): kind for kind in (
    AuthKind.SHA256, AuthKind.SCRAM_SHA256, AuthKind.BCRYPT, AuthKind.DOUBLE_SHA1
)}  # fmt: skip
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_HASH_PLACEHOLDER = {AuthKind.BCRYPT: "$2b$12$" + "." * 53}


# -- the password


def password_fields(*, keep: bool, none: bool = True) -> tuple[Field, ...]:
    """How a user proves who it is. `keep`: or stays as it is; `none`: or needs no password."""
    choices = (*((KEPT,) if keep else ()), GENERATED, TYPED, *((NONE,) if none else ()))

    def when(*how: str) -> Callable[[Values], bool]:
        return lambda values: values.get("how") in how

    return (
        Field("how", "Password", choices[0], kind="choice", choices=choices),
        Field("password", "Type it", kind="secret", required=True, shown_if=when(TYPED),
              hint="12 or more: a digit, a small and a capital letter, a sign."),
        Field("again", "Again", kind="secret", required=True, shown_if=when(TYPED)),
        Field("insist", "Anybody may", kind="flag", shown_if=when(NONE),
              hint="Whoever knows the name comes in. Say yes to have it so."),
        Field("kind", "Kept as", "sha256", kind="choice", choices=tuple(HASHES), shown_if=when(GENERATED, TYPED)),
    )  # fmt: skip


def new_password(values: Values, user: str) -> tuple[Authentication, Secret | None]:
    """The method that was asked for, hashed here, and a made-up password, which has to be shown once.

    Raises BadInputError and RefusedError.
    """
    if values["how"] == NONE:
        if not values.get("insist"):
            raise RefusedError(
                "A user without a password lets in whoever knows its name.",
                advice="Choose another way, or say yes to: Anybody may.",
            )
        return Authentication(AuthKind.NO_PASSWORD), None
    kind = HASHES[values["kind"]]
    if values["how"] == GENERATED:
        made = generate_password()
        return hash_password(made, kind), made
    typed, again = Secret(values["password"]), Secret(values["again"])
    if not typed.matches(again):
        raise BadInputError("The two entries differ.", advice="Type the same password twice.")
    check_strength(typed, user=user)
    return hash_password(typed, kind), None


def shown_password(values: Values) -> Authentication:
    """The same for a preview: a method whose hash is hidden, whatever it will be."""
    if values["how"] == NONE:
        return Authentication(AuthKind.NO_PASSWORD)
    kind = HASHES[values["kind"]]
    return Authentication(kind, hash=_HASH_PLACEHOLDER.get(kind, HIDDEN))


# -- hosts


def read_hosts(text: str) -> Hosts:
    """`any`, `none`, or addresses, networks and names of hosts with commas between; or ClickHouse's own HOST clause.

    Raises BadInputError.
    """
    if "'" in text:
        return _host_clause(text)
    items = [item for item in re.split(r"[,\s]+", text.strip()) if item]
    if not items:
        raise BadInputError("No host is given.", advice="Write any, none, or addresses and networks with commas.")
    words = {item.lower() for item in items}
    if words & {"any", "none"}:
        if len(items) > 1:
            raise BadInputError("Any and none stand alone.")
        return Hosts(any=words == {"any"})
    addresses, names = [], []
    for item in items:
        if item.lower() == "local":
            continue
        try:
            addresses.append(str(ipaddress.ip_network(item)) if "/" in item else str(ipaddress.ip_address(item)))
        except ValueError:
            numeric = "/" in item or ":" in item or re.fullmatch(r"[0-9.]+", item)
            if numeric or _HOST_NAME.fullmatch(item) is None:
                raise BadInputError(
                    f"{one_line(item, 40)} is no address, network or name of a host.",
                    advice="A pattern is written as ClickHouse does: REGEXP '…' or LIKE '…'.",
                ) from None
            names.append(item)
    return Hosts(local="local" in words, addresses=tuple(addresses), names=tuple(names))


def _host_clause(text: str) -> Hosts:
    statement = parse_statement(f"ALTER USER x HOST {text}")
    if not isinstance(statement, AlterUser) or statement.hosts is None:
        raise BadInputError("This is no HOST clause.")
    if statement != AlterUser(("x",), hosts=statement.hosts):
        raise BadInputError("There is more than hosts in it.")
    return statement.hosts


def written_hosts(hosts: Hosts) -> str:
    """Hosts as `read_hosts` reads them."""
    if hosts.any:
        return "any"
    if hosts == Hosts():
        return "none"
    if hosts.patterns or hosts.likes:
        return hosts_text(hosts)
    text = ", ".join(["local"] * hosts.local + list(hosts.addresses + hosts.names))
    try:
        return text if read_hosts(text) == hosts else hosts_text(hosts)
    except HousekeysError:
        return hosts_text(hosts)


# -- the rest


def read_until(text: str) -> str:
    """The end of a validity as ClickHouse takes it; empty for none. Raises BadInputError."""
    text = text.strip()
    if not text or text.lower() == "infinity":
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError("This is no moment.", advice="Write 2027-01-31 or 2027-01-31 18:00:00.") from None
    if moment.tzinfo is not None:
        raise BadInputError("ClickHouse takes the moment in the server's own time zone.", advice="Leave the zone out.")
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def with_end(methods: tuple[Authentication, ...], until: str) -> tuple[Authentication, ...]:
    """Methods that all end then. Those whose end is the same already stay the very same."""
    return tuple(
        method if method.valid_until == until else replace(method, valid_until=until, valid_for=None)
        for method in methods
    )


def common_end(methods: tuple[Authentication, ...]) -> str:
    """The end that all methods have; empty when they have none or different ones."""
    ends = {method.valid_until for method in methods}
    return ends.pop() if len(ends) == 1 else ""


def with_profile(settings: tuple[SettingElement, ...], profiles: tuple[str, ...]) -> tuple[SettingElement, ...]:
    """Settings with these profiles in the place of those there were."""
    if tuple(element.profile for element in settings if element.profile) == profiles:
        return settings
    return (*(SettingElement(profile=name) for name in profiles), *(each for each in settings if not each.profile))
