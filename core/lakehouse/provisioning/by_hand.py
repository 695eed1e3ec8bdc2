"""The way to a working connection by hand: what an operator is to do next, and the change that records it was done.

Used for the side (cloud or Lakehouse) that Housekeys is not allowed to work on itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from core.changes import Change, Event, JsonValue, RecordStep
from core.errors import BadInputError, RefusedError
from core.lakehouse.cloud_access import Document
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.facts import HAND, event
from core.lakehouse.lint.document_lint import documents_differ
from core.lakehouse.provisioning.plan import Wanted
from core.lakehouse.provisioning.verification import external_id_of
from core.lakehouse.rules.validation import external_id_problem
from core.lakehouse.sql.statement_rendering import create_statement, render
from core.lakehouse.sql.statements import DescribeConnection, Syntax
from core.lakehouse.state import TRUST_POLICY, ConnectionState, Stage


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A text to copy: a document, a statement."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done by hand at a stage. `asks` says what the operator is to bring back, empty for nothing."""

    stage: Stage
    title: str
    advice: str
    exhibits: tuple[Exhibit, ...] = ()
    asks: str = ""


def task(state: ConnectionState, syntax: Syntax = Syntax.CLAUSES) -> Task:
    """What is to be done next, as if everything were done by hand."""
    wanted, cloud = Wanted.of(state), state.connection.provider.cloud
    documents = wanted.documents()
    match state.stage:
        case Stage.GRANT:
            own = [p for p in documents.permissions if p.document is not None]
            return Task(
                Stage.GRANT,
                f"Create the permission policies in {cloud}",
                "Paste each document into a new policy of that name.",
                tuple(Exhibit(f"Policy {p.policy.name}", _json(p.document)) for p in own if p.document is not None),
            )
        case Stage.TRUST:
            attached = ", ".join(p.policy.name for p in documents.permissions)
            return Task(
                Stage.TRUST,
                f"Create the role {documents.role} in {cloud}",
                f"Nobody can assume it yet: {PLACEHOLDER_EXTERNAL_ID} is no external id. Attach to it: {attached}.",
                (Exhibit(f"Trust policy of {documents.role}", _json(documents.trust)),),
            )
        case Stage.CREATE:
            statement, _ = create_statement(state.connection, syntax=syntax)
            return Task(
                Stage.CREATE,
                "Create the connection in the Lakehouse",
                "Run it in Studio or another client of the Lakehouse.",
                (Exhibit("Statement", f"{render(statement)};"),),
            )
        case Stage.DESCRIBE:
            return Task(
                Stage.DESCRIBE,
                "Read the external id",
                "Run it in the Lakehouse, and paste the whole answer.",
                (Exhibit("Statement", f"{render(DescribeConnection(state.name))};"),),
                asks="the answer of DESC CONNECTION",
            )
        case Stage.TIGHTEN:
            trust = wanted.documents(state.external_id).trust
            return Task(
                Stage.TIGHTEN,
                f"Let the trust policy of {documents.role} ask for the external id",
                "Put this document in the place of the trust policy that is there.",
                (Exhibit(f"Trust policy of {documents.role}", _json(trust)),),
            )
        case Stage.VERIFY:
            return Task(
                Stage.VERIFY,
                f"Read the trust policy of {documents.role} back",
                "Copy it from the console of the cloud, and paste it: it is compared with what is wanted.",
                asks="the trust policy as it is now",
            )
        case Stage.READY:
            return Task(Stage.READY, "Nothing is left to do", "Verify it now and then: roles drift.")


def plan_done(state: ConnectionState, stage: Stage) -> Change:
    """The change that records that an operator has done what `stage` asks for.

    Raises RefusedError when another stage is next, BadInputError for one whose answer has to be brought back.
    """
    if state.stage is not stage:
        raise RefusedError(f"What is next for {state.name} is another step: {state.stage}.")
    match stage:
        case Stage.GRANT:
            done = event(state.name, "grant", by=HAND)
        case Stage.TRUST:
            done = event(state.name, "trust", by=HAND, external_id=PLACEHOLDER_EXTERNAL_ID)
        case Stage.CREATE:
            done = event(state.name, "create", by=HAND)
        case Stage.TIGHTEN:
            done = event(state.name, "trust", by=HAND, external_id=state.external_id)
        case _:
            raise BadInputError(f"For this step, bring back {task(state).asks or 'nothing'}.")
    return _recording(state, task(state).title, done)


def plan_described(state: ConnectionState, external_id: str) -> Change:
    """The change that records the external id that DESC CONNECTION has told an operator.

    Raises BadInputError for a text that cannot be one.
    """
    if problem := external_id_problem(external_id):
        raise BadInputError(f"{external_id!r} is no external id: {problem}")
    title = f"Record the external id of {state.name}"
    return _recording(state, title, event(state.name, "describe", by=HAND, external_id=external_id))


def plan_verified(state: ConnectionState, trust: Document) -> Change:
    """The change that records what an operator's look at the trust policy has shown.

    Raises RefusedError while it is not known what the trust policy should ask for.
    """
    if not state.external_id:
        raise RefusedError(
            f"The external id of {state.name} is not known yet, so no trust policy can be judged.",
            advice="Bring the answer of DESC CONNECTION first.",
        )
    wanted = Wanted.of(state).documents(state.external_id).trust
    differences: list[JsonValue] = [f"{TRUST_POLICY}: {words}" for words in documents_differ(wanted, trust)]
    done = event(state.name, "verify", by=HAND, differences=differences, trusted_id=external_id_of(trust))
    return _recording(state, f"Verify {state.name}", done)


def _recording(state: ConnectionState, title: str, done: Event) -> Change:
    undo = RecordStep(f"Forget: {title}", (_undone(state, done.action),))
    return Change(title, (RecordStep(title, (done,), undo=undo),))


def _undone(state: ConnectionState, action: str) -> Event:
    """The fact that brings back what was known before `action`."""
    match action:
        case "grant":
            return event(state.name, "ungrant", by=HAND)
        case "trust" if state.trusted is None:
            return event(state.name, "untrust", by=HAND)
        case "trust":
            return event(state.name, "trust", by=HAND, external_id=state.trusted_id)
        case "create":
            return event(state.name, "drop", by=HAND)
        case "describe":
            return event(state.name, "describe", by=HAND, external_id=state.external_id)
    return event(state.name, "unverify", by=HAND)


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
