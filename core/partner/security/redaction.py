"""Masks secrets by where they stand, in JSON and in any text, before it is logged: a service sees a secret only once.

`core.logs.redact` masks the values that this process has revealed; here it is the names of fields that count, whole
values being masked whatever they are, and the forms that tokens of Databricks and of this program have.
"""

from __future__ import annotations

import json
import re
from typing import Any

from core.logs import redact
from core.partner.security.sign_in_links import PARAMETER
from core.secrets import MASK

_FIELDS = frozenset(
    (
        *("code", "state", "code_verifier", "apikey", "api_key", "private_key", "client_assertion"),
        *("authorization", "proxy_authorization", "cookie", "set_cookie", PARAMETER),
        *("pwd", "auth_accesstoken", "oauth2secret"),  # of JDBC URLs
    )
)
_SECRET_PART = re.compile(r"secret|passw|passphrase|token(?!_type|_endpoint|s?_count)")
_LONGEST_NAME = 64
# The backslashes are those of JSON inside of a string of JSON.
_QUOTED_NAME = re.compile(
    rf"(?P<slashes>\\{{0,15}})(?P<quote>[\"'])(?P<name>[\w-]{{1,{_LONGEST_NAME}}})(?P=slashes)(?P=quote)"
    r"\s{0,20}(?P<between>[:=,])\s{0,20}(?:b(?=['\"]))?",
    re.ASCII,
)
_OPENING = re.compile(r"\\{0,15}[\"']")
_BARE_VALUE = re.compile(r"[^\s,}\]]+")
_HEADER = re.compile(r"(?P<head>\b(?:(?:proxy-)?authorization|(?:set-)?cookie)\s{0,20}[:=]\s{0,20})[^\r\n]+", re.I)
_SCHEME = re.compile(r"(?P<head>\b(?:basic|bearer)\s{1,20})[A-Za-z0-9+/_.~=-]{6,}", re.IGNORECASE)
_FORM_FIELD = re.compile(
    rf"(?P<before>\A|[\s?&;,(])(?P<name>[\w-]{{1,{_LONGEST_NAME}}})=(?P<value>[^&\s;\"'#]+)", re.ASCII
)
_KNOWN_FORMS = re.compile(
    r"\b(?:dapi|dose|dkea|doau)[0-9a-f]{16,}(?:-\d+)?\b"  # tokens and OAuth secrets of Databricks
    r"|\beyJ[\w-]{8,2048}+\.[\w-]+\.[\w-]*"  # JSON Web Tokens; bounded, lest each of many is read to the end
    r"|\b(?:sealed1|link1)\.[0-9a-f]{16}\.[\w.-]+"
    r"|\bhousekeys-sealing-key:[0-9a-f]{16}:[\w-]+",
    re.ASCII,
)


def redacted(text: str) -> str:
    """`text` with the secrets in it masked: JSON, forms, headers, URLs, or prose with any of them in it, cut or not."""
    text = _SCHEME.sub(rf"\g<head>{MASK}", text)
    text = _without_quoted(text)
    text = _HEADER.sub(rf"\g<head>{MASK}", text)
    text = _FORM_FIELD.sub(_without_form_value, text)
    # Last: a password that was revealed may be a word of a name, by which the value beside it is known.
    return redact(_KNOWN_FORMS.sub(MASK, text))


def redacted_json(value: Any) -> Any:
    """A JSON value with everything masked that stands under the name of a secret; other texts as by `redacted`."""
    if isinstance(value, dict):
        return {name: _mask(inner) if is_secret_name(name) else redacted_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [redacted_json(inner) for inner in value]
    return redacted(value) if isinstance(value, str) else value


def redacted_body(body: bytes) -> str:
    """The body of a request or an answer in a form that can be logged: as JSON where it is, as text where it is not."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(redacted_json(json.loads(text)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return redacted(text)


def is_secret_name(name: str) -> bool:
    """Whether a field or header of this name holds a secret: the known ones, and any that sounds like one."""
    plain = name.lower().replace("-", "_")
    return plain in _FIELDS or bool(_SECRET_PART.search(plain))


def _mask(value: Any) -> Any:
    return value if value is None or value == "" else MASK


def _without_quoted(text: str) -> str:
    """`text` without the values of names in quotes, as JSON, Python and lists of headers have them."""
    parts: list[str] = []
    position = 0
    while match := _QUOTED_NAME.search(text, position):
        end = match.end()
        parts.append(text[position:end])
        position = end
        if is_secret_name(match["name"]) and (match["between"] != "," or _begins_pair(text, match.start())):
            position, shown = _value_end(text, end)
            parts.append(shown)
    return "".join((*parts, text[position:]))


def _begins_pair(text: str, start: int) -> bool:
    """Whether a string that begins at `start` is the first one of a tuple or list, as a header's name is."""
    return text[max(start - 2, 0) : start].removesuffix("b")[-1:] in ("(", "[")


def _value_end(text: str, start: int) -> tuple[int, str]:
    """Where the value that begins at `start` ends, and what is shown instead of it."""
    if opening := _OPENING.match(text, start):
        end = _closing_quote(text, opening.end(), opening.group())
        closed = text[end : end + len(opening.group())]
        return end + len(closed), f"{opening.group()}{MASK if end > opening.end() else ''}{closed}"
    if text[start : start + 1] in ("{", "["):
        return len(text), MASK  # where it ends is not known for certain: nothing of the rest is shown
    bare = _BARE_VALUE.match(text, start)
    if bare is None or bare.group() in ("null", "None"):
        return start, ""
    return bare.end(), MASK


def _closing_quote(text: str, start: int, opening: str) -> int:
    """Where the closing quote begins, with its backslashes; the end of the text where there is none.

    JSON in JSON doubles each backslash and puts one before each quote, so that the number of backslashes before a
    quote tells whether it closes a string of this depth.
    """
    depth, quote = len(opening) - 1, opening[-1]
    position = text.find(quote, start)
    while position >= 0:
        before = position
        while before > start and text[before - 1] == "\\":
            before -= 1
        if (position - before) % (2 * (depth + 1)) == depth:
            return position - depth
        position = text.find(quote, position + 1)
    return len(text)


def _without_form_value(match: re.Match[str]) -> str:
    value = MASK if is_secret_name(match["name"]) else match["value"]
    return f"{match['before']}{match['name']}={value}"
