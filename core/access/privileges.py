"""What has to be known of ClickHouse's privileges to read and write them: spelling and parameters.

Source: `system.privileges` of ClickHouse 26.9; tests/engine compares this table with the engine's own.
"""

from __future__ import annotations

# Spelled in this case by ClickHouse; every other privilege is upper case.
_MIXED_CASE = {
    name.upper(): name
    for name in (
        "dictGet",
        "displaySecretsInShowAndSelect",
        "addressToLine",
        "addressToLineWithInlines",
        "addressToSymbol",
        "demangle",
    )
}

# Their object is a name of their own kind (a user, a collection, an engine, a source), not a database or a table.
PARAMETRISED = frozenset(
    {
        "ALTER NAMED COLLECTION",
        "CREATE NAMED COLLECTION",
        "DROP NAMED COLLECTION",
        "SHOW NAMED COLLECTIONS",
        "SHOW NAMED COLLECTIONS SECRETS",
        "NAMED COLLECTION",
        "NAMED COLLECTION ADMIN",
        "CREATE USER",
        "ALTER USER",
        "DROP USER",
        "CREATE ROLE",
        "ALTER ROLE",
        "DROP ROLE",
        "IMPERSONATE",
        "SET DEFINER",
        "TABLE ENGINE",
        "READ",
        "WRITE",
    }
)
# Sources take a pattern in brackets.
SOURCES = frozenset({"READ", "WRITE"})

# Other spellings that the parser must know, because they decide how the object is read. All others ClickHouse folds.
_ALIASES = {
    "ALL PRIVILEGES": "ALL",
    "EXECUTE AS": "IMPERSONATE",
    "NAMED COLLECTION CONTROL": "NAMED COLLECTION ADMIN",
    "NAMED COLLECTION USAGE": "NAMED COLLECTION",
    "USE NAMED COLLECTION": "NAMED COLLECTION",
    "NO PRIVILEGES": "USAGE",
    "NONE": "USAGE",
    "SOURCE READ": "READ",
    "SOURCE WRITE": "WRITE",
}


def privilege_name(words: str) -> str:
    """A privilege in ClickHouse's own spelling, whatever case it was written in. Most aliases stay what they are."""
    upper = " ".join(words.upper().split())
    return _ALIASES.get(upper) or _MIXED_CASE.get(upper, upper)
