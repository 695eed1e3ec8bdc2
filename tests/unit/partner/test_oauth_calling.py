"""Calls to a workspace over real HTTP: what can come instead of an answer, and that no secret is told."""

from __future__ import annotations

import gzip

import pytest

from core.errors import HousekeysError, UnreachableError
from core.partner.oauth import calling
from core.partner.oauth.calling import DatabricksHttp, https_address
from core.partner.oauth.discovery import Discovery
from core.partner.oauth.m2m import M2mTokens
from core.partner.security.sealing import SealedPlace, SecretName
from core.secrets import Secret
from tests.databricks_fake import Reply, as_json
from tests.unit.partner.oauth_place import (
    HOST,
    ME,
    PRINCIPAL_CLIENT,
    REFRESH_PLACE,
    TOKEN_PATH,
    USER_CLIENT,
    Partner,
    assert_no_secret,
    with_secret,
)

pytest_plugins = ("tests.unit.partner.oauth_fixtures",)


def test_a_workspace_is_called_by_https() -> None:
    assert https_address(HOST) == "https://dbc-a1b2.cloud.databricks.com"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(302, b"", (("Location", "http://127.0.0.1:1/"),)), "redirects"),
        (Reply(307, b"", (("Location", "/elsewhere"),)), "redirects"),
        (Reply(500, b"<html>oops doseabcdef0123456789abcdef</html>"), "HTTP 500"),
        (Reply(429, b"{}"), "HTTP 429"),
        (Reply(200, b"<html>sign in</html>"), "without JSON"),
        (Reply(200, b"[" * 100_000), "without JSON"),
        (Reply(200, b"[1]"), "without JSON"),
        (Reply(400, b'{"a": %s%s}' % (b"[" * 600, b"]" * 600)), "without JSON"),
        (Reply(200, b" " * 300_000), "does not end"),
        (Reply(200, gzip.compress(b'{"access_token": "x"}'), (("Content-Encoding", "gzip"),)), "without JSON"),
        (as_json(200, {}), "no bearer token"),
        (as_json(200, {"access_token": "a b"}), "no bearer token"),
        (as_json(200, {"access_token": "a\r\nX: y"}), "no bearer token"),
        (as_json(200, {"access_token": 5}), "no bearer token"),
        (as_json(200, {"access_token": "x" * 40_000}), "no bearer token"),
        (as_json(200, {"access_token": "x", "token_type": "mac"}), "no bearer token"),
        (as_json(400, {"message": "odd"}), "HTTP 400"),
        (Reply(404), "HTTP 404"),
    ],
)
async def test_answers_that_are_not_databricks(partner: Partner, reply: Reply, told: str) -> None:
    await with_secret(partner)
    partner.fake.expect(TOKEN_PATH, reply)
    with pytest.raises(UnreachableError, match=told) as caught:
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert_no_secret(caught.value)
    assert "doseabcdef" not in caught.value.detail
    assert "/elsewhere" not in partner.fake.requests
    assert await partner.name_of(await partner.m2m.access_token(PRINCIPAL_CLIENT))  # nothing of it is kept


async def test_an_endless_answer_and_one_that_does_not_come(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_secret(partner)
    partner.fake.endless = True
    with pytest.raises(UnreachableError, match="does not end"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    partner.fake.endless = False
    partner.fake.hold_tokens()
    monkeypatch.setattr(calling, "_ANSWER_SECONDS", 0.05)
    http = await DatabricksHttp.open(address=lambda host: partner.fake.url)
    with pytest.raises(UnreachableError, match="did not answer in time") as caught:
        await M2mTokens(http, partner.discovery, partner.secrets).access_token(PRINCIPAL_CLIENT)
    assert_no_secret(caught.value)
    await http.close()


async def test_nobody_is_there(partner: Partner) -> None:
    http = await DatabricksHttp.open(address=lambda host: "http://127.0.0.1:1")
    with pytest.raises(UnreachableError, match="cannot be reached") as caught:
        await Discovery(http).endpoints(HOST)
    assert_no_secret(caught.value)
    with pytest.raises(ValueError, match="another host"):
        await http.post_form(HOST, f"{partner.fake.url}{TOKEN_PATH}", {})
    await http.close()


@pytest.mark.parametrize("echo", ["a secret of no form", "cr-2b'\"\\x"])
async def test_what_was_sent_is_not_told_whatever_its_form(partner: Partner, echo: str) -> None:
    """The other side repeats it: a client secret, a refresh token, a bearer token; in JSON and in a page."""
    secret, prose = Secret(echo, passing=True), f"we do not know {echo} here"
    await partner.secrets.keep(SealedPlace("c-1", SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET), secret)
    await partner.secrets.keep(REFRESH_PLACE, secret)
    refusal = as_json(400, {"error": "invalid_request", "error_description": prose})
    for reply in (refusal, Reply(502, prose.encode()), Reply(200, prose.encode())):
        for asking in (partner.m2m.access_token(PRINCIPAL_CLIENT), partner.u2m.access_token(USER_CLIENT)):
            partner.fake.expect(TOKEN_PATH, reply)
            with pytest.raises(HousekeysError) as caught:
                await asking
            assert caught.value.detail.endswith("we do not know ******** here")
    partner.fake.expect(ME, as_json(403, {"message": prose}), as_json(200, {"userName": prose}))
    for _ in range(2):
        answer = await partner.http.get(HOST, ME, secret)
        assert answer is not None
        assert set(answer.body.values()) == {"we do not know ******** here"}
