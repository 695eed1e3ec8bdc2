"""Two services behind one balancer, on one ClickHouse server: what both make at once becomes one account."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.clickhouse.server import ServerEngine
from core.partner.messages.responses import AccountStatus, Connection, RedirectValue, UserStatus
from tests.engine.partner_service_place import ServicePlace
from tests.http_front.process import Front
from tests.unit.partner.account_examples import asked

pytest_plugins = ("tests.http_front.fixtures",)


async def test_one_company_at_two_services(http_front: Front, server_engine: ServerEngine, tmp_path: Path) -> None:
    """Whatever each of them makes, every connection that was answered is there, in one account, and nothing else."""
    other_engine = await ServerEngine.open(http_front.options())
    one = await ServicePlace(server_engine, tmp_path / "one", "two").prepare()
    other = one.another(tmp_path / "other", other_engine)
    await other.handler.settle_at_start()
    ann, bea = asked("ann@acme.com", 0), asked("bea@acme.com", 0)
    answers = await asyncio.gather(one.connect(ann), other.connect(bea))
    known = await one.known()
    (account,) = known.accounts.values()
    assert sorted(user.email for user in known.users.values()) == ["ann@acme.com", "bea@acme.com"]
    assert {answer.connection_id for answer in answers} == await one.live()
    assert await one.made() == {"databases": 1, "roles": 1, "users": 2, "secrets": 2}
    granted = await server_engine.query(
        "SELECT user_name, granted_role_name FROM system.role_grants WHERE startsWith(user_name, 'two') ORDER BY 1"
    )
    assert [tuple(row) for row in granted.rows] == [
        (name, account.role) for name in sorted(user.name for user in known.users.values())
    ]
    await check_known_everywhere(one, other, answers[0])
    await other.handler.close()
    await other_engine.close()


async def check_known_everywhere(one: ServicePlace, other: ServicePlace, answer: Connection) -> None:
    """What one service has just made is known to the other one, and what one has just removed is not."""
    new = await one.connect(asked("ann@acme.com", 0))
    for connection in (answer, new):
        led = await other.connect(asked("ann@acme.com", 0, connection=connection.connection_id))
        assert (led.redirect_value, led.user_status) == (RedirectValue.SIGN_IN, UserStatus.EXISTING)
        assert (led.account_status, led.connection_id) == (AccountStatus.ACTIVE, None)
    assert (await other.delete(str(new.connection_id), 0)).error is None
    for place in (one, other):
        assert (await place.delete(str(new.connection_id), 0)).error is not None
