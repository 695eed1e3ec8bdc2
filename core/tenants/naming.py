"""Which names a tenant may have, and which texts may be noted about it: taken exactly, or refused with the reason.

Nothing here alters a name. Three things limit it: ClickHouse's file names, the plaintext of a DataLens token, and that
people have to see and type it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from urllib.parse import quote

from core.display import one_line
from core.errors import BadInputError

# When a table is dropped, ClickHouse keeps its definition in the file `<database>.<table>.<uuid>.sql`, both names
# percent-encoded; a file name has 255 bytes, of which the rest takes 42. A database that leaves no byte for a table's
# name can hold none (asked of ClickHouse 26.9; older ones create the table and fail to drop it).
LONGEST_ENCODED = 255 - len("..") - 36 - len(".sql") - 1
# What the same file name should leave for the names of tables.
COMFORTABLE_TABLE_NAME = 64

# PKCS#1 v1.5 under the 2048-bit key that DataLens demands: 256 bytes less 11 of padding (RFC 8017, 7.2.1).
LONGEST_TOKEN_PLAINTEXT = 245

# Exist on every ClickHouse and are shared by everybody who may log in.
SHARED_DATABASES = frozenset(
    {"system", "information_schema", "INFORMATION_SCHEMA", "default", "_temporary_and_external_tables"}
)

# https://yandex.cloud/en/docs/managed-clickhouse/api-ref/grpc/Database/create (name of DatabaseSpec).
_MANAGED = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,62}\Z")

LONGEST_TEXT = 2_000  # characters of an owner, contact, ticket or note: the journal is no place for documents
MULTILINE_TEXTS = frozenset({"note"})


def shortest_plaintext(name: str) -> bytes:
    """The shortest thing a token can say in secret: `{"db_name":"…"}` as compact UTF-8 JSON."""
    return json.dumps({"db_name": name}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def encoded_length(name: str) -> int:
    """Bytes of `name` as ClickHouse writes it in file names: all but letters, digits and `_` becomes `%XX`."""
    return sum(1 if byte < 128 and (chr(byte).isalnum() or byte == 0x5F) else 3 for byte in name.encode("utf-8"))


def check_name(name: str, *, journal_database: str = "housekeys") -> None:
    """Raise BadInputError, with the reason, when no tenant may be called `name`."""
    problem = name_problem(name, journal_database=journal_database)
    if problem:
        raise BadInputError(f"{shown(name)} cannot be the name of a tenant: {problem}.")


def name_problem(name: str, *, journal_database: str = "housekeys") -> str:
    """Why no tenant may be called `name`, as half a sentence; empty when it may."""
    if not name:
        return "it is empty"
    if problem := text_problem(name, multiline=False):
        return problem
    if name != name.strip():
        return "it begins or ends with a space"
    if name in SHARED_DATABASES:
        return "this database belongs to ClickHouse and is shared by everybody"
    if name == journal_database:
        return "this database holds the journal of Housekeys, which no client may read"
    length = encoded_length(name)
    if length > LONGEST_ENCODED:
        return (
            f"ClickHouse could keep no table in it: its name takes {length} bytes in file names, "
            f"where all but letters, digits and _ count three times, and {LONGEST_ENCODED} is the most"
        )
    if (size := len(shortest_plaintext(name))) > LONGEST_TOKEN_PLAINTEXT:
        return f"a DataLens token for it would hold {size} bytes, and {LONGEST_TOKEN_PLAINTEXT} is the most"
    return ""


def text_problem(text: str, *, multiline: bool) -> str:
    """Why `text` cannot be kept as it is, as half a sentence; empty when it can. `multiline` allows LF and tabs."""
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            return "it is not valid UTF-8"
        if category in {"Cc", "Zl", "Zp"} and not (multiline and character in "\n\t"):
            return f"it holds the control character {one_line(character)}"
        if ord(character) & 0xFFFE == 0xFFFE:  # XML and many tools have no form for U+FFFE, U+FFFF and their kin
            return f"it holds {one_line(character)}, which is no character"
    return ""


def check_text(field: str, text: str) -> None:
    """Raise BadInputError when `text` cannot be kept as the `field` (owner, contact, ticket or note) of a tenant."""
    problem = field_problem(field, text)
    if problem:
        raise BadInputError(f"The {field} cannot be kept: {problem}.")


def field_problem(field: str, text: str) -> str:
    """Why `text` cannot be kept as `field`, as half a sentence; empty when it can."""
    if len(text) > LONGEST_TEXT:
        return f"it has {len(text):,} characters, and {LONGEST_TEXT:,} is the most"
    return text_problem(text, multiline=field in MULTILINE_TEXTS)


def name_warnings(name: str) -> tuple[str, ...]:
    """What speaks against `name`, which `check_name` has let pass: a sentence each."""
    warnings = []
    if not _MANAGED.match(name):
        warnings.append(
            f"Yandex Managed Service for ClickHouse would refuse the name {shown(name)}: "
            "it takes up to 63 letters, digits, _ and -, and no digit or - first."
        )
    if one_line(name) != name:
        warnings.append(f"The name {shown(name)} holds characters that cannot be seen.")
    if LONGEST_ENCODED - encoded_length(name) + 1 < COMFORTABLE_TABLE_NAME:
        room = LONGEST_ENCODED - encoded_length(name) + 1
        warnings.append(f"The name {shown(name)} is so long that tables in it may have names of {room} bytes at most.")
    return tuple(warnings)


def shown(name: str) -> str:
    """`name` for a sentence: on one line, cut when very long."""
    return one_line(name, 60) or "The empty text"


def keeper_path(name: str) -> str:
    """The place of a `Replicated` database in Keeper. Encoded, for `/`, `{` and `}` have a meaning there."""
    return f"/clickhouse/databases/{quote(name, safe='')}"
