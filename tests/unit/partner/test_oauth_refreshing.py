"""Refresh tokens, each good for one use: refreshed once by however many, stored first, gone when all is erased."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import UnreachableError
from core.partner.handling.secrets_keeper import SecretsKeeper
from core.partner.oauth.failures import MustAuthorizeAgainError, OAuthRefusedError
from core.partner.provisioning.removal import CONNECTION_ID, ERASE
from core.partner.secret_calls import SecretCalls
from core.partner.security.sealing import SealedPlace
from core.running.needs import Service
from core.secrets import Secret
from tests.databricks_fake import USER, Reply, as_json
from tests.unit.partner.oauth_place import APP, HOST, REFRESH_PLACE, TOKEN_PATH, Partner

pytest_plugins = ("tests.unit.partner.oauth_fixtures",)


async def test_a_refresh_token_is_used_once_by_however_many(partner: Partner) -> None:
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = [asyncio.create_task(partner.u2m.access_token(client)) for _ in range(8)]
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    waiting[0].cancel()
    partner.fake.release()
    tokens = await asyncio.gather(*waiting[1:])
    assert len({id(token) for token in tokens}) == 1
    assert partner.fake.grants == ["authorization_code", "refresh_token"]
    assert partner.memory.values[REFRESH_PLACE] != before
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_a_refresh_goes_on_when_all_who_wait_are_gone(partner: Partner) -> None:
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    partner.fake.release()
    await partner.u2m.close()
    assert partner.memory.values[REFRESH_PLACE] != before
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_no_access_token_before_the_refresh_token_is_stored(
    partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.memory.full = True
    for _ in range(2):
        with pytest.raises(UnreachableError, match="engine cannot be reached"):
            await partner.u2m.access_token(client)
    await partner.u2m.close()
    assert "the refresh token of partner connection 'c-1' is lost" in caplog.text
    partner.memory.full = False
    token = await partner.u2m.access_token(client)
    assert USER in await partner.name_of(token)
    assert partner.fake.grants == ["authorization_code", "refresh_token"]  # what came first was kept, and stored later
    partner.memory.full = True
    partner.now += 3600
    with pytest.raises(UnreachableError):
        await partner.u2m.access_token(client)
    partner.memory.full = False
    await partner.u2m.close()
    partner.now += 3600
    assert USER in await partner.name_of(await partner.another_process().access_token(client))


async def test_a_token_kept_too_long_for_want_of_a_store_is_renewed(partner: Partner) -> None:
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.fake.grants.count("refresh_token") == 2


@pytest.mark.parametrize("late", ["access_token", "close"])
async def test_a_token_that_could_not_be_stored_gives_way_to_a_newer_one(partner: Partner, late: str) -> None:
    """The user has authorised again by another process meanwhile."""
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    other = partner.another_process()
    begun = await other.begin("c-1", HOST, APP)
    await other.complete(partner.fake.consent(begun.url), begun.browser_key)
    newer = partner.memory.values[REFRESH_PLACE]
    if late == "close":
        await partner.u2m.close()
        assert partner.memory.values[REFRESH_PLACE] == newer
    else:
        assert USER in await partner.name_of(await partner.u2m.access_token(client))
        assert partner.fake.grants[-1] == "refresh_token"  # by the newer one
    partner.now += 3600
    assert USER in await partner.name_of(await other.access_token(client))


@pytest.mark.parametrize("late", ["access_token", "close"])
async def test_a_token_that_could_not_be_stored_does_not_come_back_once_all_is_erased(
    partner: Partner, late: str
) -> None:
    client = await partner.authorise()
    await partner.refresh_in_vain(client)
    await partner.secrets.erase("c-1")  # by another process
    if late == "close":
        await partner.u2m.close()
    else:
        with pytest.raises(MustAuthorizeAgainError):
            await partner.u2m.access_token(client)
    assert partner.memory.values == {}


async def test_an_app_whose_refresh_tokens_stay_good(partner: Partner) -> None:
    partner.fake.single_use = False
    client = await partner.authorise()
    before = partner.memory.values[REFRESH_PLACE]
    for _ in range(2):
        partner.now += 3600
        assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.memory.values[REFRESH_PLACE] == before


async def test_what_another_process_has_refreshed_is_taken_over(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one refreshes between our reading the refresh token and our using it."""
    client = await partner.authorise()
    stale = await partner.secrets.get(REFRESH_PLACE)
    assert stale is not None
    partner.now += 3600
    await partner.another_process().access_token(client)
    partner.fake.forgives_reuse = True
    read, answers = partner.secrets.get, [stale]

    async def late(place: SealedPlace) -> Secret | None:
        return answers.pop() if answers else await read(place)

    monkeypatch.setattr(partner.secrets, "get", late)
    assert USER in await partner.name_of(await partner.u2m.access_token(client))
    assert partner.fake.grants.count("refresh_token") == 3


async def test_when_the_refresh_token_has_ended_the_user_must_authorise_again(partner: Partner) -> None:
    client = await partner.authorise()
    partner.fake.end_refresh_tokens()
    partner.now += 3600
    for _ in range(2):
        with pytest.raises(MustAuthorizeAgainError, match="must authorise it again"):
            await partner.u2m.access_token(client)
    assert partner.fake.grants.count("refresh_token") == 1  # not tried again
    client = await partner.authorise()
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_the_user_authorises_again_while_the_old_refresh_token_is_refused(partner: Partner) -> None:
    client = await partner.authorise()
    begun = await partner.u2m.begin("c-1", HOST, APP)
    back = partner.fake.consent(begun.url)
    partner.now += 300
    partner.u2m.rejected(client, await partner.u2m.access_token(client))
    partner.fake.hold_tokens()
    refreshing = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    partner.fake.end_refresh_tokens()
    authorising = asyncio.create_task(partner.u2m.complete(back, begun.browser_key))
    partner.fake.release()
    refused, completed = await asyncio.gather(refreshing, authorising, return_exceptions=True)
    assert isinstance(refused, MustAuthorizeAgainError)
    assert completed == client
    partner.now += 3600
    assert USER in await partner.name_of(await partner.u2m.access_token(client))


async def test_a_used_refresh_token_is_never_shown(partner: Partner) -> None:
    client = await partner.authorise()
    used = await partner.secrets.get(REFRESH_PLACE)
    assert used is not None
    partner.now += 3600
    await partner.u2m.access_token(client)
    await partner.secrets.keep(REFRESH_PLACE, used)  # as a restored backup would
    partner.now += 3600
    with pytest.raises(MustAuthorizeAgainError) as caught:
        await partner.u2m.access_token(client)
    assert caught.value.detail == "invalid_grant: the refresh token ******** was used before"


async def test_trouble_is_not_the_end_of_an_authorization(partner: Partner) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.fake.expect(TOKEN_PATH, Reply(503), as_json(400, {"error": "invalid_scope"}))
    with pytest.raises(UnreachableError):
        await partner.u2m.access_token(client)
    with pytest.raises(OAuthRefusedError, match="scopes") as caught:
        await partner.u2m.access_token(client)
    assert not isinstance(caught.value, MustAuthorizeAgainError)
    token = await partner.u2m.access_token(client)
    assert USER in await partner.name_of(token)
    partner.u2m.rejected(client, token)
    assert await partner.u2m.access_token(client) is not token


async def test_a_connection_that_ends_leaves_nothing_though_a_refresh_is_under_way(partner: Partner) -> None:
    client = await partner.authorise()
    partner.now += 3600
    partner.fake.hold_tokens()
    waiting = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    ending = asyncio.create_task(partner.u2m.forget("c-1"))
    partner.fake.release()
    await asyncio.gather(waiting, ending)
    await partner.secrets.erase("c-1")
    assert partner.memory.values == {}
    with pytest.raises(MustAuthorizeAgainError):
        await partner.u2m.access_token(client)


@pytest.mark.parametrize("by", ["service", "operator"])
async def test_what_is_erased_elsewhere_does_not_come_back_by_a_late_refresh(partner: Partner, by: str) -> None:
    """A process erases, for a request or an operator, while the answer to a refresh of another one is on its way."""
    client = await partner.authorise()
    eraser: Service = (
        SecretsKeeper(partner.secrets, one_at_a_time=partner.leases.hold)
        if by == "service"
        else SecretCalls(partner.memory, partner.leases.hold)
    )
    partner.now += 3600
    partner.fake.hold_tokens()
    refreshing = asyncio.create_task(partner.u2m.access_token(client))
    await asyncio.to_thread(partner.fake.wait_for, lambda: "refresh_token" in partner.fake.grants)
    erasing = asyncio.create_task(eraser.call(ERASE, {CONNECTION_ID: "c-1"}))
    await partner.memory.asked.wait()
    partner.fake.release()
    await asyncio.gather(refreshing, erasing)
    assert partner.memory.values == {}
    partner.now += 3600
    with pytest.raises(MustAuthorizeAgainError):
        await partner.u2m.access_token(client)
