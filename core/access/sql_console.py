"""Who may use ClickHouse Cloud's SQL console with which rights: roles that are found by their name.

The console signs a member of the organization in as `sql-console:<e-mail>`, a user that lives as long as the session,
and gives it the role `sql-console-role:<e-mail>` if there is one.
https://clickhouse.com/docs/products/cloud/reference/security/console-roles
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.errors import BadInputError

CONSOLE_ROLE: Final = "sql-console-role:"
DEFAULT_ROLE: Final = "default_role"
"""Has all rights of a service in ClickHouse Cloud; the user `default` has it."""
_ALIKE = 0.75
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def is_email(text: str) -> bool:
    """Whether `text` looks like an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def console_role(email: str) -> str:
    """The name of the role of the member with this e-mail address. Raises BadInputError for what is no address."""
    if not is_email(email):
        raise BadInputError(
            "That is no e-mail address.", advice="Write it as the Cloud console has it: my.user@domain.com."
        )
    return f"{CONSOLE_ROLE}{email}"


def email_of(role: str) -> str | None:
    """The e-mail address in the name of a console role; None for any other role."""
    return role.removeprefix(CONSOLE_ROLE) if role.startswith(CONSOLE_ROLE) else None


def nearest_email(email: str, known: Iterable[str]) -> str:
    """The one of `known` addresses that `email` was probably meant to be, or the empty string."""
    import difflib  # only a mistake needs it

    name, _, domain = email.casefold().partition("@")
    names: dict[str, str] = {}
    domains: dict[str, str] = {}
    for each in known:  # of addresses with one domain only the names can differ; as a whole they would all be alike
        its_name, _, its_domain = each.casefold().partition("@")
        if its_domain == domain:
            names[its_name] = each
        elif its_name == name:
            domains[its_domain] = each
    for word, others in ((name, names), (domain, domains)):
        if found := difflib.get_close_matches(word, others, n=1, cutoff=_ALIKE):
            return others[found[0]]
    return ""


def no_member(email: str, members: frozenset[str] | None) -> str:
    """That no member of the organization has an address, with the nearest one; empty when not known, or one has."""
    if members is None or email in members:
        return ""
    near = nearest_email(email, members)
    return f"No member of the organization has the address {email}{f'; did you mean {near}?' if near else '.'}"


@dataclass(frozen=True, slots=True)
class PredefinedRole:
    """A role that ClickHouse Cloud comes with. `former` is what it was called, or that it was removed."""

    context: str
    name: str
    gives: str
    former: str = ""


PREDEFINED: Final = (
    PredefinedRole("Organization", "Admin", "everything in the organization"),
    PredefinedRole("Organization", "Billing", "usage, invoices, payment"),
    PredefinedRole("Organization", "Org API reader", "reading the organization by API keys"),
    PredefinedRole("Organization", "Member", "signing in; more by roles", "in place of Developer"),
    PredefinedRole("Service", "Service admin", "everything about a service"),
    PredefinedRole("Service", "Service read only", "looking at a service"),
    PredefinedRole("SQL console", "sql_console_admin", "all rights in the database, in the SQL console"),
    PredefinedRole("SQL console", "sql_console_read_only", "reading in the database, in the SQL console"),
    PredefinedRole("Database", DEFAULT_ROLE, "all rights in the database; `default` has it"),
)
"""As of November 2026, from the same page."""
