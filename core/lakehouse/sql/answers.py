"""What the Lakehouse answers to SHOW CONNECTIONS, DESC CONNECTION and SHOW EXTERNAL FUNCTIONS, as values.

Columns are found by name, in any case and order: versions differ in what they tell beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import ConnectionDescription, ExternalFunction, ListedConnection
from core.lakehouse.rules.validation import external_id_problem

Cells = Sequence[object]  # of a row, in the order of the columns
_TRUE = frozenset({"true", "t", "yes", "y", "1", "enabled"})
_SHOWN_NAMES = 12  # of an answer without an external id
_NAME_COLUMNS = ("info_name", "name", "key", "property")
_VALUE_COLUMNS = ("info_value", "value")


def read_listing(columns: Sequence[str], rows: Iterable[Cells]) -> tuple[ListedConnection, ...]:
    """The rows of SHOW CONNECTIONS. Raises BadInputError when the answer has no column of names."""
    cell = _Cells(columns)
    if not cell.has("name"):
        raise _no_names("SHOW CONNECTIONS", columns)
    return tuple(
        ListedConnection(
            name=cell(row, "name"),
            category=cell(row, "category"),
            type=cell(row, "type"),
            enabled=cell(row, "enabled").lower() in _TRUE,
            created=cell(row, "created_time", "created"),
        )
        for row in rows
    )


def read_functions(columns: Sequence[str], rows: Iterable[Cells]) -> tuple[ExternalFunction, ...]:
    """The rows of SHOW EXTERNAL FUNCTIONS, whose columns the vendor does not document: what is not told is empty."""
    cell = _Cells(columns)
    if not cell.has("function_name", "name"):
        raise _no_names("SHOW EXTERNAL FUNCTIONS", columns)
    functions: list[ExternalFunction] = []
    for row in rows:
        name, schema = cell(row, "function_name", "name"), cell(row, "schema_name", "schema")
        functions.append(
            ExternalFunction(
                name=f"{schema}.{name}" if schema and "." not in name else name,
                connection=cell(row, "connection_name", "connection"),
                handler=cell(row, "handler", "class_name"),
                comment=cell(row, "comment"),
            )
        )
    return tuple(functions)


def read_description(columns: Sequence[str], rows: Iterable[Cells]) -> ConnectionDescription:
    """The rows of DESC CONNECTION. Raises BadInputError when there are no two columns to take."""
    lower = [column.lower() for column in columns]
    name = next((lower.index(known) for known in _NAME_COLUMNS if known in lower), 0)
    value = next((lower.index(known) for known in _VALUE_COLUMNS if known in lower), 1)
    info: dict[str, str] = {}
    for row in rows:
        if len(row) <= max(name, value):
            raise BadInputError(
                "The answer of DESC CONNECTION is not one of names and values.",
                advice="It should have the columns info_name and info_value.",
            )
        info[_text(row[name])] = _text(row[value])
    return ConnectionDescription(info)


def needed_external_id(description: ConnectionDescription, connection: str = "") -> str:
    """The external id of an answer. Raises BadInputError when it has none, or is about another `connection`."""
    told = next((value for name, value in description.info.items() if name.lower() == "name"), "")
    if connection and told and not same_name(told, connection):
        raise BadInputError(
            f"This is the answer about {one_line(told, 60)}, not about {one_line(connection, 60)}.",
            advice=f"Run DESC CONNECTION {one_line(connection, 60)}, and take its answer.",
        )
    if not description.external_id:
        names = [one_line(name, 30) for name in description.info]
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        raise BadInputError(
            "There is no external id in the answer.",
            advice="Take the whole answer of DESC CONNECTION, with the row externalId.",
            detail="Looked for externalId or external_id, in any case, among: "
            f"{', '.join(names[:_SHOWN_NAMES]) or 'nothing'}{more}.",
        )
    if problem := external_id_problem(description.external_id):
        raise BadInputError(f"The external id in the answer cannot be one: {problem}.", advice="Copy the answer again.")
    return description.external_id


def same_name(first: str, second: str) -> bool:
    """Whether two names may mean the same connection: one may be qualified with its workspace."""
    parts, others = first.lower().split("."), second.lower().split(".")
    shorter = min(len(parts), len(others))
    return parts[-shorter:] == others[-shorter:]


class _Cells:
    """The cells of a row by the names of their columns."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._places = {column.lower(): place for place, column in reversed(list(enumerate(columns)))}

    def has(self, *names: str) -> bool:
        return any(name in self._places for name in names)

    def __call__(self, row: Cells, *names: str) -> str:
        """The cell of the first of these columns that there is; empty without one."""
        place = next((self._places[name] for name in names if name in self._places), len(row))
        return _text(row[place]) if place < len(row) else ""


def _no_names(statement: str, columns: Sequence[str]) -> BadInputError:
    told = ", ".join(one_line(column, 40) for column in columns) or "none"
    return BadInputError(f"The answer of {statement} has no column of names.", advice=f"Its columns: {told}.")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
