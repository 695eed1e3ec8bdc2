"""`housekeys partner serve` as processes on a ClickHouse server: two at once, how one ends, and one that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from core.partner.accounts.state import Known
from core.partner.security.sealing_keys import new_sealing_key
from core.partner.storage.tables import SECRETS_TABLE
from core.running.runner import Runner
from core.session import Session
from tests.engine.partner_process import KEYS, Host, ServiceProcess, new_authorization
from tests.http_front.process import Front
from tests.partner_load import ROOT, Load, body, command

pytest_plugins = ("tests.http_front.fixtures",)

COMPANIES = 2
CALLERS = 4
KILLED_AFTER = 6  # answers
FIRST_OF_LOAD = 1000
LOADED_FOR = 60  # seconds


def asked(company: int, person: int, connection: str | None = None) -> dict[str, Any]:
    """A connect of somebody in a company, or a visit by a partner connection."""
    request = body(company, "each new")
    user = request["user_info"]
    if person:
        user["email"] = user["email"].replace("ada", f"ben{person}-", 1)
    user["databricks_user_id"] += person * 1_000_000
    if connection is not None:
        user["is_connection_established"], request["connection_id"] = True, connection
        del user["auth"]
    return request


@contextlib.asynccontextmanager
async def operator(host: Host) -> AsyncIterator[Session]:
    session = await host.session()
    yield session
    await session.close()


def live(known: Known) -> set[str]:
    return {one.id for one in known.connections.values() if one.deleted is None}


async def made(session: Session) -> Mapping[str, set[str]]:
    """The names of what the template makes, and the partner connections of which secrets are kept."""
    name = session.profile.name
    tables = ("databases", "roles", "users")
    found = {
        table: await session.engine.query(f"SELECT name FROM system.{table} WHERE startsWith(name, '{name}_')")
        for table in tables
    }
    secrets = await session.engine.query(f"SELECT DISTINCT connection_id FROM `{name}`.{SECRETS_TABLE}")
    return {kind: {row[0] for row in rows.rows} for kind, rows in {**found, "secrets": secrets}.items()}


async def check_nothing_half_made(session: Session) -> Known:
    """All that is known is in ClickHouse, and nothing else is; every account has somebody and a connection."""
    known = await session.partner_connections.known()
    there = await made(session)
    assert there["databases"] == {account.database for account in known.accounts.values()}
    assert there["roles"] == {account.role for account in known.accounts.values()}
    assert there["users"] == {user.name for user in known.users.values()}
    assert there["secrets"] == live(known)
    assert {connection.account_id for connection in known.connections.values()} == set(known.accounts)
    assert session.runner.unfinished() == []
    return known


async def test_services_on_one_server(http_front: Front, tmp_path: Path) -> None:
    """Two of them make companies, and get a new sealing key; one ends in order, the other is killed and comes again."""
    hosts = [Host(tmp_path / name, "served", http_front).prepare() for name in ("one", "other")]
    services: list[ServiceProcess] = []
    async with aiohttp.ClientSession() as client, operator(hosts[0]) as session:
        try:
            authorization = await new_authorization(session)
            services += await asyncio.gather(*(host.start(authorization) for host in hosts))
            answers = await connect_at_both(client, services)
            known = await check_nothing_half_made(session)
            assert Counter(account.domain for account in known.accounts.values()) == {
                f"company-{company}.example": 1 for company in range(COMPANIES)
            }
            assert live(known) == set(answers.values()) and len(live(known)) == 2 * COMPANIES
            await visit_everywhere(client, services, answers)
            await rotate_sealing_keys(client, hosts, services, session, answers)
            late = await end_in_the_middle(client, services[1])
            known = await check_nothing_half_made(session)
            assert live(known) == {*answers.values(), *late}
            assert late <= {request.connection_id for request in await session.partner_connections.requests(1000)}
            answered = await kill_under_load(services[0], session.runner)
            assert session.runner.unfinished()
            services.append(await hosts[0].start(authorization))
            await check_after_the_kill(services[2], session, client, live(known), answered)
        finally:
            for service in services:
                await service.close()


async def connect_at_both(
    client: aiohttp.ClientSession, services: list[ServiceProcess]
) -> Mapping[tuple[int, int], str]:
    """Two people of each company at once, each at another service; their partner connections.

    The sign-in link of each leads to a page of the other service too.
    """
    people = [(company, person) for company in range(COMPANIES) for person in range(2)]
    answers = await asyncio.gather(
        *(services[person].connect(client, asked(company, person)) for company, person in people)
    )
    assert [status for status, _ in answers] == [200] * len(people), answers
    for (_, person), (_, answer) in zip(people, answers, strict=True):
        link = urlsplit(answer["redirect_uri"])  # whose host is the balancer's
        async with client.get(f"{services[1 - person].url}{link.path}?{link.query}") as page:
            assert page.status == 200, await page.text()
    return {who: answer["connection_id"] for who, (_, answer) in zip(people, answers, strict=True)}


async def visit_everywhere(
    client: aiohttp.ClientSession, services: list[ServiceProcess], connections: Mapping[tuple[int, int], str]
) -> None:
    """Each partner connection is known to the service that has not made it, and so is its user."""
    for (company, person), connection in connections.items():
        status, answer = await services[1 - person].connect(client, asked(company, person, connection))
        assert (status, answer.get("redirect_value"), answer.get("user_status")) == (200, "sign_in", "existing"), answer


async def rotate_sealing_keys(
    client: aiohttp.ClientSession,
    hosts: list[Host],
    services: list[ServiceProcess],
    session: Session,
    connections: Mapping[tuple[int, int], str],
) -> None:
    """Only one is told of a new key; the other takes it up when it meets the first link that is signed with it."""
    keys = KEYS.with_newest(new_sealing_key())
    for host in hosts:
        host.bring(keys)
    services[0].process.send_signal(signal.SIGHUP)
    sealed = session.partner_connections.sealed_table
    async with asyncio.timeout(20):
        while await sealed.by_key() != {keys.newest.id: set(connections.values())}:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    (company, person), connection = next(iter(connections.items()))
    _, answer = await services[0].connect(client, asked(company, person, connection))
    link = urlsplit(answer["redirect_uri"])
    assert f"link1.{keys.newest.id}." in link.query
    async with client.get(f"{services[1].url}{link.path}?{link.query}") as page:
        assert page.status == 200, await page.text()


async def end_in_the_middle(client: aiohttp.ClientSession, service: ServiceProcess) -> set[str]:
    """SIGTERM while connects are under way: it is ready no more, all of them are answered, and it goes."""
    assert await service.ready(client) == 200
    under_way = [asyncio.create_task(service.connect(client, asked(100 + number, 0))) for number in range(2)]
    service.process.terminate()
    while await service.ready(client) == 200:  # asked over and over: the signal takes a moment
        pass
    service.process.terminate()  # once more: no balancer has to turn away here
    answers = await asyncio.gather(*under_way)
    assert [status for status, _ in answers] == [200] * len(under_way), answers
    assert await service.process.wait() == 0
    with pytest.raises(aiohttp.ClientConnectorError):
        await service.ready(client)
    return {answer["connection_id"] for _, answer in answers}


async def kill_under_load(service: ServiceProcess, runner: Runner) -> Mapping[int, str]:
    """Kill it in the middle of a change: the partner connections that it has answered, by the number of the request."""
    load = Load(service.port, service.authorization, CALLERS, LOADED_FOR, "each new", "answers", first=FIRST_OF_LOAD)
    loading = await asyncio.create_subprocess_exec(*command(load), stdout=subprocess.PIPE, cwd=ROOT)
    assert loading.stdout is not None
    answered: dict[int, str] = {}
    async for line in loading.stdout:
        told = json.loads(line)
        assert told["status"] == 200, told
        answered[told["number"]] = told["answer"]["connection_id"]
        if len(answered) == KILLED_AFTER:
            async with asyncio.timeout(LOADED_FOR):
                await stop_in_a_change(service, runner)
            await service.kill()  # what was answered until then still comes
    assert await loading.wait() == 0
    assert len(answered) >= KILLED_AFTER and len(set(answered.values())) == len(answered)
    return answered


async def stop_in_a_change(service: ServiceProcess, runner: Runner) -> None:
    """Stop it with a change unfinished: what was under way when we looked may be done before a signal comes."""
    while True:
        await service.stop()
        if runner.unfinished():
            return
        service.process.send_signal(signal.SIGCONT)
        await asyncio.sleep(0)  # the answers are read on


async def check_after_the_kill(
    service: ServiceProcess,
    session: Session,
    client: aiohttp.ClientSession,
    before: set[str],
    answered: Mapping[int, str],
) -> None:
    """All that was answered is there once, and led to; of what was not, nothing is half there."""
    assert await service.ready(client) == 200
    live_now = live(await check_nothing_half_made(session))
    ids = set(answered.values())
    assert before | ids <= live_now
    # Each caller may have been told nothing of the last thing that was done for it; then it is there as a whole.
    assert len(live_now - before - ids) <= CALLERS
    for number, connection in list(answered.items())[-2:]:
        status, answer = await service.connect(client, asked(number, 0, connection))
        assert (status, answer.get("redirect_value")) == (200, "sign_in"), answer
