"""`housekeys connection` with texts: documents, import, lint."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import BadInputError, ExitCode, NotFoundError
from tui.cli.arguments import Frame
from tui.cli.connection_options import (
    NAME_HELP,
    add_definition_options,
    add_syntax_option,
    chosen_syntax,
    defines_all,
    refuse_wrong,
    wanted,
)

if TYPE_CHECKING:
    from core.lakehouse.documents import RoleDocuments
    from core.lakehouse.findings import Finding
    from core.lakehouse.provisioning.plan import Wanted
    from core.lakehouse.state import ConnectionState
    from tui.cli.context import Context

LARGEST_FILE = 4 * 1024 * 1024  # bytes of a script, or of a text that is linted


def add_verbs(verbs: argparse._SubParsersAction[argparse.ArgumentParser], frame: Frame) -> None:
    """Add these verbs."""
    documents = frame.verb(
        verbs,
        "documents",
        show_documents,
        "the policies, the trust policy and the statement, ready to paste; nothing is changed",
        description="Print what the cloud and the Lakehouse need for a connection: the permission\n"
        "policies, the trust policy of the role, and CREATE API CONNECTION. Of a\n"
        "connection that is known, or of any that the options define; then no engine is\n"
        "needed. The trust policy asks for the external id that is known or given;\n"
        "before that for 000000, which nobody has, so that the role is closed from the\n"
        "beginning.",
        examples=(
            "housekeys connection documents udf_conn",
            "housekeys connection documents udf_conn --format cli",
            "housekeys connection documents trial --provider aws --region us-east-1 "
            "--role-arn arn:aws:iam::123456789012:role/LakehouseUdf --bucket my-code --scope least --format json",
        ),
    )
    documents.add_argument("name", metavar="NAME", help=NAME_HELP)
    documents.add_argument("--external-id", metavar="ID", help="as DESC CONNECTION tells it")
    documents.add_argument(
        "--format", choices=("json", "cli"), default=None,
        help="json: all as one JSON object; cli: commands of aliyun, tccli or aws; else each document with its title",
    )  # fmt: skip
    add_definition_options(documents)
    add_syntax_option(documents)
    documents.add_argument(
        "--if-not-exists", action="store_true", help="let the statement pass where the connection is there already"
    )
    adopt = frame.verb(
        verbs,
        "import",
        import_file,
        "look after connections that exist: take their definitions from a script",
        description="Take over each CREATE API CONNECTION of a script of SQL: it is defined here as\n"
        "it is there, and nothing is run. Everything that is wrong with it is told;\n"
        "with an error nothing is taken over. Then verify tells how each stands.",
        examples=("housekeys connection import connections.sql", "housekeys --dry-run connection import all.sql"),
    )
    adopt.add_argument("file", metavar="FILE", help="statements that semicolons end; - is standard input")
    adopt.add_argument("--scope", choices=("documented", "least"), default="documented", help="of their policies")
    lint = frame.verb(
        verbs,
        "lint",
        lint_file,
        "what is wrong in a script, a policy document or a page about connections; needs no engine",
        description="Lint a script of SQL, policy documents, or prose with both in it (a runbook, a\n"
        "page of documentation). Exit code 1: there are errors. With --fix the text\n"
        "goes to stdout with all that can be corrected mechanically, and the findings\n"
        "to stderr; FILE stays as it is.",
        examples=(
            "housekeys connection lint connections.sql",
            "housekeys connection lint runbook.md --json",
            "housekeys connection lint connections.sql --fix",
        ),
    )
    lint.add_argument("file", metavar="FILE", help="- is standard input")
    lint.add_argument("--fix", action="store_true", help="print the corrected text; no file is written")


# -- documents


async def show_documents(context: Context) -> None:
    """Handle `connection documents`."""
    from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID

    asked, state = await _asked(context)
    for note in refuse_wrong(asked):
        context.output.message(f"Note: {note}")
    if left_out := _left_out(asked):
        context.output.message("\n  ".join(("What the documented policies allow and these do not:", *left_out)))
    given: str | None = context.arguments.external_id
    external_id = (state.external_id if state else "") if given is None else given
    known = external_id != "" or given is not None
    documents = asked.documents(external_id if known else PLACEHOLDER_EXTERNAL_ID)
    form = "json" if context.output.json else context.arguments.format
    if form == "cli":
        _print_commands(context, asked, documents, role_is_there=known and (state is None or state.trusted is not None))
    elif form == "json":
        context.output.data(_documents_value(context, asked, documents, external_id))
    else:
        _print_documents(context, asked, documents)
    if not known:
        context.output.message(
            f"The trust policy asks for {PLACEHOLDER_EXTERNAL_ID}, which nobody has. When DESC CONNECTION has told the "
            "external id: the same with --external-id ID."
        )


async def _asked(context: Context) -> tuple[Wanted, ConnectionState | None]:
    """What the documents are for, and what is known of it. Where the options say all, no engine is needed."""
    from core.lakehouse.provisioning.plan import Wanted

    arguments = context.arguments
    if defines_all(arguments):
        return wanted(arguments), None
    session = await context.session()
    try:
        state = await session.connections.state(arguments.name)
    except NotFoundError as error:
        options = "--provider, --region, --role-arn and --bucket"
        raise NotFoundError(error.message, advice=f"{error.advice} Or say what it is to be: {options}.") from None
    return wanted(arguments, Wanted.of(state)), state


def _left_out(asked: Wanted) -> Sequence[str]:
    """What the least policies do not allow."""
    from core.lakehouse.documents import PolicyScope
    from core.lakehouse.policies.cloud_documents import least_leaves_out

    return least_leaves_out(asked.connection.provider) if asked.scope is PolicyScope.LEAST else ()


def _statement(context: Context, asked: Wanted) -> str:
    from core.lakehouse.sql.statement_rendering import create_statement, render

    arguments = context.arguments
    statement, decided = create_statement(
        asked.connection, if_not_exists=arguments.if_not_exists, syntax=chosen_syntax(arguments)
    )
    for finding in decided:
        context.output.message(f"Note: {finding.message}")
    return f"{render(statement)};"


def _print_documents(context: Context, asked: Wanted, documents: RoleDocuments) -> None:
    from core.lakehouse.policies.cloud_documents import document_text

    for permission in documents.permissions:
        name, purpose = permission.policy.name, permission.purpose
        if permission.document is None:
            context.output.message(f"Policy {name}, which the cloud provides; only attach it. {purpose}\n")
        else:
            _print_text(context, f"Policy {name}. {purpose}", document_text(permission.document))
    _print_text(context, f"Trust policy of the role {documents.role}:", document_text(documents.trust))
    _print_text(context, "Statement for the Lakehouse:", _statement(context, asked))


def _print_text(context: Context, title: str, text: str) -> None:
    from core.display import plain_lines

    context.output.message(title)
    context.output.text(plain_lines(text))
    context.output.stdout.flush()  # so that the titles stay beside the texts where both go to one place
    context.output.message("")


def _print_commands(context: Context, asked: Wanted, documents: RoleDocuments, *, role_is_there: bool) -> None:
    from core.display import plain_lines
    from core.lakehouse.policies.cloud_commands import (
        commands_text,
        policy_commands,
        provisioning_commands,
        trust_commands,
    )

    connection = asked.connection
    if role_is_there:
        commands = (*policy_commands(connection, documents), *trust_commands(connection, documents))
        context.output.message("The role is there: these put its policies and its trust policy right.")
    else:
        commands = provisioning_commands(connection, documents)
    context.output.text(plain_lines(commands_text(commands).rstrip("\n")))


def _documents_value(context: Context, asked: Wanted, documents: RoleDocuments, external_id: str) -> dict[str, Any]:
    return {
        "name": asked.name,
        "role": documents.role,
        "account": documents.account,
        "external_id": external_id,
        "policies": [
            {
                "name": permission.policy.name,
                "provided_by_cloud": permission.policy.provided,
                "purpose": permission.purpose,
                "document": permission.document,
            }
            for permission in documents.permissions
        ],
        "trust": documents.trust,
        "statement": _statement(context, asked),
    }


# -- scripts


async def import_file(context: Context) -> None:
    """Handle `connection import`."""
    from core.lakehouse.documents import PolicyScope
    from core.lakehouse.provisioning.adopting import read_definitions
    from tui.cli.given_files import given_text, name_of

    source: str = context.arguments.file
    read = read_definitions(await given_text(context, source, LARGEST_FILE))
    _print_findings(_rows(name_of(source), read.findings), context.output.message)
    if read.errors:
        raise BadInputError(
            f"{name_of(source)} has errors; nothing was taken over.", advice="Correct what is named above."
        )
    if not read.connections:
        raise BadInputError(f"{name_of(source)} has no CREATE API CONNECTION.", advice="Nothing was taken over.")
    session = await context.session()
    change = await session.connections.plan_adopt(read.connections, PolicyScope(context.arguments.scope))
    names = [event.subject for step in change.steps for event in step.events]
    change_id = None
    if change.steps or context.arguments.dry_run:
        change_id = (await context.carry_out(change)).change_id
        _tell_taken_over(context, names, read.passed_over)
    else:
        context.output.message(f"{change.title}.")
    if context.output.json:
        context.output.data({"change": change_id, "adopted": names})


def _tell_taken_over(context: Context, names: Sequence[str], passed_over: int) -> None:
    number = len(names)
    context.output.message(f"{names[0] if number == 1 else f'{number:,} connections'}: looked after from now on.")
    if passed_over:
        context.output.message(f"Other statements of the file, passed over: {passed_over:,}.")
    context.output.message("How they stand: housekeys connection verify. What is next: housekeys connection list")


# -- lint


async def lint_file(context: Context) -> None:
    """Handle `connection lint`."""
    import asyncio

    from core.lakehouse.findings import Severity
    from core.lakehouse.lint.statement_lint import fixed_text, lint_text
    from tui.cli.given_files import given_text, name_of

    source: str = context.arguments.file
    text = await given_text(context, source, LARGEST_FILE)
    findings = await asyncio.to_thread(lint_text, text, source)
    rows = _rows(name_of(source), findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        context.exit_code = ExitCode.FAILED
    if context.arguments.fix:
        fixed = await asyncio.to_thread(fixed_text, text, source)
        if context.output.json:
            context.output.data({"findings": rows, "text": fixed})
        else:
            _print_findings(rows, context.output.message)
            context.output.stdout.write(fixed)
    elif context.output.json:
        context.output.data(rows)
    else:
        _print_findings(rows, context.output.text)
        if not rows:
            context.output.message("Nothing was found.")


def _rows(file: str, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "file": file,
            "line": finding.line or None,
            "column": finding.column or None,
            "severity": finding.severity,
            "id": finding.code,
            "message": finding.message,
            "advice": finding.advice,
            "field": finding.field,
            "fixed_by_fix": finding.fix is not None,
        }
        for finding in findings
    ]


def _print_findings(rows: Sequence[dict[str, Any]], line: Callable[[str], None]) -> None:
    from core.display import one_line

    for row in rows:
        place = f"{row['file']}:{row['line'] or 1}:{row['column'] or 1}"
        line(one_line(f"{place}: {row['severity'].value}: {row['message']} [{row['id']}]"))
        if row["advice"]:
            line(one_line(f"    {row['advice']}"))
        if row["fixed_by_fix"]:
            line("    Fix: --fix corrects it.")
