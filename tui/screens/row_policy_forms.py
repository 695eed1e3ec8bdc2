"""The forms of the row policies screen: on which table, which rows, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.access.access_model import AccessModel, EntityKey
from core.access.entity_options import entity_name, read_clause
from core.access.model import EntityKind
from core.access.model_changes import name_text
from core.access.policies import PolicyName, RowPolicy
from core.access.render_policies import policy_names
from core.access_changes.as_written import need_condition, written_conditions
from core.clickhouse.errors import BadStatementError, UnknownNameError
from core.clickhouse.quoting import quote_identifier
from core.display import one_line
from core.errors import BadInputError, HousekeysError
from tui.screens.grant_forms import name_problem, wrong
from tui.screens.limit_forms import Telling, alteration_form, creation_form, found, read_to, to_field
from tui.screens.row_policy_rows import PERMISSIVE, RESTRICTIVE
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.clickhouse.engine import Engine
    from tui.screens.access_holders import Answering
    from tui.screens.access_reading import Access, Proposal
    from tui.screens.form import Form

KIND = EntityKind.ROW_POLICY
_NO_FILTER = "NONE"
_START = RowPolicy(PolicyName("", "", None))


def new_form(
    answering: Answering, access: Access, storages: Sequence[str], telling: Telling, like: EntityKey | None = None
) -> Form[Proposal]:
    """A new row policy, with all that another one has to begin with."""
    start: RowPolicy = _START if like is None else found(access.model, like)
    on = "" if like is None else policy_names([replace(start.name, short="x")]).removeprefix("x ON ")
    fields = (
        Field("name", "Name", start.name.short, required=True),
        Field("on", "On", on, required=True, check=lambda text: wrong(read_table, text),
              hint="database.table, or database.* for every table"),
        *_fields(access, start),
    )  # fmt: skip

    def read(values: Values, model: AccessModel) -> RowPolicy:
        name = replace(read_table(values["on"]), short=values["name"])
        if problem := name_problem(access, KIND, name):
            raise BadInputError(problem, advice="Give it another name, or another table.")
        return read_policy(name, values, model)

    def named(values: Values) -> PolicyName:
        return read_table(values["on"])

    heading = "New row policy" if like is None else f"Clone row policy {one_line(name_text(like.name), 60)}"
    form = creation_form(answering, access, heading, fields, read, storages, _ready, telling)
    return _judged(form, answering.session.engine, named)


def _ready(values: Values) -> bool:
    return bool(values["name"].strip() and values["on"].strip())


def edit_form(answering: Answering, access: Access, key: EntityKey, telling: Telling) -> Form[Proposal]:
    """What a row policy is, all but its name and its table."""
    before: RowPolicy = found(access.model, key)
    form = alteration_form(
        answering,
        access,
        key,
        _fields(access, before),
        lambda values, model: read_policy(before.name, values, model),
        telling=telling,
    )
    return _judged(form, answering.session.engine, lambda _values: before.name)


def _fields(access: Access, policy: RowPolicy) -> tuple[Field, ...]:
    return (
        Field("filter", "Filter", policy.condition or ("" if policy is _START else _NO_FILTER), required=True,
              check=lambda text: wrong(read_filter, text),
              hint="The condition of the rows that are seen: region = 1 AND amount > 5. 1 is every row, 0 none."),
        Field("kind", "Kind", RESTRICTIVE if policy.restrictive else PERMISSIVE, kind="choice",
              choices=(PERMISSIVE, RESTRICTIVE),
              hint="Seen are rows that fit any of the permissive policies and all of the restrictive ones."),
        to_field(access, KIND, policy.to, "it filters for nobody"),
    )  # fmt: skip


# -- what ClickHouse says of a filter


def _judged(form: Form[Proposal], engine: Engine, named: Callable[[Values], PolicyName]) -> Form[Proposal]:
    """The form, in which ClickHouse is asked about the filter: whether it is one, and fits the table."""
    preview = form.preview

    async def previewed(values: Values) -> str:
        text = "" if preview is None else await preview(await _as_written(engine, values))
        doubt = await doubt_of(engine, named(values), read_filter(values["filter"])) if text else ""
        return "\n".join([f"! {doubt}", text] if doubt else [text])

    async def submit(values: Values) -> Proposal:
        await need_condition(engine, read_filter(values["filter"]))
        return await form.submit(await _as_written(engine, values))

    return replace(form, preview=previewed, submit=submit)


async def _as_written(engine: Engine, values: Values) -> Values:
    """What was typed, with the filter as ClickHouse writes it: so it is compared with what there is."""
    condition = read_filter(values["filter"])
    if condition is None:
        return values
    written = await written_conditions(engine, [condition])
    return {**values, "filter": written.get(condition, condition)}


async def doubt_of(engine: Engine, name: PolicyName, condition: str | None) -> str:
    """What ClickHouse finds wrong with a condition on a table: a column, or the table, that is not there.

    Empty when nothing, and when the table may not be read.
    """
    if condition is None:
        return ""
    try:
        await need_condition(engine, condition)
        if name.table is not None:
            place = f"{quote_identifier(name.database)}.{quote_identifier(name.table)}"
            await engine.query(f"EXPLAIN SELECT 1 FROM {place} WHERE ({condition}\n)")  # noqa: S608  (it only explains)
    except (BadStatementError, UnknownNameError) as error:
        return one_line(error.message.partition(" In scope ")[0], 200)
    except BadInputError as error:
        return error.message
    except HousekeysError:
        return ""
    return ""


# -- what was typed


def read_policy(name: PolicyName, values: Values, model: AccessModel) -> RowPolicy:
    """The row policy that was typed. Raises BadInputError."""
    return RowPolicy(
        name, read_filter(values["filter"]), values["kind"] == RESTRICTIVE, read_to(KIND, values["to"], model)
    )


def read_filter(text: str) -> str | None:
    """The condition of the rows; None for NONE. Raises BadInputError that names the column."""
    if not text.strip():
        raise BadInputError("The filter is missing.", advice="Write 1 for every row, NONE for no filter at all.")
    condition: str | None = read_clause(KIND, "The filter", "USING", text, "using", "condition").condition
    return condition


def read_table(text: str) -> PolicyName:
    """The table of a policy, as the name of one. Raises BadInputError for what is none, or has no database."""
    try:
        name = entity_name(KIND, f"x ON {text.strip()}")
    except BadInputError:
        name = None
    if not isinstance(name, PolicyName):
        raise BadInputError("This is no table with its database.", advice="Write database.table, or database.*")
    return name
