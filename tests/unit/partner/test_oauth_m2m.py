"""Access tokens for service principals, against a fake workspace over real HTTP."""

from __future__ import annotations

import asyncio

import pytest

from core.partner.oauth.failures import OAuthRefusedError
from core.partner.oauth.tokens import DatabricksClient
from core.secrets import revealed
from tests.databricks_fake import PRINCIPAL, PRINCIPAL_SECRET, as_json
from tests.unit.partner.oauth_place import HOST, PRINCIPAL_CLIENT, TOKEN_PATH, Partner, assert_no_secret, with_secret

pytest_plugins = ("tests.unit.partner.oauth_fixtures",)


async def test_a_token_is_asked_for_once_and_used_until_shortly_before_its_end(partner: Partner) -> None:
    await with_secret(partner)
    partner.fake.hold_tokens()
    waiting = [asyncio.create_task(partner.m2m.access_token(PRINCIPAL_CLIENT)) for _ in range(5)]
    await asyncio.to_thread(partner.fake.wait_for, lambda: bool(partner.fake.grants))
    waiting[0].cancel()  # the others still get theirs
    partner.fake.release()
    tokens = await asyncio.gather(*waiting[1:])
    assert len({id(token) for token in tokens}) == 1
    assert PRINCIPAL in await partner.name_of(tokens[0])
    partner.now += 3600 - 121
    assert await partner.m2m.access_token(PRINCIPAL_CLIENT) is tokens[0]
    assert partner.fake.grants == ["client_credentials"]
    partner.now += 1
    renewed = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert renewed is not tokens[0]
    assert tokens[0].value.reveal() not in repr(tokens[0])
    assert not {renewed.value.reveal(), PRINCIPAL_SECRET} & revealed()


async def test_a_rejected_token_is_not_used_again(partner: Partner) -> None:
    await with_secret(partner)
    first = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    partner.m2m.rejected(PRINCIPAL_CLIENT, first)
    second = await partner.m2m.access_token(PRINCIPAL_CLIENT)
    assert second is not first
    partner.m2m.rejected(PRINCIPAL_CLIENT, first)  # somebody who is late
    assert await partner.m2m.access_token(PRINCIPAL_CLIENT) is second


@pytest.mark.parametrize(
    ("said", "kept"), [(None, 240), ("300", 240), (0, 240), (-5, 240), (True, 240), (10**400, 240)]
)
async def test_lifetimes_as_they_come(partner: Partner, said: object, kept: float) -> None:
    await with_secret(partner)
    partner.fake.expect(TOKEN_PATH, as_json(200, {"access_token": "x", "expires_in": said}))
    assert (await partner.m2m.access_token(PRINCIPAL_CLIENT)).use_until == partner.now + kept


async def test_a_wrong_secret_and_one_that_is_not_there(partner: Partner) -> None:
    with pytest.raises(OAuthRefusedError, match="no OAuth secret"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
    await with_secret(partner)
    with pytest.raises(OAuthRefusedError, match="refuses the authorisation") as caught:
        await partner.m2m.access_token(DatabricksClient("c-1", HOST, "another"))
    assert caught.value.code == "invalid_client"
    assert caught.value.detail == "invalid_client: Client authentication failed"
    assert_no_secret(caught.value)
    partner.fake.expect(TOKEN_PATH, as_json(401, {}))
    with pytest.raises(OAuthRefusedError):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)


async def test_a_connection_that_ends_leaves_no_token(partner: Partner) -> None:
    await with_secret(partner)
    await partner.m2m.access_token(PRINCIPAL_CLIENT)
    await partner.m2m.forget("c-1")
    await partner.secrets.erase("c-1")
    with pytest.raises(OAuthRefusedError, match="no OAuth secret"):
        await partner.m2m.access_token(PRINCIPAL_CLIENT)
