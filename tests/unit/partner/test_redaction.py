"""No secret reaches a log, in whatever form the text around it is, cut off or not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import secrets
from core.partner.security.redaction import is_secret_name, redacted, redacted_body, redacted_json
from core.secrets import Secret

VALUES = st.text(st.sampled_from("\"'\\ ,:{}[]=&;") | st.characters(codec="utf-8"), max_size=12).map(
    lambda text: f"HUNTER{text}TWO"
)
NAMES = st.sampled_from(
    [
        *("personal_access_token", "service_principal_oauth_secret", "Authorization", "client_secret", "code"),
        *("refresh_token", "access_token", "code_verifier", "password", "set-cookie", "state", "new_password"),
    ]
)
PLAIN = st.dictionaries(
    st.sampled_from(["email", "hostname", "kind", "connection_id"]),
    st.text(max_size=8) | st.integers() | st.none() | st.sampled_from(["token", "code", "authorization"]),
    max_size=3,
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {**draw(PLAIN), draw(NAMES): draw(VALUES), "x": draw(st.none() | st.booleans())}
    return {**draw(PLAIN), "user_info": {"auth": body}} if draw(st.booleans()) else body


@given(bodies(), st.booleans(), st.integers(0, 2), st.data())
def test_no_secret_in_json_even_in_json_and_cut_off(
    body: dict[str, Any], ascii: bool, depth: int, data: st.DataObject
) -> None:
    text = json.dumps(body, ensure_ascii=ascii)
    for _ in range(depth):
        text = json.dumps(text if data.draw(st.booleans()) else {"raw": text, "more": 1}, ensure_ascii=ascii)
    cut = text[: data.draw(st.integers(0, len(text)))]
    for shown in (redacted(text), redacted(f"got {text} from there"), redacted(cut), redacted_body(text.encode())):
        assert "HUNTER" not in shown
        assert "TWO" not in shown


@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("value", ['HUN"TER', "HUN\\TER", 'HUN\\"TER\\', '"', '\\\\"HUNTER'])
def test_a_quote_in_a_secret_does_not_end_it(value: str, depth: int) -> None:
    text = json.dumps({"password": value, "n": 1})
    expected = json.dumps({"password": "********", "n": 1})
    for _ in range(depth):
        text, expected = json.dumps(text), json.dumps(expected)
    assert redacted(text) == expected


@given(bodies())
def test_no_secret_in_what_python_makes_of_it(body: dict[str, Any]) -> None:
    for text in (repr(body), f"ValueError: {body!r}"):
        assert "HUNTER" not in redacted(text)
    assert "HUNTER" not in json.dumps(redacted_json(body))


@given(NAMES.filter(lambda name: "-" not in name and name != "Authorization"), VALUES)
def test_no_secret_in_forms_and_urls(name: str, value: str) -> None:
    form = urlencode({"grant_type": "x", name: value, "client_id": "c"})
    url = f"GET https://host/cb?x=1&{name}={quote(value)}#end HTTP/1.1"
    for shown in (redacted(form), redacted(f"{name}={quote(value)}"), redacted(url)):
        assert "HUNTER" not in shown
    assert "client_id=c" in redacted(form)
    assert "https://host/cb?x=1&" in redacted(url)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Basic dXNlcjpwYXNz\r\nHost: h", "Authorization: ********\r\nHost: h"),
        ("sent Bearer eyJhbGciOi.x.y today", "sent Bearer ******** today"),
        ('cookie: a="b"; c=d', "cookie: ********"),
        ("[(b'authorization', b'odd \"x\"'), (b'host', b'h')]", "[(b'authorization', b'********'), (b'host', b'h')]"),
        ("it was dapi0123456789abcdef0123-2, gone", "it was ********, gone"),
        ("and doseabcdef0123456789abcdef", "and ********"),
        (f"x-eyJ{'hbGc' * 300}.{'x' * 9000}.y-_ today", "x-******** today"),
        ("POST /sign-in?link=link1.0123456789abcdef.abc.def 200", "POST /sign-in?link=******** 200"),
        ("see link1.0123456789abcdef.abc.def", "see ********"),
        (
            "jdbc:databricks://h:443/d;AuthMech=3;UID=token;PWD=x1y2",
            "jdbc:databricks://h:443/d;AuthMech=3;UID=token;PWD=********",
        ),
        ('{"token": {"inner": "HUNTER"', '{"token": ********'),
        ('{"refresh_token": null, "password": "", "n": 1}', '{"refresh_token": null, "password": "", "n": 1}'),
        ('{"kind": "token", "password": "x"}', '{"kind": "token", "password": "********"}'),
        ('{"code": 1234, "token_type": "Bearer"}', '{"code": ********, "token_type": "Bearer"}'),
        ("the token of the user is missing", "the token of the user is missing"),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_body_that_is_no_json_is_text() -> None:
    assert redacted_body(b'\xff{"password": "HUN') == '\ufffd{"password": "********'
    assert redacted_body(b"[" * 100_000).startswith("[[[")
    assert redacted_body(b'{"connection_id": "c-1", "auth": {"personal_access_token": ["HUNTER"]}}') == (
        '{"connection_id": "c-1", "auth": {"personal_access_token": "********"}}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 50_000,
        '\\"' * 25_000,
        '"a":"' * 10_000,
        "a" * 50_000,
        '"token":"\\' * 5_000,
        "eyJ-" * 50_000,  # took half a minute
    ],
    ids=["backslashes", "escaped quotes", "names", "a word", "values", "beginnings of tokens"],
)
def test_long_odd_texts_are_soon_done(text: str) -> None:
    assert redacted(text)


def test_a_revealed_password_that_is_a_word_of_a_name_hides_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_revealed", set())
    Secret("oauth").reveal()
    assert "HUNTER" not in redacted('{"service_principal_oauth_secret": "HUNTER"}')
    assert redacted("the password oauth was refused") == "the password ******** was refused"


def test_names_of_secrets() -> None:
    assert all(map(is_secret_name, ["X-Api-Token", "Proxy-Authorization", "CLIENT_SECRET", "new-password"]))
    assert not any(map(is_secret_name, ["token_type", "token_endpoint", "email", "error_code", "statement"]))
