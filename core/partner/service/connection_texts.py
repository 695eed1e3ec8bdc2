"""How a user reaches ClickHouse, in the forms that programs take: to be copied, or as a file. Never with a password."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from core.partner.handling.outcomes import HowToConnect

DSN_FILE = "clickhouse.dsn"


@dataclass(frozen=True, slots=True)
class ConnectionText:
    """One form, under the name of the program that takes it."""

    title: str
    text: str


def connection_texts(how: HowToConnect) -> tuple[ConnectionText, ...]:
    """The forms to be copied. Each asks for the password, or has it added where it is used."""
    url = _url(how)
    python = (
        f"clickhouse_connect.get_client(host={how.host!r}, port={how.port}, secure={how.secure},"
        f" username={how.user!r}, password=…, database={how.database!r})"
    )
    query = urlencode({"database": how.database})
    return (
        ConnectionText("JDBC", f"jdbc:ch:{url}/{quote(how.database)}?{urlencode({'user': how.user})}"),
        ConnectionText("Python", python),
        ConnectionText(
            "curl", f"curl --user {shlex.quote(how.user)} --data-binary 'SHOW TABLES' {shlex.quote(f'{url}/?{query}')}"
        ),
    )


def dsn_file(how: HowToConnect) -> str:
    """A file DSN, which desktop programs open by the ODBC driver of ClickHouse; they ask for the password.

    https://github.com/ClickHouse/clickhouse-odbc (configuration: Url, Database, UID).
    """
    lines = (
        "[ODBC]",
        "DRIVER=ClickHouse ODBC Driver (Unicode)",
        f"Url={_url(how)}/",
        f"Database={_braced(how.database)}",
        f"UID={_braced(how.user)}",
    )
    return "\r\n".join((*lines, ""))


def _url(how: HowToConnect) -> str:
    host = f"[{how.host}]" if ":" in how.host else how.host
    return f"{'https' if how.secure else 'http'}://{host}:{how.port}"


def _braced(value: str) -> str:
    """A value as a DSN has it: in braces where it has a sign of its own there. A line end could begin another key."""
    plain = "".join(character for character in value if character.isprintable())
    return f"{{{plain.replace('}', '}}')}}}" if set(plain) & set("[]{}(),;?*=!@ ") else plain
