"""What is desired as ClickHouse writes it, against what it shows of entities that were made from the same."""

from __future__ import annotations

from dataclasses import replace

from core.access.access_model import AccessModel
from core.access.difference import compare
from core.access.model import Authentication, AuthKind, CreateUser, User
from core.access.policies import PolicyName, RowPolicy
from core.access.redefining import row_policy_definition
from core.access.render import render
from core.access_changes.as_written import as_written, entity_as_written
from core.access_changes.present import read_present_access
from core.access_reports.differing import difference_lines
from core.clickhouse.capabilities import probe
from core.clickhouse.embedded import EmbeddedEngine

CONDITIONS = (
    "a + b < 1 or c - d > 5", "a=1", "(region = 1)", "region in (1,2)", "not a", "a AND b OR c", "x BETWEEN 1 AND 2",
    "toDate(x) > now() - INTERVAL 30 DAY", "1", "a=-1", "a::UInt8 = 1", "a ? 1 : 0", "x like 'a%'", "x = 'it''s'",
    "x IN (SELECT 1)", "x.1 = 2", "`a b`= 1", "a is null", "x = 1e3", "lower( X )='\\n'", "x = 'SELECT 1'", "`п`= 'я'",
)  # fmt: skip


async def test_a_condition_is_written_as_it_is_shown(engine: EmbeddedEngine) -> None:
    names = [PolicyName("p", "d", f"t{number}") for number in range(len(CONDITIONS))]
    desired = AccessModel(
        row_policies={name: RowPolicy(name, text) for name, text in zip(names, CONDITIONS, strict=True)}
    )
    for policy in desired.row_policies.values():
        await engine.command(render(row_policy_definition(policy)))
    capabilities = await probe(engine, database="housekeys", cluster=None)
    shown = (await read_present_access(engine, capabilities, None)).model.row_policies
    assert len({policy.condition for policy in shown.values()} - set(CONDITIONS)) > len(CONDITIONS) / 2
    assert (await as_written(engine, desired)).row_policies == shown
    assert await entity_as_written(engine, desired.row_policies[names[0]]) == shown[names[0]]


async def test_what_cannot_be_read_stays_and_so_do_the_others(engine: EmbeddedEngine) -> None:
    bad, good, none = (RowPolicy(PolicyName(name, "d", "t"), text) for name, text in
                       (("bad", "a >"), ("good", "a>1"), ("none", None)))  # fmt: skip
    desired = AccessModel(row_policies={each.name: each for each in (bad, good, none)})
    written = (await as_written(engine, desired)).row_policies
    assert [policy.condition for policy in written.values()] == ["a >", "a > 1", None]
    assert await entity_as_written(engine, none) is none


async def test_an_end_of_validity_is_written_as_it_is_shown(engine: EmbeddedEngine) -> None:
    """In UTC; a server shows its own zone, in which it takes what names none."""
    texts = ("2027-01-01", "2027-01-01 10:00", "2027-01-01 10:00:00 UTC", "2027-01-01T10:00:00+02:00", "1 Jan 2027",
             "2027-01-01 10:00:00", "infinity", "")  # fmt: skip
    method = Authentication(AuthKind.KERBEROS)
    users = [
        User(f"u{number}", (replace(method, valid_until=text), method)[: 2 if text else 1])
        for number, text in enumerate(texts)
    ]
    desired = AccessModel(users={user.name: user for user in users})
    for user in users:
        await engine.command(render(CreateUser((user.name,), methods=user.methods)))
    capabilities = await probe(engine, database="housekeys", cluster=None)
    shown = (await read_present_access(engine, capabilities, None)).without_built_in()
    ends = {user.methods[0].valid_until for user in shown.users.values()}
    assert ends == {"2027-01-01 00:00:00", "2027-01-01 08:00:00", "2027-01-01 10:00:00", ""}
    assert difference_lines(compare(desired, shown))
    assert difference_lines(compare(await as_written(engine, desired), shown)) == []
    assert (await entity_as_written(engine, users[0])).methods == shown.users["u0"].methods
