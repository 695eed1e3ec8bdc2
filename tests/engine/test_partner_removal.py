"""What partner accounts have in ClickHouse is taken away and passwords are set, on a real ClickHouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.access.model import AlterUser, AuthKind
from core.access.parser import parse_statement
from core.access.passwords import password_digest
from core.changes import Change, Danger, JsonValue, RecordStep, StatementStep
from core.clickhouse.capabilities import Capabilities
from core.clickhouse.embedded import EmbeddedEngine
from core.errors import BadInputError
from core.partner.accounts import facts
from core.partner.accounts.decision import Removal
from core.partner.accounts.state import PartnerUser
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.password import check_password, plan_password
from core.partner.provisioning.removal import CONNECTION_ID, ERASE, SECRETS, plan_removal
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import NotErasedError, SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.security.sealing_keys import SealingKeys, new_sealing_key
from core.running.needs import Service
from core.running.runner import Report
from core.secrets import Secret
from tests.engine.running_place import Place, states
from tests.unit.partner.sealed_memory import SealedMemory

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = Secret("correct horse battery")


class Erasing:
    """The service of the steps that erase, on secrets kept in memory."""

    def __init__(self, secrets: SealedSecrets) -> None:
        self._secrets = secrets

    async def call(self, operation: str, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        assert operation == ERASE
        await self._secrets.erase(str(arguments[CONNECTION_ID]))
        return {}


class PartnerPlace(Place):
    """A place with an account of one user, as provisioning leaves it, and the secret of a partner connection."""

    def __init__(self, engine: EmbeddedEngine, folder: Path) -> None:
        super().__init__(engine, folder)
        self.sealed = SealedMemory()
        self.secrets = SealedSecrets(CurrentKeys(SealingKeys([new_sealing_key()])), self.sealed)
        self.runner.open_service = self._open
        mark = self.database
        self.user = PartnerUser("pu1", "pa1", "ann@acme.com", f"user_{mark}")
        self.role, self.quota = f"role_{mark}", f"quota_{mark}"
        self.removal = Removal(("pc1",), (self.user.name,), (self.role,), (f"data_{mark}",))
        self.events = (facts.connection_deleted("pc1"), facts.user_deleted("pu1"), facts.account_deleted("pa1"))

    async def _open(self, name: str) -> Service:
        assert name == SECRETS
        return Erasing(self.secrets)

    async def furnish(self) -> PartnerPlace:
        await self.prepare()
        await self.secrets.keep(SealedPlace("pc1", SecretName.PERSONAL_ACCESS_TOKEN), Secret("dapi-1"))
        (database,) = self.removal.databases
        for sql in (
            f"CREATE DATABASE {database}",
            f"CREATE TABLE {database}.t (a Int8) ENGINE = MergeTree ORDER BY a AS SELECT 1",
            f"CREATE ROLE {self.role}",
            f"GRANT SELECT ON {database}.* TO {self.role}",
            f"CREATE USER {self.user.name} IDENTIFIED WITH no_password",
            f"GRANT {self.role} TO {self.user.name}",
            f"CREATE QUOTA {self.quota} KEYED BY user_name FOR INTERVAL 1 hour MAX queries 5 TO {self.user.name}",
        ):
            await self.engine.engine.command(sql)
        return self

    def plan(self) -> Change:
        return plan_removal("Remove acme.com", self.removal, self.events)

    async def run(self, change: Change) -> Report:
        return await self.runner.run(change)

    async def left(self) -> list[str]:
        """The names of what is still there of the account."""
        names = [*self.removal.users, *self.removal.roles, *self.removal.databases]
        found = await self.engine.engine.query(
            "SELECT name FROM (SELECT name FROM system.users UNION ALL SELECT name FROM system.roles"
            " UNION ALL SELECT name FROM system.databases) WHERE name IN {names:Array(String)} ORDER BY name",
            {"names": names},
        )
        return [name for (name,) in found.rows]


@pytest.fixture
async def place(shared_engine: EmbeddedEngine, tmp_path: Path) -> PartnerPlace:
    return await PartnerPlace(shared_engine, tmp_path).furnish()


async def test_facts_go_first_then_secrets_users_and_data(place: PartnerPlace) -> None:
    change = place.plan()
    assert (change.danger, change.confirm_name) == (Danger.DESTRUCTIVE, place.removal.databases[0])
    assert isinstance(change.steps[0], RecordStep)
    assert change.preview().splitlines()[-4:] == [
        "erase the sealed secrets of pc1",
        f"DROP USER IF EXISTS {place.user.name}",
        f"DROP ROLE IF EXISTS {place.role}",
        f"DROP DATABASE IF EXISTS `{place.removal.databases[0]}`",
    ]
    report = await place.run(change)
    assert report.succeeded, report.failed_outcomes
    assert (await place.left(), place.sealed.values) == ([], {})
    for kind, subject in ((facts.PARTNER_CONNECTION, "pc1"), (facts.PARTNER_USER, "pu1"), ("user", place.user.name)):
        (row,) = await place.journal.history(kind)
        assert (row.subject, row.outcome) == (subject, "done")
    shown = str((await place.engine.engine.query(f"SHOW CREATE QUOTA {place.quota}")).first_cell())
    assert place.user.name not in shown  # nobody who is made later falls under it
    assert (await place.run(change)).succeeded  # again, where all is gone already


async def test_what_fails_leaves_the_rest_to_be_done(place: PartnerPlace) -> None:
    place.sealed.stuck = True
    report = await place.run(place.plan())
    assert states(report) == ["done", "failed", "done", "done", "done"]
    assert isinstance(report.failed_outcomes[0].error, NotErasedError)
    assert await place.left() == []
    place.sealed.stuck = False
    again = await place.run(plan_removal("Erase again", Removal(connections=("pc1",))))
    assert (again.succeeded, place.sealed.values) == (True, {})


async def test_a_removal_that_broke_off_is_brought_to_its_end(place: PartnerPlace) -> None:
    place.engine.statements_left, place.engine.arrives = 1, True
    report = await place.run(place.plan())
    assert not report.finished
    place.engine.repair()
    (unfinished,) = place.runner.unfinished()
    assert not unfinished.undecided  # nobody need be asked what had run
    assert (await place.runner.resume(unfinished.id)).succeeded
    assert await place.left() == []


async def test_only_what_goes_is_dangerous() -> None:
    secrets = plan_removal("x", Removal(connections=("pc1", "pc2")))
    assert (secrets.danger, secrets.confirm_name, len(secrets.steps)) == (Danger.DISRUPTIVE, "", 2)
    assert "partner connections pc1, pc2" in secrets.consequences[0]
    assert plan_removal("x", Removal()).steps == ()
    on_cluster = plan_removal("x", Removal((), ("u",), ("r",), ("d",)), clusters=Clusters("main", ""))
    assert on_cluster.preview().splitlines() == [
        "DROP USER IF EXISTS u",
        "DROP ROLE IF EXISTS r",
        "DROP DATABASE IF EXISTS `d` ON CLUSTER `main`",
    ]
    assert "ON CLUSTER main" in plan_removal("x", Removal(users=("u",)), clusters=Clusters("", "main")).preview()


async def test_a_replicated_access_storage_needs_no_cluster() -> None:
    told = Capabilities("26.8", (26, 8), "op", "server", 0.0, user_directories=(("r", "replicated", 1),))
    assert Clusters.of(told, "main") == Clusters("main", "")
    beside = (("users_xml", "users_xml", 0), ("l", "local_directory", 1))
    assert Clusters.of(replace(told, user_directories=beside), "main") == Clusters("main", "main")
    assert Clusters.of(replace(told, user_directories=None), None) == NO_CLUSTER


async def test_a_password_is_set_as_a_hash_together_with_the_sign_up(place: PartnerPlace) -> None:
    change = plan_password(place.user, PASSWORD)
    (step,) = change.steps
    assert isinstance(step, StatementStep)
    statement = parse_statement(step.sql)
    assert isinstance(statement, AlterUser)
    assert statement.methods
    (method,) = statement.methods
    digest = password_digest(AuthKind.SHA256, PASSWORD.reveal().encode(), method.salt)
    assert (method.kind, method.hash) == (AuthKind.SHA256, digest)
    assert digest not in change.preview()
    assert "[HIDDEN]" in change.preview()
    assert (await place.run(change)).succeeded
    shown = str((await place.engine.engine.query(f"SHOW CREATE USER {place.user.name}")).first_cell())
    assert "IDENTIFIED WITH sha256_password" in shown
    (row,) = await place.journal.history(facts.PARTNER_USER)
    assert (row.subject, row.action) == ("pu1", facts.SIGN_UP)
    (altered,) = await place.journal.history("user")
    assert (altered.subject, altered.details["changed"]) == (place.user.name, ["IDENTIFIED"])


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "fewer than 12"),
        ("x" * 201, "more than 200"),
        ("abababababab", "easy to guess"),
        ("Ann.Lee@ACME.com", "e-mail address"),
    ],
)
async def test_passwords_that_will_not_do(password: str, why: str) -> None:
    with pytest.raises(BadInputError, match=why) as refused:
        check_password(Secret(password), "ann.lee@acme.com")
    assert password not in str(refused.value)
    check_password(PASSWORD, "ann.lee@acme.com")
