"""The row policies screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from pathlib import Path

from core.access.access_model import AccessModel, EntityKey
from core.access.model import EVERYONE, EntityKind, NameSet, User
from core.access.policies import MaskingPolicy, PolicyName, RowPolicy
from core.access_changes.present import PresentAccess
from core.clickhouse.access_survey import AccessSurvey
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import console, model_of
from tests.console.sample_limits import LIVE
from tests.console.starting import NARROW, REFUSED, WIDE, never, opening, told, until
from tests.console.walking import fill_in, run_change, run_named, see, type_in
from tui.screens.access_limits import is_hidden
from tui.screens.access_reading import Access
from tui.screens.access_tabs import limits_named
from tui.screens.row_policies import RowPoliciesScreen
from tui.screens.row_policy_rows import rows_of, summary_lines

PAGE = ("Row policies  4", "big", "recent", "unused")


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "row-policies")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, *PAGE)
        await take(pilot, "page", *PAGE)
        await type_in(pilot, "x")
        await take(pilot, "drop", "Exactly this runs", "Type big ON sales.orders to run this")
        await type_in(pilot, "<escape>", "e")
        await see(pilot, "Edit row policy big")
        await fill_in(pilot, "filter", "amout > 5000")
        await take(pilot, "edit", "USING amout > 5000", "Unknown expression")
        await type_in(pilot, "<escape>", "d")
        await take(pilot, "summary", "Who sees which rows", sizes=("80x24",))


async def test_pictures_of_other_states(take: Take, tmp_path: Path) -> None:
    for name, how, word in (("loading", never, "Connecting"), ("error", opening(REFUSED), "Cannot connect")):
        app = console(tmp_path / name, how, "row-policies")
        async with app.run_test(size=NARROW) as pilot:
            await take(pilot, name, word, sizes=("80x24",))
    app = console(tmp_path, opened_with(), "row-policies", read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "empty-and-read-only", "READ-ONLY", "No row policies yet.")
        screen = app.screen
        assert isinstance(screen, RowPoliciesScreen)
        assert all(not command.modifies or screen.why_not(command) for command in screen.commands())
        await pilot.press("n")
        await until(pilot, lambda: "nothing can be changed" in told(app))


async def test_a_policy_is_made_renamed_and_dropped(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "row-policies")
    async with app.run_test(size=(100, 26)) as pilot:
        await see(pilot, *PAGE)
        await pilot.press("n")
        await see(pilot, "New row policy")
        await type_in(pilot, "a_part")
        await fill_in(pilot, "on", "orders")
        await see(pilot, "This is no table with its database.")
        await fill_in(pilot, "on", "sales.orders")
        await fill_in(pilot, "to", "contractor")
        await fill_in(pilot, "filter", "amount >")
        await pilot.press("enter")
        await see(pilot, "ClickHouse cannot read the filter.")
        await fill_in(pilot, "filter", "amount<5")
        await see(
            pilot,
            "CREATE ROW POLICY a_part ON sales.orders AS PERMISSIVE FOR SELECT USING amount < 5 TO",
            "contractor: rows where (at > (now() - toIntervalDay(30))) AND ((amount < 5) OR (id = 7))",
        )
        await pilot.press("enter")
        await run_change(pilot, "Row policies  5", "a_part")
        assert "not all is as desired" not in told(app)
        await type_in(pilot, "e")
        await see(pilot, "Edit row policy a_part")
        await fill_in(pilot, "filter", "amount<5 or id in(7)")
        await see(pilot, "ALTER ROW POLICY a_part ON sales.orders FOR SELECT USING (amount < 5) OR (id IN (7))")
        await fill_in(pilot, "filter", "amount<5")  # ClickHouse writes it otherwise, and it is the same
        await see(pilot, "Nothing: it is so already.")
        await type_in(pilot, "<escape>", "t")
        await see(pilot, "Whom is it for: row policy a_part")
        await fill_in(pilot, "to", "boris")
        await see(pilot, "ALTER ROW POLICY a_part ON sales.orders TO boris")
        await type_in(pilot, "<escape>", "c")
        await see(pilot, "Clone row policy a_part")
        await see(pilot, "There is a row policy of this name already.")
        await fill_in(pilot, "on", "sales.*")
        await fill_in(pilot, "to", "etl_night")
        await see(
            pilot,
            "CREATE ROW POLICY a_part ON sales.* AS PERMISSIVE FOR SELECT USING amount < 5 TO etl_night",
            "etl_night: rows where amount < 5 (before: every row).",
            "Where a table has policies of its own, these count as well.",
        )
        await type_in(pilot, "<escape>", "m")
        await see(pilot, "Rename row policy a_part")
        await fill_in(pilot, "name", "z_few")
        await pilot.press("enter")
        await run_change(pilot, "Row policies  5", "> z_few")
        policies = (await model_of(app)).row_policies
        policy = policies[PolicyName("z_few", "sales", "orders")]
        assert (policy.condition, policy.to) == ("amount < 5", NameSet(("contractor",)))
        await pilot.press("x")
        await run_named(pilot, "z_few ON sales.orders", "Row policies  4")


def test_none_that_may_be_seen_is_told_apart_from_none() -> None:
    hidden = ("The row policies cannot be seen: The user has not the right SHOW ROW POLICIES ON *.*.",)
    for lines, answers in (((), (False, False)), (hidden, (True, False))):
        access = Access(None, 0, PresentAccess(AccessSurvey(AccessModel(), lines), False, None, "", None), {})
        assert (is_hidden(access, "row policies"), is_hidden(access, "quotas")) == answers


def test_a_policy_on_a_whole_database_counts_once_there_and_beside_those_of_a_table() -> None:
    wide = RowPolicy(PolicyName("wide", "db", None), "a = 1", to=EVERYONE)
    own = RowPolicy(PolicyName("own", "db", "t"), "b = 2", to=EVERYONE)
    model = AccessModel(users={"anna": User("anna")}, row_policies={each.name: each for each in (wide, own)})
    rows = rows_of(Access(None, 0, PresentAccess(AccessSurvey(model), False, None, "", None), {}))
    assert {row.place.short: row.seeing[0].rows.condition() for row in rows} == {
        "wide": "a = 1",
        "own": "(a = 1) OR (b = 2)",
    }


def test_a_user_is_told_the_table_of_each_policy_that_names_it() -> None:
    anna = NameSet(("anna",))
    own = RowPolicy(PolicyName("own", "db", "t"), "a = 1", to=anna)
    wide = RowPolicy(PolicyName("wide", "db", None), "a = 1", to=anna)
    masking = MaskingPolicy(PolicyName("cards", "db", "t"), "card = '****'", to=anna)
    model = AccessModel(
        users={"anna": User("anna")},
        row_policies={each.name: each for each in (own, wide)},
        masking_policies={masking.name: masking},
    )
    present = PresentAccess(AccessSurvey(model), False, None, "", None)
    lines = limits_named(Access(None, 0, present, {}), EntityKey(EntityKind.USER, "anna"))
    assert [line.text for line in lines] == [
        "row policy own ON db.t", "row policy wide ON db.*", "masking policy cards ON db.t"
    ]  # fmt: skip


def test_masking_policies_are_shown_and_not_changed() -> None:
    anna = NameSet(("anna",))
    name = PolicyName("cards", "sales", "orders")
    masking = MaskingPolicy(name, "card = '****'", "amount > 5", 3, EVERYONE)
    policy = RowPolicy(name, "amount > 5", to=anna)
    users = {"anna": User("anna"), "boris": User("boris")}
    model = AccessModel(users=users, row_policies={name: policy}, masking_policies={name: masking})
    present = PresentAccess(AccessSurvey(model), False, None, "", None)
    shown = {row.kind: row for row in rows_of(Access(None, 0, present, {}))}
    assert set(shown) == {"permissive", "masking"}
    assert shown["permissive"].sql_name != shown["masking"].sql_name
    facts = {line.label: line.text for line in summary_lines(shown["masking"])}
    assert facts["update"] == "card = '****'"
    assert (facts["where"], facts["priority"], facts["to"]) == ("amount > 5", "3", "all")
    texts = [line.text for line in summary_lines(shown["permissive"])]
    where_on, where_off = texts.index("  everybody else"), len(texts) - 1 - texts[::-1].index("  everybody else")
    assert (texts[where_on + 1], texts[where_off + 1]) == ("every row", "no row")
