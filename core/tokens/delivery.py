"""Handing tokens over: a note to the client in English or Russian, and a CSV of many tokens.

What the client does in DataLens follows the vendor's "User steps for a connector".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from core.display import one_line

Language = Literal["en", "ru"]
CSV_COLUMNS = ("tenant", "fingerprint", "datalens_key_version", "partner_key_version", "token")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, on its way to the client. The text exists only here: the ledger has the fingerprint."""

    tenant: str
    text: str = field(repr=False)
    fingerprint: str
    datalens_version: int
    partner_version: int


_ENGLISH = """\
Access to your data in DataLens ({tenant})

1. In DataLens, open the Marketplace and activate our connector.
2. Open Connections, create a connection and choose the connector.
3. Paste the access token below into the field "Access token": one line, nothing before or after it.
4. Save the connection. DataLens then sets up a ready-made dashboard on your data.

Keep the token to yourself: whoever has it can see this data. It is needed once, to create the connection; afterwards \
the connection works without it. If it got into other hands, tell us at once.

Token {short}:
{text}
"""

_RUSSIAN = """\
Доступ к вашим данным в DataLens ({tenant})

1. Откройте Marketplace в DataLens и активируйте наш коннектор.
2. Откройте раздел «Подключения», создайте подключение и выберите коннектор.
3. Вставьте токен доступа (он внизу) в поле «Токен доступа»: одной строкой, без лишних символов до и после него.
4. Сохраните подключение. DataLens развернёт готовый дашборд на ваших данных.

Никому не передавайте токен: он открывает доступ к этим данным. Он нужен один раз, чтобы создать подключение; потом \
подключение работает без него. Если токен попал в чужие руки, сразу сообщите нам.

Токен {short}:
{text}
"""


def delivery_note(token: NewToken, language: Language = "en") -> str:
    """The note that goes to the client together with the token, which is its last line."""
    template = _RUSSIAN if language == "ru" else _ENGLISH
    return template.format(tenant=one_line(token.tenant), short=token.fingerprint[:8], text=token.text)


def tokens_csv(tokens: Iterable[NewToken]) -> bytes:
    """The tokens as CSV (RFC 4180, UTF-8) under `CSV_COLUMNS`; names are exact, quoted where they must be."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    writer.writerows((t.tenant, t.fingerprint, t.datalens_version, t.partner_version, t.text) for t in tokens)
    return text.getvalue().encode("utf-8")
