"""What is typed about a user, and what is made of it: its hosts, end and grantees."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace
from datetime import datetime

from core.access.access_model import AccessModel
from core.access.entity_options import read_clause
from core.access.model import EVERYONE, AlterUser, Authentication, EntityKind, Hosts, NameSet
from core.access.parser import parse_statement
from core.access.planning.entities import hosts_text
from core.access.render_grants import name_set
from core.display import one_line
from core.errors import BadInputError, HousekeysError
from tui.screens.limit_forms import check_there

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
ANYBODY = "any"


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


def read_grantees(text: str, model: AccessModel) -> NameSet:
    """`any`, `none`, `any EXCEPT anna`, or users and roles that are there. Raises BadInputError and NotFoundError."""
    if not text.strip():
        return EVERYONE  # as in a CREATE USER that does not say
    grantees: NameSet = read_clause(EntityKind.USER, "May grant to", "GRANTEES", text, "grantees").grantees
    return check_there(grantees, model)


def written_grantees(grantees: NameSet) -> str:
    """Grantees as `read_grantees` reads them."""
    text = name_set(grantees, ANYBODY)
    return text.lower() if text == "NONE" else text
