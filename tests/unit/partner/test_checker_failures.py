"""What is told of a case that failed: the call, what was otherwise in it, what to do, and no secret."""

from __future__ import annotations

import json

from core.partner.checker.catalogue import chosen
from core.partner.checker.reporting import report_lines
from core.partner.checker.running import Outcome, check
from core.partner.checker.subject import Subject, basic
from core.secrets import Secret
from tests.partner_faults import CONNECT, JSON, made, told
from tests.partner_faults_at_once import coercing, decoded, trusting
from tests.partner_server import PASSWORD, USER, Asked, Handler, MemoryPartner, Reply, faulty, serving
from tests.unit.partner.test_checker_rules import POLICY


async def test_a_wrong_password_is_told_once() -> None:
    partner = MemoryPartner(POLICY)
    async with serving(partner) as url:
        cases = chosen(["P100", "P402", "P501", "P900", "E100", "H101", "H110", "H113", "H202", "H301"])
        results = await check(Subject(url, partner.config, USER, Secret("another-password")), cases)
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    assert {result.case.id for result in results if result not in failed} == {"E100", "H202"}
    assert {(each.expected, each.came) for each in failed} == {
        ("an answer to the user and the password that were given", "401 Unauthorized (unauthorized)")
    }
    assert "  to do     Check --user and --password-ref." in list(report_lines(results))


async def test_what_is_almost_the_password_is_not_shown_either() -> None:
    async def echoing(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        sent = asked.headers.get("authorization", "")
        body = {"error_reason": "bad_request", "debugging_message": f"{sent[6:]} is no good"}
        return reply.saying(body, 400) if decoded(sent)[1] == almost.reveal() else reply

    partner = MemoryPartner(POLICY)
    almost = Secret(PASSWORD[:-1], passing=True)
    sent = [basic(USER, almost)[6:], PASSWORD[:-1]]
    async with serving(faulty(partner, echoing)) as url:
        results = await check(Subject(url, partner.config, USER, Secret(PASSWORD)), chosen(["H202"]))
    shown = json.dumps([exchange.shown() for exchange in results[0].exchanges])
    assert "is no good" in shown
    assert not any(each[:-4] in text for each in sent for text in (shown, *report_lines(results)))


async def test_the_call_is_shown_that_was_judged_and_not_the_link_that_opened_after_it() -> None:
    partner = MemoryPartner(POLICY)
    async with serving(faulty(partner, told({"account_status": "active"}, made)())) as url:
        (result,) = await check(Subject(url, partner.config, USER, Secret(PASSWORD)), chosen(["P700"]))
    lines = list(report_lines([result]))
    assert "  came      they are new and active" in lines
    assert f"  call      POST {url}/connect" in lines
    assert "--format json has each call of what failed, with its headers" in lines


async def test_a_failure_tells_what_was_called_before_and_which_headers_are_unusual() -> None:
    async def fussy(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        language = asked.headers.get("accept-language", "none")
        return reply if language == "en-us" or asked.path != CONNECT else Reply(500, b"{}", JSON)

    partner = MemoryPartner(POLICY)
    async with serving(faulty(partner, fussy)) as url:
        subject = Subject(url, partner.config, USER, Secret(PASSWORD))
        at_once, later = await check(subject, chosen(["H806", "P402"]))
    lines = list(report_lines([later]))
    assert "  before    POST /connect 200, GET /welcome 200" in lines
    assert "  headers   Accept-Language: de-DE,de;q=0.8,en;q=0.5" in lines
    assert not any(line.startswith(("  before", "  headers")) for line in report_lines([at_once]))


async def test_a_failure_tells_which_of_several_requests_it_was() -> None:
    """Of an Authorization, which is never shown; and of a body, which is long."""
    partner = MemoryPartner(POLICY)
    trusted = trusting(lambda header: header.startswith("Bearer "))()
    async with serving(faulty(partner, trusted)) as url:
        (bearer,) = await check(Subject(url, partner.config, USER, Secret(PASSWORD)), chosen(["H204"]))
    assert bearer.expected == "401 unauthorized for the right user and password after Bearer"
    assert bearer.advice.startswith("Check Authorization first")
    async with serving(faulty(partner, coercing())) as url:
        (typed,) = await check(Subject(url, partner.config, USER, Secret(PASSWORD)), chosen(["H104"]))
    assert typed.expected == '400 bad_request with "perhaps" as user_info.is_connection_established'
