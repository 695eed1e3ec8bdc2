"""`housekeys partner check` against a partner in memory: reports, exit codes, and what is asked for wrongly."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core.partner.accounts.policy import PartnerPolicy
from core.partner.messages.writing import write_partner_config
from tests.cli.conftest import Housekeys, Outcome
from tests.http_front.certificates import make_certificates
from tests.partner_faults import DELETE, established, instead, new, told
from tests.partner_server import PASSWORD, USER, Asked, Fault, Handler, MemoryPartner, Reply, faulty, serving_in_thread
from tests.unit.partner.test_checker_rules import left_behind
from tui.cli.running import run

POLICY = PartnerPolicy("https://acme.example", hostnames=("127.0.0.1",), integration="write", test_hooks=True)
CREDENTIALS = ("--user", USER, "--password-ref", "env:CONNECT_PASSWORD")
Check = Callable[..., Outcome]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "partner.json"
    path.write_bytes(write_partner_config(MemoryPartner(POLICY).config))
    return path


@pytest.fixture
def partner() -> Handler:
    return MemoryPartner(POLICY)


@pytest.fixture
def check(housekeys: Housekeys, partner: Handler, config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Check]:
    """`check("--only", "P100")`: against a partner with this configuration; `faults` are put on."""
    monkeypatch.setenv("CONNECT_PASSWORD", PASSWORD)

    def run_check(*words: str, handler: Handler = partner) -> Outcome:
        with serving_in_thread(handler) as url:
            return housekeys("partner", "check", url, "--partner-config", str(config), *CREDENTIALS, *words)

    yield run_check


def test_a_right_partner_passes(check: Check) -> None:
    outcome = check("--only", "P100,P200,P302,H601")
    assert outcome.code == 0, outcome.stdout
    lines = outcome.stdout.splitlines()
    assert lines[0].split() == ["ID", "OUTCOME", "TITLE"]
    assert "P100            passed   A new user connects and gets a trial" in lines
    assert "P200            manual   The core integration works with what was connected" in lines
    assert "to be done by hand:" in lines
    assert "skipped:" in lines
    assert "  the PartnerConfig is without new_user_action error:  P302-error" in lines
    assert outcome.stderr == "7 cases: 3 passed, 1 manual, 3 skipped\n"
    assert PASSWORD not in outcome.stdout + outcome.stderr


def test_a_wrong_partner_fails_and_the_call_is_shown_without_secrets(check: Check, partner: Handler) -> None:
    outcome = check("--only", "P100,E100", handler=faulty(partner, told({"redirect_value": "sign_in"}, never_error)()))
    assert outcome.code == 1
    assert "P100  failed   A new user connects and gets a trial" in outcome.stdout.splitlines()
    assert "  expected  redirect_value create_trial" in outcome.stdout.splitlines()
    assert "  came      redirect_value is sign_in" in outcome.stdout.splitlines()
    assert "  call      POST http://127.0.0.1:" in outcome.stdout
    assert '"personal_access_token": "********"' in outcome.stdout
    assert "dapi" not in outcome.stdout
    assert outcome.stderr == "2 cases: 1 passed, 1 failed\n"


def never_error(asked: Asked, reply: Reply) -> bool:
    return reply.status < 400


def test_the_report_as_json(check: Check, partner: Handler) -> None:
    odd = faulty(
        partner,
        instead(new, Reply(500, b'{"error_reason":"\\u001b[31m \\u0007"}', {"Content-Type": "application/json"}))(),
    )
    outcome = check("--only", "P100,P200,H112", "--json", handler=odd)
    assert outcome.code == 1
    report = outcome.json
    assert report["counts"] == {"passed": 0, "failed": 1, "warning": 0, "manual": 1, "skipped": 1}
    failed, manual, skipped = report["cases"]
    assert (failed["id"], failed["outcome"], failed["origin"]) == ("P100", "failed", "suite")
    assert failed["came"] == "error_reason is '\\x1b[31m \\x07'"
    (exchange,) = failed["exchanges"]
    assert (exchange["method"], exchange["status"]) == ("POST", 500)
    assert exchange["sent_headers"]["Authorization"] == "********"
    assert json.loads(exchange["sent"])["user_info"]["auth"] == {"personal_access_token": "********"}
    assert "hive_metastore" in manual["note"]
    assert skipped["note"] == "the PartnerConfig is without new_user_action error"
    assert PASSWORD not in outcome.stdout


def test_the_report_as_junit_in_a_private_file(check: Check, partner: Handler, tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    odd = faulty(
        partner,
        instead(new, Reply(500, b'{"error_reason":"\\u001b[31m <&\\ud800"}', {"Content-Type": "application/json"}))(),
    )
    outcome = check("--only", "P100,P200,H112,H206,H403", "--format", "junit", "--output", str(path), handler=odd)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    root = ElementTree.fromstring(path.read_bytes())  # noqa: S314 - our own report
    assert root.tag == "testsuites"
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "2",
        "errors": "0",
        "skipped": "2",
    }
    cases = {str(case.get("name")).split()[0]: [child.tag for child in case] for case in suite}
    assert cases == {"P100": ["failure"], "P200": ["skipped"], "H112": ["skipped"], "H206": [], "H403": ["failure"]}
    assert PASSWORD not in path.read_text()
    assert outcome.stderr.endswith("5 cases: 1 passed, 2 failed, 1 manual, 1 skipped\n")


def test_a_report_that_cannot_be_written_is_printed(check: Check, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = check("--only", "P100", "--format", "junit", "--output", str(tmp_path / "file" / "report.xml"))
    assert outcome.code == 1
    assert ElementTree.fromstring(outcome.stdout).get("failures") == "0"  # noqa: S314 - our own report
    assert "/file/report.xml cannot be written: Not a directory.\nThe report is printed instead.\n" in outcome.stderr


@pytest.mark.parametrize("form", ["table", "json", "junit"])
def test_a_report_is_printed_whatever_was_answered_and_in_any_coding(
    home: Path, partner: Handler, config: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_PASSWORD", PASSWORD)
    texts = {"redirect_value": "\ud800 \x9b31m \x07 Zo\u00eb \u2026 ]]> <b>", "connection_id": "\udfff"}
    with serving_in_thread(faulty(partner, told(texts, never_error)())) as url:
        given = ("--partner-config", str(config), *CREDENTIALS, "--only", "P100,H101", "--format", form)
        stdout, stderr = io.TextIOWrapper(io.BytesIO(), "latin-1"), io.StringIO()
        environ = {"HOUSEKEYS_HOME": str(home)}
        code = run(["partner", "check", url, *given], environ, stdin=io.StringIO(), stdout=stdout, stderr=stderr)
    stdout.seek(0)
    report = stdout.read()
    assert (code, stderr.getvalue()) == (1, "2 cases: 1 passed, 1 failed\n")
    assert "redirect_value must be create_trial" in report
    assert not any(character in report for character in ("\x07", "\x9b", "\x1b"))
    match form:
        case "json":
            assert json.loads(report)["cases"][0]["exchanges"][0]["status"] == 200
        case "junit":
            assert ElementTree.fromstring(report).get("failures") == "1"  # noqa: S314 - our own report


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """As a terminal starts a command, whatever has started the tests (nohup ignores one); they are so afterwards."""
    usual: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler}
    usual |= dict.fromkeys((signal.SIGTERM, signal.SIGHUP), signal.SIG_DFL)
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    assert {number: signal.signal(number, before[number]) for number in usual} == usual


def interrupting(number: signal.Signals) -> Fault:
    """A fault that sends a signal to this process with every sign-in and every deletion."""

    async def fault(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if established(asked) or asked.path == DELETE:
            os.kill(os.getpid(), number)
        return reply

    return fault


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.usefixtures("usual_signals")
def test_a_signal_deletes_what_was_made_and_reports_what_was_found(check: Check, number: signal.Signals) -> None:
    """Twice at the same time is once: `timeout` sends its signal to the command, and to the group that it is in."""
    partner = MemoryPartner(POLICY)
    outcome = check("--only", "P100,P300,P400", "--json", handler=faulty(partner, interrupting(number)))
    assert outcome.code == 128 + number
    ended = {case["id"]: (case["outcome"], case["note"]) for case in outcome.json["cases"]}
    skipped = ("skipped", "the check was interrupted")
    assert ended == {"P100": ("passed", ""), "P300": skipped, "P400": skipped}
    assert outcome.stderr == f"3 cases: 1 passed, 2 skipped\nInterrupted by {number.name}.\n"
    assert left_behind(partner) == (0, 0)


@pytest.mark.usefixtures("usual_signals")
def test_a_signal_while_a_case_cleans_up_lets_it_finish(check: Check) -> None:
    partner = MemoryPartner(POLICY)
    outcome = check("--only", "P400,P600", "--json", handler=faulty(partner, interrupting(signal.SIGTERM)))
    assert outcome.code == 143
    ended = [(case["outcome"], case["left"]) for case in outcome.json["cases"]]
    assert ended == [("passed", []), ("skipped", [])]
    assert left_behind(partner) == (0, 0)


def test_a_signal_that_is_to_be_ignored_is(check: Check) -> None:
    """As nohup wants it of SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        outcome = check("--only", "P300", handler=faulty(MemoryPartner(POLICY), interrupting(signal.SIGHUP)))
    finally:
        assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN
    assert outcome.code == 0


ON_A_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
ANY_SECOND_SIGNAL = "from tui.cli import interruption; interruption.SAME_SECONDS = 0"
RUN = "import sys; from tui.cli.running import run; sys.exit(run(sys.argv[1:]))"


def started(before: str, url: str, config: Path, *words: str, **options: Any) -> subprocess.Popen[str]:
    """A check of P100 and P300 in a process of its own, which does something `before`."""
    given = ("partner", "check", url, "--partner-config", str(config), *CREDENTIALS, "--only", "P100,P300", *words)
    return subprocess.Popen([sys.executable, "-c", f"{before}; {RUN}", *given], text=True, **options)


def test_a_second_signal_ends_it_at_once_and_what_is_known_is_told(
    partner: Handler, config: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOUSEKEYS_HOME", str(home))

    async def hanging(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        signalled = asked.path == DELETE and len(deletions) > 0
        if established(asked) or signalled:
            process.send_signal(signal.SIGTERM)
        if signalled:
            await asyncio.Event().wait()
        deletions.extend([asked] * (asked.path == DELETE))
        return reply

    deletions: list[Asked] = []
    with serving_in_thread(faulty(partner, hanging)) as url:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = started(ANY_SECOND_SIGNAL, url, config, "--json", **streams)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    ended = {case["id"]: (case["outcome"], len(case["left"])) for case in json.loads(stdout)["cases"]}
    assert ended == {"P100": ("passed", 0), "P300": ("skipped", 1)}
    assert stderr == "2 cases: 1 passed, 1 skipped\nInterrupted by SIGTERM.\n"


def test_a_terminal_that_is_gone_ends_it_in_order(
    config: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOUSEKEYS_HOME", str(home))
    partner, report = MemoryPartner(POLICY), tmp_path / "report.json"
    screen, terminal = os.openpty()

    async def closing(asked: Asked, handler: Handler) -> Reply:
        reply = await handler(asked)
        if established(asked):
            os.close(screen)
        return reply

    with serving_in_thread(faulty(partner, closing)) as url:
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
        words = ("--format", "json", "--output", str(report))
        process = started(ON_A_TERMINAL, url, config, *words, start_new_session=True, **streams)
        os.close(terminal)
        assert process.wait(60) == 129
    assert [case["outcome"] for case in json.loads(report.read_text())["cases"]] == ["passed", "skipped"]
    assert left_behind(partner) == (0, 0)


def test_without_a_config_only_what_everybody_serves_is_called(
    housekeys: Housekeys, partner: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECT_PASSWORD", PASSWORD)
    with serving_in_thread(partner) as url:
        outcome = housekeys("partner", "check", url, *CREDENTIALS, "--json", "--only", "P1,P3,P5,P9,H4")
        alone = housekeys("partner", "check", url, "--json", "--only", "E,P1")
    assert outcome.code == 0
    ended = {case["id"]: (case["outcome"], case["note"]) for case in outcome.json["cases"]}
    assert ended["P100"] == ended["H401"] == ("passed", "")
    assert ended["P500"][0] == ended["P301"][0] == "manual"
    assert ended["P900"] == ("skipped", "there is no PartnerConfig to name endpoints.get_connectors_path")
    assert ended["P302-invite"] == ("skipped", "needs a PartnerConfig with new_user_action invite")
    assert alone.code == 0
    assert [case["outcome"] for case in alone.json["cases"]] == ["skipped", "skipped", "passed"]
    assert alone.json["cases"][0]["note"] == "needs the user and the password"


def test_the_list_calls_nobody(housekeys: Housekeys) -> None:
    outcome = housekeys("partner", "check", "--list", "--json", "--only", "p302,H703")
    assert outcome.code == 0
    assert [case["id"] for case in outcome.json] == [
        "P302-auto-add",
        "P302-error",
        "P302-invite",
        "P302-not-found",
        "H703",
    ]
    assert outcome.json[-1]["needs"] == ["credentials", "AUTH_OAUTH_U2M with an app in each workspace"]
    assert "H901" in housekeys("partner", "check", "--list").stdout


def test_a_certificate_is_checked_by_the_usual_authorities_and_one_more(
    housekeys: Housekeys, partner: Handler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = make_certificates(tmp_path, "nobody")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    with serving_in_thread(partner, context) as url:
        unknown = housekeys("partner", "check", url, "--only", "E100")
        known = housekeys("partner", "check", url, "--only", "E100", "--ca-file", str(certificates.ca))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
        besides = housekeys("partner", "check", url, "--only", "E100", "--ca-file", str(certificates.wrong_ca))
    assert unknown.code == 5
    assert "/connect cannot be reached (its certificate is not good: unable to get local issuer" in unknown.stderr
    assert (known.code, known.stderr) == (besides.code, besides.stderr) == (0, "1 case: 1 passed\n")


URL = "https://partner.acme.example"
WRONG: list[tuple[tuple[str, ...], int, str]] = [
    ((), 2, "There is no URL to check."),
    (("ftp://acme.example",), 2, "This is not the URL of a service."),
    (("https://acme.example?x=1",), 2, "The URL has a ? or a # in it."),
    (("https://u:geheim@acme.example",), 2, "The URL has a user in it."),
    (("http://acme.example",), 2, "the credentials would reach acme.example unprotected"),
    ((URL, "--only", "P999"), 4, "There is no case 'P999'."),
    ((URL, "--timeout", "0"), 2, "--timeout is from above 0"),
    ((URL, "--user", "a"), 2, "--user is there without its password."),
    ((URL, "--password-ref", "env:X"), 2, "--password-ref needs --user"),
    ((URL, "--user", "a", "--password-ref", "geheim"), 2, "A secret is never written here"),
    ((URL, "--partner-config", "/nowhere/partner.json"), 2, "cannot be read"),
    ((URL, "--ca-file", "/nowhere/ca.pem"), 2, "--ca-file /nowhere/ca.pem cannot be used: No such file or directory."),
    ((URL, "--output", "/"), 2, "/ is a folder."),
    ((URL, "--config", "partner.json"), 2, "The PartnerConfig is given by --partner-config FILE."),
    (("http://127.0.0.1:1", "--only", "E100"), 5, "http://127.0.0.1:1/connect cannot be reached (Connection refused)."),
    ((URL, "--dry-run"), 3, "--dry-run: a check makes partner connections at the service that it calls"),
    ((URL, "--read-only"), 3, "--list shows the cases, and calls nobody."),
]


@pytest.mark.parametrize(("words", "code", "message"), WRONG)
def test_what_cannot_be_done_says_why(housekeys: Housekeys, words: tuple[str, ...], code: int, message: str) -> None:
    outcome = housekeys("partner", "check", *words)
    assert outcome.code == code
    assert message in outcome.stderr
    assert outcome.stdout == ""
    assert "geheim" not in outcome.stderr


def test_a_wrong_config_is_told_whole(housekeys: Housekeys, tmp_path: Path) -> None:
    path = tmp_path / "partner.json"
    config: dict[str, Any] = json.loads(write_partner_config(replace(MemoryPartner(POLICY).config, hostnames=())))
    path.write_text(json.dumps({**config, "suports_demo": True}))
    outcome = housekeys("partner", "check", URL, "--partner-config", str(path))
    assert outcome.code == 2
    assert "hostnames is empty" in outcome.stderr
    assert "did you mean supports_demo?" in outcome.stderr
