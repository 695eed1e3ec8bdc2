"""Looking after connections that exist already: taking their definitions from a script of CREATE API CONNECTION."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.changes import Change, RecordStep
from core.errors import BadInputError, RefusedError
from core.lakehouse.connections import ApiConnection, ConnectionDescription, Provider
from core.lakehouse.documents import PolicyScope
from core.lakehouse.facts import event
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.lint.statement_lint import lint_text
from core.lakehouse.provisioning.neighbours import Neighbours
from core.lakehouse.provisioning.plan import Wanted, refuse_unusable
from core.lakehouse.rules.validation import parse_provider
from core.lakehouse.sql.statement_parsing import parse_script
from core.lakehouse.sql.statements import CreateApiConnection
from core.lakehouse.state import ConnectionState

_SCRIPT = "script.sql"  # so that lint takes the text for statements alone


@dataclass(frozen=True, slots=True)
class Definitions:
    """The connections that a script creates, and what was found on the way; `passed_over` counts other statements."""

    connections: tuple[ApiConnection, ...]
    findings: tuple[Finding, ...]
    passed_over: int = 0

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


def read_definitions(text: str) -> Definitions:
    """The connections that a script creates. Raises nothing: what cannot be read is among the findings."""
    statements = [parsed.statement for parsed in parse_script(text).statements]
    created = tuple(each.connection for each in statements if isinstance(each, CreateApiConnection))
    return Definitions(created, lint_text(text, _SCRIPT), len(statements) - len(created))


def told_definition(name: str, description: ConnectionDescription | None) -> ApiConnection:
    """What DESC CONNECTION tells of a definition; what it does not tell is empty, and for a person to fill in."""
    told = {key.rpartition(".")[2].lower(): value for key, value in (description.info if description else {}).items()}
    try:
        provider = parse_provider(told.get("provider", ""))
    except BadInputError:
        provider = Provider.ALIYUN
    fields = ("region", "role_arn", "code_bucket", "namespace", "comment")
    return ApiConnection(name, provider, *(told.get(field, "") for field in fields))


def plan_adoption(
    connections: Sequence[ApiConnection],
    states: Mapping[str, ConnectionState],
    scope: PolicyScope = PolicyScope.DOCUMENTED,
) -> Change:
    """The change that defines them all; those that are known so already are left alone. Nothing outside is touched.

    Raises BadInputError for one that cannot work, RefusedError for a name that is known with another definition and for
    a role that two would share.
    """
    known = {name: Wanted.of(state) for name, state in states.items()}
    neighbours = Neighbours(known.values())
    steps: list[RecordStep] = []
    for connection in connections:
        if connection.name in known:
            _refuse_another(connection, known[connection.name])
            continue
        wanted = Wanted(connection, scope)
        refuse_unusable(wanted)
        neighbours.refuse_shared_role(wanted)
        wanted = neighbours.with_own_policies(wanted)
        definition = wanted.definition()
        undo = RecordStep(f"Forget {wanted.name}", (event(wanted.name, "remove"),))
        steps.append(RecordStep(f"Define {wanted.name}", (definition,), undo=undo))
        known[wanted.name] = wanted
        neighbours.add(wanted)
    number = len(steps)
    title = "Adopt 1 API connection" if number == 1 else f"Adopt {number:,} API connections"
    return Change(title if number else "Every connection of the file is known already", tuple(steps))


def _refuse_another(connection: ApiConnection, known: Wanted) -> None:
    if known.connection != connection:
        raise RefusedError(
            f"The API connection {connection.name} is known with another definition.",
            advice="There is no ALTER CONNECTION: recreate it as the file says, or take it out of the file.",
        )
