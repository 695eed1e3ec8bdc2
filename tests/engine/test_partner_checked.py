"""The checker is all green against the real service under each policy, and finds each rule that it does not keep.

In `make test` the usual policy with a few cases; in `make thorough` all policies, all cases and all rules.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.partner.checker.catalogue import chosen
from core.partner.checker.running import Outcome, Result, check
from core.partner.checker.subject import Subject
from tests.engine.checked_service import FaultyService, faulty_service, listening_service
from tests.examples import is_thorough
from tests.partner_rules import RULES, Rule, changed_policy
from tests.unit.partner.test_checker_rules import LIMITS, NEVER_ENDING, POLICIES, POLICY, unhappy

FEW_CASES = ("P100", "P401", "P501", "P900", "E100", "H101", "H311")
FEW_RULES = ("owns_connections", "get_safe_links")
ALL_POLICIES: dict[str, dict[str, Any]] = {"usual": {}, **POLICIES}
RULES_BY_POLICY = {str(rule.policy): [each for each in RULES if each.policy == rule.policy] for rule in RULES}
only_thorough = pytest.mark.skipif(not is_thorough(), reason="takes minutes: in `make thorough`")


async def outcomes_of(service: FaultyService, rule: Rule) -> dict[str, Outcome]:
    """How the cases end that are to find a rule, while it is not kept."""
    service.have(rule.make())
    subject = replace(service.subject, limits=NEVER_ENDING.get(rule.name, LIMITS))
    return {each.case.id: each.outcome for each in await check(subject, chosen(rule.found_by))}


def wanted_of(rule: Rule) -> dict[str, Outcome]:
    return dict.fromkeys(rule.found_by, Outcome.WARNING if rule.warned else Outcome.FAILED)


def count_outcomes(results: tuple[Result, ...]) -> Counter[str]:
    return Counter(result.outcome.value for result in results)


async def test_the_service_is_green_and_what_it_would_do_wrong_is_found(tmp_path: Path) -> None:
    async with faulty_service(tmp_path, POLICY) as service:
        results = await check(service.subject, chosen(FEW_CASES))
        assert (unhappy(results), count_outcomes(results)) == ([], {"passed": len(FEW_CASES)})
        for rule in (rule for rule in RULES if rule.name in FEW_RULES):
            assert await outcomes_of(service, rule) == wanted_of(rule), rule.name


@only_thorough
@pytest.mark.parametrize("changes", ALL_POLICIES.values(), ids=ALL_POLICIES)
async def test_the_service_is_green_under_every_policy(changes: dict[str, Any], tmp_path: Path) -> None:
    async with listening_service(tmp_path, changed_policy(POLICY, changes)) as subject:
        results = await check(subject, chosen(()))
    # Where each workspace is an account, the user of one is not known in another.
    unseen = [("P101", Outcome.WARNING)] if "accounts" in changes else []
    assert [each[:2] for each in unhappy(results)] == unseen, unhappy(results)
    assert count_outcomes(results)["passed"] >= 60


@only_thorough
@pytest.mark.parametrize("rules", RULES_BY_POLICY.values(), ids=RULES_BY_POLICY)
async def test_every_rule_that_the_service_would_not_keep_is_found(rules: list[Rule], tmp_path: Path) -> None:
    async with faulty_service(tmp_path, changed_policy(POLICY, rules[0].policy)) as service:
        found = {rule.name: await outcomes_of(service, rule) for rule in rules}
    wanted = {rule.name: wanted_of(rule) for rule in rules}
    assert {name: found[name] for name in found if found[name] != wanted[name]} == {}


@only_thorough
async def test_the_service_answers_as_its_document_declares(tmp_path: Path) -> None:
    async with listening_service(tmp_path, POLICY) as subject:
        seen = await asyncio.to_thread(call_as_documented, subject, 100)
    print(*sorted(seen.items()), sep="\n")
    statuses = {status for _, _, status in seen}
    assert statuses - {401} == {200, 400, 404}  # 401 where schemathesis has put its own Authorization
    assert {path for path, _, status in seen if status == 200} >= {"/connect", "/connectors"}


def call_as_documented(subject: Subject, examples: int) -> Counter[tuple[str, str, int]]:
    import schemathesis  # here, because it takes a second or two, and other workers need none of it

    from tests.partner_schema import conforms

    schema = schemathesis.openapi.from_url(f"{subject.base_url}/openapi.json")
    return conforms(schema, subject.authorization() or "", examples)
