"""`housekeys partner check`: checks any implementation of the Connect API. No profile is needed, and no ClickHouse."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import BadInputError, ExitCode, HousekeysError, RefusedError
from tui.cli.arguments import Frame

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from datetime import datetime

    from core.partner.checker.case import Case
    from core.partner.checker.running import Result
    from core.partner.checker.subject import Subject
    from core.partner.messages.partner_config import PartnerConfig
    from core.secrets import Secret
    from tui.cli.context import Context

FORMATS = ("table", "json", "junit")
LONGEST_CONFIG = 256 * 1024  # bytes


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add the verb."""
    parser = frame.verb(
        verbs,
        "check",
        check_partner,
        "check any implementation of the Connect API over HTTP",
        description="Check an implementation of the Connect API, whosever it is: call it as\n"
        "Databricks does, and judge every answer. All documented test cases are gone\n"
        "through (P, E, R and D: also those that the certification suite lost in 2024),\n"
        "and what the suite never tested (H): bad requests, ownership, ids of 64 bits,\n"
        "OAuth, links, nulls.\n\n"
        "The PartnerConfig says which endpoints there are and what to expect. Without\n"
        "one, connect and delete-connection are called at their usual paths, and the\n"
        "cases that need more are skipped. Users and workspaces are made up. Partner\n"
        "connections that were made are deleted again, as are users at\n"
        "databricks-test.com; accounts of made-up domains stay, for no endpoint removes\n"
        "them: check a staging system.\n\n"
        "A case is passed, failed, passed with warnings (what is wise, and nobody\n"
        "demands), manual (what to do is told) or skipped (why is told). A request takes\n"
        "65 s at most, 60 s (--timeout) to the end of the headers and 5 s for the body;\n"
        "after three cases in a row without an answer in time the rest is skipped.\n\n"
        "The exit code is 0 if no case has failed, 1 if one has, and 5 if nobody answers\n"
        "at all. "
        "After Ctrl-C, SIGTERM, or SIGHUP of a terminal that is gone, what was\n"
        "made is deleted and what was found is reported; the exit code is 130, 143 or\n"
        "129 then, and a second signal ends it at once. No secret is in a report.",
        examples=(
            "housekeys partner check https://staging.example.com/databricks --partner-config partner.json "
            "--user databricks --password-ref env:CONNECT_PASSWORD",
            "housekeys partner check http://localhost:8085 --user databricks --password-ref prompt --only P100,P300,H3",
            "housekeys partner check https://staging.example.com --partner-config partner.json --user databricks "
            "--password-ref file:/run/secrets/connect --format junit --output report.xml",
            "housekeys partner check --list",
        ),
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="the base URL, before the paths of the endpoints")
    parser.add_argument(
        "--partner-config", metavar="FILE", help="the PartnerConfig.json (- reads standard input): what to expect"
    )
    parser.add_argument("--user", default="", metavar="USER", help="of the Basic credential that Databricks calls by")
    parser.add_argument(
        "--password-ref", metavar="REF", help="its password: env:NAME, file:PATH, command:PROGRAM ... or prompt"
    )
    parser.add_argument(
        "--only", default="", metavar="IDS", help="these cases: P100,P302 (or all that begin alike: P4,H3)"
    )
    parser.add_argument("--list", action="store_true", help="list the cases and what they need; call nobody")
    parser.add_argument("--format", choices=FORMATS, default=None, help="of the report (default: table; --json: json)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report there and not to standard output")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="for all headers of an answer (default: 60, as Databricks)",
    )
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="a CA to trust besides the usual ones")
    parser.add_argument(
        "--insecure-http", action="store_true", help="call http:// on another machine: the password goes unprotected"
    )


async def check_partner(context: Context) -> int:
    """Handle `partner check`."""
    from datetime import UTC, datetime

    from core.partner.checker.catalogue import chosen
    from core.partner.checker.running import Outcome, check
    from tui.cli.interruption import Interruption

    arguments = context.arguments
    _refuse_profile_file(arguments)
    cases = chosen([name.strip() for name in arguments.only.split(",") if name.strip()])
    if arguments.list:
        _list(context, cases)
        return ExitCode.DONE
    _refuse_calling_nothing(context)
    if arguments.output is not None and arguments.output.is_dir():
        raise BadInputError(f"{arguments.output} is a folder.", advice="Name a file for --output.")
    subject = await _subject(context)
    began = datetime.now(UTC)
    if context.interactive:
        what = "1 case" if len(cases) == 1 else f"{len(cases)} cases"
        context.output.message(f"Checking {subject.base_url}: {what}, one call after the other.")
    results: list[Result] = []
    checking = asyncio.create_task(check(subject, cases, verify=_verify(arguments.ca_file), results=results))
    interruption = Interruption(checking)
    with interruption.on_signals():
        try:
            await checking
        except asyncio.CancelledError:
            if interruption.by is None:
                raise
            interruption.begin_to_tell()
            context.exit_code = 128 + interruption.by  # should nobody read the report any more
            _report(context, subject, results, began)  # of what was checked till then
            context.output.message(f"Interrupted by {interruption.by.name}.")
            return interruption.exit_code()
    context.exit_code = ExitCode.FAILED if any(each.outcome is Outcome.FAILED for each in results) else ExitCode.DONE
    _report(context, subject, results, began)
    return context.exit_code


def _refuse_profile_file(arguments: argparse.Namespace) -> None:
    if arguments.config is not None:
        raise BadInputError(
            "--config names the file with the profiles, which a check does not read.",
            advice="The PartnerConfig is given by --partner-config FILE.",
        )


def _refuse_calling_nothing(context: Context) -> None:
    option = "--dry-run" if context.arguments.dry_run else "read-only" if context.read_only_flag else ""
    if option:
        raise RefusedError(
            f"{option}: a check makes partner connections at the service that it calls, and deletes them.",
            advice="--list shows the cases, and calls nobody.",
        )


def _list(context: Context, cases: Sequence[Case]) -> None:
    from tui.cli.output import Column

    context.output.rows(
        (
            Column("id", "ID"),
            Column("origin", "ORIGIN"),
            Column("title", "TITLE"),
            Column("needs", "NEEDS", show=_needs),
        ),
        [
            {
                "id": case.id,
                "origin": case.origin.value,
                "title": case.title,
                "needs": [need.words for need in case.all_needs],
                "by_hand": case.by_hand,
            }
            for case in cases
        ],
    )


def _needs(words: list[str]) -> str:
    return ", ".join(words) or "-"


async def _subject(context: Context) -> Subject:
    from core.partner.checker.running import subject_url
    from core.partner.checker.subject import Limits, Subject

    arguments = context.arguments
    if arguments.url is None:
        raise BadInputError("There is no URL to check.", advice="As housekeys partner check https://HOST/PATH.")
    if not 0 < arguments.timeout <= 3600:
        raise BadInputError("--timeout is from above 0 to 3600 seconds.", advice="Databricks waits for 60.")
    url = subject_url(arguments.url, insecure_http=arguments.insecure_http)
    config = await _partner_config(context)
    password = await _password(context)
    limits = Limits(answer=arguments.timeout)
    return Subject(url, config, arguments.user, password, arguments.insecure_http, limits)


async def _partner_config(context: Context) -> PartnerConfig | None:
    from core.partner.messages.partner_config_reading import read_partner_config
    from tui.cli.given_files import given_content

    source: str | None = context.arguments.partner_config
    return None if source is None else read_partner_config(await given_content(context, source, LONGEST_CONFIG))


async def _password(context: Context) -> Secret | None:
    from core.secrets import SecretReference

    arguments = context.arguments
    if arguments.password_ref is None:
        if arguments.user:
            raise BadInputError("--user is there without its password.", advice="Add --password-ref env:NAME.")
        return None
    reference = SecretReference.parse(arguments.password_ref)
    if not arguments.user or ":" in arguments.user:
        raise BadInputError("--password-ref needs --user, without a colon in it.")
    prompt = context.prompt_secret if context.interactive else None
    return await reference.resolve(prompt, label=f"Password of {arguments.user}")


def _verify(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    import ssl

    try:
        context = ssl.create_default_context()  # the usual ones too: users may be led to another host
        context.load_verify_locations(cafile=ca_file)
        return context
    except OSError as error:  # an SSLError is one too
        reason = error.strerror or "it holds no certificate"
        raise BadInputError(f"--ca-file {ca_file} cannot be used: {reason}.") from None


def _report(context: Context, subject: Subject, results: Sequence[Result], began: datetime) -> None:
    from core.files import write_private
    from core.partner.checker.reporting import summary

    arguments = context.arguments
    text = _report_text(context, subject, results, began)
    failure: OSError | None = None
    if arguments.output is not None:
        try:
            write_private(arguments.output.absolute(), text.encode("utf-8", "backslashreplace"))
            context.output.message(f"The report is in {arguments.output}.")
        except OSError as error:
            failure = error
    if arguments.output is None or failure is not None:
        coding = context.output.stdout.encoding or "utf-8"
        context.output.stdout.write(text.encode(coding, "backslashreplace").decode(coding))
    context.output.message(summary(results))
    if failure is not None:
        message = f"--output {arguments.output} cannot be written: {failure.strerror}."
        raise HousekeysError(message, advice="The report is printed instead.")


def _report_text(context: Context, subject: Subject, results: Sequence[Result], began: datetime) -> str:
    from core.partner.checker.reporting import as_json, as_junit, report_lines
    from tui.cli.output import Column, Output

    form = context.arguments.format or ("json" if context.output.json else "table")
    if form == "junit":
        return as_junit(subject, results, began).decode("ascii")
    if form == "json":
        # In ASCII: a partner's texts may hold half characters, and what a terminal obeys.
        return json.dumps(as_json(subject, results, began), indent=2) + "\n"
    written = io.StringIO()
    output = Output(written, context.output.stderr)
    columns = (Column("id", "ID"), Column("outcome", "OUTCOME"), Column("title", "TITLE"))
    output.rows(
        columns,
        [{"id": each.case.id, "outcome": each.outcome.value, "title": each.case.title} for each in results],
    )
    for line in report_lines(results):
        output.text(line)
    return written.getvalue()
