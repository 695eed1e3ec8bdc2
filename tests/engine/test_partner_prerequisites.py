"""What must be there before the first connect, as a real ClickHouse judges it: privileges, quota, settings profile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from core.clickhouse.embedded import EmbeddedEngine
from core.clickhouse.errors import BadStatementError, NoRightError, ReadOnlyServerError
from core.errors import BadInputError, ExitCode, UnreachableError
from core.partner.provisioning import prerequisites
from core.partner.provisioning.grantable import refuse_ungrantable
from core.partner.provisioning.prerequisites import Prerequisites, read_unmet
from core.profiles.partner import ResourceTemplate
from tests.engine.denying_engine import DenyingEngine
from tests.engine.faulty_engine import FaultyEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

USUAL = ResourceTemplate()
QUOTA, PROFILE = "it's a quota", "needed_limits"  # a name that XML cannot hold, and one that it can
NAMED = replace(USUAL, quota=QUOTA, settings_profile=PROFILE)


async def test_what_no_database_can_have_is_refused_before_anybody_connects(shared_engine: EmbeddedEngine) -> None:
    old = DenyingEngine(shared_engine, "CHECK GRANT", BadStatementError("Syntax error.", code=62))  # knows none yet
    await refuse_ungrantable(shared_engine, USUAL)
    await refuse_ungrantable(shared_engine, replace(USUAL, privileges=("ALTER", "SHOW TABLES", "SYSTEM MERGES")))
    for privilege in ("SELEKT", "ROLE ADMIN", "CREATE USER"):
        template = replace(USUAL, privileges=("SELECT", privilege))
        with pytest.raises(BadInputError, match=privilege):
            await refuse_ungrantable(shared_engine, template)
        if privilege != "CREATE USER":  # which is refused without a question
            await refuse_ungrantable(old, template)


async def test_everything_that_is_wrong_is_told_at_once_with_its_place_and_what_to_do(
    shared_engine: EmbeddedEngine,
) -> None:
    template = replace(NAMED, privileges=("SELECT", "SELEKT"))
    found = await read_unmet(shared_engine, template, "on call")
    assert [(unmet.key, unmet.seen, unmet.error.exit_code) for unmet in found] == [
        ("privileges", True, ExitCode.BAD_INPUT),
        ("quota", True, ExitCode.NOT_FOUND),
        ("settings_profile", True, ExitCode.NOT_FOUND),
    ]
    assert found[0].path == ("profiles", "on call", "partner", "resources", "privileges")
    assert [str(unmet) for unmet in found[1:]] == [
        f"profiles.\"on call\".partner.resources.quota: There is no quota {QUOTA}. Run: housekeys -p 'on call' quota"
        " create 'it'\"'\"'s a quota' --keyed-by user_name --interval '1 hour TRACKING ONLY'",
        f'profiles."on call".partner.resources.settings_profile: There is no settings profile {PROFILE}.'
        f" Run: housekeys -p 'on call' settings-profile create {PROFILE}",
    ]
    assert await read_unmet(shared_engine, USUAL, "p") == ()  # it names none


class OnServer(FaultyEngine):
    """The same ClickHouse as if it were a server, whose users.xml is nobody's projection."""

    @property
    def home(self) -> Literal["server"]:
        return "server"


async def test_a_quota_that_no_statement_alters_will_not_do(shared_engine: EmbeddedEngine) -> None:
    with pytest.raises(ReadOnlyServerError):
        await shared_engine.command("ALTER QUOTA default TO default")
    for engine in (shared_engine, OnServer(shared_engine)):
        (unmet,) = await read_unmet(engine, replace(USUAL, quota="default"), "p")  # which every ClickHouse has
        assert (unmet.key, unmet.seen) == ("quota", True)
        assert "The quota default is kept in users.xml" in str(unmet)
        create = "quota create NAME --keyed-by user_name --interval '1 hour TRACKING ONLY'"
        assert str(unmet).endswith(f"housekeys -p p {create}")


async def test_what_may_not_be_looked_at_is_told_and_does_not_count_as_missing(shared_engine: EmbeddedEngine) -> None:
    lacking = NoRightError("The user lacks a right.", code=497, missing="SHOW SETTINGS PROFILES ON *.*")
    blind = DenyingEngine(shared_engine, "SHOW CREATE settings profile", lacking)
    template = replace(USUAL, settings_profile=PROFILE)
    (unmet,) = await read_unmet(blind, template, "p")
    assert (unmet.key, unmet.seen, unmet.error) == ("settings_profile", False, lacking)
    watched = Prerequisites(blind, template, "p")
    await watched.fresh(0)
    assert (watched.unmet, watched.missing, watched.met_once) == ((unmet,), (), True)


async def test_what_comes_and_goes_is_noticed_and_logged_once(
    shared_engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine = FaultyEngine(shared_engine)
    watched = Prerequisites(engine, NAMED, "p")
    monkeypatch.setattr(prerequisites, "LOOK_SECONDS", 0.0)
    following = asyncio.create_task(watched.follow())
    await until(lambda: missing(watched) == (["quota", "settings_profile"], False))
    await shared_engine.command("CREATE QUOTA `it's a quota`")
    await until(lambda: missing(watched) == (["settings_profile"], False))
    await shared_engine.command(f"CREATE SETTINGS PROFILE {PROFILE}")
    await until(lambda: missing(watched) == ([], True))
    engine.fault, engine.broken = UnreachableError("Nobody is there."), True
    await until(lambda: "cannot be seen: Nobody is there." in caplog.text)
    assert missing(watched) == ([], True)  # nothing is known to have gone
    engine.repair()
    await shared_engine.command("DROP QUOTA `it's a quota`")
    await until(lambda: missing(watched) == (["quota"], True))
    await shared_engine.command(f"DROP SETTINGS PROFILE {PROFILE}")
    await until(lambda: missing(watched) == (["quota", "settings_profile"], True))
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    told = [(record.levelname, record.getMessage().split(":")[0]) for record in caplog.records]
    quota, profile = (f"profiles.p.partner.resources.{key}" for key in ("quota", "settings_profile"))
    assert [one for one in told if one[0] != "WARNING"] == [
        ("ERROR", quota),
        ("ERROR", profile),
        ("INFO", f"{quota} is met now"),
        ("INFO", f"{profile} is met now"),
        ("ERROR", quota),
        ("ERROR", profile),
    ]


def missing(watched: Prerequisites) -> tuple[list[str], bool]:
    """The keys of what was not there at the last look, and whether all was there at one."""
    return [unmet.key for unmet in watched.missing], watched.met_once


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(0)
