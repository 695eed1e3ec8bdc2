"""What `CloudAccess` promises, kept by all three clouds and both partitions of AWS."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.errors import BadInputError, HousekeysError, NotFoundError, RefusedError
from core.lakehouse.cloud_access import CloudAccess, PolicyName
from core.lakehouse.clouds.calling import Caller
from core.lakehouse.connections import Provider
from tests.cloud.accounts import Account

POLICY, ROLE = "LakehouseAccess", "LakehouseRole"


async def test_the_account_is_the_one_that_role_arns_name(cloud: CloudAccess, account: Account) -> None:
    assert cloud.provider is account.provider
    assert await cloud.account() == account.number


async def test_the_account_is_asked_for_once_by_many_at_the_same_time(
    cloud: CloudAccess, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = Caller.read, []

    async def counted(caller: Caller, operation: str, **parameters: Any) -> Any:
        asked.append(operation)
        return await read(caller, operation, **parameters)

    monkeypatch.setattr(Caller, "read", counted)
    answers = await asyncio.gather(*(cloud.account() for _ in range(20)))
    assert {*answers, await cloud.account()} == {account.number}
    assert asked == ["GetCallerIdentity"]


async def test_an_account_that_was_not_told_is_asked_for_again(stubbed: Account) -> None:
    assert stubbed.stub is not None
    access = await stubbed.open()
    code = "NoPermission" if stubbed.provider is Provider.ALIYUN else "UnauthorizedOperation"
    stubbed.stub.fail("GetCallerIdentity", code)
    answers = await asyncio.gather(*(access.account() for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [RefusedError] * 5
    impatient = asyncio.create_task(access.account())
    patient = asyncio.create_task(access.account())
    await asyncio.sleep(0)  # both have asked
    impatient.cancel()
    assert await patient == stubbed.number
    assert stubbed.stub.calls.count("GetCallerIdentity") == 2
    await access.close()


async def test_a_role_under_a_path_is_refused_where_there_are_none(stubbed: Account) -> None:
    access = await stubbed.open()
    with pytest.raises(BadInputError, match="has no paths"):
        await access.create_role(ROLE, stubbed.trust("000000"), "", path="/team/")
    assert await access.role(ROLE) is None
    await access.close()


async def test_a_policy_is_created_changed_and_deleted(cloud: CloudAccess, account: Account) -> None:
    first, second = account.permission("oss:GetObject"), account.permission("oss:PutObject")
    assert await cloud.policy(PolicyName(POLICY)) is None
    await cloud.create_policy(POLICY, first, "For the Lakehouse")
    assert await cloud.policy(PolicyName(POLICY)) == first
    await cloud.update_policy(POLICY, second)
    assert await cloud.policy(PolicyName(POLICY)) == second
    await cloud.delete_policy(POLICY)
    assert await cloud.policy(PolicyName(POLICY)) is None
    await cloud.delete_policy(POLICY)


async def test_a_policy_is_changed_oftener_than_versions_are_kept(cloud: CloudAccess, account: Account) -> None:
    await cloud.create_policy(POLICY, account.permission("oss:Get0"), "")
    for number in range(1, 8):
        document = account.permission(f"oss:Get{number}")
        await cloud.update_policy(POLICY, document)
        assert await cloud.policy(PolicyName(POLICY)) == document


async def test_a_name_that_is_taken_is_refused(cloud: CloudAccess, account: Account) -> None:
    await cloud.create_policy(POLICY, account.permission("oss:GetObject"), "")
    with pytest.raises(RefusedError) as taken:
        await cloud.create_policy(POLICY, account.permission("oss:PutObject"), "")
    assert "request id" in taken.value.detail
    assert await cloud.policy(PolicyName(POLICY)) == account.permission("oss:GetObject")
    await cloud.create_role(ROLE, account.trust("000000"), "")
    with pytest.raises(RefusedError):
        await cloud.create_role(ROLE, account.trust("other"), "")


async def test_a_document_that_is_none_is_not_accepted(cloud: CloudAccess) -> None:
    with pytest.raises(BadInputError) as malformed:
        await cloud.create_policy(POLICY, {"Statement": "everything"}, "")
    assert "request id" in malformed.value.detail
    assert await cloud.policy(PolicyName(POLICY)) is None


async def test_a_provided_policy_is_found_by_its_name(cloud: CloudAccess, account: Account) -> None:
    document = await cloud.policy(account.provided)
    assert document is not None and set(document) & {"Statement", "statement"}
    assert await cloud.policy(PolicyName(account.provided.name)) is None
    assert await cloud.policy(PolicyName("NobodyHasThis", provided=True)) is None


async def test_the_life_of_a_role(cloud: CloudAccess, account: Account) -> None:
    own = PolicyName(POLICY)
    await cloud.create_policy(POLICY, account.permission("oss:GetObject"), "")
    assert await cloud.role(ROLE) is None
    created = await cloud.create_role(ROLE, account.trust("000000"), "For the Lakehouse")
    assert await cloud.role(ROLE) == created
    assert created.arn.lower() == account.role_arn.format(ROLE).lower()
    assert (created.trust, created.attached) == (account.trust("000000"), frozenset())

    for policy in (own, account.provided, own, account.provided):
        await cloud.attach_policy(ROLE, policy)
    await cloud.update_trust(ROLE, account.trust("VW9UaGwYENBQ7cFp"))
    changed = await cloud.role(ROLE)
    assert changed is not None
    assert changed.trust == account.trust("VW9UaGwYENBQ7cFp")
    assert changed.attached == frozenset({own, account.provided})

    for policy in (own, account.provided, own):
        await cloud.detach_policy(ROLE, policy)
    emptied = await cloud.role(ROLE)
    assert emptied is not None and not emptied.attached
    await cloud.delete_role(ROLE)
    assert await cloud.role(ROLE) is None
    await cloud.delete_role(ROLE)
    await cloud.detach_policy(ROLE, own)


async def test_a_role_with_policies_stays(cloud: CloudAccess, account: Account) -> None:
    await cloud.create_role(ROLE, account.trust("000000"), "")
    await cloud.attach_policy(ROLE, account.provided)
    with pytest.raises(HousekeysError):
        await cloud.delete_role(ROLE)
    assert await cloud.role(ROLE) is not None


async def test_what_is_not_there_cannot_be_changed(cloud: CloudAccess, account: Account) -> None:
    with pytest.raises(NotFoundError):
        await cloud.update_policy(POLICY, account.permission("oss:GetObject"))
    with pytest.raises(NotFoundError):
        await cloud.update_trust(ROLE, account.trust("000000"))
    with pytest.raises(NotFoundError):
        await cloud.attach_policy(ROLE, account.provided)
    await cloud.create_role(ROLE, account.trust("000000"), "")
    with pytest.raises(NotFoundError):
        await cloud.attach_policy(ROLE, PolicyName(POLICY))


async def test_closing_twice(account: Account) -> None:
    access = await account.open()
    await access.close()
    await access.close()
