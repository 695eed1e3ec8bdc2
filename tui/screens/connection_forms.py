"""The forms of the screen of API connections: define, edit, remove, take from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.display import count, one_line
from core.errors import BadInputError
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PolicyScope
from core.lakehouse.findings import Finding
from core.lakehouse.policies.cloud_documents import least_leaves_out
from core.lakehouse.provisioning.adopting import Definitions, read_definitions
from core.lakehouse.provisioning.ending import NEW_ID
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.rules.regions import regions
from core.lakehouse.rules.validation import (
    DEFAULT_NAMESPACE,
    code_bucket_finding,
    comment_finding,
    connection_name_finding,
    namespace_finding,
    region_finding,
    role_arn_finding,
)
from core.lakehouse.sql.statement_rendering import create_statement, render
from core.lakehouse.state import ConnectionState
from tui.screens.chooser import ChooserScreen, Option
from tui.screens.connection_rows import SCOPES
from tui.screens.form import Form, FormScreen
from tui.screens.tenant_forms import read_file, shortened
from tui.widgets.fields import Field, Remark, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.api_connections import ApiConnections

LARGEST_SCRIPT: Final = 4 * 1024 * 1024
KEEP_ROLE, END_ROLE = "keep the role", "delete the role too"
_CLOUDS: Final = {provider.cloud: provider for provider in Provider}
_SCOPES: Final = {words: scope for scope, words in SCOPES.items()}
_FINDINGS_SHOWN = 6
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done for the connection `name`."""

    name: str
    change: Change


# -- define and edit


def new_form(
    connections: ApiConnections, known: Collection[str] = (), start: ApiConnection | None = None
) -> Form[Planned]:
    """A new connection; `known` are the names that are taken, `start` is what the fields hold at first."""

    def named(values: Values) -> Remark | None:
        if values["name"].strip() in known:
            return Remark("There is a connection of this name here already: e edits it.")
        return _remark(connection_name_finding(values["name"].strip()))

    async def submit(values: Values) -> Planned:
        wanted = wanted_of(values)
        return Planned(wanted.name, await connections.plan_create(wanted))

    async def preview(values: Values) -> str:
        return _creation(values) if _ready(values) else ""

    name = Field("name", "Name", start.name if start else "", required=True, judge=named, hint="Like udf_conn.")
    fields = (name, *_fields(Wanted(start) if start else None))
    return Form("New API connection", fields, submit, preview, preview_title="This would be created:", docked=True)


def edit_form(connections: ApiConnections, state: ConnectionState) -> Form[Planned]:
    """Another definition of a connection, which is dropped for it unless only its policies change."""
    before = Wanted.of(state)

    async def plan(wanted: Wanted) -> Change:
        if is_dropped(state, wanted):
            return await connections.plan_recreate(state.name, wanted)
        return await connections.plan_create(wanted)

    async def submit(values: Values) -> Planned:
        return Planned(state.name, await plan(wanted_of(values, before)))

    async def preview(values: Values) -> str:
        if not _ready(values):
            return ""
        wanted = wanted_of(values, before)
        if is_dropped(state, wanted):
            same = "! Nothing is another: it would be dropped, and created as it is." if wanted == before else ""
            return "\n".join(filter(None, (same, f"DROP CONNECTION, and then:\n{_creation(values, before)}")))
        if wanted.connection != state.connection:
            return _creation(values, before)
        return "\n".join(("Nothing is dropped.", *_scope_words(wanted)))

    intro = f"There is no ALTER CONNECTION: it is dropped and created anew. {NEW_ID}" if state.created else ""
    return Form(
        f"Edit API connection {one_line(state.name, 60)}", _fields(before), submit, preview, intro=intro,
        preview_title="This would happen:", docked=True,
    )  # fmt: skip


def is_dropped(state: ConnectionState, wanted: Wanted) -> bool:
    """Whether a connection has to be dropped to become as `wanted`: not if only policies change."""
    return state.created is not None and (wanted.connection != state.connection or wanted == Wanted.of(state))


def _fields(start: Wanted | None) -> tuple[Field, ...]:
    connection = start.connection if start is not None else ApiConnection("", Provider.ALIYUN, "", "", "")
    return (
        Field("cloud", "Cloud", connection.provider.cloud, kind="choice", choices=tuple(_CLOUDS),
              hint="Where its functions run."),
        Field("region", "Region", connection.region, required=True, choose=_choose_region, single=True,
              judge=_judge("region", region_finding),
              hint="Of the functions, the bucket and the Lakehouse: one for all. ctrl+o lists those there are."),
        Field("role_arn", "Role ARN", connection.role_arn, required=True, judge=_judge_role,
              hint="Of a role in your account; it need not be there yet."),
        Field("code_bucket", "Code bucket", connection.code_bucket, required=True,
              judge=_judge("code_bucket", code_bucket_finding), hint="The bucket with the code of the functions."),
        Field("more_buckets", "Further buckets", ", ".join(start.more_buckets) if start else "",
              judge=_judge_buckets, hint="Others that the functions may use, with commas between them."),
        Field("namespace", "Namespace", connection.namespace or DEFAULT_NAMESPACE, required=True,
              judge=_judge("namespace", namespace_finding),
              shown_if=lambda values: provider_of(values) is Provider.TENCENT, hint="That of the functions."),
        Field("scope", "Policies", SCOPES[start.scope if start else PolicyScope.DOCUMENTED], kind="choice",
              choices=tuple(_SCOPES), hint="What the vendor's documentation asks for, or only what its calls need."),
        Field("comment", "Comment", connection.comment,
              judge=lambda values: _remark(comment_finding(values["comment"].strip())),
              hint="Only the older form of the statement, with properties, has room for it."),
    )  # fmt: skip


def provider_of(values: Values) -> Provider:
    """The cloud that is chosen."""
    return _CLOUDS[values["cloud"]]


def _judge(field: str, check: Callable[[Provider, str], Finding | None]) -> Callable[[Values], Remark | None]:
    return lambda values: _remark(check(provider_of(values), values[field].strip()))


def _judge_role(values: Values) -> Remark | None:
    return _remark(role_arn_finding(provider_of(values), values["role_arn"].strip(), values["region"].strip()))


def _judge_buckets(values: Values) -> Remark | None:
    found = (code_bucket_finding(provider_of(values), bucket) for bucket in _listed(values["more_buckets"]))
    wrong = next(filter(None, found), None)
    return _remark(replace(wrong, message=wrong.message.replace("code bucket", "bucket")) if wrong else None)


def _remark(finding: Finding | None) -> Remark | None:
    if finding is None:
        return None
    return Remark(f"{finding.message} {finding.advice}".strip(), finding.severity.value)


def _choose_region(form: FormScreen[object], put: Callable[[str], None]) -> None:
    provider = provider_of(form.values)
    options = [Option(region, region) for region in sorted(regions(provider).partitions)]
    page = ChooserScreen("+", f"a region of {provider.cloud}", options)
    form.app.push_screen(page, lambda region: put(region) if region else None)


def wanted_of(values: Values, before: Wanted | None = None) -> Wanted:
    """What was typed. `before` has the name, and what is not asked."""
    provider = provider_of(values)
    kept = before is not None and before.connection.provider is provider
    connection = ApiConnection(
        before.name if before is not None else values["name"].strip(),
        provider,
        values["region"].strip(),
        values["role_arn"].strip(),
        values["code_bucket"].strip(),
        values.get("namespace", before.connection.namespace if before is not None and kept else "").strip(),
        values["comment"].strip(),
    )
    suffix = before.policy_suffix if before is not None else ""
    return Wanted(connection, _SCOPES[values["scope"]], tuple(_listed(values["more_buckets"])), suffix)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _ready(values: Values) -> bool:
    needed = ("region", "role_arn", "code_bucket", *(["name"] if "name" in values else []))
    return all(values[field].strip() for field in needed)


def _creation(values: Values, before: Wanted | None = None) -> str:
    """The statement that creates it, and what is to be said of it."""
    wanted = wanted_of(values, before)
    statement, decided = create_statement(wanted.connection)
    return "\n".join((f"{render(statement)};", *(f"! {each.message}" for each in decided), *_scope_words(wanted)))


def _scope_words(wanted: Wanted) -> list[str]:
    documents = wanted.documents()
    names = ", ".join(permission.policy.name for permission in documents.permissions)
    lines = [f"Role {documents.role} with {names}."]
    if wanted.scope is PolicyScope.LEAST:
        lines += [f"! Not allowed: {words}" for words in least_leaves_out(wanted.connection.provider)[:-1]]
    return lines


# -- remove


def remove_form(connections: ApiConnections, state: ConnectionState) -> Form[Change]:
    """The end of a connection; what becomes of its role is asked where Housekeys may delete it."""

    async def plan(values: Values) -> Change:
        return await connections.plan_remove(state.name, keep_role=values.get("role") == KEEP_ROLE)

    async def preview(values: Values) -> str:
        return shortened(await plan(values))

    deletes = connections.reach.provisions(state.connection.provider)
    field = Field("role", "Its role", END_ROLE, kind="choice", choices=(END_ROLE, KEEP_ROLE),
                  shown_if=lambda _values: deletes,
                  hint="With the role go the policies that were made for it alone.")  # fmt: skip
    return Form(
        f"Remove API connection {one_line(state.name, 60)}", (field,), plan, preview,
        preview_title="This would happen:",
    )  # fmt: skip


# -- from a file


def import_form(connections: ApiConnections) -> Form[Change]:
    """Takes definitions from a script of SQL; what is wrong in it is shown while its path is typed."""

    async def read(values: Values) -> Definitions:
        path = await asyncio.to_thread(Path(values["path"].strip()).expanduser)
        content = await asyncio.to_thread(read_file, path, LARGEST_SCRIPT)
        return await asyncio.to_thread(read_definitions, content.decode("utf-8-sig", "replace"))

    async def submit(values: Values) -> Change:
        found = await read(values)
        if not found.connections:
            raise BadInputError(
                "There is no CREATE API CONNECTION of a cloud's functions in this file.",
                advice="\n".join(map(_finding_words, found.errors[:1])),
            )
        return await connections.plan_adopt(found.connections, _SCOPES[values["scope"]])

    async def preview(values: Values) -> str:
        return "\n".join(definition_words(await read(values))) if values["path"].strip() else ""

    fields = (
        Field("path", "File", required=True, hint="A script of SQL with CREATE API CONNECTION, in either form."),
        Field("scope", "Policies", SCOPES[PolicyScope.DOCUMENTED], kind="choice", choices=tuple(_SCOPES),
              hint="What their roles should be allowed; v then tells what is otherwise."),
    )  # fmt: skip
    intro = "They are looked after from then on. Nothing is created, in the cloud or in the Lakehouse."
    return Form(
        "Take API connections from a file", fields, submit, preview, intro=intro, preview_title="It has:", docked=True
    )


def definition_words(found: Definitions) -> list[str]:
    """What a script has: its connections on a line, then what was found."""
    names = [f"{one_line(each.name, 40)} ({each.provider.value})" for each in found.connections[:_NAMED]]
    more = len(found.connections) - len(names)
    lines = [", ".join(names) + (f" and {count(more)} more" if more else "")] if names else []
    if found.passed_over:
        many = "statement is" if found.passed_over == 1 else "statements are"
        lines.append(f"{count(found.passed_over)} other {many} passed over.")
    lines += [f"! {_finding_words(finding)}" for finding in found.findings[:_FINDINGS_SHOWN]]
    unsaid = len(found.findings) - _FINDINGS_SHOWN
    return [*lines, *([f"! and {count(unsaid)} more"] if unsaid > 0 else [])] or ["No definition of an API connection."]


def _finding_words(finding: Finding) -> str:
    where = f"line {finding.line}: " if finding.line else ""
    return f"{where}{finding.message} {finding.advice}".strip()
