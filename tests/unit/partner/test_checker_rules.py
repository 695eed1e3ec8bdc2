"""The checker is all green against a partner that keeps every rule, and each rule that one does not keep is found."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from core.partner.accounts.policy import PartnerPolicy
from core.partner.checker.catalogue import CASES, chosen
from core.partner.checker.reporting import report_lines
from core.partner.checker.running import Outcome, Result, check
from core.partner.checker.subject import Limits, Subject
from core.secrets import Secret
from tests.partner_choices import CHOICES, Choice
from tests.partner_faults import JSON, new, user
from tests.partner_faults_over_time import again
from tests.partner_rules import RULES, Rule, changed_policy
from tests.partner_server import (
    PASSWORD,
    USER,
    Asked,
    Fault,
    Handler,
    MemoryPartner,
    Reply,
    asgi_handler,
    faulty,
    serving,
)

POLICY = PartnerPolicy(
    "https://acme.example", hostnames=("acme.example", "127.0.0.1"), integration="write", test_hooks=True
)
LIMITS = Limits()
# What is waited for never comes, so the wait may be short.
NEVER_ENDING = {"answers_in_time": Limits(answer=0.1), "bodies_end_in_time": Limits(body=0.1)}
POLICIES: dict[str, dict[str, Any]] = {
    "invite": {"new_user_action": "invite"},
    "not found": {"new_user_action": "not_found"},
    "error": {"new_user_action": "error"},
    "trial by user": {"trial": "user"},
    "trial by account": {"trial": "account", "new_user_action": "not_found"},
    "another trial": {"trial": "another"},
    "manual sign-up": {"require_manual_signup": True, "trial": "user"},
    "no demo": {"supports_demo": False, "integration": "read"},
    "notebook, M2M": {"integration": "notebook", "auth_options": ("AUTH_OAUTH_M2M",)},
    "U2M of each workspace": {"auth_options": ("AUTH_OAUTH_U2M",)},
    "U2M published": {"auth_options": ("AUTH_OAUTH_U2M",), "is_published_app": True},
    "by workspace, without hooks": {"accounts": "workspace", "test_hooks": False, "integration": "desktop"},
}


async def checked(
    policy: PartnerPolicy, names: tuple[str, ...] = (), fault: Fault | None = None, limits: Limits = LIMITS
) -> tuple[Result, ...]:
    return await checked_partner(MemoryPartner(policy), names, fault, limits)


async def checked_partner(
    partner: MemoryPartner, names: tuple[str, ...] = (), fault: Fault | None = None, limits: Limits = LIMITS
) -> tuple[Result, ...]:
    handler: Handler = partner if fault is None else faulty(partner, fault)
    async with serving(handler) as url:
        return await check(Subject(url, partner.config, USER, Secret(PASSWORD), limits=limits), chosen(names))


def left_behind(partner: MemoryPartner) -> tuple[int, int]:
    """How many partner connections and users of Databricks' tests are there still."""
    known = partner.partner.known
    testers = [one for one in known.users.values() if one.email.endswith("@databricks-test.com") and not one.deleted]
    return sum(one.deleted is None for one in known.connections.values()), len(testers)


def unhappy(results: tuple[Result, ...]) -> list[tuple[str, Outcome, str, str, str]]:
    wrong = (Outcome.FAILED, Outcome.WARNING)
    return [
        (each.case.id, each.outcome, each.expected, each.came, each.note) for each in results if each.outcome in wrong
    ]


async def test_a_partner_that_keeps_every_rule_is_all_green_and_as_it_was() -> None:
    partner = MemoryPartner(POLICY)
    results = await checked_partner(partner)
    assert unhappy(results) == []
    assert left_behind(partner) == (0, 0)
    assert len(partner.partner.known.connections) > 60
    skipped = [each.case.id for each in results if each.outcome is Outcome.SKIPPED]
    assert skipped == ["P302-error", "P302-invite", "P302-not-found", "P502", "R100", "H112", "H701", "H703"]
    assert [each.case.id for each in results if each.outcome is Outcome.MANUAL] == ["P200", "P201"]


@pytest.mark.parametrize("changes", POLICIES.values(), ids=POLICIES)
async def test_every_policy_is_green(changes: dict[str, Any]) -> None:
    results = await checked(changed_policy(POLICY, changes), ("P", "R", "H112", "H311", "H6", "H7"))
    # Where each workspace is an account, the user of one is not known in another.
    assert [each[:2] for each in unhappy(results)] == [("P101", Outcome.WARNING)] * ("accounts" in changes)
    assert sum(each.outcome is Outcome.PASSED for each in results) >= 13


def test_every_case_can_fail() -> None:
    """But one that looks at the PartnerConfig alone, and that is not read without what it asks for."""
    automatic = {case.id for case in CASES if case.steps is not None}
    assert automatic - {name for rule in RULES for name in rule.found_by} == {"D100"}


async def test_a_case_that_fails_leaves_nothing_either() -> None:
    partner = MemoryPartner(POLICY)
    (rule,) = [rule for rule in RULES if rule.name == "json_content_type"]
    results = await checked_partner(partner, ("P100", "P500"), rule.make())
    assert [each.outcome for each in results] == [Outcome.FAILED] * 2
    assert len(partner.partner.known.connections) == 2
    assert left_behind(partner) == (0, 0)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_a_rule_that_is_not_kept_is_found(rule: Rule) -> None:
    limits = NEVER_ENDING.get(rule.name, LIMITS)
    results = await checked(changed_policy(POLICY, rule.policy), rule.found_by, rule.make(), limits)
    wanted = Outcome.WARNING if rule.warned else Outcome.FAILED
    assert rule.found_by
    assert {each.case.id: each.outcome for each in results} == dict.fromkeys(rule.found_by, wanted), unhappy(results)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.name)
async def test_what_is_left_to_a_partner_is_no_failure(choice: Choice) -> None:
    partner = MemoryPartner(POLICY)
    results = await checked_partner(partner, (*choice.passed, *choice.warned), choice.make())
    wanted = dict.fromkeys(choice.passed, Outcome.PASSED) | dict.fromkeys(choice.warned, Outcome.WARNING)
    assert {each.case.id: each.outcome for each in results} == wanted, unhappy(results)
    assert left_behind(partner) == (0, 0)


async def test_a_partner_that_was_checked_before_is_green_again() -> None:
    """Also one that knows a user by the number alone, and one whose users of tests stay, for there is no endpoint."""
    known = again(
        lambda asked: (asked.json["cloud_provider"], user(asked)["databricks_user_id"]) if new(asked) else None,
        lambda asked, first, now: now.saying({**now.json, "user_status": "existing"}),
    )()
    partner = MemoryPartner(changed_policy(POLICY, {"trial": "account"}))
    config = replace(partner.config, endpoints=replace(partner.config.endpoints, delete_account_path=None))
    async with serving(faulty(partner, known)) as url:
        for subject in (
            Subject(url, partner.config, USER, Secret(PASSWORD)),
            Subject(url, config, USER, Secret(PASSWORD)),
        ):
            results = await check(subject, chosen(["P5", "H3", "H5"]))
            assert unhappy(results) == []
    ended = {each.case.id: each.outcome for each in results}
    assert (ended["P500"], ended["P501"], ended["P502"]) == (Outcome.MANUAL, Outcome.SKIPPED, Outcome.SKIPPED)


ODD: tuple[Any, ...] = (None, "", -1, 2**70, 1.5, True, [], [None], {"a": {"b": []}}, "\ud800", "\x00", "https://[")
ODD += (
    "http://\u00e4/",
    "https://127.0.0.1@x/",
    "javascript:x",
    "https://127.0.0.1/%zz",
    "create_trial",
    "new",
    "x" * 5000,
)
BODIES = (b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"connection_id":' + b"[" * 9000 + b"]" * 9000 + b"}")
HEADERS: tuple[dict[str, str], ...] = ({}, JSON, {**JSON, "Content-Encoding": "gzip"})


async def test_whatever_is_answered_the_check_goes_on_to_its_end() -> None:
    chance = random.Random(1)

    async def odd(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        kind = chance.random()
        if kind < 0.5:
            return reply
        if kind < 0.8 and reply.json:
            return reply.saying({**reply.json, chance.choice([*reply.json, "oauth_redirect_uri"]): chance.choice(ODD)})
        return Reply(chance.choice((200, 201, 302, 400, 404, 429, 500)), chance.choice(BODIES), chance.choice(HEADERS))

    results = await checked(POLICY, fault=odd)
    assert len(results) == len(CASES)
    assert sum(each.outcome is Outcome.FAILED for each in results) > 30
    assert all("\x00" not in line and line.isprintable() for line in report_lines(results))


async def test_an_asgi_application_is_checked_and_made_faulty_alike() -> None:
    partner = MemoryPartner(POLICY)

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        target = f"{scope['path']}?{scope['query_string'].decode()}"
        message = await receive()
        assert (await receive())["type"] == "http.disconnect"
        reply = await partner(Asked(scope["method"], target, headers, message["body"]))
        listed = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        length = (b"content-length", str(len(reply.body)).encode())
        await send({"type": "http.response.start", "status": reply.status, "headers": [*listed, length]})
        await send({"type": "http.response.body", "body": reply.body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": reply.body[5:]})

    (rule,) = [rule for rule in RULES if rule.name == "plain_bodies"]
    outcomes = []
    for handler in (asgi_handler(application), faulty(asgi_handler(application), rule.make())):
        async with serving(handler) as url:
            subject = Subject(url, partner.config, USER, Secret(PASSWORD))
            outcomes.append([each.outcome.value for each in await check(subject, chosen(["P300", "P900", "H807"]))])
    assert outcomes == [["passed", "passed", "passed"], ["passed", "passed", "failed"]]
