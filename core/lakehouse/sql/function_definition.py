"""An external function as an operator asks for it: each part checked before a statement is made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.connections import ExternalFunction

APIS: Final = ("python3.mc.v0", "java8.hive2.v0")  # documented; the first is what is usual
CATEGORIES: Final = ("AGGREGATOR", "TABLE_VALUED")  # none: a function of single values
RESOURCES: Final = ("FILE", "JAR", "ARCHIVE")
_PROTOCOL: Final = "http.arrow.v0"  # the only one that is documented
_HANDLER = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+")


def external_function(
    name: str,
    connection: str,
    *,
    handler: str,
    using: Sequence[str],
    api: str = APIS[0],
    category: str = "",
    comment: str = "",
) -> ExternalFunction:
    """The function; `using` has `FILE=uri` for each file. Raises BadInputError that names the part that is wrong."""
    _check(name, "name of the function", "Write schema.function.")
    if not all(name.split(".")):
        raise BadInputError(f"The name {one_line(name, 60)} has an empty part.", advice="Write schema.function.")
    if not _HANDLER.fullmatch(handler):
        raise BadInputError(
            f"The handler {one_line(handler, 60) or '(empty)'} does not name a class.",
            advice="Write module.Class, as it is in the code.",
        )
    _check(api, "API", f"Write {' or '.join(APIS)}.")
    if category and category.upper() not in CATEGORIES:
        raise BadInputError(
            f"{one_line(category, 40)} is no category of functions.",
            advice=f"It is one of {', '.join(CATEGORIES)}, or left out for a function of single values.",
        )
    if wrong := next((each for each in comment if not each.isprintable()), ""):
        raise BadInputError(f"The comment has the invisible character {one_line(wrong)}.", advice="Remove it.")
    properties = {"remote.udf.api": api, "remote.udf.protocol": _PROTOCOL}
    if category:
        properties["remote.udf.category"] = category.upper()
    return ExternalFunction(name, connection, handler, tuple(map(_resource, using)), properties, comment)


def _resource(text: str) -> tuple[str, str]:
    kind, equals, uri = text.partition("=")
    if not equals or kind.strip().upper() not in RESOURCES:
        raise BadInputError(
            f"{one_line(text, 80) or '(empty)'} does not say what kind of file it is.",
            advice=f"Write KIND=address, KIND one of {', '.join(RESOURCES)}: FILE=oss://bucket/upper.zip.",
        )
    _check(uri, f"address of the {kind.strip().lower()}", "Write it as oss://bucket/upper.zip.")
    return kind.strip().upper(), uri


def _check(text: str, what: str, advice: str) -> None:
    if not text:
        raise BadInputError(f"The {what} is missing.", advice=advice)
    wrong = next((each for each in text if each in "'\"`\\" or each.isspace() or not each.isprintable()), None)
    if wrong is not None:
        shown = "white space" if wrong.isspace() else f"the character {one_line(wrong)}"
        raise BadInputError(f"The {what} has {shown}, which it may not have.", advice=advice)
