"""External functions from the screen of API connections: creating one that runs through a connection, dropping one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.display import one_line
from core.lakehouse.connections import ExternalFunction
from core.lakehouse.sql.statement_rendering import render
from core.lakehouse.sql.statements import CreateExternalFunction, DropFunction
from tui.screens.form import Form
from tui.widgets.fields import Field, Values

if TYPE_CHECKING:
    from core.changes import Change
    from core.lakehouse.api_connections import ApiConnections

CREATE, DROP = "create one", "drop one"
APIS: Final = {"Python 3": "python3.mc.v0", "Java 8": "java8.hive2.v0"}
KINDS: Final = {"scalar": "", "aggregate": "AGGREGATOR", "table": "TABLE_VALUED"}
_PROTOCOL: Final = "http.arrow.v0"


def functions_form(connections: ApiConnections, connection: str, there: Sequence[ExternalFunction]) -> Form[Change]:
    """Create a function that runs through `connection`, or drop one of those that are `there`."""

    async def submit(values: Values) -> Change:
        if values["what"] == DROP:
            return await connections.plan_drop_function(values["dropped"])
        return await connections.plan_create_function(function_of(connection, values))

    async def preview(values: Values) -> str:
        if values["what"] == DROP:
            return f"{render(DropFunction(values['dropped']))};"
        if not all(values[name].strip() for name in ("name", "handler", "uri")):
            return ""
        return f"{render(CreateExternalFunction(function_of(connection, values)))};"

    def creates(values: Values) -> bool:
        return values["what"] == CREATE

    names = tuple(function.name for function in there)
    fields = (
        Field("what", "Do what", CREATE, kind="choice", choices=(CREATE, DROP) if names else (CREATE,)),
        Field("dropped", "Function", names[0] if names else "", kind="choice", choices=names or ("-",),
              shown_if=lambda values: values["what"] == DROP),
        Field("name", "Name", required=True, shown_if=creates, check=_name_problem,
              hint="With its schema, like public.mask: calls need that."),
        Field("handler", "Class", required=True, shown_if=creates, hint="module.Class, which the code has."),
        Field("resource", "Code", "ARCHIVE", kind="choice", choices=("ARCHIVE", "FILE", "JAR"), shown_if=creates,
              hint="An archive of less than 500 MB, a file, or a JAR."),
        Field("uri", "Its address", required=True, shown_if=creates,
              hint="In a bucket or a volume: oss://bucket/mask.zip"),
        Field("api", "Language", next(iter(APIS)), kind="choice", choices=tuple(APIS), shown_if=creates),
        Field("kind", "Kind", next(iter(KINDS)), kind="choice", choices=tuple(KINDS), shown_if=creates),
        Field("comment", "Comment", shown_if=creates),
    )  # fmt: skip
    return Form(f"External functions of {one_line(connection, 60)}", fields, submit, preview, docked=True)


def function_of(connection: str, values: Values) -> ExternalFunction:
    """The function that was typed."""
    category = KINDS[values["kind"]]
    properties = {"remote.udf.api": APIS[values["api"]], "remote.udf.protocol": _PROTOCOL}
    return ExternalFunction(
        values["name"].strip(),
        connection,
        values["handler"].strip(),
        ((values["resource"], values["uri"].strip()),),
        {**properties, "remote.udf.category": category} if category else properties,
        values["comment"].strip(),
    )


def _name_problem(text: str) -> str:
    parts = text.strip().split(".")
    return "" if len(parts) == 2 and all(parts) else "Write schema.function."
