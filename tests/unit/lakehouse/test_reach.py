"""What of a profile's Lakehouse and clouds is opened, and how often."""

from __future__ import annotations

import asyncio

from core.lakehouse.reach import Reach
from core.profiles import LakehouseSettings
from core.secrets import Secret, SecretReference
from tests.lakehouse_stub import INSTANCE, PASSWORD, USER, WORKSPACE, LakehouseStub


async def test_many_that_need_the_lakehouse_at_once_log_in_once() -> None:
    labels: list[str] = []

    async def prompt(label: str) -> Secret:
        labels.append(label)
        await asyncio.sleep(0)
        return Secret(PASSWORD)

    with LakehouseStub() as stub:
        reference = SecretReference.parse("prompt")
        settings = LakehouseSettings(stub.service, INSTANCE, WORKSPACE, USER, reference, secure=False)
        reach = Reach(settings, {}, prompt)
        try:
            opened = await asyncio.gather(*(reach.lakehouse() for _ in range(8)))
        finally:
            await reach.close()
        assert all(each is not None for each in opened)
        assert (len(labels), stub.logins) == (1, 1)
